"""Processes end with the work they were started for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec import workers
from solidrec.locks import stoppable
from solidrec.workers import processes


def train(path: Path) -> None:
    """What a cell does: it hears SIGTERM as Ctrl-C, saves where it is, and ends."""
    with stoppable():
        try:
            path.touch()
            time.sleep(60)
        except KeyboardInterrupt:
            path.with_suffix(".saved").touch()
            raise


def deaf(path: Path) -> None:
    """A task that no signal stops."""
    path.touch()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            with stoppable():
                time.sleep(60)
        except KeyboardInterrupt:
            pass


def wait_for(path: Path) -> None:
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert path.exists()


def stop_after(task: Callable[[Path], None], folder: Path, *, tasks: int) -> None:
    """Start tasks in one process and raise a stop, with the time, when the first is at work."""
    with processes(1) as pool:
        for number in range(tasks):
            pool.submit(task, folder / str(number))
        wait_for(folder / "0")
        raise Stopped(time.monotonic())


class Stopped(Exception):
    """Raised as a stop; knows when."""


def test_a_stop_ends_the_task_in_hand_and_those_that_wait(tmp_path: Path) -> None:
    """A worker whose task was stopped does not go on with the next one."""
    with pytest.raises(Stopped) as stopped:
        stop_after(train, tmp_path, tasks=5)
    assert time.monotonic() - stopped.value.args[0] < 30
    assert (tmp_path / "0.saved").exists()
    before = sorted(tmp_path.iterdir())
    time.sleep(1)
    assert sorted(tmp_path.iterdir()) == before
    assert not (tmp_path / "3").exists()


def test_what_does_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_GRACE", 1.0)
    with pytest.raises(Stopped) as stopped:
        stop_after(deaf, tmp_path, tasks=1)
    assert time.monotonic() - stopped.value.args[0] < 30
