"""lamina.amp.autocast: which functions convert their operands, and to what; GradScaler: test_grad_scaler.py."""

from __future__ import annotations

import copy
import inspect
import pickle
import threading
from collections.abc import Callable
from typing import ClassVar

import pytest

import lamina
from lamina import Tensor, linalg, nn
from lamina.nn import functional as F

HALF = (lamina.bfloat16, lamina.float16)


def _x(*sizes: int) -> Tensor:
    return lamina.rand(*sizes or (4, 4), generator=lamina.Generator().manual_seed(1)) + 0.1


def _positive() -> Tensor:
    return _x() @ _x().T + lamina.eye(4)


LOW: dict[str, Callable[[], Tensor]] = {
    "matmul operator": lambda: _x() @ _x(),
    "matmul": lambda: lamina.matmul(_x(), _x(4)),
    "mm": lambda: _x().mm(_x()),
    "bmm": lambda: _x(2, 3, 3).bmm(_x(2, 3, 3)),
    "addmm": lambda: lamina.addmm(_x(), _x(), _x()),
    "baddbmm": lambda: _x(2, 3, 3).baddbmm(_x(2, 3, 3), _x(2, 3, 3)),
    "addbmm": lambda: lamina.addbmm(_x(3, 3), _x(2, 3, 3), _x(2, 3, 3)),
    "linear": lambda: F.linear(_x(), _x(), _x(4)),
    "Linear": lambda: nn.Linear(4, 2)(_x()),
    "einsum": lambda: lamina.einsum("ij,jk->ik", _x(), _x()),
    "tensordot": lambda: lamina.tensordot(_x(), _x(), 1),
    "vecdot": lambda: linalg.vecdot(_x(), _x()),
    "conv1d": lambda: F.conv1d(_x(1, 1, 5), _x(1, 1, 2)),
    "conv2d": lambda: F.conv2d(_x(1, 1, 5, 5), _x(1, 1, 2, 2)),
    "conv3d": lambda: lamina.conv3d(_x(1, 1, 3, 3, 3), _x(1, 1, 2, 2, 2)),
    "conv_transpose2d": lambda: F.conv_transpose2d(_x(1, 1, 5, 5), _x(1, 1, 2, 2)),
    "prelu": lambda: F.prelu(_x(), _x(1)),
    "attention": lambda: F.scaled_dot_product_attention(_x(2, 3, 4), _x(2, 3, 4), _x(2, 3, 4)),
}
FULL: dict[str, Callable[[], Tensor]] = {
    "prod": lambda: _x().prod(),
    "trace": lambda: _x().half().trace(),
    "cdist": lambda: lamina.cdist(_x(), _x()),
    "quantile": lambda: lamina.quantile(_x(4), 0.5),
    "inv": lambda: linalg.inv(_positive()),
    "cholesky": lambda: linalg.cholesky(_positive()),
    "svdvals": lambda: linalg.svdvals(_x()),
    "mse_loss": lambda: F.mse_loss(_x().half(), _x()),
    "cross_entropy": lambda: F.cross_entropy(_x().bfloat16(), lamina.tensor([0, 1, 2, 3])),
    "CrossEntropyLoss": lambda: nn.CrossEntropyLoss()(_x().half(), lamina.tensor([0, 1, 2, 3])),
    "kl_div": lambda: F.kl_div(_x().bfloat16(), _x().bfloat16(), reduction="sum"),
    "max_pool3d": lambda: F.max_pool3d(_x(1, 1, 4, 4, 4).bfloat16(), 2),
    "reflection padding": lambda: F.pad(_x(1, 1, 4).bfloat16(), (1, 1), "reflect"),
    "grid_sample": lambda: F.grid_sample(_x(1, 1, 4, 4).half(), _x(1, 3, 3, 2), align_corners=False),
}


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("name", LOW)
def test_products_are_computed_in_half_precision(name: str, dtype: lamina.dtype) -> None:
    with lamina.autocast("cpu", dtype):
        assert LOW[name]().dtype == dtype
    assert LOW[name]().dtype == lamina.float32


@pytest.mark.parametrize("name", FULL)
def test_what_needs_digits_is_computed_in_float32(name: str) -> None:
    with lamina.autocast("cpu"):
        result = FULL[name]()
    assert result.dtype == lamina.float32


def test_joining_takes_the_widest_type() -> None:
    x, half = _x(), _x().bfloat16()
    with lamina.autocast("cpu"):
        for join in (lamina.cat, lamina.stack):
            assert join([x, half]).dtype == lamina.float32
            assert join([half, half]).dtype == lamina.bfloat16
        assert half.index_copy(0, lamina.tensor([0]), x[:1]).dtype == lamina.float32


def test_all_else_takes_what_it_gets() -> None:
    x, half = _x(), _x().bfloat16()
    with lamina.autocast("cpu"):
        for function in (lamina.exp, F.relu, F.gelu, lamina.sum, lamina.mean):
            assert function(x).dtype == lamina.float32
            assert function(half).dtype == lamina.bfloat16
        assert F.softmax(half, -1).dtype == F.layer_norm(half, (4,)).dtype == lamina.bfloat16
        assert F.bilinear(x, x, _x(2, 4, 4)).dtype == linalg.det(x).dtype == lamina.float32
        assert (x + half).dtype == lamina.float32


def test_other_types_outputs_and_in_place_are_left_alone() -> None:
    x = _x()
    plain = lamina.addmm(x, x, x)
    with lamina.autocast("cpu"):
        assert (x.double() @ x.double()).dtype == lamina.float64
        assert (x.long() @ x.long()).dtype == lamina.int64
        assert lamina.mm(x, x, out=lamina.empty(4, 4)).dtype == lamina.float32
        assert lamina.equal(x.clone().addmm_(x, x), plain)
        with pytest.raises(RuntimeError, match="dtype"):
            x.double() @ x
        meta = lamina.empty(2, 2, device="meta")
        assert (meta @ meta).dtype == lamina.float32


