"""``lamina.fft``: numbers against NumPy's, laws of Fourier transforms, gradients of every order, and errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina import fft
from lamina.autograd import gradcheck, gradgradcheck

Numbers = np.ndarray[Any, Any]
# By name: whether the input is real, and whether the result is. NumPy has no hfft of several axes.
ONE_AXIS = {
    "fft": (False, False),
    "ifft": (False, False),
    "rfft": (True, False),
    "irfft": (False, True),
    "hfft": (False, True),
    "ihfft": (True, False),
}
SEVERAL_AXES = {
    "fftn": (False, False),
    "ifftn": (False, False),
    "rfftn": (True, False),
    "irfftn": (False, True),
    "hfftn": (False, True),
    "ihfftn": (True, False),
    "fft2": (False, False),
    "ifft2": (False, False),
    "rfft2": (True, False),
    "irfft2": (False, True),
    "hfft2": (False, True),
    "ihfft2": (True, False),
}
ALL = ONE_AXIS | SEVERAL_AXES
NORMS = pytest.mark.parametrize("norm", [None, "ortho", "forward"])


def _numbers(shape: tuple[int, ...], real: bool, seed: int = 5) -> Numbers:
    generator = np.random.default_rng(seed)
    numbers = generator.normal(size=shape)
    return numbers if real else numbers + 1j * generator.normal(size=shape)


def _reference(name: str, numbers: Numbers, size: Any, axes: Any, norm: str | None) -> Numbers:
    if name in ONE_AXIS:
        return np.asarray(getattr(np.fft, name)(numbers, size, axes, norm))
    axes = tuple(range(numbers.ndim)) if axes is None else axes
    name = name.replace("2", "n")
    if name == "hfftn":
        first = numbers
        for axis, n in zip(axes[:-1], (None,) * len(axes) if size is None else size, strict=False):
            first = np.fft.fft(first, n, axis, norm)
        return np.asarray(np.fft.hfft(first, None if size is None else size[-1], axes[-1], norm))
    if name == "ihfftn":
        half = np.fft.ihfft(numbers, None if size is None else size[-1], axes[-1], norm)
        for axis, n in zip(axes[:-1], (None,) * len(axes) if size is None else size, strict=False):
            half = np.fft.ifft(half, n, axis, norm)
        return np.asarray(half)
    return np.asarray(getattr(np.fft, name)(numbers, size, axes, norm))


@NORMS
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ONE_AXIS)
def test_one_axis_as_numpy(name: str, dtype: str, norm: str | None) -> None:
    real, gives_real = ONE_AXIS[name]
    for is_real in {True, real}:
        numbers = _numbers((3, 4, 5), is_real)
        x = lamina.tensor(numbers).to(getattr(lamina, dtype if is_real else str(_complex(dtype))))
        for size in (None, 1, 2, 4, 5, 7, 8):
            for axis in (-1, 0, 1):
                result = getattr(fft, name)(x, size, axis, norm)
                assert result.dtype is (x.dtype.to_real() if gives_real else x.dtype.to_complex())
                expected = _reference(name, numbers, size, axis, norm)
                np.testing.assert_allclose(result.numpy(), expected, atol=1e-12 if dtype == "float64" else 1e-5)


def _complex(dtype: str) -> str:
    return {"float32": "complex64", "float64": "complex128"}[dtype]


@NORMS
@pytest.mark.parametrize("name", SEVERAL_AXES)
def test_several_axes_as_numpy(name: str, norm: str | None) -> None:
    numbers = _numbers((3, 4, 5), SEVERAL_AXES[name][0])
    choices: tuple[tuple[Any, Any], ...] = ((None, (0, 1)), (None, (2, 0)), ((4, 2), (1, -1)), ((2, 3, 7), (0, 1, 2)))
    for sizes, axes in choices:
        result = getattr(fft, name)(lamina.tensor(numbers), sizes, axes, norm)
        np.testing.assert_allclose(result.numpy(), _reference(name, numbers, sizes, axes, norm), atol=1e-12)
    default = (-2, -1) if name.endswith("2") else (0, 1, 2)
    result = getattr(fft, name)(lamina.tensor(numbers), norm=norm)
    np.testing.assert_allclose(result.numpy(), _reference(name, numbers, None, default, norm), atol=1e-12)


def test_sizes_alone_are_of_the_last_axes_and_minus_one_is_what_there_is() -> None:
    x = lamina.tensor(_numbers((3, 4, 5), False))
    assert fft.fftn(x, (2,)).allclose(fft.fft(x, 2))
    assert fft.fftn(x, (6, -1)).allclose(fft.fftn(x, (6, 5), (1, 2)))
    assert fft.irfftn(x, (2, -1)).allclose(fft.irfftn(x, (2, 8)))
    assert fft.fftn(x, 2, 0).allclose(fft.fft(x, 2, 0))
    assert fft.fftn(x, dim=()).equal(x)
    assert fft.fftn(lamina.tensor(2.0)).equal(lamina.tensor(2 + 0j))


@settings(max_examples=30)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple), st.sampled_from([None, "ortho", "forward"]))
def test_laws(shape: tuple[int, ...], norm: str | None) -> None:
    x, y = (lamina.tensor(_numbers(shape, False, seed)) for seed in (1, 2))
    spectrum = fft.fftn(x, norm=norm)
    assert fft.ifftn(spectrum, norm=norm).allclose(x)
    assert fft.fftn(x + (2 - 1j) * y, norm=norm).allclose(spectrum + (2 - 1j) * fft.fftn(y, norm=norm))
    if norm == "ortho":  # Parseval
        assert spectrum.abs().square().sum().allclose(x.abs().square().sum())
    n = shape[-1]
    turns = lamina.exp(-2j * lamina.pi * lamina.arange(n, dtype=lamina.float64) / n)
    assert fft.fftn(x.roll(1, -1), norm=norm).allclose(spectrum * turns)
    real = x.real
    assert fft.irfftn(fft.rfftn(real, norm=norm), shape, norm=norm).allclose(real)
    assert fft.hfftn(fft.ihfftn(real, norm=norm), shape, norm=norm).allclose(real)
    assert fft.rfftn(real, norm=norm).allclose(fft.fftn(real, norm=norm)[..., : n // 2 + 1])


def _sized(name: str) -> list[dict[str, Any]]:
    return (
        [{}, {"n": 3, "dim": 0}, {"n": 6, "norm": "ortho"}]
        if name in ONE_AXIS
        else [{}, {"s": (3, 2), "norm": "forward"}, {"s": (2, 5), "dim": (1, 0)}]
    )


@pytest.mark.parametrize("name", ALL)
def test_gradients_of_every_order(name: str) -> None:
    function = getattr(fft, name)
    for is_real in {True, ALL[name][0]}:
        for options in _sized(name):
            x = lamina.tensor(_numbers((2, 4), is_real), requires_grad=True)

            def call(x: lamina.Tensor, options: dict[str, Any] = options) -> Any:
                return function(x, **options)

            assert gradcheck(call, (x,), check_forward_ad=True, check_batched_grad=True)
            assert gradgradcheck(call, (x,))
            assert gradcheck(lambda x: function(x, **options).abs().square(), (x,))  # noqa: B023


@pytest.mark.parametrize("name", ALL)
def test_examples_of_vmap(name: str) -> None:
    """They are transforms of the batch."""
    function = getattr(fft, name)
    x = lamina.tensor(_numbers((3, 4, 5), ALL[name][0]))
    sizes = {"n": 6} if name in ONE_AXIS else {"s": (3, 6)}
    axes = {} if name in ONE_AXIS else {"dim": (-2, -1)}
    for options in ({}, {"norm": "ortho"}, {"norm": "forward"}, sizes):
        assert lamina.vmap(lambda x: function(x, **options))(x).allclose(function(x, **axes, **options))  # noqa: B023
    y = x[0, 0].real
    if name in ONE_AXIS:
        jacobian = lamina.func.jacrev(lambda y: function(y).abs())(y)
        assert jacobian.allclose(lamina.autograd.functional.jacobian(lambda y: function(y).abs(), y))


def test_a_layer_learns_a_spectrum() -> None:
    """As Fourier neural operators are made: few modes of a real field, each times a complex weight."""
    lamina.manual_seed(0)
    x, wanted = lamina.rand(4, 8, 9), lamina.rand(3, 4, dtype=lamina.complex64)
    weight = lamina.zeros(3, 4, dtype=lamina.complex64, requires_grad=True)
    optimizer = lamina.optim.Adam([weight], lr=0.1)

    def layer(weight: lamina.Tensor) -> lamina.Tensor:
        spectrum = fft.rfft2(x)
        modes = lamina.zeros_like(spectrum)
        modes[:, :3, :4] = spectrum[:, :3, :4] * weight
        return fft.irfft2(modes, s=x.shape[-2:])

    target = layer(wanted)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (layer(weight) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 100


@pytest.mark.parametrize("make", [fft.fftfreq, fft.rfftfreq])
def test_frequencies(make: Callable[..., lamina.Tensor]) -> None:
    reference = getattr(np.fft, make.__name__)
    for n in (1, 2, 7, 8):
        for d in (1.0, 0.25, -2):
            np.testing.assert_allclose(make(n, d).numpy(), reference(n, d), rtol=1e-6)
    made = make(6, dtype=lamina.float64, requires_grad=True)
    assert made.dtype is lamina.float64
    assert made.requires_grad
    out = lamina.empty(0, dtype=lamina.float64)
    assert make(6, out=out) is out
    assert out.equal(made)
    assert make(4, device="meta").is_meta
    assert make(4, 0.0).tolist()[1:3] == [float("inf"), -float("inf") if make is fft.fftfreq else float("inf")]
    with pytest.raises(RuntimeError, match="requires a floating point or complex dtype"):
        make(4, dtype=lamina.int64)
    with pytest.raises(RuntimeError, match="non-negative number of samples, got n=-1"):
        make(-1)


def test_shifts() -> None:
    numbers = _numbers((3, 4, 5), True)
    x = lamina.tensor(numbers)
    for axes in (None, 0, -1, (0, 2)):
        np.testing.assert_array_equal(fft.fftshift(x, axes).numpy(), np.fft.fftshift(numbers, axes))
        np.testing.assert_array_equal(fft.ifftshift(x, axes).numpy(), np.fft.ifftshift(numbers, axes))
        assert fft.ifftshift(fft.fftshift(x, axes), axes).equal(x)
    assert fft.fftshift(lamina.arange(5)).tolist() == [3, 4, 0, 1, 2]
    with pytest.raises(IndexError):
        fft.fftshift(x, 3)


def test_whole_numbers_and_layouts() -> None:
    assert fft.fft(lamina.arange(3)).dtype is lamina.complex64
    assert fft.ihfft(lamina.ones(4, dtype=lamina.bool)).dtype is lamina.complex64
    numbers = _numbers((4, 6), False)
    turned = lamina.tensor(numbers).t()[::2]
    assert not turned.is_contiguous()
    np.testing.assert_allclose(fft.fft(turned).numpy(), np.fft.fft(numbers.T[::2]), atol=1e-12)
    assert fft.rfft(lamina.tensor([1.0, float("nan")])).isnan().all()
    assert fft.fft(lamina.tensor([float("inf"), 0, 0])).real.isinf().all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_error_grows_with_the_logarithm_of_the_points(dtype: str) -> None:
    """Of all lengths and places of the axis: in lanes, in two steps, with large prime factors."""
    lengths = [*range(1, 40), 64, 91, 97, 120, 127, 128, 143, 210, 256, 257, 289, 360, 500, 512, 1009, 1024, 2048, 5000]
    for n in lengths:
        for shape, axis in (((3, n), 1), ((18, n), 1), ((n, 20), 0), ((2, n, 3), 1)):
            whole, real = (
                _numbers(shape, kind).astype(_complex(dtype) if not kind else dtype) for kind in (False, True)
            )
            half = whole.take(range(n // 2 + 1), axis)
            for name, numbers in (("fft", whole), ("ifft", whole), ("rfft", real), ("irfft", half), ("hfft", half)):
                found = getattr(fft, name)(lamina.tensor(numbers), n, axis, "ortho").numpy()
                wide = numbers.astype(np.float64 if numbers is real else np.complex128)
                expected = _reference(name, wide, n, axis, "ortho")
                bound = 4 * np.finfo(dtype).eps * np.log2(n + 1) * np.sqrt(np.mean(np.abs(expected) ** 2))
                assert np.abs(found - expected).max() <= bound, (name, shape)


def test_rows_keep_to_themselves() -> None:
    """What is not finite stays in its row, and a row of one place is what it was."""
    for n in (4, 6, 7, 64, 300):
        numbers = _numbers((20, n), True).astype(np.float32)
        numbers[3, 2] = np.nan
        numbers[9, 1] = np.inf
        for found in (fft.rfft(lamina.tensor(numbers)), fft.rfft(lamina.tensor(numbers.T), dim=0).T):
            broken = ~found.isfinite().all(1)
            assert broken.nonzero().flatten().tolist() == [3, 9]
    single = lamina.tensor([[np.inf], [1.5]])
    assert fft.rfft(single).real.equal(single)


def test_bits_do_not_depend_on_the_threads() -> None:
    threads = lamina.get_num_threads()
    for shape in ((700, 90), (3, 4096), (1, 100_000), (40, 33, 34)):
        x = lamina.rand(shape)
        results = []
        for count in (1, 2, 5):
            lamina.set_num_threads(count)
            results.append([y.clone().tolist() for y in (fft.rfft(x), fft.ifft(x, dim=0), fft.irfft(x + 0j))])
        lamina.set_num_threads(threads)
        assert results[0] == results[1] == results[2]


def test_they_are_recorded() -> None:
    """Not run at once, with gradients and all; of the last functions' names."""
    x = lamina.rand(4, 6, requires_grad=True)
    spectrum = fft.rfft2(x)
    assert str(spectrum.grad_fn).startswith("<FftR2CBackward0")
    assert str(fft.irfftn(spectrum).grad_fn).startswith("<FftC2RBackward0")
    assert str(fft.ifft(x).grad_fn).startswith("<FftC2CBackward0")
    assert "fourier_half 4x6x1" in lamina._core.describe_pending()


