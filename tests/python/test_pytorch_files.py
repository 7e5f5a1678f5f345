"""Classes stand in the modules where PyTorch has them; questions about devices that are not there have answers."""

from __future__ import annotations

from importlib import import_module

import pytest

import lamina
from lamina import nn
from lamina.nn import functional as F
from lamina.nn.modules.conv import _ConvNd

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


def test_convolutions_have_pytorchs_base_class() -> None:
    for layer in (nn.Conv1d(2, 2, 1), nn.ConvTranspose3d(2, 2, 1), nn.LazyConv2d(2, 1), nn.LazyConvTranspose1d(2, 1)):
        assert isinstance(layer, _ConvNd)
        assert layer.transposed == ("Transpose" in type(layer).__name__)

    class Blurred(_ConvNd):
        def __init__(self, channels: int) -> None:
            super().__init__(channels, channels, (3, 2), (1, 1), (1, 2), (1, 1), False, (0, 0), 1, True, "reflect")

        def forward(self, input: lamina.Tensor) -> lamina.Tensor:
            padded = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)

    layer, same = Blurred(2), nn.Conv2d(2, 2, (3, 2), padding=(1, 2), padding_mode="reflect")
    same.load_state_dict(layer.state_dict())
    x = lamina.rand(1, 2, 4, 5)
    assert layer(x).equal(same(x))
    assert repr(layer) == repr(same).replace("Conv2d", "Blurred")
    assert layer._reversed_padding_repeated_twice == [2, 2, 1, 1]
    assert nn.Conv2d(2, 3, (3, 2), padding="same")._reversed_padding_repeated_twice == [0, 1, 1, 1]


def test_the_choice_among_kernels_of_attention_is_accepted() -> None:
    from lamina.nn.attention import SDPBackend, sdpa_kernel

    x = lamina.rand(1, 2, 3, 4)
    expected = F.scaled_dot_product_attention(x, x, x)
    for backends in (SDPBackend.MATH, [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION]):
        with sdpa_kernel(backends, set_priority=True):
            assert F.scaled_dot_product_attention(x, x, x).equal(expected)
    assert [int(backend) for backend in SDPBackend] == [-1, 0, 1, 2, 3, 4]
    for wrong in ("math", (SDPBackend.MATH,), [0]):
        with pytest.raises(AssertionError, match="must be an instance of SDPBackend or a list"), sdpa_kernel(wrong):  # type: ignore[arg-type]
            pass


def test_there_are_no_other_processes() -> None:
    assert lamina.distributed.is_available() is False
    assert lamina.distributed.is_initialized() is False
    assert not hasattr(lamina.distributed, "init_process_group")


def test_tensors_in_one_row_and_back() -> None:
    from lamina._utils import _flatten_dense_tensors, _unflatten_dense_tensors

    tensors = [lamina.arange(6.0).reshape(2, 3).t(), lamina.zeros(0, 2), lamina.tensor(7.0)]
    flat = _flatten_dense_tensors(tensors)
    assert flat.tolist() == [0, 3, 1, 4, 2, 5, 7]
    parts = _unflatten_dense_tensors(flat, tensors)
    assert [part.tolist() for part in parts] == [tensor.tolist() for tensor in tensors]
    parts[0].zero_()
    assert flat.tolist() == [0] * 6 + [7]
    with pytest.raises(RuntimeError, match="exceeds dimension size"):
        _unflatten_dense_tensors(flat[:3], tensors)
