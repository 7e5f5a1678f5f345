"""What type, and shape, functions of integers, of one number and of mixed types give."""

from __future__ import annotations

import pytest

import lamina


@pytest.mark.parametrize("dtype", [lamina.int32, lamina.int8, lamina.uint8])
def test_products_of_integers_stay_of_their_type(dtype: lamina.dtype) -> None:
    a, b = lamina.ones(2, 2, 3, dtype=dtype), lamina.ones(2, 3, 2, dtype=dtype)
    assert lamina.addbmm(b[0, :2], a, b).equal(lamina.full((2, 2), 7, dtype=dtype))
    # The axis of one element is repeated.
    assert lamina.tensordot(a[:1, :1, :1], b[:, :1], ([0, 1], [2, 0])).equal(lamina.tensor([[4]], dtype=dtype))


def test_unravel_index_gives_int64() -> None:
    places = lamina.unravel_index(lamina.tensor([255, 3], dtype=lamina.uint8), (2, 1 << 30))
    assert [place.tolist() for place in places] == [[0, 0], [255, 3]]
    assert all(place.dtype == lamina.int64 for place in places)


def test_scalar_operands_of_reductions_and_powers() -> None:
    x, index, source = lamina.tensor(2.0), lamina.tensor([0]), lamina.tensor(4.0)
    found = [lamina.index_reduce(x, 0, index, source, name).item() for name in ("mean", "prod", "amax", "amin")]
    assert found == [3, 8, 4, 2]
    assert lamina.linalg.vander(x, N=3).tolist() == [[1, 2, 4]]
    assert lamina.tensor(3, dtype=lamina.int8).sum_to_size(()).dtype == lamina.int64


def test_addcmul_takes_a_bool_as_value() -> None:
    x = lamina.ones(2)
    assert lamina.addcmul(x, x, x, value=True).tolist() == [2, 2]
    assert lamina.addcdiv(x, x, x, value=False).tolist() == [1, 1]


def test_cov_has_the_wider_type_of_numbers_and_weights() -> None:
    x, weights = lamina.tensor([1.0, 2.0, 4.0]), lamina.tensor([0.1, 0.2, 0.3], dtype=lamina.float64)
    assert lamina.cov(x, aweights=weights).dtype == lamina.float64
    assert lamina.cov(x.half(), aweights=weights.float()).dtype == lamina.float32


def test_logit_keeps_its_type_whatever_the_default_is() -> None:
    before = lamina.get_default_dtype()
    try:
        lamina.set_default_dtype(lamina.float64)
        x = lamina.tensor([0.25, 2.0], dtype=lamina.float32)
        assert x.logit().dtype == x.logit(0.1).dtype == lamina.float32
        assert lamina.tensor([True]).logit(0.1).dtype == lamina.float64
    finally:
        lamina.set_default_dtype(before)


def test_addcmul_of_integers_takes_the_whole_part_of_value() -> None:
    x = lamina.tensor([1, 2])
    assert lamina.addcmul(x, x, x, value=2.9).tolist() == [3, 10]
    assert lamina.addcmul(x, x, x, value=-2.9).tolist() == [-1, -6]


def test_lerp_with_a_weight_of_one_number_has_the_common_type() -> None:
    weight = lamina.tensor(0.3)
    whole = lamina.lerp(lamina.tensor([1, 5]), lamina.tensor([9, 2]), weight)
    assert whole.dtype == lamina.float32
    assert lamina.allclose(whole, lamina.tensor([3.4, 4.1]))
    narrow = lamina.ones(2, dtype=lamina.bfloat16)
    assert lamina.lerp(narrow, narrow, weight).dtype == lamina.bfloat16
    assert lamina.lerp(narrow[0], narrow[0], weight).dtype == lamina.float32
    assert lamina.lerp(lamina.ones(2), lamina.ones(2), weight * 1j).dtype == lamina.complex64


def test_numbers_beside_integers_need_not_be_of_their_type() -> None:
    x = lamina.tensor([1, 0, 2], dtype=lamina.uint8)
    assert lamina.xlogy(x, 300).tolist() == lamina.xlogy(x.float(), 300).tolist()
    assert lamina.xlogy(x, -1).isnan().tolist() == [True, False, True]
    assert lamina.special.xlog1py(x, 300).tolist() == lamina.special.xlog1py(x.float(), 300).tolist()
    assert lamina.xlogy(300, x[::2]).dtype == lamina.float32
    assert lamina.isin(x, 300).tolist() == [False, False, False]
    assert lamina.isin(x, 2, invert=True).tolist() == [True, True, False]
