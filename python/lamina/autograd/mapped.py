"""Functions that need numbers to compute, inside of `vmap`: they look at those of all examples together."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .batching import batch_of_example, stand_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .function import Function

__all__ = ["apply_to_batch"]


def apply_to_batch(function: type[Function], x: Tensor, option: Any = None) -> Sequence[Tensor]:
    """``function.apply(x, option, None)``, a tuple of results for (..., m, n).

    Of one of vmap's examples: computed for all of them, with gradients, and handed to `function` as what it has found,
    in place of the None, so that it only says what the gradients of one example are.
    """
    if not _core._is_example(x) or (found := batch_of_example(x)) is None:
        return function.apply(x, option, None)  # type: ignore[no-any-return]
    level, batch = found
    results = [stand_in(level, result) for result in apply_to_batch(function, batch, option)]
    return function.apply(x, option, results)  # type: ignore[no-any-return]
