"""Nested tuples, lists and dicts of tensors as a flat list, and back."""

from __future__ import annotations

from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    # Makes a tree like the one that was flattened from new leaves.
    Rebuild = Callable[[Sequence[Any]], Any]

__all__ = ["broadcast_prefix", "flatten"]


def _children(tree: Any) -> tuple[list[Any], Callable[[list[Any]], Any]] | None:
    """A node's children, and what makes such a node of others; None for a leaf."""
    kind = type(tree)
    if kind in (dict, OrderedDict):
        keys = list(tree)
        return list(tree.values()), lambda values: kind(zip(keys, values, strict=True))
    if kind is list or kind is tuple:
        return list(tree), kind
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return list(tree), lambda values: kind(*values)
    return None


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves in order, and what builds such a tree of others. What is no tuple, list or dict is a leaf."""
    node = _children(tree)
    if node is None:
        return [tree], lambda leaves: leaves[0]
    children, make = node
    leaves: list[Any] = []
    parts: list[tuple[int, int, Rebuild]] = []
    for child in children:
        own, rebuild = flatten(child)
        parts.append((len(leaves), len(leaves) + len(own), rebuild))
        leaves += own
    return leaves, lambda fresh: make([rebuild(fresh[start:end]) for start, end, rebuild in parts])


def broadcast_prefix(prefix: Any, tree: Any) -> list[Any] | None:
    """A value for each leaf of `tree`, where `prefix` may have one value in the place of a whole branch; None if the
    two do not fit."""
    node, own = _children(tree), _children(prefix)
    if node is None or own is None:
        return [prefix] * len(flatten(tree)[0]) if own is None else None
    if type(prefix) is not type(tree) or len(own[0]) != len(node[0]):
        return None
    if isinstance(tree, dict) and list(prefix) != list(tree):
        return None
    values: list[Any] = []
    for part, child in zip(own[0], node[0], strict=True):
        spread = broadcast_prefix(part, child)
        if spread is None:
            return None
        values += spread
    return values
