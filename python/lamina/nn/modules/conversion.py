"""Changing a whole tree of modules: its mode, the type of its numbers, whether it trains."""

from __future__ import annotations

from ... import _core
from ..._core import Tensor
from ..._warning import warn_caller
from ...autograd import no_grad
from ...devices import device
from ...dtypes import has_gradients
from ..parameter import Parameter, is_lazy
from .hooking import ModuleHooks
from .tree import ModuleTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Self

    from ..._typing import Device
    from .module import Module

__all__ = ["ModuleConversion"]


class ModuleConversion(ModuleHooks):
    """The part of Module that acts on everything below it; use Module itself."""

    def apply(self, fn: Callable[[Module], object]) -> Self:
        """Call `fn` on every module, children first, and return this one; a common way to initialise."""
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training (or evaluation) behaviour, which Dropout and others heed."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {type(mode).__name__}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Same as ``train(False)``."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say whether the parameters want gradients: ``requires_grad_(False)`` freezes a module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the parameters' gradients, or set them to zero in place."""
        if set_to_none and _core._forget_gradients_below(self, ModuleTree):
            return
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif (gradient := parameter.grad) is not None:
                if gradient.requires_grad:  # made with create_graph: cut it from its graph, in the same storage
                    parameter.grad = gradient = gradient.detach()
                gradient.zero_()

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Give every parameter, gradient and buffer the numbers that `fn` makes of it.

        Parameters stay the objects they are, unless `fn` takes them to another device. `fn` may also change what it is
        given, in place, and return it.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        with no_grad():
            for name, parameter in self._parameters.items():
                if parameter is None:
                    continue
                gradient = parameter.grad
                if (converted := fn(parameter)) is not parameter:
                    if converted.device == parameter.device:
                        parameter.data = converted.data
                    else:  # which the same tensor cannot change
                        kept: Any = converted if is_lazy(converted) else Parameter(converted, parameter.requires_grad)
                        self._parameters[name] = parameter = kept
                if gradient is not None and (converted := fn(gradient)) is not gradient:
                    parameter.grad = converted.requires_grad_(gradient.requires_grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert the floating point parameters and buffers, in place: ``to(dtype)``, ``to(tensor)``, ``to("meta")``.

        Takes the arguments of ``Tensor.to`` but for `copy`; `memory_format` is for those with 4 or 5 axes. TypeError
        for a dtype that is not floating point; NotImplementedError for a module on meta that shall leave it.
        """
        memory_format = kwargs.pop("memory_format", None)
        if "copy" in kwargs:
            raise RuntimeError(".to() does not accept copy argument")
        if args and isinstance(args[0], (list, tuple, dict, set)):
            raise TypeError(f"to(): expected a device, a dtype or a tensor, got {type(args[0]).__name__}")
        if len(args) > 1 and isinstance(args[1], bool) and not isinstance(args[0], (_core.dtype, Tensor)):
            raise TypeError("to(): argument 'dtype' (position 2) must be torch.dtype, not bool")
        # The tensor's own reading of the arguments, and its errors.
        dtype = _core.empty(0, device="cpu").to(*args, **kwargs).dtype
        named = [*args, *kwargs.values()]
        converts = any(isinstance(value, (_core.dtype, Tensor)) for value in named)
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if converts and dtype.is_complex:
            warn_caller(
                "Complex modules are a new feature under active development whose design may change, and some modules "
                "might not work as expected when using complex tensors as parameters or buffers."
            )
        places = [value.device if isinstance(value, Tensor) else value for value in named]
        place = next((value for value in places if isinstance(value, (str, device))), None)

        def converted(tensor: Tensor) -> Tensor:
            kind = dtype if converts and has_gradients(tensor) else tensor.dtype
            where = tensor.device if place is None else place
            if tensor.is_meta and place is not None and device(place).type != "meta":
                raise NotImplementedError(
                    "Cannot copy out of meta tensor; no data! Please use torch.nn.Module.to_empty() instead of "
                    "torch.nn.Module.to() when moving module from meta to a different device."
                )
            if memory_format is not None and tensor.dim() in (4, 5):
                return tensor.to(where, kind, memory_format=memory_format)
            return tensor.to(where, kind)

        return self if memory_format is None and not converts and place is None else self._apply(converted)

    def to_empty(self, *, device: Device, recurse: bool = True) -> Self:
        """Give parameters and buffers memory of their own on `device`, with undefined numbers in it.

        It is the way out of meta.

        >>> nn.Linear(2, 3, device="meta").to_empty(device="cpu").weight.device
        device(type='cpu')
        """
        return self._apply(lambda t: _core.empty_like(t, device=device), recurse=recurse)

    def type(self, dst_type: _core.dtype) -> Self:
        """Convert every parameter and buffer, whole numbers too, to `dst_type`."""
        return self._apply(lambda t: t.to(dst_type))

    def float(self) -> Self:
        """Convert floating point parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Convert floating point parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def half(self) -> Self:
        """Convert floating point parameters and buffers to float16, which is computed with in float32."""
        return self._apply(lambda t: t.half() if t.is_floating_point() else t)

    def bfloat16(self) -> Self:
        """Convert floating point parameters and buffers to bfloat16, which is computed with in float32."""
        return self._apply(lambda t: t.bfloat16() if t.is_floating_point() else t)

    def share_memory(self) -> Self:
        """Move parameters and buffers to memory that processes forked from now on share: see `Tensor.share_memory_`."""
        return self._apply(lambda t: t.share_memory_())

    def cpu(self) -> Self:
        """Same as ``to("cpu")``: nothing is to be done, but for a module on meta, which raises NotImplementedError."""
        return self._apply(lambda t: t.cpu())

    def cuda(self, device: int | Device | None = None) -> Self:
        """RuntimeError if there are parameters or buffers: there is no GPU to move them to."""
        return self._apply(lambda t: t.cuda(device))
