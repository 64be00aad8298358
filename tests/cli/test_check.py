from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.batch import Batch
from solidrec.check import checks
from solidrec.data.prepared import PreparedData
from solidrec.nn.recommender import Recommender
from solidrec.training.losses import Click, Lost

Solidrec = Callable[..., Any]
TINY = ["--set", "model.dim=8", "--set", "train.batch_size=128"]


def test_green_is_one_line_a_check(solidrec: Solidrec, data: PreparedData, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[model]\nbackbone = 'din'\n", encoding="utf-8")
    answer = solidrec("check", data.path, *TINY, "--model", "static", "--config", config)
    assert (answer.code, answer.err) == (0, "")
    *lines, last = answer.out.splitlines()
    assert all(line.startswith("✓ pass ") for line in lines)
    assert "static on din, " in last
    assert last.endswith("none failed")


def test_red_names_the_cause_and_the_cure_and_exits_with_1(
    solidrec: Solidrec, data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        checks, "_CHECKS", {name: checks._CHECKS[name] for name in ("learning", "clip")}
    )
    answer = solidrec("check", data.path, *TINY, "--model", "sml", "--set", "model.clip=0")
    assert answer.code == 1
    lines = answer.out.splitlines()
    assert [line for line in lines if line.startswith("✗ fail ")] == [lines[0]]
    assert lines[1].split()[0] == "cause"
    assert lines[2].split()[0] == "cure"
    assert "model.clip=0" in lines[2]
    assert any(line.startswith("! warning") for line in lines)
    assert lines[-1].endswith("failed: learning")


def test_json_is_the_report_of_a_run(
    solidrec: Solidrec, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unstable(click: Click, model: Recommender, batch: Batch) -> Lost:
        scores = model(batch.history, batch.candidates, batch.prefix_ends)
        return Lost(scores.logits.sum() * float("nan"), scores.codebook_loss, scores.stats)

    monkeypatch.setattr(checks, "_CHECKS", {"learning": checks._CHECKS["learning"]})
    answer = solidrec("check", run_folder, "--json")
    report = json.loads(answer.out)
    assert (answer.code, answer.err, report["failed"], report["model"]) == (0, "", [], "solid-duet")
    monkeypatch.setattr(Click, "__call__", unstable)
    answer = solidrec("check", run_folder, "--json")
    assert answer.code == 1
    assert json.loads(answer.out)["checks"][0]["cause"] == "the loss is nan at step 1"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--model", "solidduet"], "did you mean 'solid-duet'?"),
        (["--set", "model.dmi=8"], "did you mean 'model.dim'?"),
        (
            ["--set", "model.dim=9", "--backbone", "sasrec"],
            "model.dim=9 is not a multiple of model.backbone.heads=2",
        ),
        (["--set", 'semantics.modalities=["pictures"]'], "'pictures' is not in the data"),
        (["--data", "elsewhere"], "is no run"),
    ],
)
def test_a_wrong_word_is_refused_at_once(
    solidrec: Solidrec, data: PreparedData, words: list[str], text: str
) -> None:
    answer = solidrec("check", data.path, *words)
    assert (answer.code, answer.out) == (2, "")
    assert text in answer.err


def test_a_folder_that_is_neither_is_refused(solidrec: Solidrec, tmp_path: Path) -> None:
    assert solidrec("check", tmp_path).code == 74
