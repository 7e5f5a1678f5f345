"""Comparing gradients with finite differences, element by element; a failure shows both numbers."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
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
    return [x for x in _tensors(values) if x.requires_grad and x.dtype.is_floating_point]


def _flat(x: Tensor) -> list[float]:
    flat: list[float] = x.detach().double().reshape(-1).tolist()
    return flat


def _numerical(
    function: Callable[..., Any], inputs: Sequence[Any], x: Tensor, number: int, expected: Tensor, eps: float
) -> list[list[float]]:
    """Rows of d output[number] / d x by central differences: one row an element of x.

    The elements are moved in place, wherever `function` gets x from: an argument, a container, an enclosing scope.
    """
    values = _flat(x)

    def output_at(element: int, value: float) -> list[float]:
        moved = list(values)
        moved[element] = value
        x.data.copy_(_core.tensor(moved, dtype=x.dtype).reshape(x.shape))
        with enable_grad():  # as for the analytical side: what is returned may depend on it
            outputs = _tensors(function(*inputs))
        floats = [y for y in outputs if y.dtype.is_floating_point]
        for what in ("shape", "dtype"):
            if getattr(floats[number], what) != getattr(expected, what):
                raise AssertionError(
                    f"Expected `func` to return outputs with the same {what} when inputs are perturbed on index "
                    f"{element}, but got {getattr(expected, what)} and {getattr(floats[number], what)}"
                )
        return _flat(floats[number])

    original = x.detach().clone()
    rows = []
    try:
        for element, value in enumerate(values):
            above, below = output_at(element, value + eps), output_at(element, value - eps)
            rows.append([(high - low) / (2 * eps) for high, low in zip(above, below, strict=True)])
    finally:
        x.data.copy_(original)
    return rows


def _analytical(output: Tensor, x: Tensor) -> list[list[float]]:
    """The same rows from one backward pass an element of the output."""
    columns = []
    for element in range(output.numel()):
        weight = _core.zeros(output.numel(), dtype=output.dtype)
        weight[element] = 1
        (gradient,) = grad([output], [x], [weight.reshape(output.shape)], retain_graph=True, allow_unused=True)
        columns.append([0.0] * x.numel() if gradient is None else _flat(gradient))
    return [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(x.numel())]


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
    check_forward_ad: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Whether the gradients of `func` at `inputs` agree with central differences to `atol` and `rtol`.

    Inputs should be float64. Every output element is differentiated by every element of each input that requires a
    gradient; `nondet_tol` bounds how much two backward passes may differ. With `check_batched_grad` one vectorised pass
    (`is_grads_batched`) must give what single ones do. With
    `check_forward_ad` forward mode, which is two reverse passes, must give the same. `fast_mode` is accepted; the check
    is always the full one, and `check_undefined_grad` asks for nothing that a gradient made of ordinary ops could fail.
    GradcheckError (False without `raise_exception`) tells both numbers of the first mismatch.
    """
    try:
        _check(func, inputs, eps, atol, rtol, nondet_tol, check_batched_grad, check_grad_dtypes, check_forward_ad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(
    func: Callable[..., Any],
    inputs: Tensor | Sequence[Any],
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    check_batched_grad: bool,
    check_grad_dtypes: bool,
    check_forward_ad: bool,
) -> None:
    given: tuple[Any, ...] = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    checked = _differentiable(given)
    if not checked:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for x in checked:
        if x.dtype != _core.float64:
            import warnings

            warnings.warn(f"gradcheck: an input is {x.dtype}; differences need float64 to be meaningful", stacklevel=3)
    with enable_grad():
        outputs = [y for y in _tensors(func(*given)) if y.dtype.is_floating_point]
    # All backward passes come before the inputs are moved.
    analytical = [
        [
            _checked_analytical(
                output,
                x,
                nondet_tol,
                check_batched_grad,
                check_grad_dtypes,
                check_forward_ad,
                f"output {number}, input {place}",
            )
            for place, x in enumerate(checked)
        ]
        for number, output in enumerate(outputs)
    ]
    for number, rows_by_input in enumerate(analytical):
        for place, (x, rows) in enumerate(zip(checked, rows_by_input, strict=True)):
            numerical = _numerical(func, given, x, number, outputs[number], eps)
            if not outputs[number].requires_grad and _mismatch(numerical, rows, atol, 0.0):
                raise GradcheckError(
                    f"Numerical gradient for function expected to be zero: output {number} does not require a gradient"
                )
            problem = _mismatch(numerical, rows, atol, rtol)
            if problem:
                raise GradcheckError(
                    f"Jacobian mismatch for output {number} with respect to input {place} at {problem}\n"
                    f"numerical: {numerical}\nanalytical: {rows}"
                )


def _checked_analytical(
    output: Tensor,
    x: Tensor,
    nondet_tol: float,
    check_batched_grad: bool,
    check_grad_dtypes: bool,
    check_forward_ad: bool,
    where: str,
) -> list[list[float]]:
    if not output.requires_grad:
        return [[0.0] * output.numel() for _ in range(x.numel())]
    analytical = _analytical(output, x)
    if _mismatch(analytical, _analytical(output, x), nondet_tol, 0.0):
        raise GradcheckError(f"Backward is not reentrant: two passes differ for {where}")
    if check_batched_grad:
        problem = _mismatch(_batched(output, x), analytical, 1e-8, 1e-5)
        if problem:
            raise GradcheckError(
                f"gradcheck or gradgradcheck failed while testing batched gradient computation of {where}: {problem}"
            )
    if check_forward_ad and (problem := _mismatch(_forward(output, x), analytical, 1e-8, 1e-5)):
        raise GradcheckError(f"forward mode differs from reverse mode for {where}: {problem}")
    if check_grad_dtypes:
        (gradient,) = grad([output], [x], [_core.ones_like(output)], retain_graph=True, allow_unused=True)
        if gradient is not None and gradient.dtype != x.dtype:
            raise GradcheckError(f"gradient of {where} is {gradient.dtype}, expected {x.dtype}")
    return analytical


def _forward(output: Tensor, x: Tensor) -> list[list[float]]:
    """Rows as `_analytical`, by forward mode: the reverse pass is linear in its seed, and is differentiated by it."""
    seed = _core.zeros(output.shape, dtype=output.dtype, requires_grad=True)
    (gradient,) = grad([output], [x], [seed], create_graph=True, allow_unused=True)
    if gradient is None or not gradient.requires_grad:
        return [[0.0] * output.numel() for _ in range(x.numel())]
    rows = []
    for element in range(x.numel()):
        direction = _core.zeros(x.numel(), dtype=x.dtype)
        direction[element] = 1
        (row,) = grad([gradient], [seed], [direction.reshape(x.shape)], retain_graph=True, allow_unused=True)
        rows.append([0.0] * output.numel() if row is None else _flat(row))
    return rows


def _batched(output: Tensor, x: Tensor) -> list[list[float]]:
    """Rows as `_analytical`, by one pass for all elements of the output."""
    count = output.numel()
    weights = _core.tensor([[float(i == j) for j in range(count)] for i in range(count)], dtype=output.dtype)
    seeds = weights.reshape((count, *output.shape))
    (gradient,) = grad([output], [x], [seeds], retain_graph=True, allow_unused=True, is_grads_batched=True)
    if gradient is None or not count:
        return [[0.0] * count for _ in range(x.numel())]
    columns: list[list[float]] = gradient.detach().double().reshape((count, -1)).tolist()
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
    fast_mode: bool = False,
) -> bool:
    """`gradcheck` of the gradients themselves: of (inputs, grad_outputs) → gradients of `func`.

    Without `grad_outputs`, fixed uneven weights are used. `gen_non_contig_grad_outputs` makes them non-contiguous.
    `check_fwd_over_rev` checks forward mode through the gradients as well.
    """
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
        fast_mode=fast_mode,
    )


def _uneven_weights(output: Tensor, strided: bool) -> Tensor:
    count = output.numel() * (2 if strided else 1)
    weights = _core.arange(count).to(output.dtype).mul(0.7).sin() + 0.3
    return (weights[::2] if strided else weights).reshape(output.shape).detach()
