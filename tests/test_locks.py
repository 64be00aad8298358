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
from solidrec.locks import locked, stoppable

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
    with locked(folder):
        told = other(folder)
    who = f"pid {os.getpid()} on host {socket.gethostname()} since {date.today()} "
    assert told.startswith(f"{folder}: another process bakes here ({who}")
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
