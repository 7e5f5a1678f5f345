"""``Function``: an operation whose forward and backward are both written in Python."""

from __future__ import annotations

from .. import _core
from .._core import Node, Tensor
from .._warning import warn_caller
from .._wrapping import wraps
from ..dtypes import has_gradients
from .function_tangents import is_among, tangents_of, with_tangents
from .modes import no_grad
from .saved_tensors import PackedTensor, current_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar

__all__ = ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


class FunctionCtx:
    """What ``forward`` and ``backward`` of a `Function` share: the first argument of both, and the result's grad_fn."""

    needs_input_grad: tuple[bool, ...] = ()
    materialize_grads = True
    _materialize_non_diff_grads = True  # zeros for outputs marked as non-differentiable, too
    _to_save: tuple[Tensor | None, ...] = ()
    _dirty: tuple[Tensor, ...] = ()
    _non_differentiable: tuple[Tensor, ...] = ()
    _to_save_for_forward: tuple[Tensor | None, ...] = ()
    _saved_for_jvp: tuple[Tensor | None, ...] | None = None  # while jvp runs

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``backward``, which gets them from ``saved_tensors``.

        In place changes in between are noticed there. A further call replaces what was saved.
        """
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(f"save_for_backward can only save variables, but argument is of type {type(tensor)}")
        self._to_save = tensors

    def save_for_forward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for ``jvp``, which gets them from ``saved_tensors``."""
        for tensor in tensors:
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    "save_for_forward expects all arguments to be tensors; you should save non-tensors as attributes "
                    "on ctx."
                )
        self._to_save_for_forward = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Say that ``forward`` changes these inputs in place, and returns them."""
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Say that these outputs have no gradient."""
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether ``backward`` gets zeros (the default) or None for outputs that nothing depended on."""
        self.materialize_grads = value


class _SavedTensor:
    """A tensor kept for backward, with the version that it had; an output is kept without its history, a cycle."""

    def __init__(self, tensor: Tensor, output: int | None) -> None:
        if tensor.is_inference():
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal "
                "tensor and use it in autograd."
            )
        _core._log_saved(tensor)
        self.version = tensor._version
        self.output = output
        self.numbers = tensor
        self.watched: Callable[[], Tensor | None] | None = None
        hooks = current_hooks()
        self.packed = hooks and PackedTensor(tensor, *hooks)
        if output is not None:
            import weakref

            self.numbers = _core._same_value(tensor)
            self.watched = weakref.ref(tensor)

    def unpack(self, context: BackwardContext) -> Tensor:
        if self.packed:
            numbers = self.packed.tensor()
            if self.output is None:
                return _core._rebased(numbers, self.numbers)
            return _core._saved_output(context, self.output, numbers)
        watched = self.watched() if self.watched else self.numbers
        if watched is not None and watched._version != self.version:
            raise RuntimeError(
                "one of the variables needed for gradient computation has been modified by an inplace operation: "
                f"a tensor of shape {list(watched.shape)} that {context.name()} saved is at version "
                f"{watched._version}; expected version {self.version} instead."
            )
        if self.output is None:
            return self.numbers
        return _core._saved_output(context, self.output, self.numbers)


class BackwardContext(FunctionCtx, Node):
    """The context of one call, and its node in the gradient graph; each `Function` has a subclass of its own."""

    if TYPE_CHECKING:
        _function: ClassVar[type[Function]]
        _outputs: list[tuple[tuple[int, ...], Any] | None]
    _saved: tuple[_SavedTensor | None, ...] | None = ()
    _argument_count: int
    _tensor_places: list[int]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """What ``save_for_backward`` was given. RuntimeError if it was changed in place, or freed by a backward."""
        if self._saved_for_jvp is not None:
            return self._saved_for_jvp
        if self._saved is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time (or directly access saved tensors after they have "
                "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
                "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time "
                "or if you need to access saved tensors after calling backward."
            )
        return tuple(None if saved is None else saved.unpack(self) for saved in self._saved)

    @property
    def saved_variables(self) -> tuple[Tensor | None, ...]:
        """`saved_tensors`, under its first name."""
        warn_caller("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning)
        return self.saved_tensors

    def _run_backward(self, gradients: tuple[Tensor | None, ...], retain_graph: bool) -> tuple[Tensor | None, ...]:
        """The gradients of the tensors among forward's arguments; called by the walk, with its gradient mode."""
        if self.materialize_grads:
            gradients = tuple(
                _core.zeros(output[0], dtype=output[1]) if gradient is None and output is not None else gradient
                for gradient, output in zip(gradients, self._outputs, strict=True)
            )
        result = _backward_of(self._function)(self, *gradients)
        given = result if isinstance(result, tuple) else (result,)
        count, name = self._argument_count, type(self).__name__
        if len(given) < count or any(gradient is not None for gradient in given[count:]):
            raise RuntimeError(
                f"function {name} returned an incorrect number of gradients (expected {count}, got {len(given)})"
            )
        for place, gradient in enumerate(given[:count]):
            if gradient is not None and place not in self._tensor_places:
                raise RuntimeError(
                    f"function {name} returned a gradient different from None at position {place + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
        if not retain_graph:
            self._saved = None if self._saved else self._saved
        return tuple(given[place] for place in self._tensor_places)


class Function:
    """Base of operations with a gradient of their own: subclasses define ``forward`` and ``backward``, and are applied.

    ``forward(ctx, *args)`` computes, without gradients being recorded; or ``forward(*args)`` does, and
    ``setup_context(ctx, inputs, output)`` keeps what backward needs. ``backward(ctx, *grad_outputs)`` returns a
    gradient, or None, for each of forward's arguments. It is made of ordinary operations, so it can be differentiated.

    >>> class Cube(lamina.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...
    ...     @staticmethod
    ...     def backward(ctx, gradient):
    ...         (x,) = ctx.saved_tensors
    ...         return gradient * 3 * x**2
    >>> Cube.apply(lamina.tensor(2.0, requires_grad=True))
    tensor(8., grad_fn=<CubeBackward>)
    """

    if TYPE_CHECKING:
        _backward_cls: ClassVar[type[BackwardContext]]
        _node_name: ClassVar[str]  # what `grad_fn` prints, if not the class's name and Backward

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        name = cls.__dict__.get("_node_name", f"{cls.__name__}Backward")
        cls._backward_cls = type(name, (BackwardContext,), {"_function": cls})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warn_caller(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future "
            "version of PyTorch.",
            DeprecationWarning,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("Legacy autograd function with non-static forward method is deprecated. Use apply().")

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: a tensor, or a tuple of tensors and other things."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Keep what backward needs, if ``forward`` takes no context."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """``backward`` under its other name: a subclass defines one of the two."""
        raise NotImplementedError("You must implement either the backward or vjp method.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradients of forward's arguments, given those of its outputs."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangents of forward's outputs, given those of its arguments: forward mode."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Call ``forward``, and record its gradient."""
        context = cls._backward_cls()
        tangents = tangents_of(args)
        if tangents is None:
            return cls._run(context, args, kwargs)[1]
        return with_tangents(context, args, tangents, lambda: cls._run(context, args, kwargs))

    @classmethod
    def _run(
        cls, context: BackwardContext, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[Any, Any, tuple[Tensor, ...]]:
        """What forward returned, the same with a history, and what forward said it had changed."""
        places = [place for place, arg in enumerate(args) if isinstance(arg, Tensor)]
        # What they are now: forward may change some in place.
        inputs = [_core._same_value(args[place]) for place in places]
        recorded = _core.is_grad_enabled() and any(x.requires_grad for x in inputs)
        context.needs_input_grad = tuple(recorded and isinstance(arg, Tensor) and arg.requires_grad for arg in args)
        with no_grad():
            if cls.setup_context is Function.setup_context:
                result = cls.forward(context, *args, **kwargs)
            else:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(context, _with_defaults(cls.forward, args), result)
        dirty = context._dirty
        if recorded:
            return result, _recorded(context, args, places, inputs, result), dirty
        if _core.is_grad_enabled():
            for output in result if isinstance(result, (tuple, list)) else (result,):
                if isinstance(output, Tensor) and not is_among(output, args):
                    _core._guard_function_view(output)
        return result, result, dirty


def _backward_of(function: type[Function]) -> Callable[..., Any]:
    if function.vjp is Function.vjp:
        return function.backward
    if function.backward is not Function.backward:
        raise RuntimeError(
            "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
            "one of them."
        )
    return function.vjp


def _with_defaults(forward: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments with the defaults of those that were left out."""
    if not forward.__defaults__:
        return args
    import inspect

    bound = inspect.signature(forward).bind(*args)
    bound.apply_defaults()
    return bound.args


def _checked_dirty(dirty: Sequence[Tensor], args: tuple[Any, ...], outputs: tuple[Any, ...]) -> list[Tensor]:
    """The inputs that forward has changed in place."""
    for changed in dirty:
        if not is_among(changed, outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as output. The inputs that "
                "are modified inplace must all be outputs of the Function."
            )
        if not is_among(changed, args):
            warn_caller(
                "Only input Tensors should be given to ctx.mark_dirty(). If a Tensor is not an input, there is no need "
                "to pass it to mark_dirty()."
            )
        elif len(outputs) > 1 and changed._is_view():
            raise RuntimeError(
                "If your Function modifies inplace an input that is a view of another Tensor, your Function cannot "
                "return more than one Tensor. This is not supported by the current autograd engine. You should either "
                "make sure the input is not a view (using .clone() for example) or make your Function only return one "
                "Tensor (potentially splitting it into two Functions: one doing the inplace that returns a single "
                "Tensor and a second one that does the other operations)."
            )
    return [changed for changed in dirty if is_among(changed, args)]


def _recorded(
    context: BackwardContext, args: tuple[Any, ...], places: list[int], inputs: list[Tensor], result: Any
) -> Any:
    """The outputs with the call's node as their history."""
    single = not isinstance(result, (tuple, list))
    outputs = (result,) if single else tuple(result)
    fixed = {id(x) for x in context._non_differentiable}
    with_history = [x if isinstance(x, Tensor) and has_gradients(x) and id(x) not in fixed else None for x in outputs]
    dirty = _checked_dirty(context._dirty, args, outputs)
    returned = [x for x in with_history if x is not None and is_among(x, args)]
    context._argument_count, context._tensor_places = len(args), places
    context._outputs = [
        (tuple(x.shape), x.dtype)
        if isinstance(x, Tensor) and (y is not None or context._materialize_non_diff_grads)
        else None
        for x, y in zip(outputs, with_history, strict=True)
    ]
    own = {id(x): i for i, x in enumerate(with_history) if not is_among(x, returned) or is_among(x, dirty)}
    saved = [(x, None if x is None else _SavedTensor(x, own.get(id(x)))) for x in context._to_save]
    context._saved, context._to_save, context._dirty = tuple(packed for _, packed in saved), (), ()
    with_history = list(_core._function_outputs(context, inputs, with_history, dirty, returned))
    for x, packed in saved:
        if packed is not None and is_among(x, dirty):
            packed.version = x._version  # type: ignore[union-attr]
    final = tuple(y if y is not None else x for x, y in zip(outputs, with_history, strict=True))
    return final[0] if single else final


class InplaceFunction(Function):
    """A `Function` under the name that older code uses for those that change inputs in place."""


class _NotTwice(Function):
    """The identity, with a gradient that cannot be computed."""

    @staticmethod
    def forward(ctx: FunctionCtx, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tensors

    @staticmethod
    def backward(ctx: FunctionCtx, *grad_outputs: Tensor) -> Any:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a `Function`'s ``backward`` that is not made of differentiable operations.

    Nothing is recorded in it, and differentiating its results is an error.
    """

    @wraps(fn)
    def backward(ctx: FunctionCtx, *grad_outputs: Any) -> Any:
        with no_grad():
            result = fn(ctx, *grad_outputs)
        if not _core.is_grad_enabled():
            return result
        if not any(isinstance(x, Tensor) and x.requires_grad for x in grad_outputs):
            return result
        single = not isinstance(result, tuple)
        results = (result,) if single else result
        floats = [x.detach().requires_grad_() for x in results if isinstance(x, Tensor) and has_gradients(x)]
        failing = iter(_NotTwice.apply(*floats))
        final = tuple(next(failing) if isinstance(x, Tensor) and has_gradients(x) else x for x in results)
        return final[0] if single else final

    return backward
