"""save and load: what comes back, what shares numbers, files left whole by failures, pickle and copy."""

from __future__ import annotations

import copy
import io
import mmap
import os
import pickle
import stat
import threading
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn, serialization
from lamina.io.names import layout_named

FORMS = [{}, {"_use_new_zipfile_serialization": False}]
DTYPES = [lamina.float32, lamina.float64, lamina.float16, lamina.bfloat16]
DTYPES += [lamina.int64, lamina.int32, lamina.int16, lamina.int8, lamina.uint8, lamina.bool]


def _round_trip(value: Any, form: dict[str, bool] | None = None, **options: Any) -> Any:
    file = io.BytesIO()
    lamina.save(value, file, **(form or {}))
    file.seek(0)
    result = lamina.load(file, **options)
    assert file.read() == b""
    return result


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("form", FORMS)
def test_tensors(dtype: Any, shape: tuple[int, ...], form: dict[str, bool]) -> None:
    x = lamina.arange(6)[: int(np.prod(shape))].reshape(shape).to(dtype)
    y = _round_trip(x, form)
    assert type(y) is lamina.Tensor
    assert (y.dtype, y.shape, y.requires_grad) == (dtype, shape, False)
    assert lamina.equal(x, y)


def test_containers_and_plain_values() -> None:
    value = OrderedDict(
        a=[lamina.ones(2), (1, 2.5, None, "text", b"bytes", True, 1 + 2j)],
        b={
            "set": {1, 2},
            "dtype": lamina.float64,
            "shape": lamina.Size([2, 3]),
            "device": lamina.device("cpu"),
            "layout": lamina.strided,
        },
    )
    result = _round_trip(value)
    assert type(result) is OrderedDict
    assert result["a"][0].tolist() == [1, 1]
    assert result["a"][1] == value["a"][1]
    assert result["b"] == value["b"]
    assert type(result["b"]["shape"]) is lamina.Size


def test_a_file_with_another_layout_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"lamina has no layout 'torch.sparse_coo'"):
        layout_named("torch.sparse_coo")


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
    assert 40000 < len(file.getvalue()) < 42000
    file.seek(0)
    y = lamina.load(file)
    assert y["x"] is y["again"] or y["x"].data_ptr() == y["again"].data_ptr()
    y["x"][0] = 5
    assert y["detached"][0].item() == 5
    assert x[0].item() == 0


def layouts() -> dict[str, Any]:
    """Views of one tensor, and their strides."""
    x = lamina.arange(24.0).reshape(2, 3, 4)
    return {
        "x": x,
        "transposed": x.transpose(0, 2),
        "every other": x[:, :, 1::2],
        "last": x[1, 2, 1:],
        "row": x[1],
        "scalar": x[1, 1, 1],
        "column": x[..., 3],
        "expanded": x[0, 0, :1].expand(3, 1).unsqueeze(1),
        "both": x.permute(2, 0, 1)[1:3, :, ::2],
        "empty": x[:, 1:1],
    }


def test_one_memory_shown_as_two_types_is_refused() -> None:
    x = lamina.ones(2)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        _round_trip([x, x.view(lamina.int32)])
    assert _round_trip(x.view(lamina.int32)).tolist() == [0x3F800000] * 2


@pytest.mark.parametrize("form", FORMS)
def test_views_come_back_as_views(form: dict[str, bool]) -> None:
    saved = layouts()
    loaded = _round_trip(saved, form)
    for name, view in saved.items():
        assert lamina.equal(loaded[name], view), name
        assert loaded[name].shape == view.shape
    loaded["x"].mul_(-1)
    for name, view in saved.items():
        assert lamina.equal(loaded[name], -view), name
    loaded["row"][2, 3] = 100
    assert loaded["x"][1, 2, 3].item() == loaded["column"][1, 2].item() == loaded["last"][2].item() == 100


@pytest.mark.parametrize("form", FORMS)
def test_a_view_saved_alone_brings_its_base(form: dict[str, bool]) -> None:
    for view in layouts().values():
        assert lamina.equal(_round_trip(view, form), view)


