"""The protocol behind every number of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from solidrec.data.prepared import PreparedData
from solidrec.epochs import select_of
from solidrec.experiments.results import Record
from solidrec.experiments.tables.result_table import protocol_label
from solidrec.report.material import Material

_SPLITS: tuple[Literal["valid", "test"], ...] = ("valid", "test")


def protocol(of: Material) -> dict[str, Any]:
    """Return the data and its split, the protocols, and how models were trained and chosen."""
    records = of.records()
    return {
        "plan": of.plan,
        "seeds": sorted({place.seed for place in of.plan.places}),
        "split": None if of.data is None else _split(of.data),
        "protocols": {name: _protocol(name, records) for name in of.plan.protocols},
        "training": _training(records),
    }


def _split(data: PreparedData) -> dict[str, Any]:
    """Return how events were split, and the numbers of training events and of held-out targets."""
    held = [split for split in _SPLITS if split in data.manifest["negatives"]]
    return {
        "manifest": data.manifest,
        "events": int((data.train_end - data.offsets[:-1]).sum()),
        "held": {split: len(data.rows(split)) for split in held},
        "tied": data.manifest.get("last_item_tied_users"),
    }


def _protocol(name: str, records: Sequence[Record]) -> dict[str, Any] | None:
    """Return the different numbers of cells under a protocol, and the label of its first cell."""
    found = [record["evaluations"][name] for record in records if name in record["evaluations"]]
    if not found:
        return None
    numbers = {
        key: sorted({one[key] for one in found}) for key in ("users", "skipped", "negatives")
    }
    return {**numbers, "label": protocol_label(name, found[0]["negatives"])}


def _training(records: Sequence[Record]) -> dict[str, Any] | None:
    """Return the settings of all trainings and what judged epochs, None without a trained model."""
    trains = [train for record in records if (train := record["spec"].get("train"))]
    judged = [
        select_of(record["spec"]["train"])
        for record in records
        if any(stage.get("valid") for stage in record.get("stages", ()))
    ]
    settings = {
        key: sorted({train[key] for train in trains}) for key in ("negatives", "epochs", "patience")
    }
    return {**settings, "judged": list(dict.fromkeys(judged))} if trains else None
