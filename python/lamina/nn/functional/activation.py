"""Activation functions, elementwise unless they say otherwise. Where a slope jumps, its value there is stated."""

from __future__ import annotations

from math import inf

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...autograd import no_grad
from ...dtypes import scalar_name
from ...functions.arguments import composed
from ...functions.pointwise import hardshrink
from ...functions.precision import in_low_precision
from .widening import floating, widened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]

# Gives the result the name of PyTorch's one op, which a printed grad_fn shows.
_labelled = _core._labelled

# The fixed point of SELU (Klambauer et al., 2017).
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946

sigmoid = _core.sigmoid
tanh = _core.tanh


def _in_place(function: Callable[[Tensor], Tensor], input: Tensor) -> Tensor:
    """Write ``function(input)`` into `input`; what its gradient reads is a copy, so backward still finds it."""
    return _core._changed_into(input, function(input.clone()))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """``max(0, x)``; the slope at 0 is 0."""
    return input.relu_() if inplace else _core.relu(input)


def relu_(input: Tensor) -> Tensor:
    """``relu`` in place."""
    return input.relu_()


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """``min(max(0, x), 6)``; the slope at 0 and 6 is 0."""
    return hardtanh(input, 0.0, 6.0, inplace)


@composed
@widened
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """`input` held between `min_val` and `max_val`; the slope at both is 0. ValueError if they are swapped."""
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    if not input.is_floating_point():
        if input.dtype == _core.bool:
            raise RuntimeError("Bool inputs not supported for hardtanh")
        if input.dtype == _core.uint8 and min_val < 0:
            raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
        whole = input.clamp(int(min_val), int(max_val))
        return input.copy_(whole) if inplace else whole
    if inplace:
        return _in_place(lambda x: hardtanh(x, min_val, max_val), input)
    outside = (input <= min_val) | (input >= max_val)  # NaN is not: its slope is 1
    limits = input.detach() if input.requires_grad else input
    return _labelled(_core.where(outside, limits.clamp(min_val, max_val), input), "Hardtanh")


@floating("hardsigmoid_cpu")
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """``x / 6 + 1/2`` held between 0 and 1; the slope at both ends is 0."""
    if inplace:
        return _in_place(hardsigmoid, input)
    x = input.detach() if input.requires_grad else input
    result = (x + 3).clamp(0, 6) / 6
    if input.requires_grad:
        slope = _core.where((input > -3) & (input < 3), input, 0) * (1 / 6)
        result = _core._rebased(result, slope)
    return _labelled(result, "Hardsigmoid")


@floating("hardswish_cpu")
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x hardsigmoid(x)`` (Howard et al., 2019); the slope is 0 at -3 and 1 at 3, and 1 at NaN."""
    return _in_place(hardswish, input) if inplace else _core._hardswish(input)


@floating("leaky_relu_cpu")
def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """`x` above 0 and ``negative_slope x`` from 0 downwards."""
    if inplace:
        return _in_place(lambda x: leaky_relu(x, negative_slope), input)
    return _core._leaky_relu(input, negative_slope)


@in_low_precision
@composed
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """leaky_relu with the slope `weight`: one for all, or one for each channel, axis 1 of `input`."""
    if input.dtype != weight.dtype:
        kinds = f"{scalar_name(input.dtype)} and {scalar_name(weight.dtype)}"
        raise RuntimeError(f"prelu: Type promoting not supported. Got {kinds}")
    if weight.numel() != 1:
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.ndim != 1 or weight.shape[0] != channels:
            raise RuntimeError(
                f"prelu: Mismatch of parameter numbers and input channel size. Expected a weight of {channels} "
                f"elements, or one, got {tuple(weight.shape)}"
            )
        weight = weight.reshape([channels] + [1] * (input.ndim - 2))
    elif weight.ndim > input.ndim or weight.ndim > 1:
        weight = weight.reshape(())
    return _labelled(_core.where(input > 0, input, weight * input), "PreluKernel")


@widened
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """`x` above `threshold`, `value` elsewhere."""
    if input.dtype == _core.bool:
        raise NotImplementedError("\"threshold_cpu\" not implemented for 'Bool'")
    if inplace:
        once = input  # what an expanded axis repeats is written once: the result is the same however often
        for axis, stride in enumerate(input.stride()):
            once = once.narrow(axis, 0, min(1, once.shape[axis])) if stride == 0 else once
        _core._changed_into(once, _core.where(once <= threshold, value, once))
        return input
    return _labelled(_core.where(input <= threshold, value, input).to(input.dtype), "Threshold")


@floating("elu_cpu")
def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`x` above 0 and ``alpha (exp(x) - 1)`` from 0 downwards (Clevert et al., 2016)."""
    if inplace:
        return _in_place(lambda x: elu(x, alpha), input)
    return _core._elu(input, alpha)


