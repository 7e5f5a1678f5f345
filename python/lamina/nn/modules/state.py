"""state_dict and load_state_dict: a module's numbers by name, out and in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from weakref import ref

from ..._core import Tensor
from ..._warning import warn_caller
from ..hooks import RemovableHandle, add_hook
from ..parameter import is_lazy
from .loading import PendingLoad, _IncompatibleKeys, reason_not_to_load, warn_if_in_vain
from .tree import ModuleTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ModuleState"]

_EXTRA_STATE_KEY = "_extra_state"
# Comparing names takes time; a state dict of another architecture has nothing but wrong ones.
_MOST_SUGGESTIONS = 20
# Where a load keeps its pending writes: in the metadata that every _load_from_state_dict is handed.
_PENDING = "_lamina_pending_load"


class ModuleState(ModuleTree):
    """The part of Module that saves and loads; use Module itself."""

    _version: int = 1
    if TYPE_CHECKING:
        _state_dict_hooks: OrderedDict[int, Callable[..., Any]]
        _state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _load_state_dict_pre_hooks: OrderedDict[int, Callable[..., Any]]
        _load_state_dict_post_hooks: OrderedDict[int, Callable[..., Any]]

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """Parameters and persistent buffers by path, in an ordered dict whose ``_metadata`` holds version numbers.

        The tensors share their storage with the module's and are detached from the graph, unless `keep_vars`.
        Parameters of a lazy module that has not run yet are in it as they are. With `destination` the entries are
        added to it, each name behind `prefix`. Giving them by position, as modules written long ago do, is deprecated.
        """
        if args:
            warn_caller("Positional args are being deprecated, use kwargs instead.", FutureWarning)
            given: list[Any] = [destination, prefix, keep_vars]
            given[: len(args)] = args
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for pre_hook in self._state_dict_pre_hooks.values():
            pre_hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is not None:
                destination = result
        return destination  # type: ignore[no-any-return]

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Add this module's own entries, without its children's."""
        for name, value in self._local_state().items():
            destination[prefix + name] = value if keep_vars or is_lazy(value) else value.detach()
        if type(self).get_extra_state is not ModuleState.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY] = self.get_extra_state()

    def _local_state(self) -> dict[str, Tensor]:
        own: dict[str, Tensor] = {name: value for name, value in self._parameters.items() if value is not None}
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                own[name] = buffer
        return own

    def get_extra_state(self) -> Any:
        """Override it, with set_extra_state, to keep more than tensors in state_dict: anything that pickles."""
        raise RuntimeError(
            f"{type(self).__name__}.get_extra_state is missing: a module that defines set_extra_state defines both"
        )

    def set_extra_state(self, state: Any) -> None:
        """Called by load_state_dict with what get_extra_state returned."""
        raise RuntimeError(
            f"{type(self).__name__}.set_extra_state is missing: a module that defines get_extra_state defines both"
        )

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the numbers in `state_dict` into this module's parameters and buffers.

        Everything is checked before anything is written: a load that raises leaves the module as it was. Lazy
        parameters take their shape from `state_dict`. With `assign` the tensors replace the module's instead.

        Returns the lists ``missing_keys`` and ``unexpected_keys``. RuntimeError if shapes differ, or if `strict` and
        a key is missing or unexpected. TypeError if `state_dict` is no mapping.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        metadata = getattr(state_dict, "_metadata", None)
        entries: Any = OrderedDict(state_dict)  # hooks may rename entries: not in the caller's dict
        if metadata is not None:
            entries._metadata = metadata
        pending = PendingLoad()
        keys = _IncompatibleKeys([], [])
        errors: list[str] = []
        modules: list[tuple[ModuleState, Any, str]] = [(self, entries, "")]
        try:
            while modules:
                module, entries, prefix = modules.pop()
                local_metadata = {**(metadata or {}).get(prefix[:-1], {}), _PENDING: pending}
                if assign:
                    local_metadata["assign_to_params_buffers"] = True
                module._load_from_state_dict(entries, prefix, local_metadata, True, *keys, errors)
                paths = [(child, f"{prefix}{name}.") for name, child in module._modules.items() if child is not None]
                modules += [(c, {k: v for k, v in entries.items() if k.startswith(p)}, p) for c, p in reversed(paths)]
            post_hooks = _post_hooks(self)
            key_errors = _key_errors(keys) if strict else []
            if errors or (key_errors and not post_hooks):
                self._raise_load_errors(key_errors + errors)
            pending.commit()
            # A post-hook sees the loaded numbers and may forgive keys: what hooks leave of them is judged last.
            for module, hook in post_hooks:
                if hook(module, keys) is not None:
                    raise AssertionError(
                        "a load_state_dict post-hook must return None; change the lists of keys in place"
                    )
            if strict and any(keys):
                self._raise_load_errors(_key_errors(keys))
        except BaseException:
            pending.roll_back()
            raise
        return keys

    def _raise_load_errors(self, errors: list[str]) -> None:
        lines = "\n\t".join(errors)
        raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own entries, without its children's; an override may rename entries of `state_dict` first.

        The writes happen when the whole load has been checked, not before this returns, unless it is called directly.
        """
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        pending = local_metadata.get(_PENDING) or PendingLoad()
        assign = local_metadata.get("assign_to_params_buffers", False)
        local_state = self._local_state()
        for name, current in local_state.items():
            key = prefix + name
            if key in state_dict:
                reason = reason_not_to_load(key, current, state_dict[key], assign)
                if reason is None:
                    warn_if_in_vain(key, current, state_dict[key], assign)
                    pending.tensor(self, name, state_dict[key], assign)
                else:
                    error_msgs.append(reason)
            elif strict:
                missing_keys.append(key)
        extra_key = prefix + _EXTRA_STATE_KEY
        if type(self).set_extra_state is not ModuleState.set_extra_state:
            if extra_key in state_dict:
                pending.extra_state(self, state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    head, dot, _ = key[len(prefix) :].partition(".")
                    if head not in (self._modules if dot else local_state):
                        unexpected_keys.append(key)
        if _PENDING not in local_metadata:
            pending.commit()

    # Hooks

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, prefix, keep_vars)`` before state_dict collects this module."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, state_dict, prefix, local_metadata)`` after it; it may change `state_dict` in place."""

        def call(module: ModuleState, state_dict: Any, prefix: str, local_metadata: Any) -> None:
            if hook(module, state_dict, prefix, local_metadata) is not None:
                raise RuntimeError("state_dict post-hook must return None; change the state dict in place")

        return add_hook(self._state_dict_hooks, call)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """As the public form, but a result that is not None takes the place of the state dict."""
        return add_hook(self._state_dict_hooks, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        """As the public form, but the hook is handed the module only `with_module`."""
        return add_hook(self._load_state_dict_pre_hooks, _ModuleHook(hook, self) if with_module else hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook` with this module and all the arguments of `_load_from_state_dict` before it reads them."""
        return add_hook(self._load_state_dict_pre_hooks, _ModuleHook(hook, self))

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call ``hook(module, incompatible_keys)`` after loading; it may change the two lists in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)


class _ModuleHook:
    """A hook that is handed its module first. It does not keep the module alive, and goes with it into copies."""

    def __init__(self, hook: Callable[..., Any], module: ModuleState) -> None:
        self.hook = hook
        self.module = ref(module)

    def __call__(self, *args: Any) -> Any:
        module = self.module()
        if module is None:
            raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(module, *args)

    def __getstate__(self) -> tuple[Callable[..., Any], ModuleState | None]:
        return self.hook, self.module()

    def __setstate__(self, state: tuple[Callable[..., Any], ModuleState]) -> None:
        self.hook, module = state
        self.module = ref(module)


def _post_hooks(module: ModuleState) -> list[tuple[ModuleState, Callable[..., Any]]]:
    """The hooks to call after loading, with the modules they belong to: children's before their parents'."""
    children = [pair for child in module._modules.values() if child is not None for pair in _post_hooks(child)]
    return [*children, *((module, hook) for hook in module._load_state_dict_post_hooks.values())]


def _key_errors(keys: _IncompatibleKeys) -> list[str]:
    kinds = (("Missing", keys.missing_keys), ("Unexpected", keys.unexpected_keys))
    errors = [
        "{} key(s) in state_dict: {}. ".format(k, ", ".join(f'"{n}"' for n in names)) for k, names in kinds if names
    ]
    if pairs := _likely_pairs(*keys):
        errors.append("Perhaps {}.".format(", ".join(f'"{got}" is meant for "{name}"' for got, name in pairs)))
    return errors


def _likely_pairs(missing: list[str], unexpected: list[str]) -> list[tuple[str, str]]:
    """Unexpected keys with the missing one that each looks like, such as another spelling or one prefix more."""
    from difflib import get_close_matches

    pairs = []
    left = list(missing)
    for key in unexpected[:_MOST_SUGGESTIONS]:
        same_end = [name for name in left if key.endswith("." + name) or name.endswith("." + key)]
        if found := (same_end or get_close_matches(key, left, n=1, cutoff=0.75)):
            pairs.append((key, found[0]))
            left.remove(found[0])
    return pairs
