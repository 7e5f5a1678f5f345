"""Random numbers composed from the native generators."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import scalar_name
from ..looking import holds_somewhere
from .arguments import composed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .._core import Generator
    from .._core import dtype as DType
    from .._core import memory_format as MemoryFormat
    from ..devices import device

__all__ = ["binomial", "multinomial", "poisson", "randint_like"]


def randint_like(
    input: Tensor,
    low: int | None = None,
    high: int | None = None,
    *,
    dtype: DType | None = None,
    device: device | str | None = None,
    requires_grad: bool = False,
    memory_format: MemoryFormat | None = None,
) -> Tensor:
    """Integers from `low` (0 if only one bound is given) to below `high`, in `input`'s shape, dtype and order."""
    if high is None:
        low, high = None, low
    if high is None:
        raise TypeError("randint_like() missing 1 required positional argument: 'high'")
    low = low or 0
    numbers = _core.randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, device=device or input.device)
    numbers = _core._lay_out(numbers, _core.empty_like(input, memory_format=memory_format).stride())
    return numbers.requires_grad_() if requires_grad else numbers


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Indices drawn with the weights `input` (..., n), which need not add up to 1; int64 of shape (..., num_samples).

    Without `replacement` an index is drawn at most once, those of weight 0 when no others are left. RuntimeError for
    weights that are infinite, NaN, negative or all 0, and for more samples than indices.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not input.dtype.is_floating_point:
        raise RuntimeError(
            f"multinomial only supports floating-point dtypes for input, got: {scalar_name(input.dtype)}"
        )
    weights = input.detach()
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > weights.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if holds_somewhere(~(weights.isfinite() & (weights >= 0))):
        raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    if holds_somewhere(weights.sum(-1) <= 0):
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if not replacement:
        # Those of weight 0 come last, in their order.
        # The largest of u^(1/w): Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006.
        keys = _core.rand_like(weights, generator=generator, dtype=_core.float64).log() / weights.double()
        return _core.where(weights > 0, keys, -float("inf")).topk(num_samples, -1).indices
    bounds = weights.double().cumsum(-1)
    total = bounds[..., -1:]
    shape = (*weights.shape[:-1], num_samples)
    points = _core.rand(shape, generator=generator, dtype=_core.float64, device=weights.device) * total
    drawn = (points.unsqueeze(-1) >= bounds.unsqueeze(-2)).sum(-1)
    # Rounding may carry a point to the total: the last positive weight is meant.
    return _core.minimum(drawn, (bounds < total).sum(-1, True))


def drawn(draw: Callable[..., Any], generator: Generator | None, *operands: Tensor) -> Tensor:
    """``draw(rng, *operands)`` with a NumPy generator, whose seed is the next number of lamina's.

    In the shape and type of the first operand; all have one shape. NumPy draws these numbers by rejection, as often as
    each of them needs: nothing that could be recorded. Within vmap `draw` gets the operands of all examples.
    """
    from numpy.random import default_rng

    place = _core.get_rng_state() if generator is None else generator.get_state()
    seed = _core.randint(0, 2**62, (), dtype=_core.int64, device="cpu", generator=generator)
    # Where each example has another seed, what they were to be drawn from is that of all of them.
    rng = default_rng(place.tolist() if _core._is_example(seed) else int(seed))

    def numbers(*whole: Tensor) -> Tensor:
        plain = _core.tensor(draw(rng, *whole), dtype=_core.float64, device="cpu")
        return plain.to(whole[0].dtype).reshape(whole[0].shape)

    if not any(map(_core._is_example, (seed, *operands))):
        return numbers(*operands)
    from ..autograd.batching import drawn_for_all

    return drawn_for_all(numbers, *operands)


def _constant(drawn: Tensor, *operands: Tensor) -> Tensor:
    """`drawn`, which depends on `operands` with a gradient of 0."""
    never = _core.zeros_like(drawn, dtype=_core.bool)
    for operand in operands:
        drawn = _core.where(never, operand, drawn)
    return drawn


@composed_as("Poisson")
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Whole numbers drawn from Poisson distributions of the rates `input`, elementwise; the gradient is 0.

    RuntimeError for a negative rate; NotImplementedError for a type that is not floating point.
    """
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f"\"poisson_cpu\" not implemented for '{scalar_name(input.dtype)}'")
    rates = input.detach()
    if holds_somewhere(rates < 0):
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return _constant(drawn(lambda rng, x: rng.poisson(x.double().numpy()), generator, rates), input)


@composed_as("Binomial")
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`; both broadcast, the gradient is 0.

    ValueError for a type that is not floating point.
    """
    for name, x in (("count", count), ("prob", prob)):
        if not x.dtype.is_floating_point:
            raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {scalar_name(x.dtype)}")
    trials, chance = count.detach() + prob.detach() * 0, prob.detach().clamp(0, 1) + count.detach() * 0
    draw = lambda rng, n, p: rng.binomial(n.long().numpy(), p.double().numpy())  # noqa: E731
    return _constant(drawn(draw, generator, trials, chance), count, prob)
