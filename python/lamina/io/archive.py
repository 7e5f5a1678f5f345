"""Archives: zip files of records stored as they are, each at a multiple of 64 bytes, as PyTorch writes them."""

from __future__ import annotations

import os
from io import BytesIO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

__all__ = ["ArchiveReader", "ArchiveWriter", "is_archive", "read_into"]

_ALIGNMENT = 64
_LOCAL_HEADER = 30
_MAGIC = b"PK\x03\x04"


def is_archive(file: IO[bytes]) -> bool:
    """Whether an archive begins where `file` stands; it stands there still."""
    start = file.tell()
    try:
        return file.read(len(_MAGIC)) == _MAGIC
    finally:
        file.seek(start)


def read_into(file: Any, size: int) -> bytearray:
    """`size` bytes of `file`, fewer at its end; read in place where it can do that."""
    data = bytearray(size)
    if not hasattr(file, "readinto"):
        part = file.read(size)
        data[: len(part)] = part
        return data if len(part) == size else data[: len(part)]
    view, done = memoryview(data), 0
    while done < size and (count := file.readinto(view[done:])):
        done += count
    return data[:done] if done < size else data


class _WriteOnly:
    """A file of which nothing but `write` and `flush` is asked."""

    def __init__(self, file: Any) -> None:
        self.write = file.write
        self.flush = getattr(file, "flush", lambda: None)


class ArchiveWriter:
    """Writes records to a path or a binary file object; a context manager, whose end completes the archive.

    Records lie below a folder named `name` (default: after the file).
    """

    def __init__(self, file: Any, name: str | None = None) -> None:
        path = isinstance(file, (str, os.PathLike))
        self._folder = name or (os.path.splitext(os.path.basename(os.fspath(file)))[0] if path else "archive")
        self._file: Any = open(file, "wb") if path else None  # noqa: SIM115  # closed by __exit__
        target: Any = self._file or _WriteOnly(file)
        self._zip = ZipFile(target, "w", ZIP_STORED, allowZip64=True)

    def write_record(self, name: str, data: Any, size: int | None = None) -> None:
        """Write one record: bytes, or anything with a buffer of bytes."""
        info = ZipInfo(f"{self._folder}/{name}")
        # An extra field of our own moves the data to a multiple of 64; `force_zip64` adds 20 bytes to the header.
        large = len(data) >= 1 << 31
        written: Any = self._zip.fp
        header = written.tell() + _LOCAL_HEADER + len(info.filename.encode()) + (20 if large else 0)
        padding = -(header + 4) % _ALIGNMENT
        info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
        info.file_size = len(data)
        with self._zip.open(info, "w", force_zip64=large) as record:
            record.write(data if size is None else data[:size])

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(self, kind: Any, *rest: object) -> None:
        try:
            if kind is not None:
                self._zip.fp = None  # no directory: what was written is not an archive
            self._zip.close()
        finally:
            if self._file is not None:
                self._file.close()


class ArchiveReader:
    """Reads records from a path or a binary file object; a context manager. RuntimeError if the archive is damaged."""

    def __init__(self, file: Any) -> None:
        path = isinstance(file, (str, os.PathLike))
        self.name = os.fspath(file) if path else str(getattr(file, "name", "the file object"))
        self._file: Any = open(file, "rb") if path else file  # noqa: SIM115  # closed by __exit__
        self._close = path
        try:
            self._zip = ZipFile(_whole(self._file))
        except (BadZipFile, ValueError, OSError) as error:
            if path:
                self._file.close()
            raise RuntimeError(
                f"load: {self.name} is truncated or damaged: failed finding central directory ({error})"
            ) from None
        names = self._zip.namelist()
        self._folder = names[0].split("/", 1)[0] if names else ""

    def has_record(self, name: str) -> bool:
        """Whether there is a record of this name."""
        return f"{self._folder}/{name}" in self._zip.NameToInfo

    def place(self, name: str) -> tuple[int, int]:
        """Where in the file a record's bytes begin, and how many there are."""
        info = self._info(name)
        self._file.seek(info.header_offset)
        header = read_into(self._file, _LOCAL_HEADER)
        if header[:4] != _MAGIC or info.compress_type != ZIP_STORED:
            raise RuntimeError(f"load: {self.name} is damaged: record {name} is not where the directory says")
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        return info.header_offset + _LOCAL_HEADER + lengths, info.file_size

    def get_record(self, name: str) -> bytearray:
        """The bytes of one record, checked against its checksum."""
        start, size = self.place(name)
        self._file.seek(start)
        data = read_into(self._file, size)
        if len(data) != size or crc32(data) != self._info(name).CRC:
            raise RuntimeError(f"load: {self.name} is damaged: the checksum of record {name} does not fit its bytes")
        return data

    def _info(self, name: str) -> ZipInfo:
        try:
            return self._zip.getinfo(f"{self._folder}/{name}")
        except KeyError:
            raise RuntimeError(f"load: {self.name} is damaged: it has no record {name}") from None

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(self, *rest: object) -> None:
        if self._close:
            self._file.close()
        else:
            self._file.seek(0, 2)  # behind the archive


def _whole(file: Any) -> Any:
    """`file` for `ZipFile`, which wants more of a file object than some have."""
    if hasattr(file, "seekable") and hasattr(file, "closed"):
        return file
    start = file.tell()
    file.seek(0)
    content = BytesIO(file.read())
    file.seek(start)
    return content
