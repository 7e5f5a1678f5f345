"""Named tuples of results, printed as PyTorch prints them: ``torch.return_types.median(values=..., indices=...)``."""
# ruff: noqa: N801 (the classes have the names of the functions they belong to, as in PyTorch)

from __future__ import annotations

from operator import itemgetter

from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass

__all__ = [
    "aminmax",
    "cummax",
    "cummin",
    "frexp",
    "geqrf",
    "histogram",
    "histogramdd",
    "kthvalue",
    "linalg_cholesky_ex",
    "linalg_eig",
    "linalg_eigh",
    "linalg_inv_ex",
    "linalg_lstsq",
    "linalg_lu",
    "linalg_lu_factor",
    "linalg_lu_factor_ex",
    "linalg_qr",
    "linalg_slogdet",
    "linalg_solve_ex",
    "linalg_svd",
    "lu_unpack",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "qr",
    "slogdet",
    "sort",
    "svd",
    "topk",
    "triangular_solve",
]


class _Result(tuple):  # type: ignore[type-arg]
    """A tuple of tensors whose fields have names: those that the class annotates, in this order."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        names = tuple(cls.__dict__.get("__annotations__", ()))  # noqa: RUF063  # inspect is slow to load
        if names:
            cls._fields = names
            for place, name in enumerate(names):
                setattr(cls, name, property(itemgetter(place)))

    def __new__(cls, *tensors: Tensor | tuple[Tensor, ...]) -> _Result:
        return super().__new__(cls, tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors)

    def __repr__(self) -> str:
        fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    def __reduce__(self) -> tuple[type, tuple[tuple[Tensor, ...]]]:
        return type(self), (tuple(self),)


class _ValuesIndices(_Result):
    __slots__ = ()
    values: Tensor  # the chosen elements
    indices: Tensor  # where they were along the dimension


class median(_ValuesIndices):
    """Result of `lamina.median` along a dimension."""

    __slots__ = ()


class nanmedian(_ValuesIndices):
    """Result of `lamina.nanmedian` along a dimension."""

    __slots__ = ()


class max(_ValuesIndices):
    """Result of `lamina.max` along a dimension."""

    __slots__ = ()


class min(_ValuesIndices):
    """Result of `lamina.min` along a dimension."""

    __slots__ = ()


class sort(_ValuesIndices):
    """Result of `lamina.sort`."""

    __slots__ = ()


class mode(_ValuesIndices):
    """Result of `lamina.mode`."""

    __slots__ = ()


class topk(_ValuesIndices):
    """Result of `lamina.topk`."""

    __slots__ = ()


class kthvalue(_ValuesIndices):
    """Result of `lamina.kthvalue`."""

    __slots__ = ()


class cummax(_ValuesIndices):
    """Result of `lamina.cummax`."""

    __slots__ = ()


class cummin(_ValuesIndices):
    """Result of `lamina.cummin`."""

    __slots__ = ()


class aminmax(_Result):
    """Result of `lamina.aminmax`."""

    __slots__ = ()
    min: Tensor  # the smallest elements
    max: Tensor  # the largest elements


class slogdet(_Result):
    """Result of `lamina.slogdet`."""

    __slots__ = ()
    sign: Tensor  # the determinant's sign
    logabsdet: Tensor  # the logarithm of its absolute value


class histogram(_Result):
    """Result of `lamina.histogram`."""

    __slots__ = ()
    hist: Tensor  # what fell into each bin
    bin_edges: Tensor  # the edges between the bins, one more than those


class histogramdd(_Result):
    """Result of `lamina.histogramdd`."""

    __slots__ = ()
    hist: Tensor  # what fell into each bin; an axis a coordinate
    bin_edges: tuple[Tensor, ...]  # the edges between the bins along each coordinate


class frexp(_Result):
    """Result of `lamina.frexp`."""

    __slots__ = ()
    mantissa: Tensor  # numbers whose magnitudes are in [1/2, 1)
    exponent: Tensor  # the powers of two that they are to be multiplied by


class linalg_svd(_Result):
    """Result of `lamina.linalg.svd`."""

    __slots__ = ()
    U: Tensor  # orthonormal columns
    S: Tensor  # the singular values, falling
    Vh: Tensor  # orthonormal rows


class linalg_eig(_Result):
    """Result of `lamina.linalg.eig`."""

    __slots__ = ()
    eigenvalues: Tensor  # complex, in no order
    eigenvectors: Tensor  # complex columns of length 1


class linalg_eigh(_Result):
    """Result of `lamina.linalg.eigh`."""

    __slots__ = ()
    eigenvalues: Tensor  # rising
    eigenvectors: Tensor  # orthonormal columns


class linalg_qr(_Result):
    """Result of `lamina.linalg.qr`."""

    __slots__ = ()
    Q: Tensor  # orthonormal columns
    R: Tensor  # an upper triangle


class qr(_Result):
    """Result of `lamina.qr`."""

    __slots__ = ()
    Q: Tensor  # orthonormal columns
    R: Tensor  # an upper triangle


class svd(_Result):
    """Result of `lamina.svd`."""

    __slots__ = ()
    U: Tensor  # orthonormal columns
    S: Tensor  # the singular values, falling
    V: Tensor  # orthonormal columns


class geqrf(_Result):
    """Result of `lamina.geqrf`."""

    __slots__ = ()
    a: Tensor  # an upper triangle, and reflections below
    tau: Tensor  # their factors


class triangular_solve(_Result):
    """Result of `lamina.triangular_solve`."""

    __slots__ = ()
    solution: Tensor
    cloned_coefficient: Tensor


class linalg_lstsq(_Result):
    """Result of `lamina.linalg.lstsq`."""

    __slots__ = ()
    solution: Tensor  # of the least squared error
    residuals: Tensor  # squared errors, a column each
    rank: Tensor  # of the matrices
    singular_values: Tensor  # of the matrices, falling


class linalg_cholesky_ex(_Result):
    """Result of `lamina.linalg.cholesky_ex`."""

    __slots__ = ()
    L: Tensor  # the triangular factor
    info: Tensor  # the order of the first leading minor that is not positive definite, or 0


class linalg_inv_ex(_Result):
    """Result of `lamina.linalg.inv_ex`."""

    __slots__ = ()
    inverse: Tensor
    info: Tensor  # the first step that met a zero pivot, or 0


class linalg_solve_ex(_Result):
    """Result of `lamina.linalg.solve_ex`."""

    __slots__ = ()
    result: Tensor
    info: Tensor  # the first step that met a zero pivot, or 0


class linalg_lu_factor(_Result):
    """Result of `lamina.linalg.lu_factor`."""

    __slots__ = ()
    LU: Tensor  # U, and below its diagonal L
    pivots: Tensor  # the row that each row was exchanged with, from 1


class linalg_lu_factor_ex(_Result):
    """Result of `lamina.linalg.lu_factor_ex`."""

    __slots__ = ()
    LU: Tensor  # U, and below its diagonal L
    pivots: Tensor  # the row that each row was exchanged with, from 1
    info: Tensor  # the first step that met a zero pivot, or 0


class lu_unpack(_Result):
    """Result of `lamina.lu_unpack`."""

    __slots__ = ()
    P: Tensor  # a permutation
    L: Tensor  # a lower triangle with ones on its diagonal
    U: Tensor  # an upper triangle


class linalg_lu(_Result):
    """Result of `lamina.linalg.lu`."""

    __slots__ = ()
    P: Tensor  # a permutation
    L: Tensor  # a lower triangle with ones on its diagonal
    U: Tensor  # an upper triangle


class linalg_slogdet(slogdet):
    """Result of `lamina.linalg.slogdet`."""

    __slots__ = ()
