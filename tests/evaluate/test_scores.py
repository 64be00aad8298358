from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import ndcg_score, roc_auc_score

from solidrec.data.prepared import PreparedData
from solidrec.errors import DivergedError, StorageError
from solidrec.evaluate import runner, scores
from solidrec.evaluate.runner import Scorer, evaluate
from solidrec.evaluate.scores import ScoreWriter


@pytest.mark.parametrize("protocol", ["paper", "full"])
def test_anybody_can_compute_the_metrics_again(
    data: PreparedData, untied: Scorer, tmp_path: Path, protocol: Any
) -> None:
    path = tmp_path / "new folder" / "scores.parquet"
    with ScoreWriter(path, data) as sink:
        found = evaluate(untied, data, protocol=protocol, length=4, sink=sink)
    frame = pl.read_parquet(path)
    assert frame.schema == {
        "user": pl.String,
        "item": pl.String,
        "label": pl.Int8,
        "score": pl.Float32,
    }
    assert set(frame["user"]) <= set(data.users.ids)
    positives = frame.group_by("user").agg(pl.col("label").sum())["label"]
    assert (positives.max(), (positives == 0).sum()) == (
        1,
        found.missed,
    )  # what cannot be recommended has no row: it is a miss
    assert found.missed == 0 or protocol == "full"
    users = [user for user in frame.partition_by("user") if user["label"].sum()]
    everybody = len(positives)
    by_user = {
        "UAUC": sum(roc_auc_score(user["label"], user["score"]) for user in users) / everybody,
        "NDCG@10": sum(ndcg_score([user["label"]], [user["score"]], k=10) for user in users)
        / everybody,
        "Recall@10": sum(user.top_k(10, by="score")["label"].sum() for user in users) / everybody,
    }
    assert {name: found.metrics[name] for name in by_user} == pytest.approx(by_user)
    assert found.metrics["AUC"] == pytest.approx(roc_auc_score(frame["label"], frame["score"]))


def test_rows_name_the_users_own_ids(data: PreparedData, tied: Scorer, tmp_path: Path) -> None:
    with ScoreWriter(tmp_path / "scores.parquet", data) as sink:
        evaluate(tied, data, length=4, sink=sink)
    frame = pl.read_parquet(tmp_path / "scores.parquet")
    rows = data.rows("test")
    first = frame.filter(pl.col("user") == data.users.id(int(rows.users[0])))
    candidates = rows.candidates(0, 1)
    assert first["item"].to_list() == [data.items.id(int(item)) for item in candidates[0]]
    expected = tied(data.histories(rows.users[:1], rows.positions[:1], 4), candidates)
    assert first["score"].to_list() == expected[0].tolist()  # to the last bit
    assert first.filter(pl.col("label") == 1)["item"].to_list() == [
        data.items.id(int(rows.targets[0]))
    ]


def test_what_waits_on_disk_comes_back_in_order(
    data: PreparedData, tied: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScoreWriter(tmp_path / "whole.parquet", data) as sink:
        evaluate(tied, data, protocol="full", length=4, sink=sink)
        assert (len(sink.parts), sink.files) == (1, [])
    monkeypatch.setattr(runner, "_CELLS", 7 * len(data.items))
    monkeypatch.setattr(runner, "_WIDE_ROWS", 1)
    monkeypatch.setattr(scores, "_ROWS", 500)
    with ScoreWriter(tmp_path / "parts.parquet", data) as sink:
        evaluate(tied, data, protocol="full", length=4, sink=sink)
        assert len(sink.files) > 2
        assert len(sink.parts) < 3
    assert not Path(sink.folder.name).exists()
    assert pl.read_parquet(tmp_path / "parts.parquet").equals(
        pl.read_parquet(tmp_path / "whole.parquet")
    )


def test_a_failed_evaluation_writes_nothing(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(DivergedError), ScoreWriter(tmp_path / "scores.parquet", data) as sink:
        evaluate(lambda h, c: np.full((len(h), c.shape[1]), np.nan), data, sink=sink)
    assert not list(tmp_path.iterdir())


def test_a_path_that_cannot_be_written_is_one_line(
    data: PreparedData, tied: Scorer, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="cannot write"),
        ScoreWriter(tmp_path / "file" / "scores.parquet", data) as sink,
    ):
        evaluate(tied, data, sink=sink)
