"""lamina: PyTorch's lines as they are; reading a number computes all that is pending, `flush` what may be left."""

from __future__ import annotations

from collections.abc import Sequence

import lamina
import lamina.nn
import lamina.optim
from lamina import _core

from .. import arrays
from . import Prepared
from .torch_programs import Programs


class LaminaPrograms(Programs):
    def plan(self, sizes: Sequence[int], anew: bool) -> Prepared:
        """Finds the plan of a training step that stays pending: in the cache, or `anew`, by compiling it."""
        net = self._mlp(sizes)
        x, y = self._tensors(arrays.normal(8, sizes[0]), arrays.labels(8, sizes[-1]))
        lamina.flush()
        loss = self.F.cross_entropy(net(x), y)
        loss.backward()
        with lamina.no_grad():  # the update by hand: an optimiser's step would run the plan
            for parameter in net.parameters():
                parameter -= 1e-4 * parameter.grad
                parameter.grad = None

        def run(held: object = (net, loss)) -> None:  # what nobody holds would not be computed
            _core._find_pending_plan(anew)

        return Prepared(run, list)


def make(threads: int) -> Programs:
    lamina.set_num_threads(threads)
    return LaminaPrograms(lamina, fused=None, finish=lamina.flush)
