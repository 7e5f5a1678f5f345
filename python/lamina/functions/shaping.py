"""Broadcasting, moving and cutting up axes: views as PyTorch's are, made of native views."""

from __future__ import annotations

from .._core import Size, Tensor
from .._warning import warn_caller_once
from .arguments import composed, wrap_axis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "broadcast_shapes",
    "broadcast_tensors",
    "broadcast_to",
    "meshgrid",
    "moveaxis",
    "movedim",
    "ravel",
    "reshape_as",
    "swapaxes",
    "swapdims",
    "unflatten",
    "view_as",
]


def broadcast_shapes(*shapes: Sequence[int] | int) -> Size:
    """The common shape of `shapes`. RuntimeError if two sizes differ and neither is 1."""
    sizes = [_sizes_of(shape) for shape in shapes]
    if len(set(sizes)) == 1:
        return Size(sizes[0])
    result = [1] * max(map(len, sizes), default=0)
    for place, shape in enumerate(sizes):
        for axis in range(-len(shape), 0):
            if shape[axis] not in (1, result[axis]):
                if result[axis] != 1:
                    raise RuntimeError(
                        "Shape mismatch: objects cannot be broadcast to a single shape. Attempting to broadcast a "
                        f"dimension of length {shape[axis]} at {axis}! Mismatching argument at index {place} had "
                        f"{shape}; but expected shape should be broadcastable to {result}"
                    )
                result[axis] = shape[axis]
    return Size(result)


def _sizes_of(shape: Sequence[int] | int) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape) if isinstance(shape, (tuple, list)) else None
    if sizes is None or not all(isinstance(size, int) for size in sizes):
        raise RuntimeError(f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {shape}")
    for size in sizes:
        if size < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension ({size}): ({size})")
    return sizes


def broadcast_tensors(*tensors: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """`tensors` expanded to their common shape, as views."""
    given: Sequence[Tensor] = (
        tensors if not tensors or isinstance(tensors[0], Tensor) else tensors[0]  # type: ignore[assignment]
    )
    shape = broadcast_shapes(*(tensor.shape for tensor in given))
    return tuple(tensor if tensor.shape == shape else tensor.expand(shape) for tensor in given)


@composed
def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input` expanded to `size`, as a view."""
    return input.expand(tuple(size))


@composed
def view_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` seen in `other`'s shape."""
    return input.view(other.shape)


@composed
def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    """`input` in `other`'s shape."""
    return input.reshape(other.shape)


@composed
def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension; a view of a contiguous tensor."""
    return input.contiguous().view(-1)


@composed
def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Dimension `dim` split into `sizes`, of which one may be -1."""
    dim = wrap_axis(dim, input.dim())
    length, sizes = input.shape[dim], tuple(sizes)
    known = 1
    for size in sizes:
        known *= size if size != -1 else 1
    if sizes.count(-1) == 1 and known > 0 and length % known == 0:
        sizes = tuple(length // known if size == -1 else size for size in sizes)
    elif not sizes or -1 in sizes or known != length:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({length}) "
            f"in the input tensor of shape {list(input.shape)}"
        )
    return input.view((*input.shape[:dim], *sizes, *input.shape[dim + 1 :]))


@composed
def movedim(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """The axes `source` moved to the places `destination`, the others in their order; a view."""
    ndim = input.dim()
    sources, destinations = _moved(source, "source", ndim), _moved(destination, "destination", ndim)
    if len(sources) != len(destinations):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({sources} dims) should contain the same number of "
            f"dims as destination ({destinations} dims)"
        )
    if ndim == 0:
        return input.view(())
    rest = iter(axis for axis in range(ndim) if axis not in sources)
    placed = dict(zip(destinations, sources, strict=True))
    return input.permute(tuple(placed[place] if place in placed else next(rest) for place in range(ndim)))


def _moved(axes: int | Sequence[int], name: str, ndim: int) -> list[int]:
    wrapped = [wrap_axis(axis, ndim) for axis in ((axes,) if isinstance(axes, int) else axes)]
    if len(set(wrapped)) != len(wrapped):
        raise RuntimeError(f"movedim: repeated dim in `{name}` ({wrapped})")
    return wrapped


@composed
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two axes exchanged; a view."""
    return input.transpose(axis0, axis1)


@composed
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged; a view."""
    return input.transpose(dim0, dim1)


@composed
def moveaxis(input: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """NumPy's name for `movedim`."""
    return movedim(input, source, destination)


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str | None = None) -> tuple[Tensor, ...]:
    """The coordinate grids of 1-D (or 0-d) `tensors`; `indexing` is "ij" (matrix, the default) or "xy" (Cartesian)."""
    given: list[Tensor] = list(
        tensors if not tensors or isinstance(tensors[0], Tensor) else tensors[0]  # type: ignore[arg-type]
    )
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(tensor.dtype != given[0].dtype for tensor in given):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if any(tensor.device != given[0].device for tensor in given):
        raise RuntimeError("meshgrid expects all tensors to have the same device")
    if indexing is None:
        warn_caller_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for tensor in given:
        if tensor.dim() > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor}")
    swap = indexing == "xy" and len(given) > 1
    if swap:
        given[:2] = given[1], given[0]
    shape = tuple(tensor.numel() for tensor in given)
    ones = (1,) * len(given)
    grids = [tensor.reshape((*ones[:axis], -1, *ones[axis + 1 :])).expand(shape) for axis, tensor in enumerate(given)]
    if swap:
        grids[:2] = grids[1], grids[0]
    return tuple(grids)
