"""Views share memory with their base, whatever is recorded in between and whoever writes first."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn


def test_select_writes_to_base() -> None:
    x = lamina.zeros(2, 3)
    y = x[0]
    y.add_(1)
    assert x.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]
    x.mul_(5)
    assert y.tolist() == [5.0, 5.0, 5.0]


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("view", lambda x: x.view(3, 4)),
        ("view to bytes of same size", lambda x: x.view(-1)),
        ("reshape", lambda x: x.reshape(2, 6)),
        ("flatten", lambda x: x.flatten()),
        ("transpose", lambda x: x.transpose(0, 1)),
        ("permute", lambda x: x.permute(1, 0)),
        ("T", lambda x: x.T),
        ("mT", lambda x: x.mT),
        ("t", lambda x: x.t()),
        ("squeeze", lambda x: x.squeeze()),
        ("unsqueeze", lambda x: x.unsqueeze(1)),
        ("slice", lambda x: x[1:, ::2]),
        ("integer", lambda x: x[1]),
        ("new axis", lambda x: x[None]),
        ("narrow", lambda x: x.narrow(1, 1, 2)),
        ("select", lambda x: x.select(1, 2)),
        ("split", lambda x: x.split(2, 1)[1]),
        ("chunk", lambda x: x.chunk(2)[0]),
        ("unbind", lambda x: x.unbind(1)[2]),
        ("detach", lambda x: x.detach()),
        ("data", lambda x: x.data),
        ("view_as", lambda x: x.view_as(lamina.zeros(12))),
        ("view of a view", lambda x: x.view(3, 4)[1:].t()[0]),
        ("contiguous of contiguous", lambda x: x.contiguous()),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_view_aliases(name: str, view) -> None:  # type: ignore[no-untyped-def]
    """Writes are seen both ways, also by a second view and with nothing flushed in between."""
    x = lamina.zeros(2, 6) if "view" in name or name == "reshape" else lamina.zeros(3, 4)
    y = view(x)
    other = view(x)
    y.add_(1)
    x.mul_(2)
    other.add_(lamina.ones(other.shape))
    count = y.numel()
    assert (y == 3).all()
    assert (other == 3).all()
    assert x.sum().item() == 3 * count


@pytest.mark.parametrize(
    "copied",
    [
        lambda x: x.clone(),
        lambda x: x.t().reshape(12),
        lambda x: x.t().contiguous(),
        lambda x: x[lamina.tensor([0, 1])],
        lambda x: x[x > -1],
        lambda x: x.double(),
        lambda x: lamina.cat([x]),
        lambda x: x + 0,
        lambda x: copy.deepcopy(x),
        lambda x: lamina.tensor(x.tolist()),
        lambda x: x.flip(0),
    ],
)
def test_copy_does_not_alias(copied) -> None:  # type: ignore[no-untyped-def]
    x = lamina.zeros(3, 4)
    copied(x).add_(1)
    assert x.sum().item() == 0


def test_view_refuses_what_it_cannot_alias() -> None:
    x = lamina.arange(6).view(2, 3)
    with pytest.raises(RuntimeError, match="view size is not compatible with input tensor's size and stride"):
        x.t().view(6)
    assert x.t().reshape(6).tolist() == [0, 3, 1, 4, 2, 5]
    assert x.t().view(3, 2, 1).shape == (3, 2, 1)
    assert x[:, :2].reshape(-1).tolist() == [0, 1, 3, 4]
    assert x.t().contiguous().view(6).tolist() == [0, 3, 1, 4, 2, 5]


def test_strides_and_contiguity() -> None:
    x = lamina.zeros(2, 3, 4)
    assert x.stride() == (12, 4, 1)
    assert x.stride(0) == 12
    assert x.is_contiguous()
    y = x.transpose(0, 2)
    assert y.stride() == (1, 4, 12)
    assert not y.is_contiguous()
    assert y.contiguous().stride() == (6, 2, 1)
    assert x[:, 1].stride() == (12, 1)
    assert x[1, 2].data_ptr() == x.data_ptr() + 80
    assert x[:, :, ::2].stride() == (12, 4, 2)
    assert lamina.zeros(3, 1).expand(3, 4).stride() == (1, 0)
    assert lamina.zeros(5).expand(2, 1, 5).stride() == (0, 5, 1)
    assert x[1].data_ptr() == x.data_ptr() + 48


def test_expand_reads_one_element_many_times() -> None:
    x = lamina.tensor([1.0, 2.0])
    wide = x.expand(3, 2)
    x[0] = 9
    assert wide.tolist() == [[9.0, 2.0]] * 3
    assert wide.contiguous().add_(1).sum().item() == 39


def test_data_writes_to_the_parameter() -> None:
    w = nn.Parameter(lamina.zeros(2, 2))
    w.data[:] += 1
    w.data[0, 0] = 42
    assert w.tolist() == [[42.0, 1.0], [1.0, 1.0]]
    assert w.requires_grad
    assert not w.data.requires_grad
    w.data = lamina.ones(3)
    assert w.shape == (3,)
    assert w.requires_grad


def test_data_of_layers() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    x = lamina.rand(2, 4)
    net(x)
    net[0].weight.data[:] += 1
    net[0].weight.data[0, 0] = 42
    assert net[0].weight.data[0, 0].item() == 42
    wanted = np.maximum(x.numpy() @ net[0].weight.detach().numpy().T + net[0].bias.detach().numpy(), 0)
    got = net[1](net[0](x)).detach().numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_tied_parameters_are_one() -> None:
    shared = nn.Linear(8, 8)
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1))
    assert len(list(net.parameters())) == 6
    net[2].weight.data[0, 0] = 100
    assert (net[2].weight.data[0] == net[4].weight.data[0]).all()
    net(lamina.rand(2, 4)).sum().backward()
    assert net[2].weight.grad is net[4].weight.grad


def test_shared_layer_adds_its_gradients() -> None:
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(3.0)
    layer(layer(lamina.tensor([[2.0]]))).sum().backward()
    assert layer.weight.grad.item() == 12.0


def test_detached_is_a_view_without_history() -> None:
    x = lamina.ones(2, requires_grad=True) * 2
    y = x.detach()
    assert not y.requires_grad
    assert y.grad_fn is None
    y.add_(1)
    assert x.tolist() == [3.0, 3.0]


def test_write_before_the_base_is_computed() -> None:
    """The base is still pending when the view is written."""
    a = lamina.arange(4.0)
    base = a * 2 + 1
    row = base[1:3]
    row.zero_()
    later = base * 10
    row.fill_(7)
    assert later.tolist() == [10.0, 0.0, 0.0, 70.0]
    assert base.tolist() == [1.0, 7.0, 7.0, 7.0]
    assert a.tolist() == [0.0, 1.0, 2.0, 3.0]


def test_reader_keeps_the_old_numbers() -> None:
    x = lamina.ones(3)
    y = x + 1
    x.fill_(100)
    z = x + 1
    assert y.tolist() == [2.0, 2.0, 2.0]
    assert z.tolist() == [101.0, 101.0, 101.0]


def test_view_outlives_its_base() -> None:
    x = lamina.arange(6).view(2, 3)
    row = x[1]
    del x
    row.add_(1)
    assert row.tolist() == [4, 5, 6]


def test_views_in_a_loop_write_every_row() -> None:
    x = lamina.zeros(5, 4)
    for i, row in enumerate(x):
        row += i
    assert x.sum(1).tolist() == [0.0, 4.0, 8.0, 12.0, 16.0]


def test_diagonal_walk_of_views() -> None:
    x = lamina.zeros(3, 3)
    flat = x.view(-1)
    flat[::4] = 1
    assert lamina.equal(x, lamina.eye(3))


def test_view_gradients_meet_in_the_base() -> None:
    x = lamina.arange(6.0, requires_grad=True)
    y = x.view(2, 3)
    (y[0].sum() * 2 + y.t()[2].sum() * 3 + x[4] * 5).backward()
    assert x.grad.tolist() == [2.0, 2.0, 5.0, 0.0, 5.0, 3.0]


def test_expanded_gradient_is_summed() -> None:
    x = lamina.tensor([[1.0], [2.0]], requires_grad=True)
    (x.expand(2, 3) * lamina.arange(6.0).view(2, 3)).sum().backward()
    assert x.grad.tolist() == [[3.0], [12.0]]


def test_zero_size_views() -> None:
    x = lamina.zeros(3, 0)
    assert x.view(0).shape == (0,)
    assert x.t().reshape(0, 5).shape == (0, 5)
    assert x[1:].add_(1).numel() == 0
    assert x.sum().item() == 0
    assert x.sum(0).tolist() == []
    assert x.sum(1).tolist() == [0.0, 0.0, 0.0]


_NO_GRAD = "A view was created in no_grad mode and is being modified inplace with grad mode enabled"
_SEVERAL = "is a view and is being modified inplace. This view is the output of a function that returns multiple views"


@pytest.mark.parametrize("cut", [lambda x: x.unbind(), lambda x: x.split(1), lambda x: x.chunk(2)])
def test_several_views_refuse_changes_with_a_history(cut: Any) -> None:
    base = lamina.ones(2, 2, requires_grad=True) * 1
    parts = cut(base)
    with pytest.raises(RuntimeError, match=f"Output 1 of (Split|Unbind) {_SEVERAL}"):
        parts[1].mul_(2)
    with pytest.raises(RuntimeError, match="returns multiple views"):
        parts[0].reshape(-1).mul_(2)
    with lamina.no_grad():
        parts[0].mul_(3)
    assert base.sum().item() == 8
    plain = lamina.zeros(2, 2)
    cut(plain)[0].add_(1)
    assert plain.sum().item() == 2
    with pytest.raises(RuntimeError, match="returns multiple views"):
        cut(plain)[0].add_(base[0])


def test_a_view_made_without_gradients_refuses_changes_with_them() -> None:
    base = lamina.ones(2, requires_grad=True) * 1
    with lamina.no_grad():
        view = base[:1]
        view.add_(1)
    with pytest.raises(RuntimeError, match=_NO_GRAD):
        view.add_(1)
    assert base.tolist() == [2.0, 1.0]
    plain = lamina.ones(2)
    with lamina.no_grad():
        view = plain[:1]
    view.add_(1)
    with pytest.raises(RuntimeError, match=_NO_GRAD):
        view.add_(base[:1])
    with lamina.inference_mode():
        view = base.view(-1)
    with pytest.raises(RuntimeError, match="created in inference mode and is being modified inplace in normal mode"):
        view.add_(1)


def test_copy_copy_is_the_same_memory() -> None:
    x = lamina.arange(3.0)
    x.tag = "mine"  # type: ignore[attr-defined]
    twin = copy.copy(x)
    assert twin is not x
    assert twin.tag == "mine"
    twin.fill_(7)
    assert x.tolist() == [7, 7, 7]
    weight = lamina.nn.Parameter(lamina.ones(2))
    same = copy.copy(weight)
    assert type(same) is lamina.nn.Parameter
    assert same.requires_grad
    with lamina.no_grad():
        same.mul_(3)
    assert weight.tolist() == [3, 3]
    computed = copy.copy(weight * 2)
    assert computed.is_leaf
    assert computed.requires_grad


def test_a_view_in_place_stays_guarded() -> None:
    base = lamina.ones(2, 3, requires_grad=True) * 1
    part = base.unbind()[0]
    with lamina.no_grad():
        part.unsqueeze_(0)
    assert part.shape == (1, 3)
    assert part.requires_grad
    with pytest.raises(RuntimeError, match="returns multiple views"):
        part.add_(1)
    with lamina.no_grad():
        view = base[:]
        view.as_strided_((2,), (3,), 1)
    with pytest.raises(RuntimeError, match=_NO_GRAD):
        view.add_(1)
    with lamina.inference_mode():
        base.t_()
    assert base.add_(1).tolist() == [[2, 2], [2, 2], [2, 2]]
    plain = lamina.arange(6.0)
    assert plain.as_strided_((2, 2), (3, 1)).tolist() == [[0.0, 1.0], [3.0, 4.0]]


def test_a_view_made_without_gradients_has_no_history_after_a_change_of_its_base() -> None:
    base = lamina.ones(2, requires_grad=True) * 1
    with lamina.no_grad():
        view = base[:1]
        view *= 2
    assert repr(view) == "tensor([2.], grad_fn=<Invalid>)"
    with pytest.raises(RuntimeError, match="its base or another view of its base has been modified inplace"):
        _ = view.grad_fn


def test_split_by_the_methods_keyword_and_the_functions() -> None:
    x = lamina.arange(6)
    assert [part.tolist() for part in x.split(split_size=4)] == [[0, 1, 2, 3], [4, 5]]
    assert [part.tolist() for part in x.split(split_size=[1, 5], dim=-1)] == [[0], [1, 2, 3, 4, 5]]
    assert [part.tolist() for part in lamina.split(x, split_size_or_sections=3)] == [[0, 1, 2], [3, 4, 5]]


def test_strided_views_of_a_leaf_that_was_detached_from_a_part() -> None:
    base = lamina.arange(6.0)
    leaf = base[1:5].reshape(2, 2).detach().requires_grad_()
    scalar = base[5].detach().requires_grad_()
    assert lamina.as_strided(scalar, (), ()).item() == 5
    view = leaf.as_strided((2, 2), (1, 2))
    assert view.tolist() == [[1, 3], [2, 4]]
    (view * lamina.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert leaf.grad.tolist() == [[1, 3], [2, 4]]
    assert leaf.as_strided((3,), (1,), 2).tolist() == [2, 3, 4]
    base.mul_(2)
    assert view.tolist() == [[2, 6], [4, 8]]
    for size, stride, offset in (((5,), (1,), 1), ((1,), (1,), 0)):
        with pytest.raises(RuntimeError, match=r"its own elements only.*clone\(\) it first"):
            leaf.as_strided(size, stride, offset)
    gaps = base.reshape(2, 3)[:, :2].detach().requires_grad_()
    with pytest.raises(RuntimeError, match="must be contiguous"):
        gaps.as_strided((2,), (1,))


def test_first_element_of_a_detached_part_as_a_strided_view() -> None:
    part = lamina.arange(6.0).view(2, 3).t()[1:].detach().requires_grad_()
    first = lamina.as_strided(part, (), ())
    assert first.item() == 1
    (first * 3).backward()
    assert part.grad is not None
    assert part.grad.tolist() == [[3, 0], [0, 0]]
    with pytest.raises(RuntimeError, match="detached from a part of another"):
        lamina.as_strided(part, (2,), (1,))


def test_strided_views_of_memory_as_another_type_end_where_it_ends() -> None:
    pairs = lamina.view_as_complex(lamina.arange(4.0).view(2, 2))
    assert pairs.as_strided((2,), (1,)).tolist() == [1j, 2 + 3j]
    parts = lamina.view_as_real(lamina.complex(lamina.arange(3.0), lamina.arange(3.0)))
    assert parts.as_strided((3,), (2,), 1).tolist() == [0.0, 1.0, 2.0]
    for view, size, offset in ((pairs, 3, 0), (pairs, 1, 2), (parts, 7, 0)):
        with pytest.raises(RuntimeError, match="out of bounds for storage of size"):
            view.as_strided((size,), (1,), offset)


def test_sizes_beyond_all_memory() -> None:
    x = lamina.arange(4.0)
    for size, stride, offset in (((5,), (2**62,), 0), ((2,), (1,), 2**63 - 1), ((2, 2), (2**62, 2**62), 0)):
        with pytest.raises(RuntimeError, match="Storage size calculation overflowed"):
            x.as_strided(size, stride, offset)
    assert [part.tolist() for part in x.chunk(2**63 - 1)] == [[0.0], [1.0], [2.0], [3.0]]
    for ends in ((-(2**63), 2**63 - 1, 1), (2**62, -(2**62), -1)):
        with pytest.raises(RuntimeError, match="overflow"):
            lamina.arange(*ends)
