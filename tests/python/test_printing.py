"""Printed tensors, compared character by character with what PyTorch 2 prints for the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lamina

CASES: list[tuple[str, Callable[[], Any], str]] = [
    ("scalar", lambda: lamina.tensor(3.0), "tensor(3.)"),
    ("scalar_sci", lambda: lamina.tensor(1e-5), "tensor(1.0000e-05)"),
    ("scalar_int", lambda: lamina.tensor(7), "tensor(7)"),
    ("scalar_bool", lambda: lamina.tensor(True), "tensor(True)"),
    ("scalar_nan", lambda: lamina.tensor(float("nan")), "tensor(nan)"),
    ("large_whole", lambda: lamina.tensor([1e8, 2.0]), "tensor([1.0000e+08, 2.0000e+00])"),
    ("larger_whole", lambda: lamina.tensor([1e9, 2.0]), "tensor([1.0000e+09, 2.0000e+00])"),
    ("vector", lambda: lamina.tensor([0.25, -1.5, 3.0]), "tensor([ 0.2500, -1.5000,  3.0000])"),
    ("whole", lambda: lamina.tensor([1.0, -2.0, 30.0]), "tensor([ 1., -2., 30.])"),
    ("wide_range", lambda: lamina.tensor([0.001, 1.0, 2.5]), "tensor([1.0000e-03, 1.0000e+00, 2.5000e+00])"),
    ("wider_range", lambda: lamina.tensor([0.0009, 1.0, 2.5]), "tensor([9.0000e-04, 1.0000e+00, 2.5000e+00])"),
    ("small", lambda: lamina.tensor([0.00011, 0.0002]), "tensor([0.0001, 0.0002])"),
    ("smaller", lambda: lamina.tensor([0.00009, 0.0002]), "tensor([9.0000e-05, 2.0000e-04])"),
    (
        "nonfinite",
        lambda: lamina.tensor([float("nan"), float("inf"), -float("inf"), 1.5]),
        "tensor([   nan,    inf,   -inf, 1.5000])",
    ),
    ("nonfinite_whole", lambda: lamina.tensor([float("nan"), -float("inf"), 100.0]), "tensor([ nan, -inf, 100.])"),
    ("only_nonfinite", lambda: lamina.tensor([float("inf"), -float("inf")]), "tensor([inf, -inf])"),
    ("zeros", lambda: lamina.zeros(3), "tensor([0., 0., 0.])"),
    ("negative_zero", lambda: lamina.tensor([-0.0, 0.0]), "tensor([-0., 0.])"),
    ("double", lambda: lamina.tensor([0.1], dtype=lamina.float64), "tensor([0.1000], dtype=torch.float64)"),
    (
        "int64",
        lambda: lamina.tensor([[1, -20], [300, 4]]),
        """\
tensor([[  1, -20],
        [300,   4]])""",
    ),
    ("int32", lambda: lamina.tensor([1, 2], dtype=lamina.int32), "tensor([1, 2], dtype=torch.int32)"),
    ("uint8", lambda: lamina.tensor([1, 255], dtype=lamina.uint8), "tensor([  1, 255], dtype=torch.uint8)"),
    ("bool", lambda: lamina.tensor([[True, False]]), "tensor([[ True, False]])"),
    (
        "matrix",
        lambda: lamina.arange(6.0).reshape(2, 3) / 4,
        """\
tensor([[0.0000, 0.2500, 0.5000],
        [0.7500, 1.0000, 1.2500]])""",
    ),
    (
        "cube",
        lambda: lamina.arange(12).reshape(2, 2, 3),
        """\
tensor([[[ 0,  1,  2],
         [ 3,  4,  5]],

        [[ 6,  7,  8],
         [ 9, 10, 11]]])""",
    ),
    (
        "four_dimensions",
        lambda: lamina.arange(8).reshape(2, 2, 1, 2),
        """\
