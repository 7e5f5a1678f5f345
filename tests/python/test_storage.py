"""Storages: the memory under tensors, and tensors that take on other memory."""

from __future__ import annotations

import copy
import gc
import io
import multiprocessing
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.storage.typed import typed_storage

pytestmark = pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")


def test_set_shares_memory_and_leaves_views_behind() -> None:
    x, y = lamina.ones(3), lamina.zeros(2, 2)
    view = x[1:]
    x.set_(y)
    x += 1
    assert (x.shape, x.tolist(), y.tolist()) == ((2, 2), [[1, 1], [1, 1]], [[1, 1], [1, 1]])
    y[0, 0] = 5
    view.fill_(7)
    assert (x[0, 0], view.tolist(), x.is_set_to(y)) == (5, [7, 7], True)
    assert (x._version, y._version) == (2, 1)  # each counts its own changes
    assert x.set_().tolist() == []
    assert y.tolist() == [[5, 1], [1, 1]]


def test_set_to_a_part_of_a_storage() -> None:
    y = lamina.arange(10.0)
    x = lamina.empty(0).set_(y.untyped_storage(), 1, (2, 2), (4, 2))
    assert (x.tolist(), x.stride(), x.storage_offset()) == ([[1, 3], [5, 7]], (4, 2), 1)
    x[1] = 0
    rows = lamina.empty(0).set_(source=y.storage(), storage_offset=4, size=(2, 3))
    assert rows.tolist() == [[4, 0, 6], [0, 8, 9]]
    turned = lamina.empty(0).set_(y, 4, (3, 2), (1, 3))
    assert (turned.tolist(), turned.stride()) == ([[4, 0], [0, 8], [6, 9]], (1, 3))
    turned.fill_(1)
    assert y.tolist() == [0, 1, 2, 3, *[1] * 6]
    assert lamina.empty(0).set_(y[3:].untyped_storage()).shape == (10,)


def test_pending_numbers_are_set_as_well() -> None:
    x, y = lamina.rand(3), lamina.rand(3)
    a, b = x * 2, y + 1
    a.set_(b)
    b.mul_(3)
    assert a.tolist() == ((y + 1) * 3).tolist()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((lamina.ones(2).double(),), RuntimeError, "Could not set tensor of type double to a tensor of type float"),
        (
            (typed_storage(lamina.UntypedStorage(8), lamina.int32),),
            RuntimeError,
            "Expected a Storage of type float .* got type Int",
        ),
        ((lamina.UntypedStorage(8), 1, (2,)), RuntimeError, "out of bounds for storage of size 8"),
        ((lamina.ones(2), -1, (2,)), RuntimeError, "invalid storage offset -1"),
        ((lamina.ones(2), 0, (2,), (1, 1)), RuntimeError, "unequal size length"),
        ((lamina.ones(2), 1), TypeError, "invalid combination of arguments"),
        ((None,), TypeError, "invalid combination of arguments"),
        (([1, 2],), TypeError, "invalid combination of arguments"),
    ],
)
def test_set_refuses(arguments: tuple[object, ...], error: type[Exception], match: str) -> None:
    x = lamina.ones(3)
    with pytest.raises(error, match=match):
        x.set_(*arguments)
    assert x.tolist() == [1, 1, 1]
    assert x._version == 0


