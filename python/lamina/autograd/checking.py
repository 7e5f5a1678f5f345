"""Comparing gradients with finite differences, element by element; a failure shows both numbers."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .._warning import warn_caller
from ..dtypes import has_gradients
from .engine import grad
from .modes import enable_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient differs from the finite differences, or cannot be checked."""


def _tensors(values: object) -> tuple[Tensor, ...]:
    return (values,) if isinstance(values, Tensor) else tuple(v for v in values if isinstance(v, Tensor))  # type: ignore[attr-defined]


def _differentiable(values: object) -> list[Tensor]:
    return [x for x in _tensors(values) if x.requires_grad and has_gradients(x)]


def flat_parts(x: Tensor) -> list[float]:
    """Its numbers in a row; of complex ones the parts, one after the other: derivatives are by these."""
    parts = _core.view_as_real(x.detach()) if x.is_complex() else x.detach()
    flat: list[float] = parts.double().reshape(-1).tolist()
    return flat


def count_parts(x: Tensor) -> int:
    """How many `flat_parts` there are."""
    return x.numel() * (2 if x.is_complex() else 1)


def from_parts(parts: Tensor, like: Tensor, *batch: int) -> Tensor:
    """The tensor of the type and shape of `like`, after those of `batch`, whose `flat_parts` these are."""
    parts = parts.to(like.dtype.to_real())
    if like.is_complex():
        return _core.view_as_complex(parts.reshape((*batch, *like.shape, 2)))
    return parts.reshape((*batch, *like.shape))


def _numerical(
    function: Callable[..., Any], inputs: Sequence[Any], x: Tensor, outputs: Sequence[Tensor], eps: float
) -> list[list[list[float]]]:
    """For each output, rows of d output / d x by central differences: one row an element of x.

    The elements are moved in place, wherever `function` gets x from: an argument, a container, an enclosing scope.
    """
    values = flat_parts(x)

    def outputs_at(element: int, value: float) -> list[list[float]]:
        moved = list(values)
        moved[element] = value
        x.data.copy_(from_parts(_core.tensor(moved, dtype=_core.float64), x))
        with enable_grad():  # as for the analytical side: what is returned may depend on it
            found = [y for y in _tensors(function(*inputs)) if has_gradients(y)]
        for y, expected in zip(found, outputs, strict=True):
            for what in ("shape", "dtype"):
                if getattr(y, what) != getattr(expected, what):
                    raise AssertionError(
                        f"Expected `func` to return outputs with the same {what} when inputs are perturbed on index "
                        f"{element}, but got {getattr(expected, what)} and {getattr(y, what)}"
                    )
        return [flat_parts(y) for y in found]

    original = x.detach().clone()
    rows: list[list[list[float]]] = [[] for _ in outputs]
    try:
        for element, value in enumerate(values):
            above, below = outputs_at(element, value + eps), outputs_at(element, value - eps)
            for of_output, highs, lows in zip(rows, above, below, strict=True):
                of_output.append([(high - low) / (2 * eps) for high, low in zip(highs, lows, strict=True)])
    finally:
        x.data.copy_(original)
    return rows


def _analytical(output: Tensor, inputs: Sequence[Tensor]) -> list[list[list[float]]]:
    """The same rows for each input, from one backward pass an element of the output."""
    columns: list[list[list[float]]] = [[] for _ in inputs]
    for element in range(count_parts(output)):
        weight = _core.zeros(count_parts(output), dtype=_core.float64)
        weight[element] = 1
        gradients = grad([output], inputs, [from_parts(weight, output)], retain_graph=True, allow_unused=True)
        for column, x, gradient in zip(columns, inputs, gradients, strict=True):
            column.append([0.0] * count_parts(x) if gradient is None else flat_parts(gradient))
    return [
        [list(row) for row in zip(*column, strict=True)] if column else [[] for _ in range(count_parts(x))]
        for column, x in zip(columns, inputs, strict=True)
    ]


