"""What all optimisers share: groups of parameters, their options, and the state kept for each parameter."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from copy import deepcopy
from functools import wraps

from .. import _core, profiled_ranges
from .._core import Tensor
from .._warning import warn_caller
from ..nn.hooks import RemovableHandle, add_hook
from .options import required

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from typing_extensions import Self

__all__ = [
    "Optimizer",
    "register_optimizer_step_post_hook",
    "register_optimizer_step_pre_hook",
]

_global_step_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_global_step_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()


class Optimizer:
    """Base of optimisers: a subclass gives the `defaults` of its options and defines ``step``.

    `params` is an iterable of tensors, of (name, tensor) pairs, or of dicts: each dict is a group, with its tensors
    under ``"params"`` and any options that differ from the defaults. Parameters of a lazy module that has not run yet
    are welcome; they are skipped until they have a gradient.
    """

    # What `_with_hooks` notes for schedules: None before there is one, then whether a step was taken since.
    _opt_called: bool | None = None

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """With registries of hooks: an optimizer that wraps another one may do without ``Optimizer.__init__``."""
        self = super().__new__(cls)
        self._add_hook_registries()
        return self

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}; wrap it: [param]"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters; options it lacks get their defaults. Useful to train frozen layers later on."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        group = dict(param_group)
        params = group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, (set, frozenset)):
            raise TypeError("optimizer parameters need to be in an order that is the same every time; got a set")
        named = [param if isinstance(param, tuple) else (None, param) for param in params]
        names = [name for name, _ in named]
        group["params"] = tensors = [tensor for _, tensor in named]
        if any(name is not None for name in names):
            if None in names:
                raise ValueError("all optimizer params should be with/without names. Some params lack names.")
            group["param_names"] = names
        for tensor in tensors:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"optimizer can only optimize Tensors, but one of the params is {type(tensor).__name__}"
                )
            if not self.defaults.get("differentiable") and not (tensor.is_leaf or tensor.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor; give it the tensor that it was computed from")
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            group.setdefault(name, default)
        ids = [id(tensor) for tensor in tensors]
        if len(set(ids)) != len(ids):
            warn_caller("optimizer contains a parameter group with duplicate parameters: a step updates them twice")
        known = set(ids)
        if any(id(tensor) in known for other in self.param_groups for tensor in other["params"]):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters by their gradients; `closure`, if given, is run first and computes them anew."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or set them to zero in place."""
        for group in self.param_groups:
            if set_to_none:
                _core._forget_gradients(group["params"])
                continue
            for parameter in group["params"]:
                if (gradient := parameter.grad) is not None:
                    if gradient.requires_grad:
                        parameter.grad = gradient = gradient.detach()
                    gradient.zero_()

    def state_dict(self) -> dict[str, Any]:
        """The options of every group, with its parameters as numbers, and the state by these numbers."""
        for hook in tuple(self._state_dict_pre_hooks.values()):
            hook(self)
        numbers: dict[int, int] = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                numbers.setdefault(id(parameter), len(numbers))
        state_dict = {
            "state": {numbers[id(k)] if isinstance(k, Tensor) else k: v for k, v in self.state.items()},
            "param_groups": [
                {
                    **{name: option for name, option in group.items() if name != "params"},
                    "params": [numbers[id(parameter)] for parameter in group["params"]],
                }
                for group in self.param_groups
            ],
        }
        return _replaced(self, state_dict, self._state_dict_post_hooks)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, copied and in the parameters' dtypes.

        ValueError if the groups have other lengths; then nothing has changed.
        """
        state_dict = _replaced(self, dict(state_dict), self._load_state_dict_pre_hooks)
        saved = deepcopy(state_dict["param_groups"])
        if len(saved) != len(self.param_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(s["params"]) != len(g["params"]) for s, g in zip(saved, self.param_groups)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        own = {
            number: parameter
            for s, g in zip(saved, self.param_groups)
            for number, parameter in zip(s["params"], g["params"])
        }
        state: defaultdict[Any, Any] = defaultdict(dict)
        for number, value in state_dict["state"].items():
            if number in own:
                state[own[number]] = {name: _copied(name, v, own[number]) for name, v in value.items()}
            else:
                state[number] = value
        groups = []
        for s, g in zip(saved, self.param_groups):
            group = {**self.defaults, **s, "params": g["params"]}
            if "param_names" in g:
                group["param_names"] = g["param_names"]
            groups.append(group)
        self.__setstate__({"state": state, "param_groups": groups})
        for hook in tuple(self._load_state_dict_post_hooks.values()):
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _add_hook_registries(self) -> None:
        self._step_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._step_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._state_dict_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` before ``step``; it may return new ``(args, kwargs)``."""
        return add_hook(self._step_pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(optimizer, args, kwargs)`` after ``step``."""
        return add_hook(self._step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` before `state_dict` collects anything."""
        return add_hook(self._state_dict_pre_hooks, hook, prepend=prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` on what `state_dict` returns; it may return another one."""
        return add_hook(self._state_dict_post_hooks, hook, prepend=prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer, state_dict)`` on a shallow copy of what is loaded; it may return another one."""
        return add_hook(self._load_state_dict_pre_hooks, hook, prepend=prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(optimizer)`` after `load_state_dict`."""
        return add_hook(self._load_state_dict_post_hooks, hook, prepend=prepend)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for number, group in enumerate(self.param_groups):
            text += f"\nParameter Group {number}\n"
            text += "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
        return text + ")"


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` before every optimizer's ``step``, ahead of the optimizer's own hooks."""
    return add_hook(_global_step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(optimizer, args, kwargs)`` after every optimizer's ``step`` and its own hooks."""
    return add_hook(_global_step_post_hooks, hook)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """`step` between the hooks that are registered for it, noted for schedules."""

    @wraps(step)
    def call(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        if self._opt_called is False:
            self._opt_called = True
        if not (
            self._step_pre_hooks
            or self._step_post_hooks
            or _global_step_pre_hooks
            or _global_step_post_hooks
            or profiled_ranges.noted is not None
        ):
            return step(self, *args, **kwargs)
        for hook in (*_global_step_pre_hooks.values(), *self._step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"a step pre-hook must return None or (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        with profiled_ranges.UpdateRange(self):
            result = step(self, *args, **kwargs)
        for hook in (*self._step_post_hooks.values(), *_global_step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    return call


def _replaced(optimizer: Optimizer, state_dict: dict[str, Any], hooks: dict[int, Callable[..., Any]]) -> dict[str, Any]:
    """`state_dict` as `hooks` leave it: each may return another one."""
    for hook in tuple(hooks.values()):
        changed = hook(optimizer, state_dict)
        if changed is not None:
            state_dict = changed
    return state_dict


def _copied(name: str, value: Any, parameter: Tensor) -> Any:
    """A state's `value` as `parameter` needs it: numbers of its dtype; a step count stays a plain number."""
    if isinstance(value, Tensor):
        if name == "step":
            return int(value.item())
        return value.detach().to(parameter.dtype if parameter.dtype.is_floating_point else value.dtype).clone()
    if isinstance(value, dict):
        return {key: _copied(key, v, parameter) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_copied(name, v, parameter) for v in value)
    return value
