"""save and load: what comes back, what shares numbers, files left whole by failures, files that are refused."""

from __future__ import annotations

import copy
import io
import os
import pickle
import stat
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina

DTYPES = [lamina.float32, lamina.float64, lamina.int64, lamina.int32, lamina.uint8, lamina.bool]


def _round_trip(value: Any, **options: Any) -> Any:
    file = io.BytesIO()
    lamina.save(value, file)
    file.seek(0)
    result = lamina.load(file, **options)
    assert file.read() == b""
    return result


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors(dtype: Any, shape: tuple[int, ...]) -> None:
    x = lamina.arange(6)[: int(np.prod(shape))].reshape(shape).to(dtype)
    y = _round_trip(x)
    assert type(y) is lamina.Tensor
    assert (y.dtype, y.shape, y.requires_grad) == (dtype, shape, False)
    assert lamina.equal(x, y)


def test_containers_and_plain_values() -> None:
    value = OrderedDict(
        a=[lamina.ones(2), (1, 2.5, None, "text", b"bytes", True, 1 + 2j)],
        b={"set": {1, 2}, "dtype": lamina.float64, "shape": lamina.Size([2, 3]), "device": lamina.device("cpu")},
        c=frozenset([3]),
    )
    result = _round_trip(value)
    assert type(result) is OrderedDict
    assert result["a"][0].tolist() == [1, 1]
    assert result["a"][1] == value["a"][1]
    assert result["b"] == value["b"]
    assert type(result["b"]["shape"]) is lamina.Size
    assert result["c"] == value["c"]


def test_views_and_special_numbers() -> None:
    x = lamina.tensor([[np.nan, np.inf], [-0.0, 1e-40]])
    y = _round_trip({"transposed": x.t(), "row": x[1], "strided": x[:, ::2]})
    for name, original in (("transposed", x.t()), ("row", x[1]), ("strided", x[:, ::2])):
        np.testing.assert_array_equal(y[name].numpy(), original.numpy())
    assert np.signbit(y["row"].numpy()[0])


def test_requires_grad_and_computed_tensors() -> None:
    x = lamina.ones(2, requires_grad=True)
    leaf, computed = _round_trip([x, x * 2])
    assert leaf.requires_grad
    assert computed.requires_grad
    assert computed.is_leaf
    assert computed.tolist() == [2, 2]


def test_shared_numbers_stay_shared_and_are_stored_once() -> None:
    x = lamina.arange(10000.0)
    file = io.BytesIO()
    lamina.save({"x": x, "again": x, "detached": x.detach()}, file)
    assert 40000 < len(file.getvalue()) < 41000
    file.seek(0)
    y = lamina.load(file)
    assert y["x"] is y["again"] or y["x"].data_ptr() == y["again"].data_ptr()
    y["x"][0] = 5
    assert y["detached"][0].item() == 5
    assert x[0].item() == 0


def test_several_objects_in_one_file(tmp_path: Path) -> None:
    with open(tmp_path / "two", "wb") as file:
        lamina.save(lamina.ones(2), file)
        lamina.save("second", file)
    with open(tmp_path / "two", "rb") as file:
        assert lamina.load(file).tolist() == [1, 1]
        assert lamina.load(file) == "second"


def test_paths(tmp_path: Path) -> None:
    path = tmp_path / "weights.lamina"
    lamina.save(lamina.ones(1), path)
    lamina.save(lamina.zeros(1), str(path))
    assert lamina.load(path).item() == 0
    assert lamina.load(str(path), map_location="cpu").item() == 0
    assert os.listdir(tmp_path) == ["weights.lamina"]
    with pytest.raises(RuntimeError, match="cpu"):
        lamina.load(path, map_location="cuda")
    with pytest.raises(FileNotFoundError):
        lamina.load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError):
        lamina.save(1, tmp_path / "no folder" / "file")
    with pytest.raises(IsADirectoryError):
        lamina.save(1, tmp_path)


class _Unpicklable:
    def __reduce__(self) -> Any:
        raise ValueError("not this one")


def test_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "weights"
    lamina.save("old", path)
    with pytest.raises(ValueError, match="not this one"):
        lamina.save([lamina.ones(3), _Unpicklable()], path)

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            lamina.save("new", path)
    assert lamina.load(path) == "old"
    assert os.listdir(tmp_path) == ["weights"]


def test_save_keeps_mode_and_follows_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    lamina.save(1, target)
    os.chmod(target, 0o640)
    link.symlink_to(target)
    lamina.save(2, link)
    assert link.is_symlink()
    assert lamina.load(target) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(lamina.load(io.BytesIO(pipe.read_bytes()))))
    reader.start()
    lamina.save([1, 2], pipe)
    reader.join()
    assert received == [[1, 2]]


