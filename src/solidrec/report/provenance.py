"""Where the numbers of a report come from, cell by cell."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from solidrec.experiments.results import Record
from solidrec.report.material import Material
from solidrec.settings import flat
from solidrec.terminal import facts_by_key

_OWN = ("seed", "semantics.seed", "data")
"""Settings that are the seed or the data of a cell, not a property of its row."""


def provenance(of: Material) -> dict[str, Any]:
    """Return the command, data, computing time, versions, machines, and one line per cell."""
    records = of.records()
    return {
        "command": _command(of),
        "data": of.plan.data,
        "known": None if of.data is None else of.data.manifest,
        "time": _time_text(sum(record["seconds"] for record in records)),
        "count": len(records),
        "versions": _counted("versions", records),
        "machines": _counted("machine", records),
        "cells": _cells(of),
    }


def _command(of: Material) -> str:
    """Return the command line that runs the experiment, with all its options."""
    words = ["solidrec experiment run", of.plan.name, of.plan.data_name, f"--seeds {of.plan.seeds}"]
    words += [f"--protocol {name}" for name in of.plan.protocols]
    words += [
        f"--set {shlex.quote(f'{key}={_value_text(value)}')}"
        for key, value in flat(of.plan.settings).items()
    ]
    return " ".join(words)


def _value_text(value: Any) -> str:
    """Write a value as ``--set`` takes it.

    >>> _value_text("din"), _value_text(0.1), _value_text(["id", "text"])
    ('din', '0.1', '["id", "text"]')
    """
    return value if isinstance(value, str) else json.dumps(value)


def _time_text(seconds: float) -> str:
    """Write a duration in minutes or hours.

    >>> _time_text(90), _time_text(5400)
    ('1.5 minutes', '1.5 hours')
    """
    return f"{seconds / 60:.1f} minutes" if seconds < 3600 else f"{seconds / 3600:.1f} hours"


def _counted(key: str, records: Iterable[Record]) -> Counter[str]:
    """Return the distinct values of `key` in the records in words, with their numbers of cells."""
    values = (record[key].items() for record in records)
    return Counter(", ".join(f"{name} {value}" for name, value in each) for each in values)


def _cells(of: Material) -> list[dict[str, Any]]:
    """Return one line per cell with its key, size, kept epochs, time and unshared settings."""
    specs = {
        place.key: _settings_of(of.results.records[place.key]["spec"]) for place in of.trained()
    }
    common = set.intersection(*(set(spec.items()) for spec in specs.values())) if specs else set()
    cells = []
    for place in of.plan.places:
        record = of.results.records.get(place.key)
        own = dict(item for item in specs.get(place.key, {}).items() if item not in common)
        texts = ["missing", "", ""]
        if record is not None:
            kept = [f"{stage['epoch']} of {stage['epochs']}" for stage in record.get("stages", ())]
            size = f"{record['parameters']:,}" if "parameters" in record else "–"
            texts = [size, " + ".join(kept) or "–", f"{record['seconds']:.0f}"]
        cells.append({"place": place, "texts": texts, "own": own, "done": record is not None})
    return cells


def _settings_of(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return a specification flat, without seeds and data."""
    return {key: value for key, value in facts_by_key(spec) if key not in _OWN}
