"""lamina: PyTorch's lines as they are; reading a number computes all that is pending, `flush` what may be left."""

from __future__ import annotations

import lamina
import lamina.nn
import lamina.optim

from .torch_programs import Programs


def make(threads: int) -> Programs:
    lamina.set_num_threads(threads)
    return Programs(lamina, fused=None, finish=lamina.flush)
