"""The package of docs/extending.md: built, installed elsewhere and used by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from solidrec.data.encoded import read_facts
from solidrec.data.prepared import PreparedData

Outside = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def installed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that pip installed the package into."""
    page = (repository / "docs" / "extending.md").read_text(encoding="utf-8")
    section = page.partition("## A package of your own")[2].partition("\n## ")[0]
    source, site = tmp_path_factory.mktemp("package"), tmp_path_factory.mktemp("site")
    (source / "pyproject.toml").write_text(
        section.partition("```toml\n")[2].partition("```")[0], encoding="utf-8"
    )
    (source / "solidrec_mine.py").write_text(
        section.partition("```python\n")[2].partition("```")[0], encoding="utf-8"
    )
    how = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(site))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *how, str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture(scope="module")
def outside(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """Run a command in a folder that has nothing of the library, with the package installed."""
    folder = tmp_path_factory.mktemp("outside")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-m", "solidrec.cli", *words]
        return subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="module")
def run_folder(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model on the package's backbone, whose epochs the package's metric chose.

    The events are read by its reader, and the titles are encoded by its encoder.
    """
    folder = tmp_path_factory.mktemp("run")
    rows = [
        (f"u{user}", f"i{(user + 3 * step) % 30}", step) for user in range(40) for step in range(8)
    ]
    pl.DataFrame(rows, schema=["user", "item", "position"], orient="row").write_ipc(
        folder / "clicks.arrow"
    )
    pl.DataFrame(
        {"item": [f"i{n}" for n in range(30)], "title": [f"Aa {n}" for n in range(30)]}
    ).write_csv(folder / "items.csv")
    tables = (str(folder / "clicks.arrow"), "--items", str(folder / "items.csv"))
    done = outside("prepare", *tables, "--negatives", "9", "--out", str(folder / "data"))
    assert done.returncode == 0, done.stderr
    done = outside("encode", str(folder / "data"), "--text", "letters")
    assert done.returncode == 0, done.stderr
    settings = (
        "--model",
        "last-item",
        "--backbone",
        "mean",
        "--epochs",
        "2",
        "--set",
        "model.backbone.decay=0.5",
        "--set",
        "train.select=First",
        "--set",
        "train.loss=bpr",
    )
    done = outside("train", str(folder / "data"), *settings, "--out", str(folder / "run"))
    assert done.returncode == 0, done.stderr
    return folder


def test_it_trains_on_the_backbone_and_the_metric_chooses(run_folder: Path) -> None:
    spec = json.loads((run_folder / "run" / "spec.json").read_text(encoding="utf-8"))
    assert (spec["model"]["name"], spec["train"]["select"]) == ("last-item", "First")
    assert spec["model"]["backbone"] == {"name": "mean", "decay": 0.5}
    first, second = map(
        json.loads, (run_folder / "run" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    )
    assert 0 <= first["valid"]["First"] <= 1
    assert second["best"] == (second["valid"]["First"] > first["valid"]["First"])


def test_its_encoder_made_a_feature_matrix(run_folder: Path) -> None:
    data = PreparedData.open(run_folder / "data")
    assert read_facts(data.path, "text")["encoder"] == "letters"
    rows = dict(zip(data.catalog["title"], data.features["text"][1:].tolist(), strict=True))
    assert rows["Aa 7"] == [2.0] + [0.0] * 32 + [1.0, 0.0, 0.0]  # a to z, 0 to 9


def test_an_unknown_type_of_file_lists_the_packages_suffix(
    outside: Outside, run_folder: Path
) -> None:
    (run_folder / "clicks.xlsx").write_text("x", encoding="utf-8")
    done = outside("prepare", str(run_folder / "clicks.xlsx"), "--out", "never")
    assert done.returncode == 2
    assert ".parquet, .arrow" in done.stderr


def test_evaluate_shows_the_metric(outside: Outside, run_folder: Path) -> None:
    found = json.loads(outside("evaluate", str(run_folder / "run"), "--json").stdout)
    assert found["metrics"]["First"] == pytest.approx(found["metrics"]["First"])
    low, high = found["intervals"]["First"]
    assert low <= found["metrics"]["First"] <= high
    assert (
        found["metrics"]["First"] <= found["metrics"]["NDCG@10"]
    )  # the first place counts 1 there too
    assert "First" in outside("evaluate", str(run_folder / "run")).stdout


def test_an_experiment_has_them_in_its_workers(outside: Outside, run_folder: Path) -> None:
    file = run_folder / "mine.toml"
    file.write_text(
        'title = "mine"\nseeds = 1\nprotocols = ["paper"]\n'
        'settings = { train.epochs = 1, model.backbone = "mean" }\n'
        '[axes]\n"model.name" = ["static"]\n'
        '[[rows]]\nname = "repeats"\nbaseline = "repeats"\ntrials = 12\n'
        '[[rows]]\nname = "by place"\n'
        'settings = { model.name = "solidrec_mine:LAST_ITEM", '
        'model.backbone = "solidrec_mine:MeanPool" }\n',
        encoding="utf-8",
    )
    done = outside(
        "experiment",
        "run",
        str(file),
        str(run_folder / "data"),
        "--out",
        str(run_folder / "mine"),
        "--jobs",
        "2",
    )
    assert done.returncode == 0, done.stderr
    lines = (run_folder / "mine" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert all("First" in json.loads(line)["evaluations"]["paper"]["metrics"] for line in lines)
    heads = (run_folder / "mine" / "tables.md").read_text(encoding="utf-8").splitlines()[2]
    assert "First" in heads


def test_recommend_needs_the_package_and_says_so(outside: Outside, run_folder: Path) -> None:
    words = ("recommend", str(run_folder / "run"), "--history", "i1,i4")
    assert outside(*words).returncode == 0
    without = subprocess.run(
        [sys.executable, "-m", "solidrec.cli", *words], capture_output=True, text=True, check=False
    )
    assert without.returncode == 76  # made by what is not here: an artifact of another version
    assert "unknown name 'mean'" in without.stderr
    assert "Traceback" not in without.stderr


def test_a_mistake_in_a_place_is_one_line(outside: Outside, run_folder: Path) -> None:
    for model, backbone, why in (
        ("static", "no_such_module:Name", "cannot be imported"),
        ("static", "solidrec_mine:Nothing", "cannot be imported"),
        ("static", "os:system", "is no subclass of Backbone"),
        ("static", "maen", "did you mean 'mean'"),
        ("os:system", "mean", "is no instance of Design"),
        ("last-itme", "mean", "did you mean 'last-item'"),
    ):
        done = outside(
            "train",
            str(run_folder / "data"),
            "--model",
            model,
            "--backbone",
            backbone,
            "--out",
            "never",
        )
        assert done.returncode == 2
        assert why in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_setting_that_the_backbone_does_not_have_is_one_line(
    outside: Outside, run_folder: Path
) -> None:
    words = ("train", str(run_folder / "data"), "--model", "static", "--out", "never")
    for backbone, pair, why in (
        ("mean", "decya=0.5", "'mean' has no setting 'decya'; did you mean 'decay'?"),
        (
            "mean",
            "decay=2",
            "setting model.backbone.decay: input should be less than or equal to 1",
        ),
        ("mean", "blocks=2", "'mean' has no setting 'blocks'; known: decay"),
        ("gru4rec", "decay=0.5", "'gru4rec' has no setting 'decay'; it has none"),
    ):
        done = outside(*words, "--backbone", backbone, "--set", f"model.backbone.{pair}")
        assert done.returncode == 2
        assert why in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
