from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.clean import CleanLog, Rules, clean
from solidrec.data.readers import read_table
from solidrec.errors import DataError, UsageError


def run(frame: pl.DataFrame | Path, **rules: Any) -> CleanLog:
    return clean(read_table(frame), columns={}, rules=Rules(**rules))


def told(found: CleanLog) -> pl.DataFrame:
    """A clean log with its ids for their numbers."""
    ids = {"user": found.users.gather(found.user - 1), "item": found.items.gather(found.item - 1)}
    return pl.DataFrame(ids | {"time": found.time})


def log(*rows: tuple[Any, ...]) -> pl.DataFrame:
    columns = ["user", "item", "timestamp", "rating"][: len(rows[0])]
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


BAD = [
    (None, "null_user"),
    ("", "null_user"),
    (" \u3000", "null_user"),
    ("a\0b", "control_user"),
    ("a\u0085b", "control_user"),
    ("é" * 129, "long_user"),
]


@pytest.mark.parametrize(("name", "reason"), BAD)
def test_d5_d8_a_bad_id_is_rejected_with_its_reason(name: str | None, reason: str) -> None:
    rows = log((name, "i", 1), *[("u", f"i{n}", n) for n in range(99)])
    with pytest.raises(
        DataError, match=rf"DataFrame: 1 bad rows: {reason} \(1\): DataFrame:1; repair"
    ):
        run(rows)
    found = run(rows, on_bad_row="quarantine")
    assert found.rows == {"in": 100, "kept": 99, "rejected": {reason: 1}, "dropped": {}}
    assert found.rejected.select("row", "reason").rows() == [(1, reason)]


def test_d8_256_bytes_are_fine() -> None:
    assert run(log(("é" * 128, "i", 1))).rows["kept"] == 1


@pytest.mark.parametrize(
    "value", ["yesterday", "1.5.0", "nan", "1e20", "inf", " 5", "0x10", str(2**63)]
)
def test_d4_a_time_that_is_neither_number_nor_date_names_row_and_value(
    tmp_path: Path, value: str
) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"user,item,timestamp\na,x,1\nb,y,{value}\nc,z,\n")
    with pytest.raises(DataError) as caught:
        run(path)
    said = str(caught.value)
    assert f"bad_time (1, neither a whole number nor a date): {path}:3 {value!r}" in said
    assert f"null_time (1): {path}:4" in said
    assert "\n" not in said


def test_d4_typed_times_are_held_to_the_same_rule() -> None:
    assert run(log(("a", "x", 3.0), ("a", "y", -2.0))).time.tolist() == [-2, 3]
    for value in (float("nan"), 1e20):
        with pytest.raises(DataError, match="bad_time"):
            run(log(("a", "x", value)))
    with pytest.raises(DataError, match="bad_time"):
        run(log(("a", "x", 1)).with_columns(timestamp=pl.lit(2**64 - 1, pl.UInt64)))
    when = run(log(("a", "x", "2024-01-02")).with_columns(pl.col("timestamp").str.to_date()))
    assert when.time.tolist() == [19_724 * 86_400 * 10**6]


def test_nanoseconds_keep_their_order_and_are_no_duplicates() -> None:
    times = pl.Series([7_003, 7_002, 7_001, 7_001], dtype=pl.Datetime("ns"))
    rows = log(*[("u", name, 0) for name in "aabb"]).with_columns(timestamp=times)
    found = run(rows)
    assert told(found)["item"].to_list() == ["b", "a", "a"]
    assert found.rows["dropped"] == {"exact_duplicate": 1}
    assert found.notes[0] == "DataFrame: times are dates, kept as nanoseconds since 1970"


def test_a_float_of_32_bits_says_why_it_is_no_time() -> None:
    rows = log(("u", "a", 0), ("u", "b", 0))
    rounded = rows.with_columns(timestamp=pl.Series([1.7e9, 5.0], dtype=pl.Float32))
    with pytest.raises(DataError, match=r"rounded_time \(1, more than this type .*DataFrame:1 '1"):
        run(rounded)


def test_d12_odd_times_are_noted_only_where_they_are_times() -> None:
    rows = log(("u", "a", 1_700_000_000), ("u", "b", 1_700_000_000_000), ("u", "c", -1))
    assert [note.split(";")[0] for note in run(rows).notes] == [
        "DataFrame: times in several units: 1 look like seconds, 1 look like milliseconds",
        "DataFrame: 1 times are negative, so before 1970",
    ]
    assert run(rows, order="file").notes == ()


def test_strict_mode_lists_twenty_rows_of_each_kind() -> None:
    with pytest.raises(DataError) as caught:
        run(log(*[(None, "i", n) for n in range(30)], *[("u", None, n) for n in range(3)]))
    said = str(caught.value)
    assert "null_user (30): DataFrame:1, DataFrame:2," in said
    assert "DataFrame:20, ...; null_item (3): DataFrame:31, DataFrame:32, DataFrame:33;" in said


def test_quarantine_gives_up_above_the_fraction() -> None:
    rows = log(*[(None, "i", 1)] * 2, *[("u", f"i{n}", n) for n in range(98)])
    with pytest.raises(
        DataError, match=r"2 of 100 rows are bad, more than --max-bad-fraction 0.01"
    ):
        run(rows, on_bad_row="quarantine")
    assert run(rows, on_bad_row="quarantine", max_bad_fraction=0.02).rows["kept"] == 98


