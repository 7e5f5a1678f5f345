"""Forward mode through a `Function`: its ``jvp`` gives the outputs' tangents, and is held to what forward did."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .function import FunctionCtx

__all__ = ["is_among", "tangents_of", "with_tangents"]


def is_among(x: object, others: Sequence[object]) -> bool:
    return any(x is other for other in others)


def tangents_of(args: Sequence[object]) -> list[Tensor | None] | None:
    """The tangents of the arguments that have one; None if none has."""
    if not _core._tangents_followed():
        return None
    found = [_core._tangent_of(arg) if isinstance(arg, Tensor) else None for arg in args]
    return found if any(tangent is not None for tangent in found) else None


def _is_differentiable(x: object) -> bool:
    return isinstance(x, Tensor) and has_gradients(x)


class _Call:
    """What forward was given and has made, and with it the checks of what jvp returns."""

    def __init__(
        self,
        context: FunctionCtx,
        args: Sequence[Any],
        tangents: Sequence[Tensor | None],
        dirty: tuple[Tensor, ...],
    ) -> None:
        self.args, self.dirty, self.fixed = args, dirty, context._non_differentiable
        self.name = type(context).__name__
        self.given = [
            _core.zeros_like(arg)
            if tangent is None and context.materialize_grads and _is_differentiable(arg)
            else tangent
            for arg, tangent in zip(args, tangents, strict=True)
        ]
        self.versions = [None if tangent is None else tangent._version for tangent in self.given]

    def check(self, number: int, output: object, tangent: object) -> Tensor | None:
        if tangent is None:
            return None
        if not isinstance(tangent, Tensor):
            raise RuntimeError(f"{self.name}'s jvp function must return Tensors or None, got {type(tangent)}")
        if not _is_differentiable(output) or is_among(output, self.fixed):
            raise RuntimeError(
                f"{self.name}'s jvp function returned a gradient at position {number}, but the corresponding forward "
                "output is not a differentiable Tensor. You should return None at that position instead."
            )
        place = next((i for i, arg in enumerate(self.args) if arg is output or _shows(output, arg)), None)
        if is_among(output, self.dirty):
            assert place is not None
            if tangent is not self.given[place] or tangent._version == self.versions[place]:
                raise RuntimeError(
                    "An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is "
                    "modifying an input inplace, then the jvp function must modify the corresponding gradient inplace."
                )
        elif place is not None:
            self._check_view(tangent, self.given[place])
        return tangent

    def _check_view(self, tangent: Tensor, given: Tensor | None) -> None:
        if tangent._base is None:
            raise RuntimeError(
                "A custom Function's forward is returning a view (or an input as-is) but the jvp is not returning a "
                "view."
            )
        if given is None:
            return
        if given._base is not None:
            if tangent._base is not given._base:
                raise RuntimeError(
                    "A custom Function is returning a view but the jvp is not returning a view of the same base as the "
                    "given grad input."
                )
        elif tangent._base is not given:
            raise RuntimeError(
                "A custom Function is returning a view but the jvp is not returning a view of the given grad input."
            )


def _shows(output: object, arg: object) -> bool:
    """Is the output a view of the argument, or of what that is a view of?"""
    if not isinstance(output, Tensor) or not isinstance(arg, Tensor) or output._base is None:
        return False
    return output._base is arg or (arg._base is not None and output._base is arg._base)


def with_tangents(
    context: FunctionCtx,
    args: Sequence[Any],
    tangents: Sequence[Tensor | None],
    run: Callable[[], tuple[Any, Any, tuple[Tensor, ...]]],
) -> Any:
    """`run` calls forward and records it: (what forward returned, the outputs, what it has changed in place).

    The outputs get the tangents that jvp gives.
    jvp gets a tangent for each argument (zeros for a tensor that has none, None for what is no tensor), and from
    ``saved_tensors`` what ``save_for_forward`` was given.
    """
    before = _core._follow_tangents(False)
    try:
        raw, result, dirty = run()
        call = _Call(context, args, tangents, dirty)
        context._saved_for_jvp = context._to_save_for_forward
        try:
            found = type(context)._function.jvp(context, *call.given)  # type: ignore[attr-defined]
        finally:
            context._saved_for_jvp = None
        single = not isinstance(result, (tuple, list))
        raw, outputs = ((raw,), [result]) if single else (tuple(raw), list(result))
        found = found if isinstance(found, tuple) else (found,)
        if len(found) != len(outputs):
            raise RuntimeError(
                f"{call.name}'s jvp returned an invalid number of forward gradients (expected {len(outputs)} but got "
                f"{len(found)})"
            )
        checked = [call.check(i, x, tangent) for i, (x, tangent) in enumerate(zip(raw, found, strict=True))]
        for i, tangent in enumerate(checked):
            if tangent is not None:
                outputs[i] = _dual(outputs[i], tangent, is_among(raw[i], args) and not is_among(raw[i], call.dirty))
    finally:
        _core._follow_tangents(before)
    return outputs[0] if single else tuple(outputs)


def _dual(output: Tensor, tangent: Tensor, returned: bool) -> Tensor:
    """`returned`: it is an argument that forward has returned as it is, whose own tangent must stay."""
    if returned:
        return _core._dual_view(output, tangent)
    _core._set_tangent(output, tangent)
    return output
