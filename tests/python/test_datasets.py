"""The data sets that ship with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import lamina


def test_digits() -> None:
    digits = lamina.datasets.load_digits()
    images, targets = digits
    assert digits.images is images
    assert (images.shape, images.dtype) == ((1797, 8, 8), lamina.float32)
    assert (targets.shape, targets.dtype) == ((1797,), lamina.int64)
    pixels = images.numpy()
    assert (pixels.min(), pixels.max()) == (0, 16)
    np.testing.assert_array_equal(pixels, pixels.round())
    # The figures that the data set's description gives for this part.
    assert np.bincount(targets.numpy()).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert pixels[0, 0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert int(pixels.sum()) == 561718


def test_digits_are_fresh_every_time() -> None:
    first, _ = lamina.datasets.load_digits()
    first.zero_()
    second, _ = lamina.datasets.load_digits()
    assert second.max().item() == 16


def test_attribution_ships_with_the_data() -> None:
    text = (Path(lamina.datasets.__file__).parent / "data" / "README.md").read_text(encoding="utf-8")
    for part in ("E. Alpaydin", "C. Kaynak", "CC BY 4.0", "UCI"):
        assert part in text
