"""Parametrizations: a parameter or buffer of a module that is computed, when it is read, from others."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy

from ..._core import Tensor
from ...autograd import no_grad
from ..modules import Module, ModuleDict, ModuleList
from ..parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = [
    "ParametrizationList",
    "cached",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
    "transfer_parametrizations_and_params",
    "type_before_parametrizations",
]

_cache_depth = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """While it lasts, each parametrized tensor is computed once, when it is first read.

    For a forward that reads one often, such as a recurrent net's.
    """
    global _cache_depth
    _cache_depth += 1
    try:
        yield
    finally:
        _cache_depth -= 1
        if not _cache_depth:
            _cache.clear()


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied one after the other to what they start from.

    That is `original`, or `original0`, `original1`, … if the first one's ``right_inverse`` returns a sequence.
    """

    _names_a_scope = True  # unlike other lists it is called
    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if len(modules) == 0:
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        start = _start_from(self, original)
        self.is_tensor = isinstance(start, Tensor)
        self.ntensors = 1 if self.is_tensor else len(start)
        if self.is_tensor:
            before = original.data
            self._register("original", original)
            with no_grad():
                original.data = start
        else:
            for i, tensor in enumerate(start):
                if isinstance(original, Parameter):
                    tensor = Parameter(tensor, original.requires_grad)
                tensor.requires_grad_(original.requires_grad)
                self._register(f"original{i}", tensor)
        if not unsafe:
            try:
                _check_alike(self(), original.dtype, (before if self.is_tensor else original).shape)
            except BaseException:
                if self.is_tensor:
                    original.data = before
                raise

    def _register(self, name: str, tensor: Tensor) -> None:
        if isinstance(tensor, Parameter):
            self.register_parameter(name, tensor)
        else:
            self.register_buffer(name, tensor)

    def _originals(self) -> list[Tensor]:
        return [self.original] if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]

    def right_inverse(self, value: Tensor) -> None:
        """Change the originals so that the parametrized tensor becomes `value`.

        RuntimeError if a parametrization has no ``right_inverse``, ValueError if one returns what does not fit.
        """
        with no_grad():
            result: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                result = module.right_inverse(result)
            if self.is_tensor:
                if not isinstance(result, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(result).__name__}")
                results = [result]
            else:
                if not isinstance(result, Sequence):
                    raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(result)}.")
                if len(result) != self.ntensors:
                    raise ValueError(
                        f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence "
                        f"of length {len(result)}."
                    )
                results = list(result)
            for i, (tensor, original) in enumerate(zip(results, self._originals(), strict=True)):
                if not isinstance(tensor, Tensor):
                    raise ValueError(f"`right_inverse` must return a sequence of tensors. Got element {i}: {tensor!r}")
                if tensor.dtype != original.dtype:
                    raise ValueError(
                        f"The tensor returned by `right_inverse` has dtype {tensor.dtype} while `original` has dtype "
                        f"{original.dtype}"
                    )
            for tensor, original in zip(results, self._originals(), strict=True):
                original.data = tensor

    def forward(self) -> Tensor:
        first, *others = self
        value: Tensor = first(*self._originals())
        for module in others:
            value = module(value)
        return value


def _start_from(modules: ParametrizationList, original: Tensor) -> Any:
    """What the first parametrization is to be given, so that the last one returns something like `original`."""
    start: Any = original
    with no_grad():
        for module in reversed(list(modules)):
            if hasattr(module, "right_inverse"):
                with suppress(NotImplementedError):
                    start = module.right_inverse(start)
    if isinstance(start, Tensor):
        if start.dtype != original.dtype:
            raise ValueError(
                "When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {start.dtype}"
            )
        return start
    expected = "'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...)."
    if not isinstance(start, Sequence):
        raise ValueError(f"{expected} Got {type(start).__name__}")
    for i, tensor in enumerate(start):
        if not isinstance(tensor, Tensor):
            raise ValueError(f"{expected} Got element {i} of the sequence with type {type(tensor).__name__}.")
    return start


