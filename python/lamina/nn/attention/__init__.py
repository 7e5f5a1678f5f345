"""PyTorch's choice among kernels of attention. Here there is one, so every choice is accepted and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(Enum):
    """The kernels that PyTorch has."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self) -> int:
        return self.value


@contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[None]:
    """Inside, PyTorch's `scaled_dot_product_attention` uses one of `backends`; here it is computed as ever.

    AssertionError for anything that is not an `SDPBackend` or a list of them. `set_priority` says that their order
    matters.
    """
    asked = backends if isinstance(backends, list) else [backends]
    for backend in asked:
        if not isinstance(backend, SDPBackend):
            kind = type(backend).__name__
            raise AssertionError(
                f"Backend must be an instance of SDPBackend or a list of SDPBackend instances, got {kind}"
            )
    yield
