"""What old PyTorch code says: constructors by type, masks of bytes, storages, ranges with their end, formats."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.legacy import LEGACY_TYPES


@pytest.mark.parametrize("name", sorted(LEGACY_TYPES))
def test_constructor_by_type(name: str) -> None:
    kind: Any = getattr(lamina, name)
    assert kind([0, 1]).dtype == kind.dtype
    assert kind([0, 1]).tolist() == [0, 1] == kind(np.array([0, 1])).tolist()
    assert (kind(2, 3).shape, kind(lamina.Size([3])).shape, kind().shape) == ((2, 3), (3,), (0,))
    assert isinstance(kind(2), kind)
    assert not isinstance(lamina.ones(1, dtype=lamina.int64 if kind.dtype != lamina.int64 else lamina.int32), kind)
    assert kind(1).type() == f"torch.{name}"
    assert lamina.tensor([1.0]).type(kind).dtype == lamina.tensor([1.0]).type(f"torch.{name}").dtype == kind.dtype


def test_tensor_and_new_follow_the_same_rules() -> None:
    assert lamina.Tensor([1, 2]).dtype == lamina.float32
    assert (lamina.Tensor(2, 3).shape, lamina.Tensor().shape, lamina.Tensor((2, 3)).tolist()) == ((2, 3), (0,), [2, 3])
    x = lamina.tensor([1, 2])
    assert lamina.Tensor(x).dtype == lamina.int64
    lamina.Tensor(x)[0] = 5  # shares
    assert x.tolist() == [5, 2]
    assert (x.new([1.5]).tolist(), x.new(2, 2).dtype, x.new().shape) == ([1], lamina.int64, (0,))

    class Marked(lamina.Tensor):
        pass

    assert type(Marked([1, 2])) is Marked
    for wrong in (1.5, None, np.float64(1)):
        with pytest.raises(TypeError, match="data must be a sequence"):
            lamina.Tensor(wrong)
    with pytest.raises(TypeError, match="dtype"):
        lamina.Tensor([1], dtype=lamina.float64)
    with pytest.raises(RuntimeError, match="expects device type: cpu"):
        lamina.FloatTensor([1], device="cuda")  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match=r"torch\.int64"):
        lamina.FloatTensor(x)  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="invalid type"):
        x.type("torch.Long")


def test_default_tensor_type() -> None:
    try:
        with pytest.warns(UserWarning, match="deprecated"):
            lamina.set_default_tensor_type("torch.DoubleTensor")
        assert lamina.Tensor([1]).dtype == lamina.ones(1).dtype == lamina.float64
        with pytest.warns(UserWarning, match="deprecated"), pytest.raises(TypeError, match="floating-point"):
            lamina.set_default_tensor_type("torch.IntTensor")
    finally:
        lamina.set_default_dtype(lamina.float32)


def test_range_has_its_end() -> None:
    with pytest.warns(UserWarning, match=r"use torch\.arange"):
        assert lamina.range(1, 4).tolist() == [1, 2, 3, 4]


@pytest.mark.filterwarnings("ignore:torch.range is deprecated")
def test_range_of_types_steps_and_out() -> None:
    assert lamina.range(0, 1, 0.5).tolist() == [0, 0.5, 1]
    assert lamina.range(4, 0, -3, dtype=lamina.int64).tolist() == [4, 1]
    assert lamina.range(0, 3, out=lamina.empty(2, 2)).tolist() == [[0, 1], [2, 3]]
    with pytest.raises(RuntimeError, match="inconsistent with step sign"):
        lamina.range(0, -1)


def test_storage_is_the_base_s_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    monkeypatch.setattr("lamina._warning._told", set())
    with pytest.warns(UserWarning, match="TypedStorage is deprecated"):
        storage = x[1:].storage()
    assert (len(storage), storage.dtype, storage.nbytes(), storage[4]) == (6, lamina.float32, 24, 4.0)
    storage[0] = 9
    assert x[0, 0] == 9
    storage.fill_(1)
    assert x.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert storage.data_ptr() == x.untyped_storage().data_ptr()


def test_from_file(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    np.arange(4, dtype=np.float32).tofile(path)
    own = lamina.from_file(str(path), size=3)
    own += 1
    assert own.tolist() == [1, 2, 3]
    shared = lamina.from_file(str(path), shared=True, size=6)
    shared[5] = 7
    assert np.fromfile(path, dtype=np.float32).tolist() == [0, 1, 2, 3, 0, 7]
    with pytest.raises(RuntimeError, match="is smaller than the required mapping size <28>"):
        lamina.from_file(str(path), size=7)
    with pytest.raises(RuntimeError, match="unable to open file"):
        lamina.from_file(str(tmp_path / "none"), size=1)


def test_formats_and_layout() -> None:
    x = lamina.ones(2, layout=lamina.strided)
    assert x.layout is lamina.strided
    assert x.contiguous(memory_format=lamina.contiguous_format) is x
    assert repr(lamina.strided) == "torch.strided"
    assert str(lamina.preserve_format) == "torch.preserve_format"
    assert copy.deepcopy(lamina.strided) is lamina.strided
    with pytest.raises(RuntimeError, match="preserve memory format is unsupported"):
        lamina.ones(2, 3).t().contiguous(memory_format=lamina.preserve_format)
    assert x.contiguous(memory_format=lamina.preserve_format) is x
    with pytest.raises(TypeError, match=r"must be torch\.memory_format, not int"):
        x.clone(memory_format=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"must be torch\.layout"):
        lamina.zeros(2, layout="strided")  # type: ignore[call-arg]


def test_default_device() -> None:
    lamina.set_default_device("cpu")
    with lamina.device("cpu") as place:
        assert lamina.ones(1).device == place == lamina.get_default_device()
    with pytest.raises(RuntimeError, match="CPU only"):
        lamina.set_default_device("cuda")
    with pytest.raises(RuntimeError, match="CPU only"), lamina.device("cuda"):
        pass


def test_real_numbers_are_their_own_conjugates() -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    assert x.conj() is x is x.real is lamina.real(x)
    assert not x.is_conj()
    assert x.H.tolist() == x.mH.tolist() == x.T.tolist()
    with pytest.raises(RuntimeError, match="only supported on matrices"):
        _ = lamina.ones(2, 2, 2).H


def test_out_of_a_factory() -> None:
    """The type is out's; the size is given without a warning; ranges fill any shape; memory with an address stays."""
    out = lamina.zeros(3, dtype=lamina.uint8)
    assert lamina.eye(2, out=out).tolist() == [[1, 0], [0, 1]] == out.tolist()
    assert lamina.arange(4, out=out) is out
    assert out.tolist() == [[0, 1], [2, 3]]
    with pytest.raises(RuntimeError, match=r"dtype Float does not match dtype of out parameter \(Byte\)"):
        lamina.zeros(2, dtype=lamina.float32, out=out)
    with pytest.warns(UserWarning, match=r"The out tensor will be resized to a tensor of shape \(5,\)"):
        lamina.arange(5, out=out)
    where = lamina.zeros(1, 1, dtype=lamina.int64)
    address = where.data_ptr()
    lamina.nonzero(lamina.tensor([0, 3]), out=where)
    assert (where.tolist(), where.data_ptr()) == ([[1]], address)
    with pytest.raises(RuntimeError, match="scalar type Long"):
        lamina.nonzero(lamina.ones(2), out=lamina.ones(2, 1))