def test_numbers_are_those_of_converted_operands() -> None:
    x, w = _x(), _x().requires_grad_()
    with lamina.autocast("cpu"):
        y = x @ w
    by_hand = x.bfloat16() @ w.bfloat16()
    assert lamina.equal(y, by_hand)
    y.sum().backward()
    gradient = w.grad
    assert gradient is not None
    w.grad = None
    by_hand.sum().backward()
    assert gradient.dtype == lamina.float32
    assert lamina.equal(gradient, w.grad)


def test_contexts_nest_and_end() -> None:
    x = _x()
    with lamina.autocast("cpu"):
        with lamina.autocast("cpu", enabled=False):
            assert (x @ x).dtype == lamina.float32
            assert not lamina.is_autocast_enabled("cpu")
        with lamina.autocast("cpu", lamina.float16):
            assert (x @ x).dtype == lamina.get_autocast_dtype("cpu") == lamina.float16
        assert (x @ x).dtype == lamina.bfloat16
        with pytest.raises(RuntimeError):
            x @ _x(3)
        assert lamina.is_autocast_enabled("cpu")
    with pytest.warns(DeprecationWarning, match="is_autocast_enabled"):
        assert not lamina.is_autocast_cpu_enabled()
    with pytest.raises(KeyError), lamina.autocast("cpu"):
        raise KeyError
    assert (x @ x).dtype == lamina.float32


def test_a_decorator_and_a_thread_of_its_own() -> None:
    x = _x()

    @lamina.autocast("cpu")
    def product() -> Tensor:
        return x @ x

    assert product().dtype == lamina.bfloat16
    assert (x @ x).dtype == lamina.float32
    seen = []
    with lamina.autocast("cpu"):
        thread = threading.Thread(target=lambda: seen.append((x @ x).dtype))
        thread.start()
        thread.join()
        assert (x @ x).dtype == lamina.bfloat16
    assert seen == [lamina.float32]


def test_other_devices_and_types_are_refused() -> None:
    with pytest.warns(UserWarning, match="CUDA is not available"), lamina.autocast("cuda"):
        assert not lamina.is_autocast_enabled()
    with pytest.warns(UserWarning, match="target dtype is not supported"), lamina.autocast("cpu", lamina.float64):
        assert not lamina.is_autocast_enabled("cpu")
    with pytest.raises(RuntimeError, match="as device, got 'nowhere'"):
        lamina.autocast("nowhere")
    with pytest.raises(ValueError, match="Expected `device_type` of type `str`"):
        lamina.autocast(lamina.device("cpu"))  # type: ignore[arg-type]
    with pytest.warns(FutureWarning, match=r"torch.cpu.amp.autocast\(args...\)` is deprecated"):
        lamina.cpu.amp.autocast()


class _Product(lamina.autograd.Function):
    seen: ClassVar[list[tuple[lamina.dtype, bool]]] = []

    @staticmethod
    @lamina.amp.custom_fwd(device_type="cpu")
    def forward(ctx, a, b):  # type: ignore[no-untyped-def]
        _Product.seen.append((a.dtype, lamina.is_autocast_enabled("cpu")))
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    @lamina.amp.custom_bwd(device_type="cpu")
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        a, b = ctx.saved_tensors
        _Product.seen.append((gradient.dtype, lamina.is_autocast_enabled("cpu")))
        return gradient @ b.T, a.T @ gradient


def test_functions_of_ones_own() -> None:
    x = _x().requires_grad_()
    _Product.seen.clear()
    with lamina.autocast("cpu"):
        y = _Product.apply(x, _x())
    y.sum().backward()
    assert _Product.seen == [(lamina.float32, True), (lamina.bfloat16, True)]

    seen = []

    @lamina.amp.custom_fwd(device_type="cpu", cast_inputs=lamina.float32)
    def forward(ctx: object, a: Tensor, *, others: list[Tensor]) -> None:
        seen.append((a.dtype, others[0].dtype, lamina.is_autocast_enabled("cpu")))

    context = type("Context", (), {})()
    with lamina.autocast("cpu"):
        forward(context, _x().half(), others=[_x().half()])
    forward(context, _x().half(), others=[_x().half()])
    assert seen == [(lamina.float32, lamina.float32, False), (lamina.float16, lamina.float16, False)]


@pytest.mark.parametrize("reentrant", [True, False])
def test_a_checkpoint_computes_again_as_it_did(reentrant: bool) -> None:
    seen = []

    def part(x: Tensor) -> Tensor:
        y = x @ x
        seen.append(y.dtype)
        return y

    x = _x().requires_grad_()
    with lamina.autocast("cpu"):
        y = lamina.utils.checkpoint.checkpoint(part, x, use_reentrant=reentrant)
    y.sum().backward()
    assert seen == [lamina.bfloat16] * 2


def test_converted_functions_look_like_functions() -> None:
    assert pickle.loads(pickle.dumps(F.mse_loss)) is F.mse_loss
    assert copy.deepcopy(F.mse_loss) is F.mse_loss
    assert (F.mse_loss.__name__, F.mse_loss.__module__) == ("mse_loss", "lamina.nn.functional.loss_regression")
    assert "reduced" in (F.mse_loss.__doc__ or "")
    assert list(inspect.signature(F.mse_loss).parameters)[:2] == ["input", "target"]
    assert repr(F.mse_loss).startswith("<function mse_loss")
    assert _x().trace().ndim == 0  # as a method
    F.mse_loss.note = 1  # type: ignore[attr-defined]
    assert vars(F.mse_loss).pop("note") == 1
