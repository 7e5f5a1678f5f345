"""Nested containers by the names of PyTorch's private module, and as arguments of lamina.func."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple
from typing import Any

import pytest

import lamina
from lamina.utils import _pytree as pytree

Point = namedtuple("Point", "x y")


class _Pair:
    def __init__(self, first: Any, second: Any) -> None:
        self.first, self.second = first, second


pytree.register_pytree_node(_Pair, lambda pair: ([pair.first, pair.second], None), lambda both, _: _Pair(*both))


@pytest.mark.parametrize(
    ("tree", "leaves"),
    [
        (5, [5]),
        (None, [None]),
        ((), []),
        ([1, (2, [3])], [1, 2, 3]),
        ({"b": 1, "a": (2, None)}, [1, 2, None]),
        (OrderedDict(b=1, a=2), [1, 2]),
        (Point(1, [2, 3]), [1, 2, 3]),
        (deque([1, 2], maxlen=3), [1, 2]),
        (lamina.Size([2, 3]), [2, 3]),
    ],
)
def test_flatten_and_back(tree: Any, leaves: list[Any]) -> None:
    found, spec = pytree.tree_flatten(tree)
    assert found == leaves == pytree.tree_leaves(tree) == list(pytree.tree_iter(tree))
    again = pytree.tree_unflatten(found, spec)
    assert (again, type(again)) == (tree, type(tree))
    assert spec == pytree.tree_structure(tree)
    assert hash(spec) == hash(pytree.tree_structure(tree))
    assert spec.num_leaves == len(leaves)


def test_default_dicts_keep_their_factory() -> None:
    tree = defaultdict(list, a=1)
    again = pytree.tree_map(lambda leaf: leaf + 1, tree)
    assert (again, again.default_factory) == ({"a": 2}, list)


def test_structures_differ_by_type_keys_and_children() -> None:
    structures = [pytree.tree_structure(tree) for tree in ([1, 2], (1, 2), [1], [1, [2]], {"a": 1}, {"b": 1}, 1)]
    for i, one in enumerate(structures):
        assert [one == other for other in structures] == [i == j for j in range(len(structures))]
    spec = pytree.tree_structure({"b": [1, (2, None)], "a": 3})
    assert (spec.type, spec.context, spec.num_children, spec.num_nodes) == (dict, ["b", "a"], 2, 7)
    assert [spec.child(0), spec.child(1)] == spec.children()
    assert spec.child(1).is_leaf()
    assert repr(spec.child(0)) == "TreeSpec(list, None, [*,\n  TreeSpec(tuple, None, [*,\n    *])])"


def test_maps() -> None:
    assert pytree.tree_map(lambda a, b: a + b, {"x": 1, "y": (2, 3)}, {"y": (20, 30), "x": 10}) == {
        "x": 11,
        "y": (22, 33),
    }
    assert pytree.tree_map(len, ["ab", ("c", ())], is_leaf=lambda node: node == ()) == [2, (1, 0)]
    assert pytree.tree_map_only(int, lambda n: -n, [1, "a", (2.0,)]) == [-1, "a", (2.0,)]
    assert pytree.tree_map_only((int, float), lambda n: -n, [1, "a", (2.0,)]) == [-1, "a", (-2.0,)]
    assert pytree.tree_map_only(lambda leaf: leaf == "a", str.upper, [1, "a"]) == [1, "A"]
    seen: list[int] = []
    tree = [1, (2,)]
    assert pytree.tree_map_(seen.append, tree) is tree
    assert seen == [1, 2]
    assert pytree.tree_all(bool, [1, (2,)])
    assert pytree.tree_all(bool, ())
    assert not pytree.tree_any(bool, [0, (None,)])
    assert pytree.tree_is_leaf(1)
    assert not pytree.tree_is_leaf([])


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ([1, 2], [1], "Node arity mismatch; expected 2, but got 1"),
        ([1, 2], (1, 2), "Node type mismatch; expected <class 'list'>, but got <class 'tuple'>"),
        ([1, [2]], [1, 2], "Node type mismatch"),
        ({"a": 1}, {"b": 1}, "Node keys mismatch"),
        (deque([1], maxlen=2), deque([1]), "Node context mismatch"),
    ],
)
def test_maps_over_trees_that_do_not_fit(first: Any, second: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        pytree.tree_map(lambda a, b: (a, b), first, second)


def test_wrong_number_of_leaves() -> None:
    spec = pytree.tree_structure([1, 2])
    with pytest.raises(ValueError, match="`leaves` has length 1 but the spec refers to a pytree that holds 2 items"):
        spec.unflatten([1])
    with pytest.raises(TypeError, match="treespec must be a TreeSpec, got list; leaves come first"):
        pytree.tree_unflatten(spec, [1, 2])  # type: ignore[arg-type]


def test_registered_classes_are_nodes_for_func_too() -> None:
    gradient = lamina.func.grad(lambda pair: (pair.first * pair.second).sum())(_Pair(lamina.ones(2), lamina.zeros(2)))
    assert (gradient.first.tolist(), gradient.second.tolist()) == ([0, 0], [1, 1])
    doubled = lamina.func.vmap(lambda pair: _Pair(pair.first * 2, pair.second))(_Pair(lamina.ones(2), lamina.zeros(2)))
    assert doubled.first.tolist() == [2, 2]
    with pytest.raises(ValueError, match="is already registered as pytree node"):
        pytree.register_pytree_node(_Pair, lambda pair: ([], None), lambda both, _: _Pair(1, 2))
