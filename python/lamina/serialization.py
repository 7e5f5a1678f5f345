"""``lamina.serialization``: what can be said about files, under PyTorch's names."""

from __future__ import annotations

from .io.archive import ArchiveReader, ArchiveWriter
from .io.archive import is_archive as _is_zipfile  # noqa: F401
from .io.loading import (
    MAP_LOCATION,
    LoadEndianness,
    get_default_load_endianness,
    get_default_mmap_options,
    load,
    set_default_load_endianness,
    set_default_mmap_options,
)
from .io.names import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .io.saving import save

__all__ = [
    "DEFAULT_PROTOCOL",
    "MAP_LOCATION",
    "LoadEndianness",
    "add_safe_globals",
    "clear_safe_globals",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "load",
    "safe_globals",
    "save",
    "set_default_load_endianness",
    "set_default_mmap_options",
]

DEFAULT_PROTOCOL = 2  # of pickles: the one that PyTorch reads with weights_only
# Under the names that programs know, private though they are.
_open_zipfile_reader = ArchiveReader
_open_zipfile_writer = ArchiveWriter
