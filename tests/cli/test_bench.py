from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.artifacts import write_json
from solidrec.experiments.bench.measurement import Row

Solidrec = Callable[..., Any]


def result(path: Path, value: float) -> Path:
    write_json(path, [Row("train/a", value, "positives/cpu-s", 1, value, value).to_json()])
    return path


def test_one_subject_is_measured_and_written(solidrec: Solidrec, tmp_path: Path) -> None:
    words = ("bench", "--only", "start/python", "--threads", "1", "--repeats", "1", "--out", tmp_path / "found.json", "--json")
    answer = solidrec(*words)
    assert answer.code == 0
    found = json.loads(answer.out)
    assert found == json.loads((tmp_path / "found.json").read_text())
    units = {row["unit"] for row in found if row["name"] == "start/python"}
    assert units == {"ms cpu/start", "ms/start"}
    assert {"name", "value", "unit", "peer", "ratio", "floor_percent"} <= set(found[0])
    assert "wrote" in answer.err


def test_a_regression_is_an_exit_code(solidrec: Solidrec, tmp_path: Path) -> None:
    before, after = result(tmp_path / "before.json", 100), result(tmp_path / "after.json", 70)
    slower = solidrec("bench", "--compare", before, after)
    assert (slower.code, "train/a" in slower.out, "0.70" in slower.out) == (1, True, True)
    assert json.loads(solidrec("bench", "--compare", before, after, "--json").out)[0]["name"] == "train/a"
    assert solidrec("bench", "--compare", after, before).code == 0
    assert solidrec("bench", "--compare", before, after, "--tolerance", 0.4).code == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--only", "trian"), "nothing that is measured starts so"),
        (("--threads", "0"), "numbers of 1 or more"),
        (("--threads", "two"), "numbers of 1 or more"),
        (("--repeats", "0"), "give 1 or more"),
        (("--compare", "no.json", "no.json"), "no.json"),
    ],
)
def test_a_mistake_is_one_line(solidrec: Solidrec, words: tuple[str, ...], complaint: str) -> None:
    answer = solidrec("bench", *words)
    assert answer.code not in (0, 70)
    assert complaint in answer.err
    assert len(answer.err.strip().splitlines()) == 1
