"""``lamina.autograd.functional``: Jacobians, Hessians, and their products with vectors, of functions of tensors."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .batching import vmap
from .engine import grad
from .modes import enable_grad

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Tensors = tuple[Tensor, ...]

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(given: Any, argument: str, name: str) -> tuple[Tensors, bool]:
    """The tensors, and whether they came as a tuple."""
    is_tuple = isinstance(given, tuple)
    tensors = given if is_tuple else (given,)
    for place, x in enumerate(tensors):
        if not isinstance(x, Tensor):
            what = "outputs of the user-provided function" if argument == "outputs" else argument
            held = f"the value at index {place} of the tuple" if is_tuple else "it"
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but {held} has type "
                f"{type(x)}."
            )
    return tensors, is_tuple


def _fresh_inputs(inputs: Tensors, connected: bool) -> Tensors:
    """Tensors to differentiate by: views that keep the history of `inputs` if `connected`, else leaves."""
    return tuple(x.view_as(x) if connected and x.requires_grad else x.detach().requires_grad_() for x in inputs)


def _result(values: Tensors, is_tuple: bool, connected: bool) -> Any:
    tensors = values if connected else tuple(x.detach() for x in values)
    return tensors if is_tuple else tensors[0]


def _check_vector(v: Tensors, other: Tensors, is_tuple: bool) -> None:
    """`is_tuple`: whether `other` was given as a tuple."""
    if len(v) != len(other):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(other)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for place, (a, b) in enumerate(zip(v, other, strict=True)):
        if a.shape != b.shape:
            entry = f"Entry {place} in " if is_tuple else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {b.shape} but got {a.shape}.")


def _check_outputs(outputs: Tensors, strict: bool) -> None:
    for place, y in enumerate(outputs):
        if strict and not y.requires_grad:
            raise RuntimeError(
                f"Output {place} of the user-provided function does not require gradients. The outputs must be "
                "computed in a differentiable manner from the input when running in strict mode."
            )


def _gradients(
    outputs: Tensors, inputs: Tensors, weights: Sequence[Tensor | None] | None, create_graph: bool
) -> tuple[Tensor | None, ...]:
    """As `autograd.grad` with unused inputs allowed; outputs without history have no gradients."""
    chosen = [i for i, y in enumerate(outputs) if y.requires_grad]
    if not chosen:
        return (None,) * len(inputs)
    seeds = None if weights is None else [weights[i] for i in chosen]
    return grad(
        [outputs[i] for i in chosen], inputs, seeds, create_graph=create_graph, retain_graph=True, allow_unused=True
    )


def _filled(
    gradients: Sequence[Tensor | None], shapes: Tensors, strict: bool, create_graph: bool, what: str
) -> Tensors:
    """Zeros for missing gradients, which are errors in strict mode; `what` says of what, with {} for the place."""
    filled = []
    for place, (gradient, like) in enumerate(zip(gradients, shapes, strict=True)):
        if strict and gradient is None:
            raise RuntimeError(what.format(place) + " This is not allowed in strict mode.")
        if strict and create_graph and gradient is not None and not gradient.requires_grad:
            raise RuntimeError(
                f"The jacobian of the user-provided function is independent of input {place}. This is not allowed in "
                "strict mode when create_graph=True."
            )
        filled.append(_core.zeros_like(like) if gradient is None else gradient)
    return tuple(filled)


_INDEPENDENT = "The output of the user-provided function is independent of input {}."


def vjp(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    v: Tensor | Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(*inputs), v · J)``, J the Jacobian of `func`; without `v` for an output of one element.

    With `create_graph` the results can be differentiated; with `strict` an output that does not depend on an input is
    a RuntimeError instead of zeros.
    """
    with enable_grad():
        given, is_tuple = _as_tuple(inputs, "inputs", "vjp")
        fresh = _fresh_inputs(given, create_graph)
        outputs, outputs_tuple = _as_tuple(func(*fresh), "outputs", "vjp")
        _check_outputs(outputs, strict)
        weights: Tensors | None = None
        if v is not None:
            weights, _ = _as_tuple(v, "v", "vjp")
            _check_vector(weights, outputs, outputs_tuple)
        elif len(outputs) != 1 or outputs[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single "
                "element."
            )
    with _core_grad_mode(create_graph):
        found = _gradients(outputs, fresh, weights, create_graph)
        products = _filled(found, fresh, strict, create_graph, _INDEPENDENT)
    return _result(outputs, outputs_tuple, create_graph), _result(products, is_tuple, create_graph)


