"""Measure how well items that training never saw are ranked.

A share of the items is held out: all their interactions are removed, a model is trained on the
rest, and the items join it by their content alone. The targets are the last items of users that
were held out, the histories what is left before them. The model is compared with content-kNN, with
itself without the content of the new items, and with chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.api import train
from solidrec.arrays import Floats, Ints
from solidrec.console import console, counted
from solidrec.data.prepared import PreparedData
from solidrec.disk import write_file
from solidrec.errors import UsageError
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.json_files import write_json
from solidrec.measures.cold_table import METRICS, Values, markdown, table_of
from solidrec.measures.held_out import HeldOut, hold_out, joined, shuffled
from solidrec.metrics import per_row, ranks
from solidrec.provenance import versions
from solidrec.recommend.engine import Engine
from solidrec.runs import Run
from solidrec.semantics.fuse import side_by_side
from solidrec.settings import merge, value_at

_NEGATIVES = 99
MODEL, WITHOUT = "model", "model, content shuffled among the new"
KNOWN, NEW = "known items", "other new items"
_KNN = (
    ("content-kNN, mean of 10", 10, np.mean),
    ("content-kNN, nearest of 10", 10, np.max),
    ("content-kNN, last item", 1, np.max),
)
"""The content-kNN baselines: name, number of last items, and how their cosines are joined."""


def run_cold_items(
    path: Path,
    out: Path,
    *,
    model: str = "static",
    share: float = 0.1,
    seeds: int = 3,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Hold out items `seeds` times and rank them among known items and among new ones.

    No two draws have an item in common. Writes ``cold-items.json`` and ``cold-items.md`` to `out`
    and returns the content of the former; finished trainings are kept. Raises `UsageError` if the
    items have no content, if no user's last item was held out, or if the draws need more items than
    there are.
    """
    whole = PreparedData.open(path)
    if not 0 < share < 1 or seeds * share > 1:
        raise UsageError(
            f"--share {share} of {seeds} draws: give a share above 0 that leaves each draw items "
            "of its own"
        )
    whole.rows("test")  # raises an error for data without a test split
    for key in ("seed", "model.name"):
        if value_at(settings or {}, key) is not None:
            raise UsageError(f"--set {key}: is what this experiment varies; leave it out")
    settings = merge({"model": {"name": model, "start": "content"}}, settings or {})
    draws: list[Draw] = []
    with counted(console, f"training without {share:.0%} of the items", seeds, shown=True) as step:
        for seed in range(seeds):
            held = hold_out(whole, out, share=share, seed=seed)
            folder = out / "runs" / f"{held.kept.path.name}-seed{seed}"
            trained = train(
                held.kept, seed=seed, settings=settings, out=folder, threads=1, progress=False
            )
            draws.append(_measure(whole, held, trained.run, seed))
            step(1)
    values = {
        among: _joined_values([draw.values[among] for draw in draws]) for among in (KNOWN, NEW)
    }
    found = {
        "tables": [table_of(among, values[among]) for among in values],
        "items": len(values[KNOWN][MODEL]["UAUC"]),
        "targets": sum(draw.targets for draw in draws),
        "share": share,
        "seeds": seeds,
        "exposure": float(np.mean([draw.exposure for draw in draws])),
        "explained": [draw.explained for draw in draws],
        "data": whole.fingerprint,
        "settings": settings,
        "versions": versions(),
    }
    write_json(out / "cold-items.json", found)
    write_file(
        out / "cold-items.md",
        lambda temporary: temporary.write_text(markdown(found), encoding="utf-8"),
    )
    return found


class Draw(NamedTuple):
    """One draw: metrics by kind of negatives, targets, exposure and the R² of the content map."""

    values: dict[str, Values]
    targets: int
    exposure: float
    explained: float


