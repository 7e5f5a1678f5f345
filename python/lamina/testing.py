"""``lamina.testing``: whether what a program computed is close to what it should be, and by how much it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, inf, isfinite, isnan, prod

from . import _core
from ._core import Tensor
from ._warning import warn_caller
from .dtypes import finfo, iinfo
from .functions.arguments import as_size, is_numpy_number
from .functions.arranging import repeat_interleave
from .functions.comparing import isclose

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._core import dtype as DType
    from ._core import memory_format as MemoryFormat
    from .devices import device as Device

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

# Relative and absolute tolerance; 0 for types that are not here.
_TOLERANCES: dict[Any, tuple[float, float]] = {
    _core.float16: (1e-3, 1e-5),
    _core.float32: (1.3e-6, 1e-5),
    _core.float64: (1e-7, 1e-7),
}
_TOLERANCES |= {dtype.to_complex(): _TOLERANCES[dtype] for dtype in list(_TOLERANCES)}
_TOLERANCES[_core.bfloat16] = (1.6e-2, 1e-5)


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless ``|actual - expected| <= atol + rtol * |expected|`` for all elements.

    Tensors, NumPy arrays, numbers, None, and sequences and mappings of them are compared, element by element; shapes,
    and with `check_dtype` types, must be equal, and with `check_device` devices; on meta nothing else is compared. The
    tolerances are both given or both left to the types: 1.6e-2 and 1e-5 for bfloat16, 1e-3 and 1e-5 for float16,
    1.3e-6 and 1e-5 for float32, 1e-7 and 1e-7 for float64, 0 for integers. Every layout is dense: `check_layout`
    cannot fail. `msg` is the message of a failure, or makes it of the
    one that there would be. TypeError for what cannot be compared.

    >>> lamina.testing.assert_close(lamina.ones(2) / 3, lamina.tensor([0.3333333, 0.3333334]))
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")

    def problem(a: Any, b: Any) -> str | None:
        if isinstance(a, Tensor) and isinstance(b, Tensor):
            if not allow_subclasses and type(a) is not type(b):
                raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
            checked = ("shape", *["dtype"] * check_dtype, *["device"] * check_device)
            return _tensor_problem(a, b, rtol, atol, equal_nan, checked, check_stride)
        if type(a) is type(b) and hasattr(a, "__array_interface__"):
            checked = ("shape", *["dtype"] * check_dtype)
            return _tensor_problem(_core.as_tensor(a), _core.as_tensor(b), rtol, atol, equal_nan, checked, False)
        a, b = (x.item() if is_numpy_number(x) else x for x in (a, b))
        if isinstance(a, bool) and isinstance(b, bool):
            return None if a is b else f"Booleans mismatch: {a} is not {b}"
        if isinstance(a, (int, float, complex)) and isinstance(b, (int, float, complex)):
            if check_dtype and type(a) is not type(b):
                return f"The (d)types do not match: {type(a)} != {type(b)}."
            inexact = isinstance(a, (float, complex)) or isinstance(b, (float, complex))
            own = _TOLERANCES[_core.float64] if inexact else (0.0, 0.0)
            return _number_problem(a, b, *_chosen(rtol, atol, own), equal_nan)
        if a is None or b is None:
            return None if a is b else f"None mismatch: {a} is not {b}"
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")

    failure = _walk(actual, expected, "", problem)
    if failure is not None:
        raise AssertionError(failure if msg is None else msg(failure) if callable(msg) else msg)


_FORMER_TOLERANCES = {_core.float16: (1e-3, 1e-3), _core.float32: (1e-4, 1e-5), _core.float64: (1e-5, 1e-8)}


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """`assert_close` as it was before: types may differ, NaNs are equal, tolerances are wider. Deprecated."""
    warn_caller(
        "`torch.testing.assert_allclose()` is deprecated since 1.12 and will be removed in a future release. Please "
        "use `torch.testing.assert_close()` instead.",
        FutureWarning,
    )
    if not isinstance(actual, Tensor):
        actual = _core.tensor(actual)
    if not isinstance(expected, Tensor):
        expected = _core.tensor(expected, dtype=actual.dtype)
    if rtol is None and atol is None:
        own = [_FORMER_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (actual, expected)]
        rtol, atol = map(max, zip(*own))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def _walk(a: Any, b: Any, path: str, problem: Callable[[Any, Any], str | None]) -> str | None:
    """The first problem in nested containers, with the item that has it."""
    place = f"\n\nThe failure occurred for item {path}" if path else ""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            return (
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {sorted(b.keys() - a.keys(), key=str)}\n"
                f"Additional keys in the actual mapping: {sorted(a.keys() - b.keys(), key=str)}{place}"
            )
        pairs = [(a[key], b[key], f"{path}[{key!r}]") for key in a]
    elif _is_sequence(a) and _is_sequence(b):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}{place}"
        pairs = [(x, y, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b))]
    else:
        found = problem(a, b)
        return None if found is None else found + place
    for x, y, inner in pairs:
        found = _walk(x, y, inner, problem)
        if found is not None:
            return found
    return None


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _chosen(rtol: float | None, atol: float | None, own: tuple[float, float]) -> tuple[float, float]:
    return own if rtol is None or atol is None else (rtol, atol)


def _number_problem(a: complex, b: complex, rtol: float, atol: float, equal_nan: bool) -> str | None:
    distance = abs(a - b)
    near = a == b or (isfinite(distance) and distance <= atol + rtol * abs(b))
    if near or (equal_nan and a != a and b != b):
        return None
    exact = rtol == atol == 0
    relative = distance / abs(b) if b else float("inf")
    bounds = ("", "") if exact else (f" (up to {atol} allowed)", f" (up to {rtol} allowed)")
    return (
        f"Scalars are not {'equal' if exact else 'close'}!\n\nExpected {b} but got {a}.\n"
        f"Absolute difference: {distance}{bounds[0]}\nRelative difference: {relative}{bounds[1]}"
    )


def _tensor_problem(
    a: Tensor,
    b: Tensor,
    rtol: float | None,
    atol: float | None,
    equal_nan: bool,
    checked: Sequence[str],
    check_stride: bool,
) -> str | None:
    a, b = a.detach(), b.detach()
    for name in checked:
        if getattr(a, name) != getattr(b, name):
            return f"The values for attribute '{name}' do not match: {getattr(a, name)} != {getattr(b, name)}."
    if check_stride and a.stride() != b.stride():
        return f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}."
    if a.is_meta or b.is_meta:
        return None
    tolerances = [_TOLERANCES.get(x.dtype, (0.0, 0.0)) for x in (a, b)]
    rtol, atol = _chosen(rtol, atol, (max(r for r, _ in tolerances), max(t for _, t in tolerances)))
    exact = rtol == atol == 0
    if exact and not equal_nan:
        near = a == b
    else:
        common = _core.promote_types(a.dtype, b.dtype)
        near = isclose(a.to(common), b.to(common), rtol, atol, equal_nan)
    if bool(near.all()):
        return None
    wide = _core.complex128 if a.is_complex() or b.is_complex() else _core.float64
    a, b = a.to(wide), b.to(wide)
    if a.dim() == 0:
        return _number_problem(a.item(), b.item(), rtol, atol, equal_nan)
    wrong = near.logical_not()
    count, total = int(wrong.sum()), prod(a.shape)
    distance = _core.where(wrong, (a - b).abs(), 0.0).reshape(-1)
    relative = _core.where(wrong.reshape(-1), distance / b.abs().reshape(-1), _core.zeros_like(distance))
    lines = [
        f"Tensor-likes are not {'equal' if exact else 'close'}!\n",
        f"Mismatched elements: {count} / {total} ({100 * count / total:.1f}%)",
    ]
    for kind, values, bound in (("absolute", distance, atol), ("relative", relative, rtol)):
        place = int(values.argmax())
        allowed = "" if exact else f" (up to {bound} allowed)"
        lines.append(
            f"Greatest {kind} difference: {values[place].item()} at index {_index(place, tuple(a.shape))}{allowed}"
        )
    return "\n".join(lines)


def _index(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The index of the element at `place` in the order of memory."""
    index: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        index.insert(0, rest)
    return tuple(index)


