"""Storage of every score of an evaluation, so that its metrics can be computed again."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from solidrec.artifacts import as_os_error, write_table
from solidrec.data.prepared import PreparedData
from solidrec.disk import write_file
from solidrec.errors import StorageError
from solidrec.evaluate.runner import Block
from solidrec.outputs import check_output

_ROWS = 1 << 22  # rows in memory; more go to temporary files until the evaluation ends


@final
class ScoreWriter:
    """Sink for `evaluate` that writes one row per counted candidate.

    Columns: user, item, label, score (float32, exact). Memory is bounded: many rows wait in
    temporary files and are joined as a stream. A failed evaluation writes nothing.
    """

    def __init__(self, path: Path, data: PreparedData) -> None:
        check_output(path, suffix=".parquet")
        self.path = path
        self.users = pl.Series("user", ["", *data.users.ids])
        self.items = pl.Series("item", ["", *data.items.ids])
        self.parts: list[pl.DataFrame] = []
        self.files: list[Path] = []

    def __call__(self, block: Block) -> None:
        """Add one block."""
        row, column = np.nonzero(block.counted)
        items: Any = np.broadcast_to(block.candidates, block.scores.shape)[row, column]
        users: Any = block.users[row]
        self.parts.append(
            pl.DataFrame(
                {
                    "user": self.users.gather(users.astype(np.uint32)),
                    "item": self.items.gather(items.astype(np.uint32)),
                    "label": (column == block.column[row]).astype(np.int8),
                    "score": block.scores[row, column],
                }
            )
        )
        if sum(map(len, self.parts)) >= _ROWS:
            self.files.append(Path(self.folder.name) / f"{len(self.files)}.parquet")
            write_table(self.files[-1], pl.concat(self.parts))
            self.parts = []

    def __enter__(self) -> ScoreWriter:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.folder = tempfile.TemporaryDirectory(prefix=".tmp-scores-", dir=self.path.parent)
        except OSError as error:
            raise StorageError(
                f"{self.path}: cannot write ({error.strerror or error}); choose another file"
            ) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None:
                self.write()
        finally:
            self.folder.cleanup()

    def write(self) -> None:
        """Write all blocks as one file, in their order."""
        frames = [pl.scan_parquet(file.absolute(), glob=False) for file in self.files] + [
            frame.lazy() for frame in self.parts
        ]
        joined = pl.concat(frames)
        write_file(
            self.path,
            lambda temporary: as_os_error(lambda: joined.sink_parquet(temporary), PolarsError),
        )