def _measure(whole: PreparedData, held: HeldOut, run: Run, seed: int) -> Draw:
    """Measure a trained run on the items that it did not see."""
    grown = joined(whole, held, run)
    histories = [grown.items.known(history)[0] for history in held.histories]
    targets = np.array(grown.items.known(held.targets)[0])
    known = len(held.kept.items)
    # The run has the known items first and the new ones behind them.
    pools = {KNOWN: np.arange(1, known + 1), NEW: np.arange(known + 1, len(grown.items) + 1)}
    vectors = _content_of(whole, grown)
    window = Engine(grown).window(histories)
    models = {MODEL: scorer_of(grown.model), WITHOUT: scorer_of(shuffled(grown, known, seed).model)}
    values: dict[str, Values] = {}
    for among, pool in pools.items():
        candidates = _with_negatives(histories, targets, pool, seed=seed)
        scores = {name: score(window, candidates) for name, score in models.items()}
        scores |= {
            name: _content_knn(vectors, histories, candidates, last, join)
            for name, last, join in _KNN
        }
        values[among] = {
            name: _by_item(_measured(found), targets) for name, found in scores.items()
        }
    assert grown.cold is not None
    return Draw(values, len(targets), _exposure(held, grown), grown.cold.facts["r2"])


def _content_knn(
    vectors: npt.NDArray[np.float32],
    histories: Sequence[Sequence[int]],
    candidates: Ints,
    last: int,
    join: Any,
) -> npt.NDArray[np.float32]:
    """Return the joined cosine of each candidate's content to the `last` items of its history."""
    return np.stack(
        [
            join(vectors[history[-last:]] @ vectors[row].T, axis=0)
            for history, row in zip(histories, candidates, strict=True)
        ]
    )


def _content_of(whole: PreparedData, grown: Run) -> npt.NDArray[np.float32]:
    """Return unit content vectors (V + 1, F) of a grown run's items, as its own map reads them."""
    assert grown.cold is not None
    # The index in the whole data of each item of the run.
    place = np.array([whole.items.index(item) for item in grown.items.ids])
    given = {name: np.asarray(matrix[place]) for name, matrix in whole.features.items()}
    fused = side_by_side(
        list(grown.cold.content.matrices(whole.catalog[place - 1], given).values())
    ).vectors
    unit = fused / np.maximum(np.linalg.norm(fused, axis=1, keepdims=True), 1e-12)
    # Row 0 is padding.
    return np.concatenate([np.zeros((1, unit.shape[1]), dtype=np.float32), unit])


def _with_negatives(
    histories: Sequence[Sequence[int]], targets: Ints, pool: Ints, *, seed: int
) -> Ints:
    """Return candidates (targets, 1 + 99): each target and others of `pool` not in its history."""
    rows = []
    for number, (history, target) in enumerate(zip(histories, targets, strict=True)):
        free = np.setdiff1d(pool, [*history, target])
        rows.append(
            np.concatenate(
                [[target], np.random.default_rng([seed, 2, number]).permutation(free)[:_NEGATIVES]]
            )
        )
    # All rows get the length of the shortest, so that they have the same chance level.
    shortest = min(map(len, rows))
    return np.stack([row[:shortest] for row in rows]).astype(np.int64)


def _measured(scores: npt.NDArray[Any]) -> dict[str, Floats]:
    """Return the metrics of each row; the target is in column 0."""
    found = per_row(ranks(scores), (10,))
    return {metric: found[metric] for metric in METRICS}


def _by_item(values: Mapping[str, Floats], targets: Ints) -> dict[str, Floats]:
    """Average each metric over the rows of a target item, as these are not independent."""
    items, place = np.unique(targets, return_inverse=True)
    # Sum the values of each item and divide by its number of rows.
    count = np.bincount(place, minlength=len(items))
    return {
        metric: np.bincount(place, found, len(items)) / count for metric, found in values.items()
    }


def _joined_values(parts: Sequence[Values]) -> Values:
    """Concatenate the values of all draws, which have no item in common."""
    return {
        name: {metric: np.concatenate([part[name][metric] for part in parts]) for metric in METRICS}
        for name in parts[0]
    }


def _exposure(held: HeldOut, grown: Run, *, users: int = 500) -> float:
    """Return the share of held-out items in the top ten of all items, over some test histories."""
    rows = held.kept.rows("test")
    picked = np.linspace(0, len(rows) - 1, min(users, len(rows))).astype(int)
    histories = held.kept.histories(
        rows.users[picked], rows.positions[picked], grown.spec.model.history_length
    )
    answers = Engine(grown).ranked(
        [[int(item) for item in history if item] for history in histories], 10, keep_history=False
    )
    new = set(grown.catalog["item"].to_list()[len(held.kept.items) :])
    return float(np.mean([row["item"] in new for answer in answers for row in answer]))