def test_a_leaf_that_is_set_is_a_leaf_of_a_new_graph() -> None:
    x = lamina.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        x.set_(lamina.zeros(2))
    before = (3 * x).sum()
    with lamina.no_grad():
        x.set_(lamina.tensor([1.0, 5.0]))
    assert x.is_leaf
    with pytest.raises(RuntimeError, match="to not have been used in the graph"):
        lamina.autograd.grad(before, x, retain_graph=True)
    before.backward()
    (x * x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [5, 13]
    weight = nn.Parameter(lamina.ones(4))
    for size in (3, 2):
        with lamina.no_grad():
            weight.set_(weight[1:])
        weight.grad = None
        lamina.cat((weight, weight)).sum().backward()
        assert weight.grad is not None
        assert weight.grad.tolist() == [2] * size


def test_saved_numbers_of_a_tensor_that_was_set_are_missed() -> None:
    w = lamina.ones(3, requires_grad=True)
    x = lamina.ones(3)
    loss = (x * w).sum()
    x.set_(lamina.zeros(3))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    loss = (x * w).sum()
    x.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    computed = w * 2
    computed.set_(lamina.zeros(3))
    with pytest.raises(RuntimeError, match="derivative for set_ is not implemented"):
        computed.sum().backward()


def test_changes_through_data_count_for_it_alone() -> None:
    x = lamina.ones(3)
    data = x.data
    part = data[1:]
    part.add_(1)
    x.add_(1)
    assert (x._version, data._version, part._version) == (1, 1, 1)
    assert (data._base, data._is_view(), x.tolist()) == (None, False, [2, 3, 3])


def test_data_is_shared_when_assigned() -> None:
    x, y = lamina.ones(2, requires_grad=True), lamina.zeros(2)
    before = 2 * x
    x.data = y
    y.add_(1)
    x.data.add_(1)
    assert (x.tolist(), y.tolist(), x._version, x.is_leaf) == ([2, 2], [2, 2], 0, True)
    (before + x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [3, 3]


def test_storage_is_one_object_while_it_lives() -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    storage = x.untyped_storage()
    assert x[1:].untyped_storage() is storage
    assert (len(storage), storage[3], storage[-1], bytes(storage[4:8])) == (24, 0, 64, b"\x00\x00\x80?")
    storage[4:8] = 0
    assert x[0, 1] == 0
    del x
    gc.collect()
    y = lamina.empty(0).set_(storage)
    assert y.tolist() == [0, 0, 2, 3, 4, 5]
    assert y.untyped_storage() is storage
    del storage, y
    for _ in range(100):  # a memory's number may be given to another one
        assert lamina.ones(2).untyped_storage().tolist() == [0, 0, 128, 63] * 2


def test_bytes_seen_as_other_types() -> None:
    x = lamina.tensor([1.0, 2.0])
    words = lamina.empty(0, dtype=lamina.int16).set_(x.untyped_storage())
    wide = lamina.empty(0, dtype=lamina.float64).set_(x.untyped_storage())
    ints = lamina.empty(0, dtype=lamina.int32).set_(x.untyped_storage(), 1, (1,))
    assert (words.tolist(), ints.tolist()) == ([0, 0x3F80, 0, 0x4000], [0x40000000])
    words[1] = 0
    x[1] = 3
    assert (x.tolist(), words.tolist(), ints.tolist()) == ([0, 3], [0, 0, 0, 0x4040], [0x40400000])
    assert wide.tolist() == np.array([0, 3], np.float32).view(np.float64).tolist()
    ints.zero_()
    assert x.tolist() == [0, 0]
    del words, ints
    free = lamina.UntypedStorage(8)
    halves = lamina.empty(0, dtype=lamina.int16).set_(free)
    wide = lamina.empty(0, dtype=lamina.int64).set_(free)
    del halves
    other = lamina.empty(0, dtype=lamina.int32).set_(free)  # another tensor shows the bytes: they stay where they are
    other.fill_(1)
    assert wide.item() == (1 << 32) + 1
    bits = x.view(lamina.int32).as_strided((2,), (1,))
    bits.fill_(0x3F800000)
    assert x.tolist() == [1, 1]


def test_storages_without_a_tensor() -> None:
    numbers = lamina.FloatStorage([1, 2, 3])
    assert (numbers.tolist(), numbers.nbytes(), numbers.type(), len(numbers)) == (
        [1, 2, 3],
        12,
        "torch.FloatStorage",
        3,
    )
    assert isinstance(numbers, lamina.FloatStorage)
    assert not isinstance(numbers, lamina.IntStorage)
    tensor = lamina.FloatTensor(numbers)
    tensor[0] = 9
    assert (numbers[0], numbers.resizable()) == (9, False)
    with pytest.raises(RuntimeError, match="not resizable"):
        numbers.resize_(5)
    del tensor
    assert numbers.resize_(4).tolist() == [9, 2, 3, 0]
    assert lamina.Storage is lamina.FloatStorage
    shared = lamina.tensor(numbers)
    shared += 1
    assert numbers.tolist() == [10, 3, 4, 1]
    with pytest.raises(RuntimeError, match="Expected a Storage of type float"):
        lamina.tensor(lamina.IntStorage([1, 2]))
    assert lamina.IntStorage([-1, 2]).byte().tolist() == [255, 2]
    assert lamina.UntypedStorage([1, 300]).tolist() == [1, 44]
    assert repr(lamina.UntypedStorage(1)) == " 0\n[torch.storage.UntypedStorage(device=cpu) of size 1]"
    assert lamina.ShortStorage.from_buffer(b"\1\2\3\4", "big").tolist() == [258, 772]
    assert lamina.BoolStorage.from_buffer(b"\0\7").tolist() == [False, True]
    assert lamina.TypedStorage(wrap_storage=lamina.UntypedStorage(8), dtype=lamina.int16).size() == 4


def test_copies_share_what_their_originals_share() -> None:
    x = lamina.ones(2, 3)
    tensor, row, storage = copy.deepcopy((x, x[1], x.storage()))
    tensor += 1
    assert (row.tolist(), storage.tolist(), x.tolist()[1]) == ([2, 2, 2], [2] * 6, [1, 1, 1])
    tensor, row, block, turned = copy.deepcopy((x, x[1], x.untyped_storage(), x.t()))
    turned.mul_(3)
    assert (row.tolist(), tensor.tolist(), block[2:4].tolist()) == ([3] * 3, [[3] * 3] * 2, [64, 64])
    assert not tensor._is_view()
    assert pickle.loads(pickle.dumps(storage)).tolist() == [2] * 6


@pytest.mark.parametrize("zipped", [True, False])
def test_storages_in_files(zipped: bool) -> None:
    x = lamina.arange(6.0).reshape(2, 3)
    content = io.BytesIO()
    lamina.save([x, x.storage(), x.t(), x[1:]], content, _use_new_zipfile_serialization=zipped)
    content.seek(0)
    whole, storage, turned, row = lamina.load(content)
    whole.fill_(2)
    assert (storage.tolist(), turned.stride(), row.tolist()) == ([2] * 6, (1, 3), [[2, 2, 2]])
    assert (whole._is_view(), storage.dtype) == (False, lamina.float32)
    lamina.save(lamina.UntypedStorage([1, 2]), content := io.BytesIO())
    content.seek(0)
    assert lamina.load(content).tolist() == [1, 2]


def test_arrays_with_gaps_have_no_storage() -> None:
    array = np.arange(6.0).reshape(2, 3)[:, :2]
    x = lamina.from_numpy(array)
    with pytest.raises(RuntimeError, match="has no storage"):
        x.untyped_storage()
    lamina.save([x, x[1]], content := io.BytesIO())
    content.seek(0)
    whole, row = lamina.load(content)
    assert (whole.tolist(), row.tolist(), copy.deepcopy(x).tolist()) == ([[0, 1], [3, 4]], [3, 4], array.tolist())
    reversed_axes = lamina.from_numpy(np.arange(6.0).reshape(2, 3).T)
    assert reversed_axes.storage().tolist() == [0, 1, 2, 3, 4, 5]


def test_file_names(tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    np.arange(4, dtype=np.float32).tofile(path)
    shared = lamina.from_file(str(path), shared=True, size=4)
    assert (shared.storage().filename, shared.is_shared()) == (str(path), True)
    storage = lamina.FloatStorage.from_file(str(path), True, 4)
    storage[0] = 5
    assert shared[0] == 5
    assert lamina.from_file(str(path), size=4).untyped_storage().filename is None
    assert lamina.ones(1).storage().filename is None


def _train(net: nn.Module) -> None:
    optimizer = lamina.optim.SGD(net.parameters(), lr=1.0)
    net(lamina.ones(1, 2)).sum().backward()
    optimizer.step()


def test_processes_share_memory() -> None:
    net = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1, momentum=1.0))
    view = net[0].weight.detach()
    assert not view.is_shared()
    before = [p.tolist() for p in net.parameters()]
    assert net.share_memory() is net
    assert all(tensor.is_shared() for tensor in (view, *net.parameters(), *net.buffers()))
    assert [p.tolist() for p in net.parameters()] == before
    net.eval()
    process = multiprocessing.get_context("fork").Process(target=_train, args=(net,))
    process.start()
    process.join()
    assert process.exitcode == 0
    scale = before[1][0]
    assert net[0].weight.tolist() == view.tolist() != before[0]
    np.testing.assert_allclose(np.array(before[2]) - net[1].weight.tolist(), np.sum(before[0]) + scale, rtol=1e-4)


def test_spawned_processes_do_not_get_shared_memory() -> None:
    x = lamina.ones(2).share_memory_()
    process = multiprocessing.get_context("spawn").Process(target=print, args=(x,))
    with pytest.raises(RuntimeError, match="forked processes only"):
        process.start()


def test_on_meta_a_storage_has_a_size_and_no_bytes() -> None:
    x = lamina.ones(4, 5, device="meta")
    storage = x.untyped_storage()
    assert storage is x[1:].untyped_storage()
    assert (storage.nbytes(), storage.device.type, storage.data_ptr()) == (80, "meta", 0)
    assert lamina.empty(0, device="meta").set_(storage, 5, (3, 5)).shape == (3, 5)
    assert repr(storage) == "...\n[torch.storage.UntypedStorage(device=meta) of size 80]"
    own = lamina.UntypedStorage([1, 2, 3], device="meta")
    own[0] = 1  # is not kept
    own.fill_(2)
    assert own.resize_(8).clone().nbytes() == 8
    assert not own.is_shared()
    own.copy_(lamina.UntypedStorage(8))
    for look in (own.tolist, lambda: own[0], lambda: list(own), lambda: bytes(own)):
        with pytest.raises(NotImplementedError, match="Not available for 'meta' device type"):
            look()
    for copy_out in (own.cpu, lambda: lamina.UntypedStorage(8).copy_(own)):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            copy_out()
    with pytest.raises(RuntimeError, match="only available on CPU"):
        own.share_memory_()
    with pytest.raises(RuntimeError, match="the devices must match"):
        lamina.empty(0).set_(storage)


@pytest.mark.parametrize("dtype", [lamina.bfloat16, lamina.complex32, lamina.complex64], ids=str)
def test_bytes_are_shown_as_types_that_numpy_may_not_know(dtype: Any) -> None:
    storage = lamina.UntypedStorage(16)
    shown = lamina.empty(0, dtype=dtype).set_(storage)
    assert shown.dtype == dtype
    shown.fill_(1)
    assert list(storage) == list(lamina.ones(16 // dtype.itemsize, dtype=dtype).untyped_storage())
    strided = shown.as_strided((2,), (1,))
    assert strided.dtype == dtype
    strided[0] = 2
    assert lamina.equal(strided.cfloat(), lamina.tensor([2, 1]).cfloat())


def test_memory_that_a_running_plan_reads_is_not_given_out() -> None:
    m = lamina.rand(900, 900) / 900
    expected = m @ m + m * 3
    lamina.flush()
    for _ in range(3):
        x = m * 3
        lamina.flush()
        about_to_run = threading.Event()
        results: list[lamina.Tensor] = []

        def run(
            x: lamina.Tensor = x,
            about_to_run: threading.Event = about_to_run,
            results: list[lamina.Tensor] = results,
        ) -> None:
            results.append(m @ m + x)
            about_to_run.set()
            lamina.flush()

        thread = threading.Thread(target=run)
        thread.start()
        about_to_run.wait()
        x.share_memory_()  # moves x's numbers elsewhere
        others = m * 7  # where they were, if that memory is free
        lamina.flush()
        thread.join()
        lamina.testing.assert_close(results[0], expected)
        del others
