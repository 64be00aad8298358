"""Items that training never saw: how well they are ranked among known ones, beside content-kNN and chance.

A share of the items is held out: all their interactions are removed, a model is trained on the rest, and the items join it by
their content alone. The targets are the users whose last item was held out, their histories what is left before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.artifacts import MANIFEST, versions, write_file, write_json
from solidrec.console import console, counted
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import Table
from solidrec.errors import UsageError
from solidrec.evaluate.intervals import bootstrap_mean, holm, paired_difference
from solidrec.evaluate.scorer import ModelScorer
from solidrec.experiments.cells import Cell, train_cells
from solidrec.metrics import per_row, ranks
from solidrec.runs import Run, load_run
from solidrec.semantics.content import side_by_side
from solidrec.serve.engine import Engine
from solidrec.serve.items import add_items
from solidrec.spec import merge

NEGATIVES = 99
METRICS = ("UAUC", "NDCG@10", "Recall@10")
CHANCE = "chance"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class HeldOut:
    """What was held out: `items` (item indices of the whole data), the data `kept` without them, and the targets.

    ``histories`` and ``targets`` are ids of the whole data, one of each a target.
    """

    kept: PreparedData
    items: Ints
    histories: list[list[str]]
    targets: list[str]


def run_cold_items(
    path: Path, out: Path, *, model: str = "static", share: float = 0.1, seeds: int = 3, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Hold out a share of the items `seeds` times, other ones each time, and rank each target among 99 known items.

    Writes ``cold-items.json`` and ``cold-items.md`` to `out` and returns what is in the former; finished trainings are kept.
    Raises `UsageError` if items have no content or nobody's last item was held out.
    """
    whole = PreparedData.open(path)
    if not 0 < share < 1:
        raise UsageError(f"--share {share}: give a share of the items between 0 and 1")
    settings = merge({"model": {"name": model, "start": "content"}}, settings or {})
    parts, shown = [], []
    with counted(console, f"training without {share:.0%} of the items", seeds, shown=True) as step:
        for seed in range(seeds):
            held = hold_out(whole, out / f"data-seed{seed}", share=share, seed=seed)
            cell = Cell("run", seed, settings)
            train_cells(held.kept.path, [cell], out)
            grown = joined(whole, held, load_run(cell.folder(out)))
            parts.append(measure(whole, held, grown, seed))
            shown.append(exposure(held, grown))
            step(1)
    values = {name: {metric: np.concatenate([part[name][metric] for part in parts]) for metric in METRICS} for name in parts[0]}
    found = summary(values) | {
        "data": whole.fingerprint, "share": share, "seeds": seeds, "settings": settings, "exposure": float(np.mean(shown)),
        "versions": versions(),
    }  # fmt: skip
    write_json(out / "cold-items.json", found)
    write_file(out / "cold-items.md", lambda temporary: temporary.write_text(markdown(found), encoding="utf-8"))
    return found


def hold_out(whole: PreparedData, out: Path, *, share: float, seed: int) -> HeldOut:
    """Prepare the data without some items, or open what an earlier call prepared, and find the targets."""
    count = max(1, round(share * len(whole.items)))
    items = np.sort(np.random.default_rng([seed, 1]).permutation(len(whole.items))[:count] + 1)
    cold = np.zeros(len(whole.items) + 1, dtype=bool)
    cold[items] = True
    if not (out / MANIFEST).is_file():
        users = np.repeat(np.arange(len(whole.offsets) - 1), np.diff(whole.offsets))
        warm = ~cold[whole.event_items]
        log = pl.DataFrame({
            "user": whole.users.series.gather(users[warm] - 1), "item": whole.items.series.gather(whole.event_items[warm] - 1),
            "position": np.flatnonzero(warm),
        })  # fmt: skip
        features = {name: np.asarray(matrix[1:]) for name, matrix in whole.features.items()}
        catalog = whole.catalog.with_row_index("item_idx")
        prepare(log, items=catalog, features=features, feature_start=0, out=out, source=f"{count} items held out")
    histories, targets = [], []
    for user in range(1, len(whole.users) + 1):
        events = whole.event_items[whole.offsets[user] : whole.offsets[user + 1]]
        before = [whole.items.id(int(item)) for item in events[:-1] if not cold[item]]
        if cold[events[-1]] and before:
            histories.append(before)
            targets.append(whole.items.id(int(events[-1])))
    if not targets:
        raise UsageError(f"{whole.path}: nobody's last item is among the {count:,} held out; hold out more (--share)")
    return HeldOut(PreparedData.open(out), items, histories, targets)


def joined(whole: PreparedData, held: HeldOut, run: Run) -> Run:
    """Return the run with the held-out items added by their content."""
    rows = held.items - 1
    frame = whole.catalog[rows].with_columns(item_idx=pl.Series(np.arange(len(rows))))
    features = {name: np.asarray(matrix[held.items]) for name, matrix in whole.features.items()}
    return add_items(run, Table(frame.lazy(), "held-out items"), features=features, feature_start=0)


