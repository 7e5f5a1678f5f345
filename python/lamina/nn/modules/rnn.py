"""Recurrent layers along whole sequences: RNN, LSTM and GRU. Computed in csrc/functions/recurrent.cpp."""

from __future__ import annotations

from math import sqrt

from ... import _core
from ..._warning import warn_caller
from .. import init
from ..functional.recurrent import require_state, run_layers
from ..packed_sequence import PackedSequence
from ..parameter import Parameter
from .module import Module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..._core import Tensor
    from ..._typing import Device
    from ..functional.recurrent import State, Weights

__all__ = ["GRU", "LSTM", "RNN", "RNNBase"]

_GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}


class RNNBase(Module):
    """The options, weights and checks that RNN, LSTM and GRU have.

    The weights of layer k are ``weight_ih_lk`` (gates · hidden_size, input), ``weight_hh_lk``, ``bias_ih_lk``,
    ``bias_hh_lk`` and, with `proj_size`, ``weight_hr_lk``; those of the other direction end in ``_reverse``. All start
    uniform in ±1/√hidden_size. ValueError or TypeError for sizes that make no layer.
    """

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Device = None,
        dtype: _core.dtype | None = None,
    ) -> None:
        super().__init__()
        if mode not in _GATES:
            raise ValueError(f"Unrecognized RNN mode: {mode}")
        if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(size, int):
                raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if size <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if dropout > 0 and num_layers == 1:
            warn_caller(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}"
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        rows, output = _GATES[mode] * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            width = input_size if layer == 0 else output * self._directions()
            shapes = [(rows, width), (rows, output), (rows,), (rows,), (proj_size, hidden_size)]
            for names in self._names(layer):
                for made, shape in zip(names, shapes):
                    if made is not None:
                        setattr(self, made, Parameter(_core.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _names(self, layer: int) -> list[list[str | None]]:
        """For each direction the five names, None for what the layer does not have."""
        there = [True, True, self.bias, self.bias, self.proj_size > 0]
        stems = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        ends = (f"_l{layer}", f"_l{layer}_reverse")[: self._directions()]
        return [[f"{stem}{end}" if has else None for stem, has in zip(stems, there)] for end in ends]

    @property
    def _all_weights(self) -> list[list[str]]:
        places = [names for layer in range(self.num_layers) for names in self._names(layer)]
        return [[name for name in names if name is not None] for names in places]

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights_names(self) -> list[str]:  # private in PyTorch, and used by textbooks that initialize by names
        return [name for names in self._all_weights for name in names]

    @property
    def _flat_weights(self) -> list[Parameter]:
        return [getattr(self, name) for name in self._flat_weights_names]

    def reset_parameters(self) -> None:
        """Draw new numbers."""
        bound = 1.0 / sqrt(self.hidden_size)
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: PyTorch moves the weights together for CUDA here."""

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        defaults = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0, "bidirectional": False}
        for name, default in defaults.items():
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text

    def __setstate__(self, state: dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)  # from before there were projections

    def check_input(self, input: Tensor, batch_sizes: Tensor | None) -> None:
        """ValueError for another type than the weights', RuntimeError for another size than `input_size`."""
        dtype = getattr(self, "weight_ih_l0").dtype  # noqa: B009
        if input.dtype != dtype and _core._autocast_dtype() is None:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). Convert input: "
                f"input.to({dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.ndim != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.ndim}")
        if input.shape[-1] != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.shape[-1]}"
            )

    def get_expected_hidden_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers times directions, batch, size of what a layer gives)."""
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.shape[0] if self.batch_first else input.shape[1]
        return self.num_layers * self._directions(), batch, self.proj_size or self.hidden_size

    def check_hidden_size(
        self, hx: Tensor, expected_hidden_size: tuple[int, int, int], msg: str = "Expected hidden size {}, got {}"
    ) -> None:
        """RuntimeError unless `hx` has the expected size."""
        if tuple(hx.shape) != expected_hidden_size:
            raise RuntimeError(msg.format(expected_hidden_size, list(hx.shape)))

    def check_forward_args(self, input: Tensor, hidden: Any, batch_sizes: Tensor | None) -> None:
        """The errors of check_input and check_hidden_size."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Tensor | None) -> Any:
        """The state with its sequences in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _check_rank(self, input: Tensor, hx: State | None) -> bool:
        """Whether there is a batch axis."""
        name = type(self).__name__
        if input.ndim not in (2, 3):
            what = f"{input.ndim}D tensor" if name == "RNN" else f"{input.ndim}D"
            raise ValueError(f"{name}: Expected input to be 2D or 3D, got {what} instead")
        if hx is not None and any(part.ndim != input.ndim for part in hx):
            kind = "batched 3-D" if input.ndim == 3 else "unbatched 2-D"
            ranks = [f"{part.ndim}-D" for part in hx]
            if len(hx) == 2:
                raise RuntimeError(
                    f"For {kind} input, hx and cx should also be {input.ndim}-D but got ({', '.join(ranks)}) tensors"
                )
            raise RuntimeError(f"For {kind} input, hx should also be {input.ndim}-D but got {ranks[0]} tensor")
        return input.ndim == 3

    def _run(self, input: Tensor | PackedSequence, hx: State | None) -> tuple[Tensor | PackedSequence, State]:
        """What forward does, with the state as a tuple."""
        packed = input if isinstance(input, PackedSequence) else None
        batched, batch_sizes = True, None
        if packed is not None:
            data, batch_sizes = packed.data, packed.batch_sizes
        else:
            assert not isinstance(input, PackedSequence)
            batched = self._check_rank(input, hx)
            data = input if batched else input.unsqueeze(0 if self.batch_first else 1)
        if hx is not None and not batched:
            hx = tuple(part.unsqueeze(1) for part in hx)
        if hx is None:
            count, batch, size = self.get_expected_hidden_size(data, batch_sizes)
            sizes = (size, self.hidden_size) if self.mode == "LSTM" else (size,)
            hx = tuple(data.new_zeros(count, batch, width) for width in sizes)
        elif packed is not None and packed.sorted_indices is not None:
            hx = tuple(part.index_select(1, packed.sorted_indices) for part in hx)
        self.check_forward_args(data, hx if self.mode == "LSTM" else hx[0], batch_sizes)
        swaps = packed is None and self.batch_first
        data = data.transpose(0, 1) if swaps else data
        if packed is None and data.shape[0] == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        output, state = run_layers(
            self.mode,
            data,
            None if batch_sizes is None else batch_sizes.tolist(),
            hx,
            [[self._weights(names) for names in self._names(layer)] for layer in range(self.num_layers)],
            self.dropout if self.training else 0.0,
        )
        if packed is not None:
            if packed.unsorted_indices is not None:
                state = tuple(part.index_select(1, packed.unsorted_indices) for part in state)
            return PackedSequence(output, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices), state
        output = output.transpose(0, 1) if swaps else output
        if not batched:
            output, state = output.squeeze(0 if self.batch_first else 1), tuple(part.squeeze(1) for part in state)
        return output, state

    def _weights(self, names: list[str | None]) -> Weights:
        ih, hh, bias_ih, bias_hh, hr = (None if name is None else getattr(self, name) for name in names)
        return ih, hh, bias_ih, bias_hh, hr  # type: ignore[return-value]


class _OnePart(RNNBase):
    """A layer whose state is one tensor."""

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        require_state(self, hx, ())
        output, (state,) = self._run(input, None if hx is None else (hx,))
        return output, state


def _no_projection(arguments: dict[str, Any]) -> None:
    if "proj_size" in arguments:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(_OnePart):
    """Elman's network: ``h = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or with ``relu`` by `nonlinearity`.

    Input (T, N, input_size), or (N, T, ·) with `batch_first`, or without N, or packed, and a first state
    (layers · directions, N, hidden_size) to what the last layer gave at each step and the last state. Arguments after
    `num_layers` are those of RNNBase, but that `nonlinearity` comes before `bias`. (Elman, 1990)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{self.nonlinearity.upper()}", *args, **kwargs)


