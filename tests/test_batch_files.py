"""Files of recommendations and of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.api import Model, load
from solidrec.batch_files import export_users, recommend_file
from solidrec.errors import DataError, UsageError


@pytest.fixture(scope="module")
def model(run_folder: Path) -> Model:
    return load(run_folder)


def written(folder: Path, histories: dict[str, list[str]]) -> Path:
    path = folder / "batch.jsonl"
    lists = {"user": list(histories), "history": list(histories.values())}
    pl.DataFrame(lists).write_ndjson(path)
    return path


def test_each_user_gets_what_recommend_answers(model: Model, tmp_path: Path) -> None:
    histories = {"ann": ["i03", "i09"], "bob": [], "cyd": ["i01", "i02", "i03"]}
    counts = recommend_file(model, written(tmp_path, histories), tmp_path / "out.parquet", 3)
    assert counts == {"users": 3, "rows": 9, "fallbacks": 1, "ignored": 0}
    found = pl.read_parquet(tmp_path / "out.parquet")
    for user, history in histories.items():
        expected = model.recommend(history, 3).items
        own = found.filter(pl.col("user") == user)
        assert own["rank"].to_list() == [1, 2, 3]
        assert own["item"].to_list() == [item["item"] for item in expected]
        assert own["score"].to_list() == pytest.approx([item["score"] for item in expected])


def test_all_users_of_prepared_data_are_answered(model: Model, tmp_path: Path) -> None:
    data = model.data(None)
    counts = recommend_file(model, data.path, tmp_path / "out.parquet", 1)
    assert counts["users"] == len(data.users)
    user = data.users.id(1)
    events = data.event_items[data.offsets[1] : data.offsets[2]]
    answer = model.recommend([data.items.id(int(item)) for item in events], 1)
    first = pl.read_parquet(tmp_path / "out.parquet").row(0, named=True)
    assert (first["user"], first["item"]) == (user, answer.items[0]["item"])


def test_ids_of_another_catalogue_are_refused_with_an_example_of_either(
    model: Model, tmp_path: Path
) -> None:
    half = written(tmp_path, {"ann": ["i03", "3"]})
    assert recommend_file(model, half, tmp_path / "out.parquet", 1)["ignored"] == 1
    most = written(tmp_path, {"ann": ["i03", "3", "9"]})
    with pytest.raises(DataError, match=r"2 of 3 events, for example item '3'; its ids.*'i00'"):
        recommend_file(model, most, tmp_path / "out.parquet", 1)
    counts = recommend_file(model, most, tmp_path / "out.parquet", 1, max_unknown=1)
    assert counts["ignored"] == 2
    with pytest.raises(UsageError, match="--max-unknown nan"):
        recommend_file(model, most, tmp_path / "out.parquet", 1, max_unknown=float("nan"))


def test_the_file_that_is_read_is_not_written_over(model: Model, tmp_path: Path) -> None:
    path = written(tmp_path, {"ann": ["i03"]})
    before = path.read_bytes()
    with pytest.raises(UsageError, match="is the file that is read"):
        recommend_file(model, path, path, 1)
    with pytest.raises(UsageError, match="is the file that is read"):
        export_users(model.engine, path, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("k", [0, 2.5, True, None])
def test_k_is_a_whole_number(model: Model, tmp_path: Path, k: int) -> None:
    with pytest.raises(UsageError, match=r"^k="):
        recommend_file(model, written(tmp_path, {"ann": ["i03"]}), tmp_path / "out.parquet", k)


def test_paths_are_texts_too_and_other_arguments_are_named(model: Model, tmp_path: Path) -> None:
    batch, out = str(written(tmp_path, {"ann": ["i03"]})), str(tmp_path / "out.parquet")
    assert recommend_file(model, batch, out, 2)["rows"] == 2
    wrong: dict[str, Any] = {"columns": 5, "max_unknown": "x"}
    for name, value in wrong.items():
        with pytest.raises(UsageError, match=name.replace("_", ".")):
            recommend_file(model, batch, out, 2, **{name: value})
    with pytest.raises(UsageError, match="batch=5"):
        recommend_file(model, 5, out, 2)  # type: ignore[arg-type]
