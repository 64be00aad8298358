"""Settings come from a file or a preset, and pairs are laid over them."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.cli.settings_options import settings
from solidrec.errors import UsageError


def test_pairs_are_laid_over_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[model]\ndim = 64\nclip = 0.1\n")
    found = settings(file, ["model.dim=32", "train.select=MRR"])
    assert found == {"model": {"dim": 32, "clip": 0.1}, "train": {"select": "MRR"}}


def test_a_preset_goes_by_its_name_unless_there_is_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings(Path("paper"), [])["model"]["codebook"]["find"] == "nearest"
    (tmp_path / "paper").write_text("seed = 3\n")
    assert settings(Path("paper"), []) == {"seed": 3}


def test_nothing_given_is_nothing() -> None:
    assert settings(None, []) == {}


def test_what_is_no_file_and_no_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--config absent.toml: .*give a TOML file or a preset"):
        settings(Path("absent.toml"), [])
    (tmp_path / "bad.toml").write_text("seed = = 3\n")
    with pytest.raises(UsageError, match=r"bad.toml: is not TOML"):
        settings(tmp_path / "bad.toml", [])
    with pytest.raises(UsageError, match="write it as key=value"):
        settings(None, ["model.dim"])


def test_names_of_earlier_versions_are_read_and_laid_over(tmp_path: Path) -> None:
    """An option wins over a file, by whichever name; among options one setting has one name."""
    file = tmp_path / "mine.toml"
    file.write_text('[model]\nbackbone = "ligr"\nblocks = 3\nlength = 5\n[train]\nbatch = 64\n')
    found = settings(file, ["train.batch_size=32", "model.backbone.blocks=4"])
    assert found == {
        "model": {"backbone": {"name": "ligr", "blocks": 4}, "history_length": 5},
        "train": {"batch_size": 32},
    }
    for pairs in (
        ["train.batch=8", "train.batch_size=8"],
        ["train.stride=1", "train.targets_per_pass=1"],
        ["model.heads=1", "model.backbone.heads=1"],
    ):
        with pytest.raises(UsageError, match="is the earlier name of"):
            settings(None, pairs)
