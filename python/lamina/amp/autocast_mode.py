"""``autocast``: a context in which products are computed in half precision, and what needs digits in float32."""

from __future__ import annotations

from .. import _core
from .._warning import warn_caller
from .._wrapping import wraps
from . import state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .._core import dtype as DType

    F = TypeVar("F", bound=Callable[..., Any])

__all__ = ["autocast", "warn_of_old_name"]

_HALF = (_core.bfloat16, _core.float16)


class autocast:  # noqa: N801
    """A context, and a decorator, in which functions choose the type that they compute in.

    On the CPU, matrix products, convolutions and attention get their operands in `dtype` (bfloat16, or float16),
    losses, most of `linalg` and what else needs digits get them in float32; all others compute in the type they get.
    float64 is left alone, and so are `out=` and in-place forms. Contexts nest; with `enabled` off, so is autocast
    within. Other devices are not there, and it has no effect on them; for ``"cuda"`` there is a warning. RuntimeError
    for names that are no device's.

    >>> with lamina.autocast("cpu"):
    ...     loss = lamina.nn.functional.cross_entropy(net(X), y)
    >>> loss.dtype
    torch.float32
    """

    def __init__(
        self,
        device_type: str,
        dtype: DType | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.device = device_type
        if not state.is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.fast_dtype = state.get_autocast_dtype(device_type) if dtype is None else dtype
        self._cache_enabled = state.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        self._enabled = enabled and self._is_possible()
        self._before: list[tuple[bool, DType, bool]] = []

    def _is_possible(self) -> bool:
        kind = self.device.partition(":")[0]
        if kind == "cuda":
            warn_caller("CUDA is not available or torch_xla is imported. Disabling autocast.")
            return False
        if kind == "cpu" and self.fast_dtype not in _HALF:
            warn_caller(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently."
            )
            return False
        return True

    def __enter__(self) -> None:
        before = (
            state.is_autocast_enabled(self.device),
            state.get_autocast_dtype(self.device),
            state.is_autocast_cache_enabled(),
        )
        self._before.append(before)
        state.autocast_increment_nesting()
        self._set(self._enabled, self.fast_dtype, self._cache_enabled)

    def __exit__(self, *exception: object) -> None:
        state.autocast_decrement_nesting()
        self._set(*self._before.pop())

    def __call__(self, function: F) -> F:
        @wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    def _set(self, enabled: bool, dtype: DType, caches: bool) -> None:
        state.set_autocast_enabled(self.device, enabled)
        state.set_autocast_dtype(self.device, dtype)
        state.set_autocast_cache_enabled(caches)


def warn_of_old_name(device_type: str, name: str, arguments: str | None = None) -> None:
    """PyTorch's notice."""
    arguments = f"'{device_type}', args..." if arguments is None else arguments
    warn_caller(
        f"`torch.{device_type}.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}({arguments})` instead.",
        FutureWarning,
    )
