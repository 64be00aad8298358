"""What is planned is what training then takes, and nothing of it stays."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from solidrec.api import plan, train
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError


@pytest.mark.parametrize(("name", "trainings"), [("solid-duet", 1.0), ("mixture", 2.0)])
def test_a_plan_has_the_sizes_of_the_training(
    data: PreparedData, tiny: dict[str, Any], name: str, trainings: float
) -> None:
    settings = {"model": {"dim": 8}, "train": tiny["train"]}
    found = plan(data, model=name, settings=settings)
    assert found["items"] == 40
    # 90 users with 7 training events each: 6 targets, in steps of 128
    assert found["steps"] == -(-90 * 6 // 128)
    assert 0 < found["steps"] * found["step_seconds"] < found["epoch_seconds"]
    expected = 20 * trainings * found["epoch_seconds"]
    assert found["seconds"] == pytest.approx(expected)
    assert found["most_seconds"] >= found["seconds"]
    assert found["memory_bytes"] >= 4 * 4 * 41 * 8
    assert found["free_bytes"] > 0


def test_it_is_near_to_what_training_takes(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    """Within a factor of five, on a machine that others use too."""
    settings = {"model": {"dim": 8}, "train": tiny["train"] | {"patience": 99, "min_steps": 10_000}}
    found = plan(data, model="duet", settings=settings)
    started = time.perf_counter()
    run = train(
        data, model="duet", epochs=20, settings=settings, out=tmp_path / "run", progress=False
    ).run
    taken = sum(row["seconds"] for row in run.history)
    assert time.perf_counter() - started > taken
    assert taken / 5 < found["seconds"] < taken * 5


def test_what_no_memory_holds_is_refused(data: PreparedData) -> None:
    with pytest.raises(UsageError, match="training needs at least"):
        plan(data, model="static", settings={"model.dim": 10**9})


def test_the_command_prints_it(solidrec: Any, data: PreparedData) -> None:
    answer = solidrec("plan", data.path, "--model", "static")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].startswith("static on sasrec: 90 users, 40 items, 810 interactions, ")
    assert "epochs, as many take: about " in lines[2]
    assert lines[3].startswith("memory: ")
    assert lines[4].startswith("ranking all items: ")