def measure(whole: PreparedData, held: HeldOut, grown: Run, seed: int) -> dict[str, dict[str, Floats]]:
    """Return {who: {metric: (targets,)}} of the model and of content-kNN in its variants."""
    histories = [grown.items.known(history)[0] for history in held.histories]
    targets, _ = grown.items.known(held.targets)
    candidates = with_negatives(histories, targets, known=len(held.kept.items), seed=seed)
    scores = {"model": ModelScorer(grown.model)(Engine(grown).window(histories), candidates)}
    vectors = content_of(whole, grown)
    for name, last, join in KNN:
        found = [
            join(vectors[history[-last:]] @ vectors[row].T, axis=0) for history, row in zip(histories, candidates, strict=True)
        ]
        scores[name] = np.stack(found)
    return {name: measured(found) for name, found in scores.items()}


KNN = (
    ("content-kNN, mean of 10", 10, np.mean),
    ("content-kNN, nearest of 10", 10, np.max),
    ("content-kNN, last item", 1, np.max),
)
"""Cosine of a candidate's content to that of the history: name, how many last items, and how their values are joined."""


def content_of(whole: PreparedData, grown: Run) -> npt.NDArray[np.float32]:
    """Return the content vectors (V + 1, F) of a grown run's items, of unit length: what the run's own map reads."""
    assert grown.cold is not None
    place = np.array([whole.items.index(item) for item in grown.items.ids])
    given = {name: np.asarray(matrix[place]) for name, matrix in whole.features.items()}
    fused = side_by_side(grown.cold.content.matrices(whole.catalog[place - 1], given)).vectors
    unit = fused / np.maximum(np.linalg.norm(fused, axis=1, keepdims=True), 1e-12)
    return np.concatenate([np.zeros((1, unit.shape[1]), dtype=np.float32), unit])


def with_negatives(histories: Sequence[Sequence[int]], targets: Sequence[int], *, known: int, seed: int) -> Ints:
    """Return (targets, 1 + 99): each target and known items that are not in its history, fewer if somebody saw nearly all."""
    rows = []
    for number, (history, target) in enumerate(zip(histories, targets, strict=True)):
        free = np.setdiff1d(np.arange(1, known + 1), history)
        rows.append(np.concatenate([[target], np.random.default_rng([seed, 2, number]).permutation(free)[:NEGATIVES]]))
    return np.stack([row[: min(map(len, rows))] for row in rows]).astype(np.int64)


def measured(scores: npt.NDArray[Any]) -> dict[str, Floats]:
    """Return the metrics of each row, the target being in column 0."""
    found = per_row(ranks(scores), (10,))
    return {metric: found[metric] for metric in METRICS}


def exposure(held: HeldOut, grown: Run, *, users: int = 500) -> float:
    """Return the held-out items' share of the ten best of all items, over the test histories of some users."""
    rows = held.kept.rows("test")
    picked = np.linspace(0, len(rows) - 1, min(users, len(rows))).astype(int)
    histories = held.kept.histories(rows.users[picked], rows.positions[picked], grown.spec.model.length)
    answers = Engine(grown).ranked([[int(item) for item in history if item] for history in histories], 10, keep_history=False)
    new = set(grown.catalog["item"].to_list()[len(held.kept.items) :])
    return float(np.mean([row["item"] in new for answer in answers for row in answer]))


def summary(values: Mapping[str, Mapping[str, Floats]]) -> dict[str, Any]:
    """Return means with intervals over targets, and the model's paired differences to the others, Holm-corrected."""
    table = [
        {"name": name, "mean": {metric: float(found[metric].mean()) for metric in METRICS},
         "interval": {metric: list(bootstrap_mean(found[metric])) for metric in METRICS}}
        for name, found in values.items()
    ]  # fmt: skip
    others = [name for name in values if name != "model"]
    differences = []
    for metric in METRICS:
        tests = [paired_difference(values["model"][metric], values[name][metric]) for name in others]
        for name, test, p in zip(others, tests, holm([test.p for test in tests]), strict=True):
            gap = {"mean": test.mean, "low": test.low, "high": test.high, "p": test.p, "holm": p}
            differences.append({"other": name, "metric": metric, **gap})
    low, _ = bootstrap_mean(values["model"]["UAUC"])
    chance = {"UAUC": 0.5, "model_above": bool(low > 0.5)}
    return {"targets": len(values["model"]["UAUC"]), "rows": table, "differences": differences, CHANCE: chance}


def markdown(found: Mapping[str, Any]) -> str:
    """Return the tables as Markdown."""
    lines = [f"| held-out items among {NEGATIVES} known ones | {' | '.join(METRICS)} |", f"| --- |{' ---: |' * len(METRICS)}"]
    for row in found["rows"]:
        cells = [f"{row['mean'][m]:.4f} [{row['interval'][m][0]:.4f}, {row['interval'][m][1]:.4f}]" for m in METRICS]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    lines += ["", "| the model less | metric | difference [95 %] | p (Holm) |", "| --- | --- | ---: | ---: |"]
    lines += [
        f"| {gap['other']} | {gap['metric']} | {gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}] | {gap['holm']:.3f} |"
        for gap in found["differences"]
    ]
    above = "above" if found[CHANCE]["model_above"] else "not above"
    lines += [
        "",
        f"{found['targets']:,} targets of {found['seeds']} draws of {found['share']:.0%} of the items; chance is UAUC .5, and "
        f"the model is {above} it. Of everybody's best ten of all items {found['exposure']:.1%} are new ones.",
    ]
    return "\n".join(lines) + "\n"
