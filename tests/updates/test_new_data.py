"""The data of an update hold everything, and the run knows every item."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.api import add_items, prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.runs import Run, load_run
from solidrec.updates.new_data import with_new_events


def test_the_data_hold_all_events_for_training_and_the_run_knows_their_items(
    mixture: Any, log: Any, tmp_path: Path
) -> None:
    run, data, clicks, items = mixture
    new = with_new_events(run, data, clicks, items=items, out=tmp_path / "new")
    assert new.added == {"events": len(clicks), "known_events": 0, "users": 0, "items": 2}
    assert new.data.manifest["interactions"] == len(log[0])
    assert (new.data.train_end == new.data.offsets[1:]).all()
    assert new.data.manifest["negatives"] == {"seed": 0, "stored": True}
    assert new.data.items.ids == new.run.items.ids
    assert new.data.items.ids[:-2] == data.items.ids
    assert sorted(new.data.items.ids[-2:]) == ["i03new", "i17new"]
    assert new.data.catalog["title"].to_list()[-2:] == ["thing 3 of kind 0", "thing 17 of kind 3"]
    # a new item has the ids of its twin, whose content is the same
    table = new.run.semantics.table
    assert (table[new.run.items.index("i03new")] == table[new.run.items.index("i03")]).all()
    # new are all events from validation on
    times = np.asarray(new.data.event_times)
    cut = data.manifest["split_facts"]["valid_from"]
    assert (new.trained == (times < cut)).all()


def test_an_items_table_is_not_needed(mixture: Any, tmp_path: Path) -> None:
    new = with_new_events(mixture.run, mixture.data, mixture.clicks, out=tmp_path / "new")
    assert new.data.catalog["title"].to_list()[-2:] == [None, None]
    assert new.run.model.items.weight.isfinite().all()


def test_items_that_were_added_between_keep_their_numbers(
    mixture: Any, tmp_path: Path, log: Any
) -> None:
    more = pl.DataFrame(
        {"item": ["zz"], "title": ["thing 99 of kind 2"], "categories": [["kind 2"]]}
    )
    add_items(mixture.run.path, more, out=tmp_path / "more")
    grown = load_run(tmp_path / "more")
    new = with_new_events(
        grown, mixture.data, mixture.clicks, items=mixture.items, out=tmp_path / "new"
    )
    assert new.data.items.ids[-3:] == ("zz", "i03new", "i17new")
    assert new.data.catalog["title"].to_list()[-3] == "thing 99 of kind 2"
    assert new.data.train_counts[-3] == 0


def test_features_grow_with_the_items(data: PreparedData, run_folder: Path, tmp_path: Path) -> None:
    clicks = pl.DataFrame(
        {"user": ["u000", "u001", "w"], "item": ["n", "i01", "i02"], "position": [0, 0, 0]}
    )
    items = pl.DataFrame({"item": ["n"], "title": ["thing of kind 1"], "item_idx": [0]})
    run = load_run(run_folder)
    with pytest.raises(UsageError, match=r"'picture': .* was prepared without it .it has content"):
        with_new_events(
            run,
            data,
            clicks,
            items=items,
            features={"picture": np.ones((1, 8))},
            out=tmp_path / "x",
        )
    with pytest.raises(DataError, match="has 3 columns, 8 are needed"):
        with_new_events(
            run,
            data,
            clicks,
            items=items,
            features={"content": np.ones((1, 3))},
            out=tmp_path / "x",
        )
    new = with_new_events(
        run, data, clicks, items=items, features={"content": np.ones((1, 8))}, out=tmp_path / "new"
    )
    assert (new.data.features["content"][-1] == 1).all()
    assert (new.data.features["content"][:-1] == data.features["content"]).all()
    assert new.data.users.ids[-1] == "w"
    assert new.added == {"events": 3, "known_events": 0, "users": 1, "items": 1}


def test_the_same_call_opens_what_it_wrote_and_another_is_refused(
    mixture: Any, tmp_path: Path
) -> None:
    mixture.clicks.write_csv(tmp_path / "clicks.csv")
    lines: list[str] = []

    def once(clicks: Path) -> Any:
        return with_new_events(
            mixture.run, mixture.data, clicks, out=tmp_path / "new", say=lines.append
        )

    first = once(tmp_path / "clicks.csv")
    said = list(lines)
    again = once(tmp_path / "clicks.csv")
    assert lines == [*said, *said, f"{tmp_path / 'new'}: the same command wrote it before"]
    assert again.data.fingerprint == first.data.fingerprint
    assert (again.trained == first.trained).all()
    mixture.clicks[:-1].write_csv(tmp_path / "other.csv")
    with pytest.raises(StorageError, match="exists already; choose another --data-out"):
        once(tmp_path / "other.csv")


def test_a_log_without_a_new_event_is_refused(mixture: Any, log: Any, tmp_path: Path) -> None:
    known = log[0].filter(pl.col("timestamp") < 100)
    with pytest.raises(DataError, match=f"all of its {len(known):,} events are known already"):
        with_new_events(mixture.run, mixture.data, known, out=tmp_path / "new")


def test_data_prepared_by_a_k_core_take_rare_items_too(
    log: Any, tmp_path: Path, solid: Any
) -> None:
    """A k-core is about a whole log, so new events are not held to it."""
    before = log[0].filter(pl.col("timestamp") < 160)
    data = prepare(before, items=log[1], split="time", k_core=2, out=tmp_path / "data")
    run: Run = solid.run
    rare = pl.DataFrame({"user": ["new"] * 2, "item": ["only", "i01"], "timestamp": [400, 401]})
    new = with_new_events(run, data, rare, out=tmp_path / "new")
    assert new.added["items"] == new.added["users"] == 1


def test_the_items_table_need_not_list_the_new_items_and_renews_prices(
    log: Any, solid: Any, tmp_path: Path
) -> None:
    """A file of known items is no error, and its prices are those of today."""
    priced = log[1].with_columns(price=pl.lit(5))
    before = log[0].filter(pl.col("timestamp") < 160)
    data = prepare(before, items=priced, split="time", out=tmp_path / "data")
    run = dataclasses.replace(solid.run, attributes=data.attributes)
    clicks = pl.DataFrame(
        {"user": ["new"] * 2, "item": ["unlisted", "i01"], "timestamp": [400, 401]}
    )
    today = priced.filter(~pl.col("item").str.ends_with("new")).with_columns(price=pl.lit(7))
    new = with_new_events(run, data, clicks, items=today, out=tmp_path / "new")
    prices = new.run.attributes["price"].to_list()
    assert prices == [7] * 40 + [None]
    assert new.data.attributes["price"].to_list() == prices


@pytest.mark.parametrize(
    ("written", "example"),
    [
        (pl.col("item") + ".0", "differ from a known one only by .* as 'i00.0' .* from 'i00'"),
        ("K" + pl.col("item"), "the log has 'Ki00', the run 'i00'"),
    ],
)
def test_a_log_whose_items_are_written_otherwise_is_refused(
    mixture: Any, tmp_path: Path, written: pl.Expr, example: str
) -> None:
    clicks = mixture.clicks.with_columns(written.alias("item"))
    with pytest.raises(DataError, match=rf"none of the 42 items of the log is known; .*{example}"):
        with_new_events(mixture.run, mixture.data, clicks, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_any_number_of_new_items_that_are_described_is_taken(mixture: Any, tmp_path: Path) -> None:
    clicks, items = (
        frame.with_columns(item="K" + pl.col("item")) for frame in (mixture.clicks, mixture.items)
    )
    items = pl.concat([mixture.items, items])
    new = with_new_events(mixture.run, mixture.data, clicks, items=items, out=tmp_path / "new")
    assert new.added["items"] == 42


def test_new_items_are_told_and_hardly_any_known_user_is_a_warning(
    mixture: Any, tmp_path: Path
) -> None:
    clicks = mixture.clicks.with_columns(user="0" + pl.col("user"))
    lines: list[str] = []
    with_new_events(mixture.run, mixture.data, clicks, out=tmp_path / "new", say=lines.append)
    note, warning = lines
    assert "2 of 42 items of the log are new and have no row in --items; the log has 'i" in note
    assert warning.startswith("warning: ")
    assert "120 of 120 users of the log are new" in warning
    assert "'0u000'" in warning
