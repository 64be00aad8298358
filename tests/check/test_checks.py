from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.check import checks
from solidrec.check.checks import _CHECKS, check_fidelity
from solidrec.check.learning import learning
from solidrec.check.model import clip, independence, padding
from solidrec.check.subject import Subject
from solidrec.check.training import export, reload, repeatable, resume
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.spec import BACKBONE_NAMES

Make = Callable[..., Subject]
Install = Callable[..., None]


@pytest.mark.parametrize(
    ("name", "backbone"),
    [*(("static", backbone) for backbone in BACKBONE_NAMES), ("solid-apg", "sasrec")],
)
def test_the_product_keeps_its_promises(
    data: PreparedData, tiny: dict[str, Any], name: str, backbone: str
) -> None:
    heard: list[dict[str, Any]] = []
    report = check_fidelity(
        data.path, model=name, backbone=backbone, settings=tiny, step=heard.append
    )
    assert report["failed"] == []
    assert {entry["status"] for entry in report["checks"]} == {"pass"}
    assert report["checks"] == heard
    left_out = {"clip"} if name == "static" else set()
    left_out |= {"prefixes"} if backbone in ("din", "bert4rec", "bsarec") else set()
    assert [entry["name"] for entry in heard] == [
        check for check in _CHECKS if check not in left_out
    ]


def test_a_backbone_of_ones_own_passes_too(subject: Make, install: Install) -> None:
    install()
    own = subject("duet")
    for check in (learning, padding, independence, repeatable, resume, reload, export):
        verdict = check(own)
        assert (verdict.status, verdict.cause) == ("pass", "")


def test_a_run_is_checked_by_its_own_weights_and_settings(
    run_folder: Path, data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_CHECKS", {"reload": reload, "export": export})
    report = check_fidelity(run_folder)
    assert (report["failed"], report["model"], report["spec"]["model"]["dim"]) == (
        [],
        "solid-duet",
        8,
    )
    assert check_fidelity(run_folder, data=data.path)["failed"] == []
    with pytest.raises(UsageError, match="is a run, which has settings of its own"):
        check_fidelity(run_folder, model="duet")
    with pytest.raises(UsageError, match="is no run"):
        check_fidelity(data.path, data=data.path)


def test_a_run_whose_weights_stand_at_the_clip_is_warned_of(
    run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "_CHECKS", {"clip": clip})
    assert check_fidelity(run_folder)["checks"][0]["status"] == "pass"
    load = checks.load

    def saturated(path: Path) -> Any:
        model = load(path)
        for projection in model.run.model.source.get_submodule(
            "branch.generator.projections"
        ).children():
            projection.weight.data.mul_(1e6)
        return model

    monkeypatch.setattr(checks, "load", saturated)
    entry = check_fidelity(run_folder)["checks"][0]
    assert entry["status"] == "warning"
    assert "model.clip=0.01" in entry["cause"]


def test_nothing_is_written_beside_the_data(
    walk: Callable[..., Any], tiny: dict[str, Any], tmp_path: Path
) -> None:
    log, items = walk(users=30)
    data = prepare(log, items=items, out=tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    check_fidelity(data.path, model="spg", backbone="gru4rec", settings=tiny)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
