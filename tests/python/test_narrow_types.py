"""int8, int16, float16 and bfloat16: stored, converted and moved as they are, computed in int32 or float32."""

from __future__ import annotations

import pickle
import zlib
from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import OPS
from op_samples.row import Op, draw, to_tensor

# Each with the type it is computed in.
NARROW = {"int8": "int32", "int16": "int32", "float16": "float32", "bfloat16": "float32"}


def _narrowed(operand: np.ndarray, narrow: str, wide: str) -> Any:
    tensor = to_tensor(operand)
    return tensor.to(getattr(lamina, narrow)) if operand.dtype.name == wide else tensor


_NOT_OF_BFLOAT16 = ("complex", "imag", "polar", "view_as_complex", "view_as_real")  # no complex type has such parts
_PAIRS = [
    (op, narrow)
    for op in OPS
    for narrow, wide in NARROW.items()
    if wide in op.dtypes and op.check is None and op.name != "bitcast"
    if not (narrow == "bfloat16" and op.name in _NOT_OF_BFLOAT16)
]


@pytest.mark.parametrize(("op", "narrow"), _PAIRS, ids=[f"{op.name}-{narrow}" for op, narrow in _PAIRS])
def test_every_op_is_that_of_the_wide_type(op: Op, narrow: str) -> None:
    wide, kind = NARROW[narrow], getattr(lamina, narrow)
    # Functions composed of several ops round after each.
    rtol = 4 * lamina.finfo(kind).eps if kind.is_floating_point else 0
    for item in op.cases[:4]:
        if item.large or "dtype" in item.kwargs or any(isinstance(a, str) for a in item.args):
            continue
        drawn = draw(np.random.default_rng(zlib.crc32(op.name.encode())), op, item, wide)
        operands = tuple(_narrowed(operand, narrow, wide) for operand in drawn)
        if not any(x.dtype == kind for x in operands):
            continue
        expected = op.invoke(tuple(x.to(getattr(lamina, wide)) if x.dtype == kind else x for x in operands), item)
        for result, wanted in zip(op.invoke(operands, item), expected, strict=True):
            if str(wanted.dtype).endswith(wide):
                assert result.dtype == kind, item.describe()
                wanted = wanted.to(kind)
            actual, correct = result.detach().double().numpy(), wanted.detach().double().numpy()
            np.testing.assert_allclose(actual, correct, rtol, rtol, err_msg=item.describe())


def test_float16_converts_as_numpy_does() -> None:
    everything = np.arange(2**16, dtype=np.uint16).view(np.float16)
    np.testing.assert_array_equal(lamina.from_numpy(everything).float().numpy(), everything.astype(np.float32))
    rng = np.random.default_rng(0)
    spread = rng.standard_normal(5000) * 10.0 ** rng.integers(-9, 6, 5000)
    edges = [0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65519.99, 65520, 2**-25, 2**-25 * 1.0001, 2**-14]
    numbers = np.concatenate([spread, edges]).astype(np.float32)
    with np.errstate(over="ignore"):
        expected = numbers.astype(np.float16)
    converted = lamina.tensor(numbers).half().numpy()
    assert converted.dtype == np.float16
    np.testing.assert_array_equal(converted, expected)
    np.testing.assert_array_equal(np.signbit(converted), np.signbit(expected))


def test_bfloat16_rounds_to_even() -> None:
    step = 2.0**-7
    x = lamina.tensor([1 + step / 2, 1 + step * 1.5, 1 + step * 0.51, 3.4e38, float("nan"), -0.0])
    assert x.bfloat16().tolist()[:4] == [1.0, 1 + 2 * step, 1 + step, float("inf")]
    assert x.bfloat16()[4].isnan()
    assert x.bfloat16()[5].signbit()
    with pytest.raises(TypeError, match="BFloat16"):
        x.bfloat16().numpy()


def test_integers_wrap_around_and_refuse_too_large_numbers() -> None:
    x = lamina.tensor([127, -128], dtype=lamina.int8)
    assert (x + x).tolist() == [-2, 0]
    assert lamina.tensor([300, -300]).to(lamina.int8).tolist() == [44, -44]
    assert lamina.tensor([40000]).short().tolist() == [-25536]
    with pytest.raises(RuntimeError, match="without overflow"):
        lamina.tensor([128], dtype=lamina.int8)


