"""``lamina.device``: where tensors live: on the CPU, or on meta, which is nowhere. Others can only be named."""

from __future__ import annotations

from . import _core

__all__ = ["device"]

_OWN = ("cpu", "meta")
_ELSEWHERE = ("cuda", "mps", "xpu")  # names that code for PyTorch mentions where it might run


class device:  # noqa: N801
    """``device("cpu")``, ``device("meta")``, or one that PyTorch may have and lamina has not: ``device("cuda:0")``.

    A tensor on meta has a shape, a dtype, strides and gradients, and no numbers: it takes no memory, and whatever is
    computed from it is on meta, too. As a context manager: tensors are made there by what names no device.

    RuntimeError for other names, and for whatever is asked to be on a device that lamina has not.

    >>> with lamina.device("meta"):
    ...     net = lamina.nn.Linear(10**6, 10**6)
    >>> net(lamina.empty(3, 10**6, device="meta")).shape
    torch.Size([3, 1000000])
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: str | device = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            other = type
            type = other.type
            index = other.index if index is None else index
        if isinstance(type, int):
            raise RuntimeError(f"Cannot access accelerator device {type} when none is available.")
        if not isinstance(type, str):
            raise TypeError(f"device: expected a string like 'cpu', got {type!r}")
        if not type:
            raise RuntimeError("Device string must not be empty")
        name, colon, number = type.partition(":")
        letters = name.replace("_", "a")
        if not (letters.isascii() and letters.isalpha()):
            raise RuntimeError(f"Invalid device string: {type!r}")
        if colon:
            if not number.isdecimal() or (number[0] == "0" and number != "0") or index is not None:
                raise RuntimeError(f"Invalid device string: {type!r}")
            index = int(number)
        if name not in (*_OWN, *_ELSEWHERE) or (name == "cpu" and (index or 0) != 0):
            raise RuntimeError(
                f"Expected one of {', '.join((*_OWN, *_ELSEWHERE))} as device, got {type!r}"
                + (f" with index {index}" if index is not None and not colon else "")
            )
        object.__setattr__(self, "type", name)
        object.__setattr__(self, "index", index)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute {name!r} of a device is not writable")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (f", index={self.index})" if self.index is not None else ")")

    def __enter__(self) -> device:
        """Within it, tensors are made on this device. RuntimeError if lamina has not got it."""
        _core._enter_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        _core._leave_device()

    def __reduce__(self) -> tuple[object, ...]:
        return device, (self.type, self.index)
