"""functional_call: a module as a function of its parameters, for the transforms of this package."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from ..nn.utils.stateless import _functional_call

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .._core import Tensor
    from ..nn import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call `module` with other tensors in the place of those parameters and buffers that the dicts name.

    `args` is a tuple, or the only argument. With `tie_weights` a tensor is used under all names of what it replaces.
    With `strict` the dicts must name all parameters and buffers, and nothing else. The module stays as it was; what
    its forward assigns to a buffer is found in the dict afterwards (if there is one dict).

    ValueError for a key in two dicts, or two values of tied names; RuntimeError if `strict` and the keys do not match.

    >>> net = nn.Linear(2, 1)
    >>> func.functional_call(net, {"weight": lamina.ones(1, 2), "bias": lamina.zeros(1)}, lamina.tensor([1.0, 2.0]))
    tensor([3.])
    """
    dicts: Any = parameter_and_buffer_dicts
    if not isinstance(dicts, dict):
        if not isinstance(dicts, (list, tuple)):
            raise ValueError(
                f"Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got {type(dicts)}"
            )
        if not all(isinstance(each, Mapping) for each in dicts):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        keys = list(chain.from_iterable(dicts))
        if repeated := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
        dicts = dict(chain.from_iterable(each.items() for each in dicts))
    return _functional_call(module, dicts, args, kwargs, tie_weights=tie_weights, strict=strict)
