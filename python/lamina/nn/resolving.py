"""nn.resolve: running forward on shapes alone, so that lazy modules find theirs without data."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .modules import Module

__all__ = ["resolve"]


def resolve(module: Module, *inputs: Sequence[int] | Tensor, dtype: _core.dtype | None = None, **kwargs: Any) -> Any:
    """Give the lazy parameters in `module` their shapes and first numbers, and return the shape of its output.

    Each of `inputs` is a shape, or a tensor whose shape and dtype are used; shapes stand for tensors of `dtype`
    (default float32). `kwargs` go to forward as they are. Forward runs on shapes only: no number is computed but the
    parameters' first ones, and random state, buffers and gradients stay as they were.

    RuntimeError, naming the module, if forward looks at a number (``if X.sum() > 1:``): run it once on data instead.

    >>> net = nn.Sequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))
    >>> nn.resolve(net, (2, 20))
    torch.Size([2, 10])
    """
    shapes = [(x.shape, x.dtype) if isinstance(x, Tensor) else (_checked_shape(x), dtype) for x in inputs]
    random_state = _core.get_rng_state()
    _core.shape_only_begin()
    try:
        with no_grad():
            placeholders = [_core.shape_only_placeholder(shape, kind) for shape, kind in shapes]
            return _shapes_of(module(*placeholders, **kwargs))
    finally:
        _core.shape_only_end()
        _core.set_rng_state(random_state)


def _checked_shape(shape: Any) -> tuple[int, ...]:
    if isinstance(shape, int) or not all(isinstance(size, int) for size in shape):
        raise TypeError(f"resolve: expected shapes such as (2, 20), or tensors, got {shape!r}")
    return tuple(shape)


def _shapes_of(output: Any) -> Any:
    """`output` with every tensor in it replaced by its shape."""
    if isinstance(output, Tensor):
        return output.shape
    if isinstance(output, dict):
        return {key: _shapes_of(value) for key, value in output.items()}
    if isinstance(output, (tuple, list)):
        items = [_shapes_of(value) for value in output]
        return type(output)(*items) if hasattr(output, "_fields") else type(output)(items)
    return output
