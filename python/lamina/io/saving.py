"""`save`: an object and the tensors in it, written as a whole or not at all.

A file is a header (see `Header`), a pickle in which each tensor is a reference, and the tensors' bytes, each block at a
multiple of 64. Tensors that share their numbers share a block.
"""

from __future__ import annotations

import os
from io import BytesIO
from pickle import Pickler
from zlib import crc32

from .._core import Tensor
from ..rebuilding import array_of, dtype_name
from .header import Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

__all__ = ["save"]

_ALIGNMENT = 64


class _TensorPickler(Pickler):
    """Puts references to `blocks` where tensors are."""

    def __init__(self, file: IO[bytes], protocol: int) -> None:
        super().__init__(file, protocol)
        self.blocks: list[memoryview | bytes] = []
        self.size = 0
        # Where the numbers of each address already lie. The blocks keep the addresses from being used again.
        self._known: dict[tuple[int, str, tuple[int, ...]], int] = {}

    def persistent_id(self, obj: object) -> tuple[Any, ...] | None:
        if type(obj) is not Tensor:
            return None
        dtype, shape = dtype_name(obj.dtype), tuple(obj.shape)
        array = array_of(obj)
        key = (array.__array_interface__["data"][0], dtype, shape)
        offset = self._known.get(key)
        if offset is None:
            offset = self._known[key] = self._append(
                array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(-1).data.cast("B")
                if array.size
                else b""
            )
        return "tensor", dtype, shape, offset, array.nbytes, obj.requires_grad

    def _append(self, block: memoryview | bytes) -> int:
        padding = -self.size % _ALIGNMENT
        if padding:
            self.blocks.append(bytes(padding))
        offset = self.size + padding
        self.blocks.append(block)
        self.size = offset + len(block)
        return offset


def save(obj: object, f: str | os.PathLike[str] | IO[bytes], *, pickle_protocol: int = 4) -> None:
    """Write `obj` (tensors, containers of them, anything that pickles) to a path or a binary file object.

    A path is written beside itself and then renamed: whoever reads it finds the old file or the new one, and a failure
    leaves the old one. Read it with `load`.
    """
    pickled = BytesIO()
    pickler = _TensorPickler(pickled, pickle_protocol)
    pickler.dump(obj)
    structure = pickled.getbuffer()
    checksum = crc32(structure)
    for block in pickler.blocks:
        checksum = crc32(block, checksum)
    header = Header(len(structure), pickler.size, checksum).to_bytes()
    parts: list[memoryview | bytes] = [header, structure, *pickler.blocks]
    if hasattr(f, "write"):
        for part in parts:
            f.write(part)
    else:
        _write_atomically(os.path.realpath(os.fspath(f)), parts)


def _write_atomically(path: str, parts: list[memoryview | bytes]) -> None:
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as direct:  # a pipe or a device; a directory raises IsADirectoryError
            direct.writelines(parts)
        return
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o7777)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
