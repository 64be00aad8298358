"""Rows that a mixture's weights are learned from: a history, the evidence on some candidates, and which one it was."""

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
"""Candidates that each expert brings: what a mixture ranks first is among the first of some expert ..."""
_ANY = 50
"""... and so many of all items, so that what no expert brings is known to be worth little."""
_FLOATS = 1 << 22
"""Of evidence at a time."""


class Targets(NamedTuple):
    """Events that experts are asked about: ``users``, absolute ``positions``, and how ``far`` off each is. (R,) each.

    That is how many events of the user lie between it and the kind of event that the split asks for: the last of training, or
    the first after a time.
    """

    users: Integers
    positions: Integers
    far: Integers

    def take(self, index: Integers | npt.NDArray[np.bool_]) -> Targets:
        """Return some of the targets."""
        return Targets(self.users[index], self.positions[index], self.far[index])


class Rows(NamedTuple):
    """R rows of C candidates each, the target in column 0.

    ``history`` (R, L), ``read`` (R, S) its statistics, ``evidence`` on the candidates, ``kept`` (R, C) which of them count (one
    that two experts bring counts once), ``found`` (R,), whether any expert brings the target, and ``far`` (R,) as in
    `Targets`.
    """

    history: Int[Tensor, "R L"]
    read: Float[Tensor, "R S"]
    evidence: Evidence
    kept: Bool[Tensor, "R C"]
    found: Bool[Tensor, " R"]
    far: Int[Tensor, " R"]

    @property
    def size(self) -> int:
        """How many rows there are, R."""
        return len(self.history)

    def take(self, index: Tensor | slice) -> Rows:
        """Return some of the rows."""
        neural, counted, counts = self.evidence
        evidence = Evidence(neural[index], counted[:, index], counts[:, index])
        return Rows(
            self.history[index],
            self.read[index],
            evidence,
            self.kept[index],
            self.found[index],
            self.far[index],
        )

    @staticmethod
    def together(parts: list[Rows]) -> Rows:
        """Return the rows of all parts, and empty the list: field by field, so that no more than one is there twice."""
        neural, counted, counts = (
            list(each) for each in zip(*(part.evidence for part in parts), strict=True)
        )
        history, read = [part.history for part in parts], [part.read for part in parts]
        kept, found, far = (
            [part.kept for part in parts],
            [part.found for part in parts],
            [part.far for part in parts],
        )
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
    """Return a row for each target: what the experts say before it, of their best and of it.

    What a user had before is no candidate, and a target among it is not found. Rows whose target is not found teach nothing:
    only if `all_of` the rows are wanted are they there, and all in the order of the events.
    """
    count = len(targets.users)
    lists = PAIRED if experts.recent is None else PAIRED + 1  # of best candidates, one an expert
    step = max(
        1, _FLOATS // max(8 * len(data.items), entries(length), (lists * _BEST + _ANY + 1) ** 2)
    )
    drawn = torch.randint(
        len(data.items), (count, _ANY), generator=torch.Generator().manual_seed(0)
    )
    # a block's are about equally long
    order = np.argsort(
        np.minimum(targets.positions - data.offsets[targets.users], length), kind="stable"
    )
    parts = []
    experts.eval()
    with torch.no_grad():
        for part in slices(count, step):
            some = order[part]
            rows = _pack_block(
                experts, data, targets.take(some), drawn[torch.from_numpy(some)], length=length
            )
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
    """Return the rows of a block of bounded memory; `drawn` are indices of any items, which are candidates too."""
    device = experts.counts.device
    users, positions, far = targets
    history = torch.from_numpy(data.histories(users, positions, length).astype(np.int64)).to(device)
    target = torch.from_numpy(data.event_items[positions].astype(np.int64)).to(device)[:, None] - 1
    filled = history[
        :, : max(1, int((history > 0).sum(1).max()))
    ]  # padding is invisible, and not free
    evidence: Evidence = experts(filled)
    read = statistics(evidence, filled, experts.counts)
    # what was had before is nobody's candidate
    row, item = (
        torch.from_numpy(np.asarray(each, dtype=np.int64)).to(device)
        for each in data.seen(users, positions)
    )
    seen = torch.zeros(evidence.neural.shape, dtype=torch.bool, device=device)
    seen[row, item - 1] = True
    k = min(_BEST, evidence.neural.shape[1])
    ranked = [
        *(evidence.neural, *evidence.counted)[:PAIRED],
        *(recent.expand_as(evidence.neural) for recent in evidence.counts[1:]),
    ]
    best = [torch.topk(scores.masked_fill(seen, -torch.inf), k).indices for scores in ranked]
    columns = torch.cat([target, *best, drawn.to(device)], 1)
    # the first place of each candidate counts, so the target's own does
    again = (columns[:, :, None] == columns[:, None, :]).tril(-1).any(2)
    kept = ~again & ~seen.gather(1, columns)
    found = (columns[:, 1 : 1 + len(best) * k] == target).any(1) & kept[:, 0]
    counted = torch.stack([kind.gather(1, columns) for kind in evidence.counted])
    counts = evidence.counts[:, 0, columns]
    away = torch.from_numpy(np.asarray(far, dtype=np.int64)).to(device)
    return Rows(
        history,
        read,
        Evidence(evidence.neural.gather(1, columns), counted, counts),
        kept,
        found,
        away,
    )
