"""Bad operands: what is wrong is said at the line that did it, and the work recorded before stays usable."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import lamina
from lamina import nn

F = nn.functional

ONES = lamina.ones

# What is called, the type of the error, the part of its text that PyTorch's users match on.
CASES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "broadcast": (
        lambda: ONES(2, 3) + ONES(4),
        RuntimeError,
        r"The size of tensor a \(3\) must match the size of tensor b \(4\) at non-singleton dimension 1",
    ),
    "broadcast twice": (
        lambda: ONES(4, 3, 2, 2) + ONES(4, 3, 5, 6),
        RuntimeError,
        r"The size of tensor a \(2\) must match the size of tensor b \(6\) at non-singleton dimension 3",
    ),
    "broadcast where": (lambda: lamina.where(ONES(3) > 0, ONES(2), 0), RuntimeError, "size of tensor a"),
    "missing size": (lambda: lamina.randint(5), TypeError, r"randint\(\) missing argument 'size'"),  # type: ignore[call-arg]
    "targets of NumPy": (
        lambda: F.cross_entropy(ONES(2, 3), ONES(2).numpy()),  # type: ignore[arg-type]
        TypeError,
        r"argument 'target' \(position 2\) must be Tensor, not numpy.ndarray",
    ),
    "uninitialized weight": (
        lambda: nn.init.xavier_uniform_(nn.LazyLinear(2).weight),
        RuntimeError,
        "Can't access the shape of an uninitialized parameter",
    ),
    "block_diag": (
        lambda: lamina.block_diag(ONES(2, 2), ONES(1, 1, 1)),
        RuntimeError,
        "Input tensors must have 2 or fewer dimensions. Input 1 has 3 dimensions",
    ),
    "sum axis": (
        lambda: ONES(2, 3).sum(2),
        IndexError,
        re.escape("Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    ),
    "sum negative axis": (
        lambda: ONES(2, 3).sum(dim=-3),
        IndexError,
        re.escape("Dimension out of range (expected to be in range of [-2, 1], but got -3)"),
    ),
    "softmax axis": (lambda: lamina.softmax(ONES(2), 1), IndexError, r"Dimension out of range .*\[-1, 0\], but got 1"),
    "transpose axis": (lambda: ONES(2, 3).transpose(0, 2), IndexError, "Dimension out of range"),
    "unsqueeze axis": (lambda: ONES(2, 3).unsqueeze(4), IndexError, r"Dimension out of range .*\[-3, 2\], but got 4"),
    "cat axis": (lambda: lamina.cat([ONES(2)], dim=1), IndexError, "Dimension out of range"),
    "zero-dim axis": (lambda: lamina.tensor(1.0).sum(1), IndexError, r"\[-1, 0\], but got 1"),
    "repeated axis": (lambda: ONES(2, 3).sum((0, 0)), RuntimeError, "dim 0 appears multiple times"),
    "size axis": (lambda: ONES(2, 3).size(2), IndexError, "Dimension out of range"),
    "select index": (lambda: ONES(2, 3).select(0, 2), IndexError, "index 2 (is )?out of (range|bounds)"),
    "integer index": (
        lambda: ONES(2, 3)[2],
        IndexError,
        "index 2 is out of bounds for dimension 0 with size 2",
    ),
    "negative integer index": (lambda: ONES(2, 3)[:, -4], IndexError, "index -4 is out of bounds for dimension 1"),
    "too many indices": (lambda: ONES(2, 3)[0, 0, 0], IndexError, "too many indices for tensor of dimension 2"),
    "index of 0-d": (lambda: lamina.tensor(1.0)[0], IndexError, "invalid index of a 0-dim tensor"),
    "negative step": (lambda: ONES(4)[::-1], ValueError, "step must be greater than zero"),
    "array index": (lambda: ONES(3)[lamina.tensor([0, 3])].tolist(), IndexError, "index 3 is out of bounds"),
    "mask shape": (
        lambda: ONES(3)[lamina.tensor([True, False])],
        IndexError,
        r"The shape of the mask \[2\] at index 0 does not match the shape of the indexed tensor \[3\] at index 0",
    ),
    "float index": (lambda: ONES(3)[lamina.tensor([1.0])], IndexError, "tensors used as indices must be long"),
    "index of arrays that do not broadcast": (
        lambda: ONES(3, 3)[lamina.tensor([0, 1]), lamina.tensor([0, 1, 2])],
        IndexError,
        "shape mismatch: indexing tensors could not be broadcast together",
    ),
    "reshape": (lambda: ONES(2, 3).reshape(4, 2), RuntimeError, r"shape '\[4, 2\]' is invalid for input of size 6"),
    "reshape -1 twice": (lambda: ONES(2, 3).reshape(-1, -1), RuntimeError, "only one dimension can be inferred"),
    "reshape -1 of nothing": (lambda: ONES(0).reshape(0, -1), RuntimeError, "cannot reshape tensor of 0 elements"),
    "reshape negative": (lambda: ONES(6).reshape(-2, -3), RuntimeError, "invalid shape dimension -2"),
    "view": (
        lambda: ONES(2, 3).t().view(6),
        RuntimeError,
        "view size is not compatible with input tensor's size and stride",
    ),
    "expand": (
        lambda: ONES(2, 3).expand(4, 3),
        RuntimeError,
        r"The expanded size of the tensor \(4\) must match the existing size \(2\) at non-singleton dimension 0",
    ),
    "permute": (lambda: ONES(2, 3).permute(0, 0), RuntimeError, "duplicate dims"),
    "permute count": (lambda: ONES(2, 3).permute(0), RuntimeError, "number of dimensions|does not match"),
    "t of 3-d": (lambda: ONES(2, 3, 4).t(), RuntimeError, r"t\(\) expects a tensor with <= 2 dimensions"),
    "split sizes": (lambda: ONES(5).split([2, 2]), RuntimeError, "split_with_sizes expects split_sizes to sum exactly"),
    "no numbers": (lambda: lamina.tensor([1, None]), RuntimeError, "Could not infer dtype of NoneType"),
    "no numbers of a type": (
        lambda: lamina.tensor({}, dtype=lamina.float32),
        TypeError,
        "must be real number, not dict",
    ),
    "text": (lambda: lamina.tensor(["a"]), TypeError, "invalid data type 'str'"),
    "rounded bool": (lambda: (ONES(2) > 0).floor(), NotImplementedError, "not implemented for 'Bool'"),
    "minus True": (lambda: ONES(2) - True, RuntimeError, "Subtraction, the `-` operator, with a bool tensor"),
    "True minus": (lambda: True - lamina.arange(2), RuntimeError, "Subtraction, the `-` operator, with a bool tensor"),
    "chunk zero": (lambda: ONES(5).chunk(0), RuntimeError, "chunk expects `chunks` to be greater than 0"),
    "narrow": (
        lambda: ONES(5).narrow(0, 3, 4),
        RuntimeError,
        r"start \(3\) \+ length \(4\) exceeds dimension size \(5\)",
    ),
    "cat nothing": (lambda: lamina.cat([]), ValueError, "expected a non-empty list of Tensors"),
    "cat sizes": (lambda: lamina.cat([ONES(2, 3), ONES(2, 4)]), RuntimeError, "Sizes of tensors must match except in"),
    "cat ranks": (lambda: lamina.cat([ONES(2, 3), ONES(2)]), RuntimeError, "number of dimensions"),
    "stack sizes": (
        lambda: lamina.stack([ONES(2), ONES(3)]),
        RuntimeError,
        "stack expects each tensor to be equal size",
    ),
    "matmul": (
        lambda: ONES(2, 3) @ ONES(4, 5),
        RuntimeError,
        r"mat1 and mat2 shapes cannot be multiplied \(2x3 and 4x5\)",
    ),
    "matmul of scalars": (
        lambda: lamina.tensor(1.0) @ ONES(2),
        RuntimeError,
        "both arguments to matmul need to be at least 1D",
    ),
    "dot": (
        lambda: lamina.dot(ONES(2), ONES(3)),
        RuntimeError,
        "inconsistent tensor size|same number of elements|size",
    ),
    "mm of vectors": (lambda: lamina.mm(ONES(2), ONES(2, 2)), RuntimeError, "must be a matrix"),
    "bmm": (lambda: lamina.bmm(ONES(2, 2, 3), ONES(3, 3, 2)), RuntimeError, "batch"),
    "linear": (
        lambda: F.linear(ONES(2, 3), ONES(5, 4)),
        RuntimeError,
        r"\(2x3 and 4x5\)|expected 4 input features, got 3",
    ),
    "amax of nothing": (lambda: ONES(2, 0).amax(1), IndexError, "Expected reduction dim 1 to have non-zero size"),
    "amax of nothing at all": (
        lambda: ONES(0).amax(),
        RuntimeError,
        r"^amax\(\): Expected reduction dim to be specified",
    ),
    "max of nothing": (lambda: ONES(0).max(), RuntimeError, r"^max\(\): Expected reduction dim to be specified"),
    "min of nothing": (lambda: ONES(0, 2).min(), RuntimeError, r"^min\(\): Expected reduction dim to be specified"),
    "argmax of nothing": (lambda: ONES(0).argmax(), IndexError, "Expected reduction dim to be specified"),
    "max axis of nothing": (lambda: ONES(2, 0).max(1), IndexError, "Expected reduction dim 1 to have non-zero size"),
    "mean of integers": (
        lambda: ONES(2, dtype=lamina.int64).mean(),
        RuntimeError,
        "mean.*floating point",
    ),
    "neg of bool": (lambda: -ONES(2, dtype=lamina.bool), RuntimeError, "on a bool tensor is not supported"),
    "sub of bool": (
        lambda: ONES(2, dtype=lamina.bool) - ONES(2, dtype=lamina.bool),
        RuntimeError,
        "with two bool tensors is not supported",
    ),
    "integer power": (
        lambda: ONES(2, dtype=lamina.int64) ** -1,
        RuntimeError,
        "Integers to negative integer powers are not allowed",
    ),
    "gather ranks": (
        lambda: lamina.gather(ONES(2, 3), 0, lamina.zeros(2, dtype=lamina.int64)),
        RuntimeError,
        "same number of dimensions",
    ),
    "gather dtype": (lambda: lamina.gather(ONES(3), 0, ONES(2)), RuntimeError, "int64"),
    "gather range": (
        lambda: lamina.gather(ONES(3), 0, lamina.tensor([3])).tolist(),
        RuntimeError,
        "index 3 is out of bounds for dimension 0 with size 3",
    ),
    "scatter_add range": (
        lambda: ONES(3).scatter_add(0, lamina.tensor([-1]), ONES(1)).tolist(),
        RuntimeError,
        "index -1 is out of bounds for dimension 0 with size 3",
    ),
    "index_select range": (
        lambda: lamina.index_select(ONES(3), 0, lamina.tensor([5])).tolist(),
        IndexError,
        "index out of range in self: index 5",
    ),
    "index_copy range": (
        lambda: ONES(3).index_copy(0, lamina.tensor([-1]), ONES(1)),
        IndexError,
        "index -1 is out of bounds for dimension 0 with size 3",
    ),
    "index_add range": (lambda: ONES(3).index_add(0, lamina.tensor([3]), ONES(1)), IndexError, "index 3"),
    "index_add range of rows": (
        lambda: ONES(3, 2).index_add(0, lamina.tensor([3]), ONES(1, 2)),
        RuntimeError,
        "index 3",
    ),
    "index_fill range": (lambda: ONES(3).index_fill(0, lamina.tensor([-4]), 0), IndexError, "index -4"),
    "index_reduce range": (
        lambda: ONES(3).index_reduce(0, lamina.tensor([3]), ONES(1), "prod"),
        IndexError,
        "index out of range in self",
    ),
    "put range": (lambda: ONES(3).put_(lamina.tensor([3]), ONES(1)), IndexError, "index 3"),
    "argmax of bool": (lambda: (ONES(3) > 0).argmax(), RuntimeError, r"argmax\(\): does not support bool input"),
    "topk of bool": (lambda: (ONES(3) > 0).topk(1), RuntimeError, "topk does not support bool dtypes on CPU"),
    "median of bool": (
        lambda: (ONES(3) > 0).median(),
        NotImplementedError,
        "\"median_cpu\" not implemented for 'Bool'",
    ),
    "kthvalue of bool": (lambda: (ONES(3) > 0).kthvalue(1), NotImplementedError, "not implemented for 'Bool'"),
    "relu of bool": (lambda: F.relu(ONES(3) > 0), RuntimeError, "Boolean inputs not supported for relu"),
    "topk": (lambda: ONES(3).topk(4), RuntimeError, "selected index k out of range"),
    "one_hot": (lambda: F.one_hot(lamina.tensor([3]), 3).tolist(), RuntimeError, "smaller than num_classes"),
    "one_hot negative": (lambda: F.one_hot(lamina.tensor([-1]), 3).tolist(), RuntimeError, "non-negative"),
    "clamp nothing": (lambda: ONES(2).clamp(), RuntimeError, "At least one of 'min' or 'max' must not be None"),
    "item": (lambda: ONES(2).item(), RuntimeError, "a Tensor with 2 elements cannot be converted to Scalar"),
    "bool of many": (
        lambda: bool(ONES(2) > 0),
        RuntimeError,
        "Boolean value of Tensor with more than one value is ambiguous",
    ),
    "float of many": (lambda: float(ONES(2)), (RuntimeError, TypeError, ValueError), "element"),
    "iteration of 0-d": (lambda: list(lamina.tensor(1.0)), TypeError, "iteration over a 0-d tensor"),
    "len of 0-d": (lambda: len(lamina.tensor(1.0)), TypeError, r"len\(\) of a 0-d tensor"),
    "arange step": (lambda: lamina.arange(0, 5, 0), RuntimeError, "step must be nonzero"),
    "arange bounds": (
        lambda: lamina.arange(0, 5, -1),
        RuntimeError,
        "upper bound and lower bound inconsistent",
    ),
    "linspace steps": (lambda: lamina.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    "negative size": (lambda: lamina.zeros(2, -3), RuntimeError, "negative dimension -3|must be non-negative"),
    "size of floats": (lambda: lamina.empty((2, 2.5)), TypeError, "got float at position 1"),
    "one_hot of negative": (lambda: F.one_hot(lamina.tensor([-1])), RuntimeError, "Class values must be non-negative"),
    "grad of nothing": (
        lambda: lamina.autograd.grad(ONES(1).requires_grad_().sum(), []),
        ValueError,
        "grad requires non-empty inputs",
    ),
    "randperm": (lambda: lamina.randperm(-1), RuntimeError, "non-negative|negative dimension"),
    "randint": (lambda: lamina.randint(5, 5, (2,)), RuntimeError, "expects 'from' to be less than 'to'"),
    "bernoulli": (lambda: lamina.bernoulli(ONES(2) * 2).tolist(), RuntimeError, "<= 1|in \\[0, 1\\]|Expected p"),
    "normal": (lambda: lamina.normal(0.0, -1.0, (2,)), RuntimeError, "std >= 0"),
    "fill of many": (lambda: ONES(2).fill_(ONES(2)), RuntimeError, "fill_ only supports 0-dimension value tensor"),
    "copy": (lambda: ONES(2).copy_(ONES(3)), RuntimeError, "must match"),
    "in-place broadcast": (
        lambda: ONES(3).add_(ONES(2, 3)),
        RuntimeError,
        r"output with shape \[3\] doesn't match the broadcast shape \[2, 3\]",
    ),
    "gradient of integers": (
        lambda: lamina.tensor([1], requires_grad=True),
        RuntimeError,
        "[Oo]nly Tensors of floating point.* can require gradients",
    ),
    "cross entropy": (
        lambda: F.cross_entropy(ONES(2, 3), lamina.tensor([0])),
        (RuntimeError, ValueError),
        "batch_?.?size",
    ),
    "ragged list": (lambda: lamina.tensor([[1, 2], [3]]), ValueError, "expected sequence of length 2 at dim 1"),
    "word": (lambda: lamina.tensor("word"), (TypeError, ValueError), "str"),
    "add None": (lambda: ONES(2) + None, TypeError, "unsupported operand|NoneType"),
    "add word": (lambda: lamina.add(ONES(2), "word"), TypeError, "str"),
    "no tensor": (lambda: lamina.exp("word"), TypeError, "exp.*must be Tensor, not str"),
    "no size": (lambda: ONES(2).reshape("a"), TypeError, "str"),
    "unknown device": (lambda: ONES(2).to("cuda"), (RuntimeError, AssertionError), "cuda|CUDA"),
    "unknown keyword": (lambda: lamina.ones(2).sum(dimension=0), TypeError, "dimension|combination of arguments"),
}


@pytest.mark.parametrize("name", CASES)
def test_error(name: str) -> None:
    call, kind, text = CASES[name]
    with pytest.raises(kind, match=text):
        call()


@pytest.mark.parametrize(
    "make",
    [
        lambda: lamina.empty(2**40, 2**40),
        lambda: lamina.empty(2**62),
        lambda: lamina.zeros(2**31, 2**31, 2**31),
        lambda: lamina.ones(1).expand(2**40, 2**40).contiguous().sum().item(),
        lambda: lamina.ones(1, 1).expand(2**40, 2**40).exp().sum().item(),
        lambda: lamina.arange(0, 2**62),
        lambda: lamina.ones(2**20, 1) @ lamina.ones(1, 2**45),
        lambda: lamina.empty(2**80),
    ],
    ids=["product", "bytes", "three", "copy", "elementwise", "arange", "matmul", "too large an integer"],
)
def test_enormous_shapes(make: Callable[[], Any]) -> None:
    with pytest.raises((RuntimeError, MemoryError, OverflowError, TypeError, ValueError)):
        make()
    assert (lamina.ones(2) + 1).tolist() == [2.0, 2.0]


def test_failed_work_leaves_the_rest() -> None:
    """Parameters, gradients and what is pending survive an error between forward and backward."""
    lamina.manual_seed(0)
    net = nn.Linear(3, 2)
    net(ONES(1, 3)).sum().backward()
    gradient = net.weight.grad.clone()
    pending = net(ONES(4, 3)) * 2
    with pytest.raises(RuntimeError):
        net(ONES(4, 5))
    with pytest.raises(RuntimeError):
        pending + ONES(7)
    with pytest.raises(IndexError):
        pending.sum(5)
    assert pending.shape == (4, 2)
    pending.sum().backward()
    assert lamina.allclose(net.weight.grad, gradient + 8)


def test_error_found_late_leaves_the_rest() -> None:
    """An index that is only known to be wrong when read fails where it is used, and nothing else does."""
    x = lamina.arange(4.0)
    before = x * 2
    index = lamina.tensor([1, 2]) * 2
    with pytest.raises((IndexError, RuntimeError), match="index 4 is out of bounds"):
        x[index].tolist()
    assert before.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert (x + 1).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_integer_division_by_zero() -> None:
    with pytest.raises((RuntimeError, ZeroDivisionError), match=r"ZeroDivisionError|division by zero|divi"):
        (lamina.tensor([1, 2]) // lamina.tensor([1, 0])).tolist()
    assert lamina.isinf(ONES(1) / 0).item()


def test_error_names_the_module() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    with pytest.raises(RuntimeError, match=r"1\.1"):
        net(ONES(2, 3))


def test_nan_to_integer_is_no_crash() -> None:
    converted = lamina.tensor([float("nan"), float("inf"), 1.5]).to(lamina.int64)
    assert converted.dtype == lamina.int64
    assert converted[2].item() == 1
