"""Sizes: tuples of whole numbers that stay Sizes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import lamina

SIZE = lamina.Size([2, 3])
MORE = (4,)
WORDS: Any = ("a",)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda: SIZE + MORE, (2, 3, 4)),
        (lambda: MORE + SIZE, (4, 2, 3)),
        (lambda: SIZE + SIZE, (2, 3, 2, 3)),
        (lambda: SIZE * 2, (2, 3, 2, 3)),
        (lambda: 0 * SIZE, ()),
        (lambda: SIZE[1:], (3,)),
        (lambda: lamina.Size(), ()),
        (lambda: lamina.Size(lamina.tensor([2, 3])), (2, 3)),
        (lambda: lamina.Size([True]), (1,)),
        (lambda: copy.deepcopy(SIZE), (2, 3)),
        *((lambda p=p: pickle.loads(pickle.dumps(SIZE, p)), (2, 3)) for p in range(pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
def test_sizes_stay_sizes(call: Callable[[], Any], wanted: tuple[int, ...]) -> None:
    result = call()
    assert type(result) is lamina.Size
    assert result == wanted
    assert all(type(number) is int for number in result)


def test_a_size_has_whole_numbers() -> None:
    for call in (lambda: lamina.Size([1, 2.5]), lambda: SIZE + WORDS):
        with pytest.raises(
            TypeError, match=r"torch.Size\(\) takes an iterable of 'int' \(item [12] is '(float|str)'\)"
        ):
            call()
    with pytest.raises(TypeError, match="concatenate"):
        SIZE + [1]  # type: ignore[operator]  # noqa: RUF005


def test_subclasses_of_sizes() -> None:
    class Named(lamina.Size):
        pass

    named = copy.deepcopy(Named([1, 2]))
    assert (type(named), named) == (Named, (1, 2))
