"""Hold items out of prepared data, and add them to a run afterwards."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
import polars as pl
import torch

from solidrec.artifacts import MANIFEST
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.table import Table
from solidrec.errors import UsageError
from solidrec.recommend.items import add_items
from solidrec.runs import Run


@final
@dataclass(frozen=True)
class HeldOut:
    """The result of `hold_out`: the held-out ``items``, the data ``kept`` and the targets.

    ``items`` are indices of the whole data. ``histories`` and ``targets`` have one entry per
    target, with ids of the whole data.
    """

    kept: PreparedData
    items: npt.NDArray[np.int64]
    histories: list[list[str]]
    targets: list[str]


def hold_out(whole: PreparedData, out: Path, *, share: float, seed: int) -> HeldOut:
    """Prepare the data without some items in a folder in `out`, and find the targets.

    A folder that an earlier call prepared is opened. The draws of different seeds have no item in
    common, as long as there are enough.
    """
    count = max(1, round(share * len(whole.items)))
    # Each seed takes its own part of one fixed permutation.
    order = np.random.default_rng(1).permutation(len(whole.items)) + 1
    items = np.sort(order[seed * count : (seed + 1) * count])
    folder = out / f"data-{whole.fingerprint[:8]}-share{share:g}-seed{seed}"
    cold = np.zeros(len(whole.items) + 1, dtype=bool)
    cold[items] = True
    if not (folder / MANIFEST).is_file():
        _prepare_without(whole, cold, folder)
    histories, targets = [], []
    for user in range(1, len(whole.users) + 1):
        events = whole.event_items[whole.offsets[user] : whole.offsets[user + 1]]
        before = [whole.items.id(int(item)) for item in events[:-1] if not cold[item]]
        # A target is a held-out last item with at least one kept item before it.
        if cold[events[-1]] and before:
            histories.append(before)
            targets.append(whole.items.id(int(events[-1])))
    if not targets:
        raise UsageError(
            f"{whole.path}: nobody's last item is among the {count:,} held out; hold out more "
            "(--share)"
        )
    return HeldOut(PreparedData.open(folder), items, histories, targets)


def _prepare_without(whole: PreparedData, cold: npt.NDArray[np.bool_], folder: Path) -> None:
    """Prepare the events of the items that are not `cold`, with the whole catalogue."""
    # The user of each event, and whether its item is kept.
    users = np.repeat(np.arange(len(whole.offsets) - 1), np.diff(whole.offsets))
    warm = ~cold[whole.event_items]
    log = pl.DataFrame(
        {
            "user": whole.users.series.gather(users[warm] - 1),
            "item": whole.items.series.gather(whole.event_items[warm] - 1),
            "position": np.flatnonzero(warm),
        }
    )
    features = {name: np.asarray(matrix[1:]) for name, matrix in whole.features.items()}
    catalog = whole.catalog.with_row_index("item_idx")
    prepare(
        log,
        items=catalog,
        features=features,
        feature_start=0,
        out=folder,
        source=f"{cold.sum()} items held out",
    )


def joined(whole: PreparedData, held: HeldOut, run: Run) -> Run:
    """Return the run with the held-out items added by their content."""
    frame = whole.catalog[held.items - 1].with_columns(
        item_idx=pl.Series(np.arange(len(held.items)))
    )
    features = {name: np.asarray(matrix[held.items]) for name, matrix in whole.features.items()}
    return add_items(
        run, Table(frame.lazy(), "held-out items"), features=features, feature_start=0
    ).run


def shuffled(grown: Run, known: int, seed: int) -> Run:
    """Return the run with its new items' embeddings permuted: all that is left is being new."""
    model = copy.deepcopy(grown.model)
    order = np.random.default_rng([seed, 3]).permutation(len(grown.items) - known)
    with torch.no_grad():
        model.items.weight[known + 1 :] = model.items.weight[known + 1 :][torch.from_numpy(order)]
    return dataclasses.replace(grown, model=model)
