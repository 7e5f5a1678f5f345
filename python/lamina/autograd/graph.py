"""``lamina.autograd.graph``: the recorded graph's nodes and edges, and hooks on several tensors at once."""

from __future__ import annotations

from collections import namedtuple

from .. import _core
from .._core import Node, Tensor
from .hooks import GradientHook
from .saved_tensors import disable_saved_tensors_hooks, save_on_cpu, saved_tensors_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
]

GradientEdge = namedtuple("GradientEdge", ["node", "output_nr"])
GradientEdge.__doc__ = "An output of a node: what a gradient is the gradient of."


def get_gradient_edge(tensor: Tensor) -> Any:
    """The edge of the graph that `tensor`'s gradient flows along; ``autograd.grad`` takes it for the tensor."""
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    node = tensor.grad_fn
    if node is None:  # a leaf: what a view of it comes from
        node = tensor.view_as(tensor).grad_fn.next_functions[0][0]
    return GradientEdge(node, tensor.output_nr)


class _Handles:
    """Several hooks taken back as one."""

    def __init__(self, handles: Sequence[GradientHook]) -> None:
        self.handles = tuple(handles)

    def remove(self) -> None:
        """Take the hooks back."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


def register_multi_grad_hook(tensors: Sequence[Tensor], fn: Callable[..., None], *, mode: str = "all") -> _Handles:
    """Call `fn` once a backward pass: with all gradients when the last is there, or (``"any"``) with the first.

    ``"all"``: ``fn(gradients)`` gets a list with None for tensors that the pass did not reach; a pass that reaches none
    calls nothing. ``"any"``: ``fn(gradient)``. RuntimeError if a tensor requires no gradient.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    for tensor in tensors:
        if not tensor.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    import threading

    class Pass(threading.local):  # threads go backward at the same time
        walk = 0  # the pass that `found` belongs to
        found: dict[int, Tensor | None] = {}  # noqa: RUF012

    current = Pass()

    def hook_for(place: int) -> Callable[[Tensor], None]:
        def hook(gradient: Tensor) -> None:
            if current.walk != _core._current_walk():
                current.walk, current.found = _core._current_walk(), {}
            found = current.found
            found[place] = gradient
            if mode == "any":
                if len(found) == 1:
                    fn(gradient)
            elif len(found) == sum(map(_core._current_walk_reaches, tensors)):
                fn([found.get(i) for i in range(len(tensors))])

        return hook

    return _Handles([tensor.register_hook(hook_for(place)) for place, tensor in enumerate(tensors)])


class allow_mutation_on_saved_tensors:  # noqa: N801
    """Within it what gradients read may be changed in place: they go on reading the old numbers.

    In lamina numbers are never overwritten where somebody still reads them, so nothing is cloned (PyTorch clones), and
    backward may run after the context has ended.
    """

    cloned: dict[object, object] = {}  # what had to be cloned: nothing  # noqa: RUF012
    tid_to_weakhandle: dict[object, object] = {}  # noqa: RUF012

    def __enter__(self) -> allow_mutation_on_saved_tensors:
        if _core._allow_changes_of_saved(True):
            raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
        return self

    def __exit__(self, *exception: object) -> None:
        _core._allow_changes_of_saved(False)
