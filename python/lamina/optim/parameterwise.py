"""Optimisers that update each parameter on its own, by a formula of its gradient and its state."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd import set_grad_enabled
from .optimizer import Optimizer
from .options import number, run_closure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ParameterwiseOptimizer", "follow", "follow_square", "parts"]


class ParameterwiseOptimizer(Optimizer):
    """A subclass says how a parameter's state starts (`_start`) and how a step changes both (`_update`).

    All updates are recorded, and the step's end runs them: forward, backward and update are one program. Step counts
    are plain numbers, as are learning rates: they enter the program as scalars, so no step makes a new plan. With
    ``differentiable`` the updates are part of the gradient's graph.
    """

    counts_steps = True

    def _start(self, parameter: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError

    def _update(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns what `closure` returned."""
        loss = run_closure(closure)
        for group in self.param_groups:
            params, grads = _core._with_gradients(group["params"])
            if params:
                self._step_group(group, params, grads)
        _core.flush()
        return loss

    def _step_group(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        with set_grad_enabled(group.get("differentiable", False)):
            self._step_each(group, params, grads)

    def _step_each(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        differentiable = group.get("differentiable", False)
        lr = number(group["lr"], differentiable)
        for parameter, gradient in zip(params, grads):
            state = self.state[parameter]
            if not state:
                self._start(parameter, state, group)
            if differentiable:
                # What this step changes in place, the gradients of the steps before may read.
                state.update({name: value.clone() for name, value in state.items() if isinstance(value, Tensor)})
            if self.counts_steps:
                state["step"] = int(state.get("step", 0)) + 1
            if group.get("maximize"):
                gradient = -gradient
            if parameter.is_complex():
                self._step_parts(parameter, gradient, state, lr, group)
                continue
            gradient = self._decayed(parameter, gradient, lr, group)
            self._update(parameter, gradient, state, lr, group)

    def _step_parts(
        self, parameter: Tensor, gradient: Tensor, state: dict[str, Any], lr: Any, group: dict[str, Any]
    ) -> None:
        """Real and imaginary parts are parameters of their own; their state is the parts of the complex state."""
        views = {name: parts(value) for name, value in state.items()}
        gradient = self._decayed(parts(parameter), parts(gradient), lr, group)
        self._update(parts(parameter), gradient, views, lr, group)
        state.update({name: value for name, value in views.items() if not isinstance(value, Tensor)})

    def _decayed(self, parameter: Tensor, gradient: Tensor, lr: Any, group: dict[str, Any]) -> Tensor:
        """The gradient with the weight decay in it, or the gradient after the decay of the parameter itself."""
        decay = number(group.get("weight_decay", 0), group.get("differentiable", False))
        if isinstance(decay, (int, float)) and decay == 0:
            return gradient
        if group.get("decoupled_weight_decay"):
            parameter.mul_(1 - lr * decay)
            return gradient
        decayed: Tensor = gradient + parameter * decay
        return decayed


def parts(value: Any) -> Any:
    """Complex numbers as pairs of real ones, as a view; anything else as it is."""
    return _core.view_as_real(value) if isinstance(value, Tensor) and value.is_complex() else value


def follow(mean: Tensor, value: Tensor, rate: Any) -> None:
    """Move a running mean towards `value`: ``mean = rate * mean + (1 - rate) * value``, in place."""
    mean.add_((value - mean) * (1 - rate))


def follow_square(mean: Tensor, value: Tensor, rate: Any) -> None:
    """The same towards the square of `value`."""
    mean.mul_(rate).add_(value * value * (1 - rate))