def test_nothing_to_transform() -> None:
    x = lamina.empty(0, 4, requires_grad=True)
    assert fft.rfft(x).shape == (0, 3)
    assert fft.irfft(x, 5).shape == (0, 5)
    fft.fft(x, 6).abs().sum().backward()
    assert x.grad.shape == (0, 4)
    assert fft.fft(lamina.empty(4, 0), 3).equal(lamina.zeros(4, 3, dtype=lamina.complex64))


@pytest.mark.parametrize("name", ALL)
def test_on_meta(name: str) -> None:
    x = lamina.tensor(_numbers((3, 4), ALL[name][0]), requires_grad=True)
    there = x.detach().to("meta").requires_grad_()
    result, expected = getattr(fft, name)(there), getattr(fft, name)(x)
    assert result.is_meta
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    result.abs().sum().backward()
    assert there.grad.is_meta
    assert there.grad.shape == x.shape


def test_out_and_autocast() -> None:
    x = lamina.rand(2, 4)
    out = lamina.empty(0, dtype=lamina.complex64)
    assert fft.fft(x, out=out) is out  # type: ignore[call-arg]
    assert out.equal(fft.fft(x))
    with pytest.raises(RuntimeError, match="can't be cast to the desired output type Float"):
        fft.fft(x, out=lamina.empty(2, 4))  # type: ignore[call-arg]
    with lamina.autocast("cpu", lamina.bfloat16):
        assert fft.rfft2(x.bfloat16()).dtype is lamina.complex64


