"""Looking at what lamina is about to run."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._core import Tensor

__all__ = ["plan"]


def plan(input: Tensor | None = None) -> str:
    """What is recorded and not yet computed, as the steps that will compute it; nothing is run.

    Each step names its kernel and the operations that were fused into it, with the paths of the modules that recorded
    them. Then come views, which need no step; how many recorded values nobody will look at; and for every step that
    reads another one's result where one pass might have done for both, why it did not.

    All that is pending runs at once, so ``x.plan()`` shows the same for every tensor x that is pending.

    >>> net = nn.Sequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))
    >>> with lamina.no_grad():
    ...     y = net(lamina.ones(2, 20))
    >>> print(y.plan())
    """
    return _core._explain_pending(input)