tensor([[[[0, 1]],

         [[2, 3]]],


        [[[4, 5]],

         [[6, 7]]]])""",
    ),
    (
        "long_row",
        lambda: lamina.arange(30) * 1000,
        """\
tensor([    0,  1000,  2000,  3000,  4000,  5000,  6000,  7000,  8000,  9000,
        10000, 11000, 12000, 13000, 14000, 15000, 16000, 17000, 18000, 19000,
        20000, 21000, 22000, 23000, 24000, 25000, 26000, 27000, 28000, 29000])""",
    ),
    (
        "long_row_in_matrix",
        lambda: lamina.arange(40.0).reshape(2, 20) / 8,
        """\
tensor([[0.0000, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, 0.7500, 0.8750, 1.0000,
         1.1250, 1.2500, 1.3750, 1.5000, 1.6250, 1.7500, 1.8750, 2.0000, 2.1250,
         2.2500, 2.3750],
        [2.5000, 2.6250, 2.7500, 2.8750, 3.0000, 3.1250, 3.2500, 3.3750, 3.5000,
         3.6250, 3.7500, 3.8750, 4.0000, 4.1250, 4.2500, 4.3750, 4.5000, 4.6250,
         4.7500, 4.8750]])""",
    ),
    ("summarized", lambda: lamina.arange(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        "not_summarized",
        lambda: lamina.arange(1000).reshape(250, 4)[:7],
        """\
tensor([[ 0,  1,  2,  3],
        [ 4,  5,  6,  7],
        [ 8,  9, 10, 11],
        [12, 13, 14, 15],
        [16, 17, 18, 19],
        [20, 21, 22, 23],
        [24, 25, 26, 27]])""",
    ),
    (
        "summarized_matrix",
        lambda: lamina.arange(10000).reshape(100, 100),
        """\
tensor([[   0,    1,    2,  ...,   97,   98,   99],
        [ 100,  101,  102,  ...,  197,  198,  199],
        [ 200,  201,  202,  ...,  297,  298,  299],
        ...,
        [9700, 9701, 9702,  ..., 9797, 9798, 9799],
        [9800, 9801, 9802,  ..., 9897, 9898, 9899],
        [9900, 9901, 9902,  ..., 9997, 9998, 9999]])""",
    ),
    (
        "summarized_cube",
        lambda: lamina.arange(2000.0).reshape(10, 4, 50),
        """\
