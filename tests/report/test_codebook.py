from __future__ import annotations

import html
from dataclasses import replace

import numpy as np
import pytest

from solidrec.nn.codebook import Codebook
from solidrec.nn.sources import Trunk
from solidrec.report.codebook import _codes_of, _read_alike, codebooks
from solidrec.report.material import Material
from solidrec.report.page import render


def test_distances_are_those_of_a_plain_loop(of: Material) -> None:
    run = of.runs["solid-duet"]
    found = _codes_of(run)
    assert found is not None
    codes = (
        next(m for m in run.model.modules() if isinstance(m, Codebook))
        .code_vectors.detach()
        .numpy()
    )
    meta = (
        next(m for m in run.model.modules() if isinstance(m, Trunk))
        .semantics.weight[1:]
        .detach()
        .numpy()
    )
    items = run.model.items.weight[1:].detach().numpy()
    assert run.semantics is not None
    read_as = [int(semantic) - 1 for semantic in run.semantics.of_item[1:]]
    assert found.of_item.tolist() == read_as
    moved = [np.linalg.norm(code - old) for code, old in zip(codes, meta, strict=True)]
    assert found.apart == pytest.approx(
        np.mean(moved) / np.mean([np.linalg.norm(old) for old in meta]), rel=1e-5
    )
    own = [
        int(np.argmin([np.linalg.norm(code - old) for old in meta])) == k
        for k, code in enumerate(codes)
    ]
    assert found.own == pytest.approx(np.mean(own))
    events = run.catalog["training_count"].to_numpy()
    far = sum(
        n * np.linalg.norm(item - codes[k])
        for n, item, k in zip(events, items, read_as, strict=True)
    )
    assert found.far == pytest.approx(
        far / sum(n * np.linalg.norm(item) for n, item in zip(events, items, strict=True)), rel=1e-5
    )


def test_rows_whose_items_have_the_same_codes_are_shown_once(of: Material) -> None:
    run = of.runs["solid-duet"]
    codes = _codes_of(run)
    assert codes is not None
    other = replace(codes, of_item=codes.of_item[::-1].copy())
    found = _read_alike([("a", run, codes), ("b", run, other), ("c", run, replace(codes, far=0.0))])
    assert [name for name, *_ in found] == ["a, c", "b"]


def test_codes_that_were_learned_from_the_first_step_did_not_start_from_the_metacode(
    of: Material,
) -> None:
    run = of.runs["solid-duet"]
    joint = run.spec.model.model_copy(
        update={"codebook": run.spec.model.codebook.model_copy(update={"schedule": "joint"})}
    )
    found = _codes_of(replace(run, spec=run.spec.model_copy(update={"model": joint})))
    assert found is not None
    assert found.apart is None


def test_a_model_without_a_codebook_has_none(of: Material) -> None:
    assert _codes_of(of.runs["duet"]) is None


def test_the_section_has_charts_numbers_and_titles(of: Material) -> None:
    text = render("section.html", it=codebooks(of))
    run = of.runs["solid-duet"]
    assert text.count("<svg") == 3
    assert "<details open><summary>Busiest codes of solid-duet</summary>" in text
    last = [row for row in run.history if "codes_used" in row][-1]
    assert f"{last['codes_used']} of {last['codes_used'] + last['codes_dead']}" in text
    assert f"{last['perplexity']:.0f}" in text
    found = _codes_of(run)
    assert found is not None
    busiest = int(np.argmax(np.bincount(found.of_item, found.events, found.size)))
    member = max(np.flatnonzero(found.of_item == busiest), key=lambda item: found.events[item])
    assert html.escape(run.catalog["title"][int(member)]) in text
