"""Affine layers: Identity, Linear, LazyLinear and Bilinear."""

from __future__ import annotations

from math import sqrt

from ... import _core
from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..._core import Tensor
    from ..._typing import Device

__all__ = ["Bilinear", "Identity", "LazyLinear", "Linear", "NonDynamicallyQuantizableLinear"]

_linear = _core.linear


class Identity(Module):
    """Returns its input; takes, and ignores, any arguments when it is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """``input @ weight.T + bias``: (*, in_features) to (*, out_features).

    `weight` (out_features, in_features) and `bias` (out_features) start uniform in ±1/√in_features.

    >>> nn.Linear(20, 64)(lamina.rand(32, 20)).shape
    torch.Size([32, 64])
    """

    in_features: int
    out_features: int
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(_core.empty((out_features, in_features), dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(_core.empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        init.kaiming_uniform_(self.weight, a=sqrt(5))  # with this slope the bound is 1/√in_features
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    @_core.forward_calls(_linear, "weight", "bias")
    def forward(self, input: Tensor) -> Tensor:
        return _linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear, by the name under which MultiheadAttention prints its last layer in PyTorch."""


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear whose in_features is the size of the last axis of its first input; from then on it is a Linear.

    Until then `weight` and `bias` are UninitializedParameter: they can be handed to an optimizer, copied and saved.
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Device = None, dtype: _core.dtype | None = None
    ) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draw new numbers, once there is something to fill."""
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if isinstance(self.weight, UninitializedParameter):
            if input.ndim == 0:
                raise RuntimeError("LazyLinear: expected an input with at least one axis, got a 0-d tensor")
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if isinstance(self.bias, UninitializedParameter):
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
        elif self.in_features == 0:  # a state dict has brought the weight
            self.in_features = self.weight.shape[-1]


class Bilinear(Module):
    """``input1[i] weight[k, i, j] input2[j] + bias[k]``: (*, in1_features) and (*, in2_features) to (*, out_features).

    `weight` (out_features, in1_features, in2_features) and `bias` (out_features) start uniform in ±1/√in1_features.
    """

    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got {in1_features}")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        shape = (out_features, in1_features, in2_features)
        self.weight = Parameter(_core.empty(shape, dtype=dtype, device=device))
        if bias:
            self.bias = Parameter(_core.empty(out_features, dtype=dtype, device=device))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        bound = 1 / sqrt(self.in1_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
