"""Shows classes in the modules where PyTorch has them, too: programs and pickled modules name them by those."""

from __future__ import annotations

from . import (
    activation,
    adaptive_pooling,
    attention,
    batchnorm,
    container,
    conv,
    conv_transpose,
    lazy_conv,
    loss,
    loss_multilabel,
    loss_sequence,
    parameter_container,
    pooling,
    rnn,
    rnn_cells,
    sync_batchnorm,
)
from . import channelshuffle as channelshuffle
from . import fold as fold
from . import instancenorm as instancenorm
from . import pixelshuffle as pixelshuffle
from . import upsampling as upsampling

for _module, _part in (
    (activation, attention),
    (batchnorm, sync_batchnorm),
    (container, parameter_container),
    (conv, conv_transpose),
    (conv, lazy_conv),
    (loss, loss_multilabel),
    (loss, loss_sequence),
    (pooling, adaptive_pooling),
    (rnn, rnn_cells),
):
    for _name in _part.__all__:
        setattr(_module, _name, getattr(_part, _name))
del _module, _name, _part