def _file() -> bytes:
    file = io.BytesIO()
    lamina.save({"w": lamina.arange(8.0), "n": 1}, file)
    return file.getvalue()


def test_every_truncation_is_told() -> None:
    content = _file()
    for length in range(len(content)):
        with pytest.raises(RuntimeError, match=r"truncated|is empty"):
            lamina.load(io.BytesIO(content[:length]))


def test_every_changed_byte_is_told() -> None:
    content = _file()
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x41
        with pytest.raises(RuntimeError, match="load: "):
            lamina.load(io.BytesIO(bytes(damaged)))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"PK\x03\x04 and so on, as zip archives begin", "zip"),
        (pickle.dumps([1, 2]), "not written by"),
        (b"x", "not written by"),
    ],
)
def test_foreign_files(content: bytes, text: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match=text) as caught:
        lamina.load(path)
    assert str(path) in str(caught.value)


class _Custom:
    """A class that a file of weights must not name."""


class _Runs:
    def __reduce__(self) -> Any:
        return print, ("this must not be printed",)


@pytest.mark.parametrize("weights_only", [True, None])
def test_code_is_refused(weights_only: bool | None, capsys: pytest.CaptureFixture[str]) -> None:
    for value in (_Custom(), _Runs(), os.system, [lamina.ones(1), _Runs()], lamina.load):
        with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
            _round_trip(value, weights_only=weights_only)
    assert capsys.readouterr().out == ""


def test_trusted_files_may_hold_anything() -> None:
    assert isinstance(_round_trip(_Custom(), weights_only=False), _Custom)


def _rewritten(reference: tuple[Any, ...]) -> io.BytesIO:
    """A whole, checksummed file whose one tensor is described by `reference`."""
    from zlib import crc32

    from lamina.io.header import Header

    structure = io.BytesIO()

    class Liar(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return reference if obj is _Custom else None

    Liar(structure, 4).dump([_Custom])
    data = bytes(16)
    header = Header(len(structure.getvalue()), len(data), crc32(data, crc32(structure.getvalue())))
    return io.BytesIO(header.to_bytes() + structure.getvalue() + data)


def test_references_are_checked() -> None:
    assert lamina.load(_rewritten(("tensor", "float32", (4,), 0, 16, False)))[0].tolist() == [0, 0, 0, 0]
    for bad in (
        ("tensor", "float32", (5,), 0, 16, False),
        ("tensor", "float32", (4,), 8, 16, False),
        ("tensor", "float32", (4,), -8, 16, False),
        ("tensor", "float32", (-4,), 0, 16, False),
        ("tensor", "float32", (2**40, 2**40), 0, 16, False),
        ("tensor", "complex64", (2,), 0, 16, False),
        ("module", "os"),
    ):
        with pytest.raises((pickle.UnpicklingError, ValueError)):
            lamina.load(_rewritten(bad))


def test_pickle_and_copy() -> None:
    x = lamina.arange(6.0).reshape(2, 3).t().requires_grad_()
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        y = pickle.loads(pickle.dumps(x, protocol))
        assert lamina.equal(x.detach(), y.detach())
        assert y.requires_grad
    for dtype in DTYPES:
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert copy.deepcopy(dtype) is dtype
    shape = pickle.loads(pickle.dumps(lamina.Size([1, 2])))
    assert type(shape) is lamina.Size
    assert shape == (1, 2)
    assert pickle.loads(pickle.dumps(lamina.device("cpu"))) == lamina.device("cpu")
    result = pickle.loads(pickle.dumps(lamina.ones(2).median(0)))
    assert type(result) is lamina.return_types.median


def test_deepcopy() -> None:
    x = lamina.ones(2, requires_grad=True)
    x.grad = lamina.full((2,), 3.0)
    first, second = copy.deepcopy([x, x])
    assert first is second
    assert first is not x
    assert first.requires_grad
    assert first.grad is not None
    assert first.grad is not x.grad
    assert first.grad.tolist() == [3, 3]
    with lamina.no_grad():
        first.fill_(7)
    assert x.tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="deepcopy protocol"):
        copy.deepcopy(x * 2)


class Labelled(lamina.Tensor):
    """A subclass with an attribute; at module level so that pickle finds it."""

    label: str


def test_subclasses_keep_class_and_attributes() -> None:
    x = lamina.Tensor._make_subclass(Labelled, lamina.ones(2), True)
    x.label = "seven"
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x)), _round_trip(x, weights_only=False)):
        assert type(twin) is Labelled
        assert twin.label == "seven"
        assert twin.requires_grad
        assert twin.tolist() == [1, 1]
