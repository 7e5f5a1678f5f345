"""Einstein summation, worked off pair by pair as batched matrix products."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["einsum"]

_ORDERED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LETTERS = frozenset(_ORDERED)
# An ellipsis stands for so many of these, aligned at the last one.
_ELLIPSIS = tuple(f"...{place}" for place in range(32))


def einsum(equation: str | Tensor, *operands: Any) -> Tensor:
    """Sums of products over the subscripts that the output does not name.

    ``einsum("bij,bjk->bik", a, b)`` multiplies batches of matrices. A subscript may repeat within an operand (its
    diagonal), ``...`` stands for dimensions that broadcast, and without ``->`` the output has the subscripts that occur
    once, in alphabetical order. Operands are taken from left to right. Subscripts may be given as numbers, too, each
    operand with a list of its own and the output's at the end: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.
    """
    if isinstance(equation, Tensor):
        return einsum(*_spelled_out([equation, *operands]))
    given: list[Tensor] = (
        list(operands[0]) if len(operands) == 1 and not isinstance(operands[0], Tensor) else list(operands)
    )
    inputs, output = _parse(equation, tuple([x.dim() for x in given]))
    terms = [_merge_repeated(x, names) for x, names in zip(given, inputs, strict=True)]
    sizes: dict[str, int] = {}
    for number, (x, names) in enumerate(terms):
        for name, size in zip(names, x.shape, strict=True):
            if sizes.setdefault(name, size) not in (size, 1) and size != 1:
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {number} which does not broadcast with "
                    f"previously seen size {sizes[name]}"
                )
            sizes[name] = max(sizes[name], size) if size else 0
    result, names = terms[0]
    for place, (x, x_names) in enumerate(terms[1:], 2):
        later = set(output).union(*(later_names for _, later_names in terms[place:]))
        result, names = _contract(result, names, x, x_names, later)
    result, names = _sum_out(result, names, set(output))
    return result.permute([names.index(name) for name in output])


def _spelled_out(given: list[Any]) -> list[Any]:
    """The equation, and the operands, of a call with lists of numbers; Ellipsis stands among them for itself."""

    def text(subscripts: Any) -> str:
        for number in subscripts:
            if number is not Ellipsis and not 0 <= int(number) < len(_ORDERED):
                raise ValueError(f"einsum(): subscript {number} is not within the valid range [0, {len(_ORDERED)})")
        return "".join("..." if number is Ellipsis else _ORDERED[int(number)] for number in subscripts)

    last = given.pop() if len(given) % 2 else None
    equation = ",".join(map(text, given[1::2]))
    return [equation if last is None else f"{equation}->{text(last)}", *given[::2]]


@lru_cache(maxsize=256)
def _parse(equation: str, dims: tuple[int, ...]) -> tuple[list[list[str]], list[str]]:
    """The subscripts of each operand, of so many dimensions, and of the output, with each ellipsis spelled out."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    texts = left.split(",")
    if len(texts) != len(dims):
        raise RuntimeError(
            f"einsum(): the equation {equation!r} has subscripts for {len(texts)} operands, but got {len(dims)}"
        )
    inputs, widest = [], 0
    for number, (text, dim) in enumerate(zip(texts, dims, strict=True)):
        named = len(_letters(text, equation))
        hidden = dim - named
        if hidden < 0 or (hidden > 0 and "..." not in text):
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({named}) does not match the number of dimensions "
                f"({dim}) for operand {number} of {equation!r}"
            )
        inputs.append(_spell_out(text, hidden))
        widest = max(widest, hidden)
    if arrow:
        output = _spell_out(right, widest)
        _letters(right, equation)
    else:
        seen = sorted(name for names in inputs for name in names if name in _LETTERS)
        output = list(_ELLIPSIS[32 - widest :]) + [name for name in seen if seen.count(name) == 1]
    known = {name for names in inputs for name in names}
    for name in output:
        if name not in known:
            raise RuntimeError(
                f"einsum(): output subscript {name} does not appear in the equation for any input operand"
            )
        if output.count(name) > 1:
            raise RuntimeError(f"einsum(): output subscript {name} appears more than once in the output")
    return inputs, output


def _letters(text: str, equation: str) -> str:
    letters = text.replace("...", "", 1)
    if not _LETTERS.issuperset(letters):
        raise RuntimeError(
            f"einsum(): subscripts must be letters in [a-zA-Z] or one '...', got {text!r} in {equation!r}"
        )
    return letters


def _spell_out(text: str, hidden: int) -> list[str]:
    before, dots, after = text.partition("...")
    return [*before, *(_ELLIPSIS[32 - hidden :] if dots else ()), *after]


def _merge_repeated(x: Tensor, names: list[str]) -> tuple[Tensor, list[str]]:
    """Repeated subscripts of one operand become their diagonal, at the last place."""
    if len(set(names)) == len(names):
        return x, names
    names = list(names)
    for name in list(dict.fromkeys(names)):
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for one operand but the sizes don't match, "
                    f"{x.shape[second]} != {x.shape[first]}"
                )
            x = x.diagonal(0, first, second)
            names = [other for place, other in enumerate(names) if place not in (first, second)] + [name]
    return x, names


def _sum_out(x: Tensor, names: list[str], kept: set[str]) -> tuple[Tensor, list[str]]:
    gone = [place for place, name in enumerate(names) if name not in kept]
    return (x.sum(gone), [name for name in names if name in kept]) if gone else (x, names)


def _contract(
    a: Tensor, a_names: list[str], b: Tensor, b_names: list[str], later: set[str]
) -> tuple[Tensor, list[str]]:
    """The product of both, summed over the names that nothing later needs."""
    a, a_names = _sum_out(a, a_names, later | set(b_names))
    b, b_names = _sum_out(b, b_names, later | set(a_names))
    shared = [name for name in a_names if name in b_names]
    for name in shared:  # size 1 broadcasts
        p, q = a_names.index(name), b_names.index(name)
        if a.shape[p] != b.shape[q]:
            if name not in later:
                # A factor that does not vary along it: sum the other one first.
                a, b = (a.sum(p, True), b) if b.shape[q] == 1 else (a, b.sum(q, True))
            else:
                size = max(a.shape[p], b.shape[q]) if a.shape[p] and b.shape[q] else 0
                a = a.expand([size if place == p else n for place, n in enumerate(a.shape)])
                b = b.expand([size if place == q else n for place, n in enumerate(b.shape)])
    batch = [name for name in shared if name in later]
    summed = [name for name in shared if name not in later]
    only_a = [name for name in a_names if name not in shared]
    only_b = [name for name in b_names if name not in shared]
    sizes = dict(zip(a_names, a.shape, strict=True)) | dict(zip(b_names, b.shape, strict=True))

    def grouped(x: Tensor, names: list[str], *groups: list[str]) -> Tensor:
        order = [names.index(name) for group in groups for name in group]
        return x.permute(order).reshape([prod(sizes[name] for name in group) for group in groups])

    names = batch + only_a + only_b
    if not summed:  # a product of elements, in one pass with what comes before and after

        def aligned(x: Tensor, own: list[str]) -> Tensor:
            order = [own.index(name) for name in names if name in own]
            return x.permute(order).reshape([sizes[name] if name in own else 1 for name in names])

        return aligned(a, a_names) * aligned(b, b_names), names
    left, right = grouped(a, a_names, batch, only_a, summed), grouped(b, b_names, batch, summed, only_b)
    return left.bmm(right).reshape([sizes[name] for name in names]), names
