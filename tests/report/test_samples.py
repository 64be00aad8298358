"""Sample recommendations are those that a person would get."""

from __future__ import annotations

import re
from dataclasses import replace

from solidrec.recommend.engine import Engine
from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.samples import _LATEST, FIRST, samples


def test_three_test_users_get_what_each_model_recommends(of: Material) -> None:
    shown = render("sections/samples.html", it=samples(of))
    assert shown.count('class="sample"') == 3
    assert of.data is not None
    rows = of.data.rows("test")
    user, position = int(rows.users[0]), int(rows.positions[0])
    past = of.data.event_items[of.data.offsets[user] : position]
    title = dict(zip(of.data.catalog["item"], of.data.catalog["title"], strict=True))
    ids = [of.data.items.id(int(item)) for item in past]
    first = shown.split('class="sample"')[1]
    listed = re.findall(r"<li>([^<]*)</li>", first)
    assert listed == [title[item] for item in ids][-_LATEST:]
    assert f"Came next: <strong>{title[of.data.items.id(int(rows.targets[0]))]}</strong>" in first
    for run in of.runs.values():
        answer = Engine(run).recommend(ids, FIRST).items
        assert len(answer) == FIRST
        assert all(str(item["title"]) in first for item in answer)


def test_what_came_next_is_marked_where_it_was_found(of: Material) -> None:
    heads = ["", of.looks["duet"]]
    places = [["one"], ["the <next> one"]]
    sample = {"past": ["before"], "truth": "the <next> one", "heads": heads, "places": places}
    found = render("sections/samples.html", it=[sample | {"found": True}])
    assert '<span class="hit">✓ the &lt;next&gt; one</span>' in found
    assert "in none of these lists" not in found
    missed = render("sections/samples.html", it=[sample | {"past": [], "found": False}])
    assert "in none of these lists" in missed
    assert "(no history)" in missed


def test_without_data_or_models_there_are_none(of: Material) -> None:
    assert samples(replace(of, data=None)) == []
    assert samples(replace(of, runs={})) == []
