"""Composed functions by iteration over their table: values against NumPy, gradients, second gradients, float32."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from function_samples import ROWS, Row

import lamina
from lamina.functions.inplace import IN_PLACE
from lamina.functions.scattering import FILLS
from lamina.tensor_methods import METHODS

pytestmark = pytest.mark.filterwarnings(r"ignore:torch\.\w+ is deprecated")

FUNCTIONS = Path(lamina.__file__).parent / "functions"
# Tested by hand: their result is no tensor, or random.
BY_HAND = {"allclose", "binomial", "broadcast_shapes", "equal", "multinomial", "poisson", "randint_like"}
BY_HAND |= {
    "get_device",
    "is_complex",
    "is_inference",
    "is_nonzero",
    "is_same_size",
    "to_dense",
    "is_signed",
    "is_tensor",
    "isreal",
}
BY_HAND |= {
    "apply_",
    "asarray",
    "cauchy_",
    "empty_permuted",
    "empty_strided",
    "exponential_",
    "fill_diagonal_",
    "frombuffer",
    "geometric_",
}
BY_HAND |= {"float_power", "float_power_", "from_file", "log_normal_", "logspace", "map2_", "map_", "range"}
BY_HAND |= {"segment_reduce", "view_as_complex_copy", "view_as_real_copy"}
BY_HAND |= {"scalar_tensor", *(f"{name}_window" for name in ("bartlett", "blackman", "hamming", "hann", "kaiser"))}
BY_HAND |= {"conj", "conj_physical", "is_conj", "is_neg", "real", "resolve_conj", "resolve_neg"}


def _ids(rows: list[Row]) -> list[str]:
    return [f"{row.name}-{sum(other.name == row.name for other in rows[:place])}" for place, row in enumerate(rows)]


def _function(name: str) -> Callable[..., Any]:
    found: Any = lamina
    for part in name.split("."):
        owner, found = found, getattr(found, part, None)
        if found is None:
            found = getattr(lamina.Tensor, part) if owner is lamina else getattr(owner, part)
    return found  # type: ignore[no-any-return]


def _tensors(value: Any, dtype: Any = None, grad: bool = False) -> Any:
    if isinstance(value, np.ndarray):
        tensor = lamina.tensor(value)
        if tensor.is_floating_point():
            tensor = tensor.to(dtype or tensor.dtype)
            return tensor.requires_grad_() if grad else tensor
        return tensor
    if isinstance(value, list) or (isinstance(value, tuple) and any(isinstance(v, np.ndarray) for v in value)):
        return type(value)(_tensors(v, dtype, grad) for v in value)
    return value


def _flat(value: Any) -> list[Any]:
    return [part for v in value for part in _flat(v)] if isinstance(value, (tuple, list)) else [value]


def _numbers(value: Any) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(v.detach().numpy() if isinstance(v, lamina.Tensor) else v) for v in _flat(value)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", ROWS, ids=_ids(list(ROWS)))
def test_values(row: Row, dtype: str) -> None:
    args = _tensors(list(row.args), getattr(lamina, dtype))
    result = _numbers(_function(row.name)(*args, **row.kwargs))
    wanted = _numbers(row.reference(*row.args, **row.kwargs))
    assert len(result) == len(wanted)
    tolerance = 1e-10 if dtype == "float64" else 2e-5
    for got, expected in zip(result, wanted, strict=True):
        assert got.shape == expected.shape
        assert got.dtype == (dtype if expected.dtype.kind == "f" else expected.dtype)
        np.testing.assert_allclose(got, expected, tolerance, tolerance)


WITH_GRADIENT = [row for row in ROWS if row.gradient]


def _by_leaves(row: Row) -> tuple[Callable[..., Any], list[Any]]:
    """The row's call as a function of its floating point tensors, which come flattened."""
    args = _tensors(list(row.args), grad=True)
    leaves = [t for t in _flat(args) if isinstance(t, lamina.Tensor) and t.is_floating_point()]

    def call(*tensors: Any) -> Any:
        rest = iter(tensors)

        def fill(value: Any) -> Any:
            if isinstance(value, (list, tuple)):
                return type(value)(map(fill, value))
            return next(rest) if isinstance(value, lamina.Tensor) and value.is_floating_point() else value

        result = _function(row.name)(*map(fill, args), **row.kwargs)
        return tuple(_flat(result)) if isinstance(result, (tuple, list)) else result

    return call, leaves


