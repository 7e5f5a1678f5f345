"""state_dict and load_state_dict: what is in it, what is copied, and that a failed load changes nothing."""

from __future__ import annotations

import gc
from collections import OrderedDict
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn


def numbers(module: nn.Module) -> list[Any]:
    return [value.detach().tolist() for value in module.state_dict().values()]


def test_keys_and_metadata() -> None:
    shared = nn.Linear(2, 3)
    net = nn.Sequential(shared, nn.Sequential(shared, nn.ReLU()))
    state = net.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1.0.weight", "1.0.bias"]
    assert list(state._metadata) == ["", "0", "1", "1.0", "1.1"]
    assert state._metadata["1.0"] == {"version": 1}
    assert list(shared.state_dict(prefix="p.")) == ["p.weight", "p.bias"]
    into: OrderedDict[str, Any] = OrderedDict(first=1)
    assert shared.state_dict(destination=into, prefix="z.") is into
    assert list(into) == ["first", "z.weight", "z.bias"]


def test_entries_share_storage_and_are_detached() -> None:
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert type(state["weight"]) is lamina.Tensor
    assert not state["weight"].requires_grad
    with lamina.no_grad():
        layer.weight[0, 0] = 42
    assert state["weight"][0, 0].item() == 42
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight


def test_buffers() -> None:
    module = nn.Module()
    module.register_buffer("kept", lamina.ones(1))
    module.register_buffer("scratch", lamina.ones(1), persistent=False)
    assert list(module.state_dict()) == ["kept"]
    module.register_buffer("scratch", lamina.ones(1))
    assert list(module.state_dict()) == ["kept", "scratch"]
    del module.scratch
    assert list(module.state_dict()) == ["kept"]


