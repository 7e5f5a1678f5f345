"""replace_all_batch_norm_modules_: batch normalization without running statistics, for `vmap`."""

from __future__ import annotations

from ..nn import BatchNorm1d, BatchNorm2d, BatchNorm3d

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..nn import Module

__all__ = ["replace_all_batch_norm_modules_"]


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """`root`, whose batch normalizations have no running statistics from here on: they use the batch's."""
    for module in root.modules():
        if isinstance(module, (BatchNorm1d, BatchNorm2d, BatchNorm3d)) and module.track_running_stats:
            module.running_mean = None
            module.running_var = None
            module.num_batches_tracked = None
            module.track_running_stats = False
    return root
