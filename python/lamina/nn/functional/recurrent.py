"""Layers of recurrent cells along padded or packed sequences. The cells stand in csrc/functions/recurrent.cpp."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .products import linear
from .regularization import dropout

TYPE_CHECKING = False
if TYPE_CHECKING:
    State = tuple[Tensor, ...]
    # weight_ih, weight_hh, bias_ih, bias_hh and weight_hr; None for what a layer does not have.
    Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]

__all__ = ["require_state", "run_layers"]


def require_state(layer: object, hx: object, parts: tuple[str, ...]) -> None:
    """TypeError unless `hx`, the state that `layer` was given, is None or a tensor (one for each of `parts`)."""
    tensors = hx if parts and isinstance(hx, (tuple, list)) else (hx,)
    if hx is None or (len(tensors) == max(len(parts), 1) and all(isinstance(part, Tensor) for part in tensors)):
        return
    wanted = f"a tuple ({', '.join(parts)}) of Tensors" if parts else "a Tensor"
    given = ", ".join(type(part).__name__ for part in tensors)
    raise TypeError(f"{type(layer).__name__}: expected hx to be {wanted}, got {given}")


def run_layers(
    mode: str,
    input: Tensor,
    batch_sizes: list[int] | None,
    state: State,
    layers: list[list[Weights]],
    dropout_p: float,
) -> tuple[Tensor, State]:
    """Layers of cells, each with one direction or two, over (T, N, ·), or over packed steps of `batch_sizes`.

    `state` has a first axis of layers times directions. Gives what the last layer gave, and the state at the ends.
    """
    ends: list[State] = []
    for depth, directions in enumerate(layers):
        if depth > 0 and dropout_p > 0:
            input = dropout(input, dropout_p)
        results = []
        for backward, (weight_ih, weight_hh, bias_ih, bias_hh, weight_hr) in enumerate(directions):
            gates = linear(input, weight_ih, bias_ih)
            start = [part[len(ends)] for part in state]
            outputs, *end = _core._run_cells(
                mode, gates, start, batch_sizes, weight_hh, bias_hh, weight_hr, bool(backward)
            )
            results.append(outputs)
            ends.append(tuple(end))
        input = results[0] if len(results) == 1 else _core.cat(results, -1)
    return input, tuple(_core.stack(list(parts)) for parts in zip(*ends))
