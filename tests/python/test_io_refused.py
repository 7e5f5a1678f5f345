"""What `load` refuses: damaged and foreign files, code, names that nobody said are safe, false references."""

from __future__ import annotations

import io
import os
import pickle
import pickletools
import zipfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn, serialization
from lamina.io import names, pickler
from lamina.io.archive import ArchiveWriter

FORMS = [{}, {"_use_new_zipfile_serialization": False}]


def _round_trip(value: Any, form: dict[str, bool] | None = None, **options: Any) -> Any:
    file = io.BytesIO()
    lamina.save(value, file, **(form or {}))
    file.seek(0)
    result = lamina.load(file, **options)
    assert file.read() == b""
    return result


def _file(form: dict[str, bool]) -> bytes:
    file = io.BytesIO()
    lamina.save({"w": lamina.arange(8.0), "n": 1}, file, **form)
    return file.getvalue()


@pytest.mark.parametrize("form", FORMS)
def test_every_truncation_is_told(form: dict[str, bool]) -> None:
    content = _file(form)
    for length in range(len(content)):
        with pytest.raises((RuntimeError, pickle.UnpicklingError, EOFError)):
            lamina.load(io.BytesIO(content[:length]))


def test_every_changed_byte_of_a_record_is_told() -> None:
    content = _file({})
    archive = zipfile.ZipFile(io.BytesIO(content))
    for info in archive.infolist():
        data = archive.read(info)
        start = content.index(data, info.header_offset + 30 + len(info.filename))
        if info.filename.endswith("version"):
            continue
        for place in range(start, start + len(data)):
            damaged = bytearray(content)
            damaged[place] ^= 0x41
            with pytest.raises(RuntimeError, match=r"load: .* is damaged"):
                lamina.load(io.BytesIO(bytes(damaged)))


def test_archives_are_those_of_pytorch() -> None:
    """Records of the names that PyTorch reads, at multiples of 64 bytes, in little-endian order."""
    content = _file({})
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.namelist() == [f"archive/{name}" for name in ("data.pkl", "byteorder", "data/0", "version")]
    assert archive.read("archive/data/0") == np.arange(8, dtype="<f4").tobytes()
    assert archive.read("archive/version") == b"3\n"
    assert content.index(np.arange(8, dtype="<f4").tobytes()) % 64 == 0
    names = {str(argument) for _, argument, _ in pickletools.genops(archive.read("archive/data.pkl"))}
    assert {"torch._utils _rebuild_tensor_v2", "torch FloatStorage", "storage", "cpu"} <= names


def test_byte_order() -> None:
    def archive(order: bytes | None) -> io.BytesIO:
        source, target = zipfile.ZipFile(io.BytesIO(_file({}))), io.BytesIO()
        with zipfile.ZipFile(target, "w") as written:
            for name in source.namelist():
                data = source.read(name)
                if name.endswith("byteorder"):
                    if order is None:
                        continue
                    data = order
                written.writestr(name, np.arange(8, dtype=">f4").tobytes() if name.endswith("data/0") else data)
        target.seek(0)
        return target

    assert lamina.load(archive(b"big"))["w"].tolist() == list(range(8))
    assert lamina.load(archive(b"little"))["w"].tolist() != list(range(8))
    assert lamina.load(archive(None))["w"].tolist() != list(range(8))
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    try:
        assert lamina.load(archive(None))["w"].tolist() == list(range(8))
    finally:
        serialization.set_default_load_endianness(None)
    with pytest.raises(ValueError, match="unknown byte order"):
        lamina.load(archive(b"middle"))