def _core_grad_mode(create_graph: bool) -> Any:
    """What is made of gradients is recorded only if they shall have gradients."""
    from .modes import set_grad_enabled

    return set_grad_enabled(create_graph or _core.is_grad_enabled())


def _forward_product(outputs: Tensors, inputs: Tensors, tangents: Tensors, strict: bool) -> tuple[Tensor | None, ...]:
    """J · tangents by two reverse passes: v · J is linear in v, and its gradient by v is the product."""
    weights = tuple(_core.zeros_like(y).requires_grad_() for y in outputs)
    back = _gradients(outputs, inputs, weights, create_graph=True)
    filled = _filled(back, inputs, strict, False, _INDEPENDENT)
    return _gradients(filled, weights, tangents, create_graph=True)


def jvp(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    v: Tensor | Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(*inputs), J · v)``, J the Jacobian of `func`, by two reverse passes; see `vjp`."""
    with enable_grad():
        given, is_tuple = _as_tuple(inputs, "inputs", "jvp")
        fresh = _fresh_inputs(given, create_graph)
        if v is not None:
            tangents, _ = _as_tuple(v, "v", "jvp")
            _check_vector(tangents, fresh, is_tuple)
        elif len(fresh) != 1 or fresh[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a single Tensor with a "
                "single element."
            )
        else:
            tangents = (_core.ones_like(fresh[0]),)
        outputs, outputs_tuple = _as_tuple(func(*fresh), "outputs", "jvp")
        _check_outputs(outputs, strict)
        found = _forward_product(outputs, fresh, tangents, strict)
        products = _filled(found, outputs, strict, create_graph, _INDEPENDENT)
    return _result(outputs, outputs_tuple, create_graph), _result(products, outputs_tuple, create_graph)


def _basis(like: Tensor) -> Tensor:
    """(numel, *shape): each of the unit vectors of `like`'s space."""
    return _core.eye(like.numel(), dtype=like.dtype, device=like.device).reshape(like.numel(), *like.shape)


def _rows(output: Tensor, inputs: Tensors, place: int, create_graph: bool, strict: bool, vectorize: bool) -> Tensors:
    """For each input a (output.numel(), *input.shape) stack of the gradients of the output's elements."""
    if vectorize and output.requires_grad and output.numel():

        def row(weight: Tensor) -> Tensors:
            found = _gradients((output,), inputs, (weight,), create_graph)
            return _filled(found, inputs, False, False, "")

        rows: Tensors = vmap(row)(_basis(output))
        return rows
    columns: list[list[Tensor]] = [[] for _ in inputs]
    what = f"Output {place} of the user-provided function is independent of input {{}}."
    for weight in _basis(output):
        found = _gradients((output,), inputs, (weight,), create_graph)
        for column, gradient in zip(columns, _filled(found, inputs, strict, create_graph, what), strict=True):
            column.append(gradient)
    return tuple(
        _core.stack(column) if column else x.new_zeros((0, *x.shape)) for column, x in zip(columns, inputs, strict=True)
    )


def _columns(outputs: Tensors, inputs: Tensors, vectorize: bool) -> list[Tensors]:
    """The same by forward mode: for each output, for each input, a (*output.shape, *input.shape) tensor."""
    weights = tuple(_core.zeros_like(y).requires_grad_() for y in outputs)
    back = _filled(_gradients(outputs, inputs, weights, create_graph=True), inputs, False, False, "")

    def push(place: int, tangent: Tensor) -> Tensors:
        found = _gradients((back[place],), weights, (tangent,), create_graph=True)
        return _filled(found, outputs, False, False, "")

    stacks: list[Tensors] = []
    for place, x in enumerate(inputs):
        if vectorize and x.numel():
            stacks.append(vmap(lambda tangent, place=place: push(place, tangent))(_basis(x)))
        else:
            pushed = [push(place, tangent) for tangent in _basis(x)]
            stacks.append(
                tuple(
                    _core.stack([p[i] for p in pushed]) if pushed else y.new_zeros((0, *y.shape))
                    for i, y in enumerate(outputs)
                )
            )
    return [
        tuple(stack[i].movedim(0, -1).reshape(*y.shape, *x.shape) for stack, x in zip(stacks, inputs, strict=True))
        for i, y in enumerate(outputs)
    ]


