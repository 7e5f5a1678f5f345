"""The first 32 bytes of a file that `lamina.save` wrote."""

from __future__ import annotations

TYPE_CHECKING = False

__all__ = ["Header"]

# The line ends show a transfer that changed them, as PNG's do.
_MAGIC = b"LAMINA\r\n"
_VERSION = 1


class Header:
    """Magic (8 bytes), version (4), CRC-32 of all that follows (4), length of the pickle (8), of the tensors (8)."""

    SIZE = 32

    def __init__(self, structure_size: int, data_size: int, checksum: int) -> None:
        self.structure_size = structure_size
        self.data_size = data_size
        self.checksum = checksum

    def to_bytes(self) -> bytes:
        """The header as it stands in the file; integers are little-endian."""
        numbers = ((_VERSION, 4), (self.checksum, 4), (self.structure_size, 8), (self.data_size, 8))
        return _MAGIC + b"".join(number.to_bytes(size, "little") for number, size in numbers)

    @classmethod
    def from_bytes(cls, data: bytes | memoryview, name: str) -> Header:
        """The header of the file called `name`. RuntimeError says what is wrong with it."""
        start = bytes(data[:8])
        if len(start) == 0:
            raise RuntimeError(f"load: {name} is empty")
        if start != _MAGIC[: len(start)]:
            hint = (
                " (it looks like a zip archive, as PyTorch writes: save its state_dict as NumPy arrays)"
                if start[:2] == b"PK"
                else ""
            )
            raise RuntimeError(f"load: {name} was not written by lamina.save{hint}")
        if len(data) < cls.SIZE:
            raise RuntimeError(f"load: {name} is truncated: expected at least {cls.SIZE} bytes, got {len(data)}")
        numbers = [
            int.from_bytes(data[start:stop], "little") for start, stop in ((8, 12), (12, 16), (16, 24), (24, 32))
        ]
        version, checksum, structure_size, data_size = numbers
        if version != _VERSION:
            raise RuntimeError(f"load: {name} has format version {version}, this lamina reads version {_VERSION}")
        return cls(structure_size, data_size, checksum)
