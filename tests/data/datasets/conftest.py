"""Writers of miniature public files, packed where the name ends in .gz."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

Put = Callable[..., Path]


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
