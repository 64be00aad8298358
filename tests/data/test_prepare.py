from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError
from solidrec.json_files import read_json


def tiny(users: int = 6, length: int = 5, items: int = 40) -> pl.DataFrame:
    rows = [
        (f"u{u}", f"i{(7 * u + 3 * n) % items}", n) for u in range(users) for n in range(length)
    ]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_manifest_says_what_was_done(tmp_path: Path) -> None:
    log = pl.concat([tiny(), tiny().head(1)])
    data = prepare(log, out=tmp_path / "data", negatives=9, seed=3)
    manifest = data.manifest
    items = tiny()["item"].n_unique()
    assert [manifest[key] for key in ("users", "items", "interactions")] == [6, items, 6 * 5]
    assert manifest["rows"] == {
        "in": 6 * 5 + 1,
        "kept": 6 * 5,
        "rejected": {},
        "dropped": {"exact_duplicate": 1},
    }
    assert manifest["negatives"] == {"valid": 9, "test": 9, "seed": 3, "stored": True}
    assert [manifest[key] for key in ("split", "order", "last_item_tied_users")] == [
        "leave-one-out",
        "timestamp",
        0,
    ]
    assert manifest["options"]["negatives"] == 9
    assert manifest["fingerprint"] == data.fingerprint
    assert str(tmp_path) not in (tmp_path / "data" / "manifest.json").read_text()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same_data(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    write = {
        ".csv": tiny().write_csv,
        ".jsonl": tiny().write_ndjson,
        ".parquet": tiny().write_parquet,
    }
    if suffix == ".tsv":
        tiny().write_csv(path, separator="\t")
    else:
        write[suffix](path)
    expected = prepare(tiny(), out=tmp_path / "frame").fingerprint
    assert prepare(path, out=tmp_path / "file").fingerprint == expected
    assert (
        prepare(pd.DataFrame(tiny().to_dict(as_series=False)), out=tmp_path / "pandas").fingerprint
        == expected
    )


def test_d11_a_shuffled_file_gives_a_byte_identical_folder_when_ties_go_by_item(
    tmp_path: Path,
) -> None:
    rows = [
        (f"u{u}", f"i{(u * n) % 9}", n // 3, 1 + (u + n) % 5) for u in range(12) for n in range(12)
    ]
    random.Random(0).shuffle(rows)
    folders = []
    for name in ("first", "second"):
        rows = sorted(rows) if name == "second" else rows
        log = pl.DataFrame(rows, schema=["user", "item", "timestamp", "rating"], orient="row")
        (tmp_path / name).mkdir()
        log.write_csv(tmp_path / name / "log.csv")
        prepare(
            tmp_path / name / "log.csv",
            out=tmp_path / name / "data",
            ties="item",
            min_rating=2,
            k_core=2,
            negatives=1,
        )
        folders.append(bytes_of(tmp_path / name / "data"))
    assert folders[0] == folders[1]


LOGS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 30), st.integers(0, 9)), min_size=12, max_size=60
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    LOGS,
    st.sampled_from(["leave-one-out", "time"]),
    st.sampled_from(["input", "item"]),
    st.integers(1, 6),
)
def test_d23_nothing_at_or_after_a_target_leaks(
    tmp_path: Path, rows: list[Any], split: Any, ties: Any, length: int
) -> None:
    log = pl.DataFrame(
        [(f"u{u}", f"é{i}", t) for u, i, t in rows],
        schema=["user", "item", "timestamp"],
        orient="row",
    )
    try:
        data = prepare(
            log, out=tmp_path / "data", split=split, ties=ties, negatives=3, overwrite=True
        )
    except DataError:
        return
    by_user = {name: [] for name in data.users.ids} | {  # the same log, told in plain Python
        name: sorted({(t, f"é{i}") for u, i, t in rows if f"u{u}" == name})
        for name in data.users.ids
    }
    assert (
        len(data.event_items)
        == sum(len(events) for events in by_user.values())
        == data.manifest["rows"]["kept"]
    )
    for u, name in enumerate(data.users.ids, start=1):
        span = slice(int(data.offsets[u]), int(data.offsets[u + 1]))
        found = list(
            zip(
                data.event_times[span].tolist(),
                [data.items.id(i) for i in data.event_items[span].tolist()],
                strict=True,
            )
        )
        assert sorted(found) == by_user[name]
        assert [t for t, _ in found] == sorted(t for t, _ in found)
    check_targets(data, *data.training_targets(), length)
    cut = data.manifest["split_facts"].get("valid_from")
    for part in ("valid", "test"):
        eval_rows = data.rows(part)  # type: ignore[arg-type]
        check_targets(data, eval_rows.users, eval_rows.positions, length)
        assert (eval_rows.positions >= data.train_end[eval_rows.users]).all()
        check_candidates(data, eval_rows)
        assert cut is None or (data.event_times[eval_rows.positions] >= cut).all()
    users, positions = data.training_targets()
    assert (positions < data.train_end[users]).all()
    assert cut is None or (data.event_times[positions] < cut).all()
    assert data.train_counts.sum() == (data.train_end - data.offsets[:-1]).sum()


