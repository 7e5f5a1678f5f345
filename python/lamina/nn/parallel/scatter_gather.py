"""Arguments in parts, one a device, and results of parts in one."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["gather", "scatter"]


def scatter(inputs: Any, target_gpus: Sequence[Any], dim: int = 0) -> Any:
    """For each of the devices `inputs` with a part of every tensor in it, cut along `dim`, and all else as it is.

    There may be fewer parts than devices, as ``chunk`` makes them.
    """
    if isinstance(inputs, Tensor):
        parts = inputs.chunk(len(target_gpus), dim)
        return tuple(part.to(target) for part, target in zip(parts, target_gpus))
    if isinstance(inputs, (tuple, list, dict)) and inputs:
        items = list(inputs.items()) if isinstance(inputs, dict) else inputs
        return [_like(inputs)(part) for part in zip(*(scatter(item, target_gpus, dim) for item in items))]
    return [inputs for _ in target_gpus]


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """The outputs of all parts, of one structure, in one: tensors are put one after the other along `dim`."""
    first = outputs[0]
    if isinstance(first, Tensor):
        return _core.cat([(x[None] if x.ndim == 0 else x).to(target_device) for x in outputs], dim)
    if first is None:
        return None
    if isinstance(first, dict):
        if any(x.keys() != first.keys() for x in outputs):
            raise ValueError("All dicts must have the same number of keys")
        return _like(first)((key, gather([x[key] for x in outputs], target_device, dim)) for key in first)
    return _like(first)(gather(list(parts), target_device, dim) for parts in zip(*outputs))


def _like(container: Any) -> Callable[[Any], Any]:
    kind: Any = type(container)
    return kind._make if hasattr(kind, "_make") else kind  # type: ignore[no-any-return]
