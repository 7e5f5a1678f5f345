"""``lamina.func``: functions of functions, and modules as functions of their parameters."""

from __future__ import annotations

from ..autograd.batching import vmap
from .functional_call import functional_call
from .gradients import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, value_and_grad, vjp
from .replace_batch_norm import replace_all_batch_norm_modules_
from .stack_module_state import stack_module_state

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "value_and_grad",
    "vjp",
    "vmap",
]
