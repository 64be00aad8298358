"""Who is compared with whom over the same users, and the one sentence that comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np

from solidrec.errors import UsageError
from solidrec.evaluate.intervals import Difference, paired_difference
from solidrec.evaluate.result import Evaluation
from solidrec.runs import Run

MAIN = "UAUC"
COMPARED = ("UAUC", "NDCG@10", "Recall@10")
SIGNIFICANT = 0.05
LABELS = {
    "apg": "APG",
    "duet": "DUET",
    "solid-apg": "SOLID (APG)",
    "solid-duet": "SOLID (DUET)",
    "spg": "trunk only (SPG)",
    "sml": "trunk + branch (SML)",
    "duet-codebook": "DUET + codebook",
    "author-code": "as released",
}
"""How a model's name is written for people; a name that is not here is shown as it is."""


@final
@dataclass(frozen=True)
class Contender:
    """One row of the comparison; ``full`` is the evaluation over the whole catalogue, ``run`` is None for a baseline."""

    name: str
    evaluation: Evaluation
    full: Evaluation | None
    run: Run | None

    @property
    def label(self) -> str:
        """The name as people read it."""
        return LABELS.get(self.name, self.name)

    @property
    def score(self) -> float:
        """The metric that decides the order, -1 where nothing could be ranked."""
        value = self.evaluation.metrics[MAIN]
        return -1.0 if value is None else value


@final
@dataclass(frozen=True)
class Pair:
    """`one` less `other`: a paired difference for each of `COMPARED`."""

    one: Contender
    other: Contender
    differences: dict[str, Difference]


def check(contenders: Sequence[Contender]) -> None:
    """Raise `UsageError` unless there are contenders, of different names, all measured on the same rows."""
    if not contenders:
        raise UsageError("a report of no contenders; give at least one")
    names = [entry.name for entry in contenders]
    if len(set(names)) < len(names):
        raise UsageError(f"contenders {', '.join(names)}: each needs a name of its own")
    first = contenders[0]
    for entry in contenders[1:]:
        if not np.array_equal(entry.evaluation.users, first.evaluation.users):
            raise UsageError(f"{entry.name} and {first.name} were evaluated on different users; use the same data and split")


def compare(one: Contender, other: Contender) -> Pair:
    """Compare two contenders over the same users, by each metric that ranked any of them."""
    a, b = one.evaluation.per_user, other.evaluation.per_user
    ranked = [metric for metric in COMPARED if metric in a and not np.isnan(a[metric] - b[metric]).all()]
    return Pair(one, other, {metric: paired_difference(a[metric], b[metric]) for metric in ranked})


def pairs(contenders: Sequence[Contender]) -> list[Pair]:
    """Compare every two runs (the later less the earlier), and every run with the best baseline."""
    runs = [entry for entry in contenders if entry.run is not None]
    baselines = [entry for entry in contenders if entry.run is None]
    against = max(baselines, key=lambda entry: entry.score, default=None)
    found = [compare(later, earlier) for earlier, later in combinations(runs, 2)]
    return found + [compare(run, against) for run in runs if against is not None]


def headline(contenders: Sequence[Contender]) -> str:
    """Say who ranks best by how much, and whether that difference stands out from chance among users."""
    best, *rest = sorted(contenders, key=lambda entry: -entry.score)
    if best.score < 0:
        return "No test user has anything to rank."
    others = f"{best.evaluation.negatives} sampled items" if best.evaluation.protocol == "paper" else "other items"
    name = best.label[:1].upper() + best.label[1:] if best.run is not None else best.label
    start = f"{name} ranks the held-out item above {best.score:.1%} of {others}"
    if best.run is None:  # then the question is how far the best trained model stays behind
        rest = [entry for entry in rest if entry.run is not None] or rest
    gap = compare(best, rest[0]).differences.get(MAIN) if rest else None
    if gap is None:
        return f"{start}."
    trained = best.run is None and rest[0].run is not None
    second = f"the best trained model, {rest[0].label}" if trained else rest[0].label
    points = f"{100 * gap.mean:+.1f} points"
    how = f"p {p_text(gap.p)}, paired over {users(best):,} users, {seeds(contenders).partition(' (')[0]}"
    if gap.p < SIGNIFICANT:
        return f"{start}, {points} over {second} ({how})."
    return f"{start}; that is no significant difference from {second} ({points}, {how})."


def elsewhere(contenders: Sequence[Contender]) -> str:
    """Say by which of the compared metrics somebody else is first, empty if nobody is."""
    first = max(contenders, key=lambda entry: entry.score)
    leaders: dict[str, list[str]] = {}
    for metric in COMPARED:
        leader = max(contenders, key=lambda entry: entry.evaluation.metrics.get(metric) or -1.0)
        if leader is not first:
            leaders.setdefault(leader.label, []).append(metric)
    return "".join(f"By {' and '.join(metrics)}, {label} is first. " for label, metrics in leaders.items())


def caution(contenders: Sequence[Contender]) -> str:
    """Say what the headline leaves open."""
    best = max(contenders, key=lambda entry: entry.score)
    trained = [entry for entry in contenders if entry.run is not None]
    if not trained:
        return "No trained model takes part in this report."
    if len(contenders) == 1:
        return "There is nothing here to compare it with."
    below = "" if best.run is not None else f"No trained model ranks above {best.label}, a baseline that learns no weights. "
    return (
        f"{elsewhere(contenders)}{below}The p value speaks of these users only: each model was trained once, and another seed "
        "may move it by more than the distance between two models. For a claim, train several seeds and compare their means."
    )


def users(contender: Contender) -> int:
    """Return how many users took part in the main metric."""
    return int((~np.isnan(contender.evaluation.per_user[MAIN])).sum())


def seeds(contenders: Sequence[Contender]) -> str:
    """Say with which seeds the runs were trained."""
    found = sorted({entry.run.spec.seed for entry in contenders if entry.run is not None})
    return "no training" if not found else f"one seed ({found[0]})" if len(found) == 1 else f"one of the seeds {found} each"


def p_text(p: float) -> str:
    """Write a p value after its letter.

    >>> p_text(0.0312), p_text(1 / 1001), p_text(0.47), p_text(1.0)
    ('= .031', '≤ .001', '= .47', '= 1')
    """
    if p < 0.0015:
        return "≤ .001"
    return "= 1" if p > 0.995 else f"= {p:.{3 if p < 0.1 else 2}f}".replace("0.", ".")
