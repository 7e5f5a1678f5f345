"""Elementwise functions of one to three tensors, all broadcasting, composed from native elementwise ops."""

from __future__ import annotations

from math import inf, nan, pi

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..dtypes import has_gradients, require_floating, scalar_name
from .arguments import as_number, as_tensor_beside, composed, composed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._typing import Number

__all__ = [
    "addcdiv",
    "addcmul",
    "deg2rad",
    "fmax",
    "fmin",
    "frac",
    "hardshrink",
    "hypot",
    "lerp",
    "logaddexp",
    "logit",
    "nan_to_num",
    "rad2deg",
    "rsub",
    "sinc",
    "xlogy",
]


def _in_order(
    name: str, value: Number, tensor1: Tensor, tensor2: Tensor, tensor2_after_value: Tensor | None
) -> tuple[Number, Tensor, Tensor]:
    """The arguments, too, if they came with `value` first: PyTorch's deprecated order, in which older optimizers are
    written."""
    if tensor2_after_value is None:
        return value, tensor1, tensor2
    warn_caller(
        f"This overload of {name} is deprecated: instead of {name}(value, tensor1, tensor2), give "
        f"{name}(tensor1, tensor2, value=value)"
    )
    return tensor1, tensor2, tensor2_after_value  # type: ignore[return-value]


@composed_as("Addcmul", rounded_once=True)
def addcmul(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, tensor2_after_value: Tensor | None = None, *, value: Number = 1
) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    value, tensor1, tensor2 = _in_order("addcmul", value, tensor1, tensor2, tensor2_after_value)
    if isinstance(value, float) and not (has_gradients(input) or has_gradients(tensor1) or has_gradients(tensor2)):
        value = int(value)
    return input.add(tensor1.mul(tensor2), alpha=+as_number("addcmul", "value", value))  # a bool is a number, too