def _check_alike(value: Any, dtype: Any, shape: Any) -> None:
    if not isinstance(value, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(value).__name__}.")
    for what, got, expected in (("dtype", value.dtype, dtype), ("shape", value.shape, shape)):
        if got != expected:
            raise ValueError(
                f"Registering a parametrization may not change the {what} of the tensor, unless `unsafe` flag is "
                f"enabled.\nunparametrized {what}: {expected}\nparametrized {what}: {got}"
            )


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Have `parametrization` compute the parameter or buffer `tensor_name` of `module`, each time it is read.

    The tensor moves to ``module.parametrizations[tensor_name].original`` and stays trainable. A further
    parametrization is applied to the result of those that are there. If it has a method ``right_inverse``, the tensor
    can be assigned to: ``module.weight = value`` stores what ``right_inverse(value)`` returns, which may be a sequence
    of tensors (``original0``, ``original1``, …) for a forward of as many arguments.

    Returns `module`. ValueError if there is no such tensor, or if its shape or dtype would change, unless `unsafe`.

    >>> class Symmetric(nn.Module):
    ...     def forward(self, X):
    ...         return X.triu() + X.triu(1).T
    >>> layer = nn.utils.parametrize.register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        parametrizations: Any = module.parametrizations[tensor_name]
        if not unsafe:
            _check_on_top(parametrization, getattr(module, tensor_name), tensor_name)
        parametrizations.append(parametrization)
        parametrizations.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        # This may fail; the module is changed afterwards.
        parametrizations = ParametrizationList([parametrization], original, unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            module.__class__ = _parametrized_class(type(module))
            module.parametrizations = ModuleDict()
        setattr(type(module), tensor_name, _parametrized_property(tensor_name))
        module.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(
            f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name "
            f"'{tensor_name}'"
        )
    return module


def _check_on_top(parametrization: Any, before: Tensor, name: str) -> None:
    value = parametrization(before)
    _check_alike(value, before.dtype, before.shape)
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(value)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    for what, got, expected in (("dtype", back.dtype, before.dtype), ("shape", back.shape, before.shape)):
        if got != expected:
            raise ValueError(
                f"The tensor returned by parametrization.right_inverse must have the same {what} as module.{name}, "
                f"unless `unsafe` flag is enabled.\nmodule.{name}.{what}: {expected}\nreturned {what}: {got}"
            )


def _parametrized_class(cls: type[Any]) -> type[Any]:
    """A subclass for one module alone, to carry its properties."""

    def refuse(self: Module) -> None:
        raise RuntimeError(
            "Serialization of parametrized modules is only supported through state_dict(): save that, build and "
            "parametrize the module anew, and load it."
        )

    def copied(self: Module, memo: dict[int, Any]) -> Module:
        if id(self) not in memo:
            memo[id(self)] = replica = self.__new__(type(self))
            replica.__dict__ = deepcopy(self.__dict__, memo)
        return memo[id(self)]  # type: ignore[no-any-return]

    own: dict[str, Any] = {"__getstate__": refuse}
    if not hasattr(cls, "__deepcopy__"):
        own["__deepcopy__"] = copied
    return type(f"Parametrized{cls.__name__}", (cls,), own)


def _parametrized_property(name: str) -> property:
    def read(self: Module) -> Tensor:
        parametrizations = self.parametrizations[name]
        if not _cache_depth:
            return parametrizations()  # type: ignore[no-any-return]
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = parametrizations()
        return _cache[key]

    def write(self: Module, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"expected a Tensor for the parametrized '{name}', got {type(value).__name__}")
        self.parametrizations[name].right_inverse(value)

    return property(read, write)


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether the tensor `tensor_name` (default: any) of `module` has a parametrization."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make `tensor_name` a plain parameter or buffer again: with the numbers it shows, or with those it came from.

    ValueError if it has no parametrization, or if it comes from several tensors and not `leave_parametrized`.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations: Any = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).data
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type[Any]:
    """The class that `module` had before it was parametrized; its class now if it is not."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Parametrize `to_module` with the parametrizations of `from_module`, of one tensor or of all.

    The two share these and the tensors they start from. Returns `to_module`.
    """
    if not is_parametrized(from_module):
        return to_module
    names = list(from_module.parametrizations) if tensor_name is None else [tensor_name]
    for name in names:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        source: Any = from_module.parametrizations[name]
        for parametrization in source:
            register_parametrization(to_module, name, parametrization)
        target: Any = to_module.parametrizations[name]
        for original in ["original"] if source.is_tensor else [f"original{i}" for i in range(source.ntensors)]:
            setattr(target, original, getattr(source, original))
    return to_module