tensor([[[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 4.7000e+01,
          4.8000e+01, 4.9000e+01],
         [5.0000e+01, 5.1000e+01, 5.2000e+01,  ..., 9.7000e+01,
          9.8000e+01, 9.9000e+01],
         [1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.4700e+02,
          1.4800e+02, 1.4900e+02],
         [1.5000e+02, 1.5100e+02, 1.5200e+02,  ..., 1.9700e+02,
          1.9800e+02, 1.9900e+02]],

        [[2.0000e+02, 2.0100e+02, 2.0200e+02,  ..., 2.4700e+02,
          2.4800e+02, 2.4900e+02],
         [2.5000e+02, 2.5100e+02, 2.5200e+02,  ..., 2.9700e+02,
          2.9800e+02, 2.9900e+02],
         [3.0000e+02, 3.0100e+02, 3.0200e+02,  ..., 3.4700e+02,
          3.4800e+02, 3.4900e+02],
         [3.5000e+02, 3.5100e+02, 3.5200e+02,  ..., 3.9700e+02,
          3.9800e+02, 3.9900e+02]],

        [[4.0000e+02, 4.0100e+02, 4.0200e+02,  ..., 4.4700e+02,
          4.4800e+02, 4.4900e+02],
         [4.5000e+02, 4.5100e+02, 4.5200e+02,  ..., 4.9700e+02,
          4.9800e+02, 4.9900e+02],
         [5.0000e+02, 5.0100e+02, 5.0200e+02,  ..., 5.4700e+02,
          5.4800e+02, 5.4900e+02],
         [5.5000e+02, 5.5100e+02, 5.5200e+02,  ..., 5.9700e+02,
          5.9800e+02, 5.9900e+02]],

        ...,

        [[1.4000e+03, 1.4010e+03, 1.4020e+03,  ..., 1.4470e+03,
          1.4480e+03, 1.4490e+03],
         [1.4500e+03, 1.4510e+03, 1.4520e+03,  ..., 1.4970e+03,
          1.4980e+03, 1.4990e+03],
         [1.5000e+03, 1.5010e+03, 1.5020e+03,  ..., 1.5470e+03,
          1.5480e+03, 1.5490e+03],
         [1.5500e+03, 1.5510e+03, 1.5520e+03,  ..., 1.5970e+03,
          1.5980e+03, 1.5990e+03]],

        [[1.6000e+03, 1.6010e+03, 1.6020e+03,  ..., 1.6470e+03,
          1.6480e+03, 1.6490e+03],
         [1.6500e+03, 1.6510e+03, 1.6520e+03,  ..., 1.6970e+03,
          1.6980e+03, 1.6990e+03],
         [1.7000e+03, 1.7010e+03, 1.7020e+03,  ..., 1.7470e+03,
          1.7480e+03, 1.7490e+03],
         [1.7500e+03, 1.7510e+03, 1.7520e+03,  ..., 1.7970e+03,
          1.7980e+03, 1.7990e+03]],

        [[1.8000e+03, 1.8010e+03, 1.8020e+03,  ..., 1.8470e+03,
          1.8480e+03, 1.8490e+03],
         [1.8500e+03, 1.8510e+03, 1.8520e+03,  ..., 1.8970e+03,
          1.8980e+03, 1.8990e+03],
         [1.9000e+03, 1.9010e+03, 1.9020e+03,  ..., 1.9470e+03,
          1.9480e+03, 1.9490e+03],
         [1.9500e+03, 1.9510e+03, 1.9520e+03,  ..., 1.9970e+03,
          1.9980e+03, 1.9990e+03]]])""",
    ),
    (
        "summary_ignores_the_middle",
        lambda: lamina.cat([lamina.ones(600), lamina.full((1,), 0.5), lamina.ones(600)]),
        "tensor([1., 1., 1.,  ..., 1., 1., 1.])",
    ),
    ("empty", lambda: lamina.tensor([]), "tensor([])"),
    ("empty_int", lambda: lamina.zeros(0, dtype=lamina.int64), "tensor([], dtype=torch.int64)"),
    ("empty_matrix", lambda: lamina.zeros(2, 0, 3), "tensor([], size=(2, 0, 3))"),
    (
        "empty_bool_matrix",
        lambda: lamina.zeros((0, 3), dtype=lamina.bool),
        "tensor([], size=(0, 3), dtype=torch.bool)",
    ),
    ("leaf", lambda: lamina.ones(2, requires_grad=True), "tensor([1., 1.], requires_grad=True)"),
    ("computed", lambda: (lamina.ones(2, requires_grad=True) * 2).sum(), "tensor(4., grad_fn=<SumBackward0>)"),
    (
        "double_leaf",
        lambda: lamina.ones(1, dtype=lamina.float64, requires_grad=True),
        "tensor([1.], dtype=torch.float64, requires_grad=True)",
    ),
    (
        "note_on_its_own_line",
        lambda: lamina.full((1, 7), 0.123456).requires_grad_() * 1,
        """\
tensor([[0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235, 0.1235]],
       grad_fn=<MulBackward0>)""",
    ),
    (
        "computed_matrix",
        lambda: lamina.ones(2, 2, requires_grad=True).exp(),
        """\
tensor([[2.7183, 2.7183],
        [2.7183, 2.7183]], grad_fn=<ExpBackward0>)""",
    ),
    (
        "two_notes",
        lambda: lamina.arange(6, dtype=lamina.float64).requires_grad_() * 1.1,
        """\
