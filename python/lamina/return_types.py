"""Named tuples of results, printed as PyTorch prints them: ``torch.return_types.median(values=..., indices=...)``."""
# ruff: noqa: N801 (the classes have the names of the functions they belong to, as in PyTorch)

from __future__ import annotations

from ._core import Tensor

TYPE_CHECKING = False

__all__ = [
    "aminmax",
    "cummax",
    "cummin",
    "frexp",
    "histogram",
    "histogramdd",
    "kthvalue",
    "linalg_eigh",
    "linalg_lstsq",
    "linalg_qr",
    "linalg_svd",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "slogdet",
    "sort",
    "topk",
]


class _Result(tuple):  # type: ignore[type-arg]
    """A tuple of tensors whose fields have names."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()

    def __new__(cls, *tensors: Tensor | tuple[Tensor, ...]) -> _Result:
        return super().__new__(cls, tensors[0] if len(tensors) == 1 and not isinstance(tensors[0], Tensor) else tensors)

    def __repr__(self) -> str:
        fields = ",\n".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"torch.return_types.{type(self).__name__}(\n{fields})"

    def __reduce__(self) -> tuple[type, tuple[tuple[Tensor, ...]]]:
        return type(self), (tuple(self),)


class _ValuesIndices(_Result):
    __slots__ = ()
    _fields = ("values", "indices")
    if TYPE_CHECKING:
        values: Tensor
        indices: Tensor
    else:
        values = property(lambda self: self[0], doc="The chosen elements.")
        indices = property(lambda self: self[1], doc="Where they were along the dimension.")


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
    _fields = ("min", "max")
    if TYPE_CHECKING:
        min: Tensor
        max: Tensor
    else:
        min = property(lambda self: self[0], doc="The smallest elements.")
        max = property(lambda self: self[1], doc="The largest elements.")


class slogdet(_Result):
    """Result of `lamina.linalg.slogdet`."""

    __slots__ = ()
    _fields = ("sign", "logabsdet")
    if TYPE_CHECKING:
        sign: Tensor
        logabsdet: Tensor
    else:
        sign = property(lambda self: self[0], doc="The determinant's sign.")
        logabsdet = property(lambda self: self[1], doc="The logarithm of its absolute value.")


class histogram(_Result):
    """Result of `lamina.histogram`."""

    __slots__ = ()
    _fields = ("hist", "bin_edges")
    if TYPE_CHECKING:
        hist: Tensor
        bin_edges: Tensor
    else:
        hist = property(lambda self: self[0], doc="What fell into each bin.")
        bin_edges = property(lambda self: self[1], doc="The edges between the bins, one more than those.")


class histogramdd(_Result):
    """Result of `lamina.histogramdd`."""

    __slots__ = ()
    _fields = ("hist", "bin_edges")
    if TYPE_CHECKING:
        hist: Tensor
        bin_edges: tuple[Tensor, ...]
    else:
        hist = property(lambda self: self[0], doc="What fell into each bin; an axis a coordinate.")
        bin_edges = property(lambda self: self[1], doc="The edges between the bins along each coordinate.")


class frexp(_Result):
    """Result of `lamina.frexp`."""

    __slots__ = ()
    _fields = ("mantissa", "exponent")
    if TYPE_CHECKING:
        mantissa: Tensor
        exponent: Tensor
    else:
        mantissa = property(lambda self: self[0], doc="Numbers whose magnitudes are in [1/2, 1).")
        exponent = property(lambda self: self[1], doc="The powers of two that they are to be multiplied by.")


class linalg_svd(_Result):
    """Result of `lamina.linalg.svd`."""

    __slots__ = ()
    _fields = ("U", "S", "Vh")
    if TYPE_CHECKING:
        U: Tensor
        S: Tensor
        Vh: Tensor
    else:
        U = property(lambda self: self[0], doc="Orthonormal columns.")
        S = property(lambda self: self[1], doc="The singular values, falling.")
        Vh = property(lambda self: self[2], doc="Orthonormal rows.")


class linalg_eigh(_Result):
    """Result of `lamina.linalg.eigh`."""

    __slots__ = ()
    _fields = ("eigenvalues", "eigenvectors")
    if TYPE_CHECKING:
        eigenvalues: Tensor
        eigenvectors: Tensor
    else:
        eigenvalues = property(lambda self: self[0], doc="Rising.")
        eigenvectors = property(lambda self: self[1], doc="Orthonormal columns.")


class linalg_qr(_Result):
    """Result of `lamina.linalg.qr`."""

    __slots__ = ()
    _fields = ("Q", "R")
    if TYPE_CHECKING:
        Q: Tensor
        R: Tensor
    else:
        Q = property(lambda self: self[0], doc="Orthonormal columns.")
        R = property(lambda self: self[1], doc="An upper triangle.")


class linalg_lstsq(_Result):
    """Result of `lamina.linalg.lstsq`."""

    __slots__ = ()
    _fields = ("solution", "residuals", "rank", "singular_values")
    if TYPE_CHECKING:
        solution: Tensor
        residuals: Tensor
        rank: Tensor
        singular_values: Tensor
    else:
        solution = property(lambda self: self[0], doc="Of the least squared error.")
        residuals = property(lambda self: self[1], doc="Squared errors, a column each.")
        rank = property(lambda self: self[2], doc="Of the matrices.")
        singular_values = property(lambda self: self[3], doc="Of the matrices, falling.")
