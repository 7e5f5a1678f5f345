"""Branches and loops as functions, as programs have them that are written to be exported; Python's own do the same."""

from __future__ import annotations

from ._core import Tensor
from .autograd.trees import flatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["cond", "while_loop"]


def cond(
    pred: bool | int | float | Tensor,
    true_fn: Callable[..., Any],
    false_fn: Callable[..., Any],
    operands: tuple[Any, ...] | list[Any] = (),
) -> Any:
    """``true_fn(*operands)`` if `pred`, otherwise ``false_fn(*operands)``.

    RuntimeError unless `pred` is a number or a tensor of one element, and `operands` a tuple, possibly nested, of
    tensors.
    """
    if not isinstance(pred, (bool, int, float, Tensor)):
        raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
    if isinstance(pred, Tensor) and pred.numel() != 1:
        raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
    if not (callable(true_fn) and callable(false_fn)):
        raise RuntimeError(f"Expect both branches to be callable, but got {true_fn} and {false_fn}.")
    _check_operands("operands", operands, (Tensor,))
    return true_fn(*operands) if pred else false_fn(*operands)


def while_loop(
    cond_fn: Callable[..., Any], body_fn: Callable[..., Any], carried_inputs: tuple[Any, ...] | list[Any]
) -> tuple[Any, ...]:
    """`carried_inputs`, each time exchanged for what `body_fn` returns for them, while `cond_fn` of them holds.

    RuntimeError unless `body_fn` returns as many tensors, of their types and shapes, and `cond_fn` a bool or a tensor
    of one element.
    """
    if not (callable(cond_fn) and callable(body_fn)):
        raise RuntimeError("Expect cond_fn and body_fn to be callable.")
    _check_operands("carried_inputs", carried_inputs, (Tensor, int, float))
    carried = tuple(carried_inputs)
    while _holds(cond_fn(*carried)):
        found = body_fn(*carried)
        found = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        _check_alike(found, carried)
        carried = found
    return carried


def _check_operands(name: str, operands: Any, kinds: tuple[type, ...]) -> None:
    if not isinstance(operands, (tuple, list)) or not all(isinstance(x, kinds) for x in flatten(operands)[0]):
        allowed = " or ".join(kind.__name__ for kind in kinds)
        raise RuntimeError(
            f"Expect {name} to be a tuple of possibly nested dict/list/tuple of {allowed}, got {operands}"
        )


def _holds(answer: Any) -> bool:
    if isinstance(answer, Tensor) and answer.numel() != 1:
        raise RuntimeError(f"cond_fn should return a boolean scalar tensor or a boolean, but got shape {answer.shape}.")
    if not isinstance(answer, (Tensor, bool, int)):
        raise RuntimeError(f"cond_fn should return a boolean scalar tensor or a boolean, but got {answer}.")
    return bool(answer)


def _check_alike(found: tuple[Any, ...], carried: tuple[Any, ...]) -> None:
    if len(found) != len(carried):
        raise RuntimeError(
            "Expected body_fn_output and carried_inputs to have same number of outputs but got "
            f"{len(found)} and {len(carried)}"
        )
    for new, old in zip(flatten(found)[0], flatten(carried)[0], strict=True):
        kinds = [(x.dtype, tuple(x.shape)) if isinstance(x, Tensor) else type(x) for x in (new, old)]
        if kinds[0] != kinds[1]:
            raise RuntimeError(f"Expected body_fn_output and carried_inputs to have the same metadata, got {kinds}")
