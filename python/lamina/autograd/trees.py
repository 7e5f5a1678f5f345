"""Nested containers as a flat list of their leaves, and back; what goes with each leaf.

Nodes are tuples, lists, dicts, named tuples, deques and what is registered; all else is a leaf, None too.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

from .._core import Size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    # A node's children, and what else is needed to make it of others; and the way back.
    Flatten = Callable[[Any], tuple[list[Any], Any]]
    Unflatten = Callable[[Iterable[Any], Any], Any]
    IsLeaf = Callable[[Any], bool] | None
    # Makes a tree like the one that was flattened from new leaves.
    Rebuild = Callable[[Sequence[Any]], Any]

__all__ = ["TreeSpec", "broadcast_prefix", "flatten", "node_of", "register_pytree_node", "tree_flatten"]

_kinds: dict[Any, tuple[Flatten, Unflatten]] = {
    tuple: (lambda node: (list(node), None), lambda children, _: tuple(children)),
    list: (lambda node: (list(node), None), lambda children, _: list(children)),
    dict: (lambda node: (list(node.values()), list(node)), lambda children, keys: dict(zip(keys, children))),
    OrderedDict: (
        lambda node: (list(node.values()), list(node)),
        lambda children, keys: OrderedDict(zip(keys, children)),
    ),
    defaultdict: (
        lambda node: (list(node.values()), [node.default_factory, list(node)]),
        lambda children, context: defaultdict(context[0], zip(context[1], children)),
    ),
    deque: (lambda node: (list(node), node.maxlen), lambda children, maxlen: deque(children, maxlen)),
    Size: (lambda node: (list(node), None), lambda children, _: Size(children)),
}


def _named_tuple(children: Iterable[Any], kind: Any) -> Any:
    return kind(*children)


def register_pytree_node(
    cls: type,
    flatten_fn: Flatten,
    unflatten_fn: Unflatten,
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Callable[[Any], Any] | None = None,
    from_dumpable_context: Callable[[Any], Any] | None = None,
    flatten_with_keys_fn: Callable[[Any], Any] | None = None,
) -> None:
    """Make instances of `cls` nodes, here and for ``lamina.func``. What would serialize them is without effect.

    ``flatten_fn(node)`` gives the children and a context, ``unflatten_fn(children, context)`` a node again. ValueError
    for a class that is registered.
    """
    if cls in _kinds:
        raise ValueError(f"{cls} is already registered as pytree node.")
    _kinds[cls] = (flatten_fn, unflatten_fn)


def node_of(tree: Any) -> tuple[Any, Any, list[Any], Unflatten] | None:
    """A node's type, its context, its children, and what makes such a node of others; None for a leaf."""
    node_type = type(tree)
    kind = _kinds.get(node_type)
    if kind is None:
        if not (isinstance(tree, tuple) and hasattr(tree, "_fields")):
            return None
        return namedtuple, node_type, list(tree), _named_tuple
    children, context = kind[0](tree)
    return node_type, context, list(children), kind[1]


def _keys(node_type: Any, context: Any) -> list[Any] | None:
    """The keys of a node that is a dict, from its context."""
    if node_type in (dict, OrderedDict):
        return list(context)
    return list(context[1]) if node_type is defaultdict else None