class GRU(_OnePart):
    """The gated recurrent unit: as RNN, with gates that say how much of the state is renewed. (Cho et al., 2014)"""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _no_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


class LSTM(RNNBase):
    """Long short-term memory: as RNN, with a state (h, c), and with `proj_size` a smaller h.

    (Hochreiter and Schmidhuber, 1997; Sak et al., 2014)

    >>> output, (h, c) = nn.LSTM(10, 20, num_layers=2)(lamina.rand(50, 3, 10))
    >>> output.shape, h.shape
    (torch.Size([50, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def get_expected_cell_size(self, input: Tensor, batch_sizes: Tensor | None) -> tuple[int, int, int]:
        """(layers times directions, batch, hidden_size)."""
        count, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return count, batch, self.hidden_size

    def check_forward_args(self, input: Tensor, hidden: tuple[Tensor, Tensor], batch_sizes: Tensor | None) -> None:
        """The errors of check_input and check_hidden_size, for both parts of the state."""
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hidden[0], expected, "Expected hidden[0] size {}, got {}")
        cell = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], cell, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: tuple[Tensor, Tensor], permutation: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state with its sequences in another order."""
        return super().permute_hidden(hx[0], permutation), super().permute_hidden(hx[1], permutation)

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        if hx is not None and len(hx) != 2:
            given = f"one of shape {list(hx.shape)}" if isinstance(hx, _core.Tensor) else len(hx)
            raise RuntimeError(f"lstm expects two hidden states, a tuple (h_0, c_0), got {given}")
        require_state(self, hx, ("h_0", "c_0"))
        output, (hidden, memory) = self._run(input, None if hx is None else tuple(hx))
        return output, (hidden, memory)
