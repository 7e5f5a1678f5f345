"""The form of files before PyTorch 1.6: pickles one after the other, then the storages' bytes."""

from __future__ import annotations

import pickle
from io import BytesIO
from typing import Any

from .. import _core
from ..dtypes import dtype_name
from ..rebuilding import DTYPES, tensor_from_bytes
from ..storage import TypedStorage
from .archive import read_into
from .pickler import TensorPickler
from .storages import check_identity, storage_from_bytes, storage_part
from .unpickler import tensor_unpickler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

__all__ = ["load_legacy", "save_legacy"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def save_legacy(obj: object, file: IO[bytes], pickle_protocol: int) -> None:
    """Write `obj` so that any PyTorch can read it."""
    content = BytesIO()
    pickler = TensorPickler(content, pickle_protocol, views=True)
    pickler.dump(obj)
    system = {
        "protocol_version": _PROTOCOL,
        "little_endian": True,
        "type_sizes": {"short": 2, "int": 4, "long": 4},
    }
    for value in (_MAGIC, _PROTOCOL, system):
        file.write(pickle.dumps(value, pickle_protocol))
    file.write(content.getvalue())
    saved = pickler.storages
    count = len(saved.arrays)
    file.write(pickle.dumps([str(number) for number in range(count)], pickle_protocol))
    for number in range(count):
        file.write(saved.count(number).to_bytes(8, "little"))
        file.write(saved.bytes_of(number))


def load_legacy(file: Any, name: str, place: Any, weights_only: bool, pickle_module: Any, **options: Any) -> Any:
    """What `save_legacy`, or an old PyTorch, wrote; `file` stands behind it then.

    UnpicklingError or EOFError for files that do not begin with a whole pickle, RuntimeError for other ones.
    """
    start = file.tell()
    file.seek(0, 2)
    size = file.tell() - start
    file.seek(start)
    content = BytesIO(read_into(file, size))

    def plain() -> Any:
        return tensor_unpickler(content, _refuse, True, None).load()

    if not size:
        raise EOFError(f"load: {name} is empty")
    try:
        known = plain() == _MAGIC and plain() == _PROTOCOL and isinstance(plain(), dict)
    except (EOFError, ValueError, pickle.UnpicklingError) as error:
        kind = EOFError if isinstance(error, EOFError) else pickle.UnpicklingError
        raise kind(f"load: {name} was not written by lamina.save or torch.save, or is truncated: {error}") from None
    if not known:
        raise RuntimeError(f"load: {name} was not written by lamina.save or torch.save: Invalid magic number")
    storages: dict[str, TypedStorage] = {}

    def storage_of(identity: Any) -> TypedStorage:
        dtype, key, location, count = check_identity(identity)
        if key not in storages:
            if place(location, key) != "cpu":
                raise RuntimeError(f"load: {name} is of the old format, which is loaded to the CPU only")
            storages[key] = storage_from_bytes(_core.empty(count, dtype=DTYPES[dtype], device="cpu"), dtype, count)
        if len(identity) > 5 and identity[5] is not None:  # a part, as PyTorch before 0.4 had them
            _, offset, size = identity[5]
            return storage_part(storages[key], offset, size)
        return storages[key]

    result = tensor_unpickler(content, storage_of, weights_only, pickle_module, **options).load()
    # The numbers come last: until now all tensors were empty.
    try:
        for key in plain():
            count = int.from_bytes(content.read(8), "little")
            storage = storages[key]
            size = storage.element_size()
            numbers = tensor_from_bytes(content.read(count * size), dtype_name(storage.dtype), (count,))
            storage.copy_(storage_from_bytes(numbers, "", count))
    except (KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise RuntimeError(f"load: {name} is truncated or damaged: {error}") from None
    file.seek(start + content.tell())
    return result


def _refuse(identity: Any) -> TypedStorage:
    raise pickle.UnpicklingError(f"load: unexpected reference {identity!r}")
