"""``GradScaler``: losses are scaled up so that small gradients are not 0 in float16, and gradients down again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from math import isfinite

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..autograd.modes import no_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..devices import device as Device
    from ..optim import Optimizer

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """What was done to an optimizer's gradients since the last ``update``."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


def _refresh_per_optimizer_state() -> dict[str, Any]:
    return {"stage": OptState.READY, "found_inf_per_device": {}}


class GradScaler:
    """Multiplies losses by a factor, divides gradients by it, and skips steps whose gradients are not finite.

    The factor begins as `init_scale`; a skipped step multiplies it by `backoff_factor`, `growth_interval` steps without
    one by `growth_factor`. With `enabled` off, and for the device ``"cuda"``, which is not there, everything passes
    through unchanged. (Micikevicius et al., 2018: Mixed Precision Training)

    >>> scaler = lamina.amp.GradScaler("cpu")
    >>> with lamina.autocast("cpu", lamina.float16):
    ...     loss = net(X).square().mean()
    >>> scaler.scale(loss).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda":
            warn_caller("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.")
            self._enabled = False
        if not self._enabled:
            return
        if growth_factor <= 1:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale = init_scale
        self._init_growth_tracker = 0
        self._scale: Tensor | None = None  # made by the first loss
        self._growth_tracker: Tensor | None = None
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._per_optimizer_states: dict[int, dict[str, Any]] = defaultdict(_refresh_per_optimizer_state)

    def _made(self, method: str) -> Tensor:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {method} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """`outputs`, a tensor or nested tuples and lists of tensors, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._scale = _core.full((), self._init_scale, dtype=_core.float32)
                self._growth_tracker = _core.full((), self._init_growth_tracker, dtype=_core.int32)
            return outputs * self._scale
        if isinstance(outputs, str) or not isinstance(outputs, Iterable):  # a text holds texts without end
            raise ValueError("outputs must be a Tensor or an iterable of Tensors")
        scaled = [self.scale(x) for x in outputs]
        return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else iter(scaled)

    def _unscale_grads_(
        self, optimizer: Optimizer, inv_scale: Tensor, found_inf: Tensor, allow_fp16: bool
    ) -> dict[Device, Tensor]:
        """Multiply the gradients by `inv_scale`; where (by device) one is not finite, `found_inf` becomes 1."""
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if not gradients:
            return {}
        if not allow_fp16 and any(g.dtype == _core.float16 for g in gradients):
            raise ValueError("Attempting to unscale FP16 gradients.")
        with no_grad():
            bad = ~_core.stack([g.isfinite().all() for g in gradients]).all()
            for gradient in gradients:
                gradient.mul_(inv_scale.squeeze())
            found_inf.copy_(_core.maximum(found_inf, bad))
        return {found_inf.device: found_inf}

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients of `optimizer` by the factor now, as clipping needs it; else `step` does it.

        RuntimeError for a second time since the last `update`.
        """
        if not self._enabled:
            return
        scale, state = self._made("unscale_"), self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        inverse = scale.double().reciprocal().float()
        state["found_inf_per_device"] = self._unscale_grads_(optimizer, inverse, _core.zeros(()), False)
        state["stage"] = OptState.UNSCALED

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(*args, **kwargs)``, unless a gradient is not finite; unscales first, if nobody has.

        An optimizer with `_step_supports_amp_scaling` is left to do both, with the numbers it needs as its attributes
        `grad_scale` and `found_inf`. RuntimeError for a second time since the last `update`, and for a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        scale, state = self._made("step"), self._per_optimizer_states[id(optimizer)]
        if state["stage"] is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if getattr(optimizer, "_step_supports_amp_scaling", False):
            return self._step_of_its_own(optimizer, scale, state, args, kwargs)
        if state["stage"] is OptState.READY:
            self.unscale_(optimizer)
        if not state["found_inf_per_device"]:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        found = any(x.item() for x in state["found_inf_per_device"].values())
        result = None if found else optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        return result

    def _step_of_its_own(
        self, optimizer: Any, scale: Tensor, state: dict[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        from inspect import signature

        takes_scaler = "grad_scaler" in signature(optimizer.step).parameters
        if takes_scaler:
            warn_caller(
                "GradScaler is going to stop passing itself as a keyword argument to the passed optimizer. In the near "
                "future GradScaler registers `grad_scale: Tensor` and `found_inf: Tensor` to the passed optimizer and "
                "let the optimizer use them directly.",
                FutureWarning,
            )
            kwargs = {**kwargs, "grad_scaler": self}
        else:
            if state["stage"] is OptState.READY:
                self._check_inf_per_device(optimizer)
            optimizer.grad_scale = None if state["stage"] is OptState.UNSCALED else scale
            optimizer.found_inf = sum(state["found_inf_per_device"].values(), _core.zeros(()))
        result = optimizer.step(*args, **kwargs)
        state["stage"] = OptState.STEPPED
        if not takes_scaler:
            del optimizer.grad_scale, optimizer.found_inf
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the factor after the steps of an iteration, or make it `new_scale`."""
        if not self._enabled:
            return
        scale = self._made("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.FloatTensor or torch.cuda.FloatTensor with "
                    "requires_grad=False."
                )
            scale.fill_(new_scale.item() if isinstance(new_scale, Tensor) else new_scale)
        else:
            found = [x for state in self._per_optimizer_states.values() for x in state["found_inf_per_device"].values()]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            self._adapt(scale, any(x.item() for x in found))
        self._per_optimizer_states = defaultdict(_refresh_per_optimizer_state)

    def _adapt(self, scale: Tensor, found_inf: bool) -> None:
        assert self._growth_tracker is not None
        successes = 0 if found_inf else int(self._growth_tracker.item()) + 1
        if found_inf:
            scale.mul_(self._backoff_factor)
        elif successes == self._growth_interval:
            grown = (scale * self._growth_factor).item()
            if isfinite(grown):
                scale.fill_(grown)
            successes = 0
        self._growth_tracker.fill_(successes)

    def _check_inf_per_device(self, optimizer: Optimizer) -> dict[Device, Tensor]:
        """Note whether a gradient is not finite, and leave all as they are."""
        found = self._unscale_grads_(optimizer, _core.ones(()), _core.zeros(()), True)
        self._per_optimizer_states[id(optimizer)]["found_inf_per_device"] = found
        return found

    def get_scale(self) -> float:
        """The factor; 1 if scaling is off."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """What the factor grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Make it grow by another one."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Make it shrink by another one."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps in a row the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Make it grow after another number of steps."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        if not self._enabled:
            return 0
        return self._init_growth_tracker if self._growth_tracker is None else int(self._growth_tracker.item())

    def is_enabled(self) -> bool:
        """Whether losses are scaled at all."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The factor, how it changes, and how many steps there were since it did; empty if scaling is off."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken. RuntimeError if it is empty."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._init_growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._scale.fill_(self._init_scale)
        if self._growth_tracker is not None:
            self._growth_tracker.fill_(self._init_growth_tracker)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._enabled:
            if self._per_optimizer_states:
                raise AssertionError(
                    "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                    "scaler.update()."
                )
            state |= {"_init_scale": self.get_scale(), "_init_growth_tracker": self._get_growth_tracker()}
            state |= {"_scale": None, "_growth_tracker": None}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
