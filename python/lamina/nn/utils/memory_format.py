"""Weights of convolutions whose elements lie in another order, which results take over."""

from __future__ import annotations

from ..modules.conv import Conv2d, Conv3d
from ..modules.conv_transpose import ConvTranspose2d, ConvTranspose3d

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    from ..._core import memory_format as MemoryFormat
    from ..modules.module import Module

    M = TypeVar("M", bound=Module)

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: M, memory_format: MemoryFormat) -> M:
    """Let the weights of all two-dimensional convolutions in `module` have this format; returns it.

    >>> net = nn.utils.convert_conv2d_weight_memory_format(nn.Conv2d(4, 4, 3), lamina.channels_last)
    >>> net.weight.is_contiguous(memory_format=lamina.channels_last)
    True
    """
    return _convert(module, (Conv2d, ConvTranspose2d), memory_format)


def convert_conv3d_weight_memory_format(module: M, memory_format: MemoryFormat) -> M:
    """The same for three-dimensional convolutions, whose format may be ``channels_last_3d``."""
    return _convert(module, (Conv3d, ConvTranspose3d), memory_format)


def _convert(module: M, kinds: tuple[type[Module], ...], memory_format: MemoryFormat) -> M:
    for part in module.modules():
        if isinstance(part, kinds):
            part.weight.data = part.weight.detach().clone(memory_format=memory_format)
    return module
