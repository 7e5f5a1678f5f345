"""Calling a module with tensors that are not its own: its parameters and buffers become arguments."""

from __future__ import annotations

from contextlib import contextmanager

from ..._core import Tensor
from ..._warning import warn_caller
from ..parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..modules import Module

__all__ = ["functional_call"]

_MISSING: Any = object()


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Deprecated name of ``lamina.func.functional_call``."""
    warn_caller(
        "This API is deprecated as of PyTorch 2.0 and will be removed in a future version. "
        "Please use `torch.func.functional_call` instead (in lamina: `lamina.func.functional_call`).",
        FutureWarning,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _reparametrize_module(module, parameters_and_buffers, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _reparametrize_module(
    module: Module, parameters_and_buffers: dict[str, Tensor], tie_weights: bool = False, strict: bool = False
) -> Iterator[None]:
    """`parameters_and_buffers` in the places they name while the context lasts.

    What forward puts into these places instead is found there afterwards; the module is as it was. Libraries for
    PyTorch use it by this name.
    """
    tensors = parameters_and_buffers
    everywhere = _with_tied_names(module, tensors) if tie_weights else dict(tensors)
    if strict:
        _check_names(module, everywhere)
    before: dict[str, Any] = {}
    try:
        for path, tensor in everywhere.items():
            before[path] = _swap(*_place(module, path), tensor)
        yield
    finally:
        for path in reversed(list(before)):
            after = _swap(*_place(module, path), before[path], check=False)
            if path in tensors and after is not _MISSING:
                tensors[path] = after


def _place(module: Module, path: str) -> tuple[Module, str]:
    owner, _, name = path.rpartition(".")
    return module.get_submodule(owner), name


def _swap(owner: Module, name: str, value: Any, check: bool = True) -> Any:
    """Put `value` in the place of the tensor `name` and return what was there; _MISSING stands for nothing."""
    if check and value is not None and not isinstance(value, Tensor):
        raise TypeError(f"{value} is not an instance of torch.Tensor")
    for registry in (owner._parameters, owner._buffers):
        if name in registry:
            before = registry[name]
            if value is _MISSING:
                del registry[name]
            else:
                registry[name] = value
            return before
    before = getattr(owner, name, _MISSING)
    if check and before is not _MISSING and not isinstance(before, Tensor):
        raise TypeError(f"attribute `{name}`: {before} is not an instance of torch.Tensor")
    if value is _MISSING:
        delattr(owner, name)
    elif isinstance(value, Parameter) and before is _MISSING:
        owner.register_parameter(name, value)
    else:
        setattr(owner, name, value)
    return before


def _named_tensors(module: Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _with_tied_names(module: Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """`tensors`, and each of them also under all other names that the module has for the tensor it replaces."""
    names: dict[int, list[str]] = {}
    for name, tensor in _named_tensors(module):
        names.setdefault(id(tensor), []).append(name)
    result = dict(tensors)
    for tied in names.values():
        given = [name for name in tied if name in tensors]
        if not given:
            continue
        value = tensors[given[0]]
        if any(tensors[name] is not value for name in given):
            raise ValueError(
                f"functional_call got multiple values for keys {sorted(given)}, which are tied. "
                "Consider using tie_weights=False"
            )
        result.update(dict.fromkeys(tied, value))
    return result


def _check_names(module: Module, tensors: dict[str, Tensor]) -> None:
    known = {name for name, _ in _named_tensors(module)}
    lines = [
        f"{kind} key(s): {', '.join(f'{name!r}' for name in sorted(names))}."
        for kind, names in (("Unexpected", tensors.keys() - known), ("Missing", known - tensors.keys()))
        if names
    ]
    if lines:
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(lines))
