"""Measure one half of one point of `growth.py` in its own process, for its own peak memory.

*prepare* writes a synthetic log and prepares it. *measure* trains 24 steps after the first and
scores the 1 + 99 candidates of up to 20,000 users; arrays mapped from disk count as memory as far
as they were read. Prints the facts as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.inference.scorer import ModelScorer
from solidrec.nn.build import build
from solidrec.spec import ModelSpec, RunSpec
from solidrec.training.batches import TOGETHER
from solidrec.training.display import Silent
from solidrec.training.loop import Progress, Stage
from solidrec.training.seeds import seed_torch
from solidrec.training.stages import batches_for
from speed.data import semantic_ids
from speed.training import EVERY, new_stage
from speed.worker import peak_mb
from synthetic import write_log

STEPS, USERS = 3 * TOGETHER, 20_000


@dataclass(frozen=True)
class Point:
    """A size on one axis: the log, and the model that is trained on it."""

    axis: str
    users: int
    items: int
    interactions: int
    model: str = "duet"
    length: int = 10
    codes: int | None = None


class EnoughSteps(Exception):
    """Raised when the wanted number of steps is done."""


class StepClock:
    """A training display that records when each step ended and stops training after `STEPS`."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def stage(self, *facts: object) -> None: ...

    def step(self, *facts: object) -> None:
        self.ends.append(time.process_time())
        if len(self.ends) > STEPS:
            raise EnoughSteps

    def epoch(self, *facts: object) -> None: ...

    def done(self, *facts: object) -> None: ...

    def step_ms(self) -> float:
        """Return the mean milliseconds of a step, without the first, which also plans the epoch."""
        return 1000 * (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1)


def write_and_prepare(point: Point, scratch: Path) -> dict[str, Any]:
    """Write the log and prepare it."""
    log = scratch / "log.parquet"
    write_log(log, users=point.users, items=point.items, interactions=point.interactions)
    wall, cpu = time.perf_counter(), time.process_time()
    prepare(log, out=scratch / "data")
    return {
        "interactions": point.interactions,
        "prepare_s": time.perf_counter() - wall,
        "prepare_cpu_s": time.process_time() - cpu,
        "prepare_mb": peak_mb(),
    }


def measure(point: Point, scratch: Path) -> dict[str, Any]:
    """Train some steps and score some users on prepared data."""
    torch.set_num_threads(1)
    opened = time.process_time()
    data = PreparedData.open(scratch / "data")
    clock, stage = StepClock(), stage_of(point, data)
    stage.display, opened = clock, time.process_time() - opened
    started = time.process_time()
    with suppress(EnoughSteps):
        stage.run_epoch()
    facts = {
        "size": size_of(point, data),
        "steps_an_epoch": stage.batches.steps,
        "step_ms": clock.step_ms(),
        "open_s": opened,
        "plan_s": clock.ends[0] - started - clock.step_ms() / 1000,
        "train_mb": peak_mb(),
    }
    facts["evaluate_ms_user"] = evaluate_ms(stage, data, point.length)
    return facts | {"peak_mb": peak_mb()}


def size_of(point: Point, data: PreparedData) -> int:
    """Return the size of a point on its axis; items and users are those that were really drawn."""
    return {
        "items": len(data.items),
        "users": len(data.users),
        "codes": point.codes or 0,
        "history": point.length,
    }[point.axis]


def stage_of(point: Point, data: PreparedData) -> Stage:
    """Return the last stage of the point's model."""
    spec = ModelSpec.parse(
        {"name": point.model, "backbone": "sasrec", "history_length": point.length}
    )
    train = EVERY.model_copy(update={"targets_per_pass": point.length})
    if point.codes is None:
        return new_stage(spec, train, data)
    seed_torch(0, "parameters")
    items = len(data.items)
    of_item = torch.from_numpy(semantic_ids(items, codes=min(point.codes, items)))
    model = build(spec, items=items, semantic_of_item=of_item)
    run = RunSpec(data=data.fingerprint, model=spec, train=train)
    return Stage(
        model,
        batches_for(model, data, run, device="cpu"),
        train,
        seed=0,
        progress=Progress(stage=2),
        validate=lambda: None,
        save=lambda stage: None,
        display=Silent(),
    )


def evaluate_ms(stage: Stage, data: PreparedData, length: int) -> float:
    """Return the CPU milliseconds per user for histories, candidates and scores."""
    rows, score = data.rows("test"), ModelScorer(stage.model)
    count, at_once = min(USERS, len(rows)), 1024
    started = time.process_time()
    for start in range(0, count, at_once):
        stop = min(start + at_once, count)
        users, positions = rows.users[start:stop], rows.positions[start:stop]
        score(data.histories(users, positions, length), rows.candidates(start, stop))
    return 1000 * (time.process_time() - started) / count


def main() -> None:
    """Run one half: ``growth_point.py prepare|measure POINT SCRATCH``."""
    half = {"prepare": write_and_prepare, "measure": measure}[sys.argv[1]]
    print(json.dumps(half(Point(**json.loads(sys.argv[2])), Path(sys.argv[3]))))


if __name__ == "__main__":
    main()
