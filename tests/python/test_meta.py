"""The device meta: of operands without numbers, functions give what they give of others, but for the numbers."""

from __future__ import annotations

import copy
import io
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import test_functions
import test_nn_functional
import test_nn_layers
from function_samples import ROWS, Row
from nn_samples import Sample

import lamina
from lamina import Tensor, nn
from lamina.nn import functional as F

from op_samples import OPS, Op, draw, to_tensor

# The shape of their result depends on numbers; or, as with masked_scatter, how they compute it here.
pytestmark = pytest.mark.filterwarnings(r"ignore:torch\.\w+ is deprecated")
REFUSED = {"argwhere", "bincount", "histogram", "histogramdd", "masked_scatter", "masked_select", "nonzero"}
REFUSED |= {"unique", "unique_consecutive"}
REFUSED |= {"linalg.lstsq"}  # how many residuals there are


def _moved(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_moved, value))
    if not isinstance(value, Tensor):
        return value
    there = value.detach().to("meta")
    return there.requires_grad_(value.requires_grad)


def _flat(value: Any) -> list[Any]:
    return [part for v in value for part in _flat(v)] if isinstance(value, (list, tuple)) else [value]


def _seen(value: Any) -> list[Any]:
    """All that can be seen of tensors but their numbers and where they are."""
    return [
        (tuple(x.shape), x.dtype, x.stride(), x.requires_grad, x.grad_fn and x.grad_fn.name())
        if isinstance(x, Tensor)
        else type(x)
        for x in _flat(value)
    ]


def _check(call: Callable[..., Any], operands: Any, backward: bool = True) -> None:
    """Of operands on meta, the result and the gradients are on meta, and look like those of the same on the CPU."""
    there = _moved(operands)
    state = lamina.get_rng_state()
    got = call(*there)
    assert lamina.equal(lamina.get_rng_state(), state)
    wanted = call(*operands)
    assert _seen(got) == _seen(wanted)
    assert all(x.is_meta for x in _flat(got) if isinstance(x, Tensor))
    for results in (got, wanted):
        roots = [x for x in _flat(results) if isinstance(x, Tensor) and x.requires_grad]
        if backward and roots:
            lamina.autograd.backward([x.sum() for x in roots])
    leaves = [(x, y) for x, y in zip(_flat(there), _flat(operands), strict=True) if isinstance(x, Tensor)]
    for x, y in leaves:
        assert (x.grad is None) == (y.grad is None)
        if x.grad is not None:
            assert x.grad.is_meta
            assert _seen(x.grad) == _seen(y.grad)


def _refuses(call: Callable[..., Any], operands: Any) -> None:
    with pytest.raises((NotImplementedError, RuntimeError, TypeError), match=r"meta"):
        call(*_moved(operands))


@pytest.mark.parametrize("op", OPS, ids=[op.name for op in OPS])
def test_ops(op: Op) -> None:
    rng = np.random.default_rng(0)
    for item in op.cases:
        if item.large or not item.operands:
            continue
        dtypes = ("float16", "float64", "int8") if op.name == "add" else op.dtypes
        for dtype in dtypes[:1] + dtypes[-1:]:
            operands = [to_tensor(array, requires_grad=op.differentiable) for array in draw(rng, op, item, dtype)]
            (_refuses if op.name in REFUSED else _check)(lambda *x, item=item: op.invoke(x, item), operands)


@pytest.mark.parametrize("row", ROWS, ids=test_functions._ids(list(ROWS)))
def test_functions_of_the_table(row: Row) -> None:
    args = test_functions._tensors(list(row.args), grad=row.gradient)
    if not any(isinstance(x, Tensor) for x in _flat(args)):
        return
    refused = row.name in REFUSED
    if row.name == "repeat_interleave":  # by counts that nobody knows
        refused = len(args) == 1 or isinstance(args[1], Tensor)
    (_refuses if refused else _check)(lambda *x: test_functions._function(row.name)(*x, **row.kwargs), args)


@pytest.mark.parametrize("sample", test_nn_functional.SAMPLES, ids=lambda s: s.name)
def test_nn_functions(sample: Sample) -> None:
    inputs = test_nn_functional.tensors(sample)
    if sample.name.endswith("_"):
        inputs = [x.detach() for x in inputs]
    _check(lambda *x: test_nn_functional.call(sample, *x), inputs)