@pytest.mark.parametrize(
    ("content", "error", "text"),
    [
        (b"PK\x03\x04 and so on, as zip archives begin", RuntimeError, "truncated or damaged"),
        (pickle.dumps([1, 2]), RuntimeError, "Invalid magic number"),
        (b"x", pickle.UnpicklingError, "not written by"),
        (pickle.dumps(0x1950A86A20F9469CFC6C, 2), EOFError, "truncated"),
        (b"", EOFError, "is empty"),
    ],
)
def test_foreign_files(content: bytes, error: type[Exception], text: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(error, match=text) as caught:
        lamina.load(path)
    assert str(path) in str(caught.value)


class _Custom:
    """A class that a file of weights must not name."""


class _Runs:
    def __reduce__(self) -> Any:
        return print, ("this must not be printed",)


@pytest.mark.parametrize("weights_only", [True, None])
def test_code_is_refused(weights_only: bool | None, capsys: pytest.CaptureFixture[str]) -> None:
    for value in (
        _Custom(),
        _Runs(),
        frozenset([1]),
        slice(2),
        defaultdict(list),
        os.system,
        [lamina.ones(1), _Runs()],
        lamina.load,
    ):
        with pytest.raises(pickle.UnpicklingError, match="weights_only=False"):
            _round_trip(value, weights_only=weights_only)
    assert capsys.readouterr().out == ""


def test_trusted_files_may_hold_anything() -> None:
    assert isinstance(_round_trip(_Custom(), weights_only=False), _Custom)


class _Built:
    """Comes back by a call and a state, which sets attributes."""

    def __reduce__(self) -> Any:
        return _Built, (), {"a": 1}


def test_safe_globals() -> None:
    assert serialization.get_safe_globals() == []
    with serialization.safe_globals([_Built]):
        assert _round_trip(_Built()).a == 1
    with pytest.raises(pickle.UnpicklingError, match=r"add_safe_globals\(\[_Built\]\)"):
        _round_trip(_Built())
    serialization.add_safe_globals([(_Custom, f"{__name__}._Built"), _Custom])
    try:
        assert len(serialization.get_safe_globals()) == 2
        assert type(_round_trip(_Custom())) is _Custom
        assert type(_round_trip(_Built())) is _Custom  # under the other's name
    finally:
        serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []


def _archive(pickled: bytes) -> io.BytesIO:
    """The archive of an object that `pickled` makes."""
    target = io.BytesIO()
    with ArchiveWriter(target) as archive:
        archive.write_record("data.pkl", pickled)
    target.seek(0)
    return target


def test_names_of_pytorch_mean_their_counterparts() -> None:
    call = pickle.PROTO + b"\x02ctorch.nn.modules.linear\nIdentity\n)R."
    assert type(lamina.load(_archive(call), weights_only=False)) is nn.Identity
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.nn\.modules\.linear\.Identity"):
        lamina.load(_archive(call))
    with serialization.safe_globals([nn.Identity]):
        assert type(lamina.load(_archive(call))) is nn.Identity
        with pytest.raises(pickle.UnpicklingError, match=r"torch\.nn\.modules\.linear\.Bilinear"):
            lamina.load(_archive(call.replace(b"Identity", b"Bilinear")))
    elsewhere = call.replace(b"linear\nIdentity", b"pixelshuffle\nChannelShuffle")
    with (
        serialization.safe_globals([nn.ChannelShuffle]),
        pytest.raises(pickle.UnpicklingError, match="add_safe_globals"),
    ):
        lamina.load(_archive(elsewhere))  # PyTorch has it in another file
    absent = call.replace(b"Identity", b"Absent")
    with pytest.raises(pickle.UnpicklingError, match="which lamina does not have"):
        lamina.load(_archive(absent), weights_only=False)


def test_a_file_of_weights_sets_no_attribute_of_a_class() -> None:
    named = pickle.GLOBAL + b"torch.nn.parameter\nParameter\n"
    attack = pickle.PROTO + b"\x02" + named + b"}X\x04\x00\x00\x00evilK\x01sb."
    with pytest.raises(pickle.UnpicklingError, match="Can only build"):
        lamina.load(_archive(attack))
    assert not hasattr(nn.Parameter, "evil")


def _rewritten(reference: tuple[Any, ...], layout: tuple[Any, ...]) -> io.BytesIO:
    """An archive whose one tensor is described by `reference` and `layout`, of a storage of 4 numbers."""

    class Liar(pickler.TensorPickler):
        def persistent_id(self, obj: Any) -> Any:
            return reference if obj is _Custom else None

        def reducer_override(self, obj: Any) -> Any:
            return (
                (names.rebuild_strided, (_Custom, *layout, False, OrderedDict())) if obj is _Built else NotImplemented
            )

    content, target = io.BytesIO(), io.BytesIO()
    Liar(content, 2).dump([_Built])
    with ArchiveWriter(target) as archive:
        archive.write_record("data.pkl", content.getvalue())
        archive.write_record("data/0", bytes(16))
    target.seek(0)
    return target


def test_references_are_checked() -> None:
    float32 = lamina.FloatStorage
    storage = ("storage", float32, "0", "cpu", 4)
    assert lamina.load(_rewritten(storage, (0, (4,), (1,))))[0].tolist() == [0, 0, 0, 0]
    for reference, layout in (
        (storage, (0, (5,), (1,))),
        (storage, (1, (4,), (1,))),
        (storage, (-1, (4,), (1,))),
        (storage, (0, (-4,), (1,))),
        (storage, (0, (2,), (-1,))),
        (storage, (0, (2, 2), (4, 1))),
        (storage, (0, (2, 2), (1,))),
        (storage, (0, (2**40, 2**40), (1, 1))),
        (("storage", float32, "0", "cpu", 5), (0, (5,), (1,))),
        (("storage", float32, "1", "cpu", 4), (0, (4,), (1,))),
        (("storage", lamina.HalfStorage, "0", "cpu", 9), (0, (9,), (1,))),
        (("storage", "float32", "0", "cpu", 4), (0, (4,), (1,))),
        (("module", "os"), (0, (4,), (1,))),
        (("storage", float32, "0", "cuda:0", 4), (0, (4,), (1,))),
    ):
        with pytest.raises((pickle.UnpicklingError, ValueError, RuntimeError)):
            lamina.load(_rewritten(reference, layout))


def test_another_pickle_module() -> None:
    class Refusing:
        class Unpickler(pickle.Unpickler):
            def load(self) -> Any:
                raise RuntimeError("rumpelstiltskin")

    with pytest.raises(RuntimeError, match="rumpelstiltskin"):
        lamina.load(io.BytesIO(_file({})), pickle_module=Refusing)
    with pytest.raises(RuntimeError, match="Can not safely load weights"):
        lamina.load(io.BytesIO(_file({})), pickle_module=Refusing, weights_only=True)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("text", [b"garbage", b"hello world", b"<html>", b"I12x\n."])
def test_text_is_no_pickle(text: bytes, weights_only: bool) -> None:
    with pytest.raises(pickle.UnpicklingError, match="was not written by"):
        lamina.load(io.BytesIO(text), weights_only=weights_only)