def test_arguments_by_position_are_deprecated() -> None:
    class Old(nn.Linear):
        def state_dict(self, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:  # type: ignore[override]
            return super().state_dict(destination, prefix, keep_vars)

    net = nn.Sequential(Old(2, 3))
    with pytest.warns(FutureWarning, match="Positional args are being deprecated") as caught:
        state = net.state_dict(keep_vars=True)
    assert [caught[0].filename, len(caught)] == [__file__, 1]
    assert list(state) == ["0.weight", "0.bias"]
    assert state["0.weight"] is net[0].weight
    with pytest.warns(FutureWarning):
        assert list(net[0].state_dict(None, "x.")) == ["x.weight", "x.bias"]


def test_load_copies_in_place_and_converts() -> None:
    layer = nn.Linear(2, 2)
    weight = layer.weight
    saved = {"weight": lamina.full((2, 2), 3.0, dtype=lamina.float64), "bias": lamina.ones(2)}
    result = layer.load_state_dict(saved)
    assert repr(result) == "<All keys matched successfully>"
    assert layer.weight is weight
    assert weight.dtype == lamina.float32
    assert weight.tolist() == [[3, 3], [3, 3]]
    saved["weight"].zero_()
    assert weight.tolist() == [[3, 3], [3, 3]]
    assert weight.requires_grad
    assert weight.is_leaf


def test_load_assign_takes_the_tensors_themselves() -> None:
    layer = nn.Linear(2, 2).requires_grad_(False)
    saved = {"weight": lamina.ones(2, 2, dtype=lamina.float64), "bias": nn.Parameter(lamina.ones(2))}
    layer.load_state_dict(saved, assign=True)
    assert layer.bias is saved["bias"]
    assert layer.weight.dtype == lamina.float64
    assert isinstance(layer.weight, nn.Parameter)
    assert not layer.weight.requires_grad
    assert not layer.bias.requires_grad
    saved["weight"][0, 0] = 7
    assert layer.weight[0, 0].item() == 7


def test_load_reports_everything_and_changes_nothing() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    before = numbers(net)
    wrong = {"0.weight": lamina.ones(3, 2), "0.bias": lamina.ones(4), "1.weight": 3, "2.x": lamina.ones(1)}
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(wrong)
    text = str(caught.value)
    assert text.startswith("Error(s) in loading state_dict for Sequential:\n\t")
    assert 'Missing key(s) in state_dict: "1.bias".' in text
    assert 'Unexpected key(s) in state_dict: "2.x".' in text
    assert "size mismatch for 0.bias: copying a param with shape torch.Size([4]) from checkpoint" in text
    assert 'named "1.weight", expected torch.Tensor' in text
    assert numbers(net) == before
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(wrong, strict=False)
    assert numbers(net) == before
    with pytest.raises(TypeError, match="dict-like, got <class 'int'>"):
        net.load_state_dict(3)  # type: ignore[arg-type]


def test_load_not_strict() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
    state: dict[str, Any] = {"0.bias": lamina.ones(3), "0.more": lamina.ones(1), "other": lamina.ones(1)}
    keys = net.load_state_dict(state, strict=False)
    assert keys.missing_keys == ["0.weight", "1.weight", "1.bias"]
    assert sorted(keys.unexpected_keys) == ["0.more", "other"]
    assert net[0].bias.tolist() == [1, 1, 1]
    assert list(state) == ["0.bias", "0.more", "other"]


def test_a_number_may_come_as_one_element() -> None:
    module = nn.Module()
    module.scale = nn.Parameter(lamina.tensor(1.0))
    module.load_state_dict({"scale": lamina.tensor([5.0])})
    assert module.scale.shape == ()
    assert module.scale.item() == 5


class WithExtra(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(lamina.zeros(1))
        self.count = 0

    def get_extra_state(self) -> dict[str, int]:
        return {"count": self.count}

    def set_extra_state(self, state: dict[str, int]) -> None:
        self.count = state["count"]


def test_extra_state() -> None:
    saved = WithExtra()
    saved.count = 5
    state = saved.state_dict()
    assert state["_extra_state"] == {"count": 5}
    fresh = WithExtra()
    fresh.load_state_dict(state)
    assert fresh.count == 5
    with pytest.raises(RuntimeError, match="_extra_state"):
        fresh.load_state_dict({"weight": lamina.ones(1)})
    with pytest.raises(RuntimeError, match=r'Unexpected key.*"_extra_state"'):
        nn.Module().load_state_dict({"_extra_state": 1})
    with pytest.raises(RuntimeError, match="size mismatch"):
        fresh.load_state_dict({"weight": lamina.ones(2), "_extra_state": {"count": 9}})
    assert fresh.count == 5

    class HalfDone(nn.Module):
        def get_extra_state(self) -> int:
            return 1

    with pytest.raises(RuntimeError, match="set_extra_state is missing"):
        HalfDone().set_extra_state(1)


def test_state_dict_hooks() -> None:
    layer = nn.Linear(1, 1)
    seen: list[str] = []
    layer.register_state_dict_pre_hook(lambda m, prefix, keep: seen.append(prefix))
    layer.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update({prefix + "more": 1}))
    assert list(nn.Sequential(layer).state_dict()) == ["0.weight", "0.bias", "0.more"]
    assert seen == ["0."]
    layer.register_state_dict_post_hook(lambda m, state, prefix, meta: {})
    with pytest.raises(RuntimeError, match="must return None"):
        layer.state_dict()


def test_load_pre_hook_may_rename() -> None:
    net = nn.Sequential(nn.Linear(1, 1))

    def rename(module: nn.Module, state: Any, prefix: str, *rest: Any) -> None:
        assert module is net[0]
        state[prefix + "weight"] = state.pop(prefix + "kernel")

    net[0].register_load_state_dict_pre_hook(rename)
    old = {"0.kernel": lamina.full((1, 1), 4.0), "0.bias": lamina.zeros(1)}
    net.load_state_dict(old)
    assert net[0].weight.item() == 4
    assert list(old) == ["0.kernel", "0.bias"]


def test_load_post_hook_sees_the_numbers_and_may_forgive() -> None:
    layer = nn.Linear(2, 2)
    seen: list[Any] = []

    def hook(module: nn.Module, keys: Any) -> None:
        seen.append(module.weight.tolist())
        keys.missing_keys.clear()

    handle = layer.register_load_state_dict_post_hook(hook)
    layer.load_state_dict({"weight": lamina.ones(2, 2)})
    assert seen == [[[1, 1], [1, 1]]]
    handle.remove()
    before = numbers(layer)
    layer.register_load_state_dict_post_hook(lambda module, keys: seen.append(module.weight.tolist()))
    with pytest.raises(RuntimeError, match="Missing key"):
        layer.load_state_dict({"weight": lamina.zeros(2, 2)})
    assert seen[-1] == [[0, 0], [0, 0]]
    assert numbers(layer) == before


def test_an_override_may_translate_old_entries() -> None:
    class Renamed(nn.Linear):
        def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
            state_dict[prefix + "bias"] = state_dict.pop(prefix + "offset")
            super()._load_from_state_dict(state_dict, prefix, *args)

    net = nn.Sequential(Renamed(1, 2))
    net.load_state_dict({"0.weight": lamina.zeros(2, 1), "0.offset": lamina.ones(2)})
    assert net[0].bias.tolist() == [1, 1]


def test_tied_parameters_load_once_and_stay_tied() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

    tied, other = Tied(), Tied()
    other.load_state_dict(tied.state_dict())
    assert other.a.weight is other.b.weight
    np.testing.assert_array_equal(other.b.weight.detach().numpy(), tied.a.weight.detach().numpy())


def test_save_and_load_a_file(tmp_path: Any) -> None:
    net, fresh = nn.Sequential(nn.Linear(2, 3), nn.PReLU()), nn.Sequential(nn.Linear(2, 3), nn.PReLU())
    lamina.save(net.state_dict(), tmp_path / "net.pt")
    fresh.load_state_dict(lamina.load(tmp_path / "net.pt"))
    assert numbers(fresh) == numbers(net)


def test_wrong_names_come_with_the_ones_that_were_meant() -> None:
    net = nn.Sequential(nn.Linear(2, 3))
    entries = {"0.wieght": lamina.ones(3, 2), "module.0.bias": lamina.ones(3)}
    with pytest.raises(RuntimeError, match=r'"0\.wieght" is meant for "0\.weight"'):
        net.load_state_dict(entries)


def test_extra_state_may_bring_children_and_is_taken_back() -> None:
    class Holder(nn.Module):
        def __init__(self, held: Any) -> None:
            super().__init__()
            self.held = held

        def get_extra_state(self) -> Any:
            return self.held

        def set_extra_state(self, state: Any) -> None:
            self.held = state

    entries = Holder(Holder(3)).state_dict()
    net = Holder("nothing yet")
    net.load_state_dict(entries)
    assert net.held.held == 3
    net = Holder("nothing yet")
    with pytest.raises(RuntimeError, match="Unexpected"):
        net.load_state_dict({**entries, "more": lamina.ones(1)})
    assert net.held == "nothing yet"
    assert not net._modules


def test_loading_leaves_no_reference_cycle() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    state = deepcopy(net.state_dict())
    gc.collect()
    net.load_state_dict(state)
    assert gc.collect() == 0
