"""The UCI handwritten digits: 1,797 images of 8×8 pixels."""

from __future__ import annotations

import os
import zlib
from collections import namedtuple

from .. import _core

__all__ = ["Digits", "load_digits"]

_COUNT = 1797
_SIDE = 8


class Digits(namedtuple("Digits", ["images", "targets"])):
    """`images` float32 (1797, 8, 8), from 0 (paper) to 16 (ink), and the digits they show, `targets` int64 (1797)."""

    __slots__ = ()


def load_digits() -> Digits:
    """The test part of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, UCI, CC BY 4.0).

    The images are in the order of the original file and not scaled: divide them by 16 for numbers from 0 to 1. Every
    call returns fresh tensors.

    >>> images, targets = lamina.datasets.load_digits()
    >>> images.shape, targets[:5]
    (torch.Size([1797, 8, 8]), tensor([0, 1, 2, 3, 4]))
    """
    import numpy as np

    path = os.path.join(os.path.dirname(__file__), "data", "digits.bin.zlib")
    with open(path, "rb") as file:
        numbers = np.frombuffer(zlib.decompress(file.read()), dtype=np.uint8)
    images, targets = numbers[:-_COUNT].reshape(_COUNT, _SIDE, _SIDE), numbers[-_COUNT:]
    return Digits(_core.tensor(images.astype(np.float32)), _core.tensor(targets.astype(np.int64)))
