"""Run an experiment: every cell that has no result yet, several processes at a time, each result on disk as it comes."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST, read_json
from solidrec.console import console, say
from solidrec.data.prepared import KIND, PreparedData
from solidrec.devices import check_device
from solidrec.errors import Interrupted, SolidrecError, StorageError, UsageError
from solidrec.experiments.cell_work import work
from solidrec.experiments.grid import Cell, ExperimentSpec, cells_of, nested, rows_of
from solidrec.experiments.live import Board
from solidrec.experiments.results import Plan, Results
from solidrec.spec import merge
from solidrec.training.run import stoppable

LOCK, WORKERS = ".lock", ".workers"
LOOK_AFTER = 0.5
"""Seconds between two looks: of a worker whether the process that started it is still there, of that one at the signals."""


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
    """Run what is missing of an experiment on the prepared folder `path`, into the folder `out`, and return its plan.

    `jobs` processes of one thread each; default: as many as this process may use CPUs. The same call goes on where it was
    stopped or killed, and no finished cell is run again. Raises `UsageError` for an experiment that does not fit the data, and
    `SolidrecError` at the end if a cell failed, after all the others have run.
    """
    check_device(device)
    jobs = jobs or len(os.sched_getaffinity(0))
    data = PreparedData.open(path)
    rows = rows_of(experiment, data)
    cells = cells_of(experiment, rows, data, settings or {})
    common = merge(nested(experiment.settings), settings or {})
    plan = Plan.of(Path(name).name, experiment, rows, cells, data=path, settings=common)
    with alone(out):
        plan.save(out)
        results = Results(out)
        wanted = {place.key for place in results.missing(plan)}
        todo = list({cell.key: cell for cell in cells if cell.key in wanted}.values())
        say(f"{experiment.title}, on {plan.data_name}: {len(cells)} cells, {len(cells) - len(todo)} finished; {jobs} at a time")
        failed = carry_out(todo, plan, results, path, jobs=jobs, device=device) if todo else {}
    if failed:
        first, error = next(iter(failed.items()))
        raise SolidrecError(
            f"{len(failed)} of {len(cells)} cells failed, first {first}: {error}; the same command tries them again"
        )
    return plan


def carry_out(cells: Sequence[Cell], plan: Plan, results: Results, path: Path, *, jobs: int, device: str) -> dict[str, Exception]:
    """Run cells, each in a process of a pool, and append what each gives; returns the errors of those that failed, by cell."""
    failed: dict[str, Exception] = {}
    context = get_context("spawn")
    with (
        stoppable(),
        Board(plan, results, jobs=jobs, to=console) as board,
        ProcessPoolExecutor(jobs, context, initializer=follow, initargs=(os.getpid(), results.out)) as pool,
    ):
        task = partial(work, path=path, out=results.out, protocols=plan.protocols, measures=plan.measures, device=device)
        running: dict[Future[dict[str, Any]], Cell] = {pool.submit(task, cell): cell for cell in cells}
        try:
            for future in as_they_end(running):
                cell = running[future]
                try:
                    results.append(future.result())
                    board.done(cell)
                except BrokenProcessPool:
                    raise SolidrecError(
                        f"a process of the experiment was killed (out of memory?); run it again, with --jobs {max(1, jobs // 2)}"
                    ) from None
                except (SolidrecError, ArithmeticError, RuntimeError, ValueError) as error:
                    failed[f"{cell.row} seed {cell.seed}"] = error
                    board.failed(cell, error)
        except KeyboardInterrupt:
            for child in active_children():
                child.terminate()  # a training saves where it is
            raise Interrupted(f"{results.out}: stopped; run the same command again to go on") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return failed


def as_they_end(running: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
    """Yield futures as they end. It looks up every `LOOK_AFTER` seconds: Ctrl-C does not wake a thread that waits for a lock."""
    left = set(running)
    while left:
        ended, left = wait(left, timeout=LOOK_AFTER, return_when=FIRST_COMPLETED)
        yield from ended


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold the folder of an experiment, once the workers of one that was killed are gone; a second run gets one clear line."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / LOCK).open("a+") as lock, (out / WORKERS).open("a") as workers:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                raise StorageError(
                    f"{out}: another process runs this experiment (pid {lock.read().strip()}); wait for it"
                ) from None
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            fcntl.flock(workers, fcntl.LOCK_EX)
            fcntl.flock(workers, fcntl.LOCK_UN)
            yield
    except OSError as error:
        raise StorageError(f"{out}: cannot write ({error.strerror or error}); choose another --out") from None


def follow(parent: int, out: Path) -> None:
    """Make this process end with the one that started it, however that ends, and let others see that it is still there."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the one that waits passes it on
    threading.Thread(target=end_with, args=(parent, out / WORKERS), daemon=True).start()


def end_with(parent: int, mark: Path) -> None:
    """Hold a share of the lock on `mark`, and end this process at once when `parent` is gone: nobody would take its result."""
    with mark.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        while os.getppid() == parent:
            time.sleep(LOOK_AFTER)
        os._exit(1)


def prepared_folder(here: Path) -> Path:
    """Return the one prepared folder in `here`; raises `UsageError` if there is none, or more than one to choose from."""
    found = sorted(path.parent for path in here.glob(f"*/{MANIFEST}") if read_json(path).get("kind") == KIND)
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError("no DATA was given and there is no prepared folder here; make one with `solidrec prepare`")
    names = ", ".join(path.name for path in found)
    raise UsageError(f"no DATA was given and there are several prepared folders here ({names}); name one")
