"""Which modalities are worth it: every subset once, a control, paired tests, and trainings that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.artifacts import read_json
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experiments import modalities as module
from solidrec.experiments.cells import Cell, Row, train_cells
from solidrec.experiments.modalities import CONTROL, cells_of, finding, run_modalities


def test_every_subset_has_a_row_and_semantic_ids_take_the_seed_of_the_training() -> None:
    cells = cells_of(["id", "image", "text"], 2, {"semantics": {"clusters": 7}, "train": {"epochs": 1}})
    assert len(cells) == 2 * (1 + 7)
    assert {cell.row for cell in cells} == {
        CONTROL, "id", "image", "text", "id + image", "id + text", "image + text", "id + image + text",
    }  # fmt: skip
    for cell in cells:
        semantics = cell.settings["semantics"]
        assert (semantics["seed"], semantics["clusters"]) == (cell.seed, 7)
        assert semantics["method"] == ("random" if cell.row == CONTROL else "kmeans")
        assert semantics.get("modalities", []) == ([] if cell.row == CONTROL else cell.row.split(" + "))
    assert len({cell.folder(Path("out")) for cell in cells}) == len(cells)


def test_the_whole_experiment_and_its_second_call(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"model": tiny["model"] | {"name": "spg"}, "train": tiny["train"] | {"epochs": 2}}
    call = {"modalities": ["content", "text"], "seeds": 2, "settings": settings}
    found = run_modalities(data.path, tmp_path / "out", **call)
    assert [row["name"] for row in found["rows"]] == [CONTROL, "content", "text", "content + text"]
    assert found["rows"][0]["over_control"] is None
    for row in found["rows"][1:]:
        gap = row["over_control"]["UAUC"]
        assert gap["mean"] == pytest.approx(row["mean"]["UAUC"] - found["rows"][0]["mean"]["UAUC"])
        assert gap["p"] <= gap["holm"] <= 1
        assert row["mean"]["UAUC"] == pytest.approx(np.mean(row["seeds"]["UAUC"]))
        assert row["interval"]["UAUC"][0] < row["mean"]["UAUC"] < row["interval"]["UAUC"][1]
    assert read_json(tmp_path / "out" / "modalities.json") == found
    text = (tmp_path / "out" / "modalities.md").read_text(encoding="utf-8")
    assert text.count("\n| ") == 5
    assert found["finding"] in text
    monkeypatch.setattr("solidrec.training.run.carry_out", None)  # nothing is trained again
    assert run_modalities(data.path, tmp_path / "out", **call) == found


def test_several_processes_train_the_same(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> None:
    settings = {"model": tiny["model"] | {"name": "static"}, "train": tiny["train"] | {"epochs": 1}}
    cells = [Cell("static", seed, settings) for seed in (0, 1)]
    done: list[Cell] = []
    train_cells(data.path, cells, tmp_path / "two", jobs=2, done=done.append)
    train_cells(data.path, cells, tmp_path / "one")
    assert sorted(cell.seed for cell in done) == [0, 1]
    for cell in cells:
        one, two = (cell.folder(tmp_path / out) / "weights.safetensors" for out in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_an_error_in_a_training_is_the_experiments(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'imege' is not in the data"):
        train_cells(data.path, [Cell("a", 0, {"semantics": {"modalities": ["imege"]}})], tmp_path / "out", jobs=2)
    with pytest.raises(UsageError, match=r"--modality imege: is not in the data"):
        run_modalities(data.path, tmp_path / "out", modalities=["imege", "text"])


def test_settings_that_the_experiment_varies_are_refused_before_it_trains(data: PreparedData, tmp_path: Path) -> None:
    for settings, key in (({"semantics": {"method": "kmeans"}}, "semantics.method"), ({"seed": 1}, "seed")):
        with pytest.raises(UsageError, match=f"--set {key}: is what this experiment varies"):
            run_modalities(data.path, tmp_path / "out", modalities=["text"], settings=settings)
    with pytest.raises(UsageError, match="--modality text: is there twice"):
        run_modalities(data.path, tmp_path / "out", modalities=["text", "text"])
    assert not (tmp_path / "out").exists()


def test_levels_and_weights_reach_the_subsets_that_have_them() -> None:
    cells = cells_of(["id", "text"], 1, {"semantics": {"levels": 2, "weights": {"text": 0.5}}})
    found = {cell.row: cell.settings["semantics"] for cell in cells}
    assert "levels" not in found[CONTROL]
    assert "weights" not in found[CONTROL]
    assert {name: row.get("weights") for name, row in found.items() if name != CONTROL} == {
        "id": {}, "text": {"text": 0.5}, "id + text": {"text": 0.5},
    }  # fmt: skip
    assert all(row["levels"] == 2 for name, row in found.items() if name != CONTROL)


def row(name: str, uauc: float, gap: float, holm: float) -> dict[str, Any]:
    return {"name": name, "mean": {"UAUC": uauc}, "over_control": {"UAUC": {"mean": gap, "holm": holm}}}


def test_the_finding_is_what_the_table_says() -> None:
    control = {"name": CONTROL, "mean": {"UAUC": 0.6}, "over_control": None}
    nothing = finding([control, row("id", 0.61, 0.01, 0.2), row("text", 0.59, -0.01, 0.01)])
    assert nothing.startswith("No subset is above random semantic ids in UAUC beyond chance")
    assert "the best is id" in nothing
    some = finding([control, row("id", 0.61, 0.01, 0.2), row("text", 0.65, 0.05, 0.01), row("id + text", 0.66, 0.06, 0.01)])
    assert some == "Above random semantic ids in UAUC (Holm, p < 0.05): text, id + text. Best: id + text; alone: text > id."


def test_rows_average_over_seeds(data: PreparedData) -> None:
    class Found:
        def __init__(self, values: list[float]) -> None:
            self.per_user = {"UAUC": np.array(values)}
            self.metrics = {"UAUC": float(np.mean(values))}

    pair = Row("a", (Found([0.0, 1.0]), Found([1.0, 1.0])))  # type: ignore[arg-type]
    assert pair.mean("UAUC") == (0.5 + 1) / 2
    assert pair.spread("UAUC") == pytest.approx(0.5 / np.sqrt(2))
    assert pair.per_user("UAUC").tolist() == [0.5, 1]
    assert Row("a", pair.evaluations[:1]).spread("UAUC") is None
    assert module.METRICS[1] == "UAUC"