def check_targets(
    data: PreparedData, users: np.ndarray, positions: np.ndarray, length: int
) -> None:
    histories = data.histories(users, positions, length)
    rows, seen = data.seen(users, positions)
    for n, (user, position) in enumerate(zip(users.tolist(), positions.tolist(), strict=True)):
        start = int(data.offsets[user])
        assert (
            start < position < data.offsets[user + 1]
        )  # there is a history, and it is this user's
        before = data.event_items[start:position].tolist()
        assert histories[n][histories[n] > 0].tolist() == before[-length:]
        assert seen[rows == n].tolist() == before


def check_candidates(data: PreparedData, eval_rows: Any) -> None:
    candidates = eval_rows.candidates(0, len(eval_rows))
    assert (
        candidates[:, 0].tolist()
        == eval_rows.targets.tolist()
        == data.event_items[eval_rows.positions].tolist()
    )
    for user, row in zip(eval_rows.users.tolist(), candidates.tolist(), strict=True):
        touched = set(data.event_items[data.offsets[user] : data.offsets[user + 1]].tolist())
        assert not set(row[1:]) & touched
        assert len(set(row)) == len(row)
        assert min(row) >= 1


def test_fit_all_trains_on_everything_and_has_no_rows(tmp_path: Path) -> None:
    data = prepare(tiny(), out=tmp_path / "data", split="none")
    assert len(data.training_targets()[0]) == 6 * (5 - 1)
    with pytest.raises(
        UsageError, match=r"has no 'test' rows .*--split leave-one-out or --split time"
    ):
        data.rows("test")


