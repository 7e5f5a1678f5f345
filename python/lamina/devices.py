"""``lamina.device``: where tensors live. There is one place, the CPU; others can be named, but nothing put there."""

from __future__ import annotations

__all__ = ["device", "get_default_device", "set_default_device"]

_ELSEWHERE = ("cuda", "mps", "xpu")  # names that code for PyTorch mentions where it might run


class device:  # noqa: N801
    """``device("cpu")``, or the name of a device that PyTorch may have and lamina has not: ``device("cuda:0")``.

    RuntimeError for other names, and for whatever is asked to be on a device that is not the CPU.
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
        name, colon, number = type.partition(":")
        if colon:
            if not number.isdecimal() or index is not None:
                raise RuntimeError(f"Invalid device string: {type!r}")
            index = int(number)
        if name not in _ELSEWHERE and (name != "cpu" or (index or 0) != 0):
            raise RuntimeError(
                f"Expected one of {', '.join(('cpu', *_ELSEWHERE))} as device, got {type!r}"
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
        """Within it, tensors are made on this device. RuntimeError if that is not the CPU."""
        _check_default(self)
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def __reduce__(self) -> tuple[object, ...]:
        return device, (self.type, self.index)


def _check_default(place: device) -> None:
    if place.type != "cpu":
        raise RuntimeError(f"lamina computes on the CPU only, got device '{place}'")


def set_default_device(device: device | str | None) -> None:
    """Where tensors are made from now on: the CPU, or None for it. RuntimeError for another device."""
    if device is not None:
        _check_default(_device(device))


def get_default_device() -> device:
    """The CPU."""
    return _device("cpu")


_device = device
