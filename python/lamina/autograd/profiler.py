"""``torch.autograd.profiler``: the older face of `lamina.profiler`."""

from __future__ import annotations

from ..profiled_ranges import record_function
from ..profiler import profile as _profile
from ..profiler.events import EventList, FunctionEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Self

    from ..profiler.events import FunctionEventAvg

__all__ = ["EventList", "FunctionEvent", "profile", "record_function"]


class profile(_profile):  # noqa: N801  # PyTorch's name
    """A profile of everything that runs within it, or of nothing if it is not `enabled`."""

    def __init__(
        self,
        enabled: bool = True,
        *,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        use_cpu: bool = True,
    ) -> None:
        if not use_cpu:
            raise AssertionError("No valid profiler activities found: lamina computes on the CPU")
        super().__init__(record_shapes=record_shapes, profile_memory=profile_memory, with_stack=with_stack)
        self.enabled = enabled

    def __enter__(self) -> Self:
        if self.enabled:
            self.start()
        return self

    @property
    def function_events(self) -> EventList:
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        return self.events().self_cpu_time_total

    def total_average(self) -> FunctionEventAvg:
        return self.events().total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, header: str | None = None) -> str:
        return self.events().table(sort_by, row_limit, header=header)
