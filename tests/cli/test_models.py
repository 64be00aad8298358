from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.cli.settings_options import settings
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.json_files import read_json, sealed

Solidrec = Callable[..., Any]
SMALL = ("--set", "model.dim=8", "--set", "train.batch_size=128", "--epochs", "1")


def test_train_prints_a_table_and_what_comes_next(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    answer = solidrec(
        "train", data.path, "--model", "static", "--backbone", "gru4rec", "--out", out, *SMALL
    )
    assert answer.code == 0
    assert "static on gru4rec" in answer.out
    assert "test, 1 + 99 uniform" in answer.out
    assert answer.out.index("test, whole catalogue") < answer.out.index("test, 1 + 99 uniform")
    assert "stage 1: best epoch 1 (at most 1), valid UAUC 0." in answer.err
    assert (
        answer.err.splitlines()[-1]
        == f'wrote {out}; next: solidrec recommend {out} --history "ID,ID"'
    )


def test_train_alone_trains_a_mixture_and_shows_its_floor(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    """What needs no training stands below it, and the screen says what it is made of."""
    small = ["--set", "model.dim=8", "--set", "model.history_length=6", "--set", "train.epochs=1"]
    found = solidrec("train", data.path, "--out", tmp_path / "run", *small)
    assert (
        "model: mixture of a neural model, transition memories, content, "
        "semantic ids and popularity" in found.err
    )
    assert "mixture on sasrec" in found.out
    places = [
        found.out.index(f"{row}, whole catalogue")
        for row in ("test", "knn-content, test", "popularity, test")
    ]
    assert places == sorted(places)


def test_where_time_splits_the_data_the_floor_is_what_is_popular_now(
    solidrec: Solidrec, timed: PreparedData, tmp_path: Path
) -> None:
    small = ["--set", "model.dim=8", "--set", "model.history_length=6", "--set", "train.epochs=1"]
    found = solidrec("train", timed.path, "--out", tmp_path / "run", *small)
    assert "content, semantic ids, popularity and recency" in found.err
    assert "experts that have not seen their time" in found.err
    assert "recent-popularity, test, whole catalogue" in found.out


def test_train_json_is_the_metrics_file_and_the_folder(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    answer = solidrec(
        "train", data.path, "--model", "duet", "--seed", 2, "--out", out, "--json", *SMALL
    )
    assert json.loads(answer.out) == {"run": str(out), **read_json(out / "metrics.json")}
    again = solidrec(
        "train", data.path, "--model", "duet", "--seed", 2, "--out", out, "--json", *SMALL
    )
    assert "this run is finished already" in again.err
    assert again.out == answer.out


def test_everything_in_a_specification_can_be_set_and_nothing_is_ignored(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        'seed = 5\n[model]\nname = "static"\ndim = 4\n[train]\nepochs = 1\nbatch_size = 100\n'
    )
    out = tmp_path / "run"
    options = [
        "--set",
        "model.dim=8",
        "--set",
        "model.backbone=din",
        "--set",
        "train.learning_rate=0.5",
    ]
    assert solidrec("train", data.path, "--config", config, *options, "--out", out).code == 0
    spec = read_json(out / "spec.json")
    assert (
        spec["seed"],
        spec["train"]["epochs"],
        spec["train"]["batch_size"],
        spec["train"]["learning_rate"],
    ) == (5, 1, 100, 0.5)
    assert {key: spec["model"][key] for key in ("name", "dim", "backbone")} == {
        "name": "static",
        "dim": 8,
        "backbone": {"name": "din"},
    }


def test_an_option_goes_before_a_setting(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    options = [
        "--set",
        "seed=5",
        "--set",
        "model.name=duet",
        "--seed",
        0,
        "--model",
        "static",
        "--out",
        out,
    ]
    assert solidrec("train", data.path, *options, *SMALL).code == 0
    spec = read_json(out / "spec.json")
    assert (spec["seed"], spec["model"]["name"], spec["model"]["dim"]) == (0, "static", 8)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            ["--model", "solid-dut"],
            "setting model.name: unknown name 'solid-dut'; did you mean 'solid-duet'?",
        ),
        (["--backbone", "sasrecc"], "unknown name 'sasrecc'; did you mean 'sasrec'?"),
        (["--set", "model.dimm=3"], "unknown setting 'model.dimm'; did you mean 'model.dim'?"),
        (
            ["--set", "model.codebook.los=ema"],
            "unknown setting 'model.codebook.los'; did you mean 'model.codebook.loss'?",
        ),
        (["--set", "modle.dim=3"], "unknown setting 'modle'; did you mean 'model'?"),
        (["--set", "model.dim=wide"], "setting model.dim: "),
        (["--set", "model=64"], "setting model: "),
        (["--set", "model.dim"], "write it as key=value"),
        (["--seed", "-1"], "setting seed: "),
        (["--epochs", "0"], "setting train.epochs: "),
        (["--threads", "0"], "threads=0: give a whole number, 1 or more"),
        (["--device", "abacus"], "--device abacus: "),
        (["--config", "nowhere.toml"], "--config nowhere.toml: No such file"),
    ],
)
def test_a_wrong_setting_is_one_line_with_the_nearest_name(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path, options: list[str], text: str
) -> None:
    answer = solidrec("train", data.path, "--out", tmp_path / "run", *options)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 1
    assert text in answer.err
    assert not (tmp_path / "run").exists()


def test_train_wants_a_prepared_folder(
    solidrec: Solidrec, tmp_path: Path, run_folder: Path
) -> None:
    for folder in (tmp_path, run_folder, tmp_path / "nowhere"):
        answer = solidrec("train", folder, "--out", tmp_path / "run")
        assert (answer.code, answer.out, len(answer.err.splitlines())) == (74, "", 1)


def test_a_run_of_another_specification_is_refused(
    solidrec: Solidrec, data: PreparedData, run_folder: Path
) -> None:
    answer = solidrec("train", data.path, "--out", run_folder, "--seed", 9)
    assert answer.code == 76
    assert "holds a run of another specification (" in answer.err


def test_evaluate_prints_intervals_and_groups(solidrec: Solidrec, run_folder: Path) -> None:
    answer = solidrec("evaluate", run_folder, "--protocol", "full", "--split", "valid")
    assert answer.code == 0
    assert "valid split, protocol full, seen items left out: 90 users, 32 negatives" in " ".join(
        answer.out.split()
    )
    for name in ("NDCG@10", "coverage@10", "95 %", "cold", "rare", "warm"):
        assert name in answer.out


def test_evaluate_repeats_what_training_measured(solidrec: Solidrec, run_folder: Path) -> None:
    for split in ("valid", "test"):
        for suffix, options in (
            ("", ()),
            ("", ("--protocol", "paper")),
            ("_full", ("--protocol", "full")),
        ):
            answer = solidrec("evaluate", run_folder, "--split", split, *options, "--json")
            assert (answer.code, answer.err) == (0, "")
            assert (
                json.loads(answer.out) == read_json(run_folder / "metrics.json")[f"{split}{suffix}"]
            )


def test_evaluate_shows_the_whole_catalogue_first(solidrec: Solidrec, run_folder: Path) -> None:
    answer = solidrec("evaluate", run_folder)
    full, paper = (answer.out.index(f"protocol {name}") for name in ("full", "paper"))
    assert full < paper


def test_evaluate_keeps_seen_items_when_told(solidrec: Solidrec, run_folder: Path) -> None:
    found = {
        seen: json.loads(
            solidrec("evaluate", run_folder, "--protocol", "full", "--seen", seen, "--json").out
        )
        for seen in ("filter", "keep")
    }
    assert (found["keep"]["negatives"], found["keep"]["missed"], found["keep"]["seen"]) == (
        39,
        0,
        "keep",
    )
    assert found["filter"]["missed"] > 0
    assert found["filter"]["negatives"] < 39
    assert (
        json.loads(solidrec("evaluate", run_folder, "--seen", "keep", "--json").out)
        == found["keep"]
    )
    refused = solidrec("evaluate", run_folder, "--protocol", "paper", "--seen", "keep")
    assert (refused.code, "about the whole catalogue" in refused.err) == (2, True)


def test_evaluate_takes_the_data_from_elsewhere_and_no_other_data(
    solidrec: Solidrec, data: PreparedData, run_folder: Path, tmp_path: Path
) -> None:
    import shutil

    moved = shutil.copytree(data.path, tmp_path / "moved")
    assert (
        json.loads(solidrec("evaluate", run_folder, "--data", moved, "--json").out)["users"] == 90
    )
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    manifest = read_json(run / "manifest.json")
    manifest["data"]["path"] = str(tmp_path / "gone")
    (run / "manifest.json").write_text(json.dumps(sealed(manifest)))
    answer = solidrec("evaluate", run, "--json")
    assert (answer.code, answer.out) == (74, "")
    assert "gone: the data that" in answer.err
    assert "say where it is (--data)" in answer.err
    log = tmp_path / "log.csv"
    pl.DataFrame(
        {"user": ["a"] * 4, "item": ["1", "2", "3", "4"], "position": [0, 1, 2, 3]}
    ).write_csv(log)
    assert solidrec("prepare", log, "--negatives", 0, "--out", tmp_path / "other").code == 0
    assert solidrec("evaluate", run_folder, "--data", tmp_path / "other").code == 76


def test_settings_are_merged_from_a_file_and_pairs(tmp_path: Path) -> None:
    config = tmp_path / "a.toml"
    config.write_text("[model]\ndim = 4\nclip = 0.5\n")
    assert settings(config, ["model.dim=8", "train.epochs=2"]) == {
        "model": {"dim": 8, "clip": 0.5},
        "train": {"epochs": 2},
    }
    config.write_text("[model\n")
    with pytest.raises(UsageError, match="is not TOML"):
        settings(config, [])
    with pytest.raises(UsageError, match="Is a directory"):
        settings(tmp_path, [])
