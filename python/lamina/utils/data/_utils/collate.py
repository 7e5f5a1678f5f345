"""Samples to batches: tensors are stacked, numbers become tensors, containers are collated element by element."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from copy import copy
from typing import Any

from .... import _core
from ...._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["collate", "default_collate", "default_convert"]


def _is_numpy(value: object) -> bool:
    """Whether `value` is an array or a scalar of NumPy's, which need not be loaded to know."""
    return type(value).__module__ == "numpy" or hasattr(value, "__array_interface__")


def default_convert(data: Any) -> Any:
    """`data` with its NumPy arrays and scalars as tensors, in containers too; all else stays as it is.

    >>> default_convert({"x": numpy.zeros(2), "y": [1, "a"]})
    {'x': tensor([0., 0.], dtype=torch.float64), 'y': [1, 'a']}
    """
    if isinstance(data, Tensor):
        return data
    if _is_numpy(data):
        if data.dtype.kind in "SUO":
            return data
        return _core.as_tensor(data)
    if isinstance(data, Mapping):
        converted = {key: default_convert(value) for key, value in data.items()}
        return _like_mapping(data, converted)
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(default_convert(value) for value in data))
    if isinstance(data, tuple):
        return [default_convert(value) for value in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return _like_sequence(data, [default_convert(value) for value in data])
    return data


def _like_mapping(data: Any, values: dict[Any, Any]) -> Any:
    """`values` as a mapping of the type of `data`, where that type can be made so."""
    try:
        if isinstance(data, MutableMapping):
            twin = copy(data)  # keeps what else is in it, such as a default factory
            twin.update(values)
            return twin
        return type(data)(values)
    except TypeError:
        return values


def _like_sequence(data: Any, values: list[Any]) -> Any:
    """The same for a sequence."""
    try:
        if isinstance(data, MutableSequence):
            twin = copy(data)
            for index, value in enumerate(values):
                twin[index] = value
            return twin
        return type(data)(values)
    except TypeError:  # such as range
        return values


def collate(batch: Any, *, collate_fn_map: dict[Any, Callable[..., Any]] | None = None) -> Any:
    """A batch of samples as one object of the samples' form.

    `collate_fn_map` says how samples of a type, or of a tuple of types, are put together:
    ``function(batch, collate_fn_map=...)``. Others are containers, or TypeError.
    """
    first = batch[0]
    kind = type(first)
    if collate_fn_map is not None:
        if kind in collate_fn_map:
            return collate_fn_map[kind](batch, collate_fn_map=collate_fn_map)
        for known, function in collate_fn_map.items():
            if isinstance(first, known):
                return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(first, Mapping):
        columns = {key: collate([d[key] for d in batch], collate_fn_map=collate_fn_map) for key in first}
        return _like_mapping(first, columns)
    if isinstance(first, tuple) and hasattr(first, "_fields"):
        return kind(*(collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)))
    if isinstance(first, Sequence):
        if any(len(sample) != len(first) for sample in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        values = [collate(column, collate_fn_map=collate_fn_map) for column in zip(*batch)]
        return values if isinstance(first, tuple) else _like_sequence(first, values)
    raise TypeError(f"default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {kind}")


class _OfNumpy(type):
    """The type of `_Numpy`."""

    def __instancecheck__(cls, value: object) -> bool:
        return _is_numpy(value) and not isinstance(value, (str, bytes))


class _Numpy(metaclass=_OfNumpy):
    """What arrays and numbers of NumPy are instances of, for a map of types that does not load it."""


def _arrays(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    if batch[0].dtype.kind in "SUO":
        raise TypeError(
            "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; "
            f"found {batch[0].dtype}"
        )
    return _core.stack(tuple(_core.as_tensor(sample) for sample in batch))


def _stack(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    return _core.stack(tuple(batch))


def _floats(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    return _core.tensor(batch, dtype=_core.float64)


def _numbers(batch: Any, *, collate_fn_map: Any = None) -> Tensor:
    return _core.tensor(batch)


def _as_they_are(batch: Any, *, collate_fn_map: Any = None) -> Any:
    return batch


default_collate_fn_map: dict[Any, Callable[..., Any]] = {
    Tensor: _stack,
    _Numpy: _arrays,
    float: _floats,
    int: _numbers,
    str: _as_they_are,
    bytes: _as_they_are,
}


def default_collate(batch: Any) -> Any:
    """A batch of samples: tensors and arrays stacked along a new first axis, numbers as a tensor, strings as they are.

    Dicts, lists and tuples of such are collated element by element. TypeError for anything else, RuntimeError for
    samples of different lengths or shapes.

    >>> default_collate([{"x": 1, "y": "a"}, {"x": 2, "y": "b"}])
    {'x': tensor([1, 2]), 'y': ['a', 'b']}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)
