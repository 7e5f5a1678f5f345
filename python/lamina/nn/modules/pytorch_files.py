"""Shows classes in the modules where PyTorch has them, too: programs and pickled modules name them by those."""

from __future__ import annotations

from . import activation, container, conv, loss, pooling, rnn
from . import channelshuffle as channelshuffle
from . import fold as fold
from . import instancenorm as instancenorm
from . import pixelshuffle as pixelshuffle
from . import upsampling as upsampling
from .adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveAvgPool3d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
    AdaptiveMaxPool3d,
    FractionalMaxPool2d,
    FractionalMaxPool3d,
)
from .attention import MultiheadAttention
from .conv_transpose import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from .lazy_conv import LazyConv1d, LazyConv2d, LazyConv3d, LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d
from .loss_multilabel import MultiLabelMarginLoss, MultiLabelSoftMarginLoss
from .loss_sequence import CTCLoss
from .parameter_container import ParameterDict, ParameterList
from .rnn_cells import GRUCell, LSTMCell, RNNCell, RNNCellBase

for _module, _classes in (
    (activation, (MultiheadAttention,)),
    (container, (ParameterDict, ParameterList)),
    (conv, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, LazyConv1d, LazyConv2d, LazyConv3d)),
    (conv, (LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d)),
    (loss, (CTCLoss, MultiLabelMarginLoss, MultiLabelSoftMarginLoss)),
    (pooling, (AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d)),
    (pooling, (AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d, FractionalMaxPool2d, FractionalMaxPool3d)),
    (rnn, (GRUCell, LSTMCell, RNNCell, RNNCellBase)),
):
    for _class in _classes:
        setattr(_module, _class.__name__, _class)
del _class, _classes, _module
