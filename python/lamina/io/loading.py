"""`load`: what `save` or PyTorch wrote, by default only data, never code."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from io import BytesIO
from mmap import MAP_PRIVATE, MAP_SHARED
from typing import Any

from ..devices import device
from ..rebuilding import DTYPES
from ..storage import TypedStorage, UntypedStorage
from .archive import ArchiveReader, is_archive
from .legacy import load_legacy
from .storages import MetaStorage, check_identity, storage_from_bytes
from .unpickler import tensor_unpickler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

__all__ = [
    "MAP_LOCATION",
    "LoadEndianness",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "load",
    "set_default_load_endianness",
    "set_default_mmap_options",
]

MAP_LOCATION = Callable[[UntypedStorage, str], UntypedStorage | None] | device | str | dict[str, str] | None


class LoadEndianness(Enum):
    """The order of bytes in files that do not say it."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_endianness: LoadEndianness | None = None
_mmap_flags = MAP_PRIVATE


def get_default_load_endianness() -> LoadEndianness | None:
    """The order of bytes that is taken for granted; None: little-endian."""
    return _endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Say which order of bytes files have that do not say it."""
    global _endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _endianness = endianness


def get_default_mmap_options() -> int:
    """``mmap.MAP_PRIVATE`` or ``mmap.MAP_SHARED``."""
    return _mmap_flags


class set_default_mmap_options:  # noqa: N801  # PyTorch's name
    """Let ``load(mmap=True)`` map files so that changes reach them (MAP_SHARED) or not. A context manager, too."""

    def __init__(self, flags: int) -> None:
        global _mmap_flags
        if flags not in (MAP_PRIVATE, MAP_SHARED):
            raise ValueError(
                f"Invalid argument in function set_default_mmap_options, expected MAP_PRIVATE or MAP_SHARED, "
                f"got {flags}"
            )
        self._before, _mmap_flags = _mmap_flags, flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        global _mmap_flags
        _mmap_flags = self._before


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: MAP_LOCATION = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """What `save` wrote, or PyTorch, to a path or a binary file object that can seek.

    With `weights_only` (the default, unless a `pickle_module` is given) the file may hold tensors, parameters, numbers,
    strings, containers, and what `add_safe_globals` named; UnpicklingError is raised for anything else. Without, it can
    run any code, as every pickle can. `map_location` says where tensors go: to the CPU, or to
    meta, which reads no numbers. With `mmap` the numbers stay in the file until they are read; `f` must be a path then.
    A file that is foreign, truncated or damaged raises RuntimeError, or, if it does not begin as a file of weights
    does, UnpicklingError or EOFError.
    """
    if weights_only is None:
        weights_only = pickle_module is None
    elif weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    path = isinstance(f, (str, os.PathLike))
    if mmap and not path:
        raise ValueError("f must be a file path in order to use the mmap argument")
    pickle_load_args.setdefault("encoding", "utf-8")
    if path:
        with open(f, "rb") as file:  # type: ignore[arg-type]
            name = os.fspath(f)  # type: ignore[arg-type]
            return _load(file, name, map_location, pickle_module, weights_only, bool(mmap), pickle_load_args)
    if not hasattr(f, "seek") or not hasattr(f, "tell"):
        raise AttributeError(
            f"'{type(f).__name__}' object has no attribute 'seek'. You can only torch.load from a file that is "
            "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
        )
    name = str(getattr(f, "name", "the file object"))
    return _load(f, name, map_location, pickle_module, weights_only, False, pickle_load_args)


def _load(
    file: Any, name: Any, map_location: Any, pickle_module: Any, weights_only: bool, mmap: bool, options: dict[str, Any]
) -> Any:
    place = _placing(map_location)
    if not is_archive(file):
        if mmap:
            raise RuntimeError("mmap can only be used with files saved with the zip format of `save`")
        return load_legacy(file, name, place, weights_only, pickle_module, **options)
    with ArchiveReader(file) as archive:
        archive.name = name
        swapped = _is_big_endian(archive)
        storages: dict[str, TypedStorage | MetaStorage] = {}

        def storage_of(identity: Any) -> TypedStorage | MetaStorage:
            dtype, key, location, count = check_identity(identity)
            if key not in storages:
                target = place(location, key)
                size = DTYPES[dtype].to_real().itemsize
                data: Any
                if target == "meta":
                    storages[key] = MetaStorage(DTYPES[dtype])
                    return storages[key]
                if mmap and count:
                    data = _mapped(name, archive.place(f"data/{key}")[0], dtype, count)
                else:
                    data = archive.get_record(f"data/{key}")
                    data = _byteswapped(data, size) if swapped and size > 1 else data
                storages[key] = storage_from_bytes(data, dtype, count)
            return storages[key]

        content = BytesIO(archive.get_record("data.pkl"))
        return tensor_unpickler(content, storage_of, weights_only, pickle_module, **options).load()


def _is_big_endian(archive: ArchiveReader) -> bool:
    if archive.has_record("byteorder"):
        order = bytes(archive.get_record("byteorder"))
        if order not in (b"little", b"big"):
            raise ValueError(f"load: {archive.name} has an unknown byte order {order!r}")
        return order == b"big"
    return _endianness is LoadEndianness.BIG


def _byteswapped(data: bytearray, size: int) -> bytes:
    from numpy import frombuffer

    swapped: bytes = frombuffer(data, f"u{size}").byteswap().tobytes()
    return swapped


def _mapped(path: Any, start: int, dtype: str, count: int) -> Any:
    """A tensor over a file's bytes: read when they are needed, written to the file only if all mappings are shared."""
    from numpy import memmap

    from .._core import from_numpy

    mode: Any = "r+" if _mmap_flags == MAP_SHARED else "c"
    stored = "int16" if dtype == "bfloat16" else dtype  # NumPy has no such type: the tensor shows its bits
    numbers = from_numpy(memmap(path, dtype=stored, mode=mode, offset=start, shape=(count,)))
    return numbers.view(DTYPES[dtype])


def _placing(map_location: Any) -> Callable[[str, str], str]:
    """What gives the device for a storage, "cpu" or "meta", by its location and key, and raises for others."""
    if isinstance(map_location, (str, device)) and device(map_location).type not in ("cpu", "meta"):
        raise RuntimeError(f"load: everything is put on the cpu, got map_location={str(map_location)!r}")

    def place(location: str, key: str) -> str:
        target: Any = location
        if isinstance(map_location, (str, device)):
            return device(map_location).type
        if isinstance(map_location, dict):
            target = map_location.get(location, location)
        elif map_location is not None and map_location(key, location) is not None:
            return "cpu"
        kind = device(target).type
        if kind not in ("cpu", "meta"):
            raise RuntimeError(
                f"Attempting to deserialize object on a {kind.upper()} device but there is only the CPU. Use "
                "torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
            )
        return kind

    return place
