"""``stft`` and ``istft``: the definition, inverses, gradients, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import istft, stft
from lamina.autograd import gradcheck, gradgradcheck

Numbers = np.ndarray[Any, Any]


def _signal(*shape: int, real: bool = True) -> lamina.Tensor:
    generator = np.random.default_rng(7)
    numbers = generator.normal(size=shape)
    return lamina.tensor(numbers if real else numbers + 1j * generator.normal(size=shape))


def _window(n: int, real: bool = True) -> lamina.Tensor:
    return lamina.tensor(np.random.default_rng(n).uniform(0.5, 1.0, n) * (1 if real else 1 - 0.5j))


def _by_definition(x: Numbers, n_fft: int, hop: int, window: Numbers) -> Numbers:
    """(n_fft, T): each window's transform, its parts summed one by one."""
    starts = range(0, len(x) - n_fft + 1, hop)
    frames = np.stack([x[start : start + n_fft] * window for start in starts], 1)
    places = np.arange(n_fft)
    return np.asarray(np.exp(-2j * np.pi * np.outer(places, places) / n_fft) @ frames)


@pytest.mark.parametrize("real", [True, False])
@pytest.mark.parametrize(("n_fft", "hop"), [(8, 2), (7, 3), (1, 1), (20, 5)])
def test_the_definition(n_fft: int, hop: int, real: bool) -> None:
    x, window = _signal(40, real=real), _window(n_fft)
    expected = _by_definition(x.numpy(), n_fft, hop, window.numpy())
    found = stft(x, n_fft, hop, window=window, center=False, onesided=False, return_complex=True)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    found = stft(x, n_fft, hop, window=window, center=False, onesided=False, normalized=True, return_complex=True)
    np.testing.assert_allclose(found.numpy(), expected / np.sqrt(n_fft), atol=1e-12)
    if real:
        half = x.stft(n_fft, hop, window=window, center=False, return_complex=True)
        np.testing.assert_allclose(half.numpy(), expected[: n_fft // 2 + 1], atol=1e-12)
    short = _window(n_fft)[: (n_fft + 1) // 2]
    before = (n_fft - len(short)) // 2
    padded = np.pad(short.numpy(), (before, n_fft - len(short) - before))
    found = stft(x, n_fft, hop, len(short), short, center=False, onesided=False, return_complex=True)
    np.testing.assert_allclose(found.numpy(), _by_definition(x.numpy(), n_fft, hop, padded), atol=1e-12)


def test_windows_aligned_with_the_signal() -> None:
    x, window = _signal(20), _window(4)
    options: dict[str, Any] = {"window": window, "center": False, "return_complex": True}
    found = x.stft(9, 3, 4, **options, align_to_window=True)
    padded = lamina.cat([x.new_zeros(2), x, x.new_zeros(3)])
    assert found.shape == (5, 6)
    assert found.equal(padded.stft(9, 3, 4, **options))
    assert x.stft(9, 3, 4, **options, align_to_window=False).equal(x.stft(9, 3, 4, **options))


@pytest.mark.parametrize("mode", ["reflect", "constant", "circular", "replicate"])
def test_the_middle_of_a_window_is_its_place(mode: str) -> None:
    x, window = _signal(2, 30), _window(8)
    names = {"replicate": "edge", "circular": "wrap"}
    padded = np.pad(x.numpy(), ((0, 0), (4, 4)), names.get(mode, mode))  # type: ignore[call-overload]
    found = stft(x, 8, 3, window=window, pad_mode=mode, return_complex=True)
    assert found.shape == (2, 5, 11)
    for row in range(2):
        np.testing.assert_allclose(found[row], _by_definition(padded[row], 8, 3, window.numpy())[:5], atol=1e-12)


@pytest.mark.parametrize("shape", [(50,), (3, 50)])
@pytest.mark.parametrize("n_fft", [8, 9])
@pytest.mark.parametrize("normalized", [False, True])
def test_the_inverse(shape: tuple[int, ...], n_fft: int, normalized: bool) -> None:
    x = _signal(*shape)
    for width in (None, 6):
        window = _window(width or n_fft)
        options: dict[str, Any] = {"win_length": width, "window": window, "normalized": normalized}
        spectra = x.stft(n_fft, 2, **options, return_complex=True)
        assert spectra.istft(n_fft, 2, **options, length=50).allclose(x)
        assert istft(spectra, n_fft, 2, **options).allclose(x[..., : spectra.shape[-1] * 2 - 2 + n_fft % 2])
        whole = stft(x, n_fft, 2, **options, onesided=False, return_complex=True)
        assert istft(whole, n_fft, 2, **options, length=50).allclose(x)
        assert istft(whole, n_fft, 2, **options, length=50, return_complex=True).allclose(x + 0j)
    z, window = _signal(*shape, real=False), _window(n_fft, real=False)
    spectra = stft(z, n_fft, window=window, normalized=normalized)
    options = {"window": window, "normalized": normalized, "length": 50, "return_complex": True}
    assert istft(spectra, n_fft, **options).allclose(z)


def test_a_wave_has_one_frequency() -> None:
    wave = (2 * lamina.pi * 3 / 16 * lamina.arange(160)).cos()
    window = lamina.hann_window(16)
    power = stft(wave, 16, window=window, return_complex=True).abs().mean(1)
    assert power.argmax() == 3
    parts = pytest.warns(UserWarning, match="return_complex=False is deprecated")
    with parts:
        apart = stft(wave, 16, window=window, return_complex=False)
    assert lamina.view_as_complex(apart.contiguous()).equal(stft(wave, 16, window=window, return_complex=True))


def test_gradients() -> None:
    window = _window(6).requires_grad_()
    for real in (True, False):
        x = _signal(2, 14, real=real).requires_grad_()

        def spectra(x: lamina.Tensor, window: lamina.Tensor) -> lamina.Tensor:
            return stft(x, 6, 2, window=window, return_complex=True)

        def back(z: lamina.Tensor, window: lamina.Tensor, real: bool = real) -> lamina.Tensor:
            return istft(z, 6, 2, window=window, return_complex=not real)

        z = spectra(x, window).detach().requires_grad_()
        for call, start in ((spectra, x), (back, z)):
            assert gradcheck(call, (start, window), check_batched_grad=True)
            assert gradgradcheck(call, (start, window))


def test_without_a_window_there_is_a_warning_at_the_users_line() -> None:
    x = _signal(32)
    with pytest.warns(UserWarning, match="A window was not provided") as warned:
        spectra = x.stft(8, return_complex=True)
    with pytest.warns(UserWarning, match="A window was not provided") as warned_again:
        assert istft(spectra, 8).allclose(x)
    assert {warning.filename for warning in (*warned, *warned_again)} == {__file__}
    ones = lamina.ones(8, dtype=lamina.float64)
    assert spectra.equal(stft(x, 8, window=ones, return_complex=True))
    with pytest.warns(UserWarning, match="length of signal is shorter than the length parameter"):
        longer = istft(spectra, 8, window=ones, length=40)
    assert longer[:32].allclose(x)
    assert longer[36:].tolist() == [0] * 4  # before them is what was padded


ONES = lamina.ones(8)
HALF = lamina.ones(5, 3, dtype=lamina.complex64)
REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "real": (lambda: stft(ONES, 8, window=ONES), "stft requires the return_complex parameter"),
    "whole_numbers": (lambda: stft(lamina.arange(9), 8, window=ONES, return_complex=True), "floating point or complex"),
    "axes": (lambda: stft(lamina.ones(2, 2, 9), 8, window=ONES, return_complex=True), "expected a 1D or 2D tensor"),
    "long": (
        lambda: stft(ONES[:5], 8, window=ONES, center=False, return_complex=True),
        "0 < n_fft <= 5, but got",
    ),
    "n_fft": (lambda: stft(ONES, 0, window=ONES, return_complex=True), "expected n_fft > 0"),
    "hop": (lambda: stft(ONES, 8, 0, window=ONES, return_complex=True), "expected hop_length > 0"),
    "width": (lambda: stft(ONES, 8, 2, 9, ONES, return_complex=True), "0 < win_length <= n_fft, but got win_length=9"),
    "window": (lambda: stft(ONES, 8, 2, 4, ONES, return_complex=True), "window tensor of size equal to win_length=4"),
    "aligned": (lambda: stft(ONES, 8, align_to_window=False, return_complex=True), "only be set when center = false"),
    "onesided": (lambda: stft(ONES + 0j, 8, window=ONES, onesided=True), "Cannot have onesided output"),
    "half": (lambda: stft(ONES.half(), 8, window=ONES.half(), return_complex=True), "Unsupported dtype Half"),
    "inverse_of_real": (lambda: istft(ONES, 8, window=ONES), "istft requires a complex-valued input"),
    "inverse_axes": (lambda: istft(HALF[0], 8, window=ONES), "expected a 2D or 3D tensor"),
    "empty": (lambda: istft(HALF[:, :0], 8, window=ONES), "input tensor cannot be empty"),
    "frequencies": (lambda: istft(HALF, 9, 2, 8, ONES, onesided=False), "expected 9 frequencies"),
    "half_of_complex": (lambda: istft(HALF, 8, window=ONES, return_complex=True), "Cannot have onesided output"),
    "complex_window": (lambda: istft(HALF, 8, window=ONES + 0j), "Complex windows are incompatible"),
    "far": (lambda: istft(HALF, 8, 5, 4, ONES[:4]), "0 < hop_length <= win_length"),
    "gap": (lambda: istft(HALF, 8, window=lamina.zeros(8)), "window overlap add min"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    call, text = REFUSED[case]
    with pytest.raises(RuntimeError, match=text):
        call()


def test_on_meta_and_in_autocast() -> None:
    x = lamina.ones(2, 30, device="meta")
    spectra = stft(x, 8, window=ONES.to("meta"), return_complex=True)
    assert spectra.is_meta
    assert spectra.shape == (2, 5, 16)
    assert istft(spectra, 8, window=ONES.to("meta")).shape == (2, 30)
    with lamina.autocast("cpu", lamina.bfloat16):
        assert stft(lamina.ones(30).bfloat16(), 8, window=ONES, return_complex=True).dtype is lamina.complex64
