"""The tables of new items: means with intervals, paired differences, and their Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from solidrec.arrays import Floats
from solidrec.evaluate.intervals import bootstrap_mean, holm, paired_difference

METRICS = ("UAUC", "NDCG@10", "Recall@10")
Values = dict[str, dict[str, Floats]]
"""Scorer -> metric -> one value per held-out item."""
_BELOW = (
    "{targets:,} targets, {items:,} items of {seeds} draws of {share:.0%} of the items; every "
    "held-out item counts once, paired over items. Chance is UAUC .5; what the model reaches with "
    "shuffled content is what being new brings among known items. Of everybody's ten best of all "
    "items {exposure:.1%} are new.\n"
)


def table_of(among: str, values: Values) -> dict[str, Any]:
    """Return means with intervals and the first scorer's paired differences from the others.

    Their p (``holm``) is Holm-corrected per metric.
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
    differences = []
    for metric in METRICS:
        tests = [paired_difference(values[model][metric], values[name][metric]) for name in others]
        for name, test, p in zip(others, tests, holm([test.p for test in tests]), strict=True):
            differences.append({"other": name, "metric": metric, **asdict(test), "holm": p})
    return {"among": among, "rows": rows, "differences": differences}


def markdown(found: Mapping[str, Any]) -> str:
    """Return the tables as Markdown."""
    lines: list[str] = []
    for part in found["tables"]:
        lines += [
            f"| new items among {part['among']} | {' | '.join(METRICS)} |",
            f"| --- |{' ---: |' * len(METRICS)}",
        ]
        for row in part["rows"]:
            cells = (
                f"{row['mean'][m]:.4f} [{row['interval'][m][0]:.4f}, {row['interval'][m][1]:.4f}]"
                for m in METRICS
            )
            lines.append(f"| {row['name']} | {' | '.join(cells)} |")
        lines += [
            "",
            f"| the model less, among {part['among']} | metric | difference [95 %] | p (Holm) |",
            "| --- | --- | ---: | ---: |",
        ]
        lines += [
            f"| {gap['other']} | {gap['metric']} | "
            f"{gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}] | {gap['holm']:.3f} |"
            for gap in part["differences"]
        ]
        lines.append("")
    return "\n".join([*lines, ""]) + _BELOW.format(**found)
