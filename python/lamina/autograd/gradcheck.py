"""``lamina.autograd.gradcheck``: a module and, as in PyTorch, also the function of that name; so it can be called."""

from __future__ import annotations

import sys
from types import ModuleType

from .checking import GradcheckError, gradcheck, gradgradcheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class _Callable(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
