"""Samples of interpolate's further modes and of grid_sample's, as in nn_samples.py: each axis times a matrix."""

from __future__ import annotations

import numpy as np
from nn_samples import Array, Sample, normal


def keys(away: Array, a: float) -> Array:
    """Keys' cubic, piece by piece."""
    x = np.abs(away)
    return np.where(x <= 1, (a + 2) * x**3 - (a + 3) * x**2 + 1, np.where(x < 2, a * (x**3 - 5 * x**2 + 8 * x - 4), 0))


def _cubic(length: int, wanted: int) -> Array:
    """The border repeated: what would weigh places outside weighs the outermost."""
    matrix = np.zeros((wanted, length))
    for row in range(wanted):
        place = (row + 0.5) * length / wanted - 0.5
        for tap in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            matrix[row, min(max(tap, 0), length - 1)] += keys(np.array(tap - place), -0.75)
    return matrix


def _smooth(length: int, wanted: int, cubic: bool) -> Array:
    """Weights as wide as the step, of what lies inside."""
    scale = length / wanted
    away = (np.arange(length) + 0.5 - (np.arange(wanted)[:, None] + 0.5) * scale) / max(scale, 1)
    weights = keys(away, -0.5) if cubic else np.maximum(1 - np.abs(away), 0)
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _linear(length: int, wanted: int) -> Array:
    """With the outermost centres kept."""
    places = np.linspace(0, length - 1, wanted)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(length)), 0)


def _bicubic_look(x: Array, grid: Array) -> Array:
    """Zeros outside."""
    result = np.zeros((*x.shape[:2], *grid.shape[1:3]))
    for n, i, j in np.ndindex(*grid.shape[:3]):
        column, row = ((grid[n, i, j] + 1) * (np.array(x.shape[:1:-1]) - 1)) / 2
        rows, columns = (keys(np.arange(size) - at, -0.75) for size, at in zip(x.shape[2:], (row, column), strict=True))
        result[n, :, i, j] = np.einsum("chw,h,w->c", x[n], rows, columns)
    return result


_image, _volume = normal(1, 2, 4, 5), normal(1, 2, 2, 3, 2)
_places = np.array([[[[-0.9, 0.1], [0.37, -0.42], [0.8, 0.95]]]])
_IMAGE = "nchw,ph,qw->ncpq"

SAMPLES = [
    Sample(
        "interpolate",
        (_image,),
        lambda x: np.einsum(_IMAGE, x, _cubic(4, 7), _cubic(5, 3)),
        {"size": (7, 3), "mode": "bicubic"},
    ),
    *(
        Sample(
            "interpolate",
            (_image,),
            lambda x, cubic=mode == "bicubic": np.einsum(_IMAGE, x, _smooth(4, 6, cubic), _smooth(5, 2, cubic)),
            {"size": (6, 2), "mode": mode, "antialias": True},
        )
        for mode in ("bilinear", "bicubic")
    ),
    *(
        Sample(
            "interpolate",
            (_image,),
            lambda x, times=times: np.einsum(_IMAGE, x, _smooth(4, 4 * times, False), _smooth(5, 5 * times, False)),
            {"scale_factor": times, "mode": "bilinear"},
        )
        for times in (2, 3, 4)
    ),
    Sample(
        "interpolate",
        (_volume,),
        lambda x: np.einsum("ncdhw,od,ph,qw->ncopq", x, _linear(2, 3), _linear(3, 2), _linear(2, 4)),
        {"size": (3, 2, 4), "mode": "trilinear", "align_corners": True},
    ),
    Sample("grid_sample", (_image, _places), _bicubic_look, {"mode": "bicubic", "align_corners": True}),
    Sample("upsample", (_image,), lambda x: x.repeat(2, 2).repeat(2, 3), {"scale_factor": 2}),
    Sample("upsample_nearest", (_image,), lambda x: x.repeat(2, 2).repeat(2, 3), {"size": (8, 10)}),
    Sample(
        "upsample_bilinear",
        (_image,),
        lambda x: np.einsum(_IMAGE, x, _linear(4, 3), _linear(5, 7)),
        {"size": (3, 7)},
    ),
]