def _mismatch(numerical: list[list[float]], analytical: list[list[float]], atol: float, rtol: float) -> str | None:
    for i, (row, other) in enumerate(zip(numerical, analytical, strict=True)):
        for j, (expected, got) in enumerate(zip(row, other, strict=True)):
            if not (abs(expected - got) <= atol + rtol * abs(expected) or expected == got):
                return f"element ({i}, {j}): numerical {expected!r}, analytical {got!r}"
    return None


def gradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_batched_grad: bool = False,
    check_grad_dtypes: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of `func` at `inputs` agree with central differences to `atol` and `rtol`.

    Inputs should be float64. Every output element is differentiated by every element of each input that requires a
    gradient: by reverse mode unless `check_backward_ad` is False, and with `check_forward_ad` by forward mode, too.
    `nondet_tol` bounds how much two backward passes may differ. With `check_batched_grad` one vectorised pass
    (`is_grads_batched`) must give what single ones do; `check_batched_forward_grad` asks the same of forward mode under
    `vmap`. With `check_undefined_grad` a tangent that is missing must do what zeros do; gradients made of ordinary
    operations could not fail the like. `fast_mode` is accepted; the check is always the full one.
    GradcheckError (False without `raise_exception`) tells both numbers of the first mismatch.
    """
    assert check_forward_ad or check_backward_ad, (
        "Expected at least one of check_forward_ad or check_backward_ad to be True"
    )
    assert not check_batched_grad or check_backward_ad, (
        "Setting check_batched_grad=True requires check_backward_ad to be True"
    )
    assert not check_batched_forward_grad or check_forward_ad, (
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True"
    )
    given: tuple[Any, ...] = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    try:
        checked = _checked_inputs(given)
        with enable_grad():
            outputs = [y for y in _tensors(func(*given)) if has_gradients(y)]
        # All backward passes come before the inputs are moved.
        if check_backward_ad:
            reverse = [
                _checked_analytical(y, checked, nondet_tol, check_batched_grad, check_grad_dtypes, number)
                for number, y in enumerate(outputs)
            ]
        by_input = [_numerical(func, given, x, outputs, eps) for x in checked]
        numerical = [[rows[number] for rows in by_input] for number in range(len(outputs))]
        if check_backward_ad:
            for output, rows, expected in zip(outputs, reverse, numerical, strict=True):
                if not output.requires_grad and any(
                    _mismatch(e, r, atol, 0.0) for e, r in zip(expected, rows, strict=True)
                ):
                    raise GradcheckError(
                        "Numerical gradient for function expected to be zero: an output does not require a gradient"
                    )
            _compare(numerical, reverse, outputs, atol, rtol, "Jacobian mismatch")
        if check_forward_ad:
            from .checking_forward import check_batched_tangents, check_missing_tangents, forward_jacobians

            forward = forward_jacobians(func, given, checked, outputs)
            _compare(numerical, forward, outputs, atol, rtol, "Jacobian computed with forward mode mismatch")
            if check_undefined_grad:
                check_missing_tangents(func, given, checked)
            if check_batched_forward_grad:
                check_batched_tangents(func, given, checked)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _checked_inputs(given: tuple[Any, ...]) -> list[Tensor]:
    """Those to differentiate by."""
    checked = _differentiable(given)
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for x in checked:
        if x.dtype.to_real() != _core.float64:
            warn_caller(f"gradcheck: an input is {x.dtype}; differences need float64 to be meaningful")
    return checked


def _compare(
    numerical: list[list[list[list[float]]]],
    analytical: list[list[list[list[float]]]],
    outputs: list[Tensor],
    atol: float,
    rtol: float,
    what: str,
) -> None:
    for number, (output, expected, got) in enumerate(zip(outputs, numerical, analytical, strict=True)):
        for place, (rows, others) in enumerate(zip(expected, got, strict=True)):
            for prefix, part in _PARTS if output.is_complex() else (("", slice(None)),):
                found, given = [row[part] for row in rows], [row[part] for row in others]
                if problem := _mismatch(found, given, atol, rtol):
                    raise GradcheckError(
                        f"{prefix}{what} for output {number} with respect to input {place} at "
                        f"{problem}\nnumerical: {found}\nanalytical: {given}"
                    )


_PARTS = (
    ("While considering the imaginary part of complex outputs only, ", slice(1, None, 2)),
    ("While considering the real part of complex outputs only, ", slice(0, None, 2)),
)


def _checked_analytical(
    output: Tensor,
    inputs: Sequence[Tensor],
    nondet_tol: float,
    check_batched_grad: bool,
    check_grad_dtypes: bool,
    number: int,
) -> list[list[list[float]]]:
    if not output.requires_grad:
        return [[[0.0] * count_parts(output) for _ in range(count_parts(x))] for x in inputs]
    analytical, again = _analytical(output, inputs), _analytical(output, inputs)
    for place, (x, rows, others) in enumerate(zip(inputs, analytical, again, strict=True)):
        where = f"output {number}, input {place}"
        if _mismatch(rows, others, nondet_tol, 0.0):
            raise GradcheckError(f"Backward is not reentrant: two passes differ for {where}")
        if check_batched_grad and (problem := _mismatch(_batched(output, x), rows, 1e-8, 1e-5)):
            raise GradcheckError(
                f"gradcheck or gradgradcheck failed while testing batched gradient computation of {where}: {problem}"
            )
        if check_grad_dtypes:
            (gradient,) = grad([output], [x], [_core.ones_like(output)], retain_graph=True, allow_unused=True)
            if gradient is not None and gradient.dtype != x.dtype:
                raise GradcheckError(f"gradient of {where} is {gradient.dtype}, expected {x.dtype}")
    return analytical


def _batched(output: Tensor, x: Tensor) -> list[list[float]]:
    """Rows as `_analytical`, by one pass for all elements of the output."""
    count = count_parts(output)
    seeds = from_parts(_core.eye(count), output, count)
    (gradient,) = grad([output], [x], [seeds], retain_graph=True, allow_unused=True, is_grads_batched=True)
    if gradient is None or not count:
        return [[0.0] * count for _ in range(count_parts(x))]
    columns = [flat_parts(row) for row in gradient]
    return [list(row) for row in zip(*columns, strict=True)]


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_batched_grad: bool = False,
    check_grad_dtypes: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
) -> bool:
    """`gradcheck` of the gradients themselves: of (inputs, grad_outputs) → gradients of `func`.

    Without `grad_outputs`, fixed uneven weights are used. `gen_non_contig_grad_outputs` makes them non-contiguous.
    `check_fwd_over_rev` checks forward mode through the gradients as well, or, without `check_rev_over_rev`, alone.
    """
    assert check_fwd_over_rev or check_rev_over_rev, (
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
    )
    given: tuple[Any, ...] = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    with enable_grad():
        outputs = [y for y in _tensors(func(*given)) if y.requires_grad]
    if grad_outputs is None:
        weights = [_uneven_weights(y, gen_non_contig_grad_outputs) for y in outputs]
    else:
        weights = list(_tensors(grad_outputs))
    for weight in weights:
        weight.requires_grad_()

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        # Forward mode passes them without a gradient.
        args = tuple(
            a.requires_grad_() if isinstance(a, Tensor) and b.requires_grad and a.is_leaf else a
            for a, b in zip(args, (*given, *weights), strict=True)
        )
        values, seeds = args[: len(given)], args[len(given) :]
        with enable_grad():
            results = [y for y in _tensors(func(*values)) if y.requires_grad]
            found = grad(results, _differentiable(values), seeds, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients,
        (*given, *weights),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_batched_grad=check_batched_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode,
    )


def _uneven_weights(output: Tensor, strided: bool) -> Tensor:
    count = output.numel() * (2 if strided else 1)
    weights = _core.arange(count).to(output.dtype.to_real()).mul(0.7).sin() + 0.3
    if output.is_complex():
        weights = _core.complex(weights, weights.cos())
    return (weights[::2] if strided else weights).reshape(output.shape).detach()
