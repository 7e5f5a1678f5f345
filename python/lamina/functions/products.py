"""Products of vectors, matrices and tensors, composed from matmul."""

from __future__ import annotations

from math import prod

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients
from .arguments import composed, composed_as, wrap_axes
from .precision import in_low_precision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._typing import Number

__all__ = ["addbmm", "addmv", "addr", "baddbmm", "ger", "inner", "kron", "outer", "tensordot", "vdot"]


def _accumulate(input: Tensor, product: Tensor, beta: Number, alpha: Number) -> Tensor:
    """``beta * input + alpha * product``; with beta 0, input's NaN and inf do not count."""
    if not has_gradients(input):
        # Factors take the tensors' type: 0.6 is 0 for integers and True for bool.
        kind = bool if input.dtype == _core.bool else int
        beta, alpha = kind(beta), kind(alpha)
    if beta == 0:
        return (product if alpha == 1 else product * alpha) + input.new_zeros((1,) * input.dim())
    scaled = input if beta == 1 else input * beta
    return scaled.add(product, alpha=alpha)


@composed_as("Addmv")
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (mat @ vec)``."""
    return _accumulate(input, mat.mv(vec), beta, alpha)


@composed_as("Addr")
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * outer(vec1, vec2)``."""
    return _accumulate(input, outer(vec1, vec2), beta, alpha)


@in_low_precision
@composed_as("Baddbmm")
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2)`` of batches of matrices."""
    return _accumulate(input, batch1.bmm(batch2), beta, alpha)


@in_low_precision
@composed_as("Addbmm")
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: Number = 1, alpha: Number = 1) -> Tensor:
    """``beta * input + alpha * (batch1 @ batch2).sum(0)``."""
    return _accumulate(input, batch1.bmm(batch2).sum(0, dtype=batch1.dtype), beta, alpha)


@composed
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """(n, m): each element of a vector times each element of another."""
    if input.dim() != 1 or vec2.dim() != 1:
        raise RuntimeError(f"outer: Expected 1-D arguments, got shapes {list(input.shape)} and {list(vec2.shape)}")
    return input.unsqueeze(1) * vec2


@composed
def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """Another name of `outer`."""
    return outer(input, vec2)


@composed
def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The dot product of two vectors, the first of them conjugated."""
    return input.conj().dot(other)


@composed
def inner(input: Tensor, other: Tensor) -> Tensor:
    """Sums of products over the last dimensions; a scalar multiplies."""
    if input.dim() == 0 or other.dim() == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@composed
def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] | Tensor = 2) -> Tensor:
    """Sums of products over `dims`: the last n of `a` with the first n of `b`, or a list of axes for each."""
    if isinstance(dims, Tensor):
        return tensordot(a, b, dims.tolist())
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.dim(), b.dim()):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        of_a, of_b = list(range(a.dim() - dims, a.dim())), list(range(dims))
    else:
        of_a, of_b = wrap_axes(dims[0], a.dim()), wrap_axes(dims[1], b.dim())
    if len(of_a) != len(of_b):
        raise RuntimeError(f"both dimension lists should have same length, got {of_a} and {of_b}")
    for p, q in zip(of_a, of_b, strict=True):
        if a.shape[p] != b.shape[q]:
            if a.shape[p] != 1 and b.shape[q] != 1:
                raise RuntimeError(
                    f"contracted dimensions need to match, but first has size {a.shape[p]} in dim {p} and second has "
                    f"size {b.shape[q]} in dim {q}"
                )
            # A dimension of size 1 broadcasts: sum the other one out first.
            if b.shape[q] == 1:
                a = a.sum(p, True, dtype=a.dtype)
            else:
                b = b.sum(q, True, dtype=b.dtype)
    kept_a = [axis for axis in range(a.dim()) if axis not in of_a]
    kept_b = [axis for axis in range(b.dim()) if axis not in of_b]
    length = prod(a.shape[axis] for axis in of_a)
    shape_a, shape_b = [a.shape[axis] for axis in kept_a], [b.shape[axis] for axis in kept_b]
    if not kept_a and not kept_b:
        return a.reshape(-1).dot(b.permute([of_b[of_a.index(axis)] for axis in range(a.dim())]).reshape(-1))
    left = a.permute((*kept_a, *of_a)).reshape((prod(shape_a), length))
    right = b.permute((*of_b, *kept_b)).reshape((length, prod(shape_b)))
    return left.mm(right).reshape((*shape_a, *shape_b))


@composed
def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: blocks of `other`, each times one element of `input`."""
    ndim = max(input.dim(), other.dim())
    big = (1,) * (ndim - input.dim()) + tuple(input.shape)
    small = (1,) * (ndim - other.dim()) + tuple(other.shape)
    blocks = input.reshape([size for n in big for size in (n, 1)]) * other.reshape(
        [size for n in small for size in (1, n)]
    )
    return blocks.reshape([n * m for n, m in zip(big, small, strict=True)])