def test_d10_exact_duplicates_follow_the_policy_and_repeats_stay() -> None:
    rows = log(("u", "a", 1), ("u", "a", 1), ("u", "a", 2))
    assert run(rows).rows == {"in": 3, "kept": 2, "rejected": {}, "dropped": {"exact_duplicate": 1}}
    assert run(rows, duplicates="keep").rows["kept"] == 3
    with pytest.raises(DataError, match="1 exact duplicates: DataFrame:2; remove"):
        run(rows, duplicates="error")


def test_without_times_no_row_is_a_duplicate() -> None:
    rows = log(("u", "a"), ("u", "b"), ("u", "a"))
    found = run(rows, order="file")
    assert told(found)["item"].to_list() == ["a", "b", "a"]
    assert found.order == "file"


def test_ratings_below_the_threshold_are_dropped() -> None:
    rows = log(("u", "a", 1, "4"), ("u", "b", 2, "3.5"), ("v", "a", 1, "5"))
    assert run(rows, min_rating=4).rows == {
        "in": 3,
        "kept": 2,
        "rejected": {},
        "dropped": {"below_min_rating": 1},
    }
    with pytest.raises(DataError, match="no rating column"):
        run(log(("u", "a", 1)), min_rating=4)
    with pytest.raises(DataError, match=r"bad_rating \(1, not a number\): DataFrame:1 'good'"):
        run(log(("u", "a", 1, "good")), min_rating=4)
    assert (
        run(log(("u", "a", 1, "good"))).rows["kept"] == 1
    )  # a rating that nobody reads may say anything


def test_the_k_core_is_iterated() -> None:
    # c has one row, so v falls to one row, then b, and so on: only the square u, w x a, d is left
    rows = log(
        ("u", "a", 1),
        ("u", "d", 2),
        ("w", "a", 3),
        ("w", "d", 4),
        ("v", "c", 5),
        ("v", "b", 6),
        ("u", "b", 7),
    )
    found = run(rows, k_core=2)
    assert sorted(told(found).select("user", "item").rows()) == [
        ("u", "a"),
        ("u", "d"),
        ("w", "a"),
        ("w", "d"),
    ]
    assert found.rows["dropped"] == {"k_core": 3}


@pytest.mark.parametrize(
    ("rules", "name"), [({"k_core": 3}, "k_core"), ({"min_rating": 6}, "below_min_rating")]
)
def test_d16_the_filter_that_removed_everything_is_named(rules: dict[str, Any], name: str) -> None:
    with pytest.raises(DataError, match=f"no rows are left after {name}"):
        run(log(("u", "a", 1, 5.0), ("v", "b", 2, 5.0)), **rules)


def test_d16_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user,item,timestamp\n")
    with pytest.raises(DataError, match="has a header but no rows"):
        run(tmp_path / "log.csv")


def test_d11_equal_times_keep_input_order_or_go_by_item() -> None:
    rows = log(("u", "b", 1), ("v", "x", 1), ("u", "a", 1), ("u", "c", 0))
    assert told(run(rows))["item"].to_list() == ["c", "b", "a", "x"]
    assert told(run(rows, ties="item"))["item"].to_list() == ["c", "a", "b", "x"]


def test_d12_the_order_comes_from_timestamp_then_position_then_an_explicit_wish() -> None:
    both = pl.DataFrame(
        {"user": ["u", "u"], "item": ["a", "b"], "timestamp": [2, 1], "position": [0, 1]}
    )
    assert [run(both).order, told(run(both))["item"].to_list()] == ["timestamp", ["b", "a"]]
    position = both.drop("timestamp")
    assert [run(position).order, told(run(position))["item"].to_list()] == ["position", ["a", "b"]]
    with pytest.raises(UsageError, match=r"no time column .*--order file"):
        run(position.drop("position"))


IDS = st.sampled_from(["a", "b", "é", "Z", "", None, "x\n"])
ROWS = st.lists(
    st.tuples(
        IDS, IDS, st.sampled_from(["1", "2", "3", None, "x"]), st.sampled_from(["1", "5", "?"])
    ),
    min_size=1,
)


@given(ROWS, st.integers(0, 3), st.sampled_from([None, 3.0]))
def test_every_row_is_kept_rejected_or_dropped_by_name(
    rows: list[tuple[Any, ...]], k_core: int, min_rating: float | None
) -> None:
    try:
        found = run(
            log(*rows),
            on_bad_row="quarantine",
            max_bad_fraction=1.0,
            k_core=k_core,
            min_rating=min_rating,
        )
    except DataError as error:
        if "no rows are left" not in str(error):
            raise
        return
    account: Any = found.rows
    assert account["in"] == len(rows)
    assert account["in"] == account["kept"] + sum(account["rejected"].values()) + sum(
        account["dropped"].values()
    )
    fine = [
        row
        for row in rows
        if row[0] in ("a", "b", "é", "Z")
        and row[1] in ("a", "b", "é", "Z")
        and row[2] in ("1", "2", "3")
    ]
    rated = [row for row in fine if min_rating is None or row[3] != "?"]
    assert sum(account["rejected"].values()) == len(rows) - len(rated)
    assert account["dropped"].get("below_min_rating", 0) == sum(
        min_rating is not None and row[3] == "1" for row in rated
    )
