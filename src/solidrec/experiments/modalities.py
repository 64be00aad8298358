"""Which modalities are worth it: semantic ids from every subset of them, some seeds each (the paper's Table 3).

The control has as many semantic ids, dealt to items at random: what a subset gains over it is what its content is worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from solidrec.artifacts import versions
from solidrec.console import console, counted, say
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.intervals import bootstrap_mean, paired_difference
from solidrec.experiments.cells import (
    METRICS,
    Cell,
    Row,
    check_settings,
    corrected,
    gap_text,
    rows_of,
    train_cells,
    write_results,
)
from solidrec.semantics.modality import available
from solidrec.spec import merge

CONTROL = "random"
TESTED = ("UAUC", "NDCG@10")
SIGNIFICANT = 0.05


def run_modalities(
    path: Path,
    out: Path,
    *,
    modalities: Sequence[str] = (),
    seeds: int = 3,
    jobs: int = 1,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Train a model for every non-empty subset of `modalities` (default: all that the data has) and the control.

    Writes ``modalities.json`` and ``modalities.md`` to `out` and returns what is in the former. Finished trainings are kept, so
    the same call goes on where it was stopped. Raises `UsageError` for a modality that the data does not have.
    """
    data = PreparedData.open(path)
    names = list(modalities) or list(available(data))
    for name in names:
        if name not in available(data):
            raise UsageError(f"--modality {name}: is not in the data{nearest(name, available(data))}")
        if names.count(name) > 1:
            raise UsageError(f"--modality {name}: is there twice; name it once")
    check_settings(data, settings or {}, ("seed", "semantics.method", "semantics.modalities", "semantics.seed"))
    cells = cells_of(names, seeds, settings or {})
    say(f"{len(cells)} trainings: {2 ** len(names) - 1} subsets of {', '.join(names)} and the control, {seeds} seeds each")
    with counted(console, "training", len(cells), shown=True) as step:
        train_cells(path, cells, out, jobs=jobs, done=lambda cell: step(1))
    found = summary(rows_of(data, cells, out), names) | {
        "data": data.fingerprint, "seeds": seeds, "settings": dict(settings or {}), "versions": versions(),
    }  # fmt: skip
    write_results(out, "modalities", found, markdown(found))
    return found


def cells_of(names: Sequence[str], seeds: int, settings: Mapping[str, Any]) -> list[Cell]:
    """Return the cells, the control first; semantic ids are made with the seed of the training.

    Levels are no matter of the control's, and a weight is one of the subsets' that have the modality.
    """
    given = dict(settings.get("semantics", {}))
    weights, levels = given.pop("weights", {}), given.pop("levels", None)
    settings = {**settings, "semantics": given}
    subsets = [subset for size in range(1, len(names) + 1) for subset in combinations(names, size)]
    kinds: list[tuple[str, dict[str, Any]]] = [(CONTROL, {"method": "random"})]
    for subset in subsets:
        own: dict[str, Any] = {"method": "kmeans", "modalities": list(subset)}
        own |= {"weights": {name: weights[name] for name in subset if name in weights}} if weights else {}
        kinds.append((" + ".join(subset), own | ({"levels": levels} if levels else {})))
    return [
        Cell(row, seed, merge({"semantics": semantics | {"seed": seed}}, settings))
        for seed in range(seeds)
        for row, semantics in kinds
    ]


def summary(rows: Sequence[Row], names: Sequence[str]) -> dict[str, Any]:
    """Return means, spreads over seeds, intervals over users, and paired differences to the control, Holm-corrected."""
    control = next(row for row in rows if row.name == CONTROL)
    others = [row for row in rows if row is not control]
    tests = {metric: [paired_difference(row.per_user(metric), control.per_user(metric)) for row in others] for metric in TESTED}
    gaps = {metric: dict(zip([row.name for row in others], corrected(tests[metric]), strict=True)) for metric in TESTED}
    table = []
    for row in rows:
        table.append({
            "name": row.name, "modalities": {name: name in row.name.split(" + ") for name in names},
            "mean": {metric: row.mean(metric) for metric in METRICS},
            "spread": {metric: row.spread(metric) for metric in METRICS},
            "seeds": {metric: row.of_seeds(metric) for metric in METRICS},
            "interval": {metric: list(bootstrap_mean(row.per_user(metric))) for metric in TESTED},
            "over_control": None if row is control else {metric: gaps[metric][row.name] for metric in TESTED},
        })  # fmt: skip
    return {"rows": table, "finding": finding(table), "users": len(control.per_user("UAUC"))}


def finding(table: Sequence[Mapping[str, Any]]) -> str:
    """Say what the table shows, whatever it is."""
    others = [row for row in table if row["over_control"] is not None]
    best = max(others, key=lambda row: float(row["mean"]["UAUC"]))
    above = [
        row["name"]
        for row in others
        if row["over_control"]["UAUC"]["holm"] < SIGNIFICANT and row["over_control"]["UAUC"]["mean"] > 0
    ]
    single = sorted((row for row in others if " + " not in row["name"]), key=lambda row: -float(row["mean"]["UAUC"]))
    order = " > ".join(row["name"] for row in single)
    if not above:
        return (
            f"No subset is above random semantic ids in UAUC beyond chance (Holm, p < {SIGNIFICANT}); the best is {best['name']}."
        )
    return (
        f"Above random semantic ids in UAUC (Holm, p < {SIGNIFICANT}): {', '.join(above)}. Best: {best['name']}; alone: {order}."
    )


def markdown(found: Mapping[str, Any]) -> str:
    """Return the table as Markdown."""
    heads = ["semantic ids from", *METRICS, "UAUC over random [95 %]", "p (Holm)"]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for row in found["rows"]:
        cells = [row["name"]]
        for metric in METRICS:
            spread = row["spread"][metric]
            cells.append(f"{row['mean'][metric]:.4f}" + ("" if spread is None else f" ± {spread:.4f}"))
        gap = row["over_control"] and row["over_control"]["UAUC"]
        cells += ["", ""] if not gap else [gap_text(gap), f"{gap['holm']:.3f}"]
        lines.append(cells)
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    how = (
        f"Test split, protocol paper, {found['users']:,} users, {found['seeds']} seeds: mean ± standard deviation over seeds; "
        "differences paired over users (mean of their seeds), sign-flip test, Holm-corrected over the rows."
    )
    return f"{table}\n\n{found['finding']}\n\n{how}\n"
