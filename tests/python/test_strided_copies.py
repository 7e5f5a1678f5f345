"""Copies between layouts: rows too short for a call each, neither side contiguous, and what several threads share."""

import numpy as np
import pytest

import lamina

DTYPES = ("uint8", "float16", "float32", "float64", "complex128")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 15, 16, 17])
def test_short_rows_of_wide_ones(dtype: str, width: int) -> None:
    x = (np.arange(300 * 40) % 200).reshape(300, 40).astype(dtype)
    given = lamina.tensor(x)
    np.testing.assert_array_equal(given[:, 3 : 3 + width].clone().numpy(), x[:, 3 : 3 + width])
    joined = lamina.cat([given[:, :width], given, given[:, -width:]], 1)
    np.testing.assert_array_equal(joined.numpy(), np.concatenate([x[:, :width], x, x[:, -width:]], 1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("times", [2, 3, 4, 5])
def test_each_number_several_times(dtype: str, times: int) -> None:
    x = (np.arange(70 * 3) % 200).reshape(70, 3).astype(dtype)
    given = lamina.tensor(x)
    for axis in (0, 1):
        np.testing.assert_array_equal(given.repeat_interleave(times, axis).numpy(), np.repeat(x, times, axis))
        np.testing.assert_array_equal(
            given.T.repeat_interleave(times, axis).numpy(), np.repeat(x.T, times, axis), strict=True
        )


def test_long_lines_in_strides() -> None:
    x = np.arange(1_000_003, dtype=np.float32)
    given = lamina.tensor(x)
    np.testing.assert_array_equal(given[5::3].clone().numpy(), x[5::3])
    np.testing.assert_array_equal(lamina.zeros(400_000, 2).numpy(), np.zeros((400_000, 2), np.float32))
    pairs = lamina.stack([given[:400_000], given[400_000:800_000]], 1)
    np.testing.assert_array_equal(pairs.numpy(), np.stack([x[:400_000], x[400_000:800_000]], 1))
    spread = lamina.zeros(900_000)
    spread[1::3] = given[:300_000]
    expected = np.zeros(900_000, np.float32)
    expected[1::3] = x[:300_000]
    np.testing.assert_array_equal(spread.numpy(), expected)


@pytest.mark.parametrize("width", [2, 3, 7])
def test_pairs_from_two_strides(width: int) -> None:
    x = np.arange(90 * width * 5, dtype=np.float32).reshape(width, 90, 5)
    given = lamina.tensor(x)
    np.testing.assert_array_equal(given.permute(2, 1, 0).clone().numpy(), x.transpose(2, 1, 0))
    np.testing.assert_array_equal(given[:, ::2].permute(1, 2, 0).clone().numpy(), x[:, ::2].transpose(1, 2, 0))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 2, 300, 170), (60, 20, 9, 33), (9000, 2, 3, 7), (1, 2, 1, 90_000)])
def test_many_matrices_turned(dtype: str, shape: tuple[int, ...]) -> None:
    x = (np.arange(np.prod(shape)) % 251).reshape(shape).astype(dtype)
    given = lamina.tensor(x)
    np.testing.assert_array_equal(given.mT.clone().numpy(), x.swapaxes(2, 3))
    np.testing.assert_array_equal(given[::2].transpose(0, 1).mT.clone().numpy(), x[::2].transpose(1, 0, 3, 2))


def test_memory_that_others_see_is_written_along_many_axes_of_one() -> None:
    x = lamina.zeros([1] * 100 + [3, 2]).share_memory_()
    turned = x.transpose(-1, -2)
    x.add_(lamina.arange(6.0).reshape(3, 2))
    turned.mul_(2)
    assert x.flatten().tolist() == [0, 2, 4, 6, 8, 10]
    assert turned.flatten().tolist() == [0, 4, 8, 2, 6, 10]
