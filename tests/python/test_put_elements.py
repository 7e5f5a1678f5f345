"""Strided views of parts of complex tensors, and types of another size: what they show and what is written there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lamina
from lamina.autograd import gradcheck


def test_strided_views_of_parts_change_in_place() -> None:
    x = lamina.complex(lamina.arange(4.0), lamina.zeros(4))
    x.real.as_strided((2,), (4,)).add_(10)
    x.imag.unfold(0, 2, 2)[1].fill_(5)
    assert x.tolist() == [10, 1, 12 + 5j, 3 + 5j]
    pairs = lamina.arange(8.0)
    lamina.view_as_complex(pairs.as_strided((3, 2), (2, 1), 2))[::2].mul_(1j)
    assert pairs.tolist() == [0, 1, -3, 2, 4, 5, -7, 6]
    doubles = lamina.zeros(2, dtype=lamina.float64)
    doubles.view(lamina.complex64).imag.as_strided((2,), (2,), 1).fill_(1.875)
    assert doubles.tolist() == [1.0, 1.0]
    wide = lamina.zeros(2, dtype=lamina.complex128)
    wide.real.view(lamina.complex64).imag.as_strided((2,), (4,), 1).fill_(1.875)
    assert wide.tolist() == [1.0, 1.0]


def test_strided_views_of_parts_pass_gradients() -> None:
    z = lamina.complex(*lamina.arange(1.0, 9.0, dtype=lamina.float64).reshape(2, 4)).requires_grad_()

    def changed(z: lamina.Tensor) -> lamina.Tensor:
        x = z.clone()
        x.real.as_strided((2,), (4,)).mul_(lamina.tensor([3.0, 4.0], dtype=lamina.float64))
        return x

    assert gradcheck(changed, (z,))


def test_types_of_another_size_need_whole_elements() -> None:
    z = lamina.zeros(4, 2, dtype=lamina.complex64)
    with pytest.raises(RuntimeError, match=r"self.stride\(-1\) must be 1 to view complex64 as float32"):
        z.T.view(lamina.float32)
    with pytest.raises(RuntimeError, match=r"self.storage_offset\(\) must be divisible by 2"):
        lamina.zeros(5)[1:].view(lamina.complex64)
    with pytest.raises(RuntimeError, match=r"self.stride\(0\) must be divisible by 2"):
        lamina.zeros(2, 3)[:, :2].view(lamina.complex64)
    with pytest.raises(RuntimeError, match=r"self.dim\(\) cannot be 0"):
        z[0, 0].view(lamina.float32)
    assert z[1:].view(lamina.float32).shape == (3, 4)


def test_views_made_before_memory_is_shown_follow_it() -> None:
    numbers = lamina.complex(lamina.arange(1.0, 5.0), lamina.ones(4))
    view = numbers.unfold(0, 2, 1)
    assert view[0, 0] == 1 + 1j
    numbers.numpy()[:] = 0
    assert not view.any()


def test_parts_of_a_detached_tensor_have_histories() -> None:
    def slopes(change: Callable[[lamina.Tensor, lamina.Tensor], object]) -> list[float]:
        p = lamina.tensor([1.0, 2.0, 3.0], requires_grad=True)
        base = p * 2
        x = base.detach()
        change(x, p)
        assert lamina.autograd.grad(base.sum(), p)[0].tolist() == [2, 2, 2]
        return lamina.autograd.grad((x * lamina.tensor([1.0, 10.0, 100.0])).sum(), p)[0].tolist()  # type: ignore[no-any-return]

    assert slopes(lambda x, p: x.__setitem__(-1, p[-1] * 3)) == [0, 0, 300]
    assert slopes(lambda x, p: x[1:].add_(p[1:])) == [0, 10, 100]
    assert slopes(lambda x, p: (x.add_(p), x[0].zero_())) == [0, 10, 100]
    assert slopes(lambda x, p: (x[0].copy_(p[0]), x.add_(p), x.mul_(2))) == [4, 20, 200]
    assert slopes(lambda x, p: x.as_strided((2,), (1,)).copy_(p[:2])) == [1, 10, 0]
