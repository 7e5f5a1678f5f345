"""Parametrizations that are known by name: weight norm, spectral norm, orthogonal matrices."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad
from ...functions.products import vdot
from ..functional import normalize
from ..modules import Module
from .orthogonal_matrices import _Orthogonal
from .parametrize import register_parametrization
from .spectral_norm import axis_of_outputs, check_iterations, matrix_of
from .weight_norm import norm_except_dim, weight_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _tensor_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Make the matrix `name` orthogonal: its columns, or if it is wide its rows, are orthonormal.

    `orthogonal_map` is "matrix_exp", "cayley" or, for real matrices, "householder" (default: the first for a square or
    complex matrix, the last for others). With `use_trivialization` the map starts from the matrix there is
    (Lezcano-Casado, 2019), and any matrix can be assigned later; its orthogonal part is taken. Returns `module`.

    >>> layer = nn.utils.parametrizations.orthogonal(nn.Linear(3, 3))
    >>> bool(lamina.allclose(layer.weight @ layer.weight.T, lamina.eye(3), atol=1e-5))
    True
    """
    weight = _tensor_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    matrix = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, matrix, unsafe=True)


class _WeightNorm(Module):
    """A weight from its length `g` and its direction `v`."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return weight_of(v, g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the weight `name` by its length and its direction apart (Salimans and Kingma, 2016).

    ``original0`` is its 2-norm over all axes but `dim` (all axes for None), ``original1`` has its direction. Loads
    state dicts of the older ``nn.utils.weight_norm`` too. Returns `module`.
    """
    _tensor_of(module, name)
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def rename_older_keys(state_dict: Any, prefix: str, *_: Any) -> None:
        older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
        if all(key in state_dict for key in older):
            for i, key in enumerate(older):
                state_dict[f"{prefix}parametrizations.{name}.original{i}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(rename_older_keys)
    return module


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which a step of the power method follows in training."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        check_iterations(n_power_iterations)
        self.n_power_iterations = n_power_iterations
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            with no_grad():
                matrix = matrix_of(weight, self.dim)
                for name, size in (("_u", matrix.shape[0]), ("_v", matrix.shape[1])):
                    self.register_buffer(name, self._unit(_core.randn(size, dtype=weight.dtype, device=weight.device)))
            self._power_method(matrix, 15)

    def _unit(self, vector: Tensor) -> Tensor:
        return normalize(vector, dim=0, eps=self.eps)

    def _power_method(self, matrix: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                self._u.copy_(self._unit(_core.mv(matrix, self._v)))
                self._v.copy_(self._unit(_core.mv(matrix.mH, self._u)))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return self._unit(weight)
        matrix = matrix_of(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        # Copies: a later forward changes the buffers before the gradient of this one has read them.
        u, v = self._u.clone(), self._v.clone()
        return weight / vdot(u, _core.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide the weight `name` by its largest singular value, so that the layer stretches no input by more than 1.

    The weight counts as a matrix with `dim` (default: the axis of the outputs) as its rows. The singular value is
    followed by `n_power_iterations` of the power method at each read in training (Miyato et al., 2018). Returns
    `module`.
    """
    weight = _tensor_of(module, name)
    axis = axis_of_outputs(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, axis, eps))
