from __future__ import annotations

import json
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from solidrec.data.prepared import PreparedData

Solidrec = Callable[..., Any]


def test_semantics_says_what_is_in_the_ids(solidrec: Solidrec, data: PreparedData) -> None:
    answer = solidrec("semantics", data.path, "--method", "categories", "--show", 3)
    assert answer.code == 0
    assert "8 semantic ids by categories over content (asked for)" in answer.out
    assert "kind 0" in answer.out
    facts = json.loads(
        solidrec(
            "semantics", data.path, "--modality", "text", "--clusters", 4, "--show", 2, "--json"
        ).out
    )
    assert (facts["count"], facts["method"], facts["modalities"]) == (4, "kmeans", ["text"])
    assert len(facts["samples"]) == 2
    assert facts["samples"][0]["items"] == facts["largest"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--method", "kmean"], "unknown name 'kmean'; did you mean 'kmeans'?"),
        (["--modality", "contnet"], "'contnet' is not in the data; did you mean 'content'?"),
        (["--clusters", "0"], "clusters"),
        (["--levels", "9"], "levels"),
        (["--levels", "2", "--method", "categories"], "levels are made by k-means"),
        (
            ["--weight", "contnt=2"],
            "'contnt' is not among the modalities used; did you mean 'content'?",
        ),
        (["--weight", "content=0"], "greater than 0"),
        (["--weight", "content=much"], "--weight content=much: write it as NAME=X"),
        (["--weight", "2"], "--weight 2: write it as NAME=X"),
        (["--images", "."], "say --map FILE.html too"),
        (["--threads", "0"], "threads=0: give a whole number, 1 or more"),
    ],
)
def test_semantics_names_the_nearest(
    solidrec: Solidrec, data: PreparedData, options: list[str], text: str
) -> None:
    answer = solidrec("semantics", data.path, *options)
    assert (answer.code, answer.out) == (2, "")
    assert text in answer.err


def test_weights_and_levels_reach_the_ids(solidrec: Solidrec, data: PreparedData) -> None:
    words = [
        "--method",
        "kmeans",
        "--modality",
        "content",
        "--modality",
        "text",
        "--weight",
        "text=2.5",
        "--levels",
        2,
    ]
    facts = json.loads(solidrec("semantics", data.path, *words, "--json").out)
    assert (facts["weights"], facts["levels"]) == ([1, 2.5], 2)


def test_quality_is_a_table_or_json(solidrec: Solidrec, data: PreparedData) -> None:
    words = ["--method", "kmeans", "--modality", "content", "--modality", "text", "--clusters", 8]
    table = solidrec("semantics", data.path, *words, "--quality").out
    for name in ("sizes", "evenness", "purity", "agreement of content and text", "stability"):
        assert name in table
    found = json.loads(solidrec("semantics", data.path, *words, "--quality", "--json").out)[
        "quality"
    ]
    assert f"{found['purity']['value']:.2f} (chance {found['purity']['chance']:.2f})" in table
    assert f"{found['stability']:.2f}" in table
    assert "quality" not in json.loads(solidrec("semantics", data.path, *words, "--json").out)


def test_the_map_is_written_and_opened(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(opened.append(address)))
    monkeypatch.chdir(tmp_path)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.new("RGB", (30, 40), "blue").save(pictures / "i03.png")
    answer = solidrec(
        "semantics", data.path, "--map", "maps/map.html", "--images", pictures, "--show", 1
    )
    assert answer.code == 0, answer.err
    assert "map: 1 picture of" in answer.err
    assert "wrote maps/map.html" in answer.err
    assert (tmp_path / "maps" / "map.html").read_text(encoding="utf-8").count(
        "data:image/jpeg;base64,"
    ) == 1
    assert opened == []
    answer = solidrec("semantics", data.path, "--open", "--json")
    page = tmp_path / f"{data.path.name}-semantics.html"
    assert json.loads(answer.out)["items"] == 40
    assert page.is_file()
    assert opened == [page.as_uri()]
    assert f"no browser found; open {page.name} yourself" in answer.err


def test_a_map_without_content_is_refused_in_one_line(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    answer = solidrec("semantics", data.path, "--method", "random", "--map", tmp_path / "map.html")
    assert answer.code == 2
    assert "no content to be placed by" in answer.err.splitlines()[-1]