def jacobian(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian of `func`: (*output.shape, *input.shape), nested in tuples as outputs and then inputs are.

    Row by row, or all at once with `vectorize`, or column by column with strategy ``"forward-mode"``.

    >>> lamina.autograd.functional.jacobian(lambda x: x.exp(), lamina.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    if strict and (vectorize or strategy == "forward-mode"):
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorize=True` or "
            '`strategy="forward-mode"` are not supported together.'
        )
    with enable_grad():
        given, is_tuple = _as_tuple(inputs, "inputs", "jacobian")
        fresh = _fresh_inputs(given, create_graph)
        outputs, outputs_tuple = _as_tuple(func(*fresh), "outputs", "jacobian")
        _check_outputs(outputs, strict)
        if strategy == "forward-mode":
            table = _columns(outputs, fresh, vectorize)
        else:
            table = [
                tuple(
                    rows.reshape(*y.shape, *x.shape)
                    for rows, x in zip(_rows(y, fresh, place, create_graph, strict, vectorize), fresh, strict=True)
                )
                for place, y in enumerate(outputs)
            ]
    results = tuple(_result(row, is_tuple, create_graph) for row in table)
    return results if outputs_tuple else results[0]


def _scalar_output(func: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    def checked(*inputs: Tensor) -> Tensor:
        outputs, is_tuple = _as_tuple(func(*inputs), "outputs", name)
        if is_tuple:
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        (output,) = outputs
        if output.numel() != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
        return output.reshape(())

    return checked


_SECOND = "The jacobian of the user-provided function with respect to input {} is independent of the input."


def hessian(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a `func` that returns one number: (*input.shape, *input.shape), nested for tuples."""
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    given, is_tuple = _as_tuple(inputs, "inputs", "hessian")
    scalar = _scalar_output(func, "hessian")

    def gradient(*fresh: Tensor) -> Tensors:
        output = scalar(*fresh)
        _check_outputs((output,), strict)
        found = _gradients((output,), fresh, None, create_graph=True)
        if strict and any(g is None or not g.requires_grad for g in found):
            place = next(i for i, g in enumerate(found) if g is None or not g.requires_grad)
            raise RuntimeError(_SECOND.format(place) + " This is not allowed in strict mode.")
        return _filled(found, fresh, False, False, "")

    result = jacobian(gradient, given, create_graph, strict, vectorize, outer_jacobian_strategy)
    return result if is_tuple else result[0][0]


def _second_products(
    func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool, name: str
) -> tuple[Any, Any]:
    """``(func(*inputs), v · H)`` and, the Hessian being symmetric, H · v; the two differ in what strict says."""
    with enable_grad():
        given, is_tuple = _as_tuple(inputs, "inputs", name)
        fresh = _fresh_inputs(given, create_graph)
        if v is not None:
            vector, _ = _as_tuple(v, "v", name)
            _check_vector(vector, fresh, is_tuple)
        elif len(fresh) != 1 or fresh[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the input to the user-provided function is a single Tensor with a "
                "single element."
            )
        else:
            vector = (_core.ones_like(fresh[0]),)
        output = _scalar_output(func, name)(*fresh)
        _check_outputs((output,), strict)
        first = _filled(_gradients((output,), fresh, None, True), fresh, strict, False, _INDEPENDENT)
        if strict:
            for place, gradient in enumerate(first):
                if not gradient.requires_grad:
                    raise RuntimeError(_SECOND.format(place) + " This is not allowed in strict mode.")
        second = _gradients(first, fresh, vector, create_graph)
        products = _filled(second, fresh, strict, create_graph, "The hessian is independent of input {}.")
    return _result((output,), False, create_graph), _result(products, is_tuple, create_graph)


def vhp(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    v: Tensor | Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(*inputs), v · H)``, H the Hessian of a `func` that returns one number."""
    return _second_products(func, inputs, v, create_graph, strict, "vhp")


def hvp(
    func: Callable[..., Any],
    inputs: Tensor | Tensors,
    v: Tensor | Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """``(func(*inputs), H · v)``: as `vhp`, the Hessian being symmetric: one reverse pass over the gradient does."""
    return _second_products(func, inputs, v, create_graph, strict, "hvp")
