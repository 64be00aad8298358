"""A prepared folder is written as a whole or not at all, and its fingerprint is of the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.errors import DataError, StorageError

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


def tiny() -> pl.DataFrame:
    rows = [(f"u{u}", f"i{(7 * u + 3 * n) % 40}", n) for u in range(6) for n in range(5)]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_fingerprint_names_the_data_and_not_the_folder(tmp_path: Path) -> None:
    first = prepare(tiny(), out=tmp_path / "a").fingerprint
    assert prepare(tiny(), out=tmp_path / "b").fingerprint == first
    assert (
        prepare(tiny(), out=tmp_path / "n", negatives=5).fingerprint != first
    )  # what it is measured on is part of the data
    assert prepare(tiny(), out=tmp_path / "s", seed=1).fingerprint != first
    others: list[dict[str, Any]] = [
        {"interactions": tiny().with_columns(item=pl.col("item").replace("i0", "other"))},
        {"interactions": tiny().with_columns(pl.col("timestamp") + 1)},
        {"interactions": tiny(), "split": "none"},
        {"interactions": tiny(), "items": pl.DataFrame({"item": ["i0"], "title": ["t"]})},
        {
            "interactions": tiny(),
            "items": pl.DataFrame({"item": ["i0"]}),
            "features": {"image": np.ones((1, 2))},
        },
        {
            "interactions": tiny(),
            "items": pl.DataFrame({"item": ["i0"]}),
            "features": {"image": np.full((1, 2), 2)},
        },
    ]
    found = [
        prepare(out=tmp_path / f"other{n}", **other).fingerprint for n, other in enumerate(others)
    ]
    assert len({first, *found}) == 1 + len(others)


def test_an_existing_folder_is_refused_or_replaced_and_nothing_else_ever_is(tmp_path: Path) -> None:
    prepare(tiny(), out=tmp_path / "data")
    with pytest.raises(StorageError, match="exists already"):
        prepare(tiny(), out=tmp_path / "data")
    before = bytes_of(tmp_path / "data")
    assert bytes_of(prepare(tiny(), out=tmp_path / "data", overwrite=True).path) == before
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("x")
    with pytest.raises(StorageError, match="is not a prepared folder"):
        prepare(tiny(), out=tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "x"


def test_a_failed_run_leaves_the_old_folder_and_no_other(tmp_path: Path) -> None:
    before = bytes_of(prepare(tiny(), out=tmp_path / "data").path)
    with pytest.raises(DataError):
        prepare(tiny(), out=tmp_path / "data", k_core=99, overwrite=True)
    assert bytes_of(tmp_path / "data") == before
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_the_fingerprint_of_data_without_pictures_is_what_it_was(
    walk: Walk, tmp_path: Path
) -> None:
    """The column of pictures came later; a run must not lose its data for that."""
    log, items = walk()
    plain = prepare(log, items=items, out=tmp_path / "plain")
    assert plain.catalog["image"].null_count() == 40
    named = prepare(
        log, items=items.with_columns(image=pl.col("item") + ".jpg"), out=tmp_path / "named"
    )
    assert named.catalog["image"].to_list() == [f"{item}.jpg" for item in named.catalog["item"]]
    assert named.manifest["modalities"]["image"] == {"items": 40, "missing": 0}
    assert named.fingerprint != plain.fingerprint
    assert plain.fingerprint == "bef800bc5de18b713fac82d454f1bfb1eaf3e794efe752f05fd1d5e53835e05e"


def test_t5_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: pl.DataFrame, path: Path) -> None:
        raise pl.exceptions.ComputeError("No space left on device (os error 28)")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(StorageError, match=r"cannot write .*No space left"):
        prepare(tiny(), out=tmp_path / "data", negatives=0)
    assert list(tmp_path.iterdir()) == []
