from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, StorageError

# u: a b c d · v: b b a · w: c
LOG = pl.DataFrame(
    {"user": list("uuuuvvvw"), "item": list("abcdbbac"), "position": [0, 1, 2, 3, 0, 1, 2, 0]}
)


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    more = pl.DataFrame({"user": ["x"] * 3, "item": ["e", "f", "g"], "position": [0, 1, 2]})
    return prepare(pl.concat([LOG, more]), out=tmp_path / "data", negatives=2)


def test_events_lie_user_by_user_in_order(data: PreparedData) -> None:
    assert data.users.ids == ("u", "v", "w", "x")
    assert data.items.ids == tuple("abcdefg")
    assert data.offsets.tolist() == [0, 0, 4, 7, 8, 11]
    assert data.event_items.tolist() == [1, 2, 3, 4, 2, 2, 1, 3, 5, 6, 7]
    assert data.train_end.tolist() == [0, 4 - 2, 7 - 2, 8, 11 - 2]
    assert [array.dtype for array in (data.offsets, data.event_items, data.event_times)] == [
        np.int64,
        np.int32,
        np.int64,
    ]


def test_training_targets_have_a_history_and_counts_are_of_training_events(
    data: PreparedData,
) -> None:
    users, positions = data.training_targets()
    assert (users.tolist(), positions.tolist()) == ([1], [1])
    assert data.train_counts.tolist() == [0, 1, 2, 1, 0, 1, 0, 0]  # a b | b | c | e


def test_rows_name_the_targets(data: PreparedData) -> None:
    rows = data.rows("test")
    assert (rows.users.tolist(), rows.positions.tolist(), rows.targets.tolist()) == (
        [1, 2, 4],
        [3, 6, 10],
        [4, 1, 7],
    )
    assert [array.dtype for array in (rows.users, rows.positions, rows.targets)] == [
        np.int32,
        np.int64,
        np.int32,
    ]
    assert len(rows) == 3
    assert rows.candidates(1, 9).shape == (2, 1 + 2)
    assert rows.candidates(0, 3).dtype == np.int32
    assert data.histories(rows.users, rows.positions, 2).tolist() == [[2, 3], [2, 2], [5, 6]]
    row, item = data.seen(rows.users, rows.positions)
    assert list(zip(row.tolist(), item.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 2),
        (1, 2),
        (2, 5),
        (2, 6),
    ]


def test_training_negatives_leave_out_training_items_only(data: PreparedData) -> None:
    drawn = data.training_negatives().draw(np.array([1]), 500, np.random.default_rng(0))
    assert set(drawn[0].tolist()) == {3, 4, 5, 6, 7}  # c and d are held out and stay drawable


def test_derived_negatives_equal_stored_ones(
    data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.data.write_prepared._STORED_ROWS", 0)
    log = pl.DataFrame({"user": [data.users.ids[0]], "item": ["a"], "position": [0]}).clear()
    for u in range(1, len(data.users) + 1):
        items = data.event_items[data.offsets[u] : data.offsets[u + 1]].tolist()
        rows = [(data.users.id(u), data.items.id(item), n) for n, item in enumerate(items)]
        log = log.vstack(pl.DataFrame(rows, schema=log.schema, orient="row"))
    derived = prepare(log, out=tmp_path / "derived", negatives=2)
    assert not (derived.path / "test_negatives.npy").exists()
    for part in ("valid", "test"):
        for start, stop in ((0, 3), (1, 2)):
            stored = data.rows(part).candidates(start, stop)  # type: ignore[arg-type]
            assert derived.rows(part).candidates(start, stop).tolist() == stored.tolist()  # type: ignore[arg-type]


def test_arrays_are_read_only(data: PreparedData) -> None:
    with pytest.raises(ValueError, match="read-only"):
        data.event_items[0] = 9


def test_a_changed_or_missing_file_is_noticed(data: PreparedData) -> None:
    path = data.path / "event_items.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"event_items.npy: its bytes changed"):
        PreparedData.open(data.path)
    path.unlink()
    with pytest.raises(DamagedError, match="is missing"):
        PreparedData.open(data.path)


def test_a_folder_that_is_no_prepared_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not a data folder"):
        PreparedData.open(tmp_path)


def test_validation_and_test_have_negatives_of_their_own(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> None:
    """With the same ones, choices on validation users would fit the very lists of the test."""
    data = prepare(walk()[0], out=tmp_path / "walk", negatives=5)
    valid, test = (data.rows("valid"), data.rows("test"))
    assert valid.users.tolist() == test.users.tolist()
    pairs = zip(valid.candidates(0, 90)[:, 1:], test.candidates(0, 90)[:, 1:], strict=True)
    same = [set(one.tolist()) == set(other.tolist()) for one, other in pairs]
    assert len(same) == 90
    assert sum(same) == 0
