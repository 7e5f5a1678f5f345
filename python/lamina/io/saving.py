"""`save`: an object and the tensors in it, written as a whole or not at all, in the form that PyTorch reads."""

from __future__ import annotations

import os
from errno import ENOENT
from io import BytesIO

from .archive import ArchiveWriter
from .legacy import save_legacy
from .pickler import TensorPickler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

__all__ = ["save"]


def save(
    obj: object,
    f: str | os.PathLike[str] | IO[bytes],
    *,
    pickle_protocol: int = 2,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write `obj` (tensors, containers of them, anything that pickles) to a path or a binary file object.

    The file is a zip archive as `torch.save` writes it: PyTorch can load it if `obj` holds tensors, parameters,
    numbers, strings and containers. Tensors that share their numbers still do when loaded; a view brings all of
    its base along.
    A path is written beside itself and then renamed: whoever reads it finds the old file or the new one, and a failure
    leaves the old one. Read it with `load`.
    """
    path = isinstance(f, (str, os.PathLike))
    if not path and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute, "
            f"but got {type(f).__name__}"
        )
    content = BytesIO()
    if not _use_new_zipfile_serialization:
        save_legacy(obj, content, pickle_protocol)

        def write(file: IO[bytes], name: str | None) -> None:
            file.write(content.getbuffer())
    else:
        pickler = TensorPickler(content, pickle_protocol)
        pickler.dump(obj)

        def write(file: IO[bytes], name: str | None) -> None:
            with ArchiveWriter(file, name) as archive:
                archive.write_record("data.pkl", content.getbuffer())
                if not _disable_byteorder_record:
                    archive.write_record("byteorder", b"little")
                for number in range(len(pickler.storages.arrays)):
                    archive.write_record(f"data/{number}", pickler.storages.bytes_of(number))
                archive.write_record("version", b"3\n")

    if path:
        _write_atomically(os.path.realpath(f), write)  # type: ignore[arg-type]
    else:
        write(f, None)  # type: ignore[arg-type]


def _write_atomically(path: str, write: Callable[[Any, str], None]) -> None:
    name = os.path.basename(path)
    stem = os.path.splitext(name)[0]
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as direct:  # a pipe or a device; a directory raises IsADirectoryError
            write(direct, stem)
        return
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(ENOENT, "Parent directory does not exist", folder)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file, stem)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