def test_sums_of_many_are_not_rounded_on_the_way() -> None:
    x = lamina.ones(100_000, dtype=lamina.float16)
    assert x.mean() == 1
    assert x.sum() == float("inf")
    assert lamina.full((4096,), 0.5, dtype=lamina.bfloat16).sum() == 2048
    assert x.std().dtype == lamina.float16


@pytest.mark.parametrize("narrow", [lamina.float16, lamina.bfloat16], ids=str)
def test_complex_numbers_beside_halves_stay_complex(narrow: lamina.dtype) -> None:
    z, half = lamina.tensor([1 + 2j, 3 - 1j]), lamina.tensor([0.5, 2.0], dtype=narrow)
    assert lamina.addcmul(z, z, half).tolist() == [1.5 + 3j, 9 - 3j]
    assert lamina.addcdiv(half, z, half).tolist() == [2.5 + 4j, 3.5 - 0.5j]
    assert lamina.logaddexp(z, half).tolist() == lamina.logaddexp(z, half.float()).tolist()


def test_decimals_of_halves_are_rounded_once() -> None:
    x = lamina.tensor([-4.15, 45.96], dtype=lamina.float16)  # -4.1484, and -41.484 is no float16
    assert x.round(decimals=1).tolist() == lamina.tensor([-4.1, 46], dtype=lamina.float16).tolist()


def test_gradients_have_the_operands_type() -> None:
    x = lamina.tensor([1.0, 2.0, 3.0], dtype=lamina.float16, requires_grad=True)
    y = x * x
    assert y.grad_fn is not None
    assert y.grad_fn.name() == "MulBackward0"
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == lamina.float16
    assert x.grad.tolist() == [2, 4, 6]


@pytest.mark.parametrize("narrow", NARROW)
def test_views_writes_and_pickles(narrow: str) -> None:
    x = lamina.arange(6).reshape(2, 3).to(getattr(lamina, narrow))
    x[:, 1] += 10
    x.t()[0].fill_(-1)
    assert x.tolist() == [[-1, 11, 2], [-1, 14, 5]]
    twin = pickle.loads(pickle.dumps(x))
    assert twin.dtype == x.dtype
    assert twin.tolist() == x.tolist()


def test_uniform_numbers_stay_below_1() -> None:
    lamina.manual_seed(0)
    for dtype in (lamina.float16, lamina.bfloat16):
        x = lamina.rand(20_000, dtype=dtype)
        assert x.dtype == dtype
        assert x.max() < 1
        assert 0.48 < x.float().mean() < 0.52


def test_the_default_type_is_that_of_python_floats() -> None:
    before = lamina.get_default_dtype()
    try:
        lamina.set_default_dtype(lamina.float64)
        assert lamina.tensor(1.5).dtype == lamina.ones(2).dtype == (lamina.arange(2) / 2).dtype == lamina.float64
        assert repr(lamina.tensor(1.5)) == "tensor(1.5000)"
        with pytest.raises(TypeError, match="floating-point"):
            lamina.set_default_dtype(lamina.int64)
    finally:
        lamina.set_default_dtype(before)


@pytest.mark.parametrize("dtype", [lamina.int8, lamina.uint8, lamina.int16, lamina.int32, lamina.float16])
def test_scans_in_a_type_that_was_asked_for(dtype: Any) -> None:
    x = lamina.tensor([100.7, -2.0, 3.0])
    whole = x.to(dtype)
    for call, wanted in (
        (lamina.cumsum, [whole[0], whole[0] + whole[1], whole[0] + whole[1] + whole[2]]),
        (lamina.cumprod, [whole[0], whole[0] * whole[1], whole[0] * whole[1] * whole[2]]),
    ):
        result = call(x, 0, dtype=dtype)
        assert result.dtype == dtype
        assert result.tolist() == [number.item() for number in wanted]
        assert call(x[0], 0, dtype=dtype).tolist() == whole[0].item()


def test_scans_of_bool_count_and_there_are_none_as_bool() -> None:
    flags = lamina.tensor([True, False, True])
    assert flags.cumsum(0).tolist() == [1, 1, 2]
    for name in ("cumsum", "cumprod"):
        with pytest.raises(NotImplementedError, match="not implemented for 'Bool'"):
            getattr(flags, name)(0, dtype=lamina.bool)
