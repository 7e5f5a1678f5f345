"""Tensors that belong to a module: Parameter, Buffer, and their forms whose shape is not known yet."""

from __future__ import annotations

from .. import _core
from .._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from typing_extensions import Self

    from .._typing import Device

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "UninitializedTensorMixin",
    "is_lazy",
]


class _MarkedTensorMeta(type(Tensor)):  # type: ignore[misc]
    """Lets isinstance recognise a Tensor subclass that was wrapped and so kept its own class, by a mark it carries."""

    _mark: str

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        mark = cls.__dict__.get("_mark")  # not inherited: what is marked as a Parameter is no UninitializedParameter
        return mark is not None and isinstance(instance, Tensor) and getattr(instance, mark, False) is True


class _ParameterMeta(_MarkedTensorMeta):
    pass


class _BufferMeta(_MarkedTensorMeta):
    pass


def _wrap(cls: type[Any], data: Tensor | None, requires_grad: bool) -> Any:
    """`data` as a `cls` that shares its storage; an instance of a foreign Tensor subclass keeps its class."""
    if data is None:
        data = _core.empty(0)
    elif not isinstance(data, Tensor):
        raise TypeError(f"{cls.__name__}: expected a Tensor as data, got {type(data).__name__}")
    if type(data) is Tensor or type.__instancecheck__(cls, data):
        return Tensor._make_subclass(cls, data, requires_grad)
    return Tensor._make_subclass(type(data), data, requires_grad)


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a module trains: assigned as a module's attribute, it is one of ``module.parameters()``.

    `data` (default: an empty tensor) is shared, not copied; `requires_grad` holds whatever the gradient mode.

    >>> nn.Parameter(lamina.zeros(2)).requires_grad
    True
    """

    _mark = "_is_param"

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        parameter = _wrap(cls, data, requires_grad)
        if not type.__instancecheck__(Parameter, parameter):
            parameter._is_param = True
        return parameter  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return type(self), (self.data, self.requires_grad), self.__dict__ or None

    def __repr__(self, *, tensor_contents: object = None) -> str:
        # A plain tensor with the same numbers prints without this class's name.
        return "Parameter containing:\n" + repr(self.detach().requires_grad_(self.requires_grad))


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor in a module's state that is not trained, such as a running mean.

    Assigned as a module's attribute it is one of ``module.buffers()``; with ``persistent=False`` it stays out of
    ``state_dict``.
    """

    _mark = "_is_buffer"
    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        buffer = _wrap(cls, data, isinstance(data, Tensor) and data.requires_grad)
        buffer.persistent = persistent
        if not type.__instancecheck__(Buffer, buffer):
            buffer._is_buffer = True
        return buffer  # type: ignore[no-any-return]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), persistent=self.persistent)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return type(self), (self.data,), self.__dict__

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return repr(self.detach().requires_grad_(self.requires_grad))


class UninitializedTensorMixin:
    """What uninitialized parameters and buffers share; `materialize` gives them their shape, in place.

    The object stays the same, so an optimizer or a state dict that already holds it sees the numbers later.
    """

    cls_to_become: type = Tensor

    def materialize(
        self, shape: int | tuple[int, ...], device: Device = None, dtype: _core.dtype | None = None
    ) -> None:
        """Become a `cls_to_become` of `shape`, with undefined numbers, of `dtype` (default: the one it has)."""
        tensor: Any = self
        if device is None:
            device = tensor.data.device
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        tensor.data = _core.empty(shape, dtype=tensor.data.dtype if dtype is None else dtype, device=device)
        tensor.__class__ = self.cls_to_become

    @property
    def shape(self) -> NoReturn:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. Run the lazy module once on data, or give "
            "it a shape with lamina.nn.resolve(net, input_shape); a state dict must be saved after that, too."
        )

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def _like(self, dtype: _core.dtype, device: Device = None) -> Self:
        tensor: Any = self
        result = type(self)(tensor.requires_grad, device or tensor.device, dtype)  # type: ignore[call-arg]
        result.__dict__.update(tensor.__dict__)
        return result

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """The same with another dtype, or on another device; arguments as ``Tensor.to``."""
        tensor: Any = self
        converted = tensor.data.to(*args, **kwargs)
        return self._like(converted.dtype, converted.device)

    def is_floating_point(self) -> bool:
        tensor: Any = self
        return tensor.dtype.is_floating_point  # type: ignore[no-any-return]

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether the tensor will want a gradient."""
        tensor: Any = self
        tensor.requires_grad = requires_grad
        return self

    def share_memory_(self) -> Self:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def cpu(self) -> Self:
        return self.to("cpu")

    def float(self) -> Self:
        return self._like(_core.float32)

    def double(self) -> Self:
        return self._like(_core.float64)

    def half(self) -> Self:
        return self._like(_core.float16)

    def bfloat16(self) -> Self:
        return self._like(_core.bfloat16)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        tensor: Any = self
        if id(self) not in memo:
            memo[id(self)] = self._like(tensor.data.dtype)
        return memo[id(self)]  # type: ignore[no-any-return]

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        tensor: Any = self
        return type(self), (tensor.requires_grad, str(tensor.device), tensor.data.dtype), tensor.__dict__ or None

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"<{type(self).__name__}>"

    __hash__ = Tensor.__hash__

    def _refuse(self, *args: object) -> Any:
        tensor: Any = self
        return tensor.numel()  # refused, as every native function is, with the words that say how to mend it

    # The operators that are no functions by name.
    __neg__ = __abs__ = __invert__ = __bool__ = __int__ = __float__ = __index__ = __getitem__ = __setitem__ = _refuse


# From here on every native function refuses what is of this class, and says how to mend it.
_core._set_uninitialized_type(UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]  # other __repr__
    """A Parameter without a shape. It can change dtype, be copied, pickled and handed to an optimizer; no more."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Device = None, dtype: _core.dtype | None = None) -> Self:
        data = _core.empty(0, dtype=dtype, device=device)
        return Tensor._make_subclass(cls, data, requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):  # type: ignore[misc]  # other __repr__
    """A Buffer without a shape."""

    cls_to_become = Buffer

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Device = None,
        dtype: _core.dtype | None = None,
        persistent: bool = True,
    ) -> Self:
        buffer = Tensor._make_subclass(cls, _core.empty(0, dtype=dtype, device=device), requires_grad)
        buffer.persistent = persistent
        return buffer


def is_lazy(tensor: object) -> bool:
    """Whether `tensor` is a parameter or buffer that has no shape yet."""
    return isinstance(tensor, UninitializedTensorMixin)
