"""The contracts that other tools rely on, each by its command line and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from solidrec.data.prepared import PreparedData

Solidrec = Callable[..., Any]
METRICS = {
    "AUC",
    "UAUC",
    "MRR",
    "LogLoss",
    *(f"{name}@{k}" for name in ("NDCG", "Recall") for k in (5, 10, 20)),
}


def test_prepare_takes_a_shared_folder_without_column_options(
    solidrec: Solidrec, shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = shared_data("scientific_mm")
    answer = solidrec(
        "prepare",
        folder / "interactions.parquet",
        "--items",
        folder / "items.parquet",
        "--features",
        f"text={folder / 'text_clip_vitb32.npy'}",
        "--features",
        f"image={folder / 'image_clip_vitb32.npy'}",
        "--out",
        tmp_path / "DATA",
    )
    assert answer.code == 0
    manifest = json.loads((tmp_path / "DATA" / "manifest.json").read_text())
    assert (manifest["users"], manifest["items"], manifest["interactions"]) == (
        2_928,
        1_585,
        19_712,
    )


@pytest.mark.parametrize("backbone", ["din", "gru4rec", "sasrec", "bert4rec"])
def test_train_writes_metrics_that_evaluate_prints_again(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path, backbone: str
) -> None:
    run = tmp_path / "RUN"
    answer = solidrec(
        "train",
        data.path,
        "--model",
        "solid-duet",
        "--backbone",
        backbone,
        "--seed",
        4,
        "--epochs",
        1,
        "--out",
        run,
    )
    assert answer.code == 0, answer.err
    stored = json.loads((run / "metrics.json").read_text())
    assert [*stored] == ["valid", "test", "valid_full", "test_full"]
    test = stored["test"]
    assert (test["protocol"], test["seed"], test["users"]) == ("paper", 4, 90)
    assert test["negatives"] == data.manifest["negatives"]["test"]
    assert set(test["metrics"]) == METRICS
    printed = solidrec("evaluate", run, "--json")
    assert (printed.code, printed.err) == (0, "")
    assert json.loads(printed.out) == test


def test_saved_scores_give_the_printed_metrics(
    solidrec: Solidrec, run_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "scores.parquet"
    printed = json.loads(solidrec("evaluate", run_folder, "--json", "--save-scores", path).out)
    frame = pl.read_parquet(path)
    assert frame.columns == ["user", "item", "label", "score"]
    assert len(frame) == printed["users"] * (1 + printed["negatives"])
    assert roc_auc_score(frame["label"], frame["score"]) == pytest.approx(printed["metrics"]["AUC"])
    users = [roc_auc_score(user["label"], user["score"]) for user in frame.partition_by("user")]
    assert sum(users) / len(users) == pytest.approx(printed["metrics"]["UAUC"])


@pytest.mark.parametrize(
    ("history", "ignored", "fallback"),
    [
        ("i03,i09", [], None),
        ("i03,new,i09", ["new"], None),
        ("", [], "popularity"),
        ("new", ["new"], "popularity"),
    ],
)
def test_recommend_prints_items_ignored_and_fallback(
    solidrec: Solidrec, run_folder: Path, history: str, ignored: list[str], fallback: str | None
) -> None:
    answer = solidrec("recommend", run_folder, "--history", history, "-k", 3, "--json")
    assert (answer.code, answer.err) == (0, "")
    found = json.loads(answer.out)
    assert [*found] == ["items", "ignored", "fallback"]
    assert (found["ignored"], found["fallback"]) == (ignored, fallback)
    assert [[*item] for item in found["items"]] == [["item", "score", "title"]] * 3
    assert all(item["title"].startswith("thing ") for item in found["items"])
    assert [item["score"] for item in found["items"]] == sorted(
        (item["score"] for item in found["items"]), reverse=True
    )


def test_bad_input_is_one_line_and_an_exit_code(
    solidrec: Solidrec, data: PreparedData, run_folder: Path, tmp_path: Path
) -> None:
    import shutil

    (tmp_path / "column.csv").write_text("user,timestamp\na,1\n")
    (tmp_path / "type.csv").write_text("user,item,timestamp\na,x,1\na,y,yesterday\na,z,3\n")
    (tmp_path / "empty.csv").touch()
    broken = Path(shutil.copytree(run_folder, tmp_path / "broken"))
    (broken / "weights.safetensors").write_bytes(
        (broken / "weights.safetensors").read_bytes()[:500]
    )
    out = tmp_path / "out"
    for code, text, *words in (
        (65, "column", "prepare", tmp_path / "column.csv", "--out", out),
        (65, "yesterday", "prepare", tmp_path / "type.csv", "--out", out),
        (2, "did you mean 'solid-duet'?", "train", data.path, "--model", "solid-due", "--out", out),
        (65, "empty", "prepare", tmp_path / "empty.csv", "--out", out),
        (74, "is not a run folder", "evaluate", tmp_path),
        (77, "is truncated or changed (file 500 B", "recommend", broken, "--history", "i03"),
    ):
        answer = solidrec(*words)
        lines = [line for line in answer.err.splitlines() if line != "reading interactions"]
        assert (answer.code, answer.out, len(lines)) == (code, "", 1), answer.err
        assert lines[0].startswith("error: ")
        assert text in lines[0]
    assert not out.exists()