def test_the_time_split_needs_timestamps(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs timestamps, the log is ordered by position"):
        prepare(tiny().rename({"timestamp": "position"}), out=tmp_path / "data", split="time")
    data = prepare(tiny(), out=tmp_path / "data", split="time", valid_from=3, test_from=4)
    assert data.manifest["split_facts"]["valid_from"] == 3
    with pytest.raises(UsageError, match=r"setting valid_from: .*valid integer.* \(got 'noon'\)"):
        prepare(tiny(), out=tmp_path / "text", split="time", valid_from="noon", test_from=4)
    with pytest.raises(UsageError, match="go together"):
        prepare(tiny(), out=tmp_path / "other", split="time", valid_from=3)
    with pytest.raises(UsageError, match="cut by time, and the split is leave-one-out"):
        prepare(tiny(), out=tmp_path / "other", valid_from=3, test_from=4)


def test_users_whose_last_item_is_arbitrary_are_counted(tmp_path: Path) -> None:
    log = pl.concat(
        [
            tiny(),
            pl.DataFrame(
                {"user": ["u0", "u1", "v"], "item": ["x", "y", "z"], "timestamp": [4, 5, 1]}
            ),
        ]
    )
    assert prepare(log, out=tmp_path / "data").manifest["last_item_tied_users"] == 1


def test_too_few_items_lower_the_negatives_of_all_rows(tmp_path: Path) -> None:
    data = prepare(tiny(users=6, length=5, items=12), out=tmp_path / "data")
    most = max(tiny(items=12).group_by("user").agg(pl.col("item").n_unique())["item"])
    assert data.manifest["negatives"]["test"] == 12 - most
    assert data.rows("test").candidates(0, 2).shape == (2, 1 + 12 - most)
    with pytest.raises(DataError, match="touched all 2 items"):
        prepare(tiny(users=2, length=9, items=2), out=tmp_path / "other")
    assert prepare(tiny(users=2, length=9, items=2), out=tmp_path / "none", negatives=0).rows(
        "test"
    ).candidates(0, 1).shape == (1, 1)


def test_bad_rows_are_set_aside_in_a_file(tmp_path: Path) -> None:
    log = pl.concat(
        [
            tiny(),
            pl.DataFrame({"user": [None], "item": ["i1"], "timestamp": [9]}, schema=tiny().schema),
        ]
    )
    data = prepare(log, out=tmp_path / "data", on_bad_row="quarantine", max_bad_fraction=0.1)
    assert data.manifest["rows"] == {
        "in": 31,
        "kept": 30,
        "rejected": {"null_user": 1},
        "dropped": {},
    }
    assert pl.read_parquet(data.path / "rejected.parquet").select(
        "row", "item", "reason"
    ).rows() == [(31, "i1", "null_user")]


def test_named_columns_are_used(tmp_path: Path) -> None:
    log = tiny().rename({"user": "who", "item": "what", "timestamp": "when"})
    items = pl.DataFrame({"what": ["i0"], "label": ["Zero"], "kind": ["x|y"]})
    data = prepare(
        log,
        items=items,
        out=tmp_path / "data",
        user_column="who",
        item_column="what",
        time_column="when",
        title_column="label",
        category_column="kind",
        category_separator="|",
    )
    row = data.catalog.row(data.items.index("i0") - 1, named=True)
    assert (row["item"], row["title"], row["categories"]) == ("i0", "Zero", ["x", "y"])
    assert data.manifest["catalog"]["without_catalog_row"] == len(data.items) - 1


def test_features_are_stored_by_item(tmp_path: Path) -> None:
    names = sorted(set(tiny()["item"]), reverse=True)
    np.save(tmp_path / "image.npy", np.arange(1, len(names) + 1, dtype=np.float64)[:, None])
    items = pl.DataFrame({"item": names, "item_idx": range(len(names))})
    data = prepare(
        tiny(), items=items, features={"image": tmp_path / "image.npy"}, out=tmp_path / "data"
    )
    assert data.features["image"].shape == (len(names) + 1, 1)
    assert [data.features["image"][data.items.index(name), 0] for name in names] == list(
        range(1, len(names) + 1)
    )
    assert data.manifest["modalities"]["image"] == {"width": 1, "items": len(names), "missing": 0}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"split": "leave_one_out"},
            "setting split: unknown name 'leave_one_out'; did you mean 'leave-one-out'?",
        ),
        (
            {"negatives": -1},
            "setting negatives: input should be greater than or equal to 0 .got -1.",
        ),
        ({"user_colum": "u"}, "unknown setting 'user_colum'; did you mean 'user_column'?"),
        (
            {"features": {"../x": "y.npy"}, "items": pl.DataFrame({"item": ["a"]})},
            "must be letters",
        ),
        ({"features": {"image": "y.npy"}}, r"give items="),
    ],
)
def test_wrong_options_are_refused_before_anything_is_read(
    tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        prepare(tmp_path / "absent.csv", out=tmp_path / "data", **options)


def test_progress_and_notes(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(tiny().write_csv().rstrip("\n"))
    steps: list[str] = []
    prepare(tmp_path / "log.csv", out=tmp_path / "data", progress=steps.append)
    assert steps == ["reading interactions", "splitting", "reading the catalogue", "writing"]
    assert "no line end" in read_json(tmp_path / "data" / "manifest.json")["notes"][0]


def test_the_items_file_may_call_its_ids_by_another_name(tmp_path: Path) -> None:
    items = pl.DataFrame({"sku": ["i0"], "title": ["first"]})
    log = tiny().rename({"item": "product"})
    with pytest.raises(
        DataError, match=r"no items_id column .*name it with --items-id-column NAME"
    ):
        prepare(log, items=items, item_column="product", out=tmp_path / "a")
    data = prepare(
        log, items=items, item_column="product", items_id_column="sku", out=tmp_path / "a"
    )
    assert data.catalog.filter(pl.col("item") == "i0")["title"].to_list() == ["first"]


@pytest.mark.parametrize("name", ["items_id_column", "title_column", "category_column"])
def test_a_column_of_an_items_file_needs_one(tmp_path: Path, name: str) -> None:
    log = pl.DataFrame({"user": ["u"] * 3, "item": ["a", "b", "c"], "timestamp": [1, 2, 3]})
    with pytest.raises(UsageError, match=r"nope: names a column of an items file; give items="):
        prepare(log, out=tmp_path / "out", **{name: "nope"})
    assert not (tmp_path / "out").exists()
