"""Writers of miniature public files, packed where the name ends in .gz."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from solidrec.data.datasets.find import find
from solidrec.data.table import Table

Put = Callable[..., Path]


class Public(NamedTuple):
    """Public files as tables, one line of provenance and the name of the data set, if known."""

    interactions: Table
    items: Table | None
    source: str
    dataset: str | None


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Write lines to a file in `tmp_path`, return its path: ``put("ml-1m/movies.dat", "1::A")``."""

    def write(name: str, *lines: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = "".join(f"{line}\n" for line in lines).encode(encoding)
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
        return path

    return write


@pytest.fixture
def read() -> Callable[..., Public]:
    """Open the public files that are found at a path."""

    def opened(path: Path, dataset: str | None = None) -> Public:
        found = find(path, dataset=dataset)
        return Public(found.read_interactions(), found.read_items(), found.source, found.dataset)

    return opened
