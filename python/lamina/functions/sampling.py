"""Random numbers composed from the native generators."""

from __future__ import annotations

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._core import Generator
    from .._core import dtype as DType
    from ..devices import device

__all__ = ["multinomial", "randint_like"]


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from `low` (0 if only one bound is given) to below `high`, in `input`'s shape and dtype."""
    low, high = (0, low) if high is None else (low, high)
    numbers = _core.randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, device=device)
    return numbers.requires_grad_() if requires_grad else numbers


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the weights `input` (..., n), which need not add up to 1; int64 of shape (..., num_samples).

    Without `replacement` an index is drawn at most once, and there must be enough positive weights.
    """
    if input.dim() not in (1, 2) or not input.dtype.is_floating_point or input.shape[-1] == 0:
        raise RuntimeError(
            f"multinomial: expected 1-d or 2-d floating point weights, got {input.dtype} of shape {list(input.shape)}"
        )
    weights = input.detach()
    if num_samples <= 0:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, got {num_samples}")
    if not bool((weights.isfinite() & (weights >= 0)).all()) or not bool((weights.sum(-1) > 0).all()):
        raise RuntimeError("multinomial: weights must be finite, not negative, and not all 0")
    if not replacement:
        if num_samples > int((weights > 0).sum(-1).amin()):
            raise RuntimeError(f"multinomial: cannot draw {num_samples} samples from fewer positive weights")
        # The largest of u^(1/w): Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006.
        keys = _core.rand(weights.shape, generator=generator, dtype=_core.float64).log() / weights.double()
        return _core.where(weights > 0, keys, -float("inf")).topk(num_samples, -1).indices
    bounds = weights.double().cumsum(-1)
    total = bounds[..., -1:]
    points = _core.rand((*weights.shape[:-1], num_samples), generator=generator, dtype=_core.float64) * total
    drawn = (points.unsqueeze(-1) >= bounds.unsqueeze(-2)).sum(-1)
    # Rounding may carry a point to the total: the last positive weight is meant.
    return _core.minimum(drawn, (bounds < total).sum(-1, True))
