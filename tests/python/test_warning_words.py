"""PyTorch's warnings, by whose words users filter them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import lamina
from lamina import nn
from lamina.nn import functional as F

X = lamina.ones(2)
WEIGHT = lamina.ones(1, requires_grad=True)
BYTES = lamina.ones(2, dtype=lamina.uint8)
ATTENTION = nn.MultiheadAttention(4, 2)
MASKS = {"key_padding_mask": lamina.zeros(1, 2, dtype=lamina.bool), "attn_mask": lamina.zeros(2, 2)}

# Raised every time where warnings are errors.
WARNED: dict[str, tuple[Callable[[], object], str]] = {
    "float": (lambda: float(WEIGHT), "Converting a tensor with requires_grad=True to a scalar"),
    "complex": (lambda: complex(WEIGHT), "Converting a tensor with requires_grad=True to a scalar"),
    "T of three axes": (lambda: lamina.ones(2, 3, 4).T, "The use of `x.T` on tensors of dimension other than 2"),
    "T of a vector": (lambda: X.T, "The use of `x.T` on tensors of dimension other than 2"),
    "T of a number": (lambda: X.sum().T, "Tensor.T is deprecated on 0-D tensors"),
    "mT of a number": (lambda: X.sum().mT, "Tensor.mT is deprecated on 0-D tensors"),
    "H of a number": (lambda: X.sum().H, "Tensor.H is deprecated on 0-D tensors"),
    "mH of a number": (lambda: X.sum().mH, "Tensor.mH is deprecated on 0-D tensors"),
    "tensor": (lambda: lamina.tensor(X), r"To copy construct from a tensor, .*rather than torch.tensor\("),
    "new_tensor": (lambda: X.new_tensor(X), r"To copy construct from a tensor, .*rather than tensor.new_tensor\("),
    "where": (lambda: lamina.where(BYTES, X, X), "where received a uint8 condition tensor"),
    "where, the method": (lambda: X.where(BYTES, X), "where received a uint8 condition tensor"),
    "meshgrid": (lambda: lamina.meshgrid(X, X), "torch.meshgrid: in an upcoming release"),
    "cross": (lambda: lamina.cross(lamina.ones(3), lamina.ones(3)), "Using torch.cross without specifying the dim arg"),
    "cholesky": (lambda: lamina.cholesky(lamina.eye(2)), "torch.cholesky is deprecated in favor of"),
    "chain_matmul": (lambda: lamina.chain_matmul(lamina.eye(2)), "torch.chain_matmul is deprecated"),
    "create_graph": (lambda: (WEIGHT * 2).backward(create_graph=True), r"Using backward\(\) with create_graph=True"),
    "same padding": (
        lambda: F.conv1d(lamina.ones(1, 1, 4), lamina.ones(1, 1, 2), padding="same"),
        "Using padding='same' with even kernel lengths",
    ),
    "cov": (lambda: lamina.cov(lamina.ones(2, 1)), r"cov\(\): degrees of freedom is <= 0"),
    "corrcoef": (lambda: lamina.corrcoef(lamina.ones(2, 1)), r"cov\(\): degrees of freedom is <= 0"),
    "masks of two types": (
        lambda: ATTENTION(*[lamina.ones(2, 1, 4)] * 3, **MASKS),
        "Support for mismatched key_padding_mask and attn_mask is deprecated",
    ),
    "gumbel_softmax": (lambda: F.gumbel_softmax(X, eps=1e-3), "`eps` parameter is deprecated"),
    "affine_grid": (
        lambda: F.affine_grid(lamina.ones(1, 2, 3), (1, 1, 2, 2)),
        "Default grid_sample and affine_grid behavior has changed",
    ),
}


def tell() -> None:
    """Prints what each case raises, twice, where warnings are errors."""
    warnings.simplefilter("error")
    raised: dict[str, list[str]] = {case: [] for case in WARNED}
    for case, (call, _) in WARNED.items():
        for _ in range(2):
            try:
                call()
            except UserWarning as warning:
                raised[case].append(str(warning))
    print(json.dumps(raised))


@pytest.fixture(scope="module")
def raised() -> dict[str, list[str]]:
    """From a process of its own: what is told once in a program may have been told by another test."""
    folder, name = str(Path(__file__).parent), Path(__file__).stem
    program = f"import sys; sys.path.insert(0, {folder!r}); import {name}; {name}.tell()"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    answer: dict[str, list[str]] = json.loads(told)
    return answer


@pytest.mark.parametrize("case", WARNED)
def test_warning_has_the_words(case: str, raised: dict[str, list[str]]) -> None:
    assert len(raised[case]) == 2
    for text in raised[case]:
        assert re.match(WARNED[case][1], text)


def test_no_warning_without_need() -> None:
    assert int(WEIGHT) == WEIGHT.item() == 1
    with lamina.no_grad():
        assert float(WEIGHT) == 1
    assert float(WEIGHT.detach()) == 1
    assert lamina.ones(2, 3).T.shape == (3, 2)
    assert lamina.as_tensor(X) is X
    assert len(lamina.meshgrid(X, X, indexing="ij")) == 2
    assert F.conv1d(lamina.ones(1, 1, 4), lamina.ones(1, 1, 3), padding="same").shape == (1, 1, 4)


def test_what_is_told_once_stands_at_the_callers_line() -> None:
    program = """
import warnings, lamina
warnings.simplefilter("always")
x = lamina.ones(3, requires_grad=True)
for _ in range(3):
    float(x.sum()), x.T, lamina.meshgrid(x, x), lamina.cross(x, x), lamina.cholesky(lamina.eye(2))
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr
    assert told.count("UserWarning") == 5
    assert told.count("<string>:6: UserWarning") == 5


def test_the_transposed_of_a_number_is_the_number() -> None:
    number = lamina.tensor(2 + 1j)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert (number.mT.item(), number.mH.item()) == (2 + 1j, 2 - 1j)
    with pytest.raises(RuntimeError, match="Got 1-D tensor"):
        _ = X.mT
