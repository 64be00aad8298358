"""Rows to learn a mixture's weights from: a history, evidence on candidates, and the target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from solidrec.arrays import AnyInts as Integers
from solidrec.data.prepared import PreparedData
from solidrec.inference.scorer import entries, slices
from solidrec.nn.evidence import PAIRED, Evidence, statistics
from solidrec.nn.mixture import Experts

_BEST = 50
"""Candidates from each expert: what a mixture ranks first is among the best of some expert."""
_ANY = 50
"""Random candidates, so that weights learn that items which no expert brings are worth little."""
_FLOATS = 1 << 22
"""Floats of evidence that are computed at a time."""


class Targets(NamedTuple):
    """Events to predict: ``users``, absolute ``positions``, and how ``far`` off each is, (R,) each.

    ``far`` is the number of the user's events between the target and the kind of event that the
    split asks for: the last of training, or the first after a time.
    """

    users: Integers
    positions: Integers
    far: Integers

    def take(self, index: Integers | npt.NDArray[np.bool_]) -> Targets:
        """Return some of the targets."""
        return Targets(self.users[index], self.positions[index], self.far[index])


class Rows(NamedTuple):
    """R rows of C candidates each, with the target in column 0.

    ``history`` (R, L), ``read`` (R, S) its statistics, ``evidence`` on the candidates, ``kept`` (R,
    C): whether a candidate counts (one that two experts bring counts once), ``found`` (R,): whether
    any expert brings the target, and ``far`` (R,) as in `Targets`.
    """

    history: Int[Tensor, "R L"]
    read: Float[Tensor, "R S"]
    evidence: Evidence
    kept: Bool[Tensor, "R C"]
    found: Bool[Tensor, " R"]
    far: Int[Tensor, " R"]

    @property
    def size(self) -> int:
        """The number of rows, R."""
        return len(self.history)

    def take(self, index: Tensor | slice) -> Rows:
        """Return some of the rows."""
        neural, counted, counts = self.evidence
        evidence = Evidence(neural[index], counted[:, index], counts[:, index])
        history, read, kept = self.history[index], self.read[index], self.kept[index]
        return Rows(history, read, evidence, kept, self.found[index], self.far[index])

    @staticmethod
    def together(parts: list[Rows]) -> Rows:
        """Concatenate all parts and empty the list, with at most one field twice in memory."""
        neural, counted, counts = (
            list(each) for each in zip(*(part.evidence for part in parts), strict=True)
        )
        history, read = [part.history for part in parts], [part.read for part in parts]
        kept, found = [part.kept for part in parts], [part.found for part in parts]
        far = [part.far for part in parts]
        parts.clear()

        def joined(tensors: list[Tensor], dim: int = 0) -> Tensor:
            whole = torch.cat(tensors, dim)
            tensors.clear()
            return whole

        evidence = Evidence(joined(neural), joined(counted, 1), joined(counts, 1))
        return Rows(
            joined(history), joined(read), evidence, joined(kept), joined(found), joined(far)
        )


def pack(
    experts: Experts, data: PreparedData, targets: Targets, *, length: int, all_of: bool
) -> Rows:
    """Return a row for each target, with the candidates of each expert and the target.

    Items that the user had before are no candidates, and a target among them is not found. Rows
    whose target is not found teach nothing, so they are dropped; with `all_of`, all rows are
    returned, in the order of the targets.
    """
    count = len(targets.users)
    # Number of experts that bring their best candidates.
    lists = PAIRED if experts.recent is None else PAIRED + 1
    # Rows per block, by its largest arrays: catalogue evidence, history entries, candidate pairs.
    row = max(8 * len(data.items), entries(length), (lists * _BEST + _ANY + 1) ** 2)
    seeded = torch.Generator().manual_seed(0)
    drawn = torch.randint(len(data.items), (count, _ANY), generator=seeded)
    # Targets sorted by history length, so that a block needs little padding.
    lengths = np.minimum(targets.positions - data.offsets[targets.users], length)
    order = np.argsort(lengths, kind="stable")
    parts = []
    experts.eval()
    with torch.no_grad():
        for part in slices(count, max(1, _FLOATS // row)):
            some = order[part]
            random = drawn[torch.from_numpy(some)]
            rows = _pack_block(experts, data, targets.take(some), random, length=length)
            parts.append(rows if all_of else rows.take(rows.found.nonzero()[:, 0]))
    rows = Rows.together(parts)
    return rows.take(torch.from_numpy(np.argsort(order)).to(rows.found.device)) if all_of else rows


def _pack_block(
    experts: Experts,
    data: PreparedData,
    targets: Targets,
    drawn: Int[Tensor, "R A"],
    *,
    length: int,
) -> Rows:
    """Return the rows of a block of bounded memory; `drawn` are random candidates (from 0)."""
    device = experts.counts.device
    users, positions, far = targets
    history = torch.from_numpy(data.histories(users, positions, length).astype(np.int64)).to(device)
    target = torch.from_numpy(data.event_items[positions].astype(np.int64)).to(device)[:, None] - 1
    # Without padding columns that no history of the block fills, the experts have less to compute.
    filled = history[:, : max(1, int((history > 0).sum(1).max()))]
    evidence: Evidence = experts(filled)
    read = statistics(evidence, filled, experts.counts)
    # Items that a user had before are no candidates.
    row, item = (
        torch.from_numpy(np.asarray(each, dtype=np.int64)).to(device)
        for each in data.seen(users, positions)
    )
    seen = torch.zeros(evidence.neural.shape, dtype=torch.bool, device=device)
    seen[row, item - 1] = True
    k = min(_BEST, evidence.neural.shape[1])
    # The scores (B, V) by which each expert ranks; recency ranks all users' items alike.
    ranked = [
        *(evidence.neural, *evidence.counted)[:PAIRED],
        *(recent.expand_as(evidence.neural) for recent in evidence.counts[1:]),
    ]
    best = [torch.topk(scores.masked_fill(seen, -torch.inf), k).indices for scores in ranked]
    # Candidates (B, C) as zero-based items: the target, the best of each expert, random items.
    columns = torch.cat([target, *best, drawn.to(device)], 1)
    # Only the first place of a candidate in a row counts; for the target, that is column 0.
    again = (columns[:, :, None] == columns[:, None, :]).tril(-1).any(2)
    kept = ~again & ~seen.gather(1, columns)
    # The target is found if an expert brings it and the user did not have it before.
    found = (columns[:, 1 : 1 + len(best) * k] == target).any(1) & kept[:, 0]
    # The evidence on the candidates alone.
    counted = torch.stack([kind.gather(1, columns) for kind in evidence.counted])
    counts = evidence.counts[:, 0, columns]
    away = torch.from_numpy(np.asarray(far, dtype=np.int64)).to(device)
    own = Evidence(evidence.neural.gather(1, columns), counted, counts)
    return Rows(history, read, own, kept, found, away)
