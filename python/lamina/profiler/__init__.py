"""Where the time of a program goes: by module, by operation, and by named ranges; PyTorch's ``torch.profiler``."""

from __future__ import annotations

from ..profiled_ranges import record_function
from .profiler import profile
from .schedule import ProfilerAction, ProfilerActivity, schedule, supported_activities

__all__ = ["ProfilerAction", "ProfilerActivity", "profile", "record_function", "schedule", "supported_activities"]
