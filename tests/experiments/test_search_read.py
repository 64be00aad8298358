"""What a person writes: a TOML file, nested or dotted, and pairs on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.errors import UsageError
from solidrec.experiments.search_read import read_space


def test_a_file_and_pairs_are_one_space(tmp_path: Path) -> None:
    file = tmp_path / "space.toml"
    file.write_text(
        '"train.learning_rate" = {low = 1e-4, high = 1e-2, log = true}\n"model.dropout" = [0.0, 0.1]\n'
        'model.dim = {low = 16, high = 64, step = 16}\n[semantics]\nmodalities = [["text"], ["id"]]\n'
    )
    assert read_space(file, ["model.dropout=0,0.4", "model.backbone = din, sasrec", 'model.start="random",content']) == {
        "train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "model.dim": {"low": 16, "high": 64, "step": 16},
        "semantics.modalities": [["text"], ["id"]],
        "model.dropout": [0, 0.4],
        "model.backbone": ["din", "sasrec"],
        "model.start": ['"random"', "content"],  # neither JSON nor names; RunSpec says so
    }
    assert read_space(None, ["train.stride=null,2"]) == {"train.stride": [None, 2]}


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
