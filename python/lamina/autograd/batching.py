"""``vmap``: a function of single examples as a function of batches.

The function runs once, on stand-ins for one example; what it records is recorded again for the whole batch, by the
rules in csrc/functions/batching_rules.cpp.
"""

from __future__ import annotations

import threading

from .. import _core
from .._core import Tensor, get_rng_state, set_rng_state
from .._wrapping import wraps
from .trees import broadcast_prefix, flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    InDims = int | tuple[Any, ...] | list[Any] | dict[Any, Any] | None

__all__ = ["batch_of_example", "drawn_for_all", "stand_in", "vmap", "whole_batch_of"]

_RANDOMNESS = ("error", "same", "different")  # as engine::Randomness


class _Levels(threading.local):
    """The levels that this thread is recording: examples, and the batches that they are of."""

    def __init__(self) -> None:
        self.stack: list[tuple[list[Tensor], list[Tensor]]] = []
        self.draws: list[tuple[str, int]] = []  # of each the randomness, and how many examples there are


_levels = _Levels()


def batch_of_example(x: Tensor) -> tuple[int, Tensor] | None:
    """What a mapped function has made of one example so far, for all examples, and the level that these are of.

    None if `x` is no example, or if it comes from numbers that are drawn when the function has ended.
    """
    for level in range(len(_levels.stack), 0, -1):
        batch = _core._batched([x], *_levels.stack[level - 1])[0]
        if batch is not None:
            return level, batch
    return None


def stand_in(level: int, batch: Tensor) -> Tensor:
    """One example of `batch`, which was computed for all examples of `level`, in the function that is being mapped."""
    example: Tensor = _core._example_of(batch.detach())
    examples, batches = _levels.stack[level - 1]
    examples.append(_core._same_value(example))  # another handle: a Function changes those that it returns
    batches.append(batch)
    return example


def whole_batch_of(x: Tensor) -> Tensor:
    """The same for all examples of all levels, whose numbers are there; `x` itself if it is no example."""
    while _core._is_example(x) and (found := batch_of_example(x)) is not None:
        x = found[1]
    return x


def drawn_for_all(draw: Callable[..., Tensor], *operands: Tensor) -> Tensor:
    """`draw` of operands of one shape, whose numbers it reads: of those for all examples of the levels that draw anew.

    RuntimeError if they differ between the examples of a level that is to draw the same for all.
    """
    fresh = []
    for level in range(len(_levels.draws), 0, -1):
        randomness, size = _levels.draws[level - 1]
        found = [batch_of_example(x) for x in operands]
        batches = [whole[1] if whole is not None and whole[0] == level else None for whole in found]
        if randomness == "different":
            fresh.append(level)
            pairs = zip(operands, batches, strict=True)
            operands = tuple(x.expand(size, *x.shape) if batch is None else batch for x, batch in pairs)
        elif any(batch is not None for batch in batches):
            raise RuntimeError("vmap: the same numbers cannot be drawn for examples that differ; use 'different'")
    numbers = draw(*operands)
    for level in reversed(fresh):
        numbers = stand_in(level, numbers)
    return numbers


def _name(func: Callable[..., Any]) -> str:
    return getattr(func, "__name__", repr(func))


def _checked_dims(in_dims: Any, leaves: list[Any], args: tuple[Any, ...], name: str) -> list[int | None]:
    """For each leaf of the arguments the axis to map over, counted from the front, or None."""
    call = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>)"
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(
            f"{call}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not leaves:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
            "function with no inputs. The latter is unsupported."
        )
    prefix = tuple(in_dims) if isinstance(in_dims, list) else in_dims
    dims = broadcast_prefix(prefix, args)
    if dims is None:
        raise ValueError(
            f"{call}: in_dims is not compatible with the structure of `inputs`. in_dims has structure {in_dims} but "
            f"inputs has another one."
        )
    checked: list[int | None] = []
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is not None and not isinstance(dim, int):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or None."
            )
        if dim is not None and not isinstance(leaf, Tensor):
            raise ValueError(
                f"{call}: Got in_dim={dim} for an input but the input is of type {type(leaf)}. We cannot vmap over "
                "non-Tensor arguments, please use None as the respective in_dim"
            )
        if dim is not None and not -leaf.ndim <= dim < leaf.ndim:
            raise ValueError(
                f"{call}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality {leaf.ndim} so "
                f"expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}."
            )
        checked.append(dim if dim is None else dim % leaf.ndim)
    return checked


def _batch_size(leaves: list[Any], dims: list[int | None]) -> int:
    sizes: list[int] = [leaf.shape[dim] for leaf, dim in zip(leaves, dims, strict=True) if dim is not None]
    if not sizes:
        raise ValueError("vmap: Expected at least one Tensor to vmap over: all in_dims are None")
    if any(size != sizes[0] for size in sizes):
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes} for the "
            "mapped dimension"
        )
    return sizes[0]


