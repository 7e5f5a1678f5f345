"""Tensors over buffers and at given strides, and the methods that fill a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina


def test_frombuffer_shares_memory() -> None:
    data = bytearray(np.arange(4, dtype=np.int16).tobytes())
    x = lamina.frombuffer(data, dtype=lamina.int16)
    data[0] = 9
    assert x.tolist() == [9, 1, 2, 3]
    assert lamina.frombuffer(data, dtype=lamina.int16, count=2, offset=2).tolist() == [1, 2]
    for arguments, message in (
        ({"offset": 9}, "must be non-negative"),
        ({"offset": 1}, "multiple of element size"),
        ({"count": 5}, "must not be greater"),
        ({"count": 0}, "must not be 0"),
    ):
        with pytest.raises(ValueError, match=message):
            lamina.frombuffer(data, dtype=lamina.int16, **arguments)


def test_asarray_copies_only_where_it_must() -> None:
    array = np.zeros(3)
    shared = lamina.asarray(array)
    array[0] = 1
    assert shared[0] == 1
    assert lamina.asarray(shared) is shared
    assert lamina.asarray(array, copy=True)._base is None
    assert lamina.asarray([1, 2]).dtype == lamina.int64
    assert lamina.asarray(array, dtype=lamina.float32).dtype == lamina.float32
    with pytest.raises(ValueError, match="can't alias"):
        lamina.asarray([1, 2], copy=False)


def test_empty_strided() -> None:
    x = lamina.empty_strided((2, 3), (1, 2))
    assert (x.shape, x.stride()) == ((2, 3), (1, 2))
    assert x.fill_(2).sum() == 12
    assert lamina.empty_strided((0, 3), (3, 1)).shape == (0, 3)


@pytest.mark.parametrize(
    ("fill", "median"),
    [
        (lambda x: x.exponential_(2.0), 0.6931 / 2),
        (lambda x: x.geometric_(0.3), 2),
        (lambda x: x.cauchy_(1.0, 2.0), 1.0),
        (lambda x: x.log_normal_(0.5, 1.0), 1.6487),
    ],
)
def test_fills_of_distributions(fill: Callable[[Any], Any], median: float) -> None:
    lamina.manual_seed(0)
    x = lamina.empty(20_000)
    assert fill(x) is x
    assert float(x.median()) == pytest.approx(median, rel=0.06)
    assert bool(x.isfinite().all())


def test_fills_refuse() -> None:
    x = lamina.empty(3)
    for call in (
        lambda: x.exponential_(0),
        lambda: x.geometric_(1),
        lambda: x.cauchy_(0, 0),
        lambda: x.log_normal_(0, 0),
        lambda: x.long().exponential_(),
        lambda: x.fill_diagonal_(1),
    ):
        with pytest.raises(RuntimeError):
            call()


def test_fill_diagonal() -> None:
    tall = np.zeros((7, 3))
    np.fill_diagonal(tall, 5.0, wrap=True)
    np.testing.assert_array_equal(lamina.zeros(7, 3).fill_diagonal_(5.0, wrap=True).numpy(), tall)
    assert lamina.zeros(3, 3, 3).fill_diagonal_(1.0).sum() == 3


def test_functions_by_element() -> None:
    x = lamina.arange(3.0)
    assert x.apply_(lambda v: v + 1).tolist() == [1, 2, 3]
    assert x.map_(lamina.tensor(2.0), lambda a, b: a * b).tolist() == [2, 4, 6]
    assert x.map2_(x, lamina.ones(3), lambda a, b, c: a + b + c).tolist() == [5, 9, 13]
    with pytest.raises(RuntimeError, match="requires grad"):
        lamina.ones(2, requires_grad=True).apply_(abs)


def test_logspace_and_powers_in_double() -> None:
    np.testing.assert_allclose(lamina.logspace(0, 3, 4).numpy(), np.logspace(0, 3, 4))
    assert lamina.logspace(-1, 1, 3, 2.0, dtype=lamina.float64).tolist() == [0.5, 1, 2]
    assert lamina.scalar_tensor(2).dtype == lamina.float32
    assert lamina.float_power(lamina.tensor([2, 3]), 2).tolist() == [4, 9]
    assert lamina.float_power(lamina.tensor([2.0]), 2).dtype == lamina.float64


def test_asarray_shares_what_has_dlpack_alone() -> None:
    class Lent:
        def __init__(self, tensor: lamina.Tensor) -> None:
            self.tensor = tensor

        def __dlpack__(self, **options: Any) -> object:
            return self.tensor.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.tensor.__dlpack_device__()

    x = lamina.ones(3)
    shared, copy = lamina.asarray(Lent(x)), lamina.asarray(Lent(x), copy=True)
    x[0] = 5
    assert shared.tolist() == [5, 1, 1]
    assert copy.tolist() == [1, 1, 1]
    assert lamina.asarray(Lent(x), dtype=lamina.int64).tolist() == [5, 1, 1]


@pytest.mark.parametrize(
    ("ends", "dtype", "wanted"),
    [
        ((0.1, -7.9, -4.0), "int64", [0, -4]),
        ((1.0, 5.000001, 2.0), "int64", [1, 3]),
        ((0, 10, 2.5), "int64", [0, 2, 4, 6, 8]),
        ((0, 10, 2.5), "int32", [0, 2, 4, 6]),
        ((-0.9, 2.1, 2.0), "uint8", [0, 2]),
        ((0, 1, 0.3), "int8", [0, 0, 0, 0]),
    ],
)
def test_arange_of_integers_by_fractions(ends: tuple[float, ...], dtype: str, wanted: list[int]) -> None:
    """Start and step lose their fractions; for int64 the end does, too, before the numbers are counted."""
    assert lamina.arange(*ends, dtype=getattr(lamina, dtype)).tolist() == wanted
    with pytest.raises(RuntimeError, match="step must be nonzero"):
        lamina.arange(0, 1, 0.3, dtype=lamina.int64)


def test_full_of_a_complex_number_is_at_least_complex64() -> None:
    before = lamina.get_default_dtype()
    try:
        for default, dtype in ((lamina.float16, lamina.complex64), (lamina.float64, lamina.complex128)):
            lamina.set_default_dtype(default)
            assert lamina.full((2,), 1 + 2j).dtype == dtype
    finally:
        lamina.set_default_dtype(before)


def test_sizes_are_not_bools_nor_one_number_to_fill() -> None:
    with pytest.raises(TypeError, match="got bool"):
        lamina.zeros(True)
    with pytest.raises(TypeError, match="got bool"):
        lamina.zeros(2).new_ones(True)
    for make in (lamina.zeros, lamina.rand, lamina.ones(2).new_zeros, lamina.ones(1).reshape):
        with pytest.raises(TypeError, match="got bool"):
            make([True])
    assert lamina.ones(2, True).shape == lamina.ones((2, True)).shape == (2, 1)
    for size in (2, True, [True], lamina.tensor(2)):
        with pytest.raises(TypeError, match="must be tuple of ints"):
            lamina.full(size, 1.0)
        with pytest.raises(TypeError, match="must be tuple of ints"):
            lamina.zeros(2).new_full(size, 1.0)


def test_tensors_are_filled_with_numbers_and_tensors_of_one() -> None:
    number = lamina.tensor(2.0)
    assert lamina.full((2,), number).tolist() == [2, 2]
    assert lamina.zeros(2).new_full((1,), number).tolist() == lamina.full_like(lamina.zeros(1), number).tolist() == [2]
    for wrong in (lamina.tensor([1.0]), lamina.tensor(1.0, requires_grad=True)):
        for fill in (
            lambda x: lamina.full((2,), x),
            lambda x: lamina.full_like(lamina.ones(2), x),
            lambda x: lamina.ones(2).new_full((2,), x),
        ):
            with pytest.raises(TypeError, match="must be Number, not Tensor"):
                fill(wrong)
