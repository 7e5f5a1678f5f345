"""What convolutions, pooling and padding refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import nn
from lamina.nn import functional as F


def scores(*shape: int) -> lamina.Tensor:
    return lamina.zeros(*shape)


WINDOW_ERRORS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: F.conv2d(scores(4, 4), scores(2, 3, 3, 3)), RuntimeError, r"Expected 3D \(unbatched\) or 4D \(batched\)"),
    (lambda: F.conv2d(scores(1, 2, 4, 4), scores(2, 3, 3, 3)), RuntimeError, "to have 3 channels, but got 2 channels"),
    (
        lambda: F.conv1d(scores(2, 8), scores(4, 3, 5)),
        RuntimeError,
        r"weight of size \[4, 3, 5\], expected input\[1, 2, 8\] to have 3 channels",
    ),
    (
        lambda: F.conv3d(scores(1, 2, 4, 4, 4), scores(4, 1, 3, 3, 3)),
        RuntimeError,
        r"expected input\[1, 2, 4, 4, 4\] to have 1 channels, but got 2",
    ),
    (
        lambda: F.conv_transpose1d(scores(1, 3, 8), scores(4, 2, 3)),
        RuntimeError,
        r"Given transposed=1, weight of size \[4, 2, 3\], expected input\[1, 3, 8\] to have 4 channels, but got 3",
    ),
    (
        lambda: F.conv_transpose3d(scores(1, 3, 4, 4, 4), scores(4, 2, 3, 3, 3)),
        RuntimeError,
        "to have 4 channels, but got 3",
    ),
    (lambda: F.conv1d(scores(1, 9, 8), scores(4, 3, 3), groups=3), RuntimeError, r"divisible by 3 .* \[4, 3, 3\]"),
    (lambda: F.conv1d(scores(1, 9, 8), scores(4, 3, 3), groups=8), RuntimeError, r"at least 8 .* \[4, 3, 3\]"),
    (
        lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 5, 3)),
        RuntimeError,
        "Kernel size can't be greater than actual",
    ),
    (
        lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3), scores(3)),
        RuntimeError,
        "bias to be 1-dimensional with 2",
    ),
    (lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3), stride=0), RuntimeError, "non-positive stride"),
    (lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3), padding=-1), RuntimeError, "negative padding"),
    (lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3), padding="some"), RuntimeError, "Invalid padding string"),
    (lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3), stride=(1, 2, 3)), RuntimeError, "list of 2 values"),
    (lambda: F.conv2d(scores(1, 3, 4, 4), scores(2, 3, 3, 3).double()), RuntimeError, "Float but found Double"),
    (
        lambda: F.conv_transpose2d(scores(1, 2, 4, 4), scores(2, 3, 3, 3), output_padding=1),
        RuntimeError,
        "smaller than",
    ),
    (lambda: F.conv_transpose2d(lamina.ones(1, 0, 4, 4), lamina.ones(0, 3, 3, 3)), RuntimeError, "at least 1"),
    (lambda: F.max_pool2d(scores(1, 3, 4, 4), 3, padding=2), RuntimeError, "at most half"),
    (lambda: F.max_pool2d(scores(1, 3, 4, 4), 5), RuntimeError, "Output size is too small"),
    (lambda: F.max_pool2d(scores(1, 3, 4, 4), 1, padding=2**31), RuntimeError, "converted to type int without"),
    (lambda: F.max_pool2d(scores(1, 3, 4, 4), 2**70), ValueError, "Overflow when unpacking long long"),
    (
        lambda: F.max_pool1d([1.0], 2),
        TypeError,
        r"^max_pool1d\(\): argument 'input' \(position 1\) must be Tensor, not",
    ),
    (lambda: F.avg_pool1d(scores(1, 3, 4), 2, 2**31), RuntimeError, "converted to type int without overflow"),
    (lambda: F.avg_pool2d(scores(1, 3, 4, 4), 2, divisor_override=0), RuntimeError, "divisor must be not zero"),
    (lambda: F.adaptive_avg_pool2d(scores(1, 3, 4, 4), (2, 2, 2)), RuntimeError, "output_size must be 2"),
    (lambda: F.fractional_max_pool2d(scores(1, 7, 7), (1,), 3), RuntimeError, "kernel_size must either be a single"),
    (lambda: F.fractional_max_pool3d(scores(1, 7, 7, 7), 2, (3, 3)), RuntimeError, "or tuple of three Ints"),
    (lambda: F.pad(lamina.ones(3, 0, 4), (1, 1), mode="replicate"), RuntimeError, "Expected 2D or 3D"),
    (lambda: F.pad(lamina.ones(2, 3, 0, 4), (0, 0, 0, 0), mode="reflect"), RuntimeError, "Expected 3D or 4D"),
    (lambda: F.pad(lamina.ones(3), (1, 1), mode="reflect"), NotImplementedError, "size 2 is not supported for 1D"),
    (lambda: F.conv2d(scores(1, 2, 4, 4), scores(4, 2, 0, 0)), RuntimeError, "kernel size should be greater than zero"),
    (lambda: F.conv_transpose1d(scores(1, 2, 4), scores(2, 3, 0)), RuntimeError, "kernel size should be greater than"),
    (lambda: F.conv_transpose1d(scores(1, 2, 0), scores(2, 3, 3)), RuntimeError, "Only zero batch or zero channel"),
    (lambda: F.conv_transpose1d(scores(1, 2, 4), scores(2, 0, 3)), RuntimeError, "non-empty weight tensor expected"),
    (lambda: F.conv_transpose1d(scores(1, 2, 4), scores(2, 2, 3), padding="same"), TypeError, "padding must be an int"),
    (lambda: nn.ConvTranspose2d(2, 4, 3, padding="valid"), TypeError, "padding must be an int or a sequence of ints"),
    (lambda: nn.Conv3d(2, 4, (3,)), RuntimeError, "expected kernel_size to be an int or 3 ints"),
    (lambda: nn.Conv2d(3, 4, 2, groups=2), ValueError, "in_channels must be divisible by groups"),
    (lambda: nn.Conv2d(3, 4, 2, padding_mode="none"), ValueError, "padding_mode must be one of"),
]


@pytest.mark.parametrize(("function", "error", "message"), WINDOW_ERRORS)
def test_window_errors(function: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        function()
