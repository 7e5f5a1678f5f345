"""What recurrent layers compute: cells, one step each, and layers of them along padded or packed sequences."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from .activation import relu
from .products import linear
from .regularization import dropout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    State = tuple[Tensor, ...]
    # What the input contributes to the gates, the state before, and the hidden weights; gives the state after.
    Cell = Callable[[Tensor, State, "Weights"], State]
    # weight_ih, weight_hh, bias_ih, bias_hh and weight_hr; None for what a layer does not have.
    Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None, Tensor | None]

__all__ = ["CELLS", "require_state", "run_layers", "step"]


def require_state(layer: object, hx: object, parts: tuple[str, ...]) -> None:
    """TypeError unless `hx`, the state that `layer` was given, is None or a tensor (one for each of `parts`)."""
    tensors = hx if parts and isinstance(hx, (tuple, list)) else (hx,)
    if hx is None or (len(tensors) == max(len(parts), 1) and all(isinstance(part, Tensor) for part in tensors)):
        return
    wanted = f"a tuple ({', '.join(parts)}) of Tensors" if parts else "a Tensor"
    given = ", ".join(type(part).__name__ for part in tensors)
    raise TypeError(f"{type(layer).__name__}: expected hx to be {wanted}, got {given}")


def _elman(activation: Callable[[Tensor], Tensor]) -> Cell:
    def cell(gates: Tensor, state: State, weights: Weights) -> State:
        return (activation(gates + linear(state[0], weights[1], weights[3])),)

    return cell


def _lstm(gates: Tensor, state: State, weights: Weights) -> State:
    """(Hochreiter and Schmidhuber, 1997), with projections by Sak et al. (2014)."""
    hidden, memory = state
    i, f, g, o = (gates + linear(hidden, weights[1], weights[3])).chunk(4, -1)
    memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
    hidden = o.sigmoid() * memory.tanh()
    return hidden if weights[4] is None else linear(hidden, weights[4]), memory


def _gru(gates: Tensor, state: State, weights: Weights) -> State:
    """(Cho et al., 2014); the reset gate acts behind the product with the hidden weight."""
    (hidden,) = state
    r, z, n = gates.chunk(3, -1)
    r_hidden, z_hidden, n_hidden = linear(hidden, weights[1], weights[3]).chunk(3, -1)
    update = (z + z_hidden).sigmoid()
    new = (n + (r + r_hidden).sigmoid() * n_hidden).tanh()
    return (new + update * (hidden - new),)


CELLS: dict[str, Cell] = {
    "RNN_TANH": _elman(_core.tanh),
    "RNN_RELU": _elman(relu),
    "LSTM": _lstm,
    "GRU": _gru,
}


def step(mode: str, input: Tensor, state: State, weights: Weights) -> State:
    """The state after one input (N, ·)."""
    return CELLS[mode](linear(input, weights[0], weights[2]), state, weights)


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
    place = 0
    for depth, directions in enumerate(layers):
        if depth > 0 and dropout_p > 0:
            input = dropout(input, dropout_p)
        results = []
        for backward, weights in enumerate(directions):
            gates = linear(input, weights[0], weights[2])
            steps = gates.unbind(0) if batch_sizes is None else gates.split(batch_sizes)
            start = tuple(part[place] for part in state)
            outputs, end = _run(CELLS[mode], list(steps), start, weights, bool(backward))
            results.append(_core.stack(outputs) if batch_sizes is None else _core.cat(outputs))
            ends.append(end)
            place += 1
        input = results[0] if len(results) == 1 else _core.cat(results, -1)
    return input, tuple(_core.stack(list(parts)) for parts in zip(*ends))


def _run(cell: Cell, steps: list[Tensor], start: State, weights: Weights, backward: bool) -> tuple[list[Tensor], State]:
    """Along the steps, whose batches shrink: a sequence that has ended keeps its state, or, backwards, begins late."""
    outputs: list[Tensor] = []
    ended: list[State] = []
    count = steps[-1 if backward else 0].shape[0]
    state = tuple(part[:count] for part in start)
    for gates in reversed(steps) if backward else steps:
        now = gates.shape[0]
        if now < count:
            ended.append(tuple(part[now:] for part in state))
            state = tuple(part[:now] for part in state)
        elif now > count:
            state = tuple(_core.cat([part, late[count:now]]) for part, late in zip(state, start))
        count = now
        state = cell(gates, state, weights)
        outputs.append(state[0])
    if ended:
        state = tuple(_core.cat(list(parts)) for parts in zip(state, *reversed(ended)))
    return outputs[::-1] if backward else outputs, state
