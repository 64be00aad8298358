"""Tables of results: the contents of a cell, the marks, the gaps and the notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.evaluate.significance import crossed
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.paper import PROTOCOLS
from solidrec.experiments.tables.result_table import Layout, ResultTable, TableLine
from solidrec.experiments.tables.tabulate import result_table

USERS, METRICS = 30, ("AUC", "UAUC", "NDCG@10")


def row(
    name: str, *, seeds: int = 3, gain: float = 0.0, labels: dict[str, str] | None = None
) -> Measured:
    rng = np.random.default_rng([len(name), *name.encode()])
    taste = np.random.default_rng(0).random(USERS)
    values = {
        metric: gain + 0.5 * taste + 0.02 * rng.normal(size=(seeds, USERS))
        for metric in METRICS[1:]
    }
    means = tuple(
        {metric: float(of[seed].mean()) for metric, of in values.items()} | {"AUC": 0.6 + gain}
        for seed in range(seeds)
    )
    return Measured(
        name, labels or {}, tuple(range(seeds)), "paper", "d", np.arange(USERS), means, values
    )


def model(backbone: str, name: str, **how: object) -> Measured:
    return row(
        f"{backbone} · {name}", labels={"model.backbone.name": backbone, "model.name": name}, **how
    )


def baseline(name: str) -> Measured:
    return replace(row(name, seeds=1), deterministic=True)


ROWS = [
    baseline("item-knn"),
    model("din", "duet"),
    model("din", "solid-duet", gain=0.2),
    model("sasrec", "duet"),
    model("sasrec", "static"),
    model("sasrec", "solid-duet", gain=-0.2),
]


def table(rows: list[Measured] = ROWS, **layout: object) -> ResultTable:
    return result_table(rows, Layout("Table", metrics=METRICS, **layout))


def line(name: str, found: ResultTable) -> TableLine:
    return next(each for each in found.lines if each.name == name)


def marked(found: ResultTable, what: str) -> set[tuple[str, str]]:
    return {
        (each.name, cell.metric)
        for each in found.lines
        for cell in each.cells
        if getattr(cell, what)
    }


def test_a_cell_is_mean_spread_and_interval():
    auc, uauc, _ = line("din · duet", table()).cells
    expected = crossed(ROWS[1].per_user["UAUC"])
    assert (uauc.mean, uauc.spread) == (ROWS[1].mean("UAUC"), ROWS[1].spread("UAUC"))
    assert (uauc.low, uauc.high) == (expected.low, expected.high)
    assert (auc.mean, auc.spread, auc.low) == (0.6, 0.0, None)  # pooled: no value of each user


def test_a_baseline_has_an_interval_over_users_and_needs_no_seeds():
    found = line("item-knn", table(seeds=5))
    cell = found.cells[1]
    expected = crossed(ROWS[0].per_user["UAUC"], trained=False)
    assert (cell.spread, cell.low, cell.high) == (None, expected.low, expected.high)
    assert found.seeds_text == "none needed"


def test_rows_stand_in_blocks_in_their_order():
    mixed = [ROWS[1], ROWS[3], ROWS[0], ROWS[2], ROWS[4]]
    assert [(each.block, each.name) for each in table(mixed).lines] == [
        ("din", "din · duet"),
        ("din", "din · solid-duet"),
        ("sasrec", "sasrec · duet"),
        ("sasrec", "sasrec · static"),
        ("baselines", "item-knn"),
    ]
    assert [each.block for each in table([row("a"), row("b")]).lines] == ["", ""]


def test_the_best_of_each_column_is_marked_in_its_block_unless_alone():
    best = marked(table(), "best")
    assert {name for name, metric in best if metric == "UAUC"} & {
        "din · solid-duet",
        "din · duet",
    } == {"din · solid-duet"}
    assert ("sasrec · solid-duet", "UAUC") not in best
    assert not any(name == "item-knn" for name, _ in best)
    assert {("sasrec · duet", "AUC"), ("sasrec · static", "AUC")} <= best  # a tie


def test_a_star_is_a_corrected_gain_over_the_base():
    assert marked(table(), "star") == {
        ("din · solid-duet", "UAUC"),
        ("din · solid-duet", "NDCG@10"),
    }
    above_static_only = [model("din", "static", gain=-0.2), model("din", "solid-duet")]
    found = table(above_static_only)
    assert (marked(found, "star"), {each.star for each in found.contrasts}) == (set(), {True})
    assert not any("above `din · static`" in note for note in found.notes)


def test_with_a_reference_the_star_is_over_that_row():
    rows = [row("random"), row("id", gain=0.2), row("text")]
    found = table(rows)
    assert marked(found, "star") == {("id", "UAUC"), ("id", "NDCG@10")}
    assert any("above `random`" in note for note in found.notes)


def test_one_seed_earns_no_star_and_the_notes_say_why():
    found = table([row("random", seeds=1), row("id", seeds=1, gain=0.2)])
    assert marked(found, "star") == set()
    assert any("One training seed says nothing about a method" in note for note in found.notes)
    assert not any("Holm" in note for note in found.notes)


def test_what_is_missing_is_shown():
    expected = {each.name: each.labels for each in ROWS} | {
        "sasrec · spg": {"model.backbone.name": "sasrec", "model.name": "spg"}
    }
    rows = [*ROWS[:5], model("sasrec", "solid-duet", seeds=2)]
    found = table(rows, expected=expected, seeds=3)
    assert (line("sasrec · spg", found).block, line("sasrec · spg", found).seeds_text) == (
        "sasrec",
        "0 of 3 seeds",
    )
    assert all(cell.mean is None for cell in line("sasrec · spg", found).cells)
    assert line("sasrec · solid-duet", found).seeds_text == "2 of 3 seeds"
    assert line("sasrec · duet", found).seeds_text == "3"
    assert (
        "Missing: sasrec · solid-duet (2 of 3 seeds), sasrec · spg (0 of 3 seeds)." in found.notes
    )


def test_while_the_reference_is_missing_nothing_is_compared():
    rows = [row("id"), row("text")]
    found = table(rows, expected={"random": {}, "id": {}, "text": {}}, reference="random")
    assert (found.contrasts, line("random", found).seeds_text) == ((), "0 of 3 seeds")
    with pytest.raises(UsageError, match="reference random"):
        table(rows, reference="random")


def test_half_a_table_compares_nothing_that_the_whole_one_does_not():
    plain = {"first": {"a": "1"}, "second": {"a": "2"}, "third": {"a": "3"}}
    second, third = (
        row(name, gain=gain, labels=plain[name]) for name, gain in (("second", 0), ("third", 0.2))
    )
    assert not table(
        [second, third], expected=plain
    ).contrasts  # the first is what they will be compared with
    assert table([row("first", labels=plain["first"]), third], expected=plain).contrasts
    solid = {each.name: each.labels for each in ROWS}
    assert not table([ROWS[1], model("sasrec", "static", gain=0.2)], expected=solid).contrasts


def test_without_a_measurement_there_is_a_table_that_says_so():
    found = table([])
    assert (found.lines, found.contrasts, found.notes) == ((), (), ("Nothing was measured yet.",))


def test_the_papers_values_stand_beside_ours():
    found = table(paper=1, data_name="scientific_mm")
    cell = line("sasrec · solid-duet", found).cells[1]
    assert cell.paper == 0.6738
    assert cell.over_paper == cell.mean - 0.6738
    assert line("item-knn", found).cells[1].paper is None
    assert any(PROTOCOLS in note for note in found.notes)
    assert any("such a subset" in note for note in found.notes)


def test_settings_that_rows_share_are_held_against_the_papers_too():
    rows = [row(name, labels={"model.name": name}) for name in ("duet", "solid-duet")]
    fixed = {"model.backbone.name": "sasrec"}
    assert (
        line("duet", table(rows, paper=2, data_name="arts_mm", fixed=fixed)).cells[1].paper
        == 0.7660
    )
    assert (
        line(
            "duet", table(rows, paper=2, data_name="arts_mm", fixed={"model.backbone.name": "din"})
        )
        .cells[1]
        .paper
        is None
    )


@pytest.mark.parametrize("how", ["full", "other negatives", "other data"])
def test_numbers_of_another_protocol_or_data_set_get_no_paper_beside_them(how):
    rows = [replace(each, protocol="full") for each in ROWS] if how == "full" else ROWS
    data_name, negatives = (
        "beauty" if how == "other data" else "arts",
        49 if how == "other negatives" else 99,
    )
    found = table(rows, paper=1, data_name=data_name, negatives=negatives)
    assert all(cell.paper is None for each in found.lines for cell in each.cells)
    assert not any("the paper" in note for note in found.notes)


def test_a_protocol_is_a_label_and_two_are_two_tables():
    assert table().label == "1+99 sampled"
    assert table(negatives=49).label == "1+49 sampled"
    assert table([replace(each, protocol="full") for each in ROWS]).label == "full"
    with pytest.raises(UsageError, match="two protocols make two tables"):
        table([ROWS[0], replace(ROWS[1], protocol="full")])


def test_the_notes_count_users_and_tests():
    found = table()
    assert "30 test users" in found.notes[0]
    assert any(f"{len(found.contrasts)} tests" in note for note in found.notes)
