"""What `gradcheck` asks of forward mode: a function's derivatives along unit tangents, and that none is as zeros."""

from __future__ import annotations

from .. import _core
from .._core import Tensor
from ..dtypes import has_gradients
from .batching import vmap
from .checking import GradcheckError, count_parts, flat_parts, from_parts
from .forward_ad import dual_level, make_dual, unpack_dual

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Tangents = dict[int, Tensor]  # of the differentiable inputs, by their number

__all__ = ["check_batched_tangents", "check_missing_tangents", "forward_jacobians"]


def _tangents(
    func: Callable[..., Any], given: Sequence[Any], checked: Sequence[Tensor], tangents: Tangents
) -> list[Tensor | None]:
    """Of the floating outputs. Functions see inputs that require no gradient, as duals where there is a tangent."""
    with dual_level():
        args = []
        for arg in given:
            if not isinstance(arg, Tensor):
                args.append(arg)
                continue
            plain = arg.detach()
            number = next((i for i, x in enumerate(checked) if x is arg), None)
            args.append(plain if number is None or number not in tangents else make_dual(plain, tangents[number]))
        result = func(*args)
        outputs = (result,) if isinstance(result, Tensor) else result
        return [unpack_dual(y).tangent for y in outputs if isinstance(y, Tensor) and has_gradients(y)]


def _flat(tangent: Tensor | None, size: int) -> list[float]:
    return [0.0] * size if tangent is None else flat_parts(tangent)


def forward_jacobians(
    func: Callable[..., Any], given: Sequence[Any], checked: Sequence[Tensor], outputs: Sequence[Tensor]
) -> list[list[list[list[float]]]]:
    """d outputs[i] / d checked[j], a row an element of the input."""
    jacobians: list[list[list[list[float]]]] = [[[] for _ in checked] for _ in outputs]
    for place, x in enumerate(checked):
        for element in range(count_parts(x)):
            directions = {i: _core.zeros(y.shape, dtype=y.dtype) for i, y in enumerate(checked)}
            direction = _core.zeros(count_parts(x), dtype=_core.float64)
            direction[element] = 1
            directions[place] = from_parts(direction, x).clone()  # a view would be told apart from its base
            found = _tangents(func, given, checked, directions)
            for number, (y, tangent) in enumerate(zip(outputs, found, strict=True)):
                jacobians[number][place].append(_flat(tangent, count_parts(y)))
    return jacobians


def _differ(a: Sequence[Tensor | None], b: Sequence[Tensor | None]) -> bool:
    for x, y in zip(a, b, strict=True):
        size = max(0 if t is None else count_parts(t) for t in (x, y))
        if any(abs(p - q) > 1e-8 + 1e-5 * abs(q) for p, q in zip(_flat(x, size), _flat(y, size), strict=True)):
            return True
    return False


def check_missing_tangents(func: Callable[..., Any], given: Sequence[Any], checked: Sequence[Tensor]) -> None:
    """An input without a tangent counts as one with zeros, whatever tangents the others have."""
    for place, x in enumerate(checked):
        others = {i: _core.rand_like(y) for i, y in enumerate(checked) if i != place}
        zeros = _tangents(func, given, checked, {**others, place: _core.zeros_like(x)})
        if others and _differ(_tangents(func, given, checked, others), zeros):
            raise GradcheckError(f"forward mode differs between no tangent and zeros for input {place}")


def check_batched_tangents(func: Callable[..., Any], given: Sequence[Any], checked: Sequence[Tensor]) -> None:
    """Two tangents at once, by `vmap`, give what one after the other does."""
    for place, x in enumerate(checked):
        pair = _core.rand_like(x.expand(2, *x.shape))

        def along(tangent: Tensor, place: int = place) -> list[Tensor]:
            found = _tangents(func, given, checked, {place: tangent})
            return [t for t in found if t is not None]

        try:
            together = vmap(along)(pair)
        except RuntimeError as error:
            raise GradcheckError(f"While computing batched gradients, got: {error}") from error
        single = [along(tangent) for tangent in pair]
        for number, batch in enumerate(together):
            if _differ([batch], [_core.stack([tangents[number] for tangents in single])]):
                raise GradcheckError(
                    f"gradcheck or gradgradcheck failed while testing batched forward mode by input {place}"
                )
