"""The loss of Eq. 4, 6, 12 and 13."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from solidrec.batch import Batch, Scores


def click_loss(scores: Scores, batch: Batch, penalty: float) -> Float[Tensor, ""]:
    """Return l_CE(y, y') + lambda * penalty: the mean binary cross-entropy over all candidates, and the codebook's term."""
    return F.binary_cross_entropy_with_logits(scores.logits.float(), batch.labels) + penalty * scores.penalty
