"""Search spaces: a TOML file, nested or dotted, and command-line pairs, each value checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import UsageError
from solidrec.search.read import read_space, space_of
from solidrec.spec import RunSpec

BASE = RunSpec(data="x")


def test_a_file_and_pairs_are_one_space(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        '"train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}\n'
        '"model.dropout" = [0.0, 0.1]\n'
        "model.dim = {low = 16, high = 64, step = 16}\n"
        '[semantics]\nmodalities = [["text"], ["id"]]\n'
    )
    assert read_space(
        file,
        ["model.dropout=0,0.4", "model.backbone = din, sasrec", 'model.start="random",content'],
    ) == {
        "train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "model.dim": {"low": 16, "high": 64, "step": 16},
        "semantics.modalities": [["text"], ["id"]],
        "model.dropout": [0, 0.4],
        "model.backbone": ["din", "sasrec"],
        "model.start": ['"random"', "content"],  # neither JSON nor names; RunSpec says so
    }
    assert read_space(None, ["train.targets_per_pass=null,2"]) == {
        "train.targets_per_pass": [None, 2]
    }


@pytest.mark.parametrize("text", ["model.dropout", "=1,2", "model.dropout="])
def test_a_pair_that_is_none_is_one_line(text: str) -> None:
    with pytest.raises(UsageError, match="write it as key=value,value"):
        read_space(None, [text])


def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_space(tmp_path / "nowhere.toml", [])
    (tmp_path / "a.toml").write_text("a = = 1")
    with pytest.raises(UsageError, match="is not TOML"):
        read_space(tmp_path / "a.toml", [])


@pytest.mark.parametrize(
    ("key", "given", "text"),
    [
        ("model.dropuot", [0.1], "unknown setting 'model.dropuot'; did you mean 'model.dropout'?"),
        ("modle.dropout", [0.1], "unknown setting 'modle'; did you mean 'model'?"),
        ("model.backbone", ["sasrecc"], "unknown name 'sasrecc'; did you mean 'sasrec'?"),
        ("model.dropout", [0.1, 1.5], "setting model.dropout: input should be less than 1"),
        (
            "model.dropout",
            {"low": 0.1, "high": 1},
            "setting model.dropout: input should be less than 1",
        ),
        ("model.dim", {"low": 8.5, "high": 64}, "setting model.dim: "),
        ("model.dim", {"low": 64, "high": 8}, "model.dim: low = 64 is not below high = 8"),
        ("model.dim", {"low": 8}, "model.dim: a range needs both low and high"),
        (
            "model.dim",
            {"low": 8, "hgih": 64},
            "model.dim: a range has no 'hgih'; did you mean 'high'?",
        ),
        (
            "model.dim",
            {"low": 8, "high": 64, "step": 0},
            "model.dim: step = 0 is no whole number above 0",
        ),
        (
            "model.dim",
            {"low": 8, "high": 64, "step": 0.5},
            "model.dim: step = 0.5 is no whole number above 0",
        ),
        (
            "model.dim",
            {"low": 8, "high": 64, "step": 10},
            "model.dim: from low = 8 to high = 64 is no whole number of steps of 10",
        ),
        (
            "model.dim",
            {"low": 8, "high": 64, "step": 8, "log": True},
            "model.dim: log = true needs low above 0 and no step",
        ),
        (
            "model.clip",
            {"low": 0, "high": 1, "log": True},
            "model.clip: log = true needs low above 0",
        ),
        ("model.clip", {"low": 0, "high": 1, "step": float("nan")}, "is no whole number of steps"),
        (
            "model.backbone",
            {"low": "din", "high": "sasrec"},
            "model.backbone.name: is no number; give a list of values",
        ),
        ("model.dropout", 0.1, "model.dropout: give a list of values, or a range"),
        ("model.dropout", [], "model.dropout: give a list of values"),
        ("seed", [0, 1], "a search cannot vary seed: it is the seed of every training"),
        ("semantics.encoded.text", ["a"], "a search cannot vary semantics.encoded.text"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_key(key: str, given: Any, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        space_of({key: given}, BASE)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_to_vary_is_refused() -> None:
    with pytest.raises(UsageError, match=r"varies nothing; give --space FILE.toml or --try"):
        space_of({}, BASE)
