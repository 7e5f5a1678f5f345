"""Keeping gradients small: their common norm, and the largest of them."""

from __future__ import annotations

from collections.abc import Iterable

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...autograd import no_grad

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    tensors = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in tensors if parameter.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all elements of `tensors` taken together; 0-d. `foreach` is accepted, and changes nothing.

    RuntimeError for a norm that is not finite, if `error_if_nonfinite`.
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    order = float(norm_type)
    if not listed:
        return _core.tensor(0.0)
    total = _core._total_norm(listed, order)
    if error_if_nonfinite and not bool(_core.isfinite(total)):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Multiply the gradients, in place, by ``max_norm / total_norm`` if that is below 1."""
    _scale_down(_gradients(parameters), max_norm, total_norm)


def _scale_down(gradients: list[Tensor], max_norm: float, total_norm: Tensor) -> None:
    with no_grad():
        # Always a multiplication: whether the norm is too large need not be known, and the program is not run for it.
        _core._scale_(gradients, _core.clamp(float(max_norm) / (total_norm + 1e-6), max=1.0))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients of `parameters`, in place, so that their common norm is at most `max_norm`.

    Returns the norm they had. RuntimeError, with the gradients as they were, if that is not finite and
    `error_if_nonfinite`.

    >>> w = lamina.ones(4, requires_grad=True)
    >>> w.sum().backward()
    >>> nn.utils.clip_grad_norm_([w], 1.0)
    tensor(2.)
    """
    gradients = _gradients(parameters)
    total = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _scale_down(gradients, max_norm, total)
    return total


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """clip_grad_norm_, by its old name."""
    warn_caller(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.", FutureWarning
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Clamp every element of the gradients of `parameters`, in place, to ``[-clip_value, clip_value]``."""
    limit = float(clip_value)
    with no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(min=-limit, max=limit)
