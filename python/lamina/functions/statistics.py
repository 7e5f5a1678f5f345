"""Covariance, distances between rows, and running integrals."""

from __future__ import annotations

from math import inf

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..dtypes import has_gradients
from ..looking import holds_somewhere
from .arguments import check_points, check_spacing, composed, composed_as, wrap_axis
from .precision import in_float32

__all__ = ["cdist", "corrcoef", "cov", "cumulative_trapezoid", "renorm", "trapz"]


@composed
def cov(
    input: Tensor, *, correction: int = 1, fweights: Tensor | None = None, aweights: Tensor | None = None
) -> Tensor:
    """The covariances of the rows (variables) of a matrix whose columns are observations; (rows, rows), of one: 0-d.

    `fweights` say how often each observation counts (integers), `aweights` how much (not negative).
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    x = input.reshape(1, -1) if input.dim() < 2 else input
    x = x if has_gradients(x) else x.to(_core.get_default_dtype())
    weights: Tensor | None = None
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if given.dim() > 1 or given.numel() != x.shape[1]:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{given.numel()} != {x.shape[1]}"
            )
        kind = "integral" if name == "fweights" else "floating point"
        if given.dtype.is_floating_point == (name == "fweights"):
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {given.dtype} dtype")
        if holds_somewhere(given < 0):
            raise RuntimeError(f"cov(): {name} cannot be negative")
        given = given.to(_core.promote_types(x.dtype.to_real(), given.dtype))
        weights = given if weights is None else weights * given
    if weights is None:
        centered, freedom = x - x.mean(1, True), x.shape[1] - correction
        if freedom <= 0 and not x.is_meta:
            warn_caller(
                "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations."
            )
        result = centered @ centered.mH / max(freedom, 0)
    else:
        total = weights.sum()
        centered = x - (x * weights).sum(1, True) / total
        lost = correction if aweights is None else correction * (weights * aweights).sum() / total
        result = (centered * weights) @ centered.mH / (total - lost).clamp(min=0)
    return result.squeeze()


@composed
def corrcoef(input: Tensor) -> Tensor:
    """The correlations of the rows of a matrix: `cov` over the roots of its diagonal, within [-1, 1]."""
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    c: Tensor = cov(input)
    if c.dim() == 0:
        return c / c
    deviation = (c.diagonal().real if c.is_complex() else c.diagonal()).sqrt()
    scaled = c / deviation.unsqueeze(1) / deviation.unsqueeze(0)
    if scaled.is_complex():
        return _core.complex(scaled.real.clamp(-1, 1), scaled.imag.clamp(-1, 1))
    return scaled.clamp(-1, 1)


_BY_PRODUCTS = {
    "use_mm_for_euclid_dist_if_necessary": 25,  # rows, above which a product is quicker
    "use_mm_for_euclid_dist": -1,
    "donot_use_mm_for_euclid_dist": inf,
}


@in_float32
@composed
def cdist(x1: Tensor, x2: Tensor, p: float = 2.0, compute_mode: str = "use_mm_for_euclid_dist_if_necessary") -> Tensor:
    """The `p`-norms of the differences of all rows: (..., n, d) and (..., m, d) give (..., n, m).

    `compute_mode` says whether Euclidean distances come from a matrix product, which is quicker for many rows, but
    exact only to the root of the precision where rows are close to each other. ValueError for another one.
    """
    if compute_mode not in _BY_PRODUCTS:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    if x1.dim() < 2 or x2.dim() < 2:
        raise RuntimeError(f"cdist only supports at least 2D tensors, X1 got: {x1.dim()}D, X2 got: {x2.dim()}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if p == 2 and max(x1.shape[-2], x2.shape[-2]) > _BY_PRODUCTS[compute_mode]:
        distances = _core._labelled(_euclidean(x1, x2), "EuclideanDist")
        return distances.view(distances.shape)
    return _core._labelled((x1.unsqueeze(-2) - x2.unsqueeze(-3)).norm(p, -1), "Cdist")


def _euclidean(x1: Tensor, x2: Tensor) -> Tensor:
    """By |a - b|² = |a|² - 2 a · b + |b|²; where that is 0, so is the gradient."""
    squares1, squares2 = x1.square().sum(-1, True), x2.square().sum(-1, True)
    squares = (squares1 - 2 * (x1 @ x2.mT) + squares2.mT).clamp_min(0)
    apart = squares != 0
    return _core.where(apart, _core.where(apart, squares, 1.0).sqrt(), 0.0)


@composed_as("Renorm")
def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """The slices along `dim` whose `p`-norm is above `maxnorm` scaled down to it."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if input.dim() < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.dim()} dimensions")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = wrap_axis(dim, input.dim())
    norms = input.norm(p, [axis for axis in range(input.dim()) if axis != dim], True)
    return input * _core.where(norms > maxnorm, maxnorm / (norms + 1e-7), 1.0)


@composed
def cumulative_trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float | None = None, dim: int = -1) -> Tensor:
    """The trapezoidal rule from the start to each further point along `dim`; one shorter than `y`."""
    if x is not None and dx is not None:
        raise RuntimeError("cumulative_trapezoid: got both x and dx; they exclude each other")
    check_spacing("cumulative_trapezoid", dx)
    dim = wrap_axis(dim, y.dim())
    count = y.shape[dim]
    check_points("cumulative_trapezoid", x, count)
    if count == 0:
        return y * 1.0
    heights = y.narrow(dim, 1, count - 1) + y.narrow(dim, 0, count - 1)
    if x is None:
        return heights.cumsum(dim) * ((1.0 if dx is None else dx) / 2)
    if x.dim() == 1:
        x = x.reshape((-1, *([1] * (y.dim() - 1 - dim))))
        return (heights * (x[1:] - x[:-1])).cumsum(dim) / 2
    return (heights * x.diff(dim=dim)).cumsum(dim) / 2


@composed
def trapz(y: Tensor, x: Tensor | None = None, *, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The older name of `trapezoid`."""
    from .reducing import trapezoid

    return trapezoid(y, x, dim=dim) if x is not None else trapezoid(y, dx=dx, dim=dim)
