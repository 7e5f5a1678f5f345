"""Reading and writing by every kind of index, against NumPy, with gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina

from op_samples import ALL, INDEX_EXPRESSIONS, tensor_index

SHAPE = (4, 3, 5)


def _numbers(dtype: str = "float32") -> np.ndarray:
    return (np.arange(60).reshape(SHAPE) % (2 if dtype == "bool" else 60)).astype(dtype)


def _reads_twice(index: Any) -> bool:
    places = np.arange(60).reshape(SHAPE)[index]
    return np.unique(places).size < places.size


# Where an index names an element twice, which writer is last is not determined.
SETTABLE = {name: index for name, index in INDEX_EXPRESSIONS.items() if not _reads_twice(index)}

every_index = pytest.mark.parametrize("index", INDEX_EXPRESSIONS.values(), ids=INDEX_EXPRESSIONS)


@every_index
@pytest.mark.parametrize("dtype", ALL)
def test_get(index: Any, dtype: str) -> None:
    array = _numbers(dtype)
    got = lamina.tensor(array)[tensor_index(index)]
    assert tuple(got.shape) == array[index].shape
    assert got.dtype == getattr(lamina, dtype)
    np.testing.assert_array_equal(got.numpy(), array[index])


@every_index
def test_get_from_non_contiguous(index: Any) -> None:
    array = _numbers()
    tensor = lamina.tensor(np.ascontiguousarray(array.transpose(2, 0, 1))).permute(1, 2, 0)
    np.testing.assert_array_equal(tensor[tensor_index(index)].numpy(), array[index])


@every_index
def test_set_number(index: Any) -> None:
    array = _numbers()
    tensor = lamina.tensor(array)
    tensor[tensor_index(index)] = -1
    array[index] = -1
    np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize("index", SETTABLE.values(), ids=SETTABLE)
def test_set_tensor(index: Any) -> None:
    array = _numbers()
    tensor = lamina.tensor(array)
    values = -1.0 - np.arange(array[index].size, dtype=np.float32).reshape(array[index].shape)
    tensor[tensor_index(index)] = lamina.tensor(values)
    array[index] = values
    np.testing.assert_array_equal(tensor.numpy(), array)


@every_index
def test_set_broadcast(index: Any) -> None:
    array = _numbers()
    tensor = lamina.tensor(array)
    tensor[tensor_index(index)] = lamina.tensor([-3.0])
    array[index] = -3.0
    np.testing.assert_array_equal(tensor.numpy(), array)


@every_index
def test_gradient_of_get(index: Any) -> None:
    """Elements read twice get both gradients, elements not read get zero."""
    array = _numbers("float64")
    tensor = lamina.tensor(array, requires_grad=True)
    picked = tensor[tensor_index(index)]
    weights = np.arange(1.0, picked.numel() + 1).reshape(picked.shape)
    (picked * lamina.tensor(weights)).sum().backward()
    wanted = np.zeros(SHAPE)
    np.add.at(wanted, index, weights)
    np.testing.assert_allclose(tensor.grad.numpy(), wanted)


def test_set_through_mask_with_gradient() -> None:
    x = lamina.tensor([1.0, -2.0, 3.0], requires_grad=True)
    y = x * 1
    y[x < 0] = 0
    (y * y).sum().backward()
    assert y.tolist() == [1.0, 0.0, 3.0]
    assert x.grad.tolist() == [2.0, 0.0, 6.0]


def test_set_casts_to_the_target() -> None:
    x = lamina.zeros(3, dtype=lamina.int64)
    x[0] = 2.9
    x[1:] = lamina.tensor([1.5, -1.5])
    assert x.tolist() == [2, 1, -1]
    assert x.dtype == lamina.int64


def test_set_reads_its_source_first() -> None:
    x = lamina.arange(5)
    x[1:] = x[:-1].clone()
    assert x.tolist() == [0, 0, 1, 2, 3]


def test_set_of_an_expression_of_itself() -> None:
    x = lamina.arange(4.0)
    x[:2] = x[2:] * 10
    assert x.tolist() == [20.0, 30.0, 2.0, 3.0]
    x[0] += 1
    x[lamina.tensor([1, 2])] *= 2
    assert x.tolist() == [21.0, 60.0, 4.0, 3.0]


def test_index_by_tensor_scalar_and_range() -> None:
    x = lamina.arange(5)
    assert x[lamina.tensor(2)].item() == 2
    assert x[lamina.tensor(1) : lamina.tensor(3)].tolist() == [1, 2]
    assert x[range(2)].tolist() == [0, 1]
    assert x[np.int64(3)].item() == 3
    assert x[np.array([0, 4])].tolist() == [0, 4]
    assert x[[True, False, True, False, False]].tolist() == [0, 2]


def test_index_by_bool_adds_an_axis() -> None:
    x = lamina.arange(3)
    picked = x[True]
    picked[0, 0] = 9
    assert x.tolist() == [0, 1, 2]  # a copy, as with any index that is not basic
    assert picked.tolist() == [[9, 1, 2]]
    assert x[False].shape == (0, 3)
    x[True] = 5
    assert x.tolist() == [5, 5, 5]


@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
@pytest.mark.parametrize("dtype", [lamina.bool, lamina.uint8], ids=str)
def test_masks_without_axes_add_one(dtype: lamina.dtype) -> None:
    x = lamina.arange(3)
    yes, no = lamina.tensor(1).to(dtype), lamina.tensor(0).to(dtype)
    assert x[yes].tolist() == [[0, 1, 2]]
    assert x[no].shape == (0, 3)
    assert x[yes, 2].tolist() == [2]
    x[yes] = lamina.tensor([[[4, 5, 6]]])
    x[no] = 7
    assert x.tolist() == [4, 5, 6]
    number = lamina.tensor(1)
    number[yes] = -1
    assert number.item() == -1


def test_index_put_without_an_index_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="at least one index"):
        lamina._core._index_put(lamina.arange(3), (), lamina.tensor(1), False)


def test_int32_and_uint8_indices() -> None:
    x = lamina.arange(5) * 10
    assert x[lamina.tensor([1, 3], dtype=lamina.int32)].tolist() == [10, 30]


@every_index
def test_basic_indices_alias_and_advanced_ones_copy(index: Any) -> None:
    array = _numbers()
    tensor = lamina.tensor(array)
    picked = tensor[tensor_index(index)]
    parts = index if isinstance(index, tuple) else (index,)
    basic = not any(isinstance(part, (np.ndarray, list)) for part in parts)
    picked.fill_(-7)
    if basic:
        array[index] = -7
    np.testing.assert_array_equal(tensor.numpy(), array)


@pytest.mark.parametrize("index", [(-4,), (0, 3), (3,), (slice(None), -4)], ids=str)
def test_set_out_of_range_changes_nothing(index: tuple[Any, ...]) -> None:
    x = lamina.zeros(3, 3)
    with pytest.raises(IndexError, match="out of bounds"):
        x[index] = 1
    assert x.sum().item() == 0


def test_set_of_wrong_shape() -> None:
    x = lamina.zeros(3, 3)
    with pytest.raises(RuntimeError, match=r"expanded size|shape mismatch|must match"):
        x[0] = lamina.ones(4)
    with pytest.raises((RuntimeError, IndexError), match=r"shape mismatch|must match"):
        x[lamina.tensor([0, 1])] = lamina.ones(2, 4)
    assert x.sum().item() == 0


def test_gather_is_the_inverse_of_scatter() -> None:
    order = lamina.tensor([[2, 0, 1], [1, 2, 0]])
    x = lamina.tensor([[1.0, 2, 3], [4, 5, 6]])
    scattered = lamina.zeros(2, 3).scatter_(1, order, x)
    assert scattered.tolist() == [[2.0, 3.0, 1.0], [6.0, 4.0, 5.0]]
    assert lamina.equal(scattered.gather(1, order), x)
    assert lamina.zeros(2).scatter(0, lamina.tensor([1]), 5).tolist() == [0.0, 5.0]


def test_scatter_add_adds_repeats() -> None:
    counts = lamina.zeros(3).scatter_add_(0, lamina.tensor([0, 2, 2, 2]), lamina.ones(4))
    assert counts.tolist() == [1.0, 0.0, 3.0]


def test_bools_added_at_one_place_are_true() -> None:
    index, source = lamina.tensor([0, 0, 1]), lamina.ones(3, dtype=lamina.bool)
    nothing = lamina.zeros(3, dtype=lamina.bool)
    for added in (
        nothing.scatter_add(0, index, source),
        nothing.scatter_reduce(0, index, source, "sum"),
        nothing.index_add(0, index, source),
        nothing.index_put((index,), source, accumulate=True),
    ):
        assert added.numpy().view(np.uint8).tolist() == [1, 1, 0]


@pytest.mark.parametrize("places", [3, 4096, 4097])
@pytest.mark.parametrize("entries", [70, 70_001])
def test_scatter_add_of_whole_numbers_is_shared_and_wraps_around(places: int, entries: int) -> None:
    random = np.random.default_rng(places)
    index, source = random.integers(0, places, entries), random.integers(-(2**63), 2**63 - 1, entries)
    expected = np.arange(places)
    np.add.at(expected, index, source)
    before = lamina.get_num_threads()
    try:
        for threads in (1, 2, 3):
            lamina.set_num_threads(threads)
            table = lamina.arange(places).scatter_add(0, lamina.tensor(index), lamina.tensor(source))
            np.testing.assert_array_equal(table.numpy(), expected)
    finally:
        lamina.set_num_threads(before)


def test_scatter_add_is_the_same_every_time() -> None:
    rng = np.random.default_rng(0)
    index = lamina.tensor(rng.integers(0, 50, 200_000))
    source = lamina.tensor(rng.normal(size=200_000).astype(np.float32))
    sums = [lamina.zeros(50).scatter_add(0, index, source).numpy() for _ in range(3)]
    np.testing.assert_array_equal(sums[0], sums[1])
    np.testing.assert_array_equal(sums[0], sums[2])
    wanted = np.zeros(50)
    np.add.at(wanted, index.numpy(), source.numpy().astype(np.float64))
    np.testing.assert_allclose(sums[0], wanted, atol=1e-2)


def test_nonzero_as_tuple_and_where_of_one() -> None:
    x = lamina.tensor([[0, 1], [2, 0]])
    rows, columns = x.nonzero(as_tuple=True)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])
    assert [part.tolist() for part in lamina.where(x > 0)] == [[0, 1], [1, 0]]
    assert x[rows, columns].tolist() == [1, 2]


def test_max_gradient_of_ties() -> None:
    """`max()` and `amax` share the gradient among ties; `max(dim)` gives it to the element it names."""
    x = lamina.tensor([2.0, 5.0, 5.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5]
    x.grad = None
    x.amax(0).backward()
    assert x.grad.tolist() == [0.0, 0.5, 0.5]
    x.grad = None
    values, index = x.max(0)
    values.backward()
    assert x.grad[index].item() == 1
    assert x.grad.sum().item() == 1


def test_sort_is_stable_and_puts_nan_last() -> None:
    values, order = lamina.sort(lamina.tensor([1.0, float("nan"), 0.0, 1.0]), stable=True)
    assert order.tolist() == [2, 0, 3, 1]
    assert lamina.isnan(values[3]).item()
    assert lamina.sort(lamina.tensor([3, 1, 2]), descending=True).values.tolist() == [3, 2, 1]


def test_a_list_of_more_than_numbers_is_read_as_a_tuple() -> None:
    x = lamina.arange(6).reshape(2, 3)
    for key in ([slice(0, 1), 1], [[0], [1]], [..., 1], [lamina.tensor([1]), lamina.tensor([2])]):
        with pytest.warns(UserWarning, match="non-tuple sequence"):
            assert x[key].tolist() == x[tuple(key)].tolist()  # type: ignore[index]
    assert x[[1, 0]].tolist() == [[3, 4, 5], [0, 1, 2]]


def test_byte_masks_are_deprecated() -> None:
    x = lamina.arange(3)
    mask = lamina.tensor([1, 0, 1], dtype=lamina.uint8)
    with pytest.warns(UserWarning, match=r"dtype torch\.uint8 is now deprecated"):
        assert x[mask].tolist() == [0, 2]
    with pytest.warns(UserWarning, match="deprecated"):
        x[mask] = 7
    assert x.tolist() == [7, 1, 7]


def test_several_bools_share_an_axis() -> None:
    x = lamina.ones(2, 3)
    assert (x[True, True].shape, x[True, False].shape, x[False, False].shape) == ((1, 2, 3), (0, 2, 3), (0, 2, 3))
    assert x[True, lamina.tensor([0, 1, 1])].shape == (3, 3)


def test_index_put_takes_its_own_type() -> None:
    x = lamina.zeros(3)
    with pytest.raises(RuntimeError, match="got Float for the destination and Double for the source"):
        x[lamina.tensor([0])] = lamina.ones(1, dtype=lamina.float64)
    with pytest.raises(RuntimeError, match="shape mismatch: value tensor of shape"):
        x[x > -1] = lamina.ones(2)
    x[x > -1] = lamina.tensor(2.0, dtype=lamina.float64)  # one mask, one number
    x[0:2] = lamina.ones(2, dtype=lamina.float64)
    x[lamina.tensor([0])] = 5
    assert x.tolist() == [5, 1, 2]


def test_an_index_error_names_the_place_in_the_subscript() -> None:
    x = lamina.zeros(2, 5, 10)
    for key, axis in (((4, 5), 0), ((0, 5), 1), ((0, 1, 15), 2), ((slice(None), slice(None), 12), 2)):
        with pytest.raises(IndexError, match=f"for dimension {axis}"):
            x[key]
    with pytest.raises(IndexError, match="for dimension with size 0"):
        lamina.empty(10, 0)[:, [0, 1]]


def test_views_of_nothing_have_strides() -> None:
    x = lamina.zeros(2, 3, 4, 5)[:, :, :, 1][:, 1:1]
    assert (x.stride(), x.is_contiguous()) == ((60, 20, 5), True)


def test_bools_have_no_means() -> None:
    flags, index = lamina.tensor([True, False]), lamina.tensor([0, 0])
    assert flags.scatter_reduce(0, index, flags, "sum").tolist() == [True, False]
    with pytest.raises(NotImplementedError, match="\"scatter_reduce\" not implemented for 'Bool'"):
        flags.scatter_reduce(0, index, flags, "mean")
    with pytest.raises(NotImplementedError, match="\"index_reduce\" not implemented for 'Bool'"):
        flags.index_reduce(0, index, flags, "amax")
