"""The protocol behind every number of a report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from solidrec.data.prepared import PreparedData
from solidrec.epochs import select_of
from solidrec.experiments.results import Record
from solidrec.experiments.tables.result_table import protocol_label
from solidrec.report.material import Material
from solidrec.report.page import escape, facts

_SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")
_OPENED = (
    "once a training, after the epoch was chosen; the test split played no part in training or "
    "choosing"
)
_METRICS = (
    "per user first, then the mean over users; AUC alone is pooled; equal scores count by the "
    "expectation over their orders"
)
_TESTS = (
    "paired over the same users and, where there are several, training seeds; Holm over all "
    "comparisons of a table; a star is for a corrected p below .05 and a positive difference"
)


def protocol(of: Material) -> str:
    """Return the box that describes the protocol."""
    records = of.records()
    seeds = sorted({place.seed for place in of.plan.places})
    fingerprint = f"{of.plan.data[:12]} (sha256 of everything that a model reads)"
    rows = [
        ("data", f"{of.plan.data_name}, fingerprint {fingerprint}"),
        *_data_rows(of.data),
        *((f"protocol {name}", _protocol_words(name, records)) for name in of.plan.protocols),
        *_training_rows(records),
        ("test", _OPENED),
        ("seeds", f"{of.plan.seeds}: {', '.join(map(str, seeds))}"),
        ("tests", _TESTS),
        ("metrics", _METRICS),
    ]
    return facts([(escape(name), escape(value)) for name, value in rows])


def _data_rows(data: PreparedData | None) -> list[tuple[str, str]]:
    """Say how the data was split and what became of its rows."""
    return [] if data is None else [("split", _split_words(data)), ("rows", _rows_words(data))]


def _training_rows(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Say how models were trained and their epoch chosen; nothing without a trained model."""
    trains = [train for record in records if (train := record["spec"].get("train"))]
    if not trains:
        return []
    drawn, epochs, patience = (
        _listed(sorted({train[key] for train in trains}))
        for key in ("negatives", "epochs", "patience")
    )
    most = f"at most {epochs} epochs a stage, patience {patience}"
    return [
        ("training negatives", f"{drawn} for each positive, drawn afresh every epoch"),
        ("selection", f"{_selection(records)}; {most}"),
    ]


def _split_words(data: PreparedData) -> str:
    """Say how events were split into train, validation and test."""
    held = [split for split in _SPLITS if split in data.manifest["negatives"]]
    counts = (
        ", ".join(f"{len(data.rows(split)):,} {split} targets" for split in held)
        or "nothing held out"
    )
    trained = int((data.train_end - data.offsets[:-1]).sum())
    tied = data.manifest.get("last_item_tied_users")
    ties = f"; the last item of {tied:,} users is tied in time" if tied else ""
    how = f"{data.manifest['split']}, ordered by {data.manifest['order']}"
    return f"{how}: {trained:,} training events, {counts}{ties}"


def _rows_words(data: PreparedData) -> str:
    """Say what happened to every row of the input."""
    rows = data.manifest["rows"]
    parts = [f"{rows['kept']:,} kept"]
    parts += [f"{count:,} rejected ({reason})" for reason, count in rows["rejected"].items()]
    parts += [f"{count:,} dropped ({rule})" for rule, count in rows["dropped"].items()]
    return f"{rows['in']:,} in = {' + '.join(parts)}"


def _listed(values: Sequence[object]) -> str:
    """Return values in words.

    >>> _listed([5]), _listed([5, 15])
    ('5', '5 or 15')
    """
    return " or ".join(str(value) for value in values)


def _protocol_words(name: str, records: Iterable[Record]) -> str:
    """Say which items a protocol ranks a target among, and for how many users."""
    found = [record["evaluations"][name] for record in records if name in record["evaluations"]]
    if not found:
        return "not measured yet"
    users, skipped, negatives = (
        _listed([f"{value:,}" for value in sorted({one[key] for one in found})])
        for key in ("users", "skipped", "negatives")
    )
    among = f"among all items less those that its user had seen, {negatives} on average"
    if name == "paper":
        label = protocol_label(name, found[0]["negatives"])
        among = (
            f"({label}) among {negatives} items that its user never touched, fixed for all models"
        )
    return (
        f"each target {among}; {users} test users, of whom {skipped} had nothing to rank and were "
        "left out"
    )


def _selection(records: Iterable[Record]) -> str:
    """Say how the epoch was chosen."""
    trained = [
        record
        for record in records
        if any(stage.get("valid") for stage in record.get("stages", ()))
    ]
    judged = " and ".join(dict.fromkeys(select_of(record["spec"]["train"]) for record in trained))
    return (
        f"the epoch with the best {judged} on validation"
        if judged
        else "the last epoch: there is no validation split"
    )
