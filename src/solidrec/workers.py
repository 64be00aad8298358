"""Worker processes that end when this process ends, is stopped or is killed."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import ParamSpec, TypeVar, final

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LOOK_AFTER = 0.5
"""Seconds between two looks at the signals: Ctrl-C does not wake a thread waiting for a lock."""
_GRACE = 60.0
"""Seconds that a stopped worker has to save its state."""


@contextmanager
def workers(jobs: int) -> Iterator[Executor]:
    """Yield an executor: this process for one job, else a pool of processes."""
    if jobs == 1:
        yield _Inline()
        return
    with processes(jobs) as pool:
        yield pool


@contextmanager
def processes(jobs: int, mark: Path | None = None) -> Iterator[Executor]:
    """Yield a pool of processes; an error or a stop ends them, and trainings save their state.

    `mark` is the lock file of `_follow_parent`.
    """
    others = set(active_children())
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_follow_parent, initargs=(mark,)
    ) as pool:
        try:
            yield pool
        except BaseException:
            # Without this a stopped worker would go on with the next task.
            pool.shutdown(wait=False, cancel_futures=True)
            _end(set(active_children()) - others)
            raise


def _end(workers: Iterable[BaseProcess]) -> None:
    """Stop processes and their next tasks; kill those still alive after `_GRACE` seconds."""
    left, until = set(workers), time.monotonic() + _GRACE
    while left and time.monotonic() < until:
        for worker in left:
            worker.terminate()
        for worker in left:
            worker.join(_LOOK_AFTER)
        left = {worker for worker in left if worker.is_alive()}
    for worker in left:
        worker.kill()


def as_they_end(running: Iterable[Future[_T]]) -> Iterator[Future[_T]]:
    """Yield futures as they end, with a look at the signals every `_LOOK_AFTER` seconds."""
    left = set(running)
    while left:
        ended, left = wait(left, timeout=_LOOK_AFTER, return_when=FIRST_COMPLETED)
        yield from ended


def _follow_parent(mark: Path | None = None) -> None:
    """End this worker when the process that started it ends, even if that was killed.

    As long as it lives it shares the lock on the file `mark`, so that others can wait for it. It
    ignores Ctrl-C, which reaches every process of a terminal: the parent process handles it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()

    def follow() -> None:
        with ExitStack() as stack:
            if mark is not None:
                fcntl.flock(stack.enter_context(mark.open("a")), fcntl.LOCK_SH)
            if parent is not None:
                parent.join()
                os._exit(1)

    Thread(target=follow, daemon=True).start()


@final
class _Inline(Executor):
    """An executor that runs each task at once in this process."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run the task and return a future that is done."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
