"""nn.init: ranges, moments and structure of the numbers, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.nn import init


def filled(
    fill: Callable[..., lamina.Tensor], shape: tuple[int, ...], *args: Any, **kwargs: Any
) -> np.ndarray[Any, Any]:
    """The numbers that `fill` leaves in a leaf; checks that it fills in place, without a gradient."""
    tensor = lamina.full(shape, 7.0, requires_grad=True)
    assert fill(tensor, *args, **kwargs) is tensor
    assert tensor.is_leaf
    assert tensor.requires_grad
    return tensor.detach().numpy()


def check_moments(values: np.ndarray[Any, Any], mean: float, std: float) -> None:
    """Mean and spread within five standard errors (the spread's for a normal, which is the larger)."""
    assert values.mean() == pytest.approx(mean, abs=5 * std / sqrt(values.size))
    assert values.std() == pytest.approx(std, rel=5 / sqrt(2 * values.size))


@pytest.fixture(autouse=True)
def seed() -> None:
    lamina.manual_seed(11)


def test_simple_fills() -> None:
    assert (filled(init.constant_, (2, 3), 4.5) == 4.5).all()
    assert (filled(init.ones_, (2,)) == 1).all()
    assert (filled(init.zeros_, (2,)) == 0).all()
    np.testing.assert_array_equal(filled(init.eye_, (2, 3)), np.eye(2, 3))


def test_random_fills() -> None:
    values = filled(init.uniform_, (200, 100), -2, 4)
    assert -2 <= values.min() < -1.99
    assert 3.99 < values.max() < 4
    check_moments(values, 1, 6 / sqrt(12))
    check_moments(filled(init.normal_, (200, 100), 3, 0.5), 3, 0.5)


@pytest.mark.parametrize("shape", [(100, 200), (40, 50, 3, 2)])
def test_xavier(shape: tuple[int, ...]) -> None:
    field = int(np.prod(shape[2:]))
    std = 1.5 * sqrt(2 / (shape[0] * field + shape[1] * field))
    uniform = filled(init.xavier_uniform_, shape, gain=1.5)
    check_moments(uniform, 0, std)
    assert abs(uniform).max() <= std * sqrt(3)
    check_moments(filled(init.xavier_normal_, shape, gain=1.5), 0, std)


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
@pytest.mark.parametrize("shape", [(100, 200), (40, 50, 3, 2)])
def test_kaiming(shape: tuple[int, ...], mode: str) -> None:
    fan = int(np.prod(shape[2:])) * shape[mode == "fan_in"]
    std = sqrt(2 / (1 + 0.3**2) / fan)
    uniform = filled(init.kaiming_uniform_, shape, a=0.3, mode=mode)
    check_moments(uniform, 0, std)
    assert abs(uniform).max() <= std * sqrt(3)
    check_moments(filled(init.kaiming_normal_, shape, a=0.3, mode=mode), 0, std)
    check_moments(filled(init.kaiming_normal_, shape, mode=mode, nonlinearity="linear"), 0, sqrt(1 / fan))


@pytest.mark.parametrize("shape", [(5, 5), (4, 9), (9, 4), (3, 2, 5)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    flat = filled(init.orthogonal_, shape, gain=2.0).reshape(shape[0], -1)
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-5)


def test_sparse() -> None:
    values = filled(init.sparse_, (10, 50), 0.25, std=0.1)
    assert ((values == 0).sum(0) == 3).all()
    assert len({tuple(column) for column in (values == 0).T}) > 10


@pytest.mark.parametrize("groups", [1, 2])
def test_dirac_keeps_its_input(groups: int) -> None:
    kernel = filled(init.dirac_, (4, 2, 3, 3), groups)
    assert kernel.sum() == 2 * groups
    for group in range(groups):
        for channel in range(2):
            assert kernel[group * (4 // groups) + channel, channel, 1, 1] == 1


def test_generator_is_used_and_nothing_else() -> None:
    before = lamina.get_rng_state()
    generator = lamina.Generator()
    for fill in (
        init.uniform_,
        init.normal_,
        init.xavier_uniform_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.kaiming_normal_,
        init.orthogonal_,
    ):
        runs = [filled(fill, (4, 5), generator=generator.manual_seed(seed)) for seed in (1, 1, 2)]
        np.testing.assert_array_equal(runs[0], runs[1])
        assert not np.array_equal(runs[0], runs[2])
    assert (lamina.get_rng_state() == before).all()


def test_seed_decides() -> None:
    lamina.manual_seed(1)
    first = filled(init.normal_, (4,))
    lamina.manual_seed(1)
    np.testing.assert_array_equal(filled(init.normal_, (4,)), first)


@pytest.mark.parametrize(
    ("name", "param", "gain"),
    [
        ("linear", None, 1), ("conv2d", None, 1), ("conv_transpose3d", None, 1), ("sigmoid", None, 1),
        ("tanh", None, 5 / 3), ("relu", None, sqrt(2)), ("leaky_relu", None, sqrt(2 / (1 + 1e-4))),
        ("leaky_relu", 0.5, sqrt(2 / 1.25)), ("selu", None, 0.75),
    ],
)  # fmt: skip
def test_gain(name: str, param: float | None, gain: float) -> None:
    assert init.calculate_gain(name, param) == pytest.approx(gain)


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: init.calculate_gain("swish"), "Unsupported nonlinearity swish"),
    (lambda: init.calculate_gain("leaky_relu", True), "not a valid number"),
    (lambda: init.calculate_gain("leaky_relu", "steep"), "not a valid number"),
    (lambda: init.eye_(lamina.zeros(2)), "2 dimensions"),
    (lambda: init.dirac_(lamina.zeros(2, 2)), "3, 4, or 5 dimensions"),
    (lambda: init.dirac_(lamina.zeros(3, 2, 1), 2), "divisible by groups"),
    (lambda: init.sparse_(lamina.zeros(2), 0.5), "2 dimensions"),
    (lambda: init.orthogonal_(lamina.zeros(2)), "2 or more dimensions"),
    (lambda: init.xavier_uniform_(lamina.zeros(2)), "fewer than 2 dimensions"),
    (lambda: init.xavier_normal_(lamina.tensor(0.0)), "fewer than 2 dimensions"),
    (lambda: init.kaiming_uniform_(lamina.zeros(2)), "fewer than 2 dimensions"),
    (lambda: init.kaiming_normal_(lamina.zeros(2, 2), mode="fan"), "Mode fan not supported"),
]


@pytest.mark.parametrize(("fill", "message"), ERRORS)
def test_errors(fill: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fill()


@pytest.mark.parametrize("fill", [init.kaiming_uniform_, init.kaiming_normal_])
def test_nothing_to_fill_warns(fill: Callable[[lamina.Tensor], lamina.Tensor]) -> None:
    with pytest.warns(UserWarning, match="zero-element"):
        fill(lamina.zeros(0, 3))


def test_names_without_the_underscore_warn_and_work() -> None:
    x = lamina.empty(2, 2)
    with pytest.warns(FutureWarning, match=r"nn\.init\.constant` is now deprecated in favor of `nn\.init\.constant_"):
        assert init.constant(x, 3) is x
    assert x.tolist() == [[3, 3], [3, 3]]


def test_trunc_normal_is_normal_between_its_ends() -> None:
    lamina.manual_seed(0)
    x = init.trunc_normal_(lamina.empty(20_000), 1.0, 2.0, -1.0, 2.0)
    assert x.min().item() >= -1
    assert x.max().item() <= 2
    # Between -1 and 0.5 standard deviations around the mean, the density is (φ(-1) - φ(0.5)) / (Φ(0.5) - Φ(-1)) off it.
    expected = 1 + 2 * (0.24197 - 0.35207) / (0.69146 - 0.15866)
    assert abs(x.mean().item() - expected) < 0.03
    with pytest.warns(UserWarning, match="mean is more than 2 std"):
        init.trunc_normal_(lamina.empty(3), mean=10.0)


def test_the_fan_that_a_mode_names() -> None:
    weight = lamina.empty(2, 3, 5)
    assert [init._calculate_correct_fan(weight, mode) for mode in ("fan_in", "fan_out")] == [15, 10]
    with pytest.raises(ValueError, match="Mode fan not supported"):
        init._calculate_correct_fan(weight, "fan")
