"""``checkpoint``: a part of a model whose intermediate results are computed again in the backward pass, not kept."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..autograd.function import BackwardContext
from ..autograd.modes import enable_grad
from ..autograd.trees import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "set_checkpoint_early_stop"]


class CheckpointError(RuntimeError):
    """What was computed again is not what was computed before."""


class _Segment(BackwardContext):
    """The node of one checkpointed call; its operands are what the call's results come from."""

    call: Callable[[], Any]
    starts: Sequence[Tensor]  # the operands
    places: list[int]  # of the results with a history, among all leaves of what the call returns

    def _run_backward(self, gradients: tuple[Tensor | None, ...], retain_graph: bool) -> tuple[Tensor | None, ...]:
        create_graph = _core.is_grad_enabled()
        if not any(_core._is_example(x) for x in self.starts):
            _core.flush()  # the first pass ends here, so that its intermediate results are gone
        with enable_grad():
            everything, _ = flatten(self.call())
        results = [everything[place] for place in self.places]
        for before, now in zip(self._outputs, results, strict=True):
            if before != (tuple(now.shape), now.dtype):
                raise CheckpointError(
                    "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                    f"during the forward pass: saved {before}, recomputed {(tuple(now.shape), now.dtype)}"
                )
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


def _with_state(call: Callable[[], Any], state: Tensor | None) -> Callable[[], Any]:
    """`call` with the random generator set back to `state` meanwhile."""
    if state is None:
        return call

    def again() -> Any:
        now = _core.get_rng_state()
        _core.set_rng_state(state)
        try:
            return call()
        finally:
            _core.set_rng_state(now)

    return again


def _warn_of_default(name: str) -> None:
    import warnings

    warnings.warn(
        f"torch.utils.checkpoint.{name}: the use_reentrant parameter should be passed explicitly. use_reentrant=False "
        "is recommended; in lamina it is what both settings do.",
        stacklevel=3,
    )


class set_checkpoint_early_stop:  # noqa: N801
    """PyTorch's switch for ending the second call of a checkpointed function early, as a context manager.

    In lamina the second call always runs to its end, as with False, and only what a gradient reads is computed, as with
    True: operations are recorded, and those that nobody looks at are never run.
    """

    def __init__(self, enable: bool) -> None:
        self.enable = enable

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """``function(*args, **kwargs)``, but what it computes on the way is not kept for backward: it is computed again.

    The results may be nested tuples, lists and dicts. Gradients reach arguments and whatever else `function` uses
    (parameters of modules). With `preserve_rng_state` random numbers are the same both times. In lamina both settings
    of `use_reentrant` mean what PyTorch recommends: False.

    CheckpointError if the second call returns tensors of other shapes or types.

    >>> y = checkpoint(net, x, use_reentrant=False)
    """
    if use_reentrant is None:
        _warn_of_default("checkpoint")
    if use_reentrant and kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if not _core.is_grad_enabled():
        return function(*args, **kwargs)
    # What the arguments are now: they may be changed in place until backward.
    leaves, rebuild = flatten((args, kwargs))
    kept = [_core._same_value(x) if type(x) is Tensor else x for x in leaves]
    state = _core.get_rng_state() if preserve_rng_state else None
    start = _core._sequence()
    hooks = _core._exchange_saved_hooks(None, None)  # what is computed again is not saved
    try:
        results, rebuild_results = flatten(function(*args, **kwargs))
    finally:
        _core._exchange_saved_hooks(*(hooks or (None, None)))

    def call() -> Any:
        again_args, again_kwargs = rebuild(kept)
        return function(*again_args, **again_kwargs)

    given = {id(x) for x in leaves}
    places = [
        i for i, x in enumerate(results) if isinstance(x, Tensor) and x.grad_fn is not None and id(x) not in given
    ]
    if not places:
        return rebuild_results(results)
    segment = _Segment()
    segment.call, segment.places = _with_state(call, state), places
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
        _warn_of_default("checkpoint_sequential")
        use_reentrant = True
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
