"""Table 5 of an experiment: the cost of each row's model, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solidrec.experiments.results import Plan, Record, Results
from solidrec.experiments.tables.measure import MeasureTable, Number
from solidrec.experiments.tables.text import NONE, Entry, Grid

COST = "cost"
PARTS = ("items", "backbone", "head", "shared", "trunk", "branch", "metacode", "codebook", "other")
_PAPER = {
    "duet": ("695.84k", "106.0106", "0.0084"),
    "solid-duet": ("821.44k", "130.6742", "0.0103"),
}
"""Table 5 of the paper, BERT4Rec: parameters, seconds per training epoch, per inference batch."""
_HOW = (
    "Seconds an epoch: the median over a stage's epochs, validation included, on one thread, other "
    "trainings beside it where several ran at a time. Seconds a batch: the median over {batches} "
    "batches of {users:,} test users with {candidates} candidates each, histories to scores, on "
    "one thread. Bytes a user: the weights that are generated for each."
)
_BESIDE = (
    "The paper's Table 5 is of its own hardware and data, and of code in which most numbers of a "
    "generator are no registered parameters and so not counted; ours are all counted."
)


def records_of(plan: Plan, results: Results) -> dict[str, Record]:
    """Return the cost of each row from its first finished seed, as no seed changes it."""
    found: dict[str, Record] = {}
    for place in plan.places:
        measures = results.records.get(place.key, {}).get("measures", {})
        if COST in measures:
            found.setdefault(place.row, measures[COST])
    return found


def cost_table(plan: Plan, results: Results) -> MeasureTable | None:
    """Return Table 5 and the parameters by component; None before the first cell is measured."""
    found = records_of(plan, results)
    if not found:
        return None
    first = next(iter(found.values()))["inference"]
    blocks = ("",) * len(found)
    heads = (
        "",
        "parameters",
        *_stage_heads(found),
        "s/batch",
        "bytes a user",
        "paper: parameters",
        "s/epoch",
        "s/batch",
    )
    main = Grid(
        f"{plan.title}: parameters and seconds",
        heads,
        tuple(_main_line(name, of, heads) for name, of in found.items()),
        blocks,
    )
    parts = [part for part in PARTS if any(part in of["parameters"] for of in found.values())]
    lines = tuple(
        tuple(
            map(Entry, (name, *(_count(of["parameters"].get(part)) for part in (*parts, "total"))))
        )
        for name, of in found.items()
    )
    by_part = Grid(f"{plan.title}: parameters by component", ("", *parts, "total"), lines, blocks)
    notes = [_HOW.format(**first)]
    notes += [_BESIDE] if any(of["model"] in _PAPER for of in found.values()) else []
    return MeasureTable("cost", "Cost", (main, by_part), tuple(notes), _numbers(plan, results))


def _stage_heads(found: Mapping[str, Record]) -> list[str]:
    """Return a heading for each stage that any row has."""
    stages = sorted({stage for of in found.values() for stage in of["seconds_an_epoch"]}, key=int)
    return [f"s/epoch, stage {stage}" for stage in stages]


def _main_line(name: str, of: Record, heads: Sequence[str]) -> tuple[Entry, ...]:
    """Return one row of the first grid."""
    epochs = [
        _seconds(of["seconds_an_epoch"].get(head.split()[-1]))
        for head in heads
        if head.startswith("s/epoch, stage")
    ]
    paper = _PAPER.get(of["model"], (NONE,) * 3)
    own = (
        _count(of["parameters"]["total"]),
        *epochs,
        _seconds(of["inference"]["seconds"]),
        _count(of["generated"]["bytes"]),
    )
    return tuple(map(Entry, (name, *own, *paper)))


def _count(value: int | None) -> str:
    """Format a whole number.

    >>> _count(12345), _count(None)
    ('12,345', '-')
    """
    return NONE if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    """Format seconds; small numbers get more decimals.

    >>> _seconds(106.0106), _seconds(0.00843), _seconds(None)
    ('106.0', '0.0084', '-')
    """
    return (
        NONE
        if value is None
        else f"{value:.1f}"
        if value >= 10
        else f"{value:.2f}"
        if value >= 1
        else f"{value:.4f}"
    )


def _numbers(plan: Plan, results: Results) -> tuple[Number, ...]:
    """Return every number of every cell, as measured."""
    found = []
    for place in plan.places:
        of = results.records.get(place.key, {}).get("measures", {}).get(COST)
        if of is None:
            continue
        values = {f"parameters {part}": value for part, value in of["parameters"].items()}
        values |= {
            f"seconds an epoch, stage {stage}": value
            for stage, value in of["seconds_an_epoch"].items()
        }
        values |= {
            f"seconds a batch, {name}": of["inference"][name] for name in ("seconds", "low", "high")
        }
        values |= {
            "generated bytes a user": of["generated"]["bytes"],
            "state bytes": of["state_bytes"],
        }
        found += [
            Number(place.row, place.seed, quantity, value) for quantity, value in values.items()
        ]
    return tuple(found)
