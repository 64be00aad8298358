"""Versions: a run is loaded, named and warm, or refused; items change all at once or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from solidrec.api import Model
from solidrec.artifacts import MANIFEST, sha256
from solidrec.errors import DamagedError, UsageError
from solidrec.inference.traced import Traced
from solidrec.recommend.questions import Question
from solidrec.recommend.rules import Rules
from solidrec.serve.versions import Version


def test_a_version_is_named_after_its_folder_and_manifest(trained: Model, version: Version) -> None:
    path = trained.run.path
    assert version.name == f"{path.name}-{sha256(path / MANIFEST)[:12]}"
    assert isinstance(version.engine.score.compute, Traced)
    found = version.answer([Question(("i03",), 5)])[0].items
    assert [one["item"] for one in found] == [
        one["item"] for one in trained.recommend(["i03"], 5).items
    ]


def test_s13_a_damaged_run_is_refused(trained: Model, tmp_path: Path) -> None:
    path = Path(shutil.copytree(trained.run.path, tmp_path / "run"))
    tensors = load_file(path / "weights.safetensors")
    save_file({name: torch.full_like(one, 0) for name, one in tensors.items()}, path / "x")
    (path / "x").replace(path / "weights.safetensors")
    with pytest.raises(DamagedError):
        Version.load(path)


def test_rules_are_checked_before_a_question_waits(version: Version) -> None:
    version.check(Rules(filter="price < 3", boost={"price > 3": 2.0}, at_most={"categories": 1}))
    for wrong in (
        Rules(filter="prize < 3"),
        Rules(boost={"prize < 3": 2.0}),
        Rules(at_most={"prize": 1}),
    ):
        with pytest.raises(UsageError, match="prize"):
            version.check(wrong)


def test_nothing_changes_if_one_value_does_not_fit(version: Version) -> None:
    before = version.engine.attributes
    with pytest.raises(UsageError):
        version.change_items(
            {"i01": {"price": 1}, "i02": {"price": "x"}}, remove=["i03"], restore=[]
        )
    assert version.engine.attributes is before
    assert version.change_items({}, remove=["i03", "nobody"], restore=[]) == ["nobody"]
    assert version.engine.attributes.shown is not None
    assert int((~version.engine.attributes.shown).sum()) == 1
    version.change_items({}, remove=[], restore=["i03"])
    assert version.engine.attributes.shown is None
