"""Result types of mixed operands: PyTorch's lattice over the six dtypes, 0-d tensors and Python numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import ALL

# Rows and columns in the order of NAMES; b u i l f d stand for the dtypes.
NAMES = {"b": "bool", "u": "uint8", "i": "int32", "l": "int64", "f": "float32", "d": "float64"}
LATTICE = {
    "b": "b u i l f d",
    "u": "u u i l f d",
    "i": "i i i l f d",
    "l": "l l l l f d",
    "f": "f f f f f d",
    "d": "d d d d d d",
}
# A tensor with axes against a 0-d tensor: only a higher kind (bool < integer < float) of the 0-d one matters.
WITH_ZERO_DIM = {
    "b": "b u i l f d",
    "u": "u u u u f d",
    "i": "i i i i f d",
    "l": "l l l l f d",
    "f": "f f f f f f",
    "d": "d d d d d d",
}
# A tensor against Python's True, 2 and 2.5.
WITH_NUMBER = {"b": "b l f", "u": "u u f", "i": "i i f", "l": "l l f", "f": "f f f", "d": "d d d"}


def _pairs(table: dict[str, str]) -> list[tuple[str, str, str]]:
    return [
        (NAMES[left], NAMES[right], NAMES[result])
        for left, row in table.items()
        for right, result in zip(NAMES, row.split(), strict=True)
    ]


def _ones(dtype: str, *shape: int) -> Any:
    return lamina.ones(shape, dtype=getattr(lamina, dtype))


@pytest.mark.parametrize(("left", "right", "result"), _pairs(LATTICE))
def test_promotion_of_tensors(left: str, right: str, result: str) -> None:
    a, b, wanted = _ones(left, 2), _ones(right, 2), getattr(lamina, result)
    for promoted in (a * b, a + b, lamina.maximum(a, b), lamina.where(_ones("bool", 2), a, b), lamina.cat([a, b])):
        assert promoted.dtype == wanted
    assert (a == b).dtype == lamina.bool
    assert (a < b).dtype == lamina.bool
    assert (a / b).dtype == (wanted if wanted.is_floating_point else lamina.float32)
    assert lamina.promote_types(a.dtype, b.dtype) == wanted
    assert lamina.result_type(a, b) == wanted
    np.testing.assert_array_equal((a * b).numpy(), np.ones(2))


@pytest.mark.parametrize(("left", "right", "result"), _pairs(WITH_ZERO_DIM))
def test_promotion_with_zero_dim(left: str, right: str, result: str) -> None:
    a, b, wanted = _ones(left, 2), _ones(right), getattr(lamina, result)
    assert (a * b).dtype == wanted
    assert (b * a).dtype == wanted
    assert lamina.where(_ones("bool", 2), a, b).dtype == wanted
    # Two 0-d tensors are equals.
    assert (_ones(left) * b).dtype == lamina.promote_types(a.dtype, b.dtype)


@pytest.mark.parametrize("dtype", NAMES.values())
@pytest.mark.parametrize("axes", [(), (2,)])
def test_promotion_with_number(dtype: str, axes: tuple[int, ...]) -> None:
    x = _ones(dtype, *axes)
    letter = next(key for key, name in NAMES.items() if name == dtype)
    for number, result in zip((True, 2, 2.5), WITH_NUMBER[letter].split(), strict=True):
        wanted = getattr(lamina, NAMES[result])
        for value in (x * number, number * x, x + number, number + x):
            assert value.dtype == wanted
        assert (x / number).dtype == (wanted if wanted.is_floating_point else lamina.float32)
        assert (x == number).dtype == lamina.bool


def test_promotion_of_numpy_scalar_counts_as_number() -> None:
    assert (lamina.ones(2) * np.float64(2)).dtype == lamina.float32
    assert (lamina.ones(2, dtype=lamina.int32) + np.int64(2)).dtype == lamina.int32


@pytest.mark.parametrize("source", ALL)
@pytest.mark.parametrize("target", ALL)
def test_conversion(source: str, target: str) -> None:
    """Conversions round towards zero, and anything but zero is true."""
    values = np.array([0, 1, 2, 100]).astype(source)
    if source.startswith("float"):
        values = values + np.array([0, 0.75, 0.5, 0.25], source)
    converted = lamina.tensor(values).to(getattr(lamina, target))
    assert converted.dtype == getattr(lamina, target)
    np.testing.assert_array_equal(converted.numpy(), values.astype(target))


def test_conversion_methods() -> None:
    x = lamina.tensor([1.5, 0.0, 3.0])
    named = {"float": x.float(), "double": x.double(), "int": x.int(), "long": x.long(), "bool": x.bool()}
    dtypes = {"float": "float32", "double": "float64", "int": "int32", "long": "int64", "bool": "bool"}
    for name, value in named.items():
        assert value.dtype == getattr(lamina, dtypes[name])
    assert x.byte().dtype == lamina.uint8
    assert x.to(lamina.float32) is x
    assert x.to(lamina.ones(1, dtype=lamina.int64)).dtype == lamina.int64
    assert x.type(lamina.int32).dtype == lamina.int32


def test_conversion_keeps_gradient_between_floats() -> None:
    x = lamina.tensor([1.5, 2.0], requires_grad=True)
    (x.double() * 3).sum().backward()
    assert x.grad.dtype == lamina.float32
    assert x.grad.tolist() == [3.0, 3.0]
    assert not x.long().requires_grad


def test_inplace_keeps_dtype() -> None:
    x = lamina.ones(2, dtype=lamina.int64)
    x += 2
    assert x.dtype == lamina.int64
    with pytest.raises(
        RuntimeError, match=r"result type Float can't be cast to the desired output type (Long|long int)"
    ):
        x += 0.5
    with pytest.raises(RuntimeError, match="can't be cast"):
        x /= 2
    assert x.tolist() == [3, 3]
    y = lamina.ones(2)
    y += lamina.ones(2, dtype=lamina.float64)
    assert y.dtype == lamina.float32


def test_mixed_dtype_products_are_refused() -> None:
    with pytest.raises(RuntimeError, match="dtype"):
        lamina.ones(2, 2) @ lamina.ones(2, 2, dtype=lamina.float64)


def test_einsum_without_sums_is_a_product_of_elements() -> None:
    """It promotes as one, where contractions want one type, and gives -0 and NaN as one."""
    a, b = lamina.tensor([[-0.0, 2.0], [3.0, lamina.nan]]), lamina.tensor([1.0, 4.0, 0.5], dtype=lamina.float64)
    for rule, expected in (
        ("bi,j->bij", a[:, :, None].double() * b),
        ("bi,j->jbi", (a[:, :, None].double() * b).permute(2, 0, 1)),
        ("bi,bi->ib", (a * a).T),
        ("bi,b->bi", a * a[:, :1]),
    ):
        other = {"bi,bi->ib": a, "bi,b->bi": a[:, 0]}.get(rule, b)
        result = lamina.einsum(rule, a, other)
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        assert lamina.allclose(result, expected, equal_nan=True)
        assert result.signbit().equal(expected.signbit())
    with pytest.raises(RuntimeError, match="dtype"):
        lamina.einsum("bi,ij->bj", a, b.new_ones(2, 2))


def test_numbers_beside_float64_keep_their_digits() -> None:
    """A Python float must not pass through float32 on its way to float64."""
    x = lamina.tensor([0.1, 0.2], dtype=lamina.float64)
    assert lamina.xlogy(0.1, x * 20)[0].item() == pytest.approx(0.1 * np.log(2), rel=1e-14)
    assert lamina.special.xlog1py(0.1, x)[0].item() == pytest.approx(0.1 * np.log1p(0.1), rel=1e-14)
    assert (
        lamina.special.zeta(2.1, x).tolist()
        == lamina.special.zeta(lamina.tensor([2.1] * 2).double() * 0 + 2.1, x).tolist()
    )
    assert lamina.searchsorted(x, 0.1).item() == 0
    assert lamina.bucketize(0.2, x, right=True).item() == 2
    assert lamina.isin(x, 0.1).tolist() == [True, False]
    assert lamina.isin(0.2, x).item() is True
    assert lamina.isin(lamina.tensor([1, 2]), 1.5).tolist() == [False, False]
    for order in (1, 2):
        (slopes,) = lamina.gradient(lamina.tensor([1.0, 2, 3], dtype=lamina.float64), spacing=0.1, edge_order=order)
        np.testing.assert_allclose(slopes.numpy(), [10] * 3, rtol=1e-13)


def test_xlogy_is_of_the_type_of_the_operand_with_axes() -> None:
    assert lamina.xlogy(lamina.tensor(2.0, dtype=lamina.float64), lamina.ones(3)).dtype == lamina.float32


def test_divisors_and_multiples_are_of_numbers_as_the_type_stores_them() -> None:
    """A tensor without axes is first converted: -1 is 255 in uint8, and products wrap."""
    x, other = lamina.tensor([1, 3, 8], dtype=lamina.uint8), lamina.tensor(-1)
    assert lamina.gcd(x, other).tolist() == [1, 3, 1]
    assert lamina.lcm(x, other).tolist() == [255, 255, 8 * 255 % 256]


def test_shifts_out_of_range_leave_the_sign_alone() -> None:
    largest, lowest = 2**63 - 1, -(2**63)
    x = lamina.tensor([largest, lowest, lowest, largest, largest])
    assert (x >> lamina.tensor([largest, lowest, 63, 62, 61])).tolist() == [0, -1, -1, 1, 3]
    assert (lamina.tensor([255, 128], dtype=lamina.uint8) >> lamina.tensor([7, 8], dtype=lamina.uint8)).tolist() == [
        1,
        0,
    ]
