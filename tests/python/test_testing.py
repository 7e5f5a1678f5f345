"""assert_close: what is close, what is not and why, and what cannot be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina.testing import assert_allclose, assert_close, make_tensor

t = lamina.tensor
nan = float("nan")


@pytest.mark.parametrize(
    ("actual", "expected", "options"),
    [
        (t([1.0, 2.0]), t([1.0, 2.000001]), {}),
        (t([]), t([]), {}),
        (t([1, 2]), t([1, 2]), {}),
        (t(True), t(True), {}),
        (t([1.0]), t([1.1]), {"rtol": 0.1, "atol": 0.0}),
        (t([1.0]), t([1.0], dtype=lamina.float64), {"check_dtype": False}),
        (t([nan, lamina.inf]), t([nan, lamina.inf]), {"equal_nan": True}),
        (t([2], dtype=lamina.int32), t([2]), {"check_dtype": False}),
        (1.0, 1.0 + 1e-9, {}),
        (nan, nan, {"equal_nan": True}),
        (t([1.0], dtype=lamina.float16), t([1.001], dtype=lamina.float16), {}),
        (t([1.0], dtype=lamina.bfloat16), t([1.01], dtype=lamina.bfloat16), {}),
        (lamina.ones(2, device="meta"), lamina.ones(2, device="meta"), {}),
        (lamina.ones(2, device="meta"), lamina.ones(2), {"check_device": False}),
        (np.float32(1), 1.0, {}),
        (None, None, {}),
        (np.ones(2), np.ones(2), {}),
        ([1, (t(1.0), {"a": 2.0})], [1, [t(1.0), {"a": 2.0}]], {}),
        (t([1.0], requires_grad=True), t([1.0]), {}),
    ],
)
def test_close(actual: Any, expected: Any, options: dict[str, Any]) -> None:
    assert_close(actual, expected, **options)


@pytest.mark.parametrize(
    ("actual", "expected", "options", "message"),
    [
        (t([[1.0, 2.0]]), t([[1.0, 4.0]]), {}, r"Mismatched elements: 1 / 2 \(50.0%\)"),
        (t([[1.0, 2.0]]), t([[1.0, 4.0]]), {}, r"absolute difference: 2.0 at index \(0, 1\) \(up to 1e-05 allowed\)"),
        (t([[1.0, 2.0]]), t([[1.0, 4.0]]), {}, r"relative difference: 0.5 at index \(0, 1\) \(up to 1.3e-06 allowed\)"),
        (t([1, 2]), t([1, 3]), {}, "Tensor-likes are not equal!"),
        (t([1, 2]), t([1, 3]), {}, r"difference: 1.0 at index \(1,\)$|difference: 1.0 at index \(1,\)\n"),
        (t(1.0), t(2.0), {}, "Scalars are not close!\n\nExpected 2.0 but got 1.0"),
        (t([1.0]), t([1.0, 2.0]), {}, "'shape' do not match"),
        (t([1.0]), t([1]), {}, "'dtype' do not match: torch.float32 != torch.int64"),
        (t([1.0], dtype=lamina.float16), t([1.002], dtype=lamina.float16), {}, r"up to 0.001 allowed"),
        (lamina.ones(2, device="meta"), lamina.ones(2), {}, "'device' do not match: meta != cpu"),
        (None, 1, {}, "None mismatch: None is not 1"),
        (lamina.ones(2, 3).t(), lamina.ones(3, 2), {"check_stride": True}, r"'stride\(\)' do not match"),
        (t([nan]), t([nan]), {}, "not close"),
        (t([1.0]), t([lamina.inf]), {}, "not close"),
        (1, 1.0, {}, r"\(d\)types do not match"),
        (1, 2, {}, "Scalars are not equal!"),
        (True, False, {}, "Booleans mismatch"),
        ([1], [1, 2], {}, "length of the sequences mismatch: 1 != 2"),
        ({"a": 1}, {"b": 1}, {}, r"Missing keys in the actual mapping: \['b'\]"),
        ([0, {"k": [1.0, 2.0]}], [0, {"k": [1.0, 3.0]}], {}, r"occurred for item \[1\]\['k'\]\[1\]"),
        (t([1.0]), t([2.0]), {"msg": "mine"}, "^mine$"),
        (t([1.0]), t([2.0]), {"msg": lambda text: "mine: " + text}, "^mine: Tensor-likes"),
    ],
)
def test_not_close(actual: Any, expected: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        assert_close(actual, expected, **options)


def test_what_cannot_be_compared() -> None:
    for a, b in (("a", "a"), (t(1.0), 1.0), (np.ones(1), t([1.0]))):
        with pytest.raises(TypeError, match="No comparison pair"):
            assert_close(a, b)
    with pytest.raises(ValueError, match="got no atol"):
        assert_close(1.0, 1.0, rtol=1.0)


@pytest.mark.parametrize("dtype", [lamina.float32, lamina.float16, lamina.int64, lamina.uint8, lamina.bool])
def test_make_tensor(dtype: Any) -> None:
    x = make_tensor((30, 20), dtype=dtype, device="cpu")
    low, high = {lamina.bool: (0, 1), lamina.uint8: (0, 9)}.get(dtype, (-9, 9))
    assert (x.shape, x.dtype) == ((30, 20), dtype)
    assert low <= x.min().item()
    assert x.max().item() <= high
    assert x.unique().numel() > (1 if dtype == lamina.bool else 9)
    spread = make_tensor(3, 4, dtype=dtype, device="cpu", noncontiguous=True, exclude_zero=True)
    assert (spread.shape, spread.stride()) == ((3, 4), (8, 2))
    assert bool((spread != 0).all())
    assert make_tensor((), dtype=dtype, device="cpu").shape == ()


@pytest.mark.parametrize(
    ("dtype", "options", "text"),
    [
        (lamina.int64, {"requires_grad": True}, "boolean and integral"),
        (lamina.float32, {"low": nan}, "cannot be NaN"),
        (lamina.float32, {"low": 5, "high": 1}, "`low` must be less than `high`, but got 5 >= 1"),
        (lamina.int64, {"low": 1, "high": 1}, "must be less"),
        (lamina.int8, {"low": 1000, "high": 2000}, "not among those of torch.int8"),
        (lamina.float32, {"noncontiguous": True, "memory_format": lamina.contiguous_format}, "mutually exclusive"),
    ],
)
def test_make_tensor_refuses(dtype: Any, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make_tensor((2,), dtype=dtype, device="cpu", **options)


@pytest.mark.filterwarnings("ignore:.*assert_allclose:FutureWarning")
@pytest.mark.parametrize(
    ("actual", "expected", "options"),
    [
        (t([1.0]), t([1.00005]), {}),
        (t([1.0]), [1.0], {}),
        ([1, 2], [1.0, 2.0], {}),
        (t([1.0]), t([1.00005], dtype=lamina.float64), {}),
        (t([1]), t([1.00005]), {}),
        (t([1.0], dtype=lamina.float16), t([1.001]), {}),
        (nan, nan, {}),
        (1.0, 1.1, {"rtol": 0.1, "atol": 0.0}),
    ],
)
def test_close_as_it_was_before(actual: Any, expected: Any, options: dict[str, Any]) -> None:
    assert_allclose(actual, expected, **options)


def test_not_close_as_it_was_before() -> None:
    with (
        pytest.warns(FutureWarning, match="use `torch.testing.assert_close"),
        pytest.raises(AssertionError, match=r"up to 0\.0001 allowed"),
    ):
        assert_allclose(t([1.0]), t([1.0002]))
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match=r"^mine$"):
        assert_allclose(t([1]), t([2]), msg="mine")
    with pytest.warns(FutureWarning), pytest.raises(AssertionError, match="not close"):
        assert_allclose(nan, nan, equal_nan=False)
    with pytest.warns(FutureWarning), pytest.raises(ValueError, match="but got no atol"):
        assert_allclose(1.0, 1.0, rtol=0.1)