def make_tensor(
    *shape: Any,
    dtype: DType,
    device: Device | str,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """Random numbers of [low, high) for a test: -9 to 9 (10 for integers, from 0 for uint8; 0 and 1 for bool).

    The bounds are cut to what the type holds, `high` of a whole number is left out. With `noncontiguous` the elements
    lie two places apart; with `exclude_zero` the smallest number that is not 0 stands for 0. ValueError for bounds
    that leave nothing, for NaN among them, and for an integer tensor that shall require a gradient.
    """
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(
            f"`requires_grad=True` is not supported for boolean and integral dtypes, but got dtype={dtype}"
        )
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got "
            f"noncontiguous={noncontiguous} and memory_format={memory_format}"
        )
    start, end = _bounds(dtype.to_real(), low, high)
    size = as_size(shape)
    if dtype.is_floating_point:
        numbers = (_core.rand(size, dtype=_core.float64, device=device) * (end - start) + start).to(dtype)
        numbers = numbers.clamp(max=end)
        smallest: complex = finfo(dtype).tiny
    elif dtype.is_complex:
        parts = _core.rand((*size, 2), dtype=_core.float64, device=device) * (end - start) + start
        numbers = _core.view_as_complex(parts.to(dtype.to_real()).clamp(max=end))
        smallest = complex(finfo(dtype).tiny, finfo(dtype).tiny)
    else:
        numbers = _core.randint(ceil(start), ceil(end), size, device=device).to(dtype)
        smallest = 1
    if exclude_zero:
        numbers = numbers.masked_fill(numbers == 0, _core.tensor(smallest, dtype=dtype, device=device))
    if noncontiguous and numbers.numel() > 1:
        numbers = repeat_interleave(numbers, 2, dim=-1)[..., ::2]
    return numbers.requires_grad_(requires_grad)


def _bounds(dtype: DType, low: float | None, high: float | None) -> tuple[float, float]:
    """Where the numbers of `make_tensor` begin, and where they end: cut to those of the type."""
    lowest: float
    largest: float
    if dtype == _core.bool:
        start, end, lowest, largest = 0, 2, 0, 2
    elif dtype.is_floating_point:
        start, end, lowest, largest = -9, 9, finfo(dtype).min, finfo(dtype).max
    else:
        start, end = 0 if dtype == _core.uint8 else -9, 10
        lowest, largest = iinfo(dtype).min, iinfo(dtype).max
        largest += 0 if dtype == _core.int64 else 1
    first, last = start if low is None else low, end if high is None else high
    if isnan(first) or isnan(last):
        raise ValueError(f"`low` and `high` cannot be NaN, but got low={first} and high={last}")
    if first >= last and not (dtype.is_floating_point and first == last):
        raise ValueError(f"`low` must be less than `high`, but got {first} >= {last}")
    if first == inf or last == -inf or first > largest or last < lowest:
        raise ValueError(f"the numbers from {first} to {last} are not among those of {dtype}")
    return max(first, lowest), min(last, largest)
