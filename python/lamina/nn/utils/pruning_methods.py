"""How a pruning method chooses what to keep: as a mask over a tensor. lamina.nn.utils.prune applies them to modules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral, Real

from ... import _core
from ..parameter import Parameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..._core import Tensor
    from ..modules import Module

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
]


class BasePruningMethod(ABC):
    """A forward pre-hook that computes ``<name>`` of a module as ``<name>_orig * <name>_mask``.

    A subclass says in `PRUNING_TYPE` what it prunes, "unstructured" single elements, "structured" slices along
    ``self.dim``, or "global" anything, and defines `compute_mask`.
    """

    PRUNING_TYPE: str
    _tensor_name: str
    dim: int

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """A mask for the importances `t`, of their shape: 0 where they are pruned, else what `default_mask` has."""

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor, from the module's original and mask."""
        original: Tensor = getattr(module, self._tensor_name + "_orig")
        mask: Tensor = getattr(module, self._tensor_name + "_mask")
        return mask.to(original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prune the parameter `name` of `module` (further, if it is pruned), by `importance_scores` or its own numbers.

        If no mask can be computed, the module stays as it was.
        """
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        earlier = [(id, hook) for id, hook in module._forward_pre_hooks.items() if prunes(hook, name)]
        tensor = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != tensor.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, {tensor.shape}, got "
                f"{importance_scores.shape}"
            )
        hook = method
        default_mask = _core.ones_like(tensor.detach())
        for _, old in earlier:
            hook = PruningContainer(*(old if isinstance(old, PruningContainer) else [old]), method)
            default_mask = getattr(module, name + "_mask").detach().clone()
        mask = hook.compute_mask(tensor if importance_scores is None else importance_scores, default_mask)
        for id, _ in earlier:
            del module._forward_pre_hooks[id]
        if not earlier:
            del module._parameters[name]
            module.register_parameter(name + "_orig", tensor)
        module.register_buffer(name + "_mask", mask.detach())
        setattr(module, name, hook.apply_mask(module))
        module.register_forward_pre_hook(hook)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """`t` times the mask for its numbers, or for `importance_scores`; no module is involved."""
        scores = t if importance_scores is None else importance_scores
        if scores.shape != t.shape:
            raise AssertionError("importance_scores should have the same shape as tensor t")
        mask = self.compute_mask(scores, _core.ones_like(t) if default_mask is None else default_mask)
        return t * mask

    def remove(self, module: Module) -> None:
        """Make the pruned numbers those of the parameter, for good."""
        original: Any = module._parameters[self._tensor_name + "_orig"]
        original.data = self.apply_mask(module).data
        for name in (self._tensor_name, self._tensor_name + "_mask", self._tensor_name + "_orig"):
            delattr(module, name)
        setattr(module, self._tensor_name, original if isinstance(original, Parameter) else Parameter(original))


def prunes(hook: object, name: str | None = None) -> bool:
    """Whether `hook` prunes a tensor (the one called `name`)."""
    return isinstance(hook, BasePruningMethod) and name in (None, hook._tensor_name)


class PruningContainer(BasePruningMethod):
    """Methods that pruned one tensor, one after the other. The last one looks only at what the others have left."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if args:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Add `method`. TypeError if it is none, ValueError if it prunes another tensor."""
        if method is None:
            return
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method._tensor_name != self._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        method = self._pruning_methods[-1]
        left: Any
        if method.PRUNING_TYPE == "unstructured":
            left = default_mask == 1
        elif method.PRUNING_TYPE == "structured":
            others = [axis for axis in range(t.ndim) if axis != method.dim % t.ndim]
            left = _along(method.dim, t.ndim, default_mask.sum(others) != 0)
        elif method.PRUNING_TYPE == "global":
            left = (slice(None),) * t.ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
        mask = default_mask.to(t.dtype)
        mask = mask.clone() if mask is default_mask else mask
        mask[left] = method.compute_mask(t[left], default_mask[left]).to(t.dtype)
        return mask


def _along(dim: int, ndim: int, index: Any) -> tuple[Any, ...]:
    """An index that selects `index` along `dim` and everything along the other axes."""
    return tuple(index if axis == dim % ndim else slice(None) for axis in range(ndim))


class Identity(BasePruningMethod):
    """Prunes nothing; the mask is there for later calls."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask


class RandomUnstructured(BasePruningMethod):
    """Prunes `amount` elements (or this fraction of them) by chance."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without_smallest(_core.rand(t.numel()), self.amount, default_mask)


class L1Unstructured(BasePruningMethod):
    """Prunes the `amount` elements (or this fraction of them) that are nearest to 0."""

    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return _without_smallest(t.detach().abs().flatten(), self.amount, default_mask)


def _without_smallest(scores: Tensor, amount: float, default_mask: Tensor) -> Tensor:
    count = _count_to_prune(amount, scores.numel())
    mask = default_mask.clone()
    if count:
        mask.view(-1)[_core.topk(scores, count, largest=False).indices] = 0
    return mask


class RandomStructured(BasePruningMethod):
    """Prunes `amount` slices along `dim` (or this fraction of them) by chance."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t, self.dim)
        return _without_smallest_slices(_core.rand(t.shape[self.dim]), self.amount, self.dim, t, default_mask)


class LnStructured(BasePruningMethod):
    """Prunes the `amount` slices along `dim` (or this fraction of them) with the smallest `n`-norm."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        _validate_pruning_amount_init(amount)
        self.amount = amount
        self.n = n
        self.dim = dim

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        _validate_structured_pruning(t, self.dim)
        others = [axis for axis in range(t.ndim) if axis != self.dim % t.ndim]
        norms = _core.norm(t.detach(), self.n, others)
        return _without_smallest_slices(norms, self.amount, self.dim, t, default_mask)


def _without_smallest_slices(scores: Tensor, amount: float, dim: int, t: Tensor, default_mask: Tensor) -> Tensor:
    count = _count_to_prune(amount, scores.numel())
    if not count:
        return default_mask
    mask = _core.ones_like(t.detach())
    mask[_along(dim, t.ndim, _core.topk(scores, count, largest=False).indices)] = 0
    return mask * default_mask.to(mask.dtype)


class CustomFromMask(BasePruningMethod):
    """Prunes what `mask` has 0 for."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(f"the mask should be of shape {default_mask.shape}, got {self.mask.shape}")
        return default_mask * self.mask.to(default_mask.dtype)


def _validate_pruning_amount_init(amount: object) -> None:
    if not isinstance(amount, Real):
        raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
    if (isinstance(amount, Integral) and amount < 0) or (
        not isinstance(amount, Integral) and not 0.0 <= float(amount) <= 1.0
    ):
        raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")


def _validate_pruning_amount(amount: float, tensor_size: int) -> None:
    if isinstance(amount, Integral) and amount > tensor_size:
        raise ValueError(f"amount={amount} should be smaller than the number of parameters to prune={tensor_size}")


def _compute_nparams_toprune(amount: float, tensor_size: int) -> int:
    return int(amount) if isinstance(amount, Integral) else round(amount * tensor_size)


def _count_to_prune(amount: float, size: int) -> int:
    _validate_pruning_amount(amount, size)
    return _compute_nparams_toprune(amount, size)


def _validate_structured_pruning(t: Tensor, dim: int) -> None:
    if t.ndim <= 1:
        raise ValueError(
            "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
            f"{t.shape} with {t.ndim} dims"
        )
    if not -t.ndim <= dim < t.ndim:
        raise IndexError(f"Invalid index {dim} for tensor of size {t.shape}")
