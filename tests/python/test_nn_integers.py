"""Convolutions of integers are exact, and those of float64."""

from __future__ import annotations

from typing import Any

import pytest

import lamina
from lamina.nn import functional as F


def _numbers(dtype: Any, *shape: int) -> Any:
    return (lamina.arange(lamina.Size(shape).numel()) * 7919 % 13 - 6).reshape(shape).to(dtype)


@pytest.mark.parametrize("dtype", [lamina.int64, lamina.int32, lamina.int8], ids=str)
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}, {"groups": 2, "stride": 3}, {"padding": "same"}],
    ids=str,
)
def test_convolution_of_integers(dtype: Any, axes: int, options: dict[str, Any]) -> None:
    images = _numbers(dtype, 2, 4, *(7, 6, 5)[:axes])
    weight = _numbers(dtype, 6, 4 // options.get("groups", 1), *(3, 1, 3)[:axes])
    convolve = getattr(F, f"conv{axes}d")
    found = convolve(images, weight, _numbers(dtype, 6), **options)
    assert found.dtype == dtype
    wanted = convolve(images.double(), weight.double(), _numbers(lamina.float64, 6), **options)
    assert lamina.equal(found, wanted.long().to(dtype))


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": 1, "output_padding": 1}, {"dilation": 2}, {"groups": 2, "padding": 2}],
    ids=str,
)
def test_transposed_convolution_of_integers(axes: int, options: dict[str, Any]) -> None:
    images = _numbers(lamina.int64, 2, 4, *(5, 4, 3)[:axes])
    weight = _numbers(lamina.int64, 4, 6 // options.get("groups", 1), *(3, 2, 3)[:axes])
    convolve = getattr(F, f"conv_transpose{axes}d")
    found = convolve(images, weight, **options)
    assert lamina.equal(found, convolve(images.double(), weight.double(), **options).long())


def test_large_integers_are_not_rounded() -> None:
    large = 2**60 + 1
    assert F.conv1d(lamina.tensor([[[large, 1]]]), lamina.ones(1, 1, 2, dtype=lamina.int64)).item() == large + 1
    with pytest.raises(RuntimeError, match="not implemented for 'Bool'"):
        F.conv1d(lamina.ones(1, 1, 2, dtype=lamina.bool), lamina.ones(1, 1, 2, dtype=lamina.bool))
