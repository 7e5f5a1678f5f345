"""Which formula gives the divergence of which pair of distributions."""

from __future__ import annotations

from ..._core import Tensor
from ..distribution import Distribution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Divergence = Callable[[Any, Any], Tensor]

__all__ = ["kl_divergence", "register_kl", "register_pairs"]

_FORMULAS: dict[tuple[type, type], Divergence] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Divergence], Divergence]:
    """A decorator: the function gives KL(p || q) for a p of `type_p` and a q of `type_q`, subclasses included."""
    for given in (type_p, type_q):  # of any kind: libraries have distributions of their own
        if not isinstance(given, type):
            raise TypeError(f"Expected type_p and type_q to be classes but got {given}")

    def register(formula: Divergence) -> Divergence:
        _FORMULAS[type_p, type_q] = formula
        return formula

    return register


def register_pairs(types_p: Iterable[type], types_q: Iterable[type], formula: Divergence) -> None:
    """`formula` for each p of the first and each q of the others."""
    for type_p in types_p:
        for type_q in types_q:
            _FORMULAS[type_p, type_q] = formula


def _formula_of(type_p: type, type_q: type) -> Divergence | None:
    """The one registered for the nearest base classes, p's first."""
    for base_p in type_p.__mro__:
        for base_q in type_q.__mro__:
            if (base_p, base_q) in _FORMULAS:
                return _FORMULAS[base_p, base_q]
    return None


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``E_p[log p(x) - log q(x)]``, of the batch's shape. NotImplementedError for a pair without a formula."""
    formula = _formula_of(type(p), type(q))
    if formula is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}; "
            "register one with register_kl"
        )
    return formula(p, q)
