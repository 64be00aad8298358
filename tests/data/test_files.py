from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from solidrec.data.readers import read_table
from solidrec.errors import DataError


def test_d18_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress(os.urandom(5000).hex().encode())
    for damaged in (whole[:-9], whole[: len(whole) // 2], whole[:-8] + b"\0" * 8, b"plain text"):
        (tmp_path / "log.csv.gz").write_bytes(damaged)
        with pytest.raises(DataError, match="not a whole gzip file"):
            read_table(tmp_path / "log.csv.gz")


def test_d19_a_gzip_that_unpacks_to_far_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.data.files._SMALL", 1 << 20)
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(b"a,b\n" * (1 << 20)))
    with pytest.raises(DataError, match="unpacks to more than"):
        read_table(tmp_path / "log.csv.gz")
