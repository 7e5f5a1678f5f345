"""Neural networks: modules, their parameters, the functions they compute, and how they start.

>>> net = nn.Sequential(nn.LazyLinear(256), nn.ReLU(), nn.LazyLinear(10))
>>> nn.resolve(net, (2, 20))
torch.Size([2, 10])
"""

from __future__ import annotations

from . import functional, grad, init, modules, parallel
from .modules import *
from .parallel import DataParallel
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from .resolving import resolve

functional.grad = grad  # where PyTorch shows it, too

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import attention, utils

__all__ = [
    "Buffer",
    "DataParallel",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "functional",
    "grad",
    "init",
    "modules",
    "parallel",
    "resolve",
    "utils",
]
__all__ += modules.__all__


def __getattr__(name: str) -> object:
    # Loaded when first used: most programs that train and run nets need none of it.
    if name in ("attention", "utils"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
