"""Run the missing cells of an experiment in several processes; each result is written at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from solidrec.console import console, say
from solidrec.data.prepared import PreparedData
from solidrec.devices import check_device
from solidrec.errors import Interrupted, SolidrecError, StorageError, UsageError
from solidrec.evaluate.baselines import EXTRAS
from solidrec.experiments.cell_work import work
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.grid import Cell, cells_of, rows_of
from solidrec.experiments.live import Board
from solidrec.experiments.plan import PLAN, RESULTS, USERS, Plan
from solidrec.experiments.results import Results
from solidrec.locks import locked, stoppable
from solidrec.overwrite import is_empty
from solidrec.semantics.modalities.needs import need
from solidrec.settings import merge, nested
from solidrec.training.trainable import check_run
from solidrec.workers import as_they_end, processes

_WORKERS = ".workers"
"""The file that workers share a lock on as long as they live."""


def run_experiment(
    name: str,
    experiment: ExperimentSpec,
    path: Path,
    out: Path,
    *,
    jobs: int | None = None,
    settings: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> Plan:
    """Run the missing cells of an experiment on the prepared folder `path` and return its plan.

    Results are written to the folder `out`. `jobs` is the number of processes of one thread each;
    the default is the number of CPUs that this process may use. The same call goes on where it was
    stopped or killed, and no finished cell is run again. Raises `UsageError` for an experiment that
    does not fit the data, and `SolidrecError` if a cell failed, after all the others have run.
    """
    check_device(device)
    jobs = jobs or len(os.sched_getaffinity(0))
    data = PreparedData.open(path)
    rows = rows_of(experiment, data)
    settings = nested(settings or {})
    cells = cells_of(experiment, rows, data, settings)
    common = merge(experiment.settings, settings)
    plan = Plan.of(Path(name).name, experiment, rows, cells, data=path, settings=common)
    _claim(out)
    with _alone(out):
        plan.save(out)
        results = Results(out)
        wanted = {place.key for place in results.missing(plan)}
        todo = list({cell.key: cell for cell in cells if cell.key in wanted}.values())
        _check_cells(todo, data)
        say(
            f"{experiment.title}, on {plan.data_name}: {len(cells)} cells, "
            f"{len(cells) - len(todo)} finished; {jobs} at a time"
        )
        failed = _carry_out(todo, plan, results, path, jobs=jobs, device=device) if todo else {}
    if failed:
        first, error = next(iter(failed.items()))
        raise SolidrecError(
            f"{len(failed)} of {len(cells)} cells failed, first {first}: {error}; the same command "
            "tries them again"
        )
    return plan


def _check_cells(cells: Sequence[Cell], data: PreparedData) -> None:
    """Raise `UsageError` for a cell that cannot be trained; report a baseline without its extra."""
    for cell in cells:
        try:
            if cell.spec is not None:
                check_run(data, cell.spec)
            elif cell.baseline in EXTRAS:
                need(*EXTRAS[cell.baseline])
        except UsageError as error:
            if cell.spec is not None:
                raise UsageError(f"row {cell.row!r}: {error}") from None
            say(f"{cell.row}: {error}; its cell will fail, the others run")


def _carry_out(
    cells: Sequence[Cell], plan: Plan, results: Results, path: Path, *, jobs: int, device: str
) -> dict[str, Exception]:
    """Run cells in a pool of processes, append their results, and return the errors by cell."""
    failed: dict[str, Exception] = {}
    with (
        stoppable(),
        Board(plan, results, jobs=jobs, to=console) as board,
        processes(jobs, results.out / _WORKERS) as pool,
    ):
        task = partial(work, path=path, out=results.out, device=device)
        asked = {"protocols": plan.protocols, "measures": plan.measures}
        running = {pool.submit(task, cell, **asked): cell for cell in cells}
        try:
            for future in as_they_end(running):
                cell, error = running[future], future.exception()
                if isinstance(error, Exception) and not isinstance(error, BrokenProcessPool):
                    failed[f"{cell.row} seed {cell.seed}"] = error  # the others go on
                    board.failed(cell, error)
                else:
                    results.append(future.result())
                    board.done(cell)
        except KeyboardInterrupt:
            raise Interrupted(
                f"{results.out}: stopped; run the same command again to go on"
            ) from None
        except BrokenProcessPool:
            raise SolidrecError(
                "a process was killed (out of memory?); run the experiment again, with --jobs "
                f"{max(1, jobs // 2)}"
            ) from None
    return failed


def _claim(out: Path) -> None:
    """Raise `StorageError` for a folder of something else."""
    if not out.exists() or any((out / name).is_file() for name in (PLAN, RESULTS)):
        return
    if not (out.is_dir() and is_empty(out, known=(_WORKERS,))):
        raise StorageError(f"{out}: is no folder of an experiment; choose another --out")


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Hold the folder of an experiment alone, once the workers of a killed run are gone."""
    with locked(out, doing="runs this experiment"), (out / _WORKERS).open("a") as workers:
        fcntl.flock(workers, fcntl.LOCK_EX)
        fcntl.flock(workers, fcntl.LOCK_UN)
        for half in (out / USERS).glob(".tmp-*"):  # files that a kill left half written
            half.unlink()
        yield
