"""What a row of the table of op samples holds: how to call an op, on what operands, and what NumPy says it gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import lamina

__all__ = [
    "ALL",
    "FLOATS",
    "INTEGERS",
    "NUMBERS",
    "Case",
    "Domain",
    "Index",
    "Op",
    "case",
    "draw",
    "to_numpy",
    "to_tensor",
]

FLOATS = ("float32", "float64")
NUMBERS = (*FLOATS, "int64", "int32", "uint8")
INTEGERS = ("int64", "int32", "uint8", "bool")
ALL = (*NUMBERS, "bool")

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Domain:
    """The numbers an operand is drawn from; `kinks` are kept at a distance when gradients are checked."""

    low: float = -3.0
    high: float = 3.0
    kinks: tuple[float, ...] = ()
    nonzero: bool = False
    distinct: bool = False


@dataclasses.dataclass(frozen=True)
class Index:
    """An int64 operand of `shape` with values in [0, below); `negative` lets them count from the end too."""

    shape: Shape
    below: int
    negative: bool = False
    distinct: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    """One call: operands by shape (an Index or an array stands for itself), then arguments in lamina's spelling."""

    operands: tuple[Shape | Index | np.ndarray, ...]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    large: bool = False

    def describe(self) -> str:
        shapes = [o.shape if isinstance(o, (Index, np.ndarray)) else o for o in self.operands]
        return f"operands {shapes}, arguments {self.args} {dict(self.kwargs)}"


def case(*operands: Shape | Index | np.ndarray, args: tuple[Any, ...] = (), large: bool = False, **kwargs: Any) -> Case:
    return Case(operands, args, kwargs, large)


@dataclasses.dataclass(frozen=True)
class Op:
    """A row. `reference` takes arrays (floats as float64) and the same arguments; `check` stands in where a result is
    random; `signed_zero` is off where either zero may come out, `extremes` where huge and subnormal numbers are left
    out. `result` is "same" (the operands' type), "float" (integers become float32), "accumulate" (integers become
    int64), "exact" (the reference's own type) or a dtype's name."""

    name: str
    reference: Callable[..., Any] | None
    cases: tuple[Case, ...]
    domains: tuple[Domain, ...] = (Domain(),)
    dtypes: tuple[str, ...] = ALL
    rejected: tuple[str, ...] = ()
    result: str = "same"
    differentiable: bool = True
    elementwise: bool = False
    inplace: bool = False
    call: Callable[..., Any] | None = None
    check: Callable[[np.ndarray, Case], None] | None = None
    signed_zero: bool = True
    extremes: bool = True
    rtol: float = 2e-6
    atol: float = 1e-6

    def invoke(self, operands: tuple[Any, ...], item: Case, function: Any = None) -> tuple[Any, ...]:
        """Calls lamina, or `function` in its place; the results always come as a tuple."""
        function = function or self.call or getattr(lamina, self.name)
        args = [getattr(lamina, a) if isinstance(a, str) and a in ALL else a for a in item.args]
        kwargs = {k: getattr(lamina, v) if k == "dtype" else v for k, v in item.kwargs.items()}
        return as_tuple(function(*operands, *args, **kwargs))

    def expected(self, operands: tuple[np.ndarray, ...], item: Case) -> tuple[np.ndarray, ...]:
        """Calls the reference on the same numbers, floats in double precision."""
        assert self.reference is not None
        wide = tuple(self._widen(array) for array in operands)
        with np.errstate(all="ignore"):
            results = as_tuple(self.reference(*wide, *item.args, **item.kwargs))
        return tuple(np.asarray(r) for r in results)

    def _widen(self, array: np.ndarray) -> np.ndarray:
        if array.dtype == np.complex64:
            return array.astype(np.complex128)
        if array.dtype == np.float32 or (self.result == "float" and array.dtype.kind not in "fc"):
            return array.astype(np.float64)
        return array

    def result_dtype(self, operand_dtype: str, expected: np.ndarray) -> str:
        """The dtype of a result. Second results that are indices stay int64."""
        if self.result == "exact":
            return expected.dtype.name
        if self.result == "same":
            return operand_dtype
        if self.result in ("float", "accumulate"):
            integer = {"float": "float32", "accumulate": "int64"}[self.result]
            return operand_dtype if operand_dtype in FLOATS else integer
        return self.result


def as_tuple(results: Any) -> tuple[Any, ...]:
    return tuple(results) if isinstance(results, (tuple, list)) else (results,)


def draw(rng: np.random.Generator, op: Op, item: Case, dtype: str, *, smooth: bool = False) -> tuple[np.ndarray, ...]:
    """The operands of one case; with `smooth`, no number lies near a kink of the op."""
    return tuple(_draw_all(rng, op, item, dtype, smooth))


def _draw_all(rng: np.random.Generator, op: Op, item: Case, dtype: str, smooth: bool) -> Iterator[np.ndarray]:
    for position, operand in enumerate(item.operands):
        if isinstance(operand, np.ndarray):
            yield operand
        elif isinstance(operand, Index):
            yield _draw_index(rng, operand)
        else:
            domain = op.domains[min(position, len(op.domains) - 1)]
            yield _draw_one(rng, operand, domain, dtype, smooth)


def _draw_index(rng: np.random.Generator, index: Index) -> np.ndarray:
    if index.distinct:
        return rng.permuted(np.broadcast_to(np.arange(index.below), index.shape), axis=-1)
    return rng.integers(-index.below if index.negative else 0, index.below, index.shape)


def _draw_one(rng: np.random.Generator, shape: Shape, domain: Domain, dtype: str, smooth: bool) -> np.ndarray:
    kind = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64))
    if kind.kind == "b":
        return rng.random(shape) < 0.5
    if kind.kind in "iu":
        low = max(int(np.ceil(domain.low)), 0 if kind.kind == "u" else -(2**31))
        values = rng.integers(low, max(int(domain.high), low) + 1, shape)
        return np.where(values == 0, 1, values).astype(kind) if domain.nonzero else values.astype(kind)
    if domain.distinct:
        return rng.permutation(np.linspace(domain.low, domain.high, count)).reshape(shape).astype(kind)
    values = rng.uniform(domain.low, domain.high, shape)
    if domain.nonzero:
        values = np.where(np.abs(values) < 0.2, 0.2 + np.abs(values), values)
    for kink in domain.kinks if smooth else ():
        values = np.where(np.abs(values - kink) < 0.1, kink + 0.2, values)
    return values.astype(kind)


def to_tensor(array: np.ndarray, *, requires_grad: bool = False) -> Any:
    """A tensor that owns its numbers; gradients are asked of floats and complex numbers only."""
    return lamina.tensor(array, requires_grad=requires_grad and array.dtype.kind in "fc")


def to_numpy(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().numpy())