@composed_as("Addcdiv", rounded_once=True)
def addcdiv(
    input: Tensor, tensor1: Tensor, tensor2: Tensor, tensor2_after_value: Tensor | None = None, *, value: Number = 1
) -> Tensor:
    """``input + value * tensor1 / tensor2``. RuntimeError if `tensor1` and `tensor2` are both integers."""
    value, tensor1, tensor2 = _in_order("addcdiv", value, tensor1, tensor2, tensor2_after_value)
    if not (has_gradients(tensor1) or has_gradients(tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported: expected a floating point tensor1 or tensor2, got "
            f"{tensor1.dtype} and {tensor2.dtype}; convert one of them, or use div and add"
        )
    return input.add(tensor1.div(tensor2), alpha=+as_number("addcdiv", "value", value))


@composed_as("Rsub")
def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Tensor:
    """``other - alpha * input``."""
    return other - input if alpha == 1 else other - input * alpha


@composed_as("Lerp", rounded_once=True)
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Tensor:
    """Linear interpolation ``input + weight * (end - input)``, exact at both ends (weight 0 and 1)."""
    if input.dtype != end.dtype:
        raise RuntimeError(f"lerp: expected dtype {input.dtype} for `end` but got dtype {end.dtype}")
    if isinstance(weight, Tensor) and weight.dim() == 0:  # of one number: both take the common type
        common = _core.result_type(input, weight)
        input, end, weight = input.to(common), end.to(common), weight.to(common)
    if not has_gradients(input):
        raise RuntimeError(f"lerp: expected a floating point tensor, got {input.dtype}")
    step = end - input
    if isinstance(weight, Tensor):
        if weight.dtype != input.dtype:
            raise RuntimeError(f"lerp: expected dtype {input.dtype} for `weight` but got dtype {weight.dtype}")
        return _core.where(weight.detach().abs() < 0.5, input + weight * step, end - step * (1 - weight))
    return input.add(step, alpha=weight) if abs(weight) < 0.5 else end.sub(step, alpha=1 - weight)


@composed_as("Frac")
def frac(input: Tensor) -> Tensor:
    """The part behind the decimal point, with the sign of `input`."""
    return input - input.trunc()


@composed_as("Deg2Rad")
def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians."""
    return input * (pi / 180.0)


@composed_as("Rad2Deg")
def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees."""
    return input * (180.0 / pi)


@composed_as("Hardshrink")
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """0 for `x` in [-lambd, lambd], `x` elsewhere."""
    require_floating("hardshrink_cpu", input)
    return _core.where((input >= -lambd) & (input <= lambd), 0.0, input)


@composed_as("Sinc", rounded_once=True)
def sinc(input: Tensor) -> Tensor:
    """``sin(pi x) / (pi x)``, and 1 at 0."""
    angle = input * pi
    small = angle.abs() < 0.25  # there by its series, whose derivatives are right, too
    far = _core.where(small, 1.0, angle)
    square = _core.where(small, angle, 0.0).square()
    series: Tensor | float = 1.0
    for power in (12, 10, 8, 6, 4, 2):
        series = 1 - square / (power * (power + 1)) * series
    return _core.where(small, series, far.sin() / far)


@composed_as("Logit", rounded_once=True)
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``; with `eps`, x is first clamped to [eps, 1 - eps]. NaN outside [0, 1] without it."""
    x = input if has_gradients(input) else input.to(_core.get_default_dtype())
    if eps is None:  # the slope is NaN where the result is
        x = x * _core.where((x >= 0) & (x <= 1), 1.0, nan).to(x.dtype)
    else:  # the lower bound wins
        x = _core.where(x < eps, eps, _core.where(x > 1 - eps, 1 - eps, x))
    return x.log() - (-x).log1p()


@composed_as("NanToNum")
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN, +inf and -inf replaced by `nan` (0), `posinf` (the type's largest) and `neginf` (its lowest number)."""
    if input.is_complex():
        return _core.complex(*(nan_to_num(part, nan, posinf, neginf) for part in (input.real, input.imag)))
    if not input.dtype.is_floating_point:
        return input.clone()
    from ..dtypes import finfo

    limits = finfo(input.dtype)
    x = _core.where(input.isnan(), 0.0 if nan is None else nan, input)
    x = _core.where(input == inf, limits.max if posinf is None else posinf, x)
    return _core.where(input == -inf, limits.min if neginf is None else neginf, x)


@composed_as("Fmax")
def fmax(input: Tensor, other: Tensor) -> Tensor:
    """The larger of both, ignoring a NaN where the other is a number. At ties the gradient is `input`'s."""
    return _core.where((input >= other) | other.isnan(), input, other)


@composed_as("Fmin")
def fmin(input: Tensor, other: Tensor) -> Tensor:
    """The smaller of both, ignoring a NaN where the other is a number. At ties the gradient is `input`'s."""
    return _core.where((input <= other) | other.isnan(), input, other)


def _in_one_float(input: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Both in the floating point type that they promote to."""
    kind = _core.result_type(input, other)
    kind = kind if kind.is_floating_point or kind.is_complex else _core.get_default_dtype()
    return input.to(kind), other.to(kind)


@composed
def hypot(input: Tensor, other: Tensor) -> Tensor:
    """``sqrt(input² + other²)`` without overflow on the way; inf if either is infinite, whatever the other is."""
    input, other = _in_one_float(input, other)
    require_floating("hypot", input)
    return _core._hypot(input, other)


@composed_as("Logaddexp", rounded_once=True)
def logaddexp(input: Tensor, other: Tensor) -> Tensor:
    """``log(exp(input) + exp(other))`` without overflow; right at equal infinities too."""
    input, other = _in_one_float(input, other)
    if input.is_complex():  # scaled by the one with the larger real part
        first = input.real >= other.real
        largest, least = _core.where(first, input, other), _core.where(first, other, input)
        gap = least - largest
        nothing = ((least.real == -inf) | (gap.real == -inf)) & ~least.isnan()  # whatever the angle is
        share = _core.where(nothing, 0, _core.where(nothing, 0, gap).exp())
        return largest + share.log1p()
    # Nothing with a kink: at ties higher derivatives are those of a smooth function.
    first, infinite = input >= other, (input == other) & input.isinf()
    gap = _core.where(infinite, 0.0, _core.where(first, other - input, input - other))
    largest = _core.where(infinite, (input + other) / 2, _core.where(first, input, other))
    return largest + gap.exp().log1p()


@composed_as("Xlogy", rounded_once=True)
def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor:
    """``input * log(other)``, 0 where `input` is 0 (unless `other` is NaN). At least one is a tensor."""
    return times_log(input, other, 0)


def times_log(input: Tensor | Number, other: Tensor | Number, shift: int) -> Tensor:
    """``input * log(shift + other)``, where `shift` is 0 or 1; 0 where `input` is 0 (unless `other` is NaN)."""
    kind = _core.result_type(input, other)
    if kind.is_complex:
        raise NotImplementedError(f"\"xlogy_cpu\" not implemented for '{scalar_name(kind)}'")
    if not kind.is_floating_point:
        kind = _core.get_default_dtype()
    input, other = (x.to(kind) if isinstance(x, Tensor) else x for x in (input, other))
    input, other = as_tensor_beside(other, input), as_tensor_beside(input, other)
    vanishes = (input == 0) & ((other <= -shift) | other.isinf())
    argument = _core.where(vanishes, 1.0, other)
    return _core.where(vanishes, 0.0, input) * (argument.log1p() if shift else argument.log())