@pytest.mark.parametrize(
    ("module", "inputs", "function", "printed"), test_nn_layers.LAYERS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_layers(module: nn.Module, inputs: tuple[Any, ...], function: Any, printed: str) -> None:
    there = copy.deepcopy(module).to("meta")
    state = lamina.get_rng_state()
    got = there(*_moved(inputs))
    assert lamina.equal(lamina.get_rng_state(), state)
    wanted = copy.deepcopy(module)(*copy.deepcopy(inputs))
    assert _seen(got) == _seen(wanted)


META = lamina.empty(3, 4, device="meta")
ONES = lamina.ones(3, 4)


def test_factories_make_no_numbers_and_take_none() -> None:
    state = lamina.get_rng_state()
    for x in (
        lamina.empty(10**6, 10**6, device="meta"),
        lamina.zeros((10**6, 10**6), device=lamina.device("meta")),
        lamina.full((10**6, 10**6), 2.0, device="meta"),
        lamina.rand(10**6, 10**6, device="meta"),
        lamina.randn(10**6, 10**6, device="meta:0"),
        lamina.eye(10**6, device="meta"),
        lamina.arange(10**12, device="meta").reshape(10**6, 10**6).float(),
        lamina.linspace(0, 1, 10**12, device="meta").view(10**6, 10**6),
        lamina.randint(5, (10**6, 10**6), device="meta").float(),
        lamina.randperm(10**12, device="meta").unflatten(0, (10**6, 10**6)).float(),
    ):
        assert (x.device, x.is_meta, x.is_cpu, x.dtype) == (lamina.device("meta"), True, False, lamina.float32)
        assert (x @ x.T + 1).sum(0).shape == (10**6,)
    assert lamina.equal(lamina.get_rng_state(), state)
    assert lamina.tensor([[1, 2]], device="meta").dtype == lamina.int64
    assert lamina.as_tensor(ONES, device="meta").shape == ONES.shape
    assert (META.new_zeros(2).is_meta, META.new_ones(2, device="cpu").is_meta) == (True, False)
    assert (lamina.zeros_like(META).is_meta, lamina.rand_like(ONES, device="meta").is_meta) == (True, True)


def test_moving() -> None:
    x = lamina.rand(4, 3).t().requires_grad_()
    there = x.to("meta", lamina.float64)
    assert _seen(there)[0][:4] == ((3, 4), lamina.float64, (1, 3), True)
    assert (META.to("meta") is META, ONES.to("cpu") is ONES, ONES.to(META).is_meta) == (True, True, True)
    for leave in (lambda: META.cpu(), lambda: META.to("cpu"), lambda: META.to(ONES), lambda: ONES.clone().copy_(META)):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor; no data!"):
            leave()
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        there.sum().backward()
    assert META.clone().copy_(ONES).is_meta


def test_numbers_are_refused() -> None:
    one = META.sum()
    for look in (lambda: one.item(), lambda: bool(one > 0), lambda: float(one), lambda: lamina.arange(3)[one.long()]):
        with pytest.raises(RuntimeError, match=r"Tensor\.item\(\) cannot be called on meta tensors"):
            look()
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor; no data!"):
        META.tolist()
    for array in (META.numpy, META.__array__, lambda: np.asarray(META)):
        with pytest.raises(TypeError, match="can't convert meta device type tensor to numpy"):
            array()
    with pytest.raises(NotImplementedError, match="Cannot copy out"):
        META.numpy(force=True)
    assert META.data_ptr() == 0


@pytest.mark.parametrize(
    "mixed",
    [
        lambda: META + ONES,
        lambda: ONES * META[0, 0],
        lambda: META @ ONES.T,
        lambda: lamina.cat([ONES, META]),
        lambda: lamina.where(META > 0, META, ONES),
        lambda: META.clone().add_(ONES),
        lambda: ONES.clone().mul_(META),
        lambda: lamina.add(ONES, ONES, out=META.clone()),
        lambda: ONES[META[0].long()],
        lambda: F.linear(META, ONES),
    ],
)
def test_devices_do_not_mix(mixed: Callable[[], Any]) -> None:
    with pytest.raises(RuntimeError, match=r"all tensors to be on the same device.*is not on the expected device"):
        mixed()


def test_what_may_be_anywhere() -> None:
    two = lamina.tensor(2.0)
    assert (two * META + two).is_meta
    assert META[lamina.tensor([0, 2])].shape == (2, 4)
    assert F.embedding(lamina.tensor([[0, 1]]), META).shape == (1, 2, 4)


def test_in_place_and_views() -> None:
    x = lamina.zeros(3, 4, device="meta")
    row = x[0]
    row.fill_(1).add_(2).normal_().clamp_(0)
    x[:, 1] = 3.0
    x[lamina.tensor([0, 1])] = ONES[:2]
    x[1:].copy_(ONES[1:])
    x.uniform_().bernoulli_(0.5).random_().zero_()
    assert (row.is_meta, row._base is x, row.stride(), x.T.stride()) == (True, True, (1,), (1, 4))
    assert x._version == row._version > 0
    with pytest.raises(NotImplementedError):
        ONES.clone()[0] = row


def test_gradients_are_meta() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.LazyLinear(2))
    net.to("meta")
    optimizer = lamina.optim.Adam(net.parameters())
    for _ in range(2):
        loss = F.cross_entropy(net(lamina.rand(5, 3, 8, 8, device="meta")), lamina.zeros(5, device="meta").long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(p.grad is not None and p.grad.is_meta and p.grad.shape == p.shape for p in net.parameters())
    assert optimizer.state_dict()["state"][0]["exp_avg"].is_meta
    x = lamina.rand(3, device="meta", requires_grad=True)
    with pytest.raises(RuntimeError, match="invalid gradient at index 0 - expected device meta but got cpu"):
        (x * 2).backward(lamina.ones(3))
    with pytest.raises(RuntimeError, match="device type 'cpu' to a tensor with device type 'meta'"):
        x.grad = lamina.ones(3)
    with pytest.raises(RuntimeError, match="incompatible tensor type"):
        x.data = lamina.ones(3)


def test_default_device() -> None:
    meta = lamina.device("meta")
    with meta:
        assert (lamina.ones(2).device, lamina.get_default_device(), lamina.tensor([1]).is_meta) == (meta, meta, True)
        assert nn.Linear(2, 3).weight.is_meta
        assert not any(x.is_meta for x in (lamina.ones(2, device="cpu"), ONES.new_zeros(2), lamina.Tensor(2), ONES + 1))
        with lamina.device("cpu"), meta, meta:
            assert lamina.rand(2).is_meta
        assert lamina.rand(2).is_meta
    assert not lamina.ones(2).is_meta
    lamina.set_default_device("meta")
    try:
        assert lamina.ones(2).is_meta
        with lamina.device("cpu"):
            assert not lamina.ones(2).is_meta
    finally:
        lamina.set_default_device(None)
    assert lamina.get_default_device() == lamina.device("cpu")


def test_modules_leave_meta_by_to_empty() -> None:
    net = nn.utils.skip_init(nn.Linear, 2, 3, device="meta")
    kept = net.weight
    with pytest.raises(NotImplementedError, match=r"Please use torch\.nn\.Module\.to_empty\(\) instead of"):
        net.to("cpu")
    with pytest.raises(NotImplementedError, match="Cannot copy out"):
        net.cpu()
    assert net.double().weight is kept
    net.to_empty(device="cpu")
    assert net.weight is not kept
    assert (type(net.weight), net.weight.device.type, net.weight.dtype) == (nn.Parameter, "cpu", lamina.float64)
    assert net.to("meta").to_empty(device="meta").bias.is_meta
    lazy = nn.LazyLinear(3).to("meta")
    assert lazy(lamina.empty(4, 5, device="meta")).shape == (4, 3)
    for fill in (nn.init.orthogonal_, nn.init.xavier_normal_, nn.init.trunc_normal_, nn.init.eye_, nn.init.dirac_):
        x = lamina.empty(2, 3, *[3] * (fill is nn.init.dirac_), device="meta")
        assert fill(x) is x


def test_state_dicts() -> None:
    net, there = nn.Linear(2, 3, bias=False), nn.Linear(2, 3, bias=False, device="meta")
    with pytest.warns(UserWarning, match="for weight: copying from a non-meta parameter in the checkpoint to a meta"):
        there.load_state_dict(net.state_dict())
    assert there.weight.is_meta
    with pytest.raises(RuntimeError, match=r'While copying the parameter named "weight".*Cannot copy out of meta'):
        net.load_state_dict(there.state_dict())
    there.load_state_dict(net.state_dict(), assign=True)
    assert lamina.equal(there(lamina.ones(2)), net(lamina.ones(2)))
    assert there.weight.requires_grad


def test_printing_copying_and_saving() -> None:
    x = lamina.empty(2, 3, device="meta", dtype=lamina.int64)
    assert repr(x) == "tensor(..., device='meta', size=(2, 3), dtype=torch.int64)"
    y = lamina.empty(3, 2, device="meta", requires_grad=True)
    assert repr(y.T) == "tensor(..., device='meta', size=(2, 3), grad_fn=<PermuteBackward0>)"
    assert f"{lamina.empty((), device='meta')}" == "tensor(..., device='meta', size=())"
    assert y.type() == "torch.meta.FloatTensor"
    part = lamina.empty(4, 5, device="meta")[:, 1:3]
    file = io.BytesIO()
    lamina.save([x, y, part, nn.Linear(2, 2, device="meta").state_dict()], file)
    file.seek(0)
    for again in (pickle.loads(pickle.dumps([x, y, part])), copy.deepcopy([x, y]), lamina.load(file)[:3]):
        assert _seen(again) == _seen([x, y, part][: len(again)])
        assert all(z.is_meta for z in again)
    file = io.BytesIO()
    lamina.save({"a": ONES.T, "b": nn.Parameter(lamina.ones(2))}, file)
    file.seek(0)
    loaded = lamina.load(file, map_location="meta")
    assert _seen([loaded["a"], loaded["b"]]) == _seen([ONES.T, nn.Parameter(lamina.ones(2))])
    assert (loaded["a"].is_meta, loaded["b"].is_meta) == (True, True)


def test_long_chains_are_freed() -> None:
    x = lamina.zeros(3, device="meta")
    counts = set()
    for _ in range(1000):
        x = x[:2].exp() + 1
        counts.add(lamina.memory_stats()["live_values"])
    assert len(counts) < 5


def test_a_copy_of_a_subclass_has_what_its_slots_hold() -> None:
    class Wrapper(Tensor):
        __slots__ = ("inside",)
        inside: Tensor

    x = Tensor._make_subclass(Wrapper, ONES.to("meta"))
    x.inside = ONES
    twin = copy.deepcopy(x)
    assert (type(twin), twin.is_meta, twin.inside.tolist()) == (Wrapper, True, ONES.tolist())
    assert twin.inside is not ONES
