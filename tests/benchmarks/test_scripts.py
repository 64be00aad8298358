"""The parts of the benchmark scripts that can be wrong without anybody noticing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import ModuleType

import pytest

from speed.measurement import Row
from speed.result import Result
from speed.system import System

Script = Callable[[str], ModuleType]


def test_everything_compared_is_measured(script: Script, tmp_path: Path) -> None:
    bench = script("bench")
    known = {
        system.name for system in [*bench.our_systems(tmp_path), *bench.naive_systems(tmp_path)]
    } | set(bench.PEERS)
    assert {
        *bench.AGAINST,
        *(name for others in bench.AGAINST.values() for name in others),
    } <= known
    assert set(script("picture").TARGETS) <= known


def test_peers_that_are_absent_are_said_in_a_line_each(
    script: Script, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    systems: list[System] = script("bench").peer_systems(tmp_path / "no" / "python", tmp_path)
    lines = capsys.readouterr().err.strip().splitlines()
    assert systems == []
    assert [line.split(":")[0] for line in lines] == ["without rectools", "without replay"]


def test_a_line_through_logarithms(script: Script) -> None:
    """A cost that grows as the square root has slope 1/2, a constant 0, a proportional one 1."""
    growth = script("growth")
    cost = dict.fromkeys(growth.COSTS, 3.0)
    points = [
        cost | {"size": size, "step_ms": size**0.5, "train_mb": 2.0 * size}
        for size in (10, 100, 1_000)
    ]
    found = growth.slopes(points)
    assert found["step_ms"] == pytest.approx(0.5)
    assert found["train_mb"] == pytest.approx(1)
    assert found["prepare_mb"] == pytest.approx(0)


def test_a_point_is_measured(script: Script, tmp_path: Path) -> None:
    part = script("growth_point")
    point = part.Point(
        "codes", users=600, items=300, interactions=40_000, model="solid-duet", codes=50
    )
    assert part.Point(**json.loads(json.dumps(asdict(point)))) == point
    facts = part.write_and_prepare(point, tmp_path) | part.measure(point, tmp_path)
    assert facts["size"] == 50
    assert facts["steps_an_epoch"] > part.STEPS
    assert set(script("growth").COSTS) <= set(facts)
    assert min(facts[cost] for cost in script("growth").COSTS) > 0


def test_a_page_keeps_what_is_not_a_table(script: Script) -> None:
    page = script("page")
    text = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    assert (
        page.between(text, "bench", "new")
        == "before\n<!-- bench -->\n\nnew\n\n<!-- /bench -->\nafter\n"
    )
    with pytest.raises(SystemExit, match="has 0 places"):
        page.between(text, "growth", "new")


def test_a_picture_is_drawn(script: Script, tmp_path: Path) -> None:
    rows = [Row("train/static/sasrec", 100, "positives/cpu-s", 1, 90, 110)]
    about = {"machine": {"cpu": "a cpu"}, "versions": {"torch": "2"}, "threads": [1]}
    script("picture").draw(Result(rows, about), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
