"""The old constructors, ``FloatTensor(2, 3)`` and ``tensor.new([1, 2])``: from sizes or data, of one type each."""

from __future__ import annotations

from . import _core
from ._core import Size, Tensor
from ._warning import warn_caller
from .devices import device as Device

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._core import dtype as DType

__all__ = [
    "LEGACY_TYPES",
    "default_tensor",
    "legacy_tensor",
    "set_default_tensor_type",
    "type_named",
    "type_text",
    "typename",
]


def legacy_tensor(dtype: DType, args: tuple[Any, ...], device: Any = None, own_type: bool = True) -> Tensor:
    """What ``Tensor(*args)`` gives: an uninitialized tensor of these sizes, the sequence `args[0]`, or that tensor.

    RuntimeError for another device than the CPU; TypeError for what is neither, and, with `own_type`, for a tensor of
    another type.
    """
    if device is not None and Device(device).type != "cpu":
        raise RuntimeError(
            f"legacy constructor expects device type: cpu but device type: {Device(device).type} was passed"
        )
    if len(args) == 1 and not isinstance(args[0], (int, Size)):
        return _from_data(dtype, args[0], device, own_type)
    if len(args) > 1 and not all(hasattr(size, "__index__") for size in args):
        kinds = ", ".join(type(arg).__name__ for arg in args)
        raise TypeError(
            f"new() received an invalid combination of arguments - got ({kinds}), but expected sizes or data"
        )
    return _core.empty(*args or (0,), dtype=dtype, device="cpu")


def default_tensor(args: tuple[Any, ...], *, device: Any = None) -> Tensor:
    """`legacy_tensor` of the default type, which takes tensors of any type: ``Tensor(*args)``."""
    return legacy_tensor(_core.get_default_dtype(), args, device, own_type=False)


def _from_data(dtype: DType, data: Any, device: Any, own_type: bool) -> Tensor:
    if isinstance(data, Tensor):
        if device is not None:
            raise RuntimeError(
                "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not supported.  Use "
                "torch.tensor(...) or torch.as_tensor(...) instead."
            )
        if own_type and data.dtype != dtype:
            raise TypeError(f"expected a tensor of dtype {dtype} (got {data.dtype})")
        return data.view(data.shape)
    if hasattr(data, "untyped"):
        from .storage.placing import tensor_over

        return tensor_over(data, dtype)
    if not hasattr(data, "__getitem__") or (hasattr(data, "dtype") and getattr(data, "ndim", 1) == 0):
        raise TypeError(f"new(): data must be a sequence (got {_name(data)})")
    return _core.tensor(data, dtype=dtype, device="cpu")


def _name(data: object) -> str:
    kind = type(data)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


class _LegacyType(type):
    """The class of the constructors: they make plain tensors, and those of their dtype are their instances."""

    if TYPE_CHECKING:
        dtype: DType
    layout = _core.strided
    is_cuda = False

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _LegacyType:
        for base in bases:
            raise TypeError(f"type 'torch.{base.__name__}' is not an acceptable base type")
        return super().__new__(mcs, name, bases, namespace)

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        return legacy_tensor(cls.dtype, args, device)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype == cls.dtype


_NAMES = {
    "BFloat16Tensor": _core.bfloat16,
    "BoolTensor": _core.bool,
    "ByteTensor": _core.uint8,
    "CharTensor": _core.int8,
    "DoubleTensor": _core.float64,
    "FloatTensor": _core.float32,
    "HalfTensor": _core.float16,
    "IntTensor": _core.int32,
    "LongTensor": _core.int64,
    "ShortTensor": _core.int16,
}
LEGACY_TYPES: dict[str, type] = {
    name: _LegacyType(name, (), {"dtype": dtype, "__module__": "lamina", "__doc__": f"Tensors of {dtype}."})
    for name, dtype in _NAMES.items()
}
_TEXTS = {dtype: f"torch.{name}" for name, dtype in _NAMES.items()}
_BY_TEXT = {text: dtype for dtype, text in _TEXTS.items()}


def type_text(dtype: DType) -> str:
    """``"torch.FloatTensor"`` for ``float32``."""
    return _TEXTS[dtype]


def typename(obj: object) -> str:
    """The name of a tensor's old type, of a class, a function or a module; of anything else, that of its type.

    >>> lamina.typename(lamina.ones(2)), lamina.typename(3), lamina.typename(lamina.nn.Linear)
    ('torch.FloatTensor', 'int', 'lamina.nn.modules.linear.Linear')
    """
    if isinstance(obj, Tensor):
        return str(obj.type())
    named = obj if hasattr(obj, "__qualname__") or hasattr(obj, "__name__") else type(obj)
    name: str = getattr(named, "__qualname__", None) or named.__name__  # type: ignore[attr-defined]
    module = getattr(named, "__module__", None) or "builtins"
    return name if module == "builtins" else f"{module}.{name}"


def type_named(kind: DType | str | type) -> DType:
    """The dtype that `Tensor.type` is asked for, by itself, a constructor, or the constructor's printed name.

    ValueError for anything else.
    """
    if isinstance(kind, _core.dtype):
        return kind
    if isinstance(kind, _LegacyType):
        return kind.dtype
    if kind is Tensor or kind == "torch.Tensor":
        return _core.get_default_dtype()
    if kind in _BY_TEXT:
        return _BY_TEXT[kind]
    raise ValueError(f"invalid type: {kind.__name__ if isinstance(kind, type) else kind!r}")


def set_default_tensor_type(t: type | str) -> None:
    """Set the default dtype by the name of an old constructor, such as ``"torch.DoubleTensor"``. Deprecated."""
    warn_caller(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives."
    )
    if isinstance(t, _core.dtype):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    _core.set_default_dtype(type_named(t))
