"""Losses of sequences, as modules."""

from __future__ import annotations

from .. import functional as F
from .loss import _Loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..._core import Tensor
    from ..functional.loss_sequence import Lengths

__all__ = ["CTCLoss"]


class CTCLoss(_Loss):
    """ctc_loss of log_probs (T, N, C), targets and both's lengths."""

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths) -> Tensor:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )
