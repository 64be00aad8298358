from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import solidrec
from solidrec.api import Model, load, train
from solidrec.data.encoded import write_encoded
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, IncompatibleError, StorageError, UsageError
from solidrec.runs import load_run
from solidrec.training.run import train_run

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture(scope="module")
def model(run_folder: Path) -> Model:
    return load(run_folder)


def test_the_readmes_first_example(
    walk: Walk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, items = walk(users=30)
    monkeypatch.chdir(tmp_path)
    data = solidrec.prepare(log, items=items, out="data")
    model = solidrec.train(data, model="static", backbone="gru4rec", epochs=1, progress=False)
    assert 0 < (model.evaluate().metrics["UAUC"] or 0) < 1
    answer = model.recommend(["i03", "i09"], k=4)
    assert len(answer.items) == 4
    assert model.run.path.parent == Path("runs")
    assert model.run.path.name == f"static-gru4rec-{model.run.spec.digest()}"
    assert solidrec.load(model.run.path).recommend(["i03", "i09"], k=4) == answer


@pytest.mark.parametrize(
    "frame", [lambda table: table, lambda table: pd.DataFrame(table.to_dict(as_series=False))]
)
def test_polars_and_pandas_frames_are_the_same_data(
    walk: Walk, data: PreparedData, tmp_path: Path, frame: Callable[[pl.DataFrame], Any]
) -> None:
    log, items = walk()
    made = solidrec.prepare(frame(log), items=frame(items), out=tmp_path / "data")
    assert (made.manifest["users"], made.manifest["items"]) == (90, 40)
    assert (made.event_items == data.event_items).all()


def test_evaluate_measures_what_training_measured(model: Model, data: PreparedData) -> None:
    for split in ("valid", "test"):
        found = model.evaluate(split=split)  # type: ignore[arg-type]
        assert found.metrics == model.run.metrics[split]["metrics"]
    assert (
        model.evaluate(data).metrics
        == model.evaluate(data.path).metrics
        == model.evaluate(str(data.path)).metrics
    )


def test_evaluate_saves_its_scores(model: Model, tmp_path: Path) -> None:
    found = model.evaluate(save_scores=str(tmp_path / "scores.parquet"))
    frame = pl.read_parquet(tmp_path / "scores.parquet")
    assert len(frame) == 90 * (1 + found.negatives)


def test_other_data_is_refused(model: Model, walk: Walk, tmp_path: Path) -> None:
    other = solidrec.prepare(walk(seed=9)[0], out=tmp_path / "data")
    with pytest.raises(IncompatibleError, match="was trained on"):
        model.evaluate(other)
    with pytest.raises(StorageError, match="is not a data folder"):
        model.evaluate(tmp_path)


def test_a_fingerprint_in_the_settings_is_compared_and_not_overwritten(
    data: PreparedData, tmp_path: Path
) -> None:
    with pytest.raises(IncompatibleError, match="the specification is of data feedbeef"):
        train(data, settings={"data": "feedbeef"}, out=tmp_path / "run", progress=False)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"model": "solid"}, "unknown name 'solid'; did you mean"),
        ({"backbone": "bert"}, "unknown name 'bert'; did you mean 'bert4rec'"),
        ({"settings": {"model": {"with": 3}}}, "unknown setting 'model.with'"),
        ({"threads": 0}, "threads=0: give a whole number, 1 or more"),
        ({"device": "abacus"}, "--device abacus"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_written(
    data: PreparedData, tmp_path: Path, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        train(data, out=tmp_path / "run", progress=False, **options)
    assert not (tmp_path / "run").exists()


def test_torchs_threads_are_put_back(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    assert torch.get_num_threads() == 1
    run = train(
        data,
        model="static",
        epochs=1,
        threads=2,
        out=tmp_path / "run",
        settings=tiny,
        progress=False,
    ).run
    assert run.manifest["threads"] == 2
    assert torch.get_num_threads() == 1


def test_training_is_shown_on_standard_error_and_hidden_on_demand(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(data, model="static", epochs=1, out=tmp_path / "a", settings=tiny, progress=False)
    assert capsys.readouterr() == ("", "")
    train(data, model="static", epochs=1, out=tmp_path / "b", settings=tiny)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "stage 1: best epoch 1 (at most 1), valid UAUC 0." in shown.err


def test_without_validation_no_uauc_is_shown(
    walk: Walk, tiny: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, options in (("all", {"split": "none"}), ("no negatives", {"negatives": 0})):
        data = solidrec.prepare(walk(users=20)[0], out=tmp_path / name, **options)  # type: ignore[arg-type]
        train(data, model="static", epochs=2, out=tmp_path / "runs" / name, settings=tiny)
        shown = capsys.readouterr().err
        assert (
            "stage 1: best epoch 2 (at most 2), nothing to validate on, the last epoch counts"
            in shown
        )


def test_a_model_says_what_it_is(model: Model, run_folder: Path) -> None:
    assert repr(model) == f"Model(solid-duet on sasrec, 40 items, {run_folder})"
    assert model.recommend_many([["i03"], []], k=2)[1].fallback == "popularity"
    assert model.similar("i03", k=1)[0]["item"] != "i03"


def test_loading_checks_the_device_and_the_folder(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--device abacus"):
        load(run_folder, device="abacus")
    with pytest.raises(StorageError):
        load(tmp_path)
    assert load(str(run_folder)).run.spec == load_run(run_folder).spec


def test_an_unknown_attribute_of_the_package_is_said_to_be_none() -> None:
    with pytest.raises(AttributeError, match="module 'solidrec' has no attribute 'ranked'"):
        _ = solidrec.ranked


def test_no_public_name_is_also_a_module(repository: Path) -> None:
    """``solidrec.train`` was a package once: imported first, it stood in the function's place."""
    package = repository / "src" / "solidrec"
    modules = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert "training" in modules
    assert not modules & set(solidrec.__all__)


def test_features_encoded_anew_are_another_specification(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    """Semantic ids are made again; a run of the earlier features is neither resumed nor reused."""
    folder = shutil.copytree(data.path, tmp_path / "data")
    matrices = [np.eye(40, dtype=np.float32), np.eye(40, dtype=np.float32)[::-1]]
    settings = tiny | {"semantics": {"modalities": ["text"]}}
    runs = []
    for number, matrix in enumerate(matrices):
        write_encoded(folder, "text", matrix, fingerprint=data.fingerprint, facts={})
        opened = PreparedData.open(folder)
        out = tmp_path / f"run{number}"
        runs.append(
            train(opened, model="spg", epochs=1, settings=settings, out=out, progress=False).run
        )
    first, second = runs
    assert first.spec.semantics.encoded.keys() == {"text"}
    assert first.spec.digest() != second.spec.digest()
    assert len(list((folder / "semantics").iterdir())) >= 2
    with pytest.raises(IncompatibleError, match="another specification"):
        train(
            opened, model="spg", epochs=1, settings=settings, out=tmp_path / "run0", progress=False
        )
    with pytest.raises(IncompatibleError, match="its features are not those of the specification"):
        train_run(opened, first.spec, tmp_path / "other")


def test_item_embeddings_of_a_run_become_a_modality(
    data: PreparedData, model: Model, tmp_path: Path
) -> None:
    """Any run will do; items that it does not know have none."""
    folder = shutil.copytree(data.path, tmp_path / "data")
    opened = solidrec.encode(folder, behaviour=model.run.path, progress=False)
    table = model.run.model.items.weight.detach().numpy()
    np.testing.assert_array_equal(opened.features["behaviour"], table)
    few = solidrec.prepare(
        pl.DataFrame({"user": ["a"] * 4, "item": ["i03", "new", "i05", "i09"]}),
        out=tmp_path / "few",
        order="file",
        negatives=0,
    )
    made = solidrec.encode(few, behaviour=model.run.path, name="clicks", progress=False).features[
        "clicks"
    ]
    for name in ("i03", "i05", "i09"):
        np.testing.assert_array_equal(
            made[few.items.index(name)], table[model.run.items.index(name)]
        )
    assert not made[few.items.index("new")].any()
    stranger = solidrec.prepare(
        pl.DataFrame({"user": ["a"] * 3, "item": ["x", "y", "z"]}),
        out=tmp_path / "other",
        order="file",
        negatives=0,
    )
    with pytest.raises(DataError, match="knows none of the 3 items"):
        solidrec.encode(stranger, behaviour=model.run.path, progress=False)


def test_without_progress_warnings_are_printed_all_the_same(
    walk: Walk, tiny: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, items = walk(users=30)
    one = items.with_columns(categories=pl.Series([["all"]] * len(items)))
    data = solidrec.prepare(log, items=one, out=tmp_path / "data", negatives=5)
    options: dict[str, Any] = {"epochs": 1, "settings": tiny, "progress": False}
    train(data, model="solid-duet", out=tmp_path / "run", **options)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: 1 semantic ids for 40 items, the largest of 40")
    assert "say semantics.method=kmeans" in line


@pytest.mark.parametrize(
    "call",
    [
        lambda run, out: solidrec.add_items(run, pl.DataFrame({"item": ["n"]}), columns=5, out=out),
        lambda run, out: solidrec.add_items(
            run, pl.DataFrame({"item": ["n"]}), encoding=5, out=out
        ),
        lambda run, out: solidrec.update(run, "log.csv", features=5, out=out),
        lambda run, out: solidrec.update(run, "log.csv", settings=5, out=out),
        lambda run, out: solidrec.update(run, "log.csv", delisted=5, out=out),
        lambda run, out: load(run).evaluate(split=[]),
        lambda run, out: solidrec.prepare("log.csv", dataset=[], out=out),
        lambda run, out: solidrec.prepare("log.csv", source="\ud800", out=out),
        lambda run, out: solidrec.prepare("log.csv", time_format="\ud800", out=out),
        lambda run, out: train(load(run).data(None), model="plain", backbone=b"din", out=out),
        lambda run, out: train(load(run).data(None), model="plain", device=10**30, out=out),
        lambda run, out: train(load(run).data(None), model="plain", seed=True, out=out),
        lambda run, out: load(run).recommend(["i01"], keep_history="no"),
        lambda run, out: load(run).recommend_many([["i01"]], keep_history=1),
        lambda run, out: load(run).recommend(["i01"], diversity=True),
    ],
)
def test_an_argument_of_another_kind_is_one_line(
    run_folder: Path, tmp_path: Path, call: Callable[[Path, Path], Any]
) -> None:
    with pytest.raises(UsageError) as caught:
        call(run_folder, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_name_too_long_for_a_file_is_no_log_to_update_with(
    run_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(StorageError, match="File name too long"):
        solidrec.update(run_folder, "x" * 6_000, out=tmp_path / "out", progress=False)


def test_an_answer_has_at_most_so_many_of_a_brand(walk: Walk, tmp_path: Path) -> None:
    """As the README says, for a model that does not read brands."""
    log, items = walk(users=30)
    items = items.with_columns(brand=pl.col("item").str.slice(-1))
    data = solidrec.prepare(log, items=items, out=tmp_path / "data")
    model = train(data, model="static", epochs=1, out=tmp_path / "run", progress=False)
    found = [one["item"][-1] for one in model.recommend(["i03"], 10, at_most={"brand": 1}).items]
    assert len(set(found)) == len(found) == 10
