"""Einstein summation, worked off pair by pair as batched matrix products."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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
    values = list(given)
    for function, places, arguments in _recipe(equation, tuple([x.shape for x in given])):
        values.append(function(*[values[place] for place in places], *arguments))
    return values[-1]


@lru_cache(maxsize=512)
def _recipe(equation: str, shapes: tuple[tuple[int, ...], ...]) -> list[Any]:
    """What to do to operands of these shapes: functions, the places of the tensors they take, and other arguments.

    The places are those of the operands, and then of each result.
    """
    inputs, output = _parse(equation, tuple([len(shape) for shape in shapes]))
    steps = _Steps(len(shapes))
    terms = [
        _merge_repeated(_Term(steps, place, list(shape), names))
        for place, (shape, names) in enumerate(zip(shapes, inputs, strict=True))
    ]
    sizes: dict[str, int] = {}
    for number, term in enumerate(terms):
        for name, size in zip(term.names, term.shape, strict=True):
            if sizes.setdefault(name, size) not in (size, 1) and size != 1:
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {number} which does not broadcast with "
                    f"previously seen size {sizes[name]}"
                )
            sizes[name] = max(sizes[name], size) if size else 0
    result = terms[0]
    for place, term in enumerate(terms[1:], 2):
        later = set(output).union(*(later_term.names for later_term in terms[place:]))
        result = _contract(result, term, later)
    result = _sum_out(result, set(output))
    steps.note(Tensor.permute, (result.place,), tuple([result.names.index(name) for name in output]))
    return steps.noted


class _Steps:
    """Functions of tensors, noted in order. Each result has the next place behind those of the operands."""

    def __init__(self, operands: int) -> None:
        self.noted: list[Any] = []
        self.operands = operands

    def note(self, function: Callable[..., Tensor], places: tuple[int, ...], *arguments: Any) -> int:
        self.noted.append((function, places, arguments))
        return self.operands + len(self.noted) - 1


class _Term:
    """A tensor as far as its shape and the names of its axes are known. What is done to it is noted."""

    def __init__(self, steps: _Steps, place: int, shape: list[int], names: list[str]) -> None:
        self.steps, self.place, self.shape, self.names = steps, place, shape, names

    def done(self, shape: list[int], names: list[str], function: Callable[..., Tensor], *arguments: Any) -> _Term:
        return _Term(self.steps, self.steps.note(function, (self.place,), *arguments), shape, names)

    def sum(self, axes: list[int], keepdim: bool = False) -> _Term:
        kept = [axis for axis in range(len(self.shape)) if axis not in axes]
        if keepdim:
            shape, names = [n if axis in kept else 1 for axis, n in enumerate(self.shape)], self.names
        else:
            shape, names = [self.shape[axis] for axis in kept], [self.names[axis] for axis in kept]
        return self.done(shape, names, Tensor.sum, axes, keepdim)

    def expand(self, shape: list[int]) -> _Term:
        return self.done(shape, self.names, Tensor.expand, shape)

    def reordered(self, names: list[str], shape: list[int]) -> _Term:
        """The axes in the order of `names`, and then in another shape, if these are others."""
        order = [self.names.index(name) for name in names]
        permuted = self
        if order != sorted(order):
            permuted = self.done([self.shape[axis] for axis in order], names, Tensor.permute, order)
        return permuted if permuted.shape == shape else permuted.done(shape, names, Tensor.reshape, shape)

    def times(self, other: _Term, shape: list[int], names: list[str], function: Callable[..., Tensor]) -> _Term:
        return _Term(self.steps, self.steps.note(function, (self.place, other.place)), shape, names)


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


def _merge_repeated(x: _Term) -> _Term:
    """Repeated subscripts of one operand become their diagonal, at the last place."""
    for name in list(dict.fromkeys(x.names)):
        while x.names.count(name) > 1:
            first = x.names.index(name)
            second = x.names.index(name, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for one operand but the sizes don't match, "
                    f"{x.shape[second]} != {x.shape[first]}"
                )
            others = [axis for axis in range(len(x.names)) if axis not in (first, second)]
            shape = [x.shape[axis] for axis in others] + [x.shape[first]]
            names = [x.names[axis] for axis in others] + [name]
            x = x.done(shape, names, Tensor.diagonal, 0, first, second)
    return x


def _sum_out(x: _Term, kept: set[str]) -> _Term:
    gone = [axis for axis, name in enumerate(x.names) if name not in kept]
    return x.sum(gone) if gone else x


def _contract(a: _Term, b: _Term, later: set[str]) -> _Term:
    """The product of both, summed over the names that nothing later needs."""
    a = _sum_out(a, later | set(b.names))
    b = _sum_out(b, later | set(a.names))
    shared = [name for name in a.names if name in b.names]
    for name in shared:  # size 1 broadcasts
        p, q = a.names.index(name), b.names.index(name)
        if a.shape[p] != b.shape[q]:
            if name not in later:
                # A factor that does not vary along it: sum the other one first.
                a, b = (a.sum([p], True), b) if b.shape[q] == 1 else (a, b.sum([q], True))
            else:
                size = max(a.shape[p], b.shape[q]) if a.shape[p] and b.shape[q] else 0
                a = a.expand([size if place == p else n for place, n in enumerate(a.shape)])
                b = b.expand([size if place == q else n for place, n in enumerate(b.shape)])
    batch = [name for name in shared if name in later]
    summed = [name for name in shared if name not in later]
    only_a = [name for name in a.names if name not in shared]
    only_b = [name for name in b.names if name not in shared]
    sizes = dict(zip(a.names, a.shape, strict=True)) | dict(zip(b.names, b.shape, strict=True))
    names = batch + only_a + only_b
    shape = [sizes[name] for name in names]
    if not summed:  # a product of elements, in one pass with what comes before and after

        def aligned(x: _Term) -> _Term:
            own = [name for name in names if name in x.names]
            return x.reordered(own, [sizes[name] if name in own else 1 for name in names])

        return aligned(a).times(aligned(b), shape, names, Tensor.mul)

    def grouped(x: _Term, *groups: list[str]) -> _Term:
        sizes_of_groups = [prod(sizes[name] for name in group) for group in groups]
        return x.reordered([name for group in groups for name in group], sizes_of_groups)

    left, right = grouped(a, batch, only_a, summed), grouped(b, batch, summed, only_b)
    product_shape = [left.shape[0], left.shape[1], right.shape[2]]
    product = left.times(right, product_shape, names, Tensor.bmm)
    return product if product_shape == shape else product.done(shape, names, Tensor.reshape, shape)
