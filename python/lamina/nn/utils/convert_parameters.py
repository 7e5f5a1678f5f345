"""All parameters as one vector, and back."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ...autograd import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of `parameters` one after the other, (n); gradients flow back through it."""
    return _core.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make consecutive pieces of `vec` the numbers of `parameters`; these are views of it afterwards.

    TypeError if `vec` is no tensor; RuntimeError if it has too few elements (nothing is changed then).
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    listed = list(parameters)
    needed = sum(parameter.numel() for parameter in listed)
    if vec.numel() < needed:
        raise RuntimeError(f"vector_to_parameters: expected at least {needed} elements, got {vec.numel()}")
    start = 0
    with no_grad():
        for parameter in listed:
            stop = start + parameter.numel()
            parameter.data = vec[start:stop].view_as(parameter).data
            start = stop
