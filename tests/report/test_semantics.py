"""What the semantic ids contain, by title."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.semantics import _coherence, _semantic_ids, semantics_of
from solidrec.semantics.ids import SemanticIds

EVIL = "<b>&"


def semantics(*modalities: str) -> SemanticIds:
    """Ids 1, 2 and 3 of 20, 15 and 5 items, and the empty id 4."""
    of_item = np.array([0, *[1] * 20, *[2] * 15, *[3] * 5])
    return SemanticIds(
        of_item[:, None],
        np.zeros((4, 2)),
        ("a", EVIL, "c", "d"),
        "kmeans",
        modalities,
        0,
        "asked for",
    )


def test_semantic_ids_are_shown_by_title(data: PreparedData) -> None:
    shown = render("section.html", it=_semantic_ids(data, semantics("content")))
    assert "The largest" in shown
    assert "20 items" in shown
    assert "1 are empty" in shown
    assert "most coherent of 4 or more" in shown
    most = 1 + int(np.argmax(data.train_counts[1:21]))  # of id 1, the most frequent in training
    assert f"<ul><li>thing {most - 1} of kind {(most - 1) // 5}</li>" in shown
    assert "and 12 more" in shown  # 20 less the 8 that are shown
    assert EVIL not in shown


def test_id_embeddings_are_in_no_file_so_they_have_no_coherence(data: PreparedData) -> None:
    shown = render("section.html", it=_semantic_ids(data, semantics("id")))
    assert "The largest" in shown
    assert "most coherent" not in shown


def test_coherence_is_the_mean_cosine_of_pairs(data: PreparedData) -> None:
    found = _coherence(data, semantics("content"))
    vectors = np.asarray(data.features["content"][36:41], dtype=np.float64)  # the items of id 3
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [unit[i] @ unit[j] for i in range(5) for j in range(5) if i != j]
    assert found[2] == pytest.approx(np.mean(pairs), rel=1e-5)
    assert np.isnan(found[3])  # empty


def test_a_report_shows_those_of_the_first_model_that_has_some(of: Material) -> None:
    ((_, cards),) = semantics_of(of).cards
    assert all(card.heading.startswith("Semantic id ") for card in cards)
    assert not semantics_of(replace(of, data=None))
    without = {name: run for name, run in of.runs.items() if run.semantics is None}
    assert without
    assert not semantics_of(replace(of, runs=without))
