"""``lamina.autograd.forward_ad``: forward mode on dual tensors, values whose tangents follow all that is computed.

Each operation records the derivative of its result along the tangents of its operands beside the result. Both are
ordinary values: they run together, and reverse mode goes through both.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients
from .modes import _Switch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class UnpackedDualTensor(NamedTuple):
        """What `unpack_dual` returns."""

        primal: Tensor
        tangent: Tensor | None
else:
    from collections import namedtuple

    UnpackedDualTensor = namedtuple("UnpackedDualTensor", ("primal", "tangent"))

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

_current_level = -1


def enter_dual_level() -> int:
    """Enter the level in which duals are made and followed, and return its number, 0.

    RuntimeError if it is entered already: levels do not nest.
    """
    global _current_level
    _current_level = _core._enter_dual_level()
    return _current_level


def exit_dual_level(*, level: int | None = None) -> None:
    """Leave the level. All tangents are gone; the tensors stay."""
    global _current_level
    if level is not None and level != _current_level:
        raise RuntimeError(
            "Trying to exit a forward AD level that was not the last one that was created. This is not supported."
        )
    if _current_level < 0:
        raise RuntimeError("Trying to exit a forward AD level, but none is entered: enter_dual_level() first.")
    _core._exit_dual_level()
    _current_level = -1


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Tensor:
    """A view of `tensor` that has a tangent, of its shape and dtype.

    The tangent is the very tensor given, or, if it lies in memory in another way than `tensor`, a copy.

    >>> import lamina.autograd.forward_ad as fwd
    >>> with fwd.dual_level():
    ...     x = fwd.make_dual(lamina.tensor(3.0), lamina.tensor(1.0))
    ...     fwd.unpack_dual(x * x).tangent
    tensor(6.)
    """
    if (_current_level if level is None else level) < 0:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for given, name in ((tensor, "primal"), (tangent, "tangent")):
        if not has_gradients(given):
            raise ValueError(f"Expected {name} to be floating point or complex, but got: {given.dtype}")
    return _core._make_dual(tensor, tangent)


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """``(primal, tangent)``: a view of the tensor without its tangent, and that, or None if it has none."""
    if (_current_level if level is None else level) < 0:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(_core._dual_view(tensor, None), _core._tangent_of(tensor))


class dual_level(_Switch):  # noqa: N801
    """``with dual_level():`` enters the level for the block; also a decorator."""

    def __enter__(self) -> int:  # type: ignore[override]
        return enter_dual_level()

    def __exit__(self, *exception: object) -> None:
        exit_dual_level()


class _set_fwd_grad_enabled(_Switch):  # noqa: N801
    """Whether tangents are followed in this thread, from now on or for a block."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self.before = _core._follow_tangents(mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _core._follow_tangents(self.before)


def _is_fwd_grad_enabled() -> bool:
    return _core._follows_tangents()
