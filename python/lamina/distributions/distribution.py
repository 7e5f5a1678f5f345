"""The base of all distributions: shapes, validation, and what follows from a few methods."""

from __future__ import annotations

from .. import _core
from .._core import Size, Tensor
from .._warning import warn_caller
from ..autograd.modes import no_grad
from ..dtypes import finfo
from ..looking import holds_somewhere
from . import constraints
from .parameters import lazy_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, ClassVar

    from typing_extensions import Self

__all__ = ["Distribution"]


class Distribution:
    """A distribution of events of shape `event_shape`, one for each index of `batch_shape`.

    Parameters are attributes named as in `arg_constraints`. Unless ``validate_args=False`` (or ``python -O``), they and
    the values given to `log_prob` and `cdf` are looked at: ValueError if one is not allowed.
    """

    has_rsample: bool = False
    has_enumerate_support: bool = False
    if TYPE_CHECKING:
        arg_constraints: ClassVar[Mapping[str, constraints.Constraint]]
        support: Any
    _validate_args: bool = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args(): expected True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Sequence[int] = (),
        event_shape: Sequence[int] = (),
        validate_args: bool | None = None,
    ) -> None:
        super().__init__()  # a distribution may be a module, too
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self._known("arg_constraints", {}).items():
            follows = name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property)
            if follows or constraints.is_dependent(constraint):
                continue
            value = getattr(self, name)
            if holds_somewhere(~constraint.check(value)):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Self:
        """The same distribution for a larger batch: its parameters are expanded to `batch_shape`.

        A subclass that keeps more hands on the `_instance` that it has put this into.
        """
        new = self._new_or(_instance)
        new.__dict__ = {name: value for name, value in self.__dict__.items() if name[0] == "_"} | new.__dict__
        new._batch_shape = Size(batch_shape)
        for name, constraint in self.arg_constraints.items():
            value = self.__dict__.get(name)
            if isinstance(value, Tensor):
                event = value.shape[value.dim() - constraint.event_dim :] if constraint.event_dim else ()
                new.__dict__[name] = value.expand((*new._batch_shape, *event))
        return new

    def _new_or(self, instance: Any) -> Self:
        return type(self).__new__(type(self)) if instance is None else instance

    def _get_checked_instance(self, cls: type[Distribution], _instance: Any = None) -> Self:
        """What `expand` of `cls` fills: the instance of a subclass's expand, or a new one.

        NotImplementedError for a subclass with an ``__init__`` of its own and without an expand of its own.
        """
        if _instance is None and type(self).__init__ != cls.__init__:
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method "
                "must also define a custom .expand() method."
            )
        return self._new_or(_instance)

    @property
    def batch_shape(self) -> Size:
        """One distribution for each index."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """Of one value."""
        return self._event_shape

    @property
    def mean(self) -> Tensor:
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The value of the largest density."""
        raise NotImplementedError(f"{type(self).__name__} does not implement mode")

    @property
    def variance(self) -> Tensor:
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape + event_shape`` without a gradient."""
        with no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``, with a warning: PyTorch's former name."""
        warn_caller("sample_n will be deprecated. Use .sample((n,)) instead")
        return self.sample((n,))

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """As `sample`, as a function of the parameters, so gradients reach these."""
        raise NotImplementedError(f"{type(self).__name__} has no rsample: its values have no gradient; use sample()")

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density (of the probability, if discrete) of each event."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`: quantiles."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values a discrete distribution can take, along a new first axis."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The expected ``-log_prob``, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _known(self, what: str, default: Any) -> Any:
        """The class's `arg_constraints` or `support`; a warning and `default` if it has none."""
        if not hasattr(type(self), what) and what not in self.__dict__:
            warn_caller(
                f"{type(self)} does not define `{what}`, so its values are not validated. Define it, or initialize the "
                "distribution with `validate_args=False`."
            )
            return default
        return getattr(self, what)

    def _validate_sample(self, value: Tensor) -> None:
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape, event = value.shape, self._event_shape
        if tuple(shape[len(shape) - len(event) :]) != tuple(event):
            raise ValueError(f"The right-most size of value must match event_shape: {tuple(shape)} vs {tuple(event)}.")
        expected = self._extended_shape()
        for i, j in zip(reversed(shape), reversed(expected)):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {tuple(shape)} vs {tuple(expected)}."
                )
        support = self._known("support", None)
        if support is not None and holds_somewhere(~support.check(value)):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(shape)}) to be within the support "
                f"({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def _uniform(self, sample_shape: Sequence[int], like: Tensor) -> Tensor:
        """Uniform numbers of (0, 1), the ends excluded, in `like`'s dtype."""
        u = _core.rand(self._extended_shape(sample_shape), dtype=like.dtype, device=like.device)
        return u.clamp(min=finfo(like.dtype).tiny)

    def _normal(self, sample_shape: Sequence[int], like: Tensor) -> Tensor:
        """Normal numbers of mean 0 and standard deviation 1."""
        return _core.randn(self._extended_shape(sample_shape), dtype=like.dtype, device=like.device)

    def _along_batch(self, values: Tensor, expand: bool) -> Tensor:
        """What `enumerate_support` gives of all values, (n, *event)."""
        values = values.reshape((-1, *[1] * len(self._batch_shape), *self._event_shape))
        return values.expand((-1, *self._batch_shape, *self._event_shape)) if expand else values

    def __repr__(self) -> str:
        parts = [name for name in self.arg_constraints if name in self.__dict__]
        shown = ", ".join(
            f"{name}: {value if value.numel() == 1 else value.size()}"
            for name, value in ((name, self.__dict__[name]) for name in parts)
        )
        return f"{type(self).__name__}({shown})"
