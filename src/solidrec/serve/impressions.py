"""A log of what was recommended, for A/B tests: Parquet files, written beside the answers."""

from __future__ import annotations

import asyncio
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
        self.full = asyncio.Event()
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
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
        await self.flush()
        self.dropped(len(self.rows))
        self.rows.clear()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.full.wait(), _SECONDS)
            self.full.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write the rows of now; those that the disk does not take stay."""
        rows, self.rows = self.rows, []
        if not rows:
            return
        self.number += 1
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        path = self.folder / f"impressions-{stamp}-{os.getpid()}-{self.number:04}.parquet"
        table = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
        try:
            await asyncio.to_thread(write_table, path, table)
        except StorageError:
            self.rows = rows + self.rows
