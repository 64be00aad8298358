"""Pool of worker processes that decode pictures: one that hangs or dies costs one picture.

Pools of ``concurrent.futures`` break as a whole when a worker dies, and those of pebble do not
limit memory.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Self, final

import numpy as np
import numpy.typing as npt

from solidrec.errors import SolidrecError
from solidrec.semantics.modalities.base import Refusal
from solidrec.semantics.modalities.decode import OK, Limits, View, command, receive, send
from solidrec.semantics.modalities.needs import need

Pixels = npt.NDArray[np.uint8]


@final
class Decoders:
    """Workers that decode pictures to (S, S, 3) RGB; as a context manager it ends the processes.

    Raises `UsageError` without Pillow and `SolidrecError` if a worker does not start.
    """

    def __init__(self, view: View, limits: Limits | None = None, *, workers: int = 1) -> None:
        need("image", "PIL")
        self.size = view.size
        self.idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
        self.workers = [_Worker(command(view, limits or Limits())) for _ in range(workers)]
        for worker in self.workers:
            self.idle.put(worker)
        self.threads = ThreadPoolExecutor(workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        for worker in self.workers:
            worker.kill()  # so that an error does not wait for a picture that hangs
        self.threads.shutdown()
        for worker in self.workers:
            worker.stop()

    def decode(self, contents: Sequence[bytes]) -> list[Pixels | Refusal]:
        """Return the pixels of each picture, or why there are none."""
        return list(self.threads.map(self._one, contents))

    def _one(self, content: bytes) -> Pixels | Refusal:
        worker = self.idle.get()
        try:
            kind, payload = worker.ask(content)
        except (EOFError, OSError):
            return Refusal(worker.why_gone())
        finally:
            self.idle.put(worker)
        if kind == OK:
            return np.frombuffer(payload, dtype=np.uint8).reshape(self.size, self.size, 3)
        return Refusal(payload.decode())


@final
class _Worker:
    """One process, started at the first picture and again after it has ended."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.process: subprocess.Popen[bytes] | None = None

    def ask(self, content: bytes) -> tuple[int, bytes]:
        """Send a picture, return the answer; raises `EOFError` or `OSError` if the process ends."""
        if self.process is None or self.process.poll() is not None:
            self._start()
        assert self.process is not None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        send(self.process.stdin, OK, content)
        return receive(self.process.stdout)

    def why_gone(self) -> str:
        """Return in one word why the process ended, and remove it."""
        assert self.process is not None
        self.process.kill()
        ended = self.process.wait()
        self.stop()
        return "timeout" if ended == -getattr(signal, "SIGALRM", 0) else "decoder_died"

    def kill(self) -> None:
        """Kill the process, if there is one; a thread that waits for its answer gets `EOFError`."""
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        """Kill the process, if there is one, and close its streams."""
        if self.process is None:
            return
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):  # unsent bytes cannot be flushed any more
                    stream.close()
        self.process.wait()
        self.process = None

    def _start(self) -> None:
        self.stop()
        # the worker imports from the same places as this process
        path = os.pathsep.join(entry for entry in sys.path if entry)
        self.process = subprocess.Popen(
            self.arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
            start_new_session=True,
        )
        assert self.process.stdout is not None
        try:
            receive(self.process.stdout)
        except EOFError:
            raise SolidrecError(
                "the picture decoder does not start; `python -m PIL` says whether Pillow works"
            ) from None
