"""Masks, and many slices at once: what is found, put and added, against NumPy, whatever the number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina

FLAGS = np.random.default_rng(0).random((70, 90, 40)) < 0.3


@pytest.mark.parametrize("flags", [FLAGS, FLAGS.reshape(-1), FLAGS[0], FLAGS & False, FLAGS | True, FLAGS[:, :0]])
def test_nonzero_of_many(flags: Any) -> None:
    found = lamina.tensor(flags).nonzero()
    assert found.shape == (flags.sum(), flags.ndim)
    assert (found.numpy() == np.argwhere(flags)).all()


@pytest.mark.parametrize("key", [(), (slice(None),), (slice(None), slice(None)), (..., None)])
@pytest.mark.parametrize("axes", [1, 2])
def test_a_mask_behind_and_before_other_axes(key: tuple[Any, ...], axes: int) -> None:
    numbers = np.arange(3 * 4 * 5 * 6, dtype=np.float32).reshape(3, 4, 5, 6)
    at = 0 if not key else 4 - axes if key[0] is ... else len(key)
    mask = np.arange(np.prod(numbers.shape[at : at + axes])).reshape(numbers.shape[at : at + axes]) % 3 == 1
    index = (mask,) if not key else (..., mask) if key[0] is ... else (*key, mask)
    same = tuple(lamina.tensor(i) if i is mask else i for i in index)
    x = lamina.tensor(numbers)
    assert (x[same].numpy() == numbers[index]).all()
    for value in (7.0, lamina.tensor([[8.0]]), x[same] * 2):
        changed, expected = x.clone(), numbers.copy()
        changed[same] = value
        expected[index] = value if isinstance(value, float) else value.numpy()
        assert (changed.numpy() == expected).all()


def test_a_mask_and_an_index() -> None:
    numbers = np.arange(24.0).reshape(2, 3, 4)
    mask = np.array([[True, False, True], [False, True, False]])
    columns = np.array([0, 3, 1])
    x = lamina.tensor(numbers)
    assert (x[lamina.tensor(mask), lamina.tensor(columns)].numpy() == numbers[mask, columns]).all()
    with pytest.raises(IndexError, match=r"shapes \[3\], \[3\], \[2\]"):
        x[lamina.tensor(mask), lamina.tensor([0, 1])]


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
def test_an_array_of_bytes_is_a_mask_of_all_its_axes() -> None:
    bytes_ = np.array([[1, 0], [0, 1]], dtype=np.uint8)
    x = lamina.arange(12).reshape(2, 2, 3)
    assert x[bytes_].tolist() == [[0, 1, 2], [9, 10, 11]]
    assert x[bytes_, 1].tolist() == [1, 10]
    assert x[bytes_, [0, 1]].tolist() == [0, 10]
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 3"):
        x[bytes_, 1, 1]
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 3"):
        x[bytes_, 1, 1] = 0


def test_gradients_of_filling_by_a_mask() -> None:
    x, number = lamina.ones(2, 3).requires_grad_(), lamina.tensor(2.0, requires_grad=True)
    y = x * 1
    y[x > lamina.tensor([0.0, 1.0, 0.0])] = number
    (y * lamina.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])).sum().backward()
    assert (x.grad.tolist(), number.grad.item()) == ([[0, 2, 0], [0, 5, 0]], 14)


@pytest.mark.parametrize("dim", [0, 1, 2])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_slices_are_added_in_order(dim: int, threads: int) -> None:
    shape = [9, 9, 300]
    shape[dim] = 2000 if dim < 2 else 3000
    source = np.random.default_rng(1).standard_normal(shape, dtype=np.float32)
    index = np.random.default_rng(2).integers(0, 9, shape[dim])
    before, into = lamina.get_num_threads(), [9, 9, 300]
    expected = np.zeros(into, np.float32)
    last = np.zeros(into, np.float32)
    for i, place in enumerate(index):
        to, given = np.moveaxis(expected, dim, 0), np.moveaxis(source, dim, 0)
        to[place] += given[i]
        np.moveaxis(last, dim, 0)[place] = given[i]
    lamina.set_num_threads(threads)
    try:
        zeros, places, given_ = lamina.zeros(into), lamina.tensor(index), lamina.tensor(source)
        assert (zeros.index_add(dim, places, given_).numpy() == expected).all()
        assert (zeros.index_copy(dim, places, given_).numpy() == last).all()
    finally:
        lamina.set_num_threads(before)


@pytest.mark.parametrize("accumulate", [False, True])
def test_index_put_of_nothing_masks_and_positions(accumulate: bool) -> None:
    x = lamina.arange(12.0).reshape(3, 4)
    mask = lamina.tensor([True, False, True, False])
    put = x.index_put((None, mask), lamina.tensor([10.0, 20.0]), accumulate)
    expected = x.numpy().copy()
    expected[:, [0, 2]] = (expected[:, [0, 2]] if accumulate else 0) + np.array([10.0, 20.0])
    assert (put.numpy() == expected).all()
    one = x.index_put((lamina.tensor(True), lamina.tensor([1])), lamina.ones(4), accumulate)
    assert one.tolist()[1] == ([5, 6, 7, 8] if accumulate else [1, 1, 1, 1])
    with pytest.raises(IndexError, match="too many indices"):
        x.index_put((None, None, lamina.tensor([0])), lamina.ones(1))
    with pytest.raises(TypeError, match="tuple of Tensors"):
        x.index_put((slice(None),), lamina.ones(1))  # type: ignore[arg-type]
