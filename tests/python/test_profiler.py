"""Profiles: whose time is whose, and that it adds up. PyTorch's names for it: test_profiler_events.py."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from profiled import Pair, counts, rows, trace_of, train

import lamina
from lamina import nn
from lamina.profiler.modules import overheads


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = lamina.get_num_threads()
    lamina.set_num_threads(request.param)
    yield request.param
    lamina.set_num_threads(before)


def test_modules_have_forward_backward_and_update_apart() -> None:
    net = Pair()
    optimizer = lamina.optim.Adam(net.parameters())
    with lamina.profile() as p:
        train(net, optimizer, lamina.ones(4, 8))
    found = rows(p)
    assert list(found) == ["Pair", "Pair.left", "Pair.right", "Pair.right.0", "Pair.right.1", "(no module)"]
    for path in ("Pair.left", "Pair.right.0"):
        row = found[path]
        assert min(row.forward, row.backward, row.update, row.bytes, row.kernels) > 0, row
        assert row.calls == 1
    assert found["Pair.right.1"].update == 0
    assert found["Pair"].update == pytest.approx(found["Pair.left"].update + found["Pair.right"].update)
    assert found["(no module)"].update == 0
    assert found["(no module)"].forward > 0  # the loss


@pytest.mark.parametrize(
    "make",
    [
        lambda params: lamina.optim.SGD(params, lr=0.1),
        lambda params: lamina.optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.1),
        lambda params: lamina.optim.AdamW(params),
        lambda params: lamina.optim.RMSprop(params),
    ],
)
def test_updates_belong_to_the_module_of_the_gradient(make: Callable[[Any], Any]) -> None:
    net = Pair()
    optimizer = make(net.parameters())
    for looks in (False, True):  # gradients of the same program, and of one that has run
        with lamina.profile() as p:
            optimizer.zero_grad()
            net(lamina.ones(4, 8)).square().mean().backward()
            if looks:
                lamina.flush()
            optimizer.step()
        found = rows(p)
        assert found["Pair.left"].update > 0
        assert found["Pair.right.0"].update > 0
        assert found["(no module)"].update == 0


def test_a_closure_runs_forward() -> None:
    net = Pair()
    optimizer = lamina.optim.LBFGS(net.parameters(), max_iter=2)

    def closure() -> lamina.Tensor:
        optimizer.zero_grad()
        loss = net(lamina.ones(4, 8)).square().mean()
        loss.backward()
        return loss

    with lamina.profile() as p:
        optimizer.step(closure)
    assert {event.phase for event in p.events() if event.module == "Pair.right.1"} == {"forward", "backward"}
    assert "Optimizer.step#LBFGS.step" in counts(p)


def test_programs_of_one_plan_keep_their_names() -> None:
    class Other(Pair):
        pass

    x = lamina.ones(4, 8)
    lamina.flush()
    nets = [Pair(), Other()]
    with lamina.no_grad():
        for net in nets * 4:  # until weights are multiplied by their transposed copies
            y = net(x)
            lamina.flush()
        assert y.shape == x.shape
        before = lamina.plan_stats()
        with lamina.profile() as p:
            for net in nets * 2:
                net(x)
                lamina.flush()
    after = lamina.plan_stats()
    assert after["compiled"] == before["compiled"]
    found = rows(p)
    assert found["Pair"].kernels == found["Other"].kernels > 0
    assert found["Pair.left"].calls == found["Other.left"].calls == 2
    assert len(trace_of(p).programs) == 2
    assert overheads(trace_of(p)).compiled == 0


def test_a_net_has_the_name_that_calls_it() -> None:
    class Outer(nn.Module):
        def __init__(self, inner: nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            return self.inner(x) + self.inner(x + 1)  # the same layers twice

    inner = Pair()
    net = Outer(inner)
    x = lamina.ones(4, 8)
    with lamina.profile() as p:
        net(x).sum().backward()
    found = rows(p)
    assert found["Outer.inner.left"].calls == 2
    assert found["Outer"].calls == 1
    assert found["Outer.inner.left"].backward > 0
    assert not any(path.startswith("Pair") for path in found)


def test_tied_weights_are_updated_where_their_gradient_was_made() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    net[1].weight = net[0].weight
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.1)
    with lamina.profile() as p:
        train(net, optimizer, lamina.ones(4, 8))
    found = rows(p)
    assert found["Sequential.0"].backward > 0
    assert found["Sequential.1"].backward > 0
    assert found["Sequential"].update > 0
    assert found["(no module)"].update == 0


def test_a_fused_step_is_shared_by_its_work() -> None:
    net = nn.Sequential(nn.Linear(64, 64, bias=False), nn.ReLU())
    x = lamina.rand(16, 64)
    with lamina.profile(record_shapes=True) as p, lamina.no_grad():
        net(x)
    (program,) = trace_of(p).programs
    (step,) = [step for step in program if step.note.startswith("matmul")]
    shares = {member.op: member.share for member in step.members}
    assert shares == {"matmul": pytest.approx(64 / 65), "relu": pytest.approx(1 / 65)}
    assert step.bytes == 4 * (16 * 64 + 64 * 64 + 16 * 64)
    assert step.members[0].shapes == [(16, 64), (64, 64)]
    assert p.modules()[1].time == pytest.approx(64 * p.modules()[2].time)


def test_the_time_adds_up(threads: int) -> None:
    net = nn.Sequential(*[layer for _ in range(12) for layer in (nn.Linear(64, 64), nn.ReLU())])
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.01)
    x = lamina.ones(64, 64)
    with lamina.profile() as p:
        for _ in range(5):
            train(net, optimizer, x)
    trace = trace_of(p)
    rest = overheads(trace)
    assert rest.programs == 5
    assert rest.all == pytest.approx(rest.clock, rel=1e-6)
    assert rest.kernels == pytest.approx(sum(row.time for row in p.modules() if "." not in row.path))
    assert rest.all == pytest.approx(p.events().self_cpu_time_total)
    for run in trace.runs:
        ends = [began + took for began, took in run.spans]
        assert run.accounted <= run.spans[0][0]
        assert ends[-1] <= run.ended
        assert all(end <= began for end, (began, _) in zip(ends, run.spans[1:]))
        assert sum(took > 0 for _, took in run.spans) > len(run.spans) / 2


def test_steps_side_by_side_and_blocks_of_rows_are_timed_by_their_shares() -> None:
    lamina.set_num_threads(2)
    deep = nn.Sequential(*[layer for _ in range(8) for layer in (nn.Linear(64, 64), nn.ReLU())])
    rows_of_norm = nn.Sequential(nn.LayerNorm(1024), nn.GELU())
    with lamina.no_grad():
        for net, x, wanted in (
            (deep, lamina.ones(64, 64), "side by side"),
            (rows_of_norm, lamina.ones(2048, 1024), "blocks of"),
        ):
            lamina.flush()
            with lamina.profile() as p:
                net(x)
                assert wanted in lamina.plan()
            (run,) = (run for run in trace_of(p).runs if len(run.spans) > 1)
            assert sum(took > 0 for _, took in run.spans) == len(run.spans)
            assert all(row.time > 0 for row in p.modules() if row.calls and row.kernels)


def test_long_programs_that_pause_are_one_run() -> None:
    x = lamina.ones(700, 700)
    with lamina.profile() as p:
        for _ in range(40):
            x = (x @ x).clamp(0, 1)
    (run,) = trace_of(p).runs
    assert sum(took > 0 for _, took in run.spans) == len(run.spans)


def test_what_was_pending_before_is_not_in_it_and_what_is_left_is() -> None:
    x = lamina.ones(4).exp()
    with lamina.profile() as p:
        y = x.sin()
    assert counts(p).keys() >= {"sin"}
    assert "exp" not in counts(p)
    with lamina.profile() as p:
        y.cos().sum().item()
    assert counts(p).keys() >= {"cos", "sum"}


def test_threads_are_in_one_profile() -> None:
    nets = [nn.Linear(64, 64) for _ in range(3)]

    def work(net: nn.Module) -> None:
        for _ in range(3):
            net(lamina.ones(256, 64)).sum().item()

    with lamina.profile() as p:
        workers = [threading.Thread(target=work, args=(net,)) for net in nets]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert rows(p)["Linear"].calls == 9
    assert len({run.thread for run in trace_of(p).runs}) >= 1
    assert counts(p)["matmul"] == 9
    assert "kernels" in str(p)


def test_gradients_are_recorded_where_their_node_was() -> None:
    seen: list[str] = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Linear(8, 8)

        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            y = self.inner(x)
            y.register_hook(lambda _: seen.append(lamina._core.current_scope_path()))
            return y.relu()

    net = Watched()
    net(lamina.ones(2, 8)).sum().backward()
    assert seen == ["Watched.inner"]
    assert lamina._core.current_scope_path() == ""


def test_what_an_outermost_module_returns_is_computed_though_nobody_keeps_it() -> None:
    class Both(Pair):
        def forward(self, x: lamina.Tensor) -> Any:
            left = self.left(x)
            return {"left": left, "more": (left.exp(), left.sin())}

    x = lamina.ones(4, 8)
    with lamina.profile() as p:
        Pair()(x)
        Both()(x)
        x.cos()
    assert counts(p).keys() >= {"matmul", "relu", "exp", "sin"}
    assert "cos" not in counts(p)  # as without a profile
    net = Pair()
    with lamina.profile() as p, lamina.no_grad():
        loss = net(x).square().sum()
    (run,) = trace_of(p).runs
    kept = sum(event.count for event in p.events() if event.key == "square")
    assert kept == 1
    assert loss.item() >= 0
    plan = trace_of(p).programs[run.program]
    assert [member.kept for step in plan for member in step.members if member.op != "sum"] == [0] * 6


def test_every_step_is_somebodys() -> None:
    z = lamina.tensor([1 + 2j, 3 - 1j])
    x = lamina.rand(2, 3, 4, 4)
    lamina.flush()
    with lamina.profile() as p:
        kept = [z.conj(), lamina.nn.Unfold(2)(x), x.permute(3, 1, 0, 2).reshape(-1)]
    assert len(kept) == 3
    trace = trace_of(p)
    assert all(step.members for program in trace.programs for step in program)
    assert overheads(trace).kernels == pytest.approx(sum(row.time for row in p.modules()))
