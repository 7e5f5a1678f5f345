"""L-BFGS: Newton's method with the curvature seen in the last steps."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd import no_grad
from .line_search import strong_wolfe
from .optimizer import Optimizer
from .options import check_options, run_closure
from .parameterwise import parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Steps along the gradient times an estimate of the inverse Hessian, made of the last `history_size` steps.

    Source: Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.4. One `step` takes up to `max_iter` of them
    and evaluates the closure, which it must be given, up to `max_eval` times (default ``max_iter * 5 // 4``). It ends
    earlier where the largest gradient is at most `tolerance_grad` or a change at most `tolerance_change`. Steps are of
    length `lr`, or found by a line search with ``line_search_fn="strong_wolfe"``. All parameters are one group
    (ValueError otherwise).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_options(lr=lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params: list[Tensor] = self.param_groups[0]["params"]

    def _flat_grad(self) -> Tensor:
        gradients = [(_core.zeros_like(p) if p.grad is None else p.grad).detach() for p in self._params]
        return _core.cat([parts(gradient).reshape(-1) for gradient in gradients])

    def _move(self, length: Any, direction: Tensor) -> None:
        start = 0
        for parameter in map(parts, self._params):
            count = parameter.numel()
            parameter.add_(direction[start : start + count].reshape(parameter.shape) * length)
            start += count

    def _restore(self, values: list[Tensor]) -> None:
        for parameter, value in zip(self._params, values):
            parameter.copy_(value)

    @no_grad()
    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Minimize what `closure` computes; returns its first value. The closure computes the gradients anew."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        group = self.param_groups[0]
        self._params = group["params"]
        # All parameters are one vector; its state is kept with the first of them.
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        def evaluate() -> tuple[Any, float]:
            loss = run_closure(closure)
            state["func_evals"] += 1
            return loss, float(loss)

        result, loss = evaluate()
        evaluations = 1
        gradient = self._flat_grad()
        if _largest(gradient) <= group["tolerance_grad"]:
            return result
        tolerance = group["tolerance_change"]
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            first = state["n_iter"] == 1
            direction = _direction(state, gradient, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = gradient.clone(), loss
            lr = float(group["lr"])
            length = min(1.0, 1.0 / float(gradient.abs().sum())) * lr if first else lr
            slope = float(gradient.dot(direction))
            state["t"] = length
            if slope > -tolerance:
                break
            if group["line_search_fn"] is None:
                self._move(length, direction)
                spent = 0
                if iteration != group["max_iter"]:
                    loss = evaluate()[1]
                    gradient = self._flat_grad()
                    spent = 1
            elif group["line_search_fn"] == "strong_wolfe":
                start = [parameter.clone() for parameter in self._params]

                def at(distance: float) -> tuple[float, Tensor]:
                    self._move(distance, direction)  # noqa: B023  # called within this iteration only
                    value = evaluate()[1]
                    there = self._flat_grad()
                    self._restore(start)  # noqa: B023
                    return value, there

                left = group["max_eval"] - evaluations
                loss, gradient, length, spent = strong_wolfe(at, length, direction, loss, gradient, slope, left)
                self._move(length, direction)
            else:
                raise RuntimeError("only 'strong_wolfe' is supported")
            state["t"] = length
            evaluations += spent
            if (
                evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(direction) * length <= tolerance
                or abs(loss - state["prev_loss"]) < tolerance
            ):
                break
        _core.flush()
        return result


def _largest(vector: Tensor) -> float:
    return float(vector.abs().max()) if vector.numel() else 0.0


def _direction(state: dict[str, Any], gradient: Tensor, history: int) -> Tensor:
    """Minus the estimated inverse Hessian times `gradient`, by the two loops of algorithm 7.4."""
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
        state["d"] = -gradient
        return -gradient
    change = gradient - state["prev_flat_grad"]
    step = state["d"] * state["t"]
    curvature = float(change.dot(step))
    if curvature > 1e-10:
        if len(state["old_dirs"]) == history:
            for kept in ("old_dirs", "old_stps", "ro"):
                state[kept].pop(0)
        state["old_dirs"].append(change)
        state["old_stps"].append(step)
        state["ro"].append(1.0 / curvature)
        state["H_diag"] = curvature / float(change.dot(change))
    direction: Tensor = -gradient
    weights = []
    for change, step, inverse in reversed(list(zip(state["old_dirs"], state["old_stps"], state["ro"]))):
        weights.append(step.dot(direction) * inverse)
        direction = direction - change * weights[-1]
    direction = direction * state["H_diag"]
    for change, step, inverse, weight in zip(state["old_dirs"], state["old_stps"], state["ro"], reversed(weights)):
        direction = direction + step * (weight - change.dot(direction) * inverse)
    state["d"] = direction
    return direction