@pytest.mark.parametrize("form", FORMS)
def test_modules_parameters_and_optimizers(form: dict[str, bool]) -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
    net[1].bias = net[0].bias  # tied
    net(lamina.ones(1, 2)).sum().backward()
    optimizer = lamina.optim.Adam(net.parameters(), lr=0.1)
    optimizer.step()
    twin = _round_trip(net, form, weights_only=False)
    assert twin[1].bias is twin[0].bias
    assert isinstance(twin[0].weight, nn.Parameter)
    X = lamina.randn(4, 2)
    assert lamina.equal(net(X), twin(X))
    state = _round_trip({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, form)
    assert state["net"]["0.bias"].data_ptr() == state["net"]["1.bias"].data_ptr()
    net.load_state_dict(state["net"])
    optimizer.load_state_dict(state["optimizer"])
    labelled = nn.Parameter(lamina.ones(2), requires_grad=False)
    labelled.label = "mine"
    parameter = _round_trip(labelled, form)
    assert (type(parameter), parameter.label, parameter.requires_grad) == (nn.Parameter, "mine", False)


def test_objects_one_after_the_other(tmp_path: Path) -> None:
    """The old form knows where it ends; an archive may stand behind other bytes, at the end of a file."""
    with open(tmp_path / "several", "wb") as file:
        pickle.dump(41, file)
        lamina.save(lamina.ones(2), file, _use_new_zipfile_serialization=False)
        lamina.save("second", file, _use_new_zipfile_serialization=False)
        lamina.save(lamina.arange(3), file)
    with open(tmp_path / "several", "rb") as file:
        assert pickle.load(file) == 41
        assert lamina.load(file).tolist() == [1, 1]
        assert lamina.load(file) == "second"
        assert lamina.load(file).tolist() == [0, 1, 2]


def test_files_that_can_little() -> None:
    """Saving asks for nothing but write; loading needs read, seek and tell, and uses readinto where it is."""

    class Writer:
        def __init__(self) -> None:
            self.content = b""

        def write(self, data: Any) -> int:
            self.content += bytes(data)
            return len(data)

    class Reader:
        def __init__(self, content: bytes) -> None:
            file = io.BytesIO(content)
            self.read, self.seek, self.tell = file.read, file.seek, file.tell

    class Forward(Reader):
        seek: Any = property()

        def __init__(self, content: bytes) -> None:
            self.read = io.BytesIO(content).read

    for form in FORMS:
        writer = Writer()
        lamina.save(lamina.arange(5000), writer, **form)
        assert lamina.equal(lamina.load(Reader(writer.content)), lamina.arange(5000))
        with pytest.raises(AttributeError, match=r"only torch\.load from a file that is seekable"):
            lamina.load(Forward(writer.content))
    with pytest.raises(AttributeError, match="with a 'write' attribute"):
        lamina.save(1, lamina.ones(2))


def test_bfloat16_is_mapped(tmp_path: Path) -> None:
    """NumPy, which maps files, has no such type."""
    path = tmp_path / "half.pt"
    weight = lamina.arange(12.0).bfloat16().reshape(4, 3)
    lamina.save({"weight": weight, "rows": weight[2:], "none": weight[:0]}, path)
    mapped = lamina.load(path, mmap=True)
    assert mapped["weight"].dtype == lamina.bfloat16
    assert mapped["weight"].equal(weight)
    assert mapped["none"].shape == (0, 3)
    mapped["weight"][2, 0] = 64
    assert mapped["rows"].tolist() == [[64, 7, 8], [9, 10, 11]]
    assert lamina.load(path)["weight"].equal(weight)


@pytest.mark.parametrize("options", [{}, {"weights_only": False}, {"mmap": True}], ids=str)
def test_complex_halves_are_stored_as_bytes(tmp_path: Path, options: dict[str, bool]) -> None:
    path = tmp_path / "complex32.pt"
    weight = (lamina.arange(12.0) * (1 - 2j)).to(lamina.complex32).reshape(4, 3)
    lamina.save({"weight": weight, "part": weight[1:, ::2], "t": weight.t()}, path)
    with zipfile.ZipFile(path) as archive:
        pickled = archive.read("complex32/data.pkl")
        assert archive.getinfo("complex32/data/0").file_size == 48
    assert b"torch._utils\n_rebuild_tensor_v3\n" in pickled
    assert b"torch.storage\nUntypedStorage\n" in pickled
    loaded = lamina.load(path, **options)
    for name, wanted in {"weight": weight, "part": weight[1:, ::2], "t": weight.t()}.items():
        assert loaded[name].dtype == lamina.complex32
        assert loaded[name].stride() == wanted.stride()
        assert lamina.equal(lamina.view_as_real(loaded[name]), lamina.view_as_real(wanted))
    assert loaded["part"].untyped_storage().data_ptr() == loaded["weight"].untyped_storage().data_ptr()
    assert lamina.load(path, map_location="meta")["t"].dtype == lamina.complex32


def test_mapped_files(tmp_path: Path) -> None:
    path = tmp_path / "weights"
    lamina.save({"a": lamina.arange(6.0).reshape(2, 3), "b": lamina.ones(2), "none": lamina.ones(0)}, path)
    mapped = lamina.load(path, mmap=True)
    assert mapped["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    mapped["a"][0, 0] = 7
    assert mapped["a"][0, 0].item() == 7
    assert lamina.load(path)["a"][0, 0].item() == 0
    with serialization.set_default_mmap_options(mmap.MAP_SHARED):
        lamina.load(path, mmap=True)["a"][0, 0] = 9
    assert lamina.load(path, mmap=True)["a"][0, 0].item() == 9
    with pytest.raises(ValueError, match="f must be a file path"):
        lamina.load(io.BytesIO(path.read_bytes()), mmap=True)
    lamina.save(1, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        lamina.load(path, mmap=True)


def test_paths(tmp_path: Path) -> None:
    path = tmp_path / "weights.lamina"
    lamina.save(lamina.ones(1), path)
    lamina.save(lamina.zeros(1), str(path))
    assert lamina.load(path).item() == 0
    assert lamina.load(str(path), map_location="cpu").item() == 0
    assert os.listdir(tmp_path) == ["weights.lamina"]
    assert lamina.load(path, map_location={"cuda:0": "cpu"}).item() == 0
    assert lamina.load(path, map_location=lambda storage, location: storage).item() == 0
    with pytest.raises(RuntimeError, match="cpu"):
        lamina.load(path, map_location="cuda")
    content = path.read_bytes().replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    with pytest.raises(RuntimeError, match="damaged"):  # the checksum sees that
        lamina.load(io.BytesIO(content))
    with pytest.raises(FileNotFoundError):
        lamina.load(tmp_path / "absent")
    with pytest.raises(FileNotFoundError, match=r"Parent directory does not exist.*no folder'"):
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
