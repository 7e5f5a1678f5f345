"""weight_norm in its older form: a forward pre-hook that computes the weight from `weight_g` and `weight_v`."""

from __future__ import annotations

from ... import _core
from ..._warning import warn_caller
from ..parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..._core import Tensor
    from ..modules import Module

    M = TypeVar("M", bound=Module)

__all__ = ["WeightNorm", "norm_except_dim", "remove_weight_norm", "weight_norm", "weight_of"]


def norm_except_dim(v: Tensor, dim: int | None) -> Tensor:
    """The 2-norm over all axes but `dim`, which stay with size 1; of all elements, 0-d, for None or -1."""
    if dim is None or dim == -1:
        return _core.norm(v)
    axes = [axis for axis in range(v.ndim) if axis != dim % v.ndim]
    return v.square().sum(axes, keepdim=True).sqrt() if axes else v.abs()


def weight_of(v: Tensor, g: Tensor, dim: int | None) -> Tensor:
    """The weight with the direction of `v` and the length `g` (Salimans and Kingma, 2016)."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The pre-hook; `weight_norm` registers it."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Module) -> Tensor:
        """The weight from its length and direction now."""
        g: Tensor = getattr(module, self.name + "_g")
        v: Tensor = getattr(module, self.name + "_v")
        return weight_of(v, g, self.dim)

    @staticmethod
    def apply(module: Module, name: str, dim: int | None) -> WeightNorm:
        """Split the parameter `name` of `module` in two, and have the hook join them before each forward."""
        for other in module._forward_pre_hooks.values():
            if isinstance(other, WeightNorm) and other.name == name:
                raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        hook = WeightNorm(name, dim)
        weight = getattr(module, name)
        if hasattr(weight, "materialize"):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying weight normalization"
            )
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, hook.dim).detach()))
        module.register_parameter(name + "_v", Parameter(weight.detach()))
        setattr(module, name, hook.compute_weight(module))
        module.register_forward_pre_hook(hook)
        return hook

    def remove(self, module: Module) -> None:
        """Make the weight, as it is now, a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Deprecated form of ``nn.utils.parametrizations.weight_norm``.

    The parameter `name` becomes two: ``<name>_g``, its 2-norm over all axes but `dim` (over all axes for None), and
    ``<name>_v``, its direction. Returns `module`. RuntimeError if it has that already.
    """
    warn_caller(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Undo `weight_norm`: the weight is a parameter again, with the numbers it has. ValueError if there is none."""
    for id, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[id]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
