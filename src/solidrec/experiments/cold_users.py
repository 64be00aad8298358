"""Which weights serve users best of whom only one or two events are known.

Every test target is ranked from the last 1, 2, ... events before it. SOLID answers in full, and by its trunk alone, whose
weights are those of a group of users and not of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from solidrec.artifacts import versions
from solidrec.console import console, counted
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.intervals import paired_difference
from solidrec.evaluate.runner import evaluate
from solidrec.experiments.trainings import Row, Training, check_settings, corrected, gap_text, train_all, write_results
from solidrec.inference.scorer import scorer_of
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.recommend.engine import trunk_alone
from solidrec.runs import load_run
from solidrec.spec import merge

MODELS = ("static", "duet", "solid-duet")
TRUNK = "solid-duet, trunk alone"
EVENTS = (1, 2, 3, 5, 10)
METRICS = ("UAUC", "NDCG@10")


def run_cold_users(
    path: Path, out: Path, *, seeds: int = 3, jobs: int = 1, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Train static, DUET and SOLID with `seeds` seeds and measure them on histories cut to their last events.

    Writes ``cold-users.json`` and ``cold-users.md`` to `out` and returns what is in the former; finished trainings are kept.
    """
    data = PreparedData.open(path)
    check_settings(data, settings or {}, ("seed", "model.name"))
    trainings = [
        Training(model, seed, merge({"model": {"name": model}}, settings or {})) for seed in range(seeds) for model in MODELS
    ]
    with counted(console, "training", len(trainings), shown=True) as step:
        train_all(path, trainings, out, jobs=jobs, done=lambda training: step(1))
    length = load_run(trainings[0].folder(out)).spec.model.length
    lengths = [events for events in EVENTS if events <= length]
    with counted(console, "measuring", len(lengths) * len(trainings), shown=True) as step:
        tables = {events: rows_at(data, trainings, out, events=events, step=step) for events in lengths}
    found = {
        "events": [summary(events, rows) for events, rows in tables.items()], "data": data.fingerprint, "seeds": seeds,
        "settings": dict(settings or {}), "versions": versions(),
    }  # fmt: skip
    write_results(out, "cold-users", found, markdown(found))
    return found


def rows_at(data: PreparedData, trainings: Sequence[Training], out: Path, *, events: int, step: Any) -> list[Row]:
    """Return each model's evaluations on the last `events` events, and those of SOLID's trunk alone."""
    found: dict[str, list[Any]] = {}
    for training in trainings:
        model = load_run(training.folder(out)).model
        variants: dict[str, Recommender | Mixture | None] = {training.row: model, TRUNK: trunk_alone(model)}
        for name, variant in variants.items():
            if variant is not None:
                found.setdefault(name, []).append(evaluate(scorer_of(variant), data, split="test", length=events))
        step(1)
    return [Row(name, tuple(evaluations)) for name, evaluations in found.items()]


def summary(events: int, rows: Sequence[Row]) -> dict[str, Any]:
    """Return means over seeds and what each row gains over the static model, paired over users, Holm-corrected."""
    static, *others = rows
    table: list[dict[str, Any]] = [
        {"name": row.name, "mean": {metric: row.mean(metric) for metric in METRICS},
         "spread": {metric: row.spread(metric) for metric in METRICS}} for row in rows
    ]  # fmt: skip
    for metric in METRICS:
        tests = [paired_difference(row.per_user(metric), static.per_user(metric)) for row in others]
        for entry, gap in zip(table[1:], corrected(tests), strict=True):
            entry.setdefault("over_static", {})[metric] = gap
    whole, trunk = (next(row for row in rows if row.name == name) for name in (MODELS[-1], TRUNK))
    over = {metric: asdict(paired_difference(whole.per_user(metric), trunk.per_user(metric))) for metric in METRICS}
    return {"events": events, "rows": table, "whole_over_trunk": over}


def markdown(found: Mapping[str, Any]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| events known | model | UAUC | NDCG@10 | UAUC over static [95 %] | p (Holm) |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for part in found["events"]:
        for row in part["rows"]:
            means = " | ".join(f"{row['mean'][metric]:.4f}" for metric in METRICS)
            gap = row.get("over_static", {}).get("UAUC")
            over = f"{gap_text(gap)} | {gap['holm']:.3f}" if gap else " | "
            lines.append(f"| {part['events']} | {row['name']} | {means} | {over} |")
    lines += ["", "| events known | solid-duet over its trunk alone, UAUC [95 %] | p |", "| ---: | ---: | ---: |"]
    for part in found["events"]:
        gap = part["whole_over_trunk"]["UAUC"]
        lines.append(f"| {part['events']} | {gap_text(gap)} | {gap['p']:.3f} |")
    return "\n".join(lines) + f"\n\nTest split, protocol paper, {found['seeds']} seeds; paired over users, sign-flip test.\n"
