"""Calling lamina's own Functions: without a node where none is needed, and inside of `vmap`, where some that need
numbers to compute look at those of all examples together."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .batching import batch_of_example, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .function import Function

__all__ = ["applied", "apply_to_batch", "is_followed"]


class _Forgetful:
    """The context of a `forward` after which nobody will go backward."""

    def _forget(self, *_: object) -> None:
        pass

    save_for_backward = save_for_forward = mark_non_differentiable = set_materialize_grads = _forget


def is_followed(*args: Any) -> bool:
    """Whether what is made of them has a history, or stands for examples of vmap's."""
    tensors = [x for x in args if isinstance(x, Tensor)]
    recorded = _core.is_grad_enabled() and any(x.requires_grad for x in tensors)
    return recorded or _core._tangents_followed() or any(map(_core._is_example, tensors))


def applied(function: type[Function], *args: Any) -> Any:
    """``function.apply(*args)``; where nobody follows what becomes of them, only its `forward` is called."""
    return function.apply(*args) if is_followed(*args) else function.forward(_Forgetful(), *args)


def apply_to_batch(function: type[Function], x: Tensor, *options: Any) -> Sequence[Tensor]:
    """``applied(function, x, *options, None)``, a tuple of results for (..., m, n).

    Of one of vmap's examples: computed for all of them, with gradients, and handed to `function` as what it has found,
    in place of the None, so that it only says what the gradients of one example are.
    """
    if not _core._is_example(x) or (found := batch_of_example(x)) is None:
        return applied(function, x, *options, None)  # type: ignore[no-any-return]
    level, batch = found
    for_all = (_of_all_examples(level, option) for option in options)
    results = [stand_in(level, result) for result in apply_to_batch(function, batch, *for_all)]
    return function.apply(x, *options, results)  # type: ignore[no-any-return]


def _of_all_examples(level: int, option: Any) -> Any:
    if not isinstance(option, Tensor) or not _core._is_example(option) or not (found := batch_of_example(option)):
        return option
    return found[1] if found[0] == level else option
