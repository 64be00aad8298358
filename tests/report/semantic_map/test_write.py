from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.report.semantic_map.describe import make_semantics, matrices_of, quality_of
from solidrec.report.semantic_map.write import write_map
from solidrec.semantics.fuse import fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import SemanticsSpec

EVIL = (
    "</script><script src=//evil.example/x.js>alert('&\"')</script>"
    "<img src=x onerror=alert(1)> 🎬 \u2028"
)


class Page(HTMLParser):
    """The page as a browser sees it: tags and attributes, closing, scripts, the list's cards."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.scripts: list[str] = []
        self.titles: dict[int, list[str]] = {}
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        if tag == "div" and "data-number" in found:
            self.card = int(found["data-number"] or 0)
            assert self.card not in self.titles
            self.titles[self.card] = []
        if tag == "li":
            self.titles[self.card].append("")
        if tag not in {"meta", "br", "img", "input"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif "li" in self.open:
            self.titles[self.card][-1] += data
        else:
            self.text += data

    @property
    def data(self) -> Any:
        """The data of the script."""
        return json.loads(self.scripts[0])


def described(
    path: Path, titles: Sequence[str | None], *, features: np.ndarray | None = None, **columns: Any
) -> PreparedData:
    """A prepared folder of one item a title, each seen by four users."""
    rows = [(f"u{user}", f"i{item}", item) for user in range(4) for item in range(len(titles))]
    names = {
        "item": [f"i{item}" for item in range(len(titles))],
        "title": pl.Series(titles, dtype=pl.String),
    } | columns
    log = pl.DataFrame(rows, schema=["user", "item", "position"], orient="row")
    given = {} if features is None else {"features": {"content": features.astype(np.float32)}}
    return prepare(
        log, items=pl.DataFrame(names), out=path / "shop", negatives=0, split="none", **given
    )


def drawn(
    data: PreparedData, path: Path, spec: dict[str, Any] | None = None, **more: Any
) -> tuple[str, SemanticIds]:
    """Write the map and return the page and its ids."""
    _, ids = make_semantics(data.path, SemanticsSpec.parse(spec or {}))
    matrices = matrices_of(data, ids)
    write_map(
        path, data=data, ids=ids, matrices=matrices, quality=quality_of(data, ids, matrices), **more
    )
    return path.read_text(encoding="utf-8"), ids


def test_the_page_has_every_semantic_id_once_with_its_most_central_titles(
    data: PreparedData, tmp_path: Path
) -> None:
    text, ids = drawn(data, tmp_path / "map.html", {"clusters": 6})
    page = Page(text)
    assert sorted(page.titles) == [1, 2, 3, 4, 5, 6]
    vectors = fuse([matrices_of(data, ids)["content"]]).vectors
    for number, titles in page.titles.items():
        members = [item for item in range(1, 41) if ids.of_item[item] == number]
        far = {
            item: float(((vectors[item - 1] - ids.centroids[number - 1]) ** 2).sum())
            for item in members
        }
        assert titles == [
            data.catalog["title"][item - 1]
            for item in sorted(members, key=lambda item: far[item])[:3]
        ]
    assert len(page.data["x"]) == 40
    assert sorted(page.data["title"]) == sorted(data.catalog["title"])
    assert "40 items in 6 semantic ids by content" in page.text
    for word in ("Evenness", "Purity", "Stability", "t-SNE of all 40 items", "content (weight 1)"):
        assert word in page.text
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert {link[1:] for link in links if link} <= {attrs.get("id") for _, attrs in page.tags}


def test_the_same_input_gives_the_same_bytes(data: PreparedData, tmp_path: Path) -> None:
    assert drawn(data, tmp_path / "a.html")[0] == drawn(data, tmp_path / "b.html")[0]


def test_nothing_is_fetched_and_nothing_may_be(data: PreparedData, tmp_path: Path) -> None:
    text, _ = drawn(data, tmp_path / "map.html")
    assert "http" not in text.replace("http-equiv", "")
    assert "//" not in re.sub(r"\s// .*", "", text)  # comments of the script
    assert "innerHTML" not in text
    page = Page(text)
    assert not [
        attrs for _, attrs in page.tags if {"src", "onload", "onerror", "onclick"} & attrs.keys()
    ]
    (policy,) = [
        attrs["content"] for tag, attrs in page.tags if tag == "meta" and "http-equiv" in attrs
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_titles_stay_text(tmp_path: Path) -> None:
    titles = [f"{EVIL} {number}" for number in range(12)]
    kinds = [[EVIL]] * 6 + [["plain", "&lt;script&gt;alert(2)&lt;/script&gt;"]] * 6
    data = described(tmp_path, titles, categories=pl.Series(kinds))
    Image.new("RGB", (40, 40), "red").save(tmp_path / "i3.jpg")
    for spec in ({"method": "categories"}, {"method": "kmeans", "clusters": 2}):
        text, _ = drawn(data, tmp_path / "map.html", spec, images=tmp_path)
        page = Page(text)
        assert sorted(page.data["title"]) == sorted(titles)
        assert len(page.scripts) == 2
        assert [
            attrs.get("src", "data:")[:5] for tag, attrs in page.tags if tag in ("img", "script")
        ].count("data:") == 3
        assert [tag for tag, _ in page.tags].count("img") == 1
        assert not [attrs for _, attrs in page.tags if "onerror" in attrs]
        shown = [title for own in page.titles.values() for title in own]
        assert shown
        assert all(title.startswith("</script><script") and title[-1].isdigit() for title in shown)


@pytest.mark.parametrize(
    ("titles", "features", "spec"),
    [
        (["only one"], np.ones((1, 3)), {}),
        ([None] * 9, np.random.default_rng(0).random((9, 3)), {}),
        (["the same"] * 30, np.ones((30, 4)), {}),
        (["the same"] * 30, None, {}),
        (["a b", "c d", "a c"], None, {}),
        (
            [*"abcdefgh", None, None],
            None,
            {"method": "kmeans", "modalities": ("text",), "clusters": 3},
        ),
        (
            ["x", "y", "z", "w"] * 5,
            np.r_[np.random.default_rng(0).random((17, 3)), np.zeros((3, 3))],
            {"levels": 3, "method": "kmeans"},
        ),
    ],
)
def test_odd_catalogues_have_maps_too(
    titles: list[str | None], features: np.ndarray | None, spec: dict[str, Any], tmp_path: Path
) -> None:
    data = described(tmp_path, titles, features=features)
    text, ids = drawn(data, tmp_path / "map.html", spec)
    page = Page(text)
    bare = 0 if features is None else int((~features.any(axis=1)).sum())
    bare = titles.count(None) if features is None else bare
    assert len(page.data["x"]) == len(titles) - bare
    assert sorted(page.titles) == sorted(set(ids.of_item[1:].tolist()))
    assert (f"{bare} items without any modality are not on the map" in page.text) == (bare > 0)
    assert ("combinations" in page.text) == (ids.levels > 1)


def test_ids_dealt_at_random_have_no_map(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no content to be placed by"):
        drawn(data, tmp_path / "map.html", {"method": "random"})
    assert not (tmp_path / "map.html").exists()


def test_progress_is_told(data: PreparedData, tmp_path: Path) -> None:
    lines: list[str] = []
    drawn(data, tmp_path / "map.html", say=lines.append)
    assert lines[0] == "map: placing 40 items; t-SNE takes up to half a minute"
    assert re.fullmatch(r"wrote .*map.html \(0\.\d MB\)", lines[-1])


def test_twenty_thousand_items_take_seconds_beside_t_sne_and_megabytes(tmp_path: Path) -> None:
    items, groups = 20_000, 400
    rng = np.random.default_rng(0)
    features = rng.standard_normal((groups, 32))[
        np.arange(items) % groups
    ] + 0.3 * rng.standard_normal((items, 32))
    words = ["".join(word) for word in rng.choice(list("abcdefghij"), size=(500, 6))]
    titles = [" ".join(words[word] for word in rng.integers(0, 500, 8)) for _ in range(items)]
    rows = {"user": np.arange(items) // 10, "item": np.arange(items), "position": np.arange(items)}
    log = pl.DataFrame(rows).with_columns(pl.col("user", "item").cast(pl.String))
    named = pl.DataFrame({"item": [str(item) for item in range(items)], "title": titles})
    data = prepare(
        log,
        items=named,
        features={"content": features.astype(np.float32)},
        out=tmp_path / "data",
        negatives=0,
    )
    codes = np.r_[0, np.arange(items) % groups + 1][:, None]
    centroids = fuse([features]).vectors[:groups]
    ids = SemanticIds(codes, centroids, (), "kmeans", ("content",), 0, "a test")
    quality = {
        "sizes": {"smallest": 50, "median": 50.0, "largest": 50, "alone": 0},
        "entropy_share": 1.0,
        "purity": None,
        "agreement": {},
        "stability": None,
    }
    started = time.perf_counter()
    write_map(
        tmp_path / "map.html",
        data=data,
        ids=ids,
        matrices={"content": features},
        quality=quality,
        at_most=400,
    )
    assert time.perf_counter() - started < 20  # 2 on a quiet machine
    assert (tmp_path / "map.html").stat().st_size < 6_000_000
