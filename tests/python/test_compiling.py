"""compile gives back what it gets, however it is written; precisions are remembered; seeds are new ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import lamina
from lamina import nn


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    lamina.set_float32_matmul_precision("highest")


def test_compile_as_a_function_and_as_a_decorator() -> None:
    net = nn.Linear(2, 1)
    assert lamina.compile(net) is net
    assert lamina.compile(net, mode="reduce-overhead", fullgraph=True) is net
    assert net.compile(backend="inductor", dynamic=False) is None  # type: ignore[func-returns-value]

    @lamina.compile
    def doubled(x: lamina.Tensor) -> lamina.Tensor:
        return x * 2

    @lamina.compile(dynamic=True)
    def halved(x: lamina.Tensor) -> lamina.Tensor:
        return x / 2

    assert (doubled(halved(lamina.tensor(3.0))).item(), halved.__name__) == (3.0, "halved")


def test_compile_refuses_what_pytorch_refuses() -> None:
    with pytest.raises(AssertionError, match="A callable function is expected, but <class 'int'> is provided"):
        lamina.compile(5)  # type: ignore[type-var]
    with pytest.raises(RuntimeError, match="Either mode or options"):
        lamina.compile(nn.ReLU(), mode="default", options={})
    for compiled in (lamina.compile, nn.ReLU().compile):
        with pytest.raises(TypeError, match="fullgraf"):
            compiled(fullgraf=True)  # type: ignore[operator]


def test_compiler_leaves_functions_as_they_are() -> None:
    @lamina.compiler.disable
    def doubled(x: int) -> int:
        return x * 2

    @lamina.compiler.disable(recursive=False)
    def halved(x: int) -> int:
        return x // 2

    assert (doubled(halved(6)), doubled.__name__, lamina.compiler.allow_in_graph(halved)) == (6, "doubled", halved)
    assert lamina.compiler.compile is lamina.compile
    asked = (lamina.compiler.is_compiling, lamina.compiler.is_dynamo_compiling, lamina.compiler.is_exporting)
    assert not any(question() for question in asked)


def test_matmul_precision() -> None:
    assert lamina.get_float32_matmul_precision() == "highest"
    for precision in ("medium", "high"):
        lamina.set_float32_matmul_precision(precision)
        assert lamina.get_float32_matmul_precision() == precision
    with pytest.warns(UserWarning, match="low is not one of 'highest', 'high', or 'medium'"):
        lamina.set_float32_matmul_precision("low")
    with pytest.raises(RuntimeError, match="expects a str, but got int"):
        lamina.set_float32_matmul_precision(1)  # type: ignore[arg-type]
    assert lamina.get_float32_matmul_precision() == "high"


@pytest.mark.parametrize("seed", [lamina.seed, lamina.random.seed])
def test_seed(seed: Callable[[], int]) -> None:
    numbers = {seed() for _ in range(3)}
    assert len(numbers) == 3
    drawn = seed()
    first = lamina.rand(4)
    lamina.manual_seed(drawn)
    assert lamina.initial_seed() == drawn
    assert first.equal(lamina.rand(4))


def test_jit_leaves_everything_python() -> None:
    net = nn.Linear(2, 1)
    x = lamina.ones(1, 2)

    def signed(x: lamina.Tensor) -> lamina.Tensor:
        return x if x.sum() > 0 else -x

    for given in (net, signed, nn.Linear):
        assert lamina.jit.script(given) is given
    assert lamina.jit.trace(net, x, check_trace=False) is net
    assert lamina.jit.trace_module(net, {"forward": x}) is net
    assert lamina.jit.trace(signed, (x,))(-x).sum().item() == 2  # both branches are still there
    for decorator in (
        lamina.jit.export,
        lamina.jit.ignore,
        lamina.jit.ignore(),
        lamina.jit.ignore(drop=True),
        lamina.jit.script_if_tracing,
        lamina.jit.script_method,
        lamina.jit.unused,
    ):
        assert decorator(signed) is signed
    with pytest.raises(RuntimeError, match="must be a bool or a function but got 3"):
        lamina.jit.ignore(3)
    assert not lamina.jit.is_scripting()
    assert not lamina.jit.is_tracing()
    assert lamina.jit.annotate(list[int], [1]) == [1]


def test_jit_modules_are_modules() -> None:
    class Net(lamina.jit.ScriptModule):
        size: lamina.jit.Final[int]

        def __init__(self) -> None:
            super().__init__()
            self.size = 2
            self.layer = lamina.jit.trace(nn.Linear(2, 2), lamina.ones(1, 2))

        @lamina.jit.script_method
        def forward(self, x: lamina.Tensor) -> lamina.Tensor:
            return self.layer(x)

    assert Net()(lamina.ones(3, 2)).shape == (3, 2)
    assert not isinstance(lamina.jit.script(nn.Linear(2, 1)), lamina.jit.ScriptModule)
