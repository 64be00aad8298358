from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.errors import UsageError
from solidrec.json_files import write_json
from speed.command import QUICK, choose, compare_files
from speed.measurement import Row
from speed.worker import SUBJECTS

NAMES = ["matrix product/tall", "train/a", "train/b", "start/c"]


def test_a_word_chooses_what_starts_so() -> None:
    assert choose(NAMES, quick=False, only=None) == NAMES
    assert choose(NAMES, quick=False, only="start") == ["matrix product/tall", "start/c"]


def test_a_quick_run_has_subjects_that_exist() -> None:
    assert set(QUICK) <= set(SUBJECTS)
    assert set(choose(list(SUBJECTS), quick=True, only=None)) == {
        *QUICK,
        *(n for n in SUBJECTS if n.startswith("matrix")),
    }


def test_an_unknown_word_gets_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="did you mean 'train/a'"):
        choose(NAMES, quick=False, only="trian/a")


def result(path: Path, value: float) -> Path:
    write_json(path, [Row("train/a", value, "positives/cpu-s", 1, value, value).to_json()])
    return path


def test_two_results_are_compared(tmp_path: Path) -> None:
    before, after = result(tmp_path / "before.json", 100), result(tmp_path / "after.json", 70)
    worse, table = compare_files(before, after, tolerance=0.2)
    assert [(change.name, change.factor) for change in worse] == [("train/a", 0.7)]
    assert table.row_count == 1
    assert compare_files(before, after, tolerance=0.4)[0] == []
    assert compare_files(after, before, tolerance=0.2)[0] == []


def test_results_without_a_common_figure_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "none.json", [])
    with pytest.raises(UsageError, match="no figure in common"):
        compare_files(result(tmp_path / "a.json", 1), tmp_path / "none.json", tolerance=0.2)


@pytest.mark.parametrize("tolerance", [0.0, 1.0, -1.0])
def test_a_tolerance_is_a_share(tmp_path: Path, tolerance: float) -> None:
    path = result(tmp_path / "a.json", 1)
    with pytest.raises(UsageError, match="between 0 and 1"):
        compare_files(path, path, tolerance=tolerance)
