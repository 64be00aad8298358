"""The tables of new items: means with intervals, paired differences, and their Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from solidrec.arrays import Floats
from solidrec.evaluate.intervals import bootstrap_mean
from solidrec.evaluate.significance import corrected, crossed
from solidrec.text_grid import NONE, Grid
from solidrec.text_grid import markdown as grids_markdown

METRICS = ("UAUC", "NDCG@10", "Recall@10")
Values = dict[str, dict[str, Floats]]
"""Scorer -> metric -> one value per held-out item."""
_BELOW = (
    "{targets:,} targets, {items:,} items of {seeds} draws of {share:.0%} of the items; every "
    "held-out item counts once, paired over items. Chance is UAUC .5; what the model reaches with "
    "shuffled content is what being new brings among known items. Of everybody's ten best of all "
    "items {exposure:.1%} are new."
)


def table_of(among: str, values: Values) -> dict[str, Any]:
    """Return means with intervals and the first scorer's paired differences from the others.

    No two draws have an item in common, so that items alone vary, not seeds. p is Holm-corrected
    for all differences of the table.
    """
    model, *others = values
    rows = [
        {
            "name": name,
            "mean": {metric: float(found[metric].mean()) for metric in METRICS},
            "interval": {metric: list(bootstrap_mean(found[metric])) for metric in METRICS},
        }
        for name, found in values.items()
    ]
    pairs = [(name, metric) for metric in METRICS for name in others]
    gaps = [values[model][metric] - values[name][metric] for name, metric in pairs]
    found = [crossed(gap[None], trained=False) for gap in gaps]
    p = corrected([each.p for each in found])
    differences = [
        {"other": name, "metric": metric, **asdict(each), "p": value}
        for (name, metric), each, value in zip(pairs, found, p, strict=True)
    ]
    return {"among": among, "rows": rows, "differences": differences}


def markdown(found: Mapping[str, Any]) -> str:
    """Return the tables as Markdown."""
    grids = [grid for part in found["tables"] for grid in _grids_of(part)]
    return grids_markdown(grids, [_BELOW.format(**found)])


def _grids_of(part: Mapping[str, Any]) -> tuple[Grid, Grid]:
    """Return the means of all scorers, and the differences of the first from the others."""
    means = [
        (row["name"], *(_text(".4f", row["mean"][m], *row["interval"][m]) for m in METRICS))
        for row in part["rows"]
    ]
    gaps = [
        (
            gap["other"],
            gap["metric"],
            _text("+.4f", gap["mean"], gap["low"], gap["high"]),
            NONE if gap["p"] is None else f"{gap['p']:.3f}",
        )
        for gap in part["differences"]
    ]
    heads, among = ("", "metric", "difference [95 %]", "p (Holm)"), part["among"]
    return (
        Grid.of(f"New items among {among}", ("", *METRICS), means),
        Grid.of(f"The model less, among {among}", heads, gaps),
    )


def _text(form: str, mean: float, low: float, high: float) -> str:
    """Format a mean with its interval.

    >>> _text("+.2f", 0.5, -0.1, 1)
    '+0.50 [-0.10, +1.00]'
    """
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"
