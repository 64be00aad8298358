"""How much of a user's weights comes from the trunk and how much from the branch, slot by slot."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod, sqrt
from typing import final

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.inference.scorer import evaluating
from solidrec.nn.histories import Histories
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import TrunkAndBranch
from solidrec.report.material import Material
from solidrec.report.section import Section, Tables
from solidrec.runs import Run
from solidrec.text_grid import Grid

_USERS = 256
_HEADS = ("", "slot", "shape", "trunk", "branch", "branch / trunk", "at most (T √n)", "on the clip")
_HOW = (
    "Mean length (Frobenius norm) of what the trunk gives and of what the branch adds after its "
    "clip, over {users:,} test users, of the training with the smallest seed. A branch whose "
    "every weight sits on the clip would add T √n for a slot of n numbers."
)


@final
@dataclass(frozen=True)
class Norms:
    """One slot: the mean lengths of its trunk and branch over users.

    ``limit`` is the largest length of the branch that the clip allows, and ``saturated`` the share
    of the branch's weights on the clip; both are None without a clip.
    """

    slot: str
    shape: tuple[int, ...]
    trunk: float
    branch: float
    limit: float | None
    saturated: float | None


def norms(of: Material) -> Section:
    """Return the table of every row that adds a branch to a trunk.

    It is empty without the data or a readable run of such a row.
    """
    if of.data is None:
        return Section()
    rows, users = [], min(_USERS, len(of.data.rows("test")))
    for name, run in of.runs.items():
        for at, one in enumerate(_slot_norms(run, of.data)):
            rows.append([name if at == 0 else "", *_slot_line(one)])
    grid = Grid.of("Mean lengths, slot by slot", _HEADS, rows)
    return Section(tables=[Tables([grid], [_HOW.format(users=users)])] if rows else [])


def _slot_norms(run: Run, data: PreparedData) -> list[Norms]:
    """Return the norms of a trained model's slots, empty unless it adds a branch to a trunk."""
    source = run.model.source if isinstance(run.model, Recommender) else None
    if not isinstance(source, TrunkAndBranch):
        return []
    rows = data.rows("test")
    picked = np.sort(np.random.default_rng(0).permutation(len(rows))[:_USERS])
    history = torch.from_numpy(
        data.histories(
            rows.users[picked], rows.positions[picked], run.spec.model.history_length
        ).astype(np.int64)
    )
    with evaluating(run.model):
        histories = Histories.of(history, run.model.items(history))
        trunk, branch = (part(histories).weights.tensors for part in (source.trunk, source.branch))
    clip = source.branch.clip
    return [
        Norms(
            slot,
            tuple(trunk[slot].shape[1:]),
            _length(trunk[slot]),
            _length(branch[slot]),
            None if clip is None else clip * sqrt(prod(trunk[slot].shape[1:])),
            None if clip is None else float((branch[slot].abs() >= clip).double().mean()),
        )
        for slot in trunk
    ]


def _length(tensor: torch.Tensor) -> float:
    """Return the mean Frobenius norm over users (B, ...)."""
    return float(tensor.double().flatten(1).norm(dim=1).mean())


def _slot_line(one: Norms) -> list[str]:
    """Return the cells of one slot."""
    share = f"{one.branch / one.trunk:.1%}" if one.trunk else "–"
    clip = (
        ["–", "–"]
        if one.limit is None or one.saturated is None
        else [f"{one.limit:.3f}", f"{one.saturated:.1%}"]
    )
    return [
        one.slot,
        " × ".join(map(str, one.shape)),
        f"{one.trunk:.3f}",
        f"{one.branch:.3f}",
        share,
        *clip,
    ]