tensor([0.0000, 1.1000, 2.2000, 3.3000, 4.4000, 5.5000], dtype=torch.float64,
       grad_fn=<MulBackward0>)""",
    ),
]

OPTIONS: list[tuple[str, dict[str, Any], Callable[[], Any], str]] = [
    (
        "precision",
        {"precision": 2},
        lambda: lamina.tensor([0.125, 3.0]),
        "tensor([0.12, 3.00])",
    ),
    (
        "threshold",
        {"threshold": 5},
        lambda: lamina.arange(9),
        "tensor([0, 1, 2,  ..., 6, 7, 8])",
    ),
    (
        "edgeitems",
        {"edgeitems": 1, "threshold": 5},
        lambda: lamina.arange(12).reshape(3, 4),
        """\
tensor([[ 0,  ...,  3],
        ...,
        [ 8,  ..., 11]])""",
    ),
    (
        "linewidth",
        {"linewidth": 30},
        lambda: lamina.arange(10.0),
        """\
tensor([0., 1., 2., 3., 4.,
        5., 6., 7., 8., 9.])""",
    ),
    (
        "scientific",
        {"sci_mode": True},
        lambda: lamina.tensor([1.0, 20.5]),
        "tensor([1.0000e+00, 2.0500e+01])",
    ),
    (
        "not_scientific",
        {"sci_mode": False},
        lambda: lamina.tensor([1e-6, 2e6]),
        "tensor([      0.0000, 2000000.0000])",
    ),
    (
        "short",
        {"profile": "short"},
        lambda: lamina.arange(1001) / 7,
        "tensor([  0.00,   0.14,  ..., 142.71, 142.86])",
    ),
    (
        "short_and_more",
        {"profile": "short", "precision": 3},
        lambda: lamina.tensor([1 / 3]),
        "tensor([0.333])",
    ),
]


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    yield
    lamina.set_printoptions(profile="default")


@pytest.mark.parametrize(("make", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_repr(make: Callable[[], Any], text: str) -> None:
    assert repr(make()) == text
    assert str(make()) == text


@pytest.mark.parametrize(("options", "make", "text"), [row[1:] for row in OPTIONS], ids=[row[0] for row in OPTIONS])
def test_printoptions(options: dict[str, Any], make: Callable[[], Any], text: str) -> None:
    lamina.set_printoptions(**options)
    assert repr(make()) == text


def test_printoptions_profile_resets() -> None:
    before = repr(lamina.arange(5) / 3)
    lamina.set_printoptions(precision=1, linewidth=20, sci_mode=True)
    assert repr(lamina.arange(5) / 3) != before
    lamina.set_printoptions(profile="default")
    assert repr(lamina.arange(5) / 3) == before
    with pytest.raises(ValueError, match="profile"):
        lamina.set_printoptions(profile="loud")


def test_printing_leaves_the_graph_alone() -> None:
    x = lamina.ones(3, requires_grad=True)
    y = x.exp()
    assert "ExpBackward0" in repr(y)
    y.sum().backward()
    assert lamina.allclose(x.grad, y.detach())


def test_printing_a_view_shows_what_was_written() -> None:
    x = lamina.zeros(2, 2)
    row = x[0]
    x.fill_(3)
    assert repr(row) == "tensor([3., 3.])"


def test_subclass_prints_its_name() -> None:
    class Points(lamina.Tensor):
        pass

    points = lamina.Tensor._make_subclass(Points, lamina.zeros(2))
    assert repr(points) == "Points([0., 0.])"


def test_format() -> None:
    assert f"{lamina.tensor(2.0):.3f}" == "2.000"
    assert f"{lamina.tensor(7):04d}" == "0007"
    assert f"{lamina.ones(2)}" == "tensor([1., 1.])"
    assert f"{lamina.tensor(1.5)}" == "1.5"
    with pytest.raises(TypeError):
        format(lamina.ones(2), ".3f")
