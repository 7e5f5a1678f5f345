"""Mixed precision: `autocast` chooses the types to compute in, `GradScaler` keeps small gradients from being 0."""

from __future__ import annotations

from . import grad_scaler
from .autocast_mode import autocast
from .custom_functions import custom_bwd, custom_fwd
from .grad_scaler import GradScaler
from .state import is_autocast_available

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "grad_scaler", "is_autocast_available"]