def _run(
    func: Callable[..., Any],
    batches: list[Any],
    rebuild: Callable[[Sequence[Any]], tuple[tuple[Any, ...], dict[str, Any]]],
    mapped: list[bool],
    size: int,
    out_dims: Any,
    randomness: str,
) -> tuple[list[Any], list[int | None], Callable[[Sequence[Any]], Any]]:
    """Outputs with the batch in front, where each shall have it, and what builds the result of them."""
    examples = [_core._example_of(x) if is_mapped else x for x, is_mapped in zip(batches, mapped, strict=True)]
    # What an in-place operation changes is `examples`; these stay what they were.
    originals = [_core._same_value(x) for x, is_mapped in zip(examples, mapped, strict=True) if is_mapped]
    of_originals = [x for x, is_mapped in zip(batches, mapped, strict=True) if is_mapped]
    args, kwargs = rebuild(examples)
    _core._begin_example(_RANDOMNESS.index(randomness), size)
    _levels.stack.append((originals, of_originals))
    _levels.draws.append((randomness, size))
    try:
        result = func(*args, **kwargs)
    finally:
        _levels.draws.pop()
        _levels.stack.pop()
        _core._end_example()
    outputs, rebuild_output = flatten(result)
    name = _name(func)
    places = broadcast_prefix(out_dims, result)
    if places is None and isinstance(out_dims, tuple) and len(out_dims) == 1 and len(outputs) == 1:
        places = list(out_dims)
    if places is None or not all(place is None or isinstance(place, int) for place in places):
        raise ValueError(
            f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of "
            "`outputs`."
        )
    for output, place in zip(outputs, places, strict=True):
        if place is not None and not isinstance(output, Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(output)}. Did you mean to set "
                "out_dims= to None for output?"
            )
    tensors = [output for output in outputs if isinstance(output, Tensor)]
    changed = [
        (x, batch) for x, batch, is_mapped in zip(examples, batches, mapped, strict=True) if is_mapped and x._version
    ]
    recorded = _core._batched(tensors + [x for x, _ in changed], originals, of_originals)
    for (x, batch), fresh in zip(changed, recorded[len(tensors) :], strict=True):
        batch.copy_(x if fresh is None else fresh)  # None: the same for all examples
    whole: list[Any] = []
    of_tensors = iter(recorded)
    for output, place in zip(outputs, places, strict=True):
        batch = next(of_tensors) if isinstance(output, Tensor) else None
        if place is None:
            if batch is not None:
                raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
            whole.append(output)
            continue
        if not -output.ndim - 1 <= place <= output.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-output.ndim - 1}, {output.ndim}], but got "
                f"{place})"
            )
        unchanged = [whole_input for x, whole_input in zip(examples, batches, strict=True) if x is output]
        if batch is not None and unchanged:
            batch = unchanged[0].view_as(unchanged[0])  # an argument that is handed back, whatever was done in place
        whole.append(output.expand(size, *output.shape) if batch is None else batch)
    return whole, places, rebuild_output


def vmap(
    func: Callable[..., Any],
    in_dims: InDims = 0,
    out_dims: int | tuple[int | None, ...] | None = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """`func` of single examples as a function of batches, without a loop; nests, and mixes with gradients.

    `in_dims` says over which axis of each argument to map: one int, or a tuple with an entry an argument, nested as the
    arguments are, None for what is the same for all examples. `out_dims`: where the results get that axis. Keyword
    arguments are mapped over axis 0. `randomness`: whether random functions raise (``"error"``), draw ``"same"``
    numbers for all examples or ``"different"`` ones. With `chunk_size` so many examples are done at a time.

    `func` cannot look at numbers (``item()``, ``bool()``, ``if`` on a tensor), for it runs once for all examples.

    >>> lamina.func.vmap(lamina.dot)(lamina.ones(2, 3), lamina.ones(2, 3))
    tensor([3., 3.])
    """
    if randomness not in _RANDOMNESS:
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func)
    def mapped_function(*args: Any, **kwargs: Any) -> Any:
        leaves, _ = flatten(args)
        dims = _checked_dims(in_dims, leaves, args, _name(func)) if leaves or not kwargs else []
        named, _ = flatten(kwargs)
        dims += [0 if isinstance(leaf, Tensor) else None for leaf in named]
        everything, rebuild = flatten((args, kwargs))
        size = _batch_size(everything, dims)
        batches = [x if dim is None else x.movedim(dim, 0) for x, dim in zip(everything, dims, strict=True)]
        mapped = [dim is not None for dim in dims]
        step = size if chunk_size is None else min(chunk_size, size)
        chunks = []
        state = get_rng_state() if randomness == "same" and step != size else None
        for start in range(0, size, step) if step else [0]:
            if state is not None:
                set_rng_state(state)
            part = [
                x[start : start + step] if is_mapped and step != size else x
                for x, is_mapped in zip(batches, mapped, strict=True)
            ]
            length = min(step, size - start)
            chunks.append(_run(func, part, rebuild, mapped, length, out_dims, randomness))
        wholes, places, rebuild_output = chunks[0]
        if len(chunks) > 1:
            wholes = [
                whole if place is None else _core.cat([chunk[0][i] for chunk in chunks])
                for i, (whole, place) in enumerate(zip(wholes, places, strict=True))
            ]
        return rebuild_output(
            [x if place is None else x.movedim(0, place) for x, place in zip(wholes, places, strict=True)]
        )

    return mapped_function
