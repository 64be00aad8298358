"""The report's numbers: both protocols with intervals, paired differences, and targets by how often training saw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from solidrec.evaluate.intervals import Difference
from solidrec.evaluate.result import GROUP_METRICS, GROUPS, Evaluation
from solidrec.experiments.report.comparison import COMPARED, SIGNIFICANT, Contender, Pair, p_text, pairs, seeds
from solidrec.experiments.report.page import escape, figures, paragraph, table, tag
from solidrec.experiments.report.plots import Series, interval_chart

METRICS = ("AUC", "UAUC", "NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "MRR", "LogLoss")
FEW = 50
"""Targets below which a mean is called an anecdote."""
RANGES = {"cold": "never in training", "rare": "1 to 4 times", "warm": "5 times or more"}
Looks = Mapping[str, Series]


@final
@dataclass(frozen=True)
class Measured:
    """A contender under one protocol; the intervals take a while and are drawn once."""

    entry: Contender
    evaluation: Evaluation

    @cached_property
    def intervals(self) -> dict[str, list[float | None]]:
        """A bootstrap interval for each metric."""
        return self.evaluation.intervals()


def comparison(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the charts and tables that compare the contenders."""
    first = contenders[0].evaluation
    full = [Measured(entry, entry.full) for entry in contenders if entry.full is not None]
    found = [Measured(entry, entry.evaluation) for entry in contenders]
    parts = [
        paragraph(
            f"Each point is a mean over users ({protocol_name(first)}); lines, and the ranges in the tables, are 95% bootstrap "
            "intervals over users. The best value of a column is bold."
        ),
        figures(*((metric, chart(found, looks, metric)) for metric in COMPARED)),
        metric_table(found, looks, chance=first.protocol == "paper"),
        metric_table(full, looks) if full else "",
        difference_table(contenders, looks),
    ]
    return "\n".join(parts)


def protocol_name(evaluation: Evaluation) -> str:
    """Return a protocol in words."""
    if evaluation.protocol == "paper":
        return f"paper protocol, 1 + {evaluation.negatives} uniform negatives"
    return "full-catalogue protocol, items seen before left out"


def chart(found: Sequence[Measured], looks: Looks, metric: str) -> str:
    """Return the intervals of one metric."""
    rows = []
    for one in found:
        value, (low, high) = one.evaluation.metrics.get(metric), one.intervals.get(metric, [None, None])
        if value is not None and low is not None and high is not None:
            rows.append((looks[one.entry.name], value, low, high))
    return interval_chart(rows, label=f"{metric} of each model with its 95 % interval") if rows else ""


def metric_table(found: Sequence[Measured], looks: Looks, *, chance: bool = False) -> str:
    """Return every metric of every contender under one protocol, and what a constant score would get if `chance`."""
    names = [name for name in METRICS if any(name in one.evaluation.metrics for one in found)]
    values = [{name: shown(one, name) for name in names} for one in found]
    best = {name: top(name, [row[name] for row in values]) for name in names}
    rows = []
    for one, row in zip(found, values, strict=True):
        cells = [cell(row[name], best[name], one.intervals.get(name)) for name in names]
        rows.append([tag(looks[one.entry.name]), *cells, f"{one.evaluation.coverage:.1%}"])
    if chance:
        level = by_chance(found[0].evaluation.negatives)
        cells = [f'<span class="weak">{level[name]:.4f}</span>' if name in level else "" for name in names]
        rows.append(['<span class="weak">chance</span>', *cells, ""])
    return table(["", *names, "coverage"], rows, caption=f"Test split, {protocol_name(found[0].evaluation)}")


def shown(one: Measured, metric: str) -> float | None:
    """Return a metric; a baseline's scores are no log-odds, so it has no log-loss."""
    return None if metric == "LogLoss" and one.entry.run is None else one.evaluation.metrics.get(metric)


def top(metric: str, values: Sequence[float | None]) -> str:
    """Return the best of a column as it is printed, nothing where there is no competition."""
    found = [value for value in values if value is not None]
    return f"{(min if metric == 'LogLoss' else max)(found):.4f}" if len(found) > 1 else ""


