"""One process a folder, and a signal that stops it in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from solidrec.errors import StorageError
from solidrec.locks import locked, replacing, stoppable

OTHER = """
import sys
from pathlib import Path
from solidrec.errors import StorageError
from solidrec.locks import locked
try:
    with locked(Path(sys.argv[1]), doing="bakes here"):
        print("in")
except StorageError as error:
    print(error)
"""


def other(folder: Path) -> str:
    """What another process says that wants the folder too."""
    done = subprocess.run(
        [sys.executable, "-c", OTHER, str(folder)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_second_process_is_told_who_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "on the way"
    with locked(folder, doing="eats here"):
        told = other(folder)
    who = f"pid {os.getpid()} on host {socket.gethostname()} since {date.today()} "
    assert told.startswith(f"{folder}: another process eats here ({who}")
    assert told.endswith("); wait for it")
    assert other(folder) == "in"
    assert list(folder.iterdir()) == []


def test_an_error_inside_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    assert other(tmp_path) == "in"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    says = r"file.folder: cannot write .*; choose another --out"
    with pytest.raises(StorageError, match=says), locked(tmp_path / "file" / "folder"):
        pass


WAITS = """
import sys
from pathlib import Path
from solidrec.locks import replacing
with replacing(Path(sys.argv[1]), doing="bakes it", job="42"):
    print("in", flush=True)
    sys.stdin.read()
"""


def baker(folder: Path) -> subprocess.Popen[str]:
    """A process that is making a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "in\n"
    return process


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_somebody_makes_or_replaces_is_locked(tmp_path: Path, there: bool) -> None:
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    process = baker(folder)
    try:
        says = rf"new: another process bakes it \(pid {process.pid} on host .* since 20"
        with pytest.raises(StorageError, match=says), replacing(folder, doing="eats it"):
            raise AssertionError("not reached")
        if there:  # who writes inside is kept out too
            with pytest.raises(StorageError, match="another process"), locked(folder):
                raise AssertionError("not reached")
    finally:
        process.communicate()
    with replacing(folder, doing="bakes it") as before:
        assert before == ""
    assert [path.name for path in tmp_path.iterdir()] == (["new"] if there else [])
    assert not there or list(folder.iterdir()) == []


def test_the_job_of_a_killed_holder_is_told_and_its_lock_taken(tmp_path: Path) -> None:
    process = baker(tmp_path / "new")
    process.kill()
    process.communicate()
    assert (tmp_path / ".new.lock").is_file()
    with replacing(tmp_path / "new", doing="bakes it", job="43") as before:
        assert before == "42"
    assert list(tmp_path.iterdir()) == []


def test_a_replaced_folder_takes_its_lock_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with replacing(folder, doing="bakes it"):
        folder.rename(tmp_path / "old")
        folder.mkdir()
        (folder / ".lock").write_text("somebody else's")
    assert (folder / ".lock").read_text() == "somebody else's"


def test_the_lock_of_a_link_is_that_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    process = baker(tmp_path / "link")
    try:
        with pytest.raises(StorageError, match="another"), replacing(tmp_path / "real", doing="x"):
            raise AssertionError("not reached")
    finally:
        process.communicate()


def test_what_the_dead_left_half_written_goes_when_the_lock_is_taken(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / "run" / "deep" / f".tmp-{gone.pid}-x").mkdir(parents=True)
    with locked(tmp_path / "run"):
        assert list((tmp_path / "run" / "deep").iterdir()) == []


def test_sigterm_stops_as_ctrl_c_does_and_the_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), stoppable():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_works_without_listening() -> None:
    found: list[str] = []

    def work() -> None:
        with stoppable():
            found.append("worked")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["worked"]
