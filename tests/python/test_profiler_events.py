"""Profiles as PyTorch's: ranges, averages, schedules, timelines, and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from profiled import Pair, counts, rows

import lamina
from lamina import nn, profiler
from lamina.profiler.profiler import profile


def test_one_profile_at_a_time() -> None:
    with lamina.profile() as p:
        with pytest.raises(RuntimeError, match="a profile is on already"), lamina.profile():
            pass
        y = lamina.ones(4).exp()
    assert y.shape == (4,)
    assert "exp" in counts(p)  # the refused one ended nothing


def test_an_exception_within_ends_it() -> None:
    net = Pair()
    p = lamina.profile()

    def fail() -> None:
        with p, profiler.record_function("part"):
            net(lamina.ones(4, 8))
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    assert rows(p)["Pair.left"].forward > 0
    assert counts(p)["part"] == 1
    with lamina.profile() as after:
        lamina.ones(4).exp().sum().item()
    assert "Pair" not in rows(after)


def test_nothing_is_there_before_it_has_stopped() -> None:
    p = profiler.profile()
    for ask in (p.key_averages, p.events, p.modules, lambda: p.export_chrome_trace("unwritten.json")):
        with pytest.raises(AssertionError, match="Profiler must be initialized before"):
            ask()
    assert "profile object" in str(p)


def test_a_profile_can_be_used_again() -> None:
    p = lamina.profile()
    with p:
        lamina.ones(4).exp().sum().item()
    with p:
        lamina.ones(4).sin().sum().item()
    assert "sin" in counts(p)
    assert "exp" not in counts(p)


def test_ranges_have_the_kernels_of_what_was_recorded_in_them() -> None:
    net = Pair()
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.1)
    x = lamina.ones(4, 8)

    @profiler.record_function("decorated")
    def forward() -> lamina.Tensor:
        return net(x).sum()

    with lamina.profile() as p:
        with profiler.record_function("outer"):
            loss = forward()
        with profiler.record_function("backward", "with arguments"):
            loss.backward()
        optimizer.step()
    averages = {event.key: event for event in p.key_averages()}
    events = p.events()
    phases = {
        phase: sum(event.cpu_time_total for event in events if event.phase == phase)
        for phase in ("forward", "backward", "update")
    }
    for name, phase in (("decorated", "forward"), ("backward", "backward"), ("Optimizer.step#SGD.step", "update")):
        event = averages[name]
        assert event.cpu_time_total == pytest.approx(event.self_cpu_time_total + phases[phase], abs=1e-3)
        assert event.is_user_annotation
    outer, within = averages["outer"], averages["decorated"]
    assert outer.cpu_time_total == pytest.approx(outer.self_cpu_time_total + within.cpu_time_total, abs=1e-3)
    assert outer.self_cpu_time_total > 0
    with profiler.record_function("when none is on"):
        pass
    with pytest.raises(TypeError, match="expects a name as a str, got int"):
        profiler.record_function(3)  # type: ignore[arg-type]


def test_averages_and_tables_are_pytorchs() -> None:
    net = nn.Linear(8, 4)
    with (
        profiler.profile(activities=[profiler.ProfilerActivity.CPU], record_shapes=True, profile_memory=True) as p,
        lamina.no_grad(),
    ):
        kept = [net(lamina.ones(n, 8)).detach() for n in (2, 2, 3)]
    averages = p.key_averages()
    (product,) = [event for event in averages if event.key == "matmul"]
    assert product.count == 3
    assert product.cpu_time == pytest.approx(product.cpu_time_total / 3)
    assert product.cpu_time_total_str.endswith("us")
    products = [event for event in p.key_averages(group_by_input_shape=True) if event.key == "matmul"]
    assert [(event.count, event.input_shapes[0]) for event in products] == [(2, [2, 8]), (1, [3, 8])]
    assert sum(event.self_cpu_memory_usage for event in averages) == sum(4 * 4 * len(each) for each in kept)
    total = averages.total_average()
    assert total.self_cpu_time_total == pytest.approx(averages.self_cpu_time_total)
    assert "FunctionEventAvg key=Total" in repr(total)
    table = averages.table(sort_by="self_cpu_time_total", row_limit=2, header="of mine")
    lines = table.splitlines()
    assert lines[1] == "of mine"
    for head in ("Name", "Self CPU %", "CPU total", "CPU time avg", "CPU Mem", "# of Calls"):
        assert head in lines[3]
    assert lines[-1].startswith("Self CPU time total: ")
    assert len(lines) == 2 + 3 + 2 + 2
    with pytest.raises(AttributeError, match="no 'nonsense' to sort by; there are count, cpu_time"):
        averages.table(sort_by="nonsense")


def test_activities_and_options() -> None:
    assert profiler.supported_activities() == {profiler.ProfilerActivity.CPU}
    with pytest.warns(UserWarning, match="CUDA is not available"):
        profiler.profile(activities=[profiler.ProfilerActivity.CPU, profiler.ProfilerActivity.CUDA])
    with pytest.raises(AssertionError, match="No valid profiler activities found"):
        profiler.profile(activities=[])
    with pytest.warns(UserWarning, match="paths of modules, not frames"):
        profiler.profile(with_stack=True)


def test_a_schedule_chooses_steps() -> None:
    actions = profiler.schedule(wait=1, warmup=1, active=2, repeat=1, skip_first=1)
    assert [actions(step).name for step in range(7)] == [
        "NONE",
        "NONE",
        "WARMUP",
        "RECORD",
        "RECORD_AND_SAVE",
        "NONE",
        "NONE",
    ]
    got = []

    def ready(p: profile) -> None:
        got.append((p.step_num, counts(p)))

    x = lamina.ones(4)
    with profiler.profile(schedule=profiler.schedule(wait=1, warmup=1, active=2, repeat=2), on_trace_ready=ready) as p:
        for step in range(10):
            y = x.exp() if step in (2, 3) else x.sin()
            p.step()
    assert y.shape == (4,)
    assert [number for number, _ in got] == [4, 8]
    for (_, found), op in zip(got, ("exp", "sin")):
        assert found[op] == 2
    assert {"ProfilerStep#6", "ProfilerStep#7"} <= counts(p).keys()
    with pytest.raises(AssertionError, match=r"Got wait=-1 \(need >= 0\)"):
        profiler.schedule(wait=-1, warmup=0, active=1)
    with pytest.warns(UserWarning, match="won't be using warmup"):
        profiler.schedule(wait=1, warmup=0, active=1)


def test_every_cycle_of_one_step_is_its_own() -> None:
    got = []
    with profiler.profile(
        schedule=profiler.schedule(wait=0, warmup=1, active=1), on_trace_ready=lambda p: got.append(counts(p)["exp"])
    ) as p:
        for _ in range(4):
            y = lamina.ones(4).exp()
            p.step()
    assert y.shape == (4,)
    assert got == [1, 1]


def test_chrome_traces(tmp_path: Path) -> None:
    net = Pair()
    with lamina.profile() as p, profiler.record_function("part", "of mine"):
        net(lamina.ones(4, 8))
    p.export_chrome_trace(str(tmp_path / "trace.json"))
    p.export_chrome_trace(str(tmp_path / "trace.json.gz"))
    text = (tmp_path / "trace.json").read_bytes()
    assert gzip.decompress((tmp_path / "trace.json.gz").read_bytes()) == text
    events = json.loads(text)["traceEvents"]
    assert all(event["ph"] == "X" and event["dur"] >= 0 for event in events)
    (part,) = [event for event in events if event["name"] == "part"]
    assert part["args"] == {"args": "of mine"}
    computed = [line for event in events if event["cat"] == "kernel" for line in event["args"]["computes"]]
    assert "matmul (Pair.left, forward)" in computed
    assert {event["name"] for event in events if event["cat"] == "plan"} <= {"compile", "find plan", "run"}


def test_the_older_face() -> None:
    from lamina.autograd import profiler as older

    with older.profile(record_shapes=True) as p, older.record_function("part"):
        lamina.ones(4).exp().sum().item()
    assert p.total_average().count == len(p.function_events)
    assert p.self_cpu_time_total == p.function_events.self_cpu_time_total
    assert "part" in p.table(sort_by="count")
    with older.profile(enabled=False) as p, lamina.profile():
        pass
    with pytest.raises(AssertionError, match="must be initialized"):
        p.key_averages()


def test_the_docstrings_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert profile.__doc__ is not None
    lines = [line.strip() for line in profile.__doc__.splitlines() if line.strip()[:3] in (">>>", "...")]
    exec("\n".join(line[4:] for line in lines), {"lamina": lamina, "nn": nn})
    shown = capsys.readouterr().out
    for text in ("Sequential.0", "forward", "kernels", "launching", "compiling", "Python and recording"):
        assert text in shown
