from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from solidrec.check.inspect import facts_of
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, StorageError
from solidrec.runs import load_run


def test_a_run(run_folder: Path) -> None:
    facts, run = facts_of(run_folder), load_run(run_folder)
    parts = facts["parameters"]
    assert (
        parts["total"]
        == sum(p.numel() for p in run.model.parameters())
        == sum(n for name, n in parts.items() if name != "total")
    )
    assert parts["items"] == (40 + 1) * 8
    assert facts["spec"] == run.spec.model_dump(mode="json")
    assert facts["epochs"] == len(run.history) == 4 + 1 + 4
    assert facts["metrics"]["test"] == run.metrics["test"]["metrics"]
    assert run.semantics is not None
    assert facts["semantics"] == run.semantics.facts()
    assert "files" not in facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_data(data: PreparedData) -> None:
    facts = facts_of(data.path)
    assert (facts["kind"], facts["users"], facts["fingerprint"]) == ("data", 90, data.fingerprint)
    assert not {"files", "options"} & set(facts)
    assert facts["encoded"] == {}


@pytest.mark.parametrize("content", [None, "[]", "{}", '{"kind": "semantics"}'])
def test_a_folder_of_something_else(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StorageError):
        facts_of(tmp_path)
    with pytest.raises(
        StorageError,
        match="no such folder; give a folder of `solidrec prepare` or `solidrec train`",
    ):
        facts_of(tmp_path / "nowhere")


def test_every_byte_is_checked(data: PreparedData, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data.path, tmp_path / "data"))
    with (copy / "event_items.npy").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\xff")
    with pytest.raises(DamagedError, match=r"event_items.npy: its bytes changed"):
        facts_of(copy)
