"""spectral_norm in its older form: a forward pre-hook that divides the weight by its largest singular value."""

from __future__ import annotations

from ... import _core
from ...autograd import no_grad
from ..functional import normalize
from ..parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ..._core import Tensor
    from ..modules import Module

    M = TypeVar("M", bound=Module)

__all__ = [
    "SpectralNorm",
    "axis_of_outputs",
    "check_iterations",
    "matrix_of",
    "remove_spectral_norm",
    "spectral_norm",
]

_VERSION = 1


def axis_of_outputs(module: Module) -> int:
    """The axis of a layer's weight that is that of its outputs: a transposed convolution's come second."""
    return 1 if getattr(module, "transposed", False) else 0


def check_iterations(n_power_iterations: int) -> None:
    """ValueError unless it is positive."""
    if n_power_iterations <= 0:
        raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")


def matrix_of(weight: Tensor, dim: int) -> Tensor:
    """The weight with the axis `dim` as its rows."""
    return weight.movedim(dim, 0).flatten(1)


class SpectralNorm:
    """The pre-hook; `spectral_norm` registers it."""

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        check_iterations(n_power_iterations)
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def _unit(self, vector: Tensor) -> Tensor:
        return normalize(vector, dim=0, eps=self.eps)

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight as forward uses it, after steps of the power method if asked for."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = matrix_of(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(self._unit(_core.mv(matrix.T, u)))
                    u.copy_(self._unit(_core.mv(matrix, v)))
                # A later forward changes the buffers before the gradient of this one has read them.
                u, v = u.clone(), v.clone()
        return weight / _core.dot(u, _core.mv(matrix, v))  # type: ignore[no-any-return]

    def remove(self, module: Module) -> None:
        """Make the weight, as it is now, a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in (self.name, self.name + "_u", self.name + "_v", self.name + "_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Move the parameter `name` of `module` to ``<name>_orig``, and have the hook compute it anew each forward."""
        for other in module._forward_pre_hooks.values():
            if isinstance(other, SpectralNorm) and other.name == name:
                raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if hasattr(weight, "materialize"):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying spectral normalization"
            )
        with no_grad():
            rows, columns = matrix_of(weight, dim).shape
            u, v = (hook._unit(_core.randn(size, dtype=weight.dtype, device=weight.device)) for size in (rows, columns))
        del module._parameters[name]
        module.register_parameter(name + "_orig", weight)
        # Still there for whoever reads the weight before the first forward, but no parameter.
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(hook)
        module._register_state_dict_hook(_NoteVersion(name))
        module._register_load_state_dict_pre_hook(_LoadOlder(hook))
        return hook


class _NoteVersion:
    """Writes into the metadata of a state dict which form of this hook it is of, as PyTorch does."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, module: Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
        local_metadata.setdefault("spectral_norm", {})[self.name + ".version"] = _VERSION


class _LoadOlder:
    """Makes of a state dict of PyTorch before 1.0, which has the weight in the place of `v`, one of this form.

    `v` is chosen so that u · W v is the singular value that the weight was divided by, and u the unit vector of W v.
    """

    def __init__(self, hook: SpectralNorm) -> None:
        self.hook = hook

    def __call__(self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *_: Any) -> None:
        key = prefix + self.hook.name
        version = local_metadata.get("spectral_norm", {}).get(self.hook.name + ".version", 0)
        if version >= _VERSION or not all(key + end in state_dict for end in ("_orig", "", "_u")):
            return
        if key + "_v" in state_dict:  # written by hand, in this form but for the metadata
            return
        import numpy as np

        with no_grad():
            original, weight, u = state_dict[key + "_orig"], state_dict.pop(key), state_dict[key + "_u"]
            value = _core.norm(original) / _core.norm(weight)
            matrix = matrix_of(original, self.hook.dim)
            # W v in the direction of u, as near as the columns of W come to it
            v = _core.mv(_core.tensor(np.linalg.pinv(matrix.detach().numpy())), u)
            state_dict[key + "_v"] = v * (value / _core.dot(u, _core.mv(matrix, v)))


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Older form of ``nn.utils.parametrizations.spectral_norm``.

    The parameter `name` moves to ``<name>_orig``; ``<name>_u`` and ``<name>_v`` are the singular vectors, as far as
    the power method has followed them. Returns `module`. RuntimeError if it has that already.
    """
    SpectralNorm.apply(module, name, n_power_iterations, axis_of_outputs(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Undo `spectral_norm`: the weight is a parameter again, with the numbers it has. ValueError if there is none."""
    for id, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[id]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for id, note in module._state_dict_hooks.items():
        if isinstance(note, _NoteVersion) and note.name == name:
            del module._state_dict_hooks[id]
            break
    for id, load in module._load_state_dict_pre_hooks.items():
        if isinstance(load, _LoadOlder) and load.hook.name == name:
            del module._load_state_dict_pre_hooks[id]
            break
    return module
