"""The losses that a stage minimises; `registry.LOSSES` is the list of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, Protocol, final, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.batch import Batch, Scores
from solidrec.nn.recommender import EncodedUsers
from solidrec.nn.sources import Generated
from solidrec.spec import TrainSpec
from solidrec.training.catalogue_loss import catalogue_cross_entropy

WHOLE = 5_000
"""Items up to which *softmax* reads the whole catalogue by default."""
_SHARED = 2_048
"""Uniform negatives that a step of *softmax* shares by default in a larger catalogue."""


@runtime_checkable
class Trainable(Protocol):
    """The model that a loss needs: a `Recommender`, or its `torch.compile` version."""

    items: nn.Embedding

    def __call__(self, history: Tensor, candidates: Tensor, prefix_ends: Tensor | None) -> Any:
        """Return the `Scores` of the candidates."""

    def encode(self, history: Tensor, prefix_ends: Tensor | None) -> EncodedUsers:
        """Return one user vector per row."""


class Lost(NamedTuple):
    """The loss ``value`` () of a step, the ``codebook_loss`` () in it and ``stats`` for the log."""

    value: Float[Tensor, ""]
    codebook_loss: Float[Tensor, ""]
    stats: dict[str, Tensor]


class Loss(ABC):
    """A loss over the targets of a batch plus the codebook's loss, weighted by lambda (Eq. 13).

    A loss says what a batch must contain: ``each``, the number of negatives per target, and
    ``shared``, the number that all targets of a step share, None where the loss reads the whole
    catalogue or none.
    """

    needs_user_vectors: ClassVar[bool] = False
    """Whether the loss encodes users without candidates, which not every backbone can do."""

    def __init__(self, spec: TrainSpec, *, items: int, codebook_weight: float) -> None:
        self.codebook_weight, self.items = codebook_weight, items
        self.each, self.shared = self.wants(spec)

    @abstractmethod
    def wants(self, spec: TrainSpec) -> tuple[int, int | None]:
        """Return `each` and `shared`."""

    @abstractmethod
    def __call__(self, model: Trainable, batch: Batch) -> Lost:
        """Return the loss of a batch under a model."""

    def lost(self, value: Float[Tensor, ""], output: Scores | Generated) -> Lost:
        """Return a loss over targets with the codebook's loss of the model's output added."""
        codebook_loss = output.codebook_loss
        return Lost(value + self.codebook_weight * codebook_loss, codebook_loss, output.stats)


@final
class Click(Loss):
    """Binary cross-entropy over each target and its uniform negatives (Eq. 4, 6, 12 and 13)."""

    def wants(self, spec: TrainSpec) -> tuple[int, int | None]:
        """Return the number of each target's own negatives."""
        return spec.negatives, None

    def __call__(self, model: Trainable, batch: Batch) -> Lost:
        """Return the mean over all candidates."""
        scores = model(batch.history, batch.candidates, batch.prefix_ends)
        value = F.binary_cross_entropy_with_logits(scores.logits.float(), batch.labels)
        return self.lost(value, scores)


@final
class Softmax(Loss):
    """Cross-entropy of each target over the catalogue, or over uniform negatives shared by a step.

    A sampled negative's logit is raised by log((V - 1) / S), so that S of them represent the V - 1
    items that are no target (Jean et al., On Using Very Large Target Vocabulary, ACL 2015). A
    negative that is the target is left out.
    """

    needs_user_vectors = True

    def wants(self, spec: TrainSpec) -> tuple[int, int | None]:
        """Return the number of shared negatives, None for the whole catalogue."""
        if spec.shared is None and self.items <= WHOLE:
            return 0, None
        return 0, spec.shared or _SHARED

    def __call__(self, model: Trainable, batch: Batch) -> Lost:
        """Return the mean over targets."""
        encoded = model.encode(batch.history, batch.prefix_ends)
        users, targets = encoded.users.float(), batch.candidates[:, 0]
        if batch.shared is None:
            value = catalogue_cross_entropy(users, model.items.weight, targets)
        else:
            value = self.sampled(model, users, targets, batch.shared)
        return self.lost(value, encoded.generated)

    def sampled(
        self,
        model: Trainable,
        users: Float[Tensor, "N D"],
        targets: Int[Tensor, " N"],
        shared: Int[Tensor, " S"],
    ) -> Float[Tensor, ""]:
        """Return the mean cross-entropy of each target against the shared negatives."""
        # One look-up, so that training makes one gradient of the item table.
        table = model.items(torch.cat([targets, shared])).float()
        own, others = table[: len(targets)], table[len(targets) :]
        # The logits of each target, and of the shared negatives with their correction.
        positive = (users * own).sum(1, keepdim=True)
        negative = users @ others.T + math.log((self.items - 1) / len(shared))
        # A negative that is the target itself takes no part.
        negative = negative.masked_fill(shared == targets[:, None], -torch.inf)
        logits = torch.cat([positive, negative], 1)
        return F.cross_entropy(logits, torch.zeros_like(targets))


@final
class Gbce(Loss):
    """Binary cross-entropy whose positive term is calibrated for sampling.

    Petrov and Macdonald, gSASRec, RecSys 2023, Eq. 10. The probability of the target is
    sigma(s)^beta with beta = a (t (1 - 1/a) + 1/a), where a = k / (V - 1) is the share of the
    catalogue that k negatives are and t is the calibration: 1 undoes the sampling, 0 is plain
    binary cross-entropy.
    """

    def __init__(self, spec: TrainSpec, *, items: int, codebook_weight: float) -> None:
        super().__init__(spec, items=items, codebook_weight=codebook_weight)
        share = min(self.each / max(items - 1, 1), 1.0)
        self.beta = share * (spec.calibration * (1 - 1 / share) + 1 / share)

    def wants(self, spec: TrainSpec) -> tuple[int, int | None]:
        """Return the number of each target's own negatives."""
        return spec.negatives, None

    def __call__(self, model: Trainable, batch: Batch) -> Lost:
        """Return the mean over all candidates."""
        scores = model(batch.history, batch.candidates, batch.prefix_ends)
        logits = scores.logits.float()
        # -log sigma(s)^beta of the target, and -log(1 - sigma(s)) of each negative.
        positive = -self.beta * F.logsigmoid(logits[:, 0])
        negative = F.softplus(logits[:, 1:]).sum(1)
        value = ((positive + negative) / logits.shape[1]).mean()
        return self.lost(value, scores)
