"""``lamina.autograd``: running gradients, switching their recording on and off, and checking them numerically."""

from __future__ import annotations

from .engine import backward, grad
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .checking import GradcheckError, gradcheck, gradgradcheck

__all__ = [
    "GradcheckError",
    "backward",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]


def __getattr__(name: str) -> object:
    # The checker is for tests; programs that train do not load it.
    if name in ("GradcheckError", "gradcheck", "gradgradcheck"):
        from . import checking

        return getattr(checking, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
