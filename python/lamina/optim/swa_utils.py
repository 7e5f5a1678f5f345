"""Averages of a model's weights along its training: equal ones (SWA) and exponential ones (EMA)."""

from __future__ import annotations

from copy import deepcopy
from itertools import chain
from math import cos, pi

from .. import _core
from ..autograd import no_grad
from ..nn import Module
from ..nn.modules.batchnorm import _BatchNorm
from .lr_scheduler.scheduler import LRScheduler, copied, value_for_each_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal

    from .._core import Tensor
    from .._typing import Device
    from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The exponential average of one tensor: ``decay * average + (1 - decay) * current``."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The equal average of one tensor, of which `num_averaged` values are already in it."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (int(num_averaged) + 1)

    return swa_update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Iterable[Tensor], Iterable[Tensor], Any], None]:
    """The exponential averages of many tensors, in place; counts and masks take the current value."""
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param_list: Iterable[Tensor], current_param_list: Iterable[Tensor], _: Any) -> None:
        for average, current in zip(ema_param_list, current_param_list):
            if average.is_floating_point():
                average.add_((current - average) * (1 - decay))
            else:
                average.copy_(current)

    return ema_update


def get_swa_multi_avg_fn() -> Callable[[Iterable[Tensor], Iterable[Tensor], Any], None]:
    """The equal averages of many tensors, in place."""

    @no_grad()
    def swa_update(
        averaged_param_list: Iterable[Tensor], current_param_list: Iterable[Tensor], num_averaged: Any
    ) -> None:
        share = 1 / (int(num_averaged) + 1)
        for average, current in zip(averaged_param_list, current_param_list):
            average.add_(((current - average) * share).to(average.dtype))

    return swa_update


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


class AveragedModel(Module):
    """A copy of `model` whose parameters are averages; `update_parameters` takes the next ones in.

    The average is equal (Izmailov et al., Averaging Weights Leads to Wider Optima, 2018), or
    ``avg_fn(average, current, n_averaged)`` for each tensor, or ``multi_avg_fn(averages, currents, n_averaged)`` for
    all, in place. Buffers are averaged with `use_buffers` and otherwise copied.
    """

    if TYPE_CHECKING:
        n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Device = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[list[Tensor], list[Tensor], Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _core.tensor(0, dtype=_core.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` into the averages; the first time they are copied."""
        with no_grad():
            averages, currents = self._tensors(self.module), self._tensors(model)
            count = int(self.n_averaged)
            if count == 0:
                for average, current in zip(averages, currents):
                    average.copy_(current)
            elif self.avg_fn is None:
                (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, currents, self.n_averaged)
            else:
                for average, current in zip(averages, currents):
                    average.copy_(self.avg_fn(average, current, self.n_averaged))
            if not self.use_buffers:
                for own, buffer in zip(self.module.buffers(), model.buffers()):
                    own.detach().copy_(buffer.detach())
            self.n_averaged += 1

    def _tensors(self, model: Module) -> list[Tensor]:
        tensors = chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()
        return [tensor.detach() for tensor in tensors]


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Device = None) -> None:
    """Compute the running statistics of `model`'s batch normalizations anew, in one pass over `loader`.

    Batches are tensors, or lists or tuples whose first element is the model's input.
    """
    momenta: dict[_BatchNorm, float | None] = {}
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.reset_running_stats()
            momenta[module] = module.momentum
    if not momenta:
        return
    was_training = model.training
    model.train()
    for module in momenta:
        module.momentum = None  # the average over all batches
    for batch in loader:
        data = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(data if device is None else data.to(device))
    for module, momentum in momenta.items():
        module.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From each group's rate to `swa_lr` (one or a list) in `anneal_epochs` epochs, then constant.

    The way is half a cosine ("cos") or a line ("linear"). Rates that others change meanwhile are taken into account.
    ValueError for options that make no sense.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        last_epoch: int = -1,
    ) -> None:
        for group, rate in zip(optimizer.param_groups, value_for_each_group("swa_lr", optimizer, swa_lr)):
            group["swa_lr"] = copied(rate)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy: str = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way is done after `step` epochs, from 0 to 1."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - cos(pi * t)) / 2

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            end = group["swa_lr"]
            # Where the way began, if the rate of now lies on it.
            start = end if before == 1 else (group["lr"] - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
