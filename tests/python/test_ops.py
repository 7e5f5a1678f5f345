"""Every op of the table, by iteration: forward against NumPy, gradients, layouts, special and large operands."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import ALL, OPS, Case, Op, draw, to_numpy, to_tensor
from op_samples.gradients import check_gradient, check_second_gradient

SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 88.0, -104.0, 1e30, -1e30, 1e-40])


def _id(op: Op) -> str:
    same = [other for other in OPS if other.name == op.name]
    return op.name if len(same) == 1 else f"{op.name}-{same.index(op)}"


DIFFERENTIABLE = [op for op in OPS if op.differentiable]
FLOAT_ELEMENTWISE = [op for op in OPS if op.elementwise and "float64" in op.dtypes]
# `view` refuses what it cannot alias; test_views.py says when.
ANY_LAYOUT = [op for op in OPS if op.reference and op.name != "view" and any(c.operands for c in op.cases)]
EXPANDABLE = [op for op in ANY_LAYOUT if not any(domain.distinct for domain in op.domains)]
PAIRS = [(op, dtype) for op in OPS for dtype in ALL if dtype in op.dtypes]
LARGE = [
    (op, dtype)
    for op in OPS
    if any(c.large for c in op.cases)
    for dtype in dict.fromkeys(t if t in op.dtypes else op.dtypes[0] for t in ("float32", "float64", "int64"))
]


def _rng(op: Op) -> np.random.Generator:
    return np.random.default_rng(sum(map(ord, op.name)))


def _small(op: Op, limit: int = 40) -> list[Case]:
    """The cases whose numerical derivatives are cheap."""
    rng = _rng(op)
    return [c for c in op.cases if sum(a.size for a in draw(rng, op, c, "float64")) <= limit]


def _check(op: Op, item: Case, arrays: tuple[np.ndarray, ...], results: tuple[Any, ...], dtype: str) -> None:
    _compare(op, op.expected(arrays, item), results, dtype, item.describe())


def _compare(op: Op, expected: tuple[np.ndarray, ...], results: tuple[Any, ...], dtype: str, what: str) -> None:
    assert len(results) == len(expected), what
    for position, (result, wanted) in enumerate(zip(results, expected, strict=True)):
        name = op.result_dtype(dtype, wanted) if position == 0 or wanted.dtype.kind == "f" else None
        name = name or (wanted.dtype.name if wanted.dtype.kind == "i" and len(expected) == 2 else dtype)
        got = to_numpy(result)
        assert got.dtype.name == name, what
        assert tuple(result.shape) == wanted.shape, what
        if got.dtype.kind == "f":
            tight = 1e-12 if name == "float64" and dtype == "float64" else 1.0
            rtol, atol = max(op.rtol * tight, 1e-11), max(op.atol * tight, 1e-11)
            np.testing.assert_allclose(got, wanted.astype(got.dtype), rtol, atol, err_msg=what)
        else:
            np.testing.assert_array_equal(got, wanted.astype(got.dtype), err_msg=what)


@pytest.mark.parametrize(("op", "dtype"), PAIRS, ids=lambda v: v if isinstance(v, str) else _id(v))
def test_forward(op: Op, dtype: str) -> None:
    rng = _rng(op)
    for item in op.cases:
        if item.large:
            continue
        arrays = draw(rng, op, item, dtype)
        results = op.invoke(tuple(map(to_tensor, arrays)), item)
        if op.check:
            op.check(to_numpy(results[0]), item)
            assert to_numpy(results[0]).dtype.name == op.result_dtype(dtype, arrays[0] if arrays else np.empty(0))
        else:
            _check(op, item, arrays, results, dtype)


@pytest.mark.parametrize(("op", "dtype"), LARGE, ids=lambda v: v if isinstance(v, str) else _id(v))
def test_large(op: Op, dtype: str) -> None:
    """More than 100,000 elements: the work is split among threads and runs over whole vectors."""
    rng = _rng(op)
    for item in op.cases:
        if item.large:
            arrays = draw(rng, op, item, dtype)
            _check(op, item, arrays, op.invoke(tuple(map(to_tensor, arrays)), item), dtype)


def _transposed(array: np.ndarray) -> Any:
    order = tuple(range(array.ndim))[::-1]
    return to_tensor(np.ascontiguousarray(array.transpose(order))).permute(order)


def _strided(array: np.ndarray) -> Any:
    wide = np.ones([2 * n + 1 for n in array.shape], array.dtype)
    wide[tuple(slice(1, None, 2) for _ in array.shape)] = array
    return to_tensor(wide)[tuple(slice(1, None, 2) for _ in array.shape)]


def _inner(array: np.ndarray) -> Any:
    """A window into a larger tensor: dense rows, a gap after each, an offset."""
    wide = np.ones([n + 3 for n in array.shape], array.dtype)
    window = tuple(slice(2, 2 + n) for n in array.shape)
    wide[window] = array
    return to_tensor(wide)[window]


@pytest.mark.parametrize("op", ANY_LAYOUT, ids=_id)
def test_forward_of_non_contiguous(op: Op) -> None:
    """All layouts in one test: what is expected of large operands takes longer than what is tested."""
    rng = _rng(op)
    dtype = op.dtypes[0]
    for item in op.cases:
        arrays = draw(rng, op, item, dtype)
        expected = op.expected(arrays, item)
        for layout in (_transposed, _strided, _inner):
            operands = tuple(layout(a) if a.ndim else to_tensor(a) for a in arrays)
            what = f"{layout.__name__}: {item.describe()}"
            _compare(op, expected, op.invoke(operands, item), dtype, what)


@pytest.mark.parametrize("op", EXPANDABLE, ids=_id)
def test_forward_of_expanded(op: Op) -> None:
    rng = _rng(op)
    dtype = op.dtypes[0]
    for item in op.cases:
        if item.large:
            continue
        drawn = draw(rng, op, item, dtype)
        arrays = tuple(np.broadcast_to(a[:1], a.shape) if a.ndim and a.size else a for a in drawn)
        operands = tuple(
            to_tensor(np.array(a[:1])).expand(a.shape) if a.ndim and a.size else to_tensor(a) for a in arrays
        )
        _check(op, item, arrays, op.invoke(operands, item), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", FLOAT_ELEMENTWISE, ids=_id)
def test_special_values(op: Op, dtype: str) -> None:
    """NaN, infinities, both zeros, subnormal and huge numbers, alone and in all pairs, give what NumPy gives."""
    item = op.cases[0]
    values = (SPECIAL if op.extremes else SPECIAL[:-3]).astype(dtype)
    if len(item.operands) == 1:
        arrays: tuple[np.ndarray, ...] = (np.repeat(values, 3),)
    else:
        arrays = tuple(np.ascontiguousarray(a) for a in np.broadcast_arrays(values[:, None], values[None, :]))
    results = op.invoke(tuple(map(to_tensor, arrays)), item)
    expected = op.expected(arrays, item)
    got = to_numpy(results[0])
    with np.errstate(over="ignore"):
        wanted = expected[0].astype(got.dtype)
    if got.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, 1e-5, 1e-37)
        at_zero = (wanted == 0) & (got == 0) & op.signed_zero
        np.testing.assert_array_equal(np.signbit(got[at_zero]), np.signbit(wanted[at_zero]))
    else:
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=_id)
def test_gradient(op: Op) -> None:
    rng = _rng(op)
    for item in _small(op):
        arrays = draw(rng, op, item, "float64", smooth=True)
        check_gradient(lambda *operands, item=item: op.invoke(operands, item), arrays)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=_id)
def test_second_gradient(op: Op) -> None:
    rng = _rng(op)
    for item in _small(op, 16):
        arrays = draw(rng, op, item, "float64", smooth=True)
        check_second_gradient(lambda *operands, item=item: op.invoke(operands, item), arrays, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if op.name != "view"], ids=_id)
def test_gradient_of_non_contiguous(op: Op) -> None:
    """The gradient of a transposed operand is that of a contiguous one."""
    rng = _rng(op)
    item = op.cases[0]
    arrays = draw(rng, op, item, "float64", smooth=True)
    gradients = []
    for layout in (to_tensor, _transposed):
        operands = tuple(layout(a) for a in arrays)
        leaves = [t.requires_grad_() for t in operands if t.dtype.is_floating_point]
        results = [r for r in op.invoke(operands, item) if r.dtype.is_floating_point]
        gradients.append(lamina.autograd.grad(sum(r.square().sum() for r in results), leaves, allow_unused=True))
    for plain, transposed in zip(*gradients, strict=True):
        assert (plain is None) == (transposed is None)
        if plain is not None:
            np.testing.assert_allclose(to_numpy(transposed), to_numpy(plain), 1e-10, 1e-12)


@pytest.mark.parametrize("op", [op for op in OPS if not op.differentiable and "float64" in op.dtypes], ids=_id)
def test_needs_no_gradient(op: Op) -> None:
    """The result of an op that is flat or not of floats has no gradient function, or a gradient of zeros."""
    item = op.cases[0]
    leaves = tuple(to_tensor(a, requires_grad=True) for a in draw(_rng(op), op, item, "float64"))
    for result in op.invoke(leaves, item):
        if not result.dtype.is_floating_point or op.name == "detach":
            assert not result.requires_grad
            assert result.grad_fn is None


@pytest.mark.parametrize("op", [op for op in OPS if op.rejected], ids=_id)
def test_rejected_dtypes(op: Op) -> None:
    item = op.cases[0]
    for dtype in op.rejected:
        operands = tuple(map(to_tensor, draw(_rng(op), op, item, dtype)))
        with pytest.raises((RuntimeError, TypeError)):
            op.invoke(operands, item)


def _has_method(op: Op) -> bool:
    plain = op.reference is not None and op.call is None and bool(op.cases[0].operands)
    return plain and callable(getattr(lamina.Tensor, op.name, None))


@pytest.mark.parametrize("op", [op for op in OPS if _has_method(op)], ids=_id)
def test_method_equals_function(op: Op) -> None:
    """What is both a function and a method gives the same numbers by either name."""
    method = getattr(lamina.Tensor, op.name)
    item, dtype = op.cases[0], op.dtypes[0]
    operands = tuple(map(to_tensor, draw(_rng(op), op, item, dtype)))
    if op.name == "where":
        operands = (operands[1], operands[0], operands[2])
    by_method = op.invoke(operands, item, method)
    by_function = op.invoke(tuple(map(to_tensor, draw(_rng(op), op, item, dtype))), item)
    for left, right in zip(by_method, by_function, strict=True):
        np.testing.assert_array_equal(to_numpy(left), to_numpy(right))


def _recorded(op: Op, item: Case) -> set[str]:
    """The native ops that a sample leaves on the tape."""
    dtype = op.dtypes[0]
    lamina.flush()
    operands = tuple(to_tensor(a, requires_grad=True).clone() for a in draw(_rng(op), op, item, dtype))
    results = op.invoke(operands, item)
    assert results
    return set(re.findall(r"%\d+ = (\w+)", lamina._core.describe_pending()))


@functools.cache
def _recorded_by_samples() -> dict[str, set[str]]:
    """For every native op the samples that record it."""
    reached: dict[str, set[str]] = {}
    for op in OPS:
        for item in op.cases:
            if not item.large:
                for native in _recorded(op, item) - ({"clone"} if op.name != "clone" else set()):
                    reached.setdefault(native, set()).add(op.name)
    return reached


def test_every_native_op_has_a_sample() -> None:
    native = {row["name"] for row in lamina._core.op_table()}
    assert native - set(_recorded_by_samples()) == set(), "ops that no sample records: add a row to op_samples"


def test_every_native_op_with_a_gradient_has_a_differentiable_sample() -> None:
    differentiable = {op.name for op in OPS if op.differentiable}
    reached = _recorded_by_samples()
    lacking = [
        row["name"]
        for row in lamina._core.op_table()
        if row["differentiable"] and not reached.get(row["name"], set()) & differentiable
    ]
    assert lacking == []


def test_every_row_is_decided() -> None:
    """Each row has a name of its own, a kernel, and says whether it has a gradient."""
    rows = lamina._core.op_table()
    assert len({row["name"] for row in rows}) == len(rows)
    for row in rows:
        assert isinstance(row["differentiable"], bool), row
        assert row["arity"] >= 0, row
        assert row["kernel"], row


ALIASES = {
    "clip": "clamp",
    "concat": "cat",
    "concatenate": "cat",
    "divide": "div",
    "multiply": "mul",
    "subtract": "sub",
}
# Functions of the core that make no tensor of tensors.
OTHER = {"as_tensor", "can_cast", "empty_cache", "equal", "flush", "from_numpy", "get_num_threads", "get_rng_state"}
OTHER |= {"is_anomaly_check_nan_enabled", "is_anomaly_enabled"}
OTHER |= {"initial_seed", "is_complex", "is_floating_point", "is_grad_enabled", "manual_seed", "memory_stats"}
OTHER |= {"numel", "plan_stats"}
OTHER |= {"promote_types", "reset_peak_memory_stats", "result_type", "set_num_threads", "set_rng_state", "tensor"}
OTHER |= {"get_default_device", "get_default_dtype", "set_default_device", "set_default_dtype"}


def test_every_public_function_of_the_core_has_a_sample() -> None:
    core = vars(lamina._core)
    functions = {name for name in lamina.__all__ if name in core and getattr(lamina, name) is core[name]}
    functions = {name for name in functions if callable(core[name]) and not isinstance(core[name], type)}
    assert functions - OTHER - set(ALIASES) - {op.name for op in OPS} == set()


@pytest.mark.parametrize("alias", ALIASES)
def test_alias(alias: str) -> None:
    op = next(op for op in OPS if op.name == ALIASES[alias])
    item = op.cases[0]
    arrays = draw(_rng(op), op, item, "float32")
    operands: Any = tuple(map(to_tensor, arrays))
    if ALIASES[alias] == "cat":
        operands = (operands,)
    _check(op, item, arrays, op.invoke(operands, item, getattr(lamina, alias)), "float32")
