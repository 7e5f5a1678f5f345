"""Times, sizes and tables as PyTorch's profiler prints them."""

from __future__ import annotations

__all__ = ["memory_text", "shortened", "table_text", "time_text"]


def time_text(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    if microseconds >= 1e3:
        return f"{microseconds / 1e3:.3f}ms"
    return f"{microseconds:.3f}us"


def memory_text(size: float) -> str:
    for unit, text in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if abs(size) >= unit:
            return f"{size / unit:.2f} {text}"
    return f"{size:.0f} B"


def shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 3, 0)] + "..."


def table_text(heads: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as they need to be; the first one to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    rule = "  ".join("-" * width for width in widths)

    def line(cells: list[str]) -> str:
        first, *others = zip(cells, widths)
        return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip()

    return "\n".join([rule, line(heads), rule, *map(line, rows), rule])
