"""What PyTorch refuses though it could be computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina


@pytest.mark.parametrize("integrate", [lamina.trapezoid, lamina.cumulative_trapezoid])
def test_points_of_samples_that_do_not_fit(integrate: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match=r"size of tensor a \(3\) must match the size of tensor b \(0\)"):
        integrate(lamina.ones(2, 4), lamina.ones(2, 1))
    with pytest.raises(RuntimeError, match=r"size of tensor a \(3\) must match the size of tensor b \(2\)"):
        integrate(lamina.ones(2, 4), lamina.ones(2, 3))


@pytest.mark.parametrize("integrate", [lamina.trapezoid, lamina.cumulative_trapezoid])
@pytest.mark.parametrize("dx", [1j, True])
def test_distances_of_samples_are_real(integrate: Callable[..., Any], dx: Any) -> None:
    with pytest.raises(RuntimeError, match="expected dx to be a real number, got"):
        integrate(lamina.ones(4), dx=dx)


def test_absolute_values_are_not_written_to_complex_numbers() -> None:
    x = lamina.tensor([3 + 4j])
    for write in (x.abs_, x.absolute_, lambda: lamina.abs_(x)):
        with pytest.raises(RuntimeError, match=r"abs_\(\): complex numbers"):
            write()
    assert x.tolist() == [3 + 4j]
    assert lamina.abs(x, out=lamina.zeros(1, dtype=lamina.complex64)).tolist() == [5]


def test_only_floating_types_have_complex_ones() -> None:
    for dtype in (lamina.bool, lamina.uint8, lamina.int8, lamina.int16, lamina.int32, lamina.int64):
        with pytest.raises(RuntimeError, match="no complex type has parts of the type"):
            dtype.to_complex()
        assert dtype.to_real() == dtype
    assert lamina.bfloat16.to_complex() == lamina.complex64
    assert lamina.float16.to_complex() == lamina.complex32
    assert lamina.complex128.to_complex() == lamina.complex128


@pytest.mark.parametrize("put", [lamina.index_put, lamina.index_put_])
def test_putting_needs_an_index(put: Callable[..., Any]) -> None:
    with pytest.raises(RuntimeError, match="needs at least one index tensor"):
        put(lamina.ones(4), [], lamina.zeros(4))


@pytest.mark.parametrize("name", ["cummax", "cummin"])
@pytest.mark.parametrize("shape", [(2,), (0, 3), ()])
def test_complex_numbers_have_no_order_to_run_along(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(NotImplementedError, match=f"\"{name}_cpu\" not implemented for 'ComplexFloat'"):
        getattr(lamina, name)(lamina.zeros(shape, dtype=lamina.complex64), 0)
