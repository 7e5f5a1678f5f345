"""Functions that compute gradients of functions: ``grad``, ``vjp``, ``jvp`` and the matrices made of them.

Each calls the function on inputs of its own, so that they nest. Forward mode is two reverse passes: v · J is linear in
v, and its derivative by v in the direction of a tangent is J · tangent.
"""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from .._wrapping import wraps
from ..autograd.batching import vmap
from ..autograd.engine import grad as gradients_of
from ..autograd.modes import enable_grad
from ..autograd.trees import flatten
from ..dtypes import has_gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Argnums = int | tuple[int, ...]

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "value_and_grad", "vjp"]


class _Level:
    """One transform's inputs, and the leaves among them: results that depend on nothing else get no history."""

    def __init__(self) -> None:
        self.keeps_history = _core.is_grad_enabled()
        self.leaves: list[Tensor] = []

    def leaf(self, x: Tensor) -> Tensor:
        if not has_gradients(x):
            raise RuntimeError(
                f"only Tensors of floating point and complex dtype can be differentiated by, got {x.dtype}"
            )
        fresh = x.detach().requires_grad_()
        self.leaves.append(fresh)
        return fresh

    def inputs(self, tensors: Sequence[Any], what: str) -> list[Tensor]:
        for x in tensors:
            if not isinstance(x, Tensor):
                raise RuntimeError(f"{what}: expected all inputs to be Tensors, got {type(x)}")
        return [x.view_as(x) if x.requires_grad else self.leaf(x) for x in tensors]

    def again(self) -> _Level:
        """The same inputs, and gradient mode as it is now."""
        level = _Level()
        level.leaves = self.leaves
        return level

    def results(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        kept = self.keeps_history and _core._depends_on_others(list(tensors), self.leaves)
        return list(tensors) if kept else [x.detach() if x.requires_grad else x for x in tensors]

    def tree(self, tree: Any) -> Any:
        leaves, rebuild = flatten(tree)
        tensors = iter(self.results([x for x in leaves if isinstance(x, Tensor)]))
        return rebuild([next(tensors) if isinstance(x, Tensor) else x for x in leaves])


def _gradients(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Sequence[Tensor] | None = None
) -> list[Tensor]:
    """With zeros for what does not depend on an input; recorded, and the graph stays."""
    chosen = [i for i, y in enumerate(outputs) if y.requires_grad]
    if not chosen:
        return [_core.zeros_like(x) for x in inputs]
    found = gradients_of(
        [outputs[i] for i in chosen],
        inputs,
        None if weights is None else [weights[i] for i in chosen],
        create_graph=True,
        allow_unused=True,
    )
    return [_core.zeros_like(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


def _chosen(args: tuple[Any, ...], argnums: Argnums) -> tuple[Any, tuple[int, ...]]:
    """The arguments to differentiate by (one, or a tuple), and their places."""
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = (argnums,) if isinstance(argnums, int) else argnums
    if not places:
        raise RuntimeError("argnums must be non-empty")
    for place in places:
        if not isinstance(place, int):
            raise RuntimeError(f"argnum must be int, got: {type(place)}")
        if not -len(args) <= place < len(args):
            raise RuntimeError(f"Got argnum={place}, but only {len(args)} positional inputs")
    places = tuple(place % len(args) for place in places)
    if len(set(places)) != len(places):
        raise RuntimeError(f"argnums elements must be unique, got {argnums}")
    return (args[places[0]] if isinstance(argnums, int) else tuple(args[p] for p in places)), places


def _with_replaced(args: tuple[Any, ...], argnums: Argnums, places: tuple[int, ...], fresh: Any) -> tuple[Any, ...]:
    changed = list(args)
    for place, value in zip(places, (fresh,) if isinstance(argnums, int) else fresh, strict=True):
        changed[place] = value
    return tuple(changed)


def _split_aux(result: Any, has_aux: bool, what: str) -> tuple[Any, Any]:
    if not has_aux:
        return result, None
    if not isinstance(result, tuple) or len(result) != 2:
        raise RuntimeError(
            f"{what}: output of function f should be a tuple: (output, aux) if has_aux is True, got {type(result)}"
        )
    return result


def grad_and_value(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns ``(gradient, value)`` of a `func` that returns one number; see `grad`.

    With `has_aux`, ``(gradient, (value, aux))``.
    """

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        level = _Level()
        with enable_grad():
            chosen, places = _chosen(args, argnums)
            tensors, rebuild = flatten(chosen)
            inputs = level.inputs(tensors, "grad_and_value(f, argnums)(*args)")
            result = func(*_with_replaced(args, argnums, places, rebuild(inputs)), **kwargs)
            value, aux = _split_aux(result, has_aux, "grad_and_value(f)(*args)")
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    f"Expected f(*args) to return a value that is a Tensor for grad(f)(*args), got type {type(value)}"
                )
            if value.ndim != 0:
                raise RuntimeError(
                    "Expected f(*args) to return a scalar tensor, got tensor with "
                    f"{value.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            found = _gradients([value], inputs)
        gradient = rebuild(level.results(found))
        value = level.tree(value)
        return (gradient, (value, level.tree(aux))) if has_aux else (gradient, value)

    return call


def value_and_grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """`grad_and_value` in JAX's order: ``(value, gradient)``, or ``((value, aux), gradient)``."""
    turned = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        gradient, value = turned(*args, **kwargs)
        return value, gradient

    return call


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of `func`, which returns one number (a 0-d tensor).

    By the argument at `argnums`, or a tuple of gradients for a tuple of places; arguments may be nested tuples, lists
    and dicts of tensors. With `has_aux`, `func` returns ``(value, aux)`` and the result is ``(gradient, aux)``.

    >>> lamina.func.grad(lamina.sin)(lamina.tensor(0.0))
    tensor(1.)
    """
    with_value = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        gradient, value = with_value(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return call


def _flat_outputs(result: Any, what: str) -> tuple[list[Tensor], Callable[[Sequence[Any]], Any]]:
    outputs, rebuild = flatten(result)
    if not outputs or result is None:
        raise RuntimeError(f"{what}: Expected f to be a function that has non-empty output (got output = {outputs})")
    for output in outputs:
        if not isinstance(output, Tensor):
            raise RuntimeError(f"{what}: Expected f to return only Tensors, got unsupported type {type(output)}")
    return outputs, rebuild


def _check_real(tensors: Sequence[Tensor], what: str) -> None:
    for i, x in enumerate(tensors):
        if x.is_complex():
            raise RuntimeError(f"{what} to be real but received complex tensor at flattened input idx: {i}")


def _check_like(given: list[Any], wanted: Sequence[Tensor], what: str) -> None:
    if len(given) != len(wanted):
        raise RuntimeError(
            f"{what}: expected {len(wanted)} tensors, structured as those of the function, got {len(given)}"
        )
    for x, like in zip(given, wanted, strict=True):
        if not isinstance(x, Tensor) or x.shape != like.shape:
            raise RuntimeError(f"{what}: expected a tensor of shape {like.shape}, got {getattr(x, 'shape', type(x))}")


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """``(func(*primals), vjp_fn)``: ``vjp_fn(cotangents)`` returns a tuple with v · J for each primal.

    With `has_aux`, `func` returns ``(output, aux)`` and the result is ``(output, vjp_fn, aux)``.
    """
    level = _Level()
    with enable_grad():
        tensors, rebuild = flatten(primals)
        inputs = level.inputs(tensors, "vjp(f, *primals)")
        result, aux = _split_aux(func(*rebuild(inputs)), has_aux, "vjp(f, *primals)")
        outputs, rebuild_output = _flat_outputs(result, "vjp(f, *primals)")

    def vjp_fn(cotangents: Any, *more: Any) -> Any:
        weights, _ = flatten((cotangents, *more) if more else cotangents)
        _check_like(weights, outputs, "vjp_fn(cotangents)")
        now = level.again()
        with enable_grad():
            found = _gradients(outputs, inputs, weights)
        return rebuild(now.results(found))

    value = rebuild_output(level.results(outputs))
    return (value, vjp_fn, level.tree(aux)) if has_aux else (value, vjp_fn)


def _pushforward(
    level: _Level, outputs: list[Tensor], inputs: list[Tensor]
) -> Callable[[Sequence[Tensor]], list[Tensor]]:
    """J · tangents as a function of the tangents; its own graph is made once."""
    weights = [level.leaf(_core.zeros_like(y)) if has_gradients(y) else y for y in outputs]
    floats = [i for i, y in enumerate(outputs) if has_gradients(y)]
    back = _gradients([outputs[i] for i in floats], inputs, [weights[i] for i in floats])

    def push(tangents: Sequence[Tensor]) -> list[Tensor]:
        found = iter(_gradients(back, [weights[i] for i in floats], tangents))
        return [next(found) if has_gradients(y) else _core.zeros_like(y) for y in outputs]

    return push


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """``(func(*primals), J · tangents)``; tangents are structured as the primals, a tuple.

    With `has_aux`, `func` returns ``(output, aux)`` and the result is ``(output, J · tangents, aux)``.
    """
    what = "jvp(f, primals, tangents)"
    for given, name in ((primals, "primals"), (tangents, "tangents")):
        if not isinstance(given, tuple):
            raise RuntimeError(
                f"{what}: Expected {name} to be a tuple, as f(*{name}) is called with it, got {type(given)}"
            )
        if not given:
            raise RuntimeError(f"{what}: Expected {name} to contain at least one Tensor")
    level = _Level()
    with enable_grad():
        tensors, rebuild = flatten(primals)
        inputs = level.inputs(tensors, what)
        directions, _ = flatten(tangents)
        _check_like(directions, inputs, what)
        result, aux = _split_aux(func(*rebuild(inputs)), has_aux, what)
        outputs, rebuild_output = _flat_outputs(result, what)
        if strict and not all(y.requires_grad for y in outputs):
            raise RuntimeError(f"{what}, strict=True: an output does not depend on the inputs")
        products = _pushforward(level, outputs, inputs)(directions)
    value, product = rebuild_output(level.results(outputs)), rebuild_output(level.results(products))
    return (value, product, level.tree(aux)) if has_aux else (value, product)


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """``(func(*primals), jvp_fn)``: ``jvp_fn(*tangents)`` gives J · tangents, and `func` is not called again.

    RuntimeError for primals that are not tensors, or trees of them, and for tangents of other shapes.
    """
    level = _Level()
    with enable_grad():
        tensors, rebuild = flatten(primals)
        inputs = level.inputs(tensors, "linearize(f, *primals)")
        outputs, rebuild_output = _flat_outputs(func(*rebuild(inputs)), "linearize(f, *primals)")
        push = _pushforward(level, outputs, inputs)

    def jvp_fn(*tangents: Any) -> Any:
        directions, _ = flatten(tangents)
        _check_like(directions, inputs, "jvp_fn(*tangents)")
        now = level.again()
        with enable_grad():
            products = push(directions)
        return rebuild_output(now.results(products))

    return rebuild_output(level.results(outputs)), jvp_fn


def _basis(like: Tensor) -> Tensor:
    """(numel, *shape): the unit vectors of `like`'s space."""
    return _core.eye(like.numel(), dtype=like.dtype, device=like.device).reshape(like.numel(), *like.shape)


def _rows(output: Tensor, inputs: list[Tensor], chunk_size: int | None) -> list[Tensor]:
    """The blocks of the Jacobian by reverse mode: one a pass for each element of the output, all at once."""
    if not output.requires_grad or output.numel() == 0:
        return [x.new_zeros((*output.shape, *x.shape)) for x in inputs]
    rows = vmap(lambda weight: _gradients([output], inputs, [weight]), chunk_size=chunk_size)(_basis(output))
    return [row.reshape(*output.shape, *x.shape) for row, x in zip(rows, inputs, strict=True)]


def _columns(
    push: Callable[[Sequence[Tensor]], list[Tensor]], outputs: list[Tensor], inputs: list[Tensor], place: int
) -> list[Tensor]:
    """The blocks of all outputs by one input, by forward mode."""
    x = inputs[place]
    if x.numel() == 0:
        return [y.new_zeros((*y.shape, *x.shape)) for y in outputs]

    def column(tangent: Tensor) -> list[Tensor]:
        return push([tangent if i == place else _core.zeros_like(other) for i, other in enumerate(inputs)])

    columns = vmap(column)(_basis(x))
    return [c.movedim(0, -1).reshape(*y.shape, *x.shape) for c, y in zip(columns, outputs, strict=True)]


def _jacobian(
    func: Callable[..., Any],
    argnums: Argnums,
    has_aux: bool,
    what: str,
    blocks_of: Callable[[_Level, list[Tensor], list[Tensor]], list[list[Tensor]]],
) -> Callable[..., Any]:
    """A function that returns the blocks that `blocks_of` makes, an output by an input, nested as both are."""

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        level = _Level()
        with enable_grad():
            chosen, places = _chosen(args, argnums)
            tensors, rebuild = flatten(chosen)
            inputs = level.inputs(tensors, f"{what}(f, argnums)(*args)")
            _check_real(inputs, f"{what}: Expected all inputs")
            result = func(*_with_replaced(args, argnums, places, rebuild(inputs)), **kwargs)
            result, aux = _split_aux(result, has_aux, f"{what}(f)(*args)")
            outputs, rebuild_output = _flat_outputs(result, f"{what}(f)(*args)")
            _check_real(outputs, f"{what}: Expected all outputs")
            blocks = blocks_of(level, outputs, inputs)
        table = rebuild_output([rebuild(level.results(row)) for row in blocks])
        return (table, level.tree(aux)) if has_aux else table

    return call


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that returns the Jacobian of `func`, (*output.shape, *input.shape), row by row in one batch.

    Nested as the outputs and then the inputs are; `argnums` and `has_aux` as in `grad`.
    """

    def blocks(level: _Level, outputs: list[Tensor], inputs: list[Tensor]) -> list[list[Tensor]]:
        return [_rows(y, inputs, chunk_size) for y in outputs]

    return _jacobian(func, argnums, has_aux, "jacrev", blocks)


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """`jacrev` by forward mode: column by column in one batch. `func` is called once, so `randomness` matters not."""

    def blocks(level: _Level, outputs: list[Tensor], inputs: list[Tensor]) -> list[list[Tensor]]:
        push = _pushforward(level, outputs, inputs)
        columns = [_columns(push, outputs, inputs, place) for place in range(len(inputs))]
        return [[column[i] for column in columns] for i in range(len(outputs))]

    return _jacobian(func, argnums, has_aux, "jacfwd", blocks)


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that returns the second derivatives of `func`: forward mode over reverse mode."""
    return jacfwd(jacrev(func, argnums), argnums)