def cell(value: float | None, best: str, interval: Sequence[float | None] | None) -> str:
    """Return a value, bold if it is the best, above its interval."""
    if value is None:
        return "–"
    text = f"{value:.4f}"
    strong = f'<span class="best">{text}</span>' if text == best else text
    if interval is None or interval[0] is None or interval[1] is None:
        return strong
    return f"{strong}<small>{interval[0]:.3f}–{interval[1]:.3f}</small>"


def by_chance(negatives: int) -> dict[str, float]:
    """Return what the same score for every candidate gets: the expectation over all orders.

    >>> level = by_chance(99)
    >>> level["UAUC"], level["Recall@10"], round(level["NDCG@10"], 4)
    (0.5, 0.1, 0.0454)
    """
    places = negatives + 1
    gains = 1 / np.log2(np.arange(2, places + 2))
    level = {"AUC": 0.5, "UAUC": 0.5, "MRR": float((1 / np.arange(1, places + 1)).mean())}
    for k in (10, 20):
        level |= {f"NDCG@{k}": float(gains[:k].sum()) / places, f"Recall@{k}": min(k, places) / places}
    return level


def difference_table(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the paired differences, or nothing when no two can be compared."""
    found = pairs(contenders)
    if not found:
        return ""
    rows = [[versus(pair, looks), *(gap(pair.differences.get(metric)) for metric in COMPARED)] for pair in found]
    protocol = protocol_name(contenders[0].evaluation)
    note = (
        f"The same users on both sides, {escape(seeds(contenders))}: intervals and p values (two-sided sign flips) are over "
        f"users, and say nothing about training again with another seed. Differences with p under {SIGNIFICANT} are bold; "
        f"p values are not corrected for the {len(found) * len(COMPARED)} comparisons shown."
    )
    return table(["", *COMPARED], rows, caption=f"Paired differences, {protocol}") + paragraph(note, kind="muted")


def versus(pair: Pair, looks: Looks) -> str:
    """Return who is compared with whom."""
    return f"{tag(looks[pair.one.name])} − {tag(looks[pair.other.name])}"


def gap(found: Difference | None) -> str:
    """Return a difference with its interval and its p value."""
    if found is None:
        return "–"
    kind = "best" if found.p < SIGNIFICANT else "weak"
    ends = f"{signed(found.low, 3)} to {signed(found.high, 3)}"
    return f'<span class="{kind}">{signed(found.mean, 4)}</span><small>{ends}, p {p_text(found.p)}</small>'


def signed(value: float, digits: int) -> str:
    """Write a number with its sign, a true minus included.

    >>> signed(-0.0312, 3), signed(0.0, 1)
    ('−0.031', '+0.0')
    """
    return f"{value:+.{digits}f}".replace("-", "−")


def targets(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the metrics of targets apart by how often they occur in training."""
    groups = {entry.name: entry.evaluation.groups() for entry in contenders}
    counts = {name: int(next(iter(groups.values()))[name]["targets"] or 0) for name in GROUPS}
    head, rows = [""], [[tag(looks[entry.name])] for entry in contenders]
    for name in (name for name in GROUPS if counts[name]):
        for metric in GROUP_METRICS:
            head.append(f"{name}<br>{metric}")
            values = [groups[entry.name][name].get(metric) for entry in contenders]
            best = top(metric, values) if counts[name] >= FEW else ""
            for row, value in zip(rows, values, strict=True):
                row.append(cell(value, best, None))
    sizes = "; ".join(f"{name} ({RANGES[name]}): {counts[name]:,} targets" for name in GROUPS)
    few = [name for name in GROUPS if 0 < counts[name] < FEW]
    warning = f" Under {FEW} targets ({', '.join(few)}) read a mean as an anecdote: no best is marked." if few else ""
    words = f"Targets by how often training saw them. {sizes}.{warning}"
    return paragraph(words) + table(head, rows, caption=f"Test split, {protocol_name(contenders[0].evaluation)}")
