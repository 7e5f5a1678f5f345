"""What runs a module's full backward hooks: markers around its forward in the gradient graph."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..autograd.function import Function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .modules import Module

    Gradients = tuple[Tensor | None, ...]

__all__ = ["BackwardHook"]


class BackwardHook:
    """The hooks of one call of `module`: `user_hooks` see (and replace) the gradients of the tensors among its
    arguments, `user_pre_hooks` those of the tensors among its results.

    The tensors are passed through as views whose gradients the hooks wait for. These views refuse in-place operations:
    what forward would change is not what its caller holds.
    """

    def __init__(
        self,
        module: Module,
        user_hooks: Sequence[Callable[..., Any]],
        user_pre_hooks: Sequence[Callable[..., Any]],
    ) -> None:
        self.module = module
        self.user_hooks = user_hooks
        self.user_pre_hooks = user_pre_hooks
        self.input_count = 0
        self.watches_inputs = False
        self.unreached: list[Callable[[], Tensor | None]] = []
        self.grad_outputs: Gradients | None = None

    def setup_input_hook(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """`args` with their tensors watched."""
        self.input_count = len(args)
        self.unreached = [_zeros_for(arg) for arg in args]
        watched, self.watches_inputs = _watch(args, self._inputs_reached)
        return watched

    def setup_output_hook(self, result: Any) -> Any:
        """The module's result, a tensor or a (named) tuple, with its tensors watched."""
        if isinstance(result, tuple):
            watched, _ = _watch(result, self._outputs_reached)
            return type(result)(*watched) if hasattr(result, "_fields") else watched
        return _watch((result,), self._outputs_reached)[0][0]

    def _outputs_reached(self, gradients: Gradients) -> Gradients:
        for hook in self.user_pre_hooks:
            gradients = _checked(hook(self.module, gradients), gradients, "pre hook", "grad_output")
        if self.watches_inputs:
            self.grad_outputs = gradients
            return gradients
        for hook in self.user_hooks:
            result = hook(self.module, (None,) * self.input_count, gradients)
            if result is not None and not (isinstance(result, tuple) and all(each is None for each in result)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
        return gradients

    def _inputs_reached(self, gradients: Gradients) -> Gradients:
        if self.grad_outputs is None:  # the gradient did not come through the module's result
            return gradients
        gradients = tuple(zeros() if each is None else each for each, zeros in zip(gradients, self.unreached))
        for hook in self.user_hooks:
            gradients = _checked(hook(self.module, gradients, self.grad_outputs), gradients, "hook", "grad_input")
        self.grad_outputs = None
        return gradients


class _Together(Function):
    """Its arguments: if a backward pass comes to one of them, the others get zeros."""

    @staticmethod
    def forward(ctx: Any, *tensors: Tensor) -> Any:
        return tuple(tensor.view_as(tensor) for tensor in tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor | None) -> Any:
        return tuple(None if each is None else each.view_as(each) for each in tangents)


def _zeros_for(value: Any) -> Callable[[], Tensor | None]:
    """What makes the gradient of a tensor that a backward pass did not come to; None for what is no tensor."""
    if not isinstance(value, Tensor):
        return lambda: None
    shape, dtype, device = value.shape, value.dtype, value.device
    return lambda: _core.zeros(shape, dtype=dtype, device=device)


def _checked(result: Any, before: Gradients, kind: str, what: str) -> Gradients:
    if result is None:
        return before
    if isinstance(result, Tensor):
        result = (result,)
    if len(result) != len(before):
        raise RuntimeError(
            f"Backward {kind} returned an invalid number of {what}, got {len(result)}, but expected {len(before)}"
        )
    return tuple(result)


def _watch(values: tuple[Any, ...], reached: Callable[[Gradients], Gradients]) -> tuple[tuple[Any, ...], bool]:
    """`values` with views in the place of its tensors that require a gradient, and whether there are any.

    `reached` is called in a backward pass once all their gradients are known, None for those that have none, and
    returns what goes on from here; zeros, where that is None.
    """
    places = [i for i, value in enumerate(values) if isinstance(value, Tensor) and value.requires_grad]
    if not places or not _core.is_grad_enabled():
        return tuple(values), False
    views = list(values)
    if len(places) > 1 and not any(_core._is_example(values[i]) for i in places):  # vmap has no rule for it
        for i, view in zip(places, _Together.apply(*(values[i] for i in places))):
            views[i] = view
    # A pass visits the newest tensors first. So when it comes to the first of an older row of views, it has been to all
    # of a younger row that it reaches at all: the younger collect, the older give out.
    collected: dict[int, Tensor] = {}
    given_out: Gradients | None = None

    def collect(place: int) -> Callable[[Tensor], None]:
        def hook(gradient: Tensor) -> None:
            collected[place] = gradient

        return hook

    def give_out(place: int) -> Callable[[Tensor], Tensor | None]:
        def hook(gradient: Tensor) -> Tensor | None:
            nonlocal given_out
            if collected:
                gradients = tuple(collected.get(i) for i in range(len(values)))
                collected.clear()
                given_out = None
                given_out = reached(gradients)
            assert given_out is not None
            result = given_out[place]
            return _core.zeros_like(gradient) if result is None else result

        return hook

    for row in (give_out, collect):
        for place in places:
            views[place] = _core._backward_hook_view(views[place])
            views[place].register_hook(row(place))
    for place in places:  # hooks of users on these come first, then
        views[place] = _core._backward_hook_view(views[place])
    return tuple(views), True


def attach_non_full_hooks(
    module: Module, hooks: Sequence[Callable[..., Any]], args: tuple[Any, ...], result: Any
) -> None:
    """Have `hooks` called as ``hook(module, grad_input, grad_output)`` of the operation that made the result.

    That is the whole module only if its forward is a single operation; a FutureWarning says where it is not.
    """
    output = result
    while not isinstance(output, Tensor):
        output = next(v for v in output.values() if isinstance(v, Tensor)) if isinstance(output, dict) else output[0]
    grad_fn = output.grad_fn
    if grad_fn is None:
        return
    for hook in hooks:
        grad_fn.register_hook(_bound_to(module, hook))
    if (reason := _what_is_missed(args, result, grad_fn)) is not None:
        warn_caller(
            f"{reason} is deprecated and will be removed in future versions. This hook will be missing some gradients. "
            "Please use register_full_backward_hook to get the documented behavior.",
            FutureWarning,
        )


def _bound_to(module: Module, hook: Callable[..., Any]) -> Callable[..., Any]:
    return lambda grad_input, grad_output: hook(module, grad_input, grad_output)


def _what_is_missed(args: tuple[Any, ...], result: Any, grad_fn: Any) -> str | None:
    results = (result,) if isinstance(result, Tensor) else result
    if not (isinstance(results, tuple) and all(isinstance(each, Tensor) for each in results)):
        return "Using non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors"
    if not all(isinstance(each, Tensor) for each in args):
        return (
            "Using non-full backward hooks on a Module that does not take as input a single Tensor or a tuple of "
            "Tensors"
        )
    if {each.grad_fn for each in results if each.grad_fn is not None} != {grad_fn}:
        return "Using a non-full backward hook when outputs are generated by different autograd Nodes"
    known = {each.grad_fn for each in args}
    operands = [node for node, _ in grad_fn.next_functions if node is not None]
    if any(node.name() != "AccumulateGrad" and node not in known for node in operands):
        return "Using a non-full backward hook when the forward contains multiple autograd Nodes"
    return None