@floating("elu_cpu")
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """A scaled elu that keeps mean 0 and variance 1 from layer to layer (Klambauer et al., 2017)."""
    if inplace:
        return _in_place(selu, input)
    return _labelled(_SELU_SCALE * elu(input, _SELU_ALPHA), "Elu")


@floating("elu_cpu")
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """`x` above 0 and ``alpha (exp(x / alpha) - 1)`` from 0 downwards (Barron, 2017)."""
    if alpha == 0:
        raise ZeroDivisionError("alpha cannot be 0 for celu")
    if inplace:
        return _in_place(lambda x: celu(x, alpha), input)
    bent = input <= 0
    return _labelled(_core.where(bent, alpha * (_core.where(bent, input, 0.0) / alpha).expm1(), input), "Celu")


@floating("silu_cpu", or_complex=True)
def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """``x sigmoid(x)``, also known as swish (Elfwing et al., 2017)."""
    return _in_place(silu, input) if inplace else _core._silu(input)


@floating("mish_cpu")
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """``x tanh(softplus(x))`` (Misra, 2019)."""
    return _in_place(mish, input) if inplace else _core._mish(input)


@composed
@floating("GeluKernelImpl")
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x Φ(x)`` with the normal distribution's Φ (Hendrycks and Gimpel, 2016), or its "tanh" approximation."""
    if approximate in ("none", "tanh"):
        return _core._gelu(input, approximate == "tanh")
    raise RuntimeError(f"approximate argument must be either none or tanh, got {approximate}")


@composed
@floating("softplus_cpu")
def softplus(input: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """``log(1 + exp(beta x)) / beta``, and `x` itself where ``beta x`` is above `threshold`."""
    return _core._softplus(input, beta, threshold)


@composed
@floating("log_sigmoid_cpu")
def logsigmoid(input: Tensor) -> Tensor:
    """``log(sigmoid(x))`` without overflow."""
    return _core._log_sigmoid(input)


@widened
def softsign(input: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return input / (input.abs() + 1)


@widened
def tanhshrink(input: Tensor) -> Tensor:
    """``x - tanh(x)``."""
    return input - input.tanh()


@composed
@floating("softshrink_check")
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """`x` moved towards 0 by `lambd`, and 0 in between. RuntimeError unless `lambd` is in [0, inf)."""
    if not 0 <= lambd < inf:
        raise RuntimeError(f"lambda must be greater or equal to 0, and finite, but found to be {lambd}.")
    with no_grad():  # infinity may come back where the slope is 0
        nothing = input * 0
    below = _core.where(input >= -lambd, nothing, input + lambd)  # the slope at NaN is 1
    return _labelled(_core.where(input > lambd, input - lambd, below), "Softshrink")


@floating("glu_cpu")
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """The first half along `dim` times the sigmoid of the second (Dauphin et al., 2016). The half must be even."""
    if input.ndim == 0:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    size = input.shape[dim]
    if size % 2 != 0:
        raise RuntimeError(f"glu: Halving dimension must be even, but dimension {dim} is size {size}")
    return _labelled(input.narrow(dim, 0, size // 2) * input.narrow(dim, size // 2, size // 2).sigmoid(), "Glu")


def _implicit_dim(name: str, ndim: int) -> int:
    warn_caller(f"Implicit dimension choice for {name} has been deprecated. Pass dim=X.")
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _core.dtype | None = None) -> Tensor:
    """``exp(x)`` scaled to sum to 1 along `dim`, without overflow; with `dtype`, converted to it first."""
    if dim is None:
        dim = _implicit_dim("softmax", input.ndim)
    return _core.softmax(input, dim) if dtype is None else _core.softmax(input, dim, dtype=dtype)


def softmin(input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _core.dtype | None = None) -> Tensor:
    """``softmax(-x)`` along `dim`."""
    if dim is None:
        dim = _implicit_dim("softmin", input.ndim)
    return _core.softmax(-input, dim) if dtype is None else _core.softmax(-input, dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: _core.dtype | None = None
) -> Tensor:
    """``log(softmax(x))`` along `dim`, without overflow; with `dtype`, converted to it first."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.ndim)
    return _core.log_softmax(input, dim) if dtype is None else _core.log_softmax(input, dim, dtype=dtype)
