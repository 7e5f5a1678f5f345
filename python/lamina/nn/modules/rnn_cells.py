"""Recurrent cells: one step of an RNN, LSTM or GRU. What they compute stands in csrc/functions/recurrent.cpp."""

from __future__ import annotations

from math import sqrt

from ... import _core
from .. import init
from ..functional.recurrent import require_state
from ..parameter import Parameter
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.recurrent import State

__all__ = ["GRUCell", "LSTMCell", "RNNCell", "RNNCellBase"]


class RNNCellBase(Module):
    """The weights (num_chunks · hidden_size, ·) and checks of a cell; all start uniform in ±1/√hidden_size."""

    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter | None
    bias_hh: Parameter | None

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(_core.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(_core.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            made = Parameter(_core.empty(rows, device=device, dtype=dtype)) if bias else None
            self.register_parameter(name, made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        bound = 1.0 / sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _step(self, cell: Callable[..., Any], input: Tensor, state: State | None, parts: int = 1) -> State:
        """The state after `input` (N, input_size) or (input_size,). ValueError or RuntimeError for other sizes."""
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for n, part in enumerate(state or ()):
            if part.ndim not in (1, 2):
                what = f"hx[{n}]" if parts == 2 else "hidden"
                raise ValueError(f"{name}: Expected {what} to be 1D or 2D, got {part.ndim}D instead")
        batched = input.ndim == 2
        input = input if batched else input.unsqueeze(0)
        if state is None:
            state = (input.new_zeros(input.shape[0], self.hidden_size),) * parts
        elif not batched:
            state = tuple(part.unsqueeze(0) for part in state)
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        after = cell(input, state, *weights) if parts == 2 else (cell(input, state[0], *weights),)
        return after if batched else tuple(part.squeeze(0) for part in after)


class RNNCell(RNNCellBase):
    """A step of RNN: (N, input_size) and the state (N, hidden_size) to the next state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        require_state(self, hx, ())
        cell = _core.rnn_tanh_cell if self.nonlinearity == "tanh" else _core.rnn_relu_cell
        return self._step(cell, input, None if hx is None else (hx,))[0]


class LSTMCell(RNNCellBase):
    """A step of LSTM: (N, input_size) and the state (h, c), each (N, hidden_size), to the next state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        require_state(self, hx, ("h_0", "c_0"))
        hidden, memory = self._step(_core.lstm_cell, input, None if hx is None else tuple(hx), 2)
        return hidden, memory


class GRUCell(RNNCellBase):
    """A step of GRU: (N, input_size) and the state (N, hidden_size) to the next state."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        require_state(self, hx, ())
        return self._step(_core.gru_cell, input, None if hx is None else (hx,))[0]