REFUSED: dict[str, tuple[Callable[[lamina.Tensor], Any], type[Exception], str]] = {
    "half": (lambda x: fft.fft(x.half()), RuntimeError, "Unsupported dtype Half"),
    "bfloat16": (lambda x: fft.irfftn(x.bfloat16()), RuntimeError, "Unsupported dtype BFloat16"),
    "complex32": (lambda x: fft.fft(x.to(lamina.complex32)), RuntimeError, "Unsupported dtype ComplexHalf"),
    "complex": (lambda x: fft.rfft(x * 1j), RuntimeError, "rfft expects a real input tensor, but got ComplexFloat"),
    "complex_n": (
        lambda x: fft.ihfftn(x * 1j),
        RuntimeError,
        "ihfftn expects a real-valued input tensor, but got",
    ),
    "norm": (lambda x: fft.fft(x, norm="none"), RuntimeError, 'Invalid normalization mode: "none"'),
    "no_points": (lambda x: fft.fft(x, 0), RuntimeError, r"Invalid number of data points \(0\) specified"),
    "one_place": (lambda x: fft.irfft(x[:, :1]), RuntimeError, r"Invalid number of data points \(0\) specified"),
    "no_points_n": (lambda x: fft.fftn(x, (2, 0)), RuntimeError, r"Invalid number of data points \(0\) specified"),
    "empty_axis": (lambda x: fft.fft(x[:, :0]), RuntimeError, r"Invalid number of data points \(0\) specified"),
    "count": (lambda x: fft.fft(x, 2.5), TypeError, "float"),  # type: ignore[arg-type]
    "axis": (lambda x: fft.fft(x, dim=2), IndexError, "Dimension out of range"),
    "0d": (lambda x: fft.fft(x.sum()), IndexError, "Dimension specified as -1 but tensor has no dimensions"),
    "twice": (lambda x: fft.fftn(x, dim=(0, -2)), RuntimeError, "FFT dims must be unique"),
    "lengths": (lambda x: fft.fft2(x, (2,)), RuntimeError, "dim and shape arguments must have the same length"),
    "sizes": (lambda x: fft.fftn(x, (1, 2, 3)), RuntimeError, "shape with 3 values but input tensor only has 2"),
    "no_axis": (lambda x: fft.irfftn(x, dim=()), RuntimeError, "irfftn must transform at least one axis"),
    "list": (lambda x: fft.fft([1.0]), TypeError, r"fft\(\): argument 'input' must be Tensor, not list"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, error, text = REFUSED[case]
    with pytest.raises(error, match=text):
        call(lamina.rand(3, 4))
