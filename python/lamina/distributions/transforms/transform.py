"""The base of transforms, and inverses."""

from __future__ import annotations

from copy import copy

from ..._core import Size, Tensor
from .. import constraints

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Transform"]


class Transform:
    """A function of `domain` to `codomain`: subclasses write `_call`, `_inverse` and `log_abs_det_jacobian`.

    With ``cache_size=1`` the last value is remembered with its input, so that the inverse of a value that was just made
    is exact: an inverse of a saturated tanh, for example, is not.
    """

    bijective = False
    domain: constraints.Constraint
    codomain: constraints.Constraint

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        super().__init__()  # a transform may be a module, too
        self._cache_size = cache_size
        self._cached_x_y: tuple[Tensor | None, Tensor | None] = None, None  # PyTorch's name, which authors read
        self._inv: Transform | None = None

    @property
    def event_dim(self) -> int:
        """How many axes at the end one event has. ValueError if inputs and values differ in it."""
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def sign(self) -> int | Tensor:
        """1 where the function rises, -1 where it falls."""
        raise NotImplementedError

    @property
    def inv(self) -> Transform:
        """The inverse transform."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        if self._cache_size == cache_size:
            return self
        new = copy(self)
        new._cache_size, new._cached_x_y, new._inv = cache_size, (None, None), None
        return new

    def __call__(self, x: Tensor) -> Tensor:
        x_old, y_old = self._cached_x_y
        if y_old is not None and x_old is x:
            return y_old
        y = self._call(x)
        if self._cache_size:
            self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        x_old, y_old = self._cached_x_y
        if x_old is not None and y_old is y:
            return x_old
        x = self._inverse(y)
        if self._cache_size:
            self._cached_x_y = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |det dy/dx|, summed over an event's axes."""
        raise NotImplementedError

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return Size(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return Size(shape)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """The inverse of `transform`."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._inv: Transform = transform
        self.bijective = transform.bijective
        self.domain, self.codomain = transform.codomain, transform.domain

    @property
    def sign(self) -> int | Tensor:
        return self._inv.sign

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Size:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Size:
        return self._inv.forward_shape(shape)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"_InverseTransform({self._inv!r})"
