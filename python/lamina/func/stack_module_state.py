"""stack_module_state: the parameters of several modules of one make, stacked, for `vmap` to run them all at once."""

from __future__ import annotations

from .._core import stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .._core import Tensor
    from ..nn import Module, ModuleList

__all__ = ["stack_module_state"]


def stack_module_state(models: Sequence[Module] | ModuleList) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Parameters and buffers of `models` by name, each stacked along a new first dimension: new leaves.

    A leaf requires a gradient if the parameters do that it was made of. RuntimeError for no models, and for models
    that differ in class, in mode (training or not), in shapes, or in what requires gradients.

    >>> nets = [nn.Linear(2, 1) for _ in range(5)]
    >>> parameters, buffers = func.stack_module_state(nets)
    >>> parameters["weight"].shape
    torch.Size([5, 1, 2])
    >>> run = func.vmap(lambda p, x: func.functional_call(nets[0], p, (x,)), (0, None))
    >>> run(parameters, lamina.ones(3, 2)).shape
    torch.Size([5, 3, 1])
    """
    if not len(models):
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({model.training for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(model) for model in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    return (
        _stacked([dict(model.named_parameters()) for model in models]),
        _stacked([dict(model.named_buffers()) for model in models]),
    )


def _stacked(dicts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    stacks = {}
    for name in dicts[0]:
        tensors = [each[name] for each in dicts]
        requires_grad = tensors[0].requires_grad
        if any(tensor.requires_grad != requires_grad for tensor in tensors):
            raise RuntimeError(f"Expected {name} from each model to have the same .requires_grad")
        stacks[name] = stack(tensors).detach().requires_grad_(requires_grad)
    return stacks
