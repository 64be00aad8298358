"""An experiment is read from a file or by a shipped name; a faulty one gives a one-line error."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.errors import StorageError, UsageError
from solidrec.experiments.experiment_spec import read_experiment


def test_a_name_that_is_no_file_names_the_nearest_experiment(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="did you mean 'table1-small'"):
        read_experiment("table1-smal")
    (tmp_path / "bad.toml").write_text("title = ", encoding="utf-8")
    with pytest.raises(UsageError, match="is not TOML"):
        read_experiment(str(tmp_path / "bad.toml"))


def test_a_key_of_a_row_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(
        'title = "t"\n[[rows]]\nname = "a"\nbaseline = "ease"\ntrails = 3\n', encoding="utf-8"
    )
    with pytest.raises(
        UsageError, match=r"unknown setting 'rows\.0\.trails'; did you mean 'rows\.0\.trials'"
    ):
        read_experiment(str(path))
