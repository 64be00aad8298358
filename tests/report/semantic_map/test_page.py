"""The parts of the map's page say how many, of what, and how it was made."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.report.page import render
from solidrec.report.semantic_map import page
from solidrec.report.semantic_map.colors import Color
from solidrec.report.semantic_map.groups import Group
from solidrec.report.semantic_map.page import directory, headline, lead, numbers, picture, plural
from solidrec.report.semantic_map.projection import Places
from solidrec.semantics.ids import SemanticIds

TONES = [Color("#111111", "#eeeeee"), Color("#222222", "#dddddd")]


def ids(method: str = "kmeans", *, levels: int = 1, weights: tuple[float, ...] = ()) -> SemanticIds:
    """Forty items in two semantic ids; of further levels each has four codes."""
    first = np.append(0, np.arange(40) % 2 + 1)
    codes = [first, *(np.append(0, np.arange(40) % 4 + 3 + 4 * n) for n in range(levels - 1))]
    centroids = np.zeros((2 + 4 * (levels - 1), 3))
    modalities = ("text", "content") if method == "kmeans" else ("text",)
    return SemanticIds(
        np.stack(codes, 1), centroids, (), method, modalities, 3, "a <reason>", weights
    )


def group(number: int, name: str = "", driver: str | None = None, following: int = 0) -> Group:
    members = np.flatnonzero(ids().of_item == number)
    return Group(number, name, members, members[::-1], 1234, driver, following)


def places(missing: int = 0) -> Places:
    xy = np.random.default_rng(0).random((40, 2))
    xy[:missing] = np.nan
    return Places(xy, "By a test.")


def test_a_count_has_its_noun() -> None:
    assert [plural(count, "id") for count in (0, 1, 2, 1200)] == [
        "0 ids",
        "1 id",
        "2 ids",
        "1,200 ids",
    ]


def test_the_headline_counts_items_and_ids_and_names_what_they_are_of() -> None:
    assert headline(ids(), [group(1), group(2)]) == "40 items in 2 semantic ids by text and content"
    of_categories = headline(ids("categories"), [group(1)])
    assert of_categories == "40 items in 1 semantic id by their categories"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        (0, ""),
        (1, " 1 item without any modality is not on the map."),
        (2, " 2 items without any modality are not on the map."),
    ],
)
def test_items_that_have_no_place_are_counted(missing: int, said: str) -> None:
    assert lead(places(missing)).endswith(f"in the colour of its semantic id.{said}")


def test_the_map_says_what_it_is_placed_by_and_what_it_leaves_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = picture(places(), ids())
    assert "Placed by text and content. By a test. " in text
    assert "shows the first" not in text
    assert "Placed by text and categories. " in picture(places(), ids("categories"))
    assert "Of the codes of an item the map shows the first." in picture(places(), ids(levels=2))
    monkeypatch.setattr(page, "DOTS", 39)
    assert "Of the items it shows the 39 trained most often." in picture(places(), ids())
    assert "trained most often" not in picture(places(1), ids())


def test_every_semantic_id_is_a_card_with_its_facts(data: PreparedData) -> None:
    groups = [group(2, "a <name>", "text", 4), group(1)]
    central = int(groups[0].central[0])
    found = directory(data, groups, TONES, {central: "data:image/jpeg;base64,AA"})
    text = render("sections/ids.html", it=found)
    _, first, second = text.split('<div id="')
    assert 'id-2" data-row="0" data-number="2" data-size="20" data-trained="1234"' in first
    assert 'id-1" data-row="1" data-number="1" data-size="20" data-trained="1234"' in second
    assert "--light:#111111;--dark:#eeeeee" in first
    assert "--light:#222222;--dark:#dddddd" in second
    assert ">2 · a &lt;name&gt;</a>" in first
    assert ">1</a>" in second
    facts = "20 items · 1,234 in training"
    assert f"<small>{facts} · held together by text · followed by 4 codes</small>" in first
    assert f"<small>{facts}</small>" in second
    titles = [
        html.escape(data.catalog["title"][item - 1]) for item in groups[0].central[:3].tolist()
    ]
    assert re.findall("<li>(.*?)</li>", first) == titles
    assert (first.count("<img"), second.count("<img")) == (1, 0)
    assert f'<img src="data:image/jpeg;base64,AA" alt="{titles[0]}"' in first


QUALITY = {
    "sizes": {"smallest": 20, "median": 20.0, "largest": 20, "alone": 0},
    "entropy_share": 1.0,
    "purity": None,
    "agreement": {},
    "stability": 0.5,
}


def told(found: dict[str, Any]) -> dict[str, str]:
    text = render("sections/numbers.html", it=found)
    return dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", text))


def test_the_numbers_say_how_the_ids_were_made(data: PreparedData) -> None:
    groups = [group(1), group(2)]
    found = told(numbers(data, ids(weights=(1.0, 2.5)), groups, QUALITY))
    assert found["Method"] == "k-means (a &lt;reason&gt;), seed 3"
    assert found["Modalities"] == "text (weight 1), content (weight 2.5)"
    assert found["Semantic ids"] == "2 in 1 level"
    assert found["Data"].endswith(f"fingerprint {data.fingerprint[:12]}")
    assert found["Stability"].startswith("<strong>0.50</strong>")
    deeper = told(numbers(data, ids(levels=3), groups, QUALITY))
    assert deeper["Modalities"] == "text (weight 1), content (weight 1)"
    assert deeper["Semantic ids"] == "2 in 3 levels, 10 codes in all, 4 combinations"


def test_the_sizes_are_a_chart(data: PreparedData) -> None:
    ((_, svg),) = numbers(data, ids(), [group(1), group(2)], QUALITY)["drawn"]
    assert 'aria-label="Sizes of the semantic ids"' in svg