def test_whole_bounds_of_whole_types() -> None:
    assert lamina.linspace(0.9, 3.9, 3, dtype=lamina.int64).tolist() == [0, 1, 3]
    assert lamina.tensor([-3], dtype=lamina.uint8).tolist() == [253]
    for make in (
        lambda: lamina.tensor([-3.0], dtype=lamina.uint8),
        lambda: lamina.tensor([-256], dtype=lamina.uint8),
        lambda: lamina.zeros(2, dtype=lamina.bool).random_(0, 3),
        lambda: lamina.zeros(2, dtype=lamina.int8).random_(-200, 3),
        lambda: lamina.zeros(2).uniform_(-3e38, 3e38),
    ):
        with pytest.raises(RuntimeError, match=r"overflow|out of bounds|to-from"):
            make()
    assert lamina.tensor(2**65, dtype=lamina.float64).item() == 2.0**65
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        lamina.tensor(2**63)


def test_nested_data() -> None:
    one = lamina.tensor([3.0])
    assert lamina.tensor([[one, one]]).tolist() == [[3, 3]]
    assert lamina.tensor([range(2), (5, 6)]).tolist() == [[0, 1], [5, 6]]
    assert lamina.tensor([[], [1, 2]]).shape == (2, 0)
    own: list[Any] = [0]
    own.append(own)
    with pytest.raises(TypeError, match="self-referential"):
        lamina.tensor(own)
    with pytest.raises(TypeError, match="only integer tensors of a single element"):
        lamina.tensor([lamina.tensor([1, 2])])


def test_data_that_changes_while_it_is_read() -> None:
    class Emptying:
        def __float__(self) -> float:
            data.clear()
            return 1.0

    data: list[Any] = [Emptying(), 2.0, 3.0]
    with pytest.raises(RuntimeError, match="changed its length while it was read"):
        lamina.tensor(data)


def test_dlpack_module() -> None:
    from lamina.utils import dlpack

    x = lamina.arange(3.0)
    shared = dlpack.from_dlpack(x)
    x[0] = 5
    assert shared.tolist() == [5, 1, 2]
    shared[1] = 6
    assert x.tolist() == [5, 6, 2]
    lent = dlpack.from_dlpack(dlpack.to_dlpack(x))  # a capsule without a version
    lent[2] = 7
    assert x.tolist() == [5, 6, 7]


def test_printed_types_do_not_reach_pickles() -> None:
    assert b"torch" not in pickle.dumps(lamina.float32)
    assert pickle.loads(pickle.dumps(lamina.float32)) is lamina.float32


def test_constructors_by_type_are_no_bases() -> None:
    with pytest.raises(TypeError, match=r"type 'torch.FloatTensor' is not an acceptable base type"):
        type("Mine", (lamina.FloatTensor,), {})  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        lamina.LongTensor((6, 0), 1, 1)  # type: ignore[attr-defined]
    assert lamina.ones(2).new(size=(3, 4)).shape == (3, 4)
    with pytest.raises(RuntimeError, match="none is available"):
        lamina.device(0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("thing", "name"),
    [
        (lamina.ones(1), "torch.FloatTensor"),
        (lamina.nn.Parameter(lamina.ones(1)), "torch.FloatTensor"),
        (lamina.nn.Linear(1, 1), "lamina.nn.modules.linear.Linear"),
        (lamina.nn.Linear, "lamina.nn.modules.linear.Linear"),
        (3, "int"),
        (len, "len"),
        ([].append, "list.append"),
        (np, "numpy"),
        (None, "NoneType"),
    ],
)
def test_typename(thing: object, name: str) -> None:
    assert lamina.typename(thing) == name
