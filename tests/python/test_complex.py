"""Complex numbers: the ops that compute with them, by the op table, and what is theirs alone."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import lamina
from lamina.autograd import gradcheck, gradgradcheck

from op_samples import OPS, Case, Op, draw, to_numpy, to_tensor

# fmt: off
# The rows whose references know complex numbers.
COMPUTED = [
    "T", "__getitem__", "__setitem__", "abs", "acos", "acosh", "add", "addmm", "all", "any", "as_strided",
    "asin", "asinh", "atan", "atanh", "bmm", "cat", "chunk", "clone", "contiguous", "convolution", "cos",
    "cosh", "detach", "diagonal", "dot", "eq", "exp", "exp2", "expand", "expand_as", "expm1", "flatten", "flip",
    "full_like", "gather", "index_select", "isfinite", "isinf", "isnan", "linear", "log", "log10", "log1p",
    "log2", "logical_and", "logical_not", "logical_or", "logical_xor", "logsumexp", "mT", "matmul", "mean",
    "mm", "mul", "mv", "narrow", "ne", "neg", "nonzero", "norm", "ones_like", "permute", "pow", "reciprocal",
    "reshape", "rsqrt", "scatter", "scatter_add", "select", "sigmoid", "sin", "sinh", "split", "sqrt", "square",
    "squeeze", "stack", "std", "sub", "t", "tan", "tanh", "transpose", "true_divide", "unbind", "unfold",
    "unsqueeze", "var", "view", "zeros_like",
]
REFUSED = [
    "amax", "amin", "argmax", "argmin", "atan2", "ceil", "clamp", "copysign", "digamma", "erf", "erfc",
    "erfinv", "floor", "floor_divide", "fmod", "ge", "gt", "le", "lgamma", "log_softmax", "lt", "max",
    "max_pool_positions", "maximum", "min", "minimum", "relu", "remainder", "round", "sign", "signbit",
    "softmax", "sort", "topk", "trunc",
]
# fmt: on
_computed = [op for op in OPS if op.name in COMPUTED and op.reference and "float64" in op.dtypes]
_refused = [op for op in OPS if op.name in REFUSED and "float64" in op.dtypes]


def _operands(op: Op, item: Case, dtype: str = "complex128") -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(len(op.name))
    parts = [draw(rng, op, item, "float64", smooth=True) for _ in range(2)]
    return tuple(
        (a + 0.4j * b).astype(dtype) if a.dtype == np.float64 else a for a, b in zip(parts[0], parts[1], strict=True)
    )


def _cases(op: Op) -> list[Case]:
    return [c for c in op.cases if not c.large and any(a.dtype.kind == "c" for a in _operands(op, c))]


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("op", _computed, ids=lambda op: op.name)
def test_forward(op: Op, dtype: str) -> None:
    tolerance = 1e-11 if dtype == "complex128" else 2e-5
    for item in _cases(op):
        arrays = _operands(op, item, dtype)
        results, expected = op.invoke(tuple(map(to_tensor, arrays)), item), op.expected(arrays, item)
        for result, wanted in zip(results, expected, strict=True):
            assert tuple(result.shape) == wanted.shape, item.describe()
            if result.is_complex():
                assert result.dtype == getattr(lamina, dtype)
            np.testing.assert_allclose(to_numpy(result), wanted, tolerance, tolerance, err_msg=item.describe())


@pytest.mark.parametrize("op", [op for op in _computed if op.differentiable], ids=lambda op: op.name)
def test_gradients(op: Op) -> None:
    for item in [c for c in _cases(op) if sum(a.size for a in _operands(op, c)) <= 30][:4]:
        tensors = [to_tensor(a, requires_grad=True) for a in _operands(op, item)]
        assert gradcheck(lambda *given, item=item: op.invoke(given, item), tensors), item.describe()
        small = sum(x.numel() for x in tensors if x.requires_grad) <= 12
        if small and any(y.requires_grad for y in op.invoke(tuple(tensors), item)):
            assert gradgradcheck(lambda *given, item=item: op.invoke(given, item), tensors), item.describe()


@pytest.mark.parametrize("op", _refused, ids=lambda op: op.name)
def test_refused(op: Op) -> None:
    item = _cases(op)[0]
    with pytest.raises((RuntimeError, NotImplementedError), match=r"complex|Complex"):
        op.invoke(tuple(map(to_tensor, _operands(op, item))), item)


@pytest.mark.parametrize("name", ["sum", "prod", "cumsum", "cumprod"])
def test_accumulation(name: str) -> None:
    for shape, axis in (((3, 5), 1), ((3, 4), 0), ((2, 1), 1), ((0, 3), 1), ((7,), 0)):
        a = _random(*shape)
        got = getattr(lamina, name)(lamina.tensor(a), axis)
        np.testing.assert_allclose(got.numpy(), getattr(np, name)(a, axis), 1e-12, 1e-12)
        x = lamina.tensor(a, requires_grad=True)
        assert not x.numel() or gradcheck(lambda x, axis=axis: getattr(lamina, name)(x, axis), [x])
    if name in ("sum", "prod"):
        np.testing.assert_allclose(getattr(lamina, name)(lamina.tensor(a)).item(), getattr(np, name)(a), 1e-12)
    with_zeros = lamina.tensor(_random(2, 4) * [1, 0, 1, 1], requires_grad=True)
    assert gradcheck(lambda x: getattr(lamina, name)(x, 1), [with_zeros])


def _random(*shape: int, dtype: str = "complex128") -> np.ndarray:
    rng = np.random.default_rng(3)
    numbers: np.ndarray = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    return numbers


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_layouts_and_threads(dtype: str) -> None:
    a = _random(300, 170, dtype=dtype)
    x = lamina.from_numpy(a)
    for view, expected in (
        (x.T, a.T),
        (x[::2, 3:], a[::2, 3:]),
        (x.flip(0), a[::-1]),
        (x[:, :1].expand(300, 9), a[:, :1]),
    ):
        np.testing.assert_allclose((view * 2j + 1).numpy(), np.broadcast_to(expected, view.shape) * 2j + 1, 1e-6)
        np.testing.assert_array_equal(view.contiguous().numpy(), np.broadcast_to(expected, view.shape))
    results = []
    threads = lamina.get_num_threads()
    try:
        for count in (1, 2):
            lamina.set_num_threads(count)
            results.append(((x @ x.mH).exp().sum(0) * x.T.sum()).numpy().tobytes())
    finally:
        lamina.set_num_threads(threads)
    assert results[0] == results[1]


# What C99's annex G and NumPy say of special values, zeros' signs on the branch cuts among them.
_CUTS = np.array([-4, complex(-4, -0.0), 4, 0, complex(-0.0, 0.0), 2j, -2j, 1e-20 + 1e-20j, 1e200 + 1e200j, -1e200])


@pytest.mark.parametrize("name", ["sqrt", "log", "abs", "angle", "reciprocal"])
def test_branch_cuts_and_magnitudes(name: str) -> None:
    values = _CUTS[_CUTS != 0] if name in ("reciprocal", "log") else _CUTS
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(
            getattr(lamina, name)(lamina.tensor(values)).numpy(), getattr(np, name)(values), 1e-13, 1e-200
        )


def test_gradient_convention() -> None:
    """d/d(real) + i d/d(imaginary), as in PyTorch: of |z|² that is 2 z."""
    z = lamina.tensor([1 + 2j, -3j, 0j], requires_grad=True)
    (z * z.conj()).real.sum().backward()
    assert z.grad is not None
    np.testing.assert_allclose(z.grad.numpy(), 2 * z.detach().numpy())
    w = lamina.tensor([0j, 3 + 4j], requires_grad=True)
    w.abs().sum().backward()
    assert w.grad is not None
    np.testing.assert_allclose(w.grad.numpy(), [0, 0.6 + 0.8j], 1e-6)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for real scalar outputs"):
        (z * 1j).sum().backward()


@pytest.mark.parametrize(
    "function",
    [
        lambda z: (z * z.conj()).real.sum(),
        lambda z: z.exp() / z.abs(),
        lambda z: lamina.view_as_real(z).sum(-1),
        lambda z: lamina.view_as_complex(lamina.view_as_real(z) * 2.0),
        lambda z: (z.reshape(1, 3) @ z.reshape(3, 1)).imag,
        lambda z: lamina.cat([z, z[1:] * 1j]).cumsum(0),
    ],
)
def test_transforms(function: Any) -> None:
    z = lamina.tensor(_random(4, 3))
    lamina.testing.assert_close(lamina.vmap(function)(z), lamina.stack([function(row) for row in z]))
    assert gradcheck(function, [z[0].requires_grad_()], check_forward_ad=True, check_batched_grad=True)
    assert function(z[0].to("meta")).shape == function(z[0]).shape


def test_a_real_operand_gets_a_real_gradient() -> None:
    x = lamina.tensor([1.0, 2.0], requires_grad=True)
    (x * (2 + 3j)).sum().backward(lamina.tensor(1 + 1j))
    assert x.grad is not None
    assert x.grad.dtype == lamina.float32
    assert x.grad.tolist() == [5.0, 5.0]


def test_parts_are_views() -> None:
    z = lamina.zeros(2, 3, dtype=lamina.complex64)
    z.real.fill_(1)
    z.imag[0] = 2
    z.imag.T[1, 1] = 5
    lamina.view_as_real(z)[..., 0].mul_(3)
    assert z.tolist() == [[3 + 2j, 3 + 2j, 3 + 2j], [3 + 0j, 3 + 5j, 3 + 0j]]
    z.real = z.imag
    z.imag = lamina.tensor(1.0)
    assert z.tolist() == [[2 + 1j, 2 + 1j, 2 + 1j], [1j, 5 + 1j, 1j]]
    pairs = lamina.arange(8.0).reshape(4, 2)
    numbers = lamina.view_as_complex(pairs)
    numbers *= 1j
    numbers[0] = 9
    assert pairs.tolist() == [[9, 0], [-3, 2], [-5, 4], [-7, 6]]
    assert numbers.real.stride() == (2,)
    assert numbers.imag.storage_offset() == 1
    assert z.view(lamina.float32).shape == (2, 6)
    assert lamina.full((2, 2), 1 + 2j).T.imag[1:].tolist() == [[2.0, 2.0]]
    assert z.real.diagonal().tolist() == [2.0, 5.0]


def test_in_place_operations_have_gradients() -> None:
    def changed(z: Any) -> Any:
        y = z.clone()
        y.real.mul_(2)
        y.imag.add_(y.real)
        y[0] = y[1] * 1j
        return y

    assert gradcheck(changed, [lamina.tensor(_random(3), requires_grad=True)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lamina.view_as_complex(lamina.zeros(3)), "last dimension of size 2"),
        (lambda: lamina.view_as_complex(lamina.tensor(1.0)), "one or more dimensions"),
        (lambda: lamina.view_as_complex(lamina.zeros(2, 2).T), "stride 1"),
        (lambda: lamina.view_as_complex(lamina.zeros(4, 3)[:, :2]), "stride divisible by 2"),
        (lambda: lamina.view_as_complex(lamina.zeros(5)[1:3]), "storage_offset divisible by 2"),
        (lambda: lamina.view_as_complex(lamina.zeros(2, dtype=lamina.int64)), "scalar type: Long"),
        (lambda: lamina.view_as_real(lamina.zeros(2)), "only supported for complex tensors"),
        (lambda: lamina.zeros(2).imag, "imag is not implemented for tensors with non-complex dtypes"),
        (lambda: lamina.complex(lamina.zeros(2), lamina.zeros(2).double()), "Expected object of scalar type Float"),
        (lambda: lamina.zeros(2).add_(1j), "can't be cast to the desired output type Float"),
        (lambda: float(lamina.tensor(1 + 1j)), "without overflow"),
        (lambda: lamina.tensor([1j], dtype=lamina.float32), "without overflow"),
        (lambda: lamina.zeros(2).fill_(1j), "without overflow"),
    ],
)
def test_refusals(make: Any, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        make()


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (lamina.zeros(2), 1j, "complex64"),
        (lamina.zeros(2).double(), 1j, "complex128"),
        (lamina.zeros(2).long(), 1j, "complex64"),
        (lamina.zeros(2).double(), lamina.tensor(1j), "complex128"),
        (lamina.zeros(2), lamina.tensor(1j, dtype=lamina.complex128), "complex64"),
        (lamina.zeros(2).double(), lamina.zeros(2).cfloat(), "complex128"),
        (lamina.zeros(2).cfloat(), lamina.zeros(2).cdouble(), "complex128"),
        (lamina.zeros(2).cfloat(), 1.5, "complex64"),
        (lamina.zeros(2).half(), 1j, "complex32"),
        (lamina.zeros(2).bfloat16(), 1j, "complex64"),
        (lamina.zeros(2).chalf(), lamina.zeros(2), "complex64"),
        (lamina.zeros(2).chalf(), lamina.zeros(2).long(), "complex32"),
    ],
)
def test_promotion(a: Any, b: Any, expected: str) -> None:
    assert (a + b).dtype == getattr(lamina, expected)
    assert lamina.result_type(a, b) == getattr(lamina, expected)


def test_numbers_in_and_out() -> None:
    z = lamina.tensor([[1 + 2j, 3], [0.5, -1j]])
    assert z.dtype == lamina.complex64
    assert z.tolist() == [[1 + 2j, 3], [0.5, -1j]]
    assert complex(z[0, 0]) == 1 + 2j == z[0, 0].item()
    assert str(z) == "tensor([[1.0000+2.j, 3.0000+0.j],\n        [0.5000+0.j, -0.0000-1.j]])"
    assert str(lamina.tensor(1j, dtype=lamina.complex128)) == "tensor(0.+1.j, dtype=torch.complex128)"
    shared = z.numpy()
    assert shared.dtype == np.complex64
    shared[0, 0] = 7j
    assert z[0, 0].item() == 7j
    big_endian = _random(4).astype(">c16")
    np.testing.assert_array_equal(lamina.tensor(big_endian).numpy(), big_endian)
    assert pickle.loads(pickle.dumps(z)).equal(z)
    assert lamina.from_dlpack(z).equal(z)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert z.float().tolist() == [[0.0, 3.0], [0.5, 0.0]]
    assert "discards the imaginary part" in str(seen[0].message)


def test_files(tmp_path: Any) -> None:
    state = {"z": lamina.tensor(_random(3, 2)), "w": lamina.tensor(_random(4, dtype="complex64"))}
    lamina.save(state, tmp_path / "numbers.pt")
    loaded = lamina.load(tmp_path / "numbers.pt")
    assert all(loaded[name].equal(state[name]) and loaded[name].dtype == state[name].dtype for name in state)


def test_random_numbers() -> None:
    z = lamina.randn(20000, dtype=lamina.complex64)
    assert abs(z.var().item() - 1) < 0.05
    assert abs(z.real.var().item() - 0.5) < 0.05
    u = lamina.rand(1000, dtype=lamina.complex128)
    assert bool(((u.real >= 0) & (u.imag < 1)).all())
    assert lamina.rand_like(z).dtype == lamina.complex64


def test_a_module_trains_on_complex_numbers() -> None:
    lamina.manual_seed(0)
    net = lamina.nn.Linear(3, 2, dtype=lamina.complex64)
    x = lamina.randn(16, 3, dtype=lamina.complex64)
    target = x @ lamina.randn(3, 2, dtype=lamina.complex64)
    optimizer = lamina.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (net(x) - target).abs().square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 1e-3 * losses[0]


@pytest.mark.filterwarnings("ignore:Casting complex values to real")
def test_the_real_part_by_conversion_is_a_copy() -> None:
    array = np.array([1 + 2j, 3], np.complex64)
    shared = lamina.from_numpy(array)
    copies = shared.float(), shared.to(lamina.float32), lamina.tensor(array).float()
    array[0] = 7
    copies[1].numpy()[1] = 8
    assert [copy.tolist() for copy in copies] == [[1, 3], [1, 8], [1, 3]]
    assert array.tolist() == [7, 3]
    assert shared.real.tolist() == [7, 3]


def test_products_of_one_complex_number_are_copies() -> None:
    array = np.array([1 + 2j], np.complex64)
    z = lamina.from_numpy(array)
    products = z.prod(), z[0].prod(), z.cumprod(0), z[0].cumprod(0)
    array[0] = 7
    assert all(product.reshape(()).item() == 1 + 2j for product in products)


def test_vander_of_complex_numbers() -> None:
    a = np.array([1 + 2j, 0, -1j])
    for increasing in (False, True):
        result = lamina.vander(lamina.tensor(a), 4, increasing)
        np.testing.assert_allclose(result.numpy(), np.vander(a, 4, increasing), atol=1e-12)


def test_powers_of_zero_grow_where_the_exponent_is_negative() -> None:
    exponents = lamina.tensor([-1 + 2j, 1 + 2j, 0j, 2j])
    for base in (0, lamina.zeros(4, dtype=lamina.complex64)):
        grown, vanished, one, undirected = base**exponents
        assert grown.real == lamina.inf
        assert grown.imag.isnan()
        assert (vanished == 0) & (one == 1)
        assert undirected.isnan()


def test_silu_and_rms_norm_of_complex_numbers() -> None:
    z = lamina.tensor([1 + 2j, -3 + 0.5j, 0], dtype=lamina.complex128, requires_grad=True)
    numbers = z.detach().numpy()
    np.testing.assert_allclose(lamina.nn.functional.silu(z).detach().numpy(), numbers / (1 + np.exp(-numbers)))
    normed = numbers / np.sqrt((numbers**2).mean() + 2.0**-52)
    np.testing.assert_allclose(lamina.nn.functional.rms_norm(z, (3,)).detach().numpy(), normed)
    assert gradcheck(lambda z: lamina.nn.functional.rms_norm(z, (3,), z), (z,))
    assert lamina.nn.RMSNorm(3, dtype=lamina.complex64)(z.detach().to(lamina.complex64)).dtype == lamina.complex64


def test_parts_are_filled() -> None:
    x = lamina.zeros(4, dtype=lamina.complex64)
    lamina.view_as_real(x).fill_(3)
    assert x.tolist() == [3 + 3j] * 4


def test_views_as_parts_and_as_complex_numbers_are_copied() -> None:
    z = lamina.tensor([1 + 2j, 3 - 1j])
    parts = lamina.view_as_real_copy(z)
    assert parts.tolist() == [[1, 2], [3, -1]]
    again = lamina.view_as_complex_copy(parts)
    parts.zero_()
    assert again.tolist() == z.tolist()
