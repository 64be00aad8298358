"""Save every score of an evaluation, so that anybody can compute the metrics again."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from solidrec.artifacts import write_table
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.runner import Block


@final
class ScoreWriter:
    """A sink for `evaluate`: one row a counted candidate, with columns user, item, label, score (float32, exact)."""

    def __init__(self, path: Path, data: PreparedData) -> None:
        self.path = path
        self.users = pl.Series("user", ["", *data.users.ids])
        self.items = pl.Series("item", ["", *data.items.ids])
        self.parts: list[pl.DataFrame] = []

    def __call__(self, block: Block) -> None:
        """Take in one block."""
        shape = block.scores.shape
        row, column = np.nonzero(block.counted)
        items: Any = np.broadcast_to(block.candidates, shape)[row, column]
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

    def __enter__(self) -> ScoreWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            write_table(self.path, pl.concat(self.parts))
