"""The short-time Fourier transform, spectra of overlapping windows of a signal, and the least squares inverse.

The inverse adds the windows' signals where they overlap, and divides by how much of them there is (Griffin and Lim,
"Signal estimation from modified short-time Fourier transform", 1984).
"""

from __future__ import annotations

from ... import _core, fft
from ..._core import Tensor
from ..._warning import warn_caller
from ...dtypes import has_gradients
from ...functions.arguments import composed
from ...functions.precision import in_float32
from ...looking import holds_somewhere
from .padding import pad

__all__ = ["istft", "stft"]

_WHOLE = "Cannot have onesided output if window or input is complex"


@in_float32
@composed
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Spectra of (…, L) signals, one or a batch of them: (…, N, T), a column for each of T windows.

    A window has `n_fft` places and begins `hop_length` (n_fft // 4) after the one before it. It is multiplied by
    `window`, of `win_length` places (n_fft), which stands in its middle. With `center` the signal is first padded by
    ``n_fft // 2`` on both sides, so that window t has place ``t * hop_length`` in its middle; without it, and with
    `align_to_window`, what is not 0 of the first window begins with the signal. N is ``n_fft // 2 + 1``
    with `onesided`, as it is for real signals, or n_fft; `normalized` divides by its square root. `return_complex` must
    be given for real signals; if it is False, parts stand in an axis of their own at the end. RuntimeError for sizes
    that do not fit.

    >>> signal = lamina.sin(2 * lamina.pi / 8 * lamina.arange(64))
    >>> lamina.stft(signal, 8, window=lamina.hann_window(8), return_complex=True).shape
    torch.Size([5, 33])
    """
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    hop, width = _steps("stft", n_fft, hop_length, win_length, window)
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and will further require that "
            "return_complex=True in a future PyTorch release."
        )
    if return_complex is False:
        warn_caller("stft with return_complex=False is deprecated: call view_as_real on the complex result instead")
    if not has_gradients(input):
        raise RuntimeError(f"stft: expected a tensor of floating point or complex values, got {input.dtype}")
    if input.dim() not in (1, 2):
        raise RuntimeError(f"stft: expected a 1D or 2D tensor, got {input.dim()} dimensions")
    signals = input if input.dim() == 2 else input.unsqueeze(0)
    if center:
        signals = pad(signals.unsqueeze(0), [n_fft // 2] * 2, pad_mode).squeeze(0)
    if n_fft > signals.shape[1]:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {signals.shape[1]}, but got n_fft={n_fft}")
    if align_to_window:
        signals = pad(signals, _beside(width, n_fft))
    frames = signals.unfold(1, n_fft, hop) * _centered(window, width, n_fft, signals)
    if onesided and is_complex:
        raise RuntimeError(_WHOLE)
    half = not is_complex if onesided is None else onesided
    spectra = (fft.rfft if half else fft.fft)(frames, norm="ortho" if normalized else None).transpose(1, 2)
    if input.dim() == 1:
        spectra = spectra.squeeze(0)
    return _core.view_as_real(spectra) if return_complex is False else spectra


@in_float32
@composed
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signals of which the complex (…, N, T) `input` has the spectra; arguments as in `stft`.

    They are real unless `return_complex` is given. `length` cuts them, or puts zeros behind them; without it the
    padding of `center` is cut off at both ends. RuntimeError for sizes that do not fit, and where no window covers a
    place.

    >>> signal, window = lamina.rand(64), lamina.hann_window(8)
    >>> spectra = lamina.stft(signal, 8, window=window, return_complex=True)
    >>> lamina.istft(spectra, 8, window=window).allclose(signal, atol=1e-6)
    True
    """
    hop, width = _steps("istft", n_fft, hop_length, win_length, window)
    places, half = _check_spectra(input, n_fft, onesided)
    if hop > width:
        raise RuntimeError("istft: expected 0 < hop_length <= win_length")
    spectra = (input if input.dim() == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        if half:
            raise RuntimeError(_WHOLE)
        frames = fft.ifft(spectra, norm=norm)
    else:
        if window is not None and window.is_complex():
            raise RuntimeError("Complex windows are incompatible with return_complex=False")
        frames = fft.irfft(spectra[..., : n_fft // 2 + 1], n_fft, norm=norm)
    weight = _centered(window, width, n_fft, frames)
    whole = n_fft + hop * (places - 1)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else whole - start
    added = _overlapped(frames * weight, hop, whole)[:, start:stop]
    amount = _overlapped((weight * weight).expand(1, places, n_fft), hop, whole)[:, start:stop]
    if holds_somewhere(amount.abs() < 1e-11):
        raise RuntimeError("istft: window overlap add min: some place has no window that is not 0 there")
    signals = added / amount
    if stop > whole:
        warn_caller(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
            "Please check your center and hop_length settings."
        )
        signals = pad(signals, [0, stop - whole])
    return signals if input.dim() == 3 else signals.squeeze(0)


def _steps(
    name: str, n_fft: int, hop_length: int | None, win_length: int | None, window: Tensor | None
) -> tuple[int, int]:
    """How far windows are apart, and how many places a window has that are not 0."""
    if window is None:
        warn_caller(
            "A window was not provided. A rectangular window will be applied, which is known to cause spectral "
            "leakage: give window=hann_window(n_fft), or ones(n_fft) to be rid of this warning."
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    if n_fft <= 0:
        raise RuntimeError(f"{name}: expected n_fft > 0, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < width <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={width}")
    if window is not None and window.shape != (width,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={width}, but got window with size "
            f"{list(window.shape)}"
        )
    return hop, width


def _check_spectra(input: Tensor, n_fft: int, onesided: bool | None) -> tuple[int, bool]:
    """How many windows there are, and whether half of each spectrum is given."""
    if not input.is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if input.dim() not in (2, 3):
        raise RuntimeError(f"istft: expected a 2D or 3D tensor, got {input.dim()} dimensions")
    if input.numel() == 0:
        raise RuntimeError("istft: input tensor cannot be empty.")
    frequencies = input.shape[-2]
    half = frequencies != n_fft if onesided is None else onesided
    expected = n_fft // 2 + 1 if half else n_fft
    if frequencies != expected:
        raise RuntimeError(
            f"istft: expected {expected} frequencies, the second to last axis, for n_fft={n_fft} and onesided={half}, "
            f"but got {frequencies}"
        )
    return input.shape[-1], half


def _centered(window: Tensor | None, width: int, n_fft: int, like: Tensor) -> Tensor:
    """The window between zeros, `n_fft` places; without one, of ones."""
    given = _core.ones(width, dtype=like.dtype, device=like.device) if window is None else window
    return given if width == n_fft else pad(given, _beside(width, n_fft))


def _beside(width: int, n_fft: int) -> list[int]:
    """How many places are before `width` in the middle of n_fft, and how many behind them."""
    before = (n_fft - width) // 2
    return [before, n_fft - width - before]


def _overlapped(frames: Tensor, hop: int, whole: int) -> Tensor:
    """(B, T, n) frames, each `hop` places behind the one before it, summed: (B, whole)."""
    batch, count, n = frames.shape
    places = _core.arange(count, device=frames.device).unsqueeze(1) * hop + _core.arange(n, device=frames.device)
    return frames.new_zeros(batch, whole).index_add(1, places.reshape(-1), frames.reshape(batch, -1))
