"""How tensors print: PyTorch's form, so that outputs can be compared line by line."""

from __future__ import annotations

from math import ceil, inf, isfinite

from . import _core
from ._core import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["set_printoptions", "tensor_text"]


class _Options:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_PROFILES: dict[str, tuple[int, float, int, int]] = {
    "default": (4, 1000, 3, 80),
    "short": (2, 1000, 2, 80),
    "full": (4, inf, 3, 80),
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Digits after the point, elements before summarizing, elements left at each edge, characters a line.

    `profile` is "default", "short" or "full"; single settings go on top of it. `sci_mode` forces scientific notation on
    or off; every call without it returns to choosing by the numbers.
    """
    if profile is not None:
        if profile not in _PROFILES:
            raise ValueError(f"set_printoptions: expected a profile of {sorted(_PROFILES)}, got {profile!r}")
        _Options.precision, _Options.threshold, _Options.edgeitems, _Options.linewidth = _PROFILES[profile]
    for name, value in (
        ("precision", precision),
        ("threshold", threshold),
        ("edgeitems", edgeitems),
        ("linewidth", linewidth),
    ):
        if value is not None:
            setattr(_Options, name, value)
    _Options.sci_mode = sci_mode


class _NumberFormat:
    """One width and notation for all numbers of a tensor."""

    def __init__(self, values: list[Any], floating: bool) -> None:
        self.floating, self.scientific, self.whole, self.width = floating, False, True, 1
        if not floating:
            self.width = max((len(str(value)) for value in values), default=1)
            return
        sized = [value for value in values if isfinite(value) and value != 0]
        if sized:
            largest, smallest = max(map(abs, sized)), min(map(abs, sized))
            self.whole = all(value == ceil(value) for value in sized)
            self.scientific = largest / smallest > 1000 or largest > 1e8 or (not self.whole and smallest < 1e-4)
            if _Options.sci_mode is not None:
                self.scientific = _Options.sci_mode
            # Zeros, infinities and NaN are padded to the other numbers' width; alone they have their own.
            self.width = max(len(self._number(value)) for value in sized)

    def _number(self, value: float) -> str:
        if self.scientific:
            return f"{value:.{_Options.precision}e}"
        if self.whole:
            return f"{value:.0f}." if isfinite(value) else f"{value:.0f}"
        return f"{value:.{_Options.precision}f}"

    def text(self, value: Any) -> str:
        return (self._number(value) if self.floating else str(value)).rjust(self.width)


class _ComplexFormat:
    """One width and notation for the real parts of a tensor's numbers, and one for the imaginary parts."""

    def __init__(self, values: list[complex]) -> None:
        self.real = _NumberFormat([value.real for value in values], True)
        self.imaginary = _NumberFormat([value.imag for value in values], True)
        self.width = self.real.width + self.imaginary.width + 1

    def text(self, value: complex) -> str:
        imaginary = self.imaginary.text(value.imag).lstrip() + "j"
        return self.real.text(value.real) + ("" if imaginary[0] in "+-" else "+") + imaginary


def _summary(x: Tensor) -> Tensor:
    """`x` with only the edges of each long dimension."""
    edge = _Options.edgeitems
    for dim, length in enumerate(x.shape):
        if length > 2 * edge:
            x = _core.cat([x.narrow(dim, 0, edge), x.narrow(dim, length - edge, edge)], dim)
    return x


def _flatten(nested: Any, depth: int) -> list[Any]:
    for _ in range(depth - 1):
        nested = [value for part in nested for value in part]
    return nested if depth else [nested]


def _layout(
    nested: Any, shape: tuple[int, ...], number: _NumberFormat | _ComplexFormat, indent: int, summarize: bool
) -> str:
    """`nested` (with only the edges of long dimensions if `summarize`) of a tensor of `shape`, in brackets."""
    if not shape:
        return number.text(nested)
    edge = _Options.edgeitems
    cut = summarize and shape[0] > 2 * edge
    if len(shape) == 1:
        texts = [number.text(value) for value in nested]
        if cut:
            texts[edge:edge] = [" ..."]
        per_line = max(1, (_Options.linewidth - indent) // (number.width + 2))
        lines = [", ".join(texts[start : start + per_line]) for start in range(0, len(texts), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    parts = [_layout(part, shape[1:], number, indent + 1, summarize) for part in nested]
    if cut:
        parts[edge:edge] = ["..."]
    return "[" + ("," + "\n" * (len(shape) - 1) + " " * (indent + 1)).join(parts) + "]"


def _content(x: Tensor, indent: int) -> str:
    summarize = x.numel() > _Options.threshold
    nested = (_summary(x) if summarize else x).tolist()
    values = _flatten(nested, x.dim())
    number = _ComplexFormat(values) if x.is_complex() else _NumberFormat(values, x.dtype.is_floating_point)
    return _layout(nested, tuple(x.shape), number, indent, summarize)


def tensor_text(tensor: Tensor) -> str:
    """What ``repr(tensor)`` is: ``tensor([0., 1.], requires_grad=True)``. Looking at it computes it."""
    if _core._is_example(tensor):
        return _example_text(tensor)
    kind = type(tensor)
    opening = "tensor(" if kind is Tensor else f"{kind.__name__}("
    indent = len(opening)
    try:
        node, invalid = tensor.grad_fn, False
    except RuntimeError:  # a view whose history a change of its base has made void
        node, invalid = None, True
    x = tensor.detach()
    notes = []
    default = _core.get_default_dtype()
    ordinary = (default, default.to_complex(), _core.int64, _core.bool)
    shown_type = (default,) if x.numel() == 0 or x.is_meta else ordinary
    if x.is_meta:
        text = opening + "..."
        notes += [f"device='{x.device}'", f"size={tuple(x.shape)}"]
    elif x.numel() == 0:
        text = opening + "[]"
        if x.dim() != 1:
            notes.append(f"size={tuple(x.shape)}")
    else:
        text = opening + _content(x, indent)
    if x.dtype not in shown_type:
        notes.append(f"dtype={x.dtype}")
    if invalid:
        notes.append("grad_fn=<Invalid>")
    elif node is not None:
        notes.append(f"grad_fn={_function_text(node)}")
    elif tensor.requires_grad:
        notes.append("requires_grad=True")
    if (tangent := _core._tangent_of(tensor)) is not None:
        notes.append(f"tangent={tangent}")
    length = len(text) - text.rfind("\n") - 1
    for note in notes:
        if length + len(note) + 4 > _Options.linewidth:
            text += ",\n" + " " * indent + note
            length = indent + len(note)
        else:
            text += ", " + note
            length += len(note) + 2
    return text + ")"


def _example_text(example: Tensor) -> str:
    """One of vmap's examples shows the whole batch."""
    from .autograd.batching import batch_of_example

    found = batch_of_example(example)
    if found is None:  # its numbers are not drawn yet
        return f"BatchedTensor(..., size={tuple(example.shape)})"
    level, batch = found
    value = "\n".join("    " + line if line else "" for line in tensor_text(batch).split("\n"))
    return f"BatchedTensor(lvl={level}, bdim=0, value=\n{value}\n)"


def _function_text(function: object) -> str:
    return f"<{getattr(function, 'name', lambda: type(function).__name__)()}>"
