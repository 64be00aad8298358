"""The folder of an experiment holds what was measured, and says so where it does not."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from solidrec.errors import DamagedError, StorageError
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.users import users_file


def lines(out: Path) -> list[str]:
    return (out / "results.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("what", ["spec", "measures", "evaluations", "seconds", "key"])
def test_a_line_without_a_part_of_a_result_is_named(copied: Path, what: str) -> None:
    found = lines(copied)
    record = json.loads(found[1])
    del record[what]
    found[1] = json.dumps(record)
    (copied / "results.jsonl").write_text("\n".join(found) + "\n", encoding="utf-8")
    with pytest.raises(DamagedError, match="line 2 is not a result; remove that line"):
        Results(copied)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[]", b"3", b'"key"', b'{"key": 3}'])
def test_a_line_that_is_no_result_is_named(copied: Path, line: bytes) -> None:
    with (copied / "results.jsonl").open("ab") as stream:
        stream.write(line + b"\n")
    with pytest.raises(DamagedError, match=f"line {len(lines_of(copied))} is not a result"):
        Results(copied)


def lines_of(out: Path) -> list[bytes]:
    return (out / "results.jsonl").read_bytes().splitlines()


def test_users_of_another_cell_or_none_at_all_are_refused(copied: Path) -> None:
    plan, results = Plan.load(copied), Results(copied)
    one, other, *_ = (
        users_file(copied, place.key, "paper") for place in plan.places if place.row == "duet"
    )
    shutil.copyfile(one, other)
    with pytest.raises(DamagedError, match=f"{other.name}: is not what .*results.jsonl has of it"):
        results.measured(plan, "paper")
    other.write_bytes(one.read_bytes()[:100])
    with pytest.raises(DamagedError, match=f"{other.name}: is not what"):
        results.measured(plan, "paper")


def test_a_disk_that_takes_a_part_of_a_line_has_not_kept_it(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Results(copied)
    record = dict(next(iter(results.records.values()))) | {"key": "new"}
    whole = os.write
    monkeypatch.setattr(os, "write", lambda to, text: whole(to, text[: len(text) // 2]))
    with pytest.raises(StorageError, match="No space left on device"):
        results.append(record)
    monkeypatch.undo()
    assert "new" not in results.records
    results.append(record)
    assert "new" in Results(copied).records


def test_a_second_line_of_a_cell_keeps_what_the_first_one_has_besides(copied: Path) -> None:
    results = Results(copied)
    key, old = next(iter(results.records.items()))
    new = {**old, "evaluations": {"full": old["evaluations"]["full"]}, "measures": {}}
    results.append(new)
    assert Results(copied).records[key] == old
    results.append(
        {**new, "versions": {"solidrec": "0.0.1"}}
    )  # of another version nothing is mixed in
    assert set(Results(copied).records[key]["evaluations"]) == {"full"}
