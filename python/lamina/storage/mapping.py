"""Memory that processes share: mapped files, and blocks without a name that forked processes inherit."""

from __future__ import annotations

from mmap import mmap

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from .._core import Tensor

__all__ = ["Mapping", "mapped_file", "mapping_of", "shared_bytes"]


class Mapping:
    """What a tensor's memory is mapped to: a file, or none, and whether others see changes."""

    def __init__(self, filename: str | None, shared: bool) -> None:
        self.filename = filename
        self.shared = shared


class _Block(mmap):
    """A block of shared memory without a file, of this module's making."""


def shared_bytes(size: int) -> NDArray[Any]:
    """Fresh memory of at least `size` bytes that processes share with those they fork."""
    from numpy import frombuffer

    return frombuffer(_Block(-1, max(size, 1)), dtype="uint8")


def mapped_file(filename: str, shared: bool, size: int) -> NDArray[Any]:
    """The first `size` bytes of a file: `shared`, it is made that long, and what is written to them goes there.

    RuntimeError for a file that cannot be opened, or is too short.
    """
    from numpy import empty, memmap

    try:
        with open(filename, "a+b" if shared else "rb") as file:
            held = file.seek(0, 2)
            if held < size and shared:
                held = file.truncate(size)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(
            f"unable to open file <{filename}> in {mode} mode: {error.strerror} ({error.errno})"
        ) from error
    if held < size:
        raise RuntimeError(f"file <{filename}> size <{held}> is smaller than the required mapping size <{size}>")
    if size == 0:
        return empty(0, dtype="uint8")
    return memmap(filename, dtype="uint8", mode="r+" if shared else "c", shape=(size,))


def mapping_of(tensor: Tensor) -> Mapping | None:
    """What the memory of `tensor` is mapped to; None if it is not."""
    owner = _core._memory_owner(tensor)
    while owner is not None:
        if isinstance(owner, _Block):
            return Mapping(None, True)
        mode = getattr(owner, "mode", None)  # of a numpy.memmap
        if mode is not None and hasattr(owner, "filename"):
            return Mapping(str(owner.filename), mode in ("r+", "w+"))
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return None
