from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solidrec.data.prepared import PreparedData

Solidrec = Callable[..., Any]


def test_inspect_a_run(solidrec: Solidrec, run_folder: Path) -> None:
    facts = json.loads(solidrec("inspect", run_folder, "--json").out)
    assert (facts["kind"], facts["model"], facts["backbone"]) == ("run", "solid-duet", "sasrec")
    table = solidrec("inspect", run_folder)
    assert (table.code, table.err) == (0, "")
    assert "parameters.total" in table.out


def test_inspect_data(solidrec: Solidrec, data: PreparedData) -> None:
    facts = json.loads(solidrec("inspect", data.path, "--json").out)
    assert (facts["kind"], facts["users"], facts["items"], facts["interactions"]) == (
        "data",
        90,
        40,
        90 * 9,
    )
    assert "interactions" in solidrec("inspect", data.path).out


def test_doctor(solidrec: Solidrec) -> None:
    facts = json.loads(solidrec("doctor", "--json").out)
    assert {"python", "versions", "extras", "device", "threads", "known-bad pairs"} <= set(facts)
    table = solidrec("doctor")
    assert (table.code, table.err) == (0, "")
    assert "versions.torch" in table.out
