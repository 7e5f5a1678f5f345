"""``lamina.autograd``: running gradients, switching their recording on and off, and checking them numerically."""

from __future__ import annotations

from .._core import is_multithreading_enabled
from . import modes as grad_mode
from .anomaly import detect_anomaly, set_detect_anomaly
from .engine import backward, grad
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled, set_multithreading_enabled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import forward_ad, function, functional, graph, profiler
    from .checking import GradcheckError, gradcheck, gradgradcheck
    from .function import Function
    from .saved_tensors import SavedTensor
    from .variable import Variable

__all__ = [
    "Function",
    "GradcheckError",
    "SavedTensor",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_multithreading_enabled",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]


# What programs that only train do not need is loaded when asked for: (module, name there, or None for the module).
_LAZY = {
    "Function": ("function", "Function"),
    "GradcheckError": ("checking", "GradcheckError"),
    "SavedTensor": ("saved_tensors", "SavedTensor"),
    "Variable": ("variable", "Variable"),
    "forward_ad": ("forward_ad", None),
    "function": ("function", None),
    "functional": ("functional", None),
    "gradcheck": ("gradcheck", None),
    "gradgradcheck": ("checking", "gradgradcheck"),
    "graph": ("graph", None),
    "profiler": ("profiler", None),
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    loaded = import_module(f"{__name__}.{module}")
    return loaded if attribute is None else getattr(loaded, attribute)
