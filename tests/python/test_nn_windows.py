"""Convolutions and pooling: what their samples (window_samples.py) cannot show."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import nn
from lamina.autograd import forward_ad
from lamina.nn import functional as F

from op_samples.windows import convolve

inf = float("inf")


@pytest.mark.parametrize(
    ("shape", "out", "stride"), [((1, 96, 7, 7), 100, 1), ((4, 64, 8, 8), 203, 2), ((3, 64, 5, 9), 130, 1)]
)
def test_channels_of_small_images_are_shared_by_threads(shape: tuple[int, ...], out: int, stride: int) -> None:
    """Whole numbers, so that every sum is exact: the same from one thread, which has all channels, and from some."""
    random = np.random.default_rng(out)
    size = ((shape[2] - 1) // stride + 1, (shape[3] - 1) // stride + 1)
    x, weight, cotangent = (
        random.integers(-4, 5, s).astype("f4") for s in (shape, (out, shape[1], 3, 3), (shape[0], out, *size))
    )
    expected = convolve(x, weight, size, (stride, stride), (1, 1))
    before = lamina.get_num_threads()
    gradients = []
    try:
        for threads in (1, 2, 3, 5):
            lamina.set_num_threads(threads)
            image, w = lamina.tensor(x, requires_grad=True), lamina.tensor(weight, requires_grad=True)
            y = F.conv2d(image, w, stride=stride, padding=1)
            np.testing.assert_array_equal(y.detach().numpy(), expected)
            gradients.append([g.numpy() for g in lamina.autograd.grad(y, (image, w), lamina.tensor(cotangent))])
    finally:
        lamina.set_num_threads(before)
    for shared in gradients[1:]:
        np.testing.assert_array_equal(shared[0], gradients[0][0])
        np.testing.assert_array_equal(shared[1], gradients[0][1])


# Images, channels of the result, window, stride, padding, dilation: residues of several classes, and of none, windows
# that leave gaps, rows of a matrix 4 KB apart, single elements (as matrix products from 64 places on), odd counts.
GRADIENTS = [
    ((2, 4, 37, 29), 32, 8, 4, 0, 1),
    ((3, 5, 20, 21), 40, 4, 2, 1, 1),
    ((2, 3, 32, 32), 64, 3, 1, 1, 1),
    ((2, 18, 32, 32), 20, 3, 1, 1, 1),
    ((2, 70, 16, 16), 90, 1, 1, 0, 1),
    ((2, 20, 9, 8), 1024, 1, 1, 0, 1),
    ((4, 40, 6, 6), 1024, 1, 1, 0, 1),
    ((2, 3, 13, 17), 20, 2, 3, 1, 1),
    ((2, 6, 15, 14), 30, 3, 2, 2, 2),
    ((1, 2, 8, 8), 17, 3, 2, 1, 3),
    ((5, 33, 7, 7), 65, 3, 1, 1, 1),
    ((3, 1, 28, 28), 30, 3, 1, 0, 1),
    ((3, 2, 28, 28), 30, 3, 1, 0, 1),
    ((2, 16, 20, 20), 16, 3, 1, 1, 1),
    ((1, 128, 22, 22), 8, 3, 1, 1, 1),
    ((1, 16, 24, 24), 60, 3, 1, 1, 1),
]


@pytest.mark.parametrize(("shape", "out", "window", "stride", "padding", "dilation"), GRADIENTS)
def test_gradients_of_convolutions_are_sums_over_taps(
    shape: tuple[int, ...], out: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    """Whole numbers, so that every sum is exact, from any number of threads."""
    random = np.random.default_rng(window)
    x, weight = (random.integers(-4, 5, s).astype("f4") for s in (shape, (out, shape[1], window, window)))
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    size = F.conv2d(lamina.tensor(x), lamina.tensor(weight), **options).shape
    cotangent = random.integers(-4, 5, tuple(size)).astype("f4")
    padded = np.pad(x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    back, of_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i, j in product(range(window), repeat=2):
        rows, columns = (
            slice(at * dilation, at * dilation + (n - 1) * stride + 1, stride) for at, n in ((i, size[2]), (j, size[3]))
        )
        back[:, :, rows, columns] += np.einsum("nohw,oc->nchw", cotangent, weight[:, :, i, j])
        of_weight[:, :, i, j] = np.einsum("nohw,nchw->oc", cotangent, padded[:, :, rows, columns])
    inside = slice(padding, -padding or None)
    before = lamina.get_num_threads()
    try:
        for threads in (1, 2, 3):
            lamina.set_num_threads(threads)
            image, w = lamina.tensor(x, requires_grad=True), lamina.tensor(weight, requires_grad=True)
            gradients = lamina.autograd.grad(F.conv2d(image, w, **options), (image, w), lamina.tensor(cotangent))
            np.testing.assert_array_equal(gradients[0].numpy(), back[:, :, inside, inside])
            np.testing.assert_array_equal(gradients[1].numpy(), of_weight)
    finally:
        lamina.set_num_threads(before)


@pytest.mark.parametrize(("shape", "out", "window", "stride", "padding", "dilation"), GRADIENTS)
def test_convolutions_are_the_same_bits_for_any_number_of_threads(
    shape: tuple[int, ...], out: int, window: int, stride: int, padding: int, dilation: int
) -> None:
    draw = lamina.Generator().manual_seed(window)
    x = lamina.randn(*shape, generator=draw, requires_grad=True)
    weight = lamina.randn(out, shape[1], window, window, generator=draw, requires_grad=True)
    before, results = lamina.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4, 7):
            lamina.set_num_threads(threads)
            y = F.conv2d(x, weight, stride=stride, padding=padding, dilation=dilation)
            results.append([t.detach().numpy() for t in (y, *lamina.autograd.grad(y.square().sum(), (x, weight)))])
    finally:
        lamina.set_num_threads(before)
    for shared in results[1:]:
        for one, another in zip(shared, results[0], strict=True):
            np.testing.assert_array_equal(one, another)


def test_windows_of_one_element_are_products_forward_and_back_to_the_image() -> None:
    x, weight = lamina.rand(2, 3, 8, 8, requires_grad=True), lamina.rand(5, 3, 1, 1)
    lamina.flush()
    (gradient,) = lamina.autograd.grad(F.conv2d(x, weight).sum(), x)
    text = gradient.plan()
    assert "convolution_input as matmul" in text
    lamina.testing.assert_close(gradient, weight.sum(0)[None].expand(2, 3, 8, 8))


def test_max_pool_of_padding_alone() -> None:
    """Windows whose dilation steps over the input give -inf, as in PyTorch."""
    x = lamina.tensor([[[3.0]]], requires_grad=True)
    y = F.max_pool1d(x, 2, stride=1, padding=1, dilation=2)
    assert y.tolist() == [[[-inf]]]
    z = F.max_pool2d(lamina.arange(6.0).reshape(1, 2, 3), 2, stride=1, padding=1, dilation=(1, 2))
    assert z.tolist() == [[[1, 2, 1], [4, 5, 4], [4, 5, 4]]]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "uint8", "bool"])
@pytest.mark.parametrize("size", [(1, 700), (9, 5), (40, 13), (3, 2)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_max_pool_takes_the_first_of_the_largest_or_the_last_nan(
    stride: int, size: tuple[int, int], dtype: str
) -> None:
    random = np.random.default_rng(sum(size))
    x = random.integers(0, 3, (2, 2, *size)).astype(dtype)
    if dtype.startswith("float"):
        x[random.random(x.shape) < 0.5] = -inf
        x[1][random.random(x[1].shape) < 0.2] = np.nan
    window, padding = (min(3, size[0]), 2), (size[0] > 2, 1)
    _, positions = F.max_pool2d(lamina.tensor(x), window, stride, padding, return_indices=True)
    for place in np.ndindex(*positions.shape):
        n, c, *corner = place
        taps = product(*(range(k * stride - p, k * stride - p + w) for k, p, w in zip(corner, padding, window)))
        inside = [i * size[1] + j for i, j in taps if 0 <= i < size[0] and 0 <= j < size[1]]
        values = x[n, c].reshape(-1)[inside]
        nans = np.flatnonzero(values != values)
        assert positions[place].item() == inside[nans[-1] if len(nans) else np.argmax(values)]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("window", [1, 2, 3, 4, (1, 3), (2, 2), (4, 1), (2, 3)])
def test_max_pool_has_the_same_values_without_a_gradient(window: Any, stride: int) -> None:
    pool = F.max_pool1d if isinstance(window, int) else F.max_pool2d
    x = lamina.randn(3, 2, 13, generator=lamina.Generator().manual_seed(stride))
    if pool is F.max_pool2d:
        x = x[..., None] * lamina.tensor([1.0, -2.0, 3.0, 0.5, -1.0, 2.0])
    x[0, 0, 5] = np.nan
    x[1, :, :4] = -inf
    for ceil_mode in (False, True):
        values = pool(x, window, stride, ceil_mode=ceil_mode)
        found, _ = pool(x, window, stride, ceil_mode=ceil_mode, return_indices=True)
        recorded = pool(x.clone().requires_grad_(), window, stride, ceil_mode=ceil_mode)
        lamina.testing.assert_close(values, found, rtol=0, atol=0, equal_nan=True)
        lamina.testing.assert_close(values, recorded.detach(), rtol=0, atol=0, equal_nan=True)


def test_small_windows_without_a_gradient_are_not_searched_for_positions() -> None:
    x = lamina.rand(2, 3, 8, 8)
    assert "max_pool" not in F.max_pool2d(x, 2).plan()
    assert "max_pool" in F.max_pool2d(x, 3).plan()
    assert "max_pool" in F.max_pool2d(x.requires_grad_(), 2).plan()
    tangent = lamina.tensor([[[1.0, 2.0, 4.0, 8.0]]])
    with forward_ad.dual_level():  # equal elements: the first one's
        equal = forward_ad.make_dual(lamina.ones(1, 1, 4), tangent)
        assert forward_ad.unpack_dual(F.max_pool1d(equal, 2)).tangent.tolist() == [[[1.0, 4.0]]]


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_adaptive_and_fractional_max_pools_take_the_first_of_the_largest_or_the_last_nan(axes: int) -> None:
    random = np.random.default_rng(axes)
    size, outputs = (7, 5, 8)[:axes], (3, 2, 5)[:axes]
    x = random.integers(0, 3, (2, 2, *size)).astype("float32")
    x[1][random.random(x[1].shape) < 0.2] = np.nan
    pools: list[Any] = [(F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[axes - 1]]
    starts = [[[k * n // out for k in range(out)] for n, out in zip(size, outputs)]]
    ends = [[[-(-(k + 1) * n // out) for k in range(out)] for n, out in zip(size, outputs)]]
    if axes > 1:  # samples of 0: windows of 2 begin at the rounded multiples of (n - 2) / (out - 1)
        fractional = (F.fractional_max_pool2d, F.fractional_max_pool3d)[axes - 2]
        pools.append(partial(fractional, kernel_size=2, _random_samples=lamina.zeros(2, 2, axes)))
        starts.append([[k * (n - 2) // (out - 1) for k in range(out)] for n, out in zip(size, outputs)])
        ends.append([[start + 2 for start in along] for along in starts[1]])
    for pool, begins, stops in zip(pools, starts, ends):
        _, positions = pool(lamina.tensor(x), output_size=outputs, return_indices=True)
        for n, c, *corner in np.ndindex(*positions.shape):
            taps = product(*(range(b[k], e[k]) for b, e, k in zip(begins, stops, corner)))
            inside = [int(np.ravel_multi_index(tap, size)) for tap in taps]
            values = x[n, c].reshape(-1)[inside]
            nans = np.flatnonzero(values != values)
            assert positions[(n, c, *corner)].item() == inside[nans[-1] if len(nans) else np.argmax(values)]


def test_pooling_is_recorded_without_looking_at_numbers() -> None:
    x = lamina.rand(1, 2, 4, 4)
    lamina.flush()
    before = lamina.plan_stats()["flushes"]
    F.max_pool2d(F.conv2d(x, lamina.rand(3, 2, 3, 3)), 2)
    assert lamina.plan_stats()["flushes"] == before


def test_gradients_of_convolutions_as_functions() -> None:
    x, w = lamina.rand(2, 4, 6, 5, requires_grad=True), lamina.rand(6, 2, 3, 2, requires_grad=True)
    y = F.conv2d(x, w, stride=2, padding=1, groups=2)
    g = lamina.rand(y.shape)
    dx, dw = lamina.autograd.grad(y, (x, w), g)
    assert nn.grad.conv2d_input(x.shape, w, g, 2, 1, 1, 2).tolist() == dx.tolist()
    assert nn.grad.conv2d_weight(x, w.shape, g, 2, 1, 1, 2).tolist() == dw.tolist()
    line = nn.grad.conv1d_weight(lamina.ones(1, 1, 5), (1, 1, 2), lamina.ones(1, 1, 4))
    assert line.tolist() == [[[4, 4]]]


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_padding_modes_of_convolutions(mode: str) -> None:
    layer = nn.Conv2d(2, 3, 3, padding=(1, 2), padding_mode=mode)
    x = lamina.rand(1, 2, 5, 6)
    expected = F.conv2d(F.pad(x, (2, 2, 1, 1), mode=mode), layer.weight, layer.bias)
    assert layer(x).tolist() == expected.tolist()


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize(
    ("shape", "widths"), [((5, 9, 61, 67), (30, 2, 7, 40)), ((3, 5, 9, 41, 43), (3, 9, 8, 1, 4, 2))]
)
def test_padded_borders_are_the_same_bits_for_any_number_of_threads(
    shape: tuple[int, ...], widths: tuple[int, ...], mode: str
) -> None:
    x = lamina.randn(*shape, requires_grad=True)
    before, results = lamina.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4, 7):
            lamina.set_num_threads(threads)
            y = F.pad(x, widths, mode=mode)
            results.append((y.detach(), *lamina.autograd.grad((y * y.detach().sin()).sum(), x)))
    finally:
        lamina.set_num_threads(before)
    for y, gradient in results[1:]:
        assert lamina.equal(y, results[0][0])
        assert lamina.equal(gradient, results[0][1])


def test_padded_borders_of_complex_halves_and_integers() -> None:
    pad = partial(F.pad, pad=(1, 2), mode="reflect")
    assert pad(lamina.arange(4).reshape(1, 4)).tolist() == [[1, 0, 1, 2, 3, 2, 1]]
    x = lamina.tensor([[1 + 2j, 3 - 1j, 2j]], requires_grad=True)
    (gradient,) = lamina.autograd.grad(pad(x), x, lamina.tensor([[1, 2, 3j, 4, 5 - 1j, 6]], dtype=lamina.complex64))
    assert gradient.tolist() == [[8, 6 + 2j, 4]]
    half = lamina.tensor([[1.0, 2, 3]], dtype=lamina.float16, requires_grad=True)
    (gradient,) = lamina.autograd.grad(pad(half).sum(), half)
    assert gradient.dtype == lamina.float16
    assert gradient.tolist() == [[2, 3, 1]]
    assert pad(half).grad_fn.name() == "ReflectionPad1DBackward0"  # type: ignore[union-attr]


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_cropping_is_no_view(mode: str) -> None:
    x = lamina.ones(1, 2, 3, 3)
    F.pad(x, (0, 0, -1, -1), mode=mode).fill_(5)
    F.pad(x, (0, 0, 0, 0), mode=mode).fill_(5)
    assert x.tolist() == lamina.ones(1, 2, 3, 3).tolist()


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("kind", ["avg", "max"])
def test_adaptive_windows_of_none_refuse_a_gradient(kind: str, axes: int) -> None:
    pool = getattr(F, f"adaptive_{kind}_pool{axes}d")
    x = lamina.ones(2, 3, *[4] * axes, requires_grad=True)
    assert tuple(pool(x, 0).shape) == (2, 3, *[0] * axes)
    with pytest.raises(
        RuntimeError, match=rf"adaptive_{kind}_pool.d_backward\(\): Expected grad_output to have non-zero"
    ):
        pool(x, 0).sum().backward()
    nobody = lamina.ones(0, 3, *[4] * axes, requires_grad=True)
    pool(nobody, 2).sum().backward()
    assert nobody.grad is not None


@pytest.mark.parametrize(("window", "stride", "padding"), [(2, 2, 0), (3, 1, 1), (5, 3, 2), (2, 3, 0)])
def test_means_are_the_same_bits_for_any_number_of_threads(window: int, stride: int, padding: int) -> None:
    found = []
    x = lamina.randn(24, 3, 51, 53).requires_grad_()
    before = lamina.get_num_threads()
    for threads in (1, 2, 3):
        lamina.set_num_threads(threads)
        y = F.avg_pool2d(x, window, stride, padding)
        found.append((y.detach().numpy(), lamina.autograd.grad(y.square().sum(), x)[0].numpy()))
    lamina.set_num_threads(before)
    for means, gradient in found[1:]:
        assert np.array_equal(means, found[0][0])
        assert np.array_equal(gradient, found[0][1])


def test_means_take_nan_and_infinity_from_their_own_windows_alone() -> None:
    x = np.zeros((1, 1, 7, 9), np.float32)
    x[0, 0, 2, 3], x[0, 0, 6, 8] = np.nan, np.inf
    image = lamina.tensor(x).requires_grad_()
    means = F.avg_pool2d(image, 2)
    expected = np.zeros((1, 1, 3, 4), np.float32)
    expected[0, 0, 1, 1] = np.nan
    np.testing.assert_array_equal(means.detach().numpy(), expected)  # the last row and column are in no window
    gradient = np.full((1, 1, 3, 4), 4, np.float32)
    gradient[0, 0, 0, 2] = np.nan
    (back,) = lamina.autograd.grad(means, image, lamina.tensor(gradient))
    spread = np.zeros((1, 1, 7, 9), np.float32)
    spread[:, :, :6, :8] = 1
    spread[0, 0, :2, 4:6] = np.nan
    np.testing.assert_array_equal(back.numpy(), spread)


@pytest.mark.parametrize(
    ("length", "window", "stride", "padding"), [(5000, 3, 2, 1), (4099, 2, 2, 0), (3000, 2000, 1, 0)]
)
def test_means_of_lines_longer_than_a_kernels_call(length: int, window: int, stride: int, padding: int) -> None:
    line = np.random.default_rng(0).standard_normal((2, 1, length))
    padded = np.pad(line, ((0, 0), (0, 0), (padding, padding)))
    expected = np.lib.stride_tricks.sliding_window_view(padded, window, -1)[:, :, ::stride].mean(-1)
    x = lamina.tensor(line).requires_grad_()
    means = F.avg_pool1d(x, window, stride, padding)
    np.testing.assert_allclose(means.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
    seed = np.random.default_rng(1).standard_normal(expected.shape)
    (back,) = lamina.autograd.grad(means, x, lamina.tensor(seed))
    spread = np.zeros(padded.shape)
    for i in range(seed.shape[-1]):
        spread[..., i * stride : i * stride + window] += seed[..., i : i + 1] / window
    np.testing.assert_allclose(back.numpy(), spread[..., padding : padding + length], rtol=1e-10, atol=1e-12)


def test_windows_longer_than_volumes_are_refused() -> None:
    """Whatever the padding is; of images they are not."""
    volume = lamina.ones(1, 3, 6, 5)
    for pool in (F.avg_pool3d, lambda x, *window: F.lp_pool3d(x, 2, window[0])):
        with pytest.raises(RuntimeError, match=r"\(T: 3 H: 6 W: 5\) smaller than kernel size \(kT: 4 kH: 2 kW: 1\)"):
            pool(volume, (4, 2, 1), 1, (1, 1, 0))
    assert F.avg_pool2d(volume, (7, 2), 1, (1, 1)).shape == (1, 3, 2, 6)


def test_one_window_has_no_neighbor_however_far() -> None:
    x = lamina.arange(4.0).reshape(1, 1, 4).requires_grad_()
    mean = F.avg_pool1d(x, 3, stride=2**31 - 1)
    assert mean.tolist() == [[[1.0]]]
    mean.sum().backward()
    np.testing.assert_allclose(x.grad.flatten(), [1 / 3, 1 / 3, 1 / 3, 0])
    assert F.max_pool1d(x, 3, stride=2**40).tolist() == [[[2.0]]]


@pytest.mark.parametrize("size", [4, 5, 7, 10, 14])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 33])
def test_joined_images_are_convolved_one_by_one(size: int, count: int) -> None:
    draw = lamina.Generator().manual_seed(size)
    x = lamina.randn(count, 3, size, size, generator=draw, dtype=lamina.float64, requires_grad=True)
    weight = lamina.randn(20, 3, 3, 3, generator=draw, dtype=lamina.float64)
    y = F.conv2d(x, weight, padding=1)
    factor = lamina.randn(y.shape, generator=draw, dtype=lamina.float64)
    (gradient,) = lamina.autograd.grad(y, x, factor)
    for i in range(count):
        image = x[i : i + 1].detach().requires_grad_()
        alone = F.conv2d(image, weight, padding=1)
        lamina.testing.assert_close(y[i : i + 1], alone)
        lamina.testing.assert_close(gradient[i : i + 1], lamina.autograd.grad(alone, image, factor[i : i + 1])[0])
