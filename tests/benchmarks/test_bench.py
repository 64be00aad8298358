from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.json_files import write_json
from speed.measurement import Row

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bench(repository: Path) -> Bench:
    """Run the script as a developer does."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(repository / "benchmarks" / "bench.py"), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


def result(path: Path, value: float) -> Path:
    write_json(path, [Row("train/a", value, "positives/cpu-s", 1, value, value).to_json()])
    return path


def test_one_subject_is_measured_and_written(bench: Bench, tmp_path: Path) -> None:
    done = bench(
        "--quick", "--only", "start/import", "--repeats", 1, "--out", tmp_path / "found.json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text())
    units = {row["unit"] for row in found if row["name"] == "start/import solidrec"}
    assert units == {"ms cpu/start", "ms/start"}
    assert {row["name"].partition("/")[0] for row in found} <= {"start", "matrix product"}
    assert {"name", "value", "unit", "peer", "ratio", "floor_percent"} <= set(found[0])
    assert "import solidrec" in done.stdout
    assert json.loads((tmp_path / "found.about.json").read_text())["threads"] == [1]


def test_a_regression_is_an_exit_code(bench: Bench, tmp_path: Path) -> None:
    before, after = result(tmp_path / "before.json", 100), result(tmp_path / "after.json", 70)
    slower = bench("--compare", before, after)
    assert (slower.returncode, "train/a" in slower.stdout, "0.70" in slower.stdout) == (
        1,
        True,
        True,
    )
    assert bench("--compare", after, before).returncode == 0
    assert bench("--compare", before, after, "--tolerance", 0.4).returncode == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--only", "trian"), "nothing that is measured starts so"),
        (("--threads", "0"), "a whole number of 1 or more"),
        (("--repeats", "two"), "a whole number of 1 or more"),
        (("--compare", "no.json", "no.json"), "no.json"),
    ],
)
def test_a_mistake_is_one_line(bench: Bench, words: tuple[str, ...], complaint: str) -> None:
    done = bench(*words)
    assert done.returncode not in (0, 70)
    assert complaint in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
