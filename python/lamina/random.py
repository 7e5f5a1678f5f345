"""``lamina.random``: where the stream of random numbers stands."""

from __future__ import annotations

from ._core import default_generator, get_rng_state, initial_seed, manual_seed, set_rng_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._core import Tensor

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]


def seed() -> int:
    """Start the stream from a number that nobody can foresee, and return that number."""
    return default_generator.seed()


class fork_rng:  # noqa: N801  # PyTorch's name
    """A context after which random numbers go on as if none had been drawn in it. RuntimeError for other devices."""

    def __init__(self, devices: Sequence[object] | None = None, enabled: bool = True) -> None:
        if devices:
            raise RuntimeError(f"fork_rng(): there is only the CPU, got devices={list(devices)}")
        self._enabled = enabled
        self._states: list[Tensor] = []

    def __enter__(self) -> None:
        if self._enabled:
            self._states.append(get_rng_state())

    def __exit__(self, *exception: object) -> None:
        if self._enabled:
            set_rng_state(self._states.pop())
