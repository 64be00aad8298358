"""The values of every user in a cell: what was measured comes back, or the file is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, StorageError
from solidrec.evaluate.baselines import BASELINES
from solidrec.evaluate.runner import evaluate
from solidrec.experiments.users import read_users, users_file, write_users


def test_the_values_come_back(data: PreparedData, tmp_path: Path) -> None:
    found = evaluate(BASELINES["popularity"](data), data)
    (tmp_path / "users").mkdir()
    write_users(tmp_path, "0123456789ab", found)
    frame = read_users(tmp_path, "0123456789ab", "paper")
    assert frame["user"].to_list() == sorted(set(found.users.tolist()))
    for metric, values in found.per_user.items():
        np.testing.assert_array_equal(frame[metric].to_numpy(), values)


def test_a_file_that_is_gone_or_damaged_is_named_with_its_cure(tmp_path: Path) -> None:
    cure = "remove the line of 0123456789ab from .*results.jsonl and run the experiment again"
    with pytest.raises(StorageError, match=rf"0123456789ab-full.parquet: is gone; {cure}"):
        read_users(tmp_path, "0123456789ab", "full")
    path = users_file(tmp_path, "0123456789ab", "full")
    path.parent.mkdir()
    path.write_bytes(b"no parquet")
    with pytest.raises(DamagedError, match=rf"is damaged .*; {cure}"):
        read_users(tmp_path, "0123456789ab", "full")


def test_t8_bytes_that_changed_are_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = users_file(tmp_path, "0123456789ab", "full")
    path.parent.mkdir()
    path.write_bytes(b"PAR1, with a header that claims all the memory")
    monkeypatch.setattr("polars.read_parquet", lambda *_, **__: pytest.fail("parsed"))
    with pytest.raises(DamagedError, match=r"is not what .*results.jsonl has of it"):
        read_users(tmp_path, "0123456789ab", "full", digest="0" * 64)