@pytest.mark.parametrize("row", WITH_GRADIENT, ids=_ids(WITH_GRADIENT))
def test_gradient(row: Row) -> None:
    call, leaves = _by_leaves(row)
    assert lamina.autograd.gradcheck(call, leaves)


WITH_SECOND = [row for row in WITH_GRADIENT if row.second]


@pytest.mark.parametrize("row", WITH_SECOND, ids=_ids(WITH_SECOND))
def test_second_gradient(row: Row) -> None:
    call, leaves = _by_leaves(row)
    assert lamina.autograd.gradgradcheck(call, leaves, atol=1e-4)


METHOD_NAMES = {function.__name__ for function in METHODS}
AS_METHODS = [row for row in ROWS if row.name in METHOD_NAMES and isinstance(row.args[0], np.ndarray)]


@pytest.mark.parametrize("row", AS_METHODS, ids=_ids(AS_METHODS))
def test_method_is_the_function(row: Row) -> None:
    first, *rest = _tensors(list(row.args))
    result = _numbers(getattr(first, row.name)(*rest, **row.kwargs))
    for got, expected in zip(result, _numbers(_function(row.name)(first, *rest, **row.kwargs)), strict=True):
        np.testing.assert_array_equal(got, expected)


IN_PLACE_NAMES = {function.__name__ for function in IN_PLACE}
KEEPS_SHAPE = [
    row
    for row in ROWS
    if row.name in IN_PLACE_NAMES and np.shape(row.reference(*row.args, **row.kwargs)) == np.shape(row.args[0])
]


@pytest.mark.parametrize("row", KEEPS_SHAPE, ids=_ids(KEEPS_SHAPE))
def test_in_place_form(row: Row) -> None:
    first, *rest = _tensors(list(row.args))
    view = first[...]
    assert getattr(first, f"{row.name}_")(*rest, **row.kwargs) is first
    expected = row.reference(*row.args, **row.kwargs)
    np.testing.assert_allclose(first.numpy(), expected, 1e-10)
    np.testing.assert_allclose(view.numpy(), expected, 1e-10)  # what looks at the same numbers sees them too


def test_in_place_forms_are_all_tested() -> None:
    assert {row.name for row in KEEPS_SHAPE} == IN_PLACE_NAMES


def test_in_place_form_refuses_another_shape_or_category() -> None:
    with pytest.raises(
        RuntimeError, match=r"hypot_: output with shape \[2\] doesn't match the broadcast shape \[3, 2\]"
    ):
        lamina.ones(2).hypot_(lamina.ones(3, 2))
    integers = lamina.ones(2, dtype=lamina.int64)
    with pytest.raises(RuntimeError, match="can't be cast"):
        integers.logit_()
    assert integers.tolist() == [1, 1]


def test_every_function_has_a_row() -> None:
    public = set()
    for path in FUNCTIONS.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                public.add(node.name)
    public -= {
        "as_number",
        "as_size",
        "as_tensor_beside",
        "by_double",
        "check_listed",
        "check_points",
        "check_spacing",
        "as_given",
        "composed",
        "composed_as",
        "drawn",
        "in_float32",
        "in_low_precision",
        "in_place",
        "in_widest",
        "is_numpy_number",
        "polynomial",
        "replaced",
        "scalar_name",
        "scatter_combined",
        "times_log",
        "with_gradient",
        "without_derivative",
        "wrap_axes",
        "wrap_axis",
    }
    missing = public - {row.name.rpartition(".")[2] for row in ROWS} - BY_HAND
    assert not missing, "add rows to function_samples.py"
    named = {*lamina.__all__, *lamina.special.__all__, *METHOD_NAMES, *(function.__name__ for function in FILLS)}
    assert not public - named, "name these in lamina/__init__.py"


def test_numpy_spelling() -> None:
    x = lamina.tensor([[1.0, 5.0], [2.0, 3.0]])
    assert lamina.equal(lamina.nansum(x, axis=0, keepdims=True), lamina.tensor([[3.0, 8.0]]))  # type: ignore[call-arg]
    assert x.median(axis=1).values.tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="both dim= and axis="):
        lamina.nansum(x, dim=0, axis=0)  # type: ignore[call-arg]


def test_something_else_for_a_tensor_is_named() -> None:
    with pytest.raises(TypeError, match=r"hypot\(\): argument 'other' must be Tensor, not int"):
        lamina.hypot(lamina.ones(2), 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"tril\(\): argument 'input' must be Tensor, not list"):
        lamina.tril([[1.0]])  # type: ignore[arg-type]
