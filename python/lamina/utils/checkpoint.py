"""``checkpoint``: a part of a model whose intermediate results are computed again in the backward pass, not kept."""

from __future__ import annotations

from contextlib import nullcontext

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..autograd.function import BackwardContext
from ..autograd.modes import enable_grad
from ..autograd.trees import flatten
from .checkpoint_comparison import (
    CheckpointError,
    SavedLog,
    debugs,
    early_stops,
    set_checkpoint_debug_enabled,
    set_checkpoint_early_stop,
)
from .checkpoint_reentrant import CheckpointFunction, get_device_states, set_device_states, with_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "checkpoint",
    "checkpoint_sequential",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]


def noop_context_fn() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """The contexts of both calls of a checkpointed function, if nobody asks for others."""
    return nullcontext(), nullcontext()


class _Segment(BackwardContext):
    """The node of one checkpointed call; its operands are what the call's results come from."""

    if TYPE_CHECKING:
        call: Callable[[], Any]
        starts: Sequence[Tensor]  # the operands
        places: list[int]  # of the results with a history, among all leaves of what the call returns
        saved: SavedLog

    def _run_backward(self, gradients: tuple[Tensor | None, ...], retain_graph: bool) -> tuple[Tensor | None, ...]:
        create_graph = _core.is_grad_enabled()
        if not any(_core._is_example(x) for x in self.starts):
            _core.flush()  # the first pass ends here, so that its intermediate results are gone
        with enable_grad(), self.saved.compared():
            everything, _ = flatten(self.call())
        results = [everything[place] for place in self.places]
        self.saved.compare_results(self._outputs, [(tuple(x.shape), x.dtype) for x in results])
        reached = [
            i for i, (x, g) in enumerate(zip(results, gradients, strict=True)) if g is not None and x.requires_grad
        ]
        if not reached:
            return (None,) * len(self.starts)
        found: tuple[Tensor | None, ...] = _core.grad(
            [results[i] for i in reached],
            self.starts,
            [gradients[i] for i in reached],
            create_graph,
            create_graph,
            True,
            cut_at_inputs=True,
        )
        return found


def _check_default(name: str) -> bool:
    warn_caller(
        f"torch.utils.checkpoint.{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False "
        "is recommended; the default is True."
    )
    return True


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, but what it computes on the way is not kept for backward: it is computed again.

    The results may be nested tuples, lists and dicts. Gradients reach arguments and whatever else `function` uses
    (parameters of modules). With `preserve_rng_state` random numbers are the same both times. ``context_fn()`` gives
    a context for each of the two calls. What gradients read must be the same both times: with `determinism_check`
    "default" in number, shape and type, with "none" in number. With `debug` the error lists the operations. The second
    call may save more, unless `early_stop` is off.

    `use_reentrant` (PyTorch's default, and not what it recommends) runs `function` without a history, and backward as
    a pass of its own: at least one argument must require a gradient, and ``autograd.grad`` is an error.

    CheckpointError if the second call differs.

    >>> y = checkpoint(net, x, use_reentrant=False)
    """
    if use_reentrant is None:
        use_reentrant = _check_default("checkpoint")
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve_rng_state, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    first, second = context_fn()
    if not _core.is_grad_enabled():
        with first:
            return function(*args, **kwargs)
    # What the arguments are now: they may be changed in place until backward.
    leaves, rebuild = flatten((args, kwargs))
    kept = [_core._same_value(x) if type(x) is Tensor else x for x in leaves]
    state = _core.get_rng_state() if preserve_rng_state else None
    start = _core._sequence()
    saved = SavedLog(determinism_check == "default", early_stops(early_stop), debugs(debug))
    hooks = _core._exchange_saved_hooks(None, None)  # what is computed again is not saved
    try:
        with first, saved.taken():
            results, rebuild_results = flatten(function(*args, **kwargs))
    finally:
        _core._exchange_saved_hooks(*(hooks or (None, None)))

    def call() -> Any:
        again_args, again_kwargs = rebuild(kept)
        with second:
            return function(*again_args, **again_kwargs)

    given = {id(x) for x in leaves}
    places = [
        i for i, x in enumerate(results) if isinstance(x, Tensor) and x.grad_fn is not None and id(x) not in given
    ]
    if not places:
        return rebuild_results(results)
    segment = _Segment()
    segment.call, segment.places, segment.saved = with_state(call, state), places, saved
    segment.starts = _core._frontier([results[place] for place in places], start)
    segment._outputs = [(tuple(results[place].shape), results[place].dtype) for place in places]
    # A view would be one of what was computed the first time.
    own = [x if x._base is None else _core._same_value(x) for x in (results[place] for place in places)]
    fresh = _core._function_outputs(segment, segment.starts, own, [], [])
    for place, result in zip(places, fresh, strict=True):
        results[place] = result
    return rebuild_results(results)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """A Sequential (or a list of functions) in `segments` parts of equal length, all but the last checkpointed."""
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if use_reentrant is None:
        use_reentrant = _check_default("checkpoint_sequential")
    steps = list(functions.children() if hasattr(functions, "children") else functions)

    def run(start: int, end: int) -> Callable[[Any], Any]:
        def forward(x: Any) -> Any:
            for step in steps[start:end]:
                x = step(x)
            return x

        return forward

    size, end = len(steps) // segments, 0
    for start in range(0, size * (segments - 1), size):
        end = start + size
        input = checkpoint(run(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(end, len(steps))(input)
