"""Classes stand in the modules where PyTorch has them; questions about devices that are not there have answers."""

from __future__ import annotations

from importlib import import_module

import pytest

import lamina
from lamina import nn

# One of each file that is divided here, or has another name.
FILES = {
    "nn.modules.activation": nn.MultiheadAttention,
    "nn.modules.channelshuffle": nn.ChannelShuffle,
    "nn.modules.container": nn.ParameterDict,
    "nn.modules.conv": nn.LazyConvTranspose2d,
    "nn.modules.fold": nn.Unfold,
    "nn.modules.instancenorm": nn.LazyInstanceNorm1d,
    "nn.modules.loss": nn.CTCLoss,
    "nn.modules.pixelshuffle": nn.PixelShuffle,
    "nn.modules.pooling": nn.AdaptiveAvgPool2d,
    "nn.modules.rnn": nn.GRUCell,
    "nn.modules.transformer": nn.TransformerEncoderLayer,
    "nn.modules.upsampling": nn.Upsample,
    "nn.parallel": nn.DataParallel,
    "optim.adamw": lamina.optim.AdamW,
}


@pytest.mark.parametrize("name", FILES)
def test_classes_are_where_pytorch_has_them(name: str) -> None:
    kind = FILES[name]
    assert getattr(import_module(f"lamina.{name}"), kind.__name__) is kind


def test_data_parallel_without_gpus_is_the_module() -> None:
    inner = nn.Linear(3, 2)
    net = nn.DataParallel(inner, device_ids=[0])
    x = lamina.rand(4, 3)
    assert net(x).equal(inner(x))
    assert net(input=x).equal(inner(x))
    assert list(net.state_dict()) == ["module.weight", "module.bias"]
    net.train(False)
    assert not inner.training


def test_there_is_no_accelerator() -> None:
    assert not lamina.accelerator.is_available()
    assert lamina.accelerator.device_count() == 0
    assert lamina.accelerator.current_accelerator() is None


def test_settings_of_products_on_gpus_are_kept() -> None:
    matmul = lamina.backends.cuda.matmul
    assert (matmul.allow_tf32, matmul.allow_fp16_reduced_precision_reduction) == (False, True)
    matmul.allow_tf32 = True
    assert matmul.allow_tf32
    matmul.allow_tf32 = False
    with pytest.raises(AttributeError):
        matmul.allow_everything = True  # type: ignore[attr-defined]


def test_sizes_by_one_number_or_several() -> None:
    utils = nn.modules.utils
    assert [f(3) for f in (utils._single, utils._pair, utils._triple, utils._quadruple)] == [
        (3,) * n for n in range(1, 5)
    ]
    assert utils._pair([1, 2]) == (1, 2)
    assert utils._ntuple(5)("same") == tuple("same")  # a string is gone through, too
