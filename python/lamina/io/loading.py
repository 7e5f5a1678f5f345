"""`load`: what `save` wrote, by default only data, never code."""

from __future__ import annotations

import os
from io import BytesIO
from pickle import Unpickler, UnpicklingError
from zlib import crc32

from .._core import Tensor
from ..rebuilding import tensor_from_bytes
from .header import Header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO, Any

    from ..devices import device

__all__ = ["load"]

# What a file of weights may name. Nothing here runs anything or reads anything else.
_DATA_ONLY = frozenset(
    (
        ("builtins", "complex"),
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("builtins", "slice"),
        ("collections", "Counter"),
        ("collections", "OrderedDict"),
        ("collections", "defaultdict"),
        ("lamina", "Size"),
        ("lamina._core", "Size"),
        ("lamina.devices", "device"),
        ("lamina.rebuilding", "rebuild_dtype"),
        ("lamina.rebuilding", "rebuild_tensor"),
        ("lamina.nn.parameter", "Buffer"),
        ("lamina.nn.parameter", "Parameter"),
        ("lamina.nn.parameter", "UninitializedBuffer"),
        ("lamina.nn.parameter", "UninitializedParameter"),
    )
)
# Types that only stand for themselves, such as the factory of a defaultdict.
_PLAIN_TYPES = frozenset(("bool", "bytes", "dict", "float", "int", "list", "str", "tuple"))


class _TensorUnpickler(Unpickler):
    """Finds the tensors' bytes in `data`; with `data_only` it refuses every class but those of data."""

    def __init__(self, file: IO[bytes], data: memoryview, data_only: bool) -> None:
        super().__init__(file)
        self._data = data
        self._data_only = data_only
        self._blocks: dict[tuple[int, str, tuple[int, ...]], Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if self._data_only and (module, name) not in _DATA_ONLY and not (module == "builtins" and name in _PLAIN_TYPES):
            raise UnpicklingError(
                f"load: Weights only load failed: the file names {module}.{name}, which is not data. Load it with "
                "weights_only=False if you trust its source: that can run any code the file's author chose"
            )
        return super().find_class(module, name)

    def persistent_load(self, reference: Any) -> Tensor:
        if not (isinstance(reference, tuple) and len(reference) == 6 and reference[0] == "tensor"):
            raise UnpicklingError(f"load: expected a reference to a tensor, got {reference!r}")
        _, dtype, shape, offset, size, requires_grad = reference
        if offset < 0 or size < 0 or offset + size > len(self._data):
            raise UnpicklingError(f"load: bytes {offset} to {offset + size} are outside the file's {len(self._data)}")
        key = (offset, dtype, shape)
        known = self._blocks.get(key) if size else None
        if known is None:
            known = self._blocks[key] = tensor_from_bytes(self._data[offset : offset + size], dtype, shape)
        # Each reference is its own tensor; those of one block share their numbers, as they did when saved.
        return known.detach().requires_grad_(requires_grad)


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: str | device | dict[str, str] | Callable[..., Any] | None = None,
    *,
    weights_only: bool | None = True,
) -> Any:
    """What `save` wrote to a path or a binary file object.

    With `weights_only` the file may hold tensors, parameters, numbers, strings and containers, and UnpicklingError is
    raised for anything else; without, it can run any code, as every pickle can. `map_location` can only say the CPU.
    RuntimeError tells if the file is foreign, truncated or damaged.
    """
    from ..devices import device

    if isinstance(map_location, (str, device)):
        device(map_location)
    if not hasattr(f, "read"):
        with open(f, "rb") as file:
            return load(file, weights_only=weights_only)
    name = str(getattr(f, "name", "the file object"))
    header = Header.from_bytes(f.read(Header.SIZE), name)
    expected = header.structure_size + header.data_size
    content = memoryview(f.read(expected))
    if len(content) < expected:
        raise RuntimeError(
            f"load: {name} is truncated: expected {Header.SIZE + expected} bytes, got {Header.SIZE + len(content)}"
        )
    if crc32(content) != header.checksum:
        raise RuntimeError(f"load: {name} is damaged: its checksum does not fit its content")
    structure, data = content[: header.structure_size], content[header.structure_size :]
    return _TensorUnpickler(BytesIO(structure), data, weights_only is not False).load()
