"""The tables and lines that commands print, cell by cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from solidrec import registry
from solidrec.data.datasets.listing import list_datasets, list_formats
from solidrec.terminal import (
    check_line,
    checks_line,
    datasets_tables,
    evaluation_tables,
    facts_by_key,
    facts_table,
    items_table,
    metrics_table,
    quality_table,
    semantics_table,
    shown_metrics,
)


def heads(table: Table) -> list[str]:
    return [str(column.header) for column in table.columns]


def rows(table: Table) -> list[tuple[str, ...]]:
    return list(
        zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
    )


def bold(table: Table) -> list[tuple[int, int]]:
    """Places (row, column) of the bold cells."""
    return [
        (row, place)
        for place, column in enumerate(table.columns)
        for row, cell in enumerate(column.cells)
        if isinstance(cell, Text) and cell.style == "bold"
    ]


RESULTS = [
    ("one", {"NDCG@10": 0.5, "UAUC": 0.25, "AUC": None, "other": 1.0}),
    ("two", {"NDCG@10": 0.75, "UAUC": 0.25, "AUC": None}),
    ("three", {"NDCG@10": None}),
]


def test_a_metric_that_a_row_has_is_a_column_and_its_best_values_are_bold() -> None:
    table = metrics_table("title", RESULTS)
    assert table.title == "title"
    assert heads(table) == ["", "NDCG@10", "UAUC"]
    assert rows(table) == [
        ("one", "0.5000", "0.2500"),
        ("two", "0.7500", "0.2500"),
        ("three", "-", "-"),
    ]
    assert bold(table) == [(1, 1), (0, 2), (1, 2)]  # equal values are both the best
    assert bold(metrics_table("title", RESULTS[:1])) == []  # one row is no comparison
    assert heads(metrics_table("title", RESULTS, ["other", "UAUC"])) == ["", "other", "UAUC"]


def test_metrics_of_other_packages_stand_last(monkeypatch: pytest.MonkeyPatch) -> None:
    own = shown_metrics()
    monkeypatch.setitem(registry.METRICS, "Novelty", len)
    assert shown_metrics() == (*own, "Novelty")
    assert heads(metrics_table("", [("one", {"Novelty": 2.0, "AUC": 0.5})])) == [
        "",
        "AUC",
        "Novelty",
    ]


def test_items_are_numbered_from_1_and_numbers_stand_to_the_right() -> None:
    items = [{"item": "a", "score": 2.5, "title": "A"}, {"item": "b", "score": -1, "title": None}]
    table = items_table("for u", items)
    assert rows(table) == [("1", "a", "2.5000", "A"), ("2", "b", "-1.0000", "")]
    assert [column.justify for column in table.columns] == ["right", "left", "right", "left"]


def test_facts_are_told_by_dotted_key_and_kind_of_value() -> None:
    facts = {
        "a": {"whole": 1234567, "real": 0.000123456, "yes": True, "none": None},
        "list": ["x", 2000, [1.5, None]],
        "text": "1234567",
    }
    expected = [
        ("a.whole", "1,234,567"),
        ("a.real", "0.0001235"),
        ("a.yes", "True"),
        ("a.none", "-"),
        ("list", "x, 2,000, 1.5, -"),
        ("text", "1234567"),
    ]
    assert facts_by_key(facts) == expected
    assert rows(facts_table("", facts)) == expected


def summary(**changed: Any) -> dict[str, Any]:
    return {
        "split": "test",
        "protocol": "full",
        "seen": "filter",
        "users": 1000,
        "negatives": 99,
        "metrics": {"UAUC": 0.75, "MRR": None},
        "intervals": {"UAUC": (0.7, 0.8), "MRR": (None, None)},
        "debiased": {"UAUC": 0.5},
        "coverage@10": 0.125,
        "missed": 0,
        "targets": {"cold": {"targets": 1200, "UAUC": 0.25}, "warm": {"targets": 0, "UAUC": None}},
        **changed,
    }


def test_an_evaluation_has_its_metrics_and_its_groups_of_targets() -> None:
    metrics, groups = evaluation_tables(summary())
    assert metrics.title == (
        "test split, protocol full, seen items left out: 1,000 users, 99 negatives"
    )
    assert rows(metrics) == [
        ("UAUC", "0.7500", "0.7000 .. 0.8000"),
        ("MRR", "-", "-"),
        ("UAUC debiased", "0.5000", "-"),
        ("coverage@10", "0.1250", "-"),
    ]
    assert rows(groups) == [("cold", "1,200", "0.2500", "-", "-"), ("warm", "0", "-", "-", "-")]


@pytest.mark.parametrize(
    ("seen", "words"),
    [("filter", ", seen items left out"), ("keep", ", seen items kept"), (None, "")],
)
def test_an_evaluation_says_what_became_of_seen_items(seen: str | None, words: str) -> None:
    table, _ = evaluation_tables(summary(seen=seen, missed=3000))
    assert str(table.title).startswith(f"test split, protocol full{words}: ")
    assert rows(table)[-1] == ("targets had before", "3,000", "missed")


def test_semantic_ids_have_their_titles_cut() -> None:
    facts = {"count": 1500, "method": "kmeans", "modalities": ["text", "id"], "reason": "asked for"}
    samples = [
        {"semantic": 7, "items": 1200, "label": None, "titles": ["x" * 48, "y" * 49]},
        {"semantic": 1, "items": 2, "label": "kind", "titles": []},
    ]
    table = semantics_table(facts, samples)
    assert table.title == "1,500 semantic ids by kmeans over text, id (asked for)"
    assert rows(table) == [
        ("7", "1,200", "", "x" * 48 + " · " + "y" * 47 + "…"),
        ("1", "2", "kind", ""),
    ]


def test_quality_is_told_in_small_letters() -> None:
    assert rows(quality_table([("Purity", "0.5", "The Share.")])) == [
        ("purity", "0.5", "The Share.")
    ]


def test_every_data_set_and_every_family_has_a_row() -> None:
    datasets, formats = list_datasets(), list_formats()
    known, families = datasets_tables(datasets, formats)
    for row, entry in zip(rows(known), datasets, strict=True):
        counts = entry["counts"]
        assert row == (
            entry["name"],
            "\n".join(entry["files"]),
            *(f"{counts[name]:,}" for name in ("users", "items", "interactions")),
            entry["by"],
        )
    for row, entry in zip(rows(families), formats, strict=True):
        files = row[1].split("\n")
        assert files[: len(entry["interactions"])] == entry["interactions"]
        assert files[len(entry["interactions"]) :] == (
            ["+ " + ", ".join(entry["items"])] if entry["items"] else []
        )
        assert row[2].split("\n") == [*entry["address"].split(" "), *entry["terms"].split("\n")]


ENTRY = {"name": "padding", "promise": "padding is invisible", "measured": "0 items"}


@pytest.mark.parametrize(
    ("status", "mark", "style"),
    [("pass", "✓", "green"), ("warning", "!", "yellow"), ("fail", "✗", "bold red")],
)
def test_a_check_is_a_coloured_line(status: str, mark: str, style: str) -> None:
    line = check_line({**ENTRY, "status": status, "cause": "", "cure": "never shown"})
    assert line.plain == f"{mark} {status:<8}padding       padding is invisible: 0 items"
    assert [(span.start, span.end, span.style) for span in line.spans] == [(0, 10, style)]


def report(failed: Sequence[str], semantics: str | None) -> dict[str, Any]:
    return {
        "model": "duet",
        "backbone": "din",
        "slice": {"users": 50, "of_users": 1000, "items": 40, "of_items": 2000},
        "semantics": semantics,
        "checks": [{"name": "a"}, {"name": "b"}],
        "failed": list(failed),
        "seconds": 1.25,
    }


def test_the_last_line_of_checks_sums_them_up() -> None:
    assert checks_line(report([], None)) == (
        "duet on din, 50 of 1,000 users and 40 of 2,000 items: 2 checks in 1.2 s, none failed"
    )
    assert checks_line(report(["a", "b"], "8 by kmeans")).endswith(
        "items, semantic ids 8 by kmeans: 2 checks in 1.2 s, failed: a, b"
    )
