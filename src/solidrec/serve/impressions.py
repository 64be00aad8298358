"""A log of what was recommended, for A/B tests: Parquet files, written beside the answers."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

import polars as pl

from solidrec.artifacts import write_table
from solidrec.errors import StorageError

_log = logging.getLogger(__name__)
_SCHEMA: dict[str, Any] = {
    "at": pl.Datetime("us", "UTC"),
    "user": pl.String,
    "arm": pl.String,
    "version": pl.String,
    "items": pl.List(pl.String),
    "fallback": pl.String,
}
_ROWS, _SECONDS = 10_000, 60.0
"""Rows of a file at most, and the time after which one is written at the latest."""
_MOST = 100_000
"""Rows that wait for a disk that does not take them; more are dropped and counted."""


@final
class Impressions:
    """Writes rows ``at``, ``user``, ``arm``, ``version``, ``items``, ``fallback`` to a folder.

    A file is written every 10,000 rows or minute, by one rename. What the disk does not take is
    tried again and in the end dropped: the service goes on. `dropped` is told how many rows went.
    """

    def __init__(self, folder: Path, *, dropped: Callable[[int], None]) -> None:
        self.folder, self.dropped = folder, dropped
        self.rows: list[tuple[Any, ...]] = []
        self.task: asyncio.Task[None] | None = None
        self.full, self.over = asyncio.Event(), asyncio.Event()
        self.stopping = False
        self.number = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{folder}: cannot write ({error.strerror or error})") from None

    def start(self) -> None:
        """Begin to write; called in the event loop."""
        self.task = asyncio.get_running_loop().create_task(self._run())

    def add(
        self,
        user: str | None,
        arm: str | None,
        version: str,
        items: list[str],
        fallback: str | None,
    ) -> None:
        """Note what was recommended now."""
        if len(self.rows) >= _MOST:
            self.dropped(1)
            return
        self.rows.append((datetime.now(UTC), user, arm, version, items, fallback))
        if len(self.rows) >= _ROWS:
            self.full.set()

    async def stop(self) -> None:
        """Write what is left."""
        self.stopping = True
        self.full.set()
        self.over.set()
        if self.task is not None:
            await self.task
            self.task = None
        await self.flush()
        self.dropped(len(self.rows))
        self.rows.clear()

    async def _run(self) -> None:
        """Write whenever a file is full or its time is over; after a failure wait for the time."""
        while not self.stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.full.wait(), _SECONDS)
            self.full.clear()
            if not await self.flush() and not self.stopping:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.over.wait(), _SECONDS)

    async def flush(self) -> bool:
        """Write the rows of now and return whether the disk took them; if not, they stay."""
        rows, self.rows = self.rows, []
        if not rows:
            return True
        self.number += 1
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        path = self.folder / f"impressions-{stamp}-{os.getpid()}-{self.number:04}.parquet"
        try:
            await asyncio.to_thread(_write, path, rows)
        except Exception as error:  # whatever it is, the service goes on
            _log.warning("impressions are not written: %s", error)
            self.rows = rows + self.rows
            return False
        return True


def _write(path: Path, rows: list[tuple[Any, ...]]) -> None:
    write_table(path, pl.DataFrame(rows, schema=_SCHEMA, orient="row"))
