"""What all schedules share: they count epochs and write each parameter group's learning rate."""

from __future__ import annotations

from ..._core import Tensor
from ..._warning import warn_caller
from ..optimizer import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["EPOCH_DEPRECATION_WARNING", "LRScheduler", "copied", "set_option", "value_for_each_group"]

EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)
_MANUAL = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


def copied(value: Any) -> Any:
    """`value`; a tensor as a copy, which later changes in place do not reach."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def set_option(group: dict[str, Any], name: str, value: Any) -> None:
    """Write an option of a parameter group; one that is a tensor is changed in place and so stays that tensor."""
    if isinstance(group[name], Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def value_for_each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """A value for every parameter group, from one for all or a list. ValueError if the list has another length."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        return [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {len(groups)}."
        )
    return list(value)


class LRScheduler:
    """Base of schedules: a subclass defines `get_lr`, the rates of all groups at epoch ``self.last_epoch``.

    With ``last_epoch=-1`` the optimizer's rates are noted as ``group["initial_lr"]`` and the schedule begins; otherwise
    it goes on behind that epoch, and the groups must have an ``"initial_lr"`` (KeyError). A subclass may define
    ``_get_closed_form_lr``, the rates computed from the epoch alone; `get_lr` computes them from those before, so that
    several schedules of one optimizer multiply.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] when resuming scheduler with "
                    "last_epoch >= 0. Load the optimizer's state first, or begin with last_epoch=-1"
                )
        self.base_lrs = [copied(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch: Any = last_epoch
        if optimizer._opt_called is None:
            optimizer._opt_called = False  # from now on it tells whether a step was taken
        self._step_of_optimizer = _function(optimizer.step)
        self._initial_step()

    def _initial_step(self) -> None:
        """Write the rates of the first epoch, which the user did not step to."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def get_lr(self) -> list[Any]:
        """The rates at ``self.last_epoch``; called by `step` only: users want `get_last_lr`."""
        raise NotImplementedError

    def get_last_lr(self) -> list[Any]:
        """The rates that were written last, one a group."""
        return self._last_lr

    def step(self, epoch: Any = None) -> None:
        """Go to the next epoch. Call it after ``optimizer.step()``; the other order warns.

        `epoch` is deprecated: the epoch to go to instead.
        """
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warn_caller(EPOCH_DEPRECATION_WARNING)
        self._update_lr(epoch)

    def _update_lr(self, epoch: Any = None) -> None:
        closed_form = getattr(self, "_get_closed_form_lr", None)
        self._get_lr_called_within_step = True
        try:
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                values = self.get_lr() if closed_form is None else closed_form()
        finally:
            self._get_lr_called_within_step = False
        self._write(values)

    def _write(self, values: Sequence[Any]) -> None:
        for group, value in zip(self.optimizer.param_groups, values):
            set_option(group, "lr", value)
        self._note_rates()

    def _note_rates(self) -> None:
        self._last_lr = self._rates()

    def _rates(self) -> list[Any]:
        """The groups' rates as they are now."""
        return [copied(group["lr"]) for group in self.optimizer.param_groups]

    def _scaled(self, factor: Any) -> list[Any]:
        """The groups' rates times `factor`."""
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warn_caller("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.")

    def _check_order(self) -> None:
        if _function(self.optimizer.step) is not self._step_of_optimizer:
            warn_caller(
                "Seems like `optimizer.step()` has been overridden after the learning rate scheduler was made. Please, "
                f"make sure to call `optimizer.step()` before `lr_scheduler.step()`. See {_MANUAL}"
            )
        elif not self.optimizer._opt_called:
            warn_caller(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                f"otherwise the first value of the schedule is skipped. See {_MANUAL}"
            )

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows, without its optimizer."""
        return self._state_without()

    def _state_without(self, *names: str) -> dict[str, Any]:
        hidden = {"optimizer", "_step_of_optimizer", *names}
        return {name: value for name, value in self.__dict__.items() if name not in hidden}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.__dict__.update(state_dict)


def _function(step: Callable[..., Any]) -> Callable[..., Any]:
    """What a bound method calls; it is kept, so no cycle may lead from here to the optimizer."""
    return getattr(step, "__func__", step)
