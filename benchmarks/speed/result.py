"""The result of a benchmark: a file of rows, and a file beside it with the conditions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from solidrec.errors import DataError
from solidrec.json_files import read_json, write_json
from solidrec.provenance import versions
from speed.measurement import Row
from speed.run import machine


class Result(NamedTuple):
    """The ``rows`` of a run, and ``about``: machine, versions, peers, data, threads and repeats."""

    rows: list[Row]
    about: dict[str, Any]

    @classmethod
    def of(
        cls,
        rows: Sequence[Row],
        *,
        threads: Sequence[int],
        repeats: int,
        source: str,
        peers: Sequence[str] = (),
    ) -> Result:
        """Return the rows with the machine and the versions of this process."""
        facts = {"peers": list(peers), "data": source, "threads": list(threads), "repeats": repeats}
        return cls(list(rows), {"machine": machine(), "versions": versions(), **facts})

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rows as plain values."""
        return [row.to_json() for row in self.rows]

    def write(self, path: Path) -> None:
        """Write the rows to `path` and the rest beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, self.to_json())
        write_json(about(path), self.about)

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read a result, whose ``about`` may be missing, or raise `DataError` if it is not one."""
        found: Any = read_json(path)
        try:
            if not isinstance(found, list):
                raise TypeError("it holds no list")
            rows = [Row(**row) for row in found]
        except TypeError as error:
            raise DataError(
                f"{path}: is no result of benchmarks/bench.py ({error}); "
                "give a file that --out wrote"
            ) from None
        return cls(rows, read_json(about(path)) if about(path).exists() else {})


def about(path: Path) -> Path:
    """Return the path of the facts about a result.

    >>> about(Path("results/latest.json")).name
    'latest.about.json'
    """
    return path.with_name(f"{path.name.removesuffix('.json')}.about.json")