class TreeSpec:
    """A tree without its leaves: the node's `type`, its `context` and its children; `type` is None for a leaf."""

    num_leaves: int
    num_nodes: int
    __slots__ = ("_children", "_make", "context", "num_children", "num_leaves", "num_nodes", "type")

    def __init__(self, type: type | None, context: Any, children: list[TreeSpec], make: Unflatten | None) -> None:
        self.type = type
        self.context = context
        self._children = children
        self._make = make
        self.num_children = len(children)
        self.num_nodes = 1 + sum(child.num_nodes for child in children)
        self.num_leaves = sum(child.num_leaves for child in children) if type is not None else 1

    def is_leaf(self) -> bool:
        """Whether it stands for a single leaf."""
        return self.type is None

    def children(self) -> list[TreeSpec]:
        """The children's."""
        return self._children.copy()

    def child(self, index: int) -> TreeSpec:
        """The child's at `index`."""
        return self._children[index]

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree with these leaves. ValueError unless there is one for each."""
        values = list(leaves)
        if len(values) != self.num_leaves:
            raise ValueError(
                f"treespec.unflatten(leaves): `leaves` has length {len(values)} but the spec refers to a pytree that "
                f"holds {self.num_leaves} items ({self})."
            )
        return self._build(iter(values))

    def _build(self, leaves: Iterator[Any]) -> Any:
        if self._make is None:
            return next(leaves)
        return self._make([child._build(leaves) for child in self._children], self.context)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """What `tree` has in the places of the leaves. ValueError if it has other nodes above them."""
        if self.type is None:
            return [tree]
        node_type, context, children, _ = node_of(tree) or (type(tree), None, [], None)
        keys, found = _keys(self.type, self.context), _keys(node_type, context)
        if node_type is not self.type and (keys is None or found is None):
            raise ValueError(f"Node type mismatch; expected {self.type!r}, but got {node_type!r}.")
        if len(children) != self.num_children:
            raise ValueError(f"Node arity mismatch; expected {self.num_children}, but got {len(children)}.")
        if keys is None and context != self.context:
            raise ValueError(f"Node context mismatch; expected {self.context!r}, but got {context!r}.")
        if keys is not None and found is not None:
            if set(keys) != set(found):
                raise ValueError(f"Node keys mismatch; expected {keys!r}, but got {found!r}.")
            children = [tree[key] for key in keys]
        return [leaf for spec, part in zip(self._children, children) for leaf in spec.flatten_up_to(part)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TreeSpec):
            return NotImplemented
        mine, theirs = (self.type, self.context, self._children), (other.type, other.context, other._children)
        return self is other or mine == theirs

    def __hash__(self) -> int:
        return hash((self.type, tuple(self._children)))

    def __repr__(self) -> str:
        return self._text(0)

    def _text(self, indent: int) -> str:
        if self.type is None:
            return "*"
        parts = (",\n" + " " * (indent + 2)).join(child._text(indent + 2) for child in self._children)
        return f"TreeSpec({self.type.__name__}, {self.context}, [{parts}])"


_leaf = TreeSpec(None, None, [], None)


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves in order, and what remains without them. `is_leaf` may take a node for a leaf."""
    leaves: list[Any] = []
    return leaves, _flatten_into(leaves, tree, is_leaf)


def _flatten_into(leaves: list[Any], tree: Any, is_leaf: IsLeaf) -> TreeSpec:
    node = None if is_leaf is not None and is_leaf(tree) else node_of(tree)
    if node is None:
        leaves.append(tree)
        return _leaf
    node_type, context, children, make = node
    return TreeSpec(node_type, context, [_flatten_into(leaves, child, is_leaf) for child in children], make)


def flatten(tree: Any) -> tuple[list[Any], Rebuild]:
    """The leaves in order, and what builds such a tree of others."""
    leaves, structure = tree_flatten(tree)
    return leaves, structure.unflatten


def broadcast_prefix(prefix: Any, tree: Any) -> list[Any] | None:
    """A value for each leaf of `tree`, where `prefix` may have one value in the place of a whole branch; None if the
    two do not fit."""
    node, own = node_of(tree), node_of(prefix)
    if node is None or own is None:
        return [prefix] * len(tree_flatten(tree)[0]) if own is None else None
    if type(prefix) is not type(tree) or len(own[2]) != len(node[2]):
        return None
    if isinstance(tree, dict) and list(prefix) != list(tree):
        return None
    values: list[Any] = []
    for part, child in zip(own[2], node[2], strict=True):
        spread = broadcast_prefix(part, child)
        if spread is None:
            return None
        values += spread
    return values
