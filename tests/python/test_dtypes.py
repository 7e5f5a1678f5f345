"""Facts about types and devices."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.tensor_methods import ELSEWHERE

DTYPES = [
    *(lamina.bool, lamina.uint8, lamina.int8, lamina.int16, lamina.int32, lamina.int64),
    *(lamina.float16, lamina.bfloat16, lamina.float32, lamina.float64),
]


def _numpy(dtype: Any) -> Any:
    return np.dtype(repr(dtype).rpartition(".")[2])


@pytest.mark.parametrize("dtype", [lamina.float16, lamina.float32, lamina.float64], ids=str)
def test_finfo(dtype: Any) -> None:
    info, expected = lamina.finfo(dtype), np.finfo(_numpy(dtype))
    for name in ("eps", "max", "min", "tiny", "smallest_normal", "bits"):
        assert getattr(info, name) == getattr(expected, name), name
    assert info.dtype == _numpy(dtype).name
    assert info == lamina.finfo(dtype)
    assert info.resolution == pytest.approx(float(expected.resolution), rel=1e-3)


@pytest.mark.parametrize("dtype", [lamina.uint8, lamina.int8, lamina.int16, lamina.int32, lamina.int64], ids=str)
def test_iinfo(dtype: Any) -> None:
    info, expected = lamina.iinfo(dtype), np.iinfo(_numpy(dtype))
    assert (info.min, info.max, info.bits) == (expected.min, expected.max, expected.bits)


def test_info_of_the_wrong_kind() -> None:
    assert repr(lamina.finfo()) == (
        "finfo(resolution=1e-06, min=-3.40282e+38, max=3.40282e+38, eps=1.19209e-07, smallest_normal=1.17549e-38, "
        "tiny=1.17549e-38, dtype=float32)"
    )
    assert repr(lamina.iinfo(lamina.uint8)) == "iinfo(min=0, max=255, dtype=uint8)"
    for call in (
        lambda: lamina.finfo(lamina.int32),
        lambda: lamina.iinfo(lamina.float32),
        lambda: lamina.iinfo(lamina.bool),
    ):
        with pytest.raises(TypeError, match="requires"):
            call()


@pytest.mark.parametrize(("a", "b"), list(itertools.product(DTYPES, DTYPES)), ids=str)
def test_promotion_is_that_of_sums(a: Any, b: Any) -> None:
    assert lamina.promote_types(a, b) == (lamina.ones(2, dtype=a) + lamina.ones(2, dtype=b)).dtype
    for shape_a, shape_b in (((2,), ()), ((), (2,)), ((), ())):
        x, y = lamina.ones(shape_a, dtype=a), lamina.ones(shape_b, dtype=b)
        assert lamina.result_type(x, y) == (x + y).dtype


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("number", [True, 2, 2.5])
def test_result_type_with_numbers(dtype: Any, number: Any) -> None:
    for x in (lamina.ones(2, dtype=dtype), lamina.ones((), dtype=dtype)):
        assert lamina.result_type(x, number) == lamina.result_type(number, x) == (x + number).dtype


def test_can_cast() -> None:
    assert lamina.can_cast(lamina.float64, lamina.float32)
    assert lamina.can_cast(lamina.int64, lamina.uint8)
    assert lamina.can_cast(lamina.bool, lamina.float32)
    assert not lamina.can_cast(lamina.float32, lamina.int64)
    assert not lamina.can_cast(lamina.uint8, lamina.bool)


def test_device() -> None:
    cpu = lamina.device("cpu")
    assert (cpu.type, cpu.index) == ("cpu", None)
    assert (str(cpu), repr(cpu)) == ("cpu", "device(type='cpu')")
    assert repr(lamina.device("cpu:0")) == "device(type='cpu', index=0)"
    assert lamina.device("cpu", 0) == lamina.device("cpu:0") != cpu
    assert lamina.device(cpu) == cpu
    assert len({cpu, lamina.device("cpu")}) == 1
    assert (str(lamina.device("cuda:1")), lamina.device("cuda", 1).index) == ("cuda:1", 1)
    for name in ("cpu:1", "cpu:x", "", "tpu"):
        with pytest.raises(RuntimeError):
            lamina.device(name)
    with pytest.raises(AttributeError):
        cpu.type = "cuda"
    with pytest.raises(RuntimeError, match="none is available"):
        lamina.device(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        lamina.device(1.5)  # type: ignore[arg-type]


def test_tensors_are_on_the_cpu() -> None:
    assert lamina.ones(1).device == lamina.device("cpu")
    assert lamina.ones(1, device=lamina.device("cpu")).to("cpu").device.type == "cpu"
    with pytest.raises(RuntimeError):
        lamina.ones(1, device="cuda")


def test_tensors_are_dense_and_in_the_cpus_memory() -> None:
    x = lamina.zeros(2)
    assert x.is_cpu
    for name in ELSEWHERE:
        assert getattr(x, name) is False
    assert x.to_dense() is x
    assert x.to_dense(lamina.float64).dtype == lamina.float64


def test_to_copies_where_the_last_place_says_so() -> None:
    x = lamina.ones(2)
    assert x.to(lamina.float32, False) is x
    for copy in (
        x.to(lamina.float32, False, True),
        x.to(x, True, True),
        x.to("cpu", lamina.float32, False, True),
        x.to(lamina.float32, False, copy=True),
    ):
        copy.zero_()
    assert x.tolist() == [1, 1]


def test_types_that_no_tensor_has_can_be_named() -> None:
    facts = {
        "uint16": (2, False, False),
        "uint32": (4, False, False),
        "uint64": (8, False, False),
        "float8_e4m3fn": (1, True, True),
        "float8_e5m2": (1, True, True),
        "float8_e8m0fnu": (1, True, False),
    }
    for name, (itemsize, floating, signed) in facts.items():
        dtype = getattr(lamina._core, name)
        assert not hasattr(lamina, name)  # but in PyTorch's place: test_as_torch.py
        assert repr(dtype) == f"torch.{name}"
        assert (dtype.itemsize, dtype.is_floating_point, dtype.is_signed, dtype.is_complex) == (
            *(itemsize, floating, signed),
            False,
        )
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert dtype != lamina.bool
        for call in (
            lambda dtype: lamina.ones(1, dtype=dtype),
            lambda dtype: lamina.ones(1).to(dtype),
            lambda dtype: lamina.tensor([1], dtype=dtype),
            lambda dtype: lamina.promote_types(dtype, lamina.float32),
            lambda dtype: dtype.to_complex(),
            lamina.set_default_dtype,
            lamina.finfo,
        ):
            with pytest.raises((NotImplementedError, TypeError), match=name):
                call(dtype)
    assert (lamina.iinfo(lamina._core.uint16).min, lamina.iinfo(lamina._core.uint32).max) == (0, 2**32 - 1)
