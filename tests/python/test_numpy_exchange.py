"""Numbers from and to NumPy and Python: shared or copied, right or a clear error, never a crash."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import ALL


@pytest.mark.parametrize("dtype", ALL)
def test_round_trip(dtype: str) -> None:
    array = (np.arange(12).reshape(3, 4) % 2).astype(dtype)
    for make in (lamina.tensor, lamina.from_numpy, lamina.as_tensor):
        x = make(array)
        assert x.dtype == getattr(lamina, dtype)
        assert x.shape == (3, 4)
        back = x.numpy()
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


def test_tensor_copies_and_from_numpy_shares() -> None:
    array = np.zeros(3, np.float32)
    copied, shared, also_shared = lamina.tensor(array), lamina.from_numpy(array), lamina.as_tensor(array)
    array[0] = 1
    assert copied.tolist() == [0.0, 0.0, 0.0]
    assert shared.tolist() == [1.0, 0.0, 0.0]
    assert also_shared.tolist() == [1.0, 0.0, 0.0]
    assert shared.data_ptr() == array.ctypes.data
    also_shared += 1
    assert array.tolist() == [2.0, 1.0, 1.0]
    assert lamina.as_tensor(array, dtype=lamina.float64).dtype == lamina.float64


def test_shared_memory_outlives_its_owners() -> None:
    x = lamina.from_numpy(np.arange(1000.0))
    gc.collect()
    assert x.sum().item() == 499500
    array = lamina.arange(1000.0).numpy()
    gc.collect()
    assert array.sum() == 499500


@pytest.mark.parametrize(
    ("data", "dtype", "wanted"),
    [
        (3, "int64", 3),
        (3.5, "float32", 3.5),
        (True, "bool", True),
        ([1, 2], "int64", [1, 2]),
        ([1, 2.5], "float32", [1.0, 2.5]),
        ([True, False], "bool", [True, False]),
        ([True, 2], "int64", [1, 2]),
        ([[1, 2], [3, 4]], "int64", [[1, 2], [3, 4]]),
        (((1.0,), (2.0,)), "float32", [[1.0], [2.0]]),
        ([], "float32", []),
        ([[], []], "float32", [[], []]),
        (range(3), "int64", [0, 1, 2]),
        (np.float64(2.5), "float64", 2.5),
        (np.float32(2.5), "float32", 2.5),
        (np.int32(7), "int32", 7),
        (np.bool_(True), "bool", True),
        (np.array(4.0), "float64", 4.0),
        ([np.arange(2), np.arange(2)], "int64", [[0, 1], [0, 1]]),
        ([np.float32(1), np.float32(2)], "float32", [1.0, 2.0]),
        (float("nan"), "float32", None),
        (-0.0, "float32", -0.0),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy.ndarrays")
def test_tensor_of(data: Any, dtype: str, wanted: Any) -> None:
    x = lamina.tensor(data)
    assert x.dtype == getattr(lamina, dtype)
    if wanted is None:
        assert np.isnan(x.item())
    else:
        assert x.tolist() == wanted


@pytest.mark.filterwarnings("ignore:To copy construct from a tensor")
def test_tensor_of_tensors() -> None:
    assert lamina.tensor([lamina.tensor(1.5), lamina.tensor(2.0)]).tolist() == [1.5, 2.0]
    copied = lamina.tensor(lamina.ones(2))
    assert copied.tolist() == [1.0, 1.0]
    assert lamina.tensor([1, 2], dtype=lamina.float64).dtype == lamina.float64
    assert lamina.tensor([0.5, 1.5]).requires_grad is False
    assert lamina.tensor([0.5, 1.5], requires_grad=True).requires_grad


def test_integers_out_of_range() -> None:
    assert lamina.tensor(2**63 - 1).item() == 2**63 - 1
    with pytest.raises((RuntimeError, ValueError, OverflowError), match=r"[Oo]verflow|too large"):
        lamina.tensor(2**63)
    with pytest.raises((RuntimeError, ValueError, OverflowError)):
        lamina.tensor(300, dtype=lamina.uint8)


BACKWARDS = np.arange(6.0, dtype=np.float32)[::-1]
AWKWARD: dict[str, np.ndarray] = {
    "reversed": BACKWARDS,
    "flipped": np.arange(12.0).reshape(3, 4)[:, ::-1],
    "byte-swapped": np.arange(4, dtype=np.dtype(np.float32).newbyteorder()),
    "byte-swapped integers": np.arange(4, dtype=np.dtype(np.int64).newbyteorder()),
    "unaligned": np.frombuffer(bytearray(b"\0" + np.arange(4, dtype=np.float32).tobytes()), np.float32, 4, 1),
    "unaligned doubles": np.frombuffer(bytearray(b"\0" * 3 + np.arange(4.0).tobytes()), np.float64, 4, 3),
    "packed field": np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "u1"), ("b", "f4")])["b"],
    "half": np.arange(3, dtype=np.float16),
    "long double": np.arange(3, dtype=np.longdouble),
    "long complex": np.arange(3, dtype=np.clongdouble),
    "uint16": np.arange(3, dtype=np.uint16),
    "uint32": np.arange(3, dtype=np.uint32),
    "uint64": np.arange(3, dtype=np.uint64),
    "int8": np.arange(3, dtype=np.int8),
    "int16": np.arange(3, dtype=np.int16),
    "object": np.array([1, "a", None], dtype=object),
    "text": np.array(["a", "b"]),
    "dates": np.array(["2020-01-01"], dtype="M8[D]"),
    "record": np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
}


@pytest.mark.parametrize("make", [lamina.tensor, lamina.from_numpy, lamina.as_tensor])
@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_array_is_right_or_refused(name: str, make: Callable[[Any], Any]) -> None:
    array = AWKWARD[name]
    try:
        x = make(array)
    except (TypeError, ValueError) as refusal:
        message = str(refusal)
    else:
        message = ""
    if message:
        assert len(message) > 20, "the error says what is wrong and how to mend it"
    else:
        np.testing.assert_array_equal(x.numpy(), array)
        np.testing.assert_array_equal((x + x).numpy(), array + array)


@pytest.mark.parametrize("name", ["long double", "long complex", "object", "text", "uint16"])
def test_refused_dtype_is_named(name: str) -> None:
    array = AWKWARD[name]
    with pytest.raises(TypeError, match=rf"can't convert .*{array.dtype.type.__name__}.*only supported types are"):
        lamina.from_numpy(array)


@pytest.mark.parametrize("name", ["reversed", "unaligned", "unaligned doubles", "packed field"])
def test_awkward_layouts_are_copied_right(name: str) -> None:
    array = AWKWARD[name]
    np.testing.assert_array_equal(lamina.tensor(array.copy()).numpy(), array)
    x = lamina.tensor(array.tolist())
    assert x.tolist() == array.tolist()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
        np.arange(24.0).reshape(4, 6)[1:3, ::2],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.broadcast_to(np.arange(3.0), (4, 3)),
        np.lib.stride_tricks.sliding_window_view(np.arange(6.0), 3),
        np.zeros((3, 0, 2)),
        np.array(3.0),
    ],
    ids=["transposed", "strided", "fortran", "broadcast", "windows", "empty", "0-d"],
)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_layouts(array: np.ndarray) -> None:
    for make in (lamina.tensor, lamina.from_numpy):
        x = make(array)
        np.testing.assert_array_equal(x.numpy(), array)
        np.testing.assert_array_equal((x * 2 + 1).numpy(), array * 2 + 1)
        np.testing.assert_allclose(x.sum().item(), array.sum())


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_read_only_stays_read_only() -> None:
    array = np.arange(3, dtype=np.float32)
    array.setflags(write=False)
    shared = lamina.from_numpy(array)
    for x in (shared, lamina.as_tensor(array), shared[1:], shared.view(3, 1), shared.detach()):
        with pytest.raises(RuntimeError, match="read-only"):
            x.add_(1)
        with pytest.raises(RuntimeError, match="read-only"):
            x[0] = 5
        exported = x.numpy()
        assert not exported.flags.writeable or exported.base is None
        assert (x + 1).sum().item() == array[-x.numel() :].sum() + x.numel()
    assert array.tolist() == [0.0, 1.0, 2.0]
    copied = lamina.tensor(array)
    copied += 1
    assert copied.tolist() == [1.0, 2.0, 3.0]


def test_numpy_of_what_needs_gradients() -> None:
    x = lamina.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        x.numpy()
    with pytest.raises(RuntimeError, match="requires grad"):
        np.asarray(x)
    assert x.detach().numpy().tolist() == [1.0, 1.0]
    assert x.tolist() == [1.0, 1.0]


def test_numpy_of_views_shares_with_strides() -> None:
    x = lamina.arange(12.0).view(3, 4)
    column = x[:, 1].numpy()
    transposed = x.t().numpy()
    assert column.strides == (16,)
    assert transposed.shape == (4, 3)
    x.mul_(2)
    assert column.tolist() == [2.0, 10.0, 18.0]
    assert transposed[1].tolist() == [2.0, 10.0, 18.0]
    column[0] = -1
    assert x[0, 1].item() == -1
    assert transposed[1, 0] == -1


def test_asarray_and_dtype() -> None:
    x = lamina.arange(3)
    assert np.asarray(x).dtype == np.int64
    assert np.asarray(x, dtype=np.float32).tolist() == [0.0, 1.0, 2.0]
    copied = np.array(x)
    copied[0] = 9
    assert x[0].item() == 0
    assert np.sin(x.numpy()).shape == (3,)
    assert np.stack([x, x]).shape == (2, 3)
    assert np.array([lamina.tensor(1.0), lamina.tensor(2.0)], dtype=np.float32).tolist() == [1.0, 2.0]


def test_arithmetic_with_arrays() -> None:
    x = lamina.ones(3)
    assert isinstance(x + np.float32(2), lamina.Tensor)
    assert (x * np.int64(3)).tolist() == [3.0, 3.0, 3.0]
    assert (np.float32(2) * x).tolist() == [2.0, 2.0, 2.0]


def test_dlpack() -> None:
    x = lamina.arange(6.0).view(2, 3)
    array = np.from_dlpack(x)
    x.add_(1)
    assert array.tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert x.__dlpack_device__() == (1, 0)
    back = lamina.from_dlpack(np.arange(3.0))
    assert back.tolist() == [0.0, 1.0, 2.0]
    assert back.dtype == lamina.float64


def test_dlpack_of_a_library_that_knows_no_versions() -> None:
    """Its capsules can be written to; an array that only may be read is read-only here, too."""

    class Old:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack__(self, stream: object = None) -> object:
            return self.array.__dlpack__()

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.array.__dlpack_device__()

    array = np.zeros((2, 3))
    x = lamina.from_dlpack(Old(array[:, ::2]))
    x[1, 1] = 5
    assert array.tolist() == [[0, 0, 0], [0, 0, 5]]
    del array
    gc.collect()
    assert x.tolist() == [[0, 0], [0, 5]]
    fixed = np.zeros(3)
    fixed.flags.writeable = False
    with pytest.raises((RuntimeError, BufferError), match=r"read-only|readonly"):
        lamina.from_dlpack(fixed)[0] = 1


def test_zero_size_exchange() -> None:
    for shape in [(0,), (2, 0), (0, 3, 0)]:
        x = lamina.from_numpy(np.zeros(shape, np.float32))
        assert x.numpy().shape == shape
        assert (x + 1).numpy().shape == shape
        assert x.sum().item() == 0
        assert x.tolist() == np.zeros(shape).tolist()


def test_many_axes() -> None:
    array = np.arange(2**10, dtype=np.float32).reshape([2] * 10)
    x = lamina.from_numpy(array)
    np.testing.assert_array_equal(x.permute(*range(9, -1, -1)).contiguous().numpy(), array.T)
    np.testing.assert_allclose(x.sum((1, 3, 5, 7, 9)).numpy(), array.sum((1, 3, 5, 7, 9)))
    most = 64 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 32  # of NumPy's arrays
    assert lamina.tensor(np.zeros([1] * most, np.float32)).dim() == most


def test_operators_with_arrays_give_tensors() -> None:
    x, array = lamina.tensor([1.0, 2.0]), np.array([2.0, 2.0])
    for result, wanted in (
        (x + array, [3.0, 4.0]),
        (x - array, [-1.0, 0.0]),
        (x**array, [1.0, 4.0]),
        (array / x, [2.0, 1.0]),
        (np.add(x, array), [3.0, 4.0]),
    ):
        assert isinstance(result, lamina.Tensor)
        assert (result.dtype, result.tolist()) == (lamina.float64, wanted)
    assert isinstance(np.exp(x), lamina.Tensor)
    assert (x @ array).tolist() == 6.0


def test_comparisons_with_arrays_give_tensors() -> None:
    x, array = lamina.tensor([1, 2]), np.array([1, 3])
    assert (x == array).tolist() == (array == x).tolist() == [True, False]
    assert (x != array).tolist() == [False, True]
    assert (x < array).tolist() == [False, True]
    assert (x == np.array([1.0, 2.5])).tolist() == [True, False]
    assert not isinstance(x == np.array(["a", "b"]), lamina.Tensor)
    with pytest.raises(RuntimeError, match="must match the size"):
        x == np.zeros(3)  # noqa: B015


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        ([np.float64(1)], lamina.float64),
        ([np.float32(1), np.float64(2)], lamina.float64),
        ([np.float16(1)], lamina.float16),
        ([np.int32(1)], lamina.int32),
        ([np.int32(1), 2], lamina.int64),
        ([np.ones(2)], lamina.float64),
        ([np.ones(2, "int32"), np.ones(2, "float32")], lamina.float32),
        ([lamina.tensor(1.0, dtype=lamina.float64)], lamina.float64),
        ([lamina.tensor(1, dtype=lamina.int32), 2.5], lamina.float32),
        ([1, 2.5], lamina.float32),
    ],
)
def test_lists_have_the_type_that_their_items_promote_to(data: Any, dtype: Any) -> None:
    result = lamina.tensor(data)
    assert result.dtype == lamina.as_tensor(data).dtype == dtype
    assert lamina.tensor(data, dtype=lamina.int8).dtype == lamina.int8


def test_lists_of_arrays_of_other_shapes_are_refused() -> None:
    for other, text in ((np.ones((3, 0)), "length 3 at dim 2 .got 0"), (np.ones((2, 3)), "length 3 at dim 1 .got 2")):
        with pytest.raises(ValueError, match=text):
            lamina.tensor([np.ones((3, 3)), other])


def test_numpy_numbers_in_composed_calls() -> None:
    x = lamina.arange(4)
    two = np.int64(2)
    assert x.roll(two).tolist() == [2, 3, 0, 1]
    assert [part.tolist() for part in x.tensor_split(two)] == [[0, 1], [2, 3]]
    assert x.tile(two).shape == (8,)
    assert np.int64(3) in x
    assert (x << two).tolist() == [0, 4, 8, 12]
    assert (two << x).tolist() == [2, 4, 8, 16]


def test_shared_memory_does_not_grow() -> None:
    x = lamina.ones(2)
    array = x.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(5)
    assert array.tolist() == x.tolist() == [1, 1]


def test_views_keep_their_history_when_their_memory_is_shown() -> None:
    a = lamina.arange(6.0).reshape(2, 3).requires_grad_()
    for make in (lambda: a.view_as(a), lambda: (a * 2)[0], lambda: (a + 1).mT):
        view = make()
        y = (view * view).sum()
        shown = view.detach().numpy()
        (slope,) = lamina.autograd.grad(y, view)
        np.testing.assert_array_equal(slope.numpy(), 2 * shown)
        shown[...] = 1
        assert view.tolist() == np.ones(shown.shape).tolist()
    part = (a.detach().requires_grad_() * 0)[0]
    inverse = lamina.linalg.inv(part[:1].reshape(1, 1) + 1)
    assert lamina.autograd.grad(inverse.sum(), part)[0].tolist() == [-1, 0, 0]
