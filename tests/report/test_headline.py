from __future__ import annotations

from dataclasses import replace

from tests.experiments.tables.test_sweep import PLACES, row

from solidrec.evaluate.significance import Estimate
from solidrec.experiments.plan import Place
from solidrec.experiments.results import Results
from solidrec.experiments.tables.comparisons import Comparison
from solidrec.experiments.tables.contrasts import Contrast
from solidrec.experiments.tables.measured import Measured
from solidrec.report.headline import (
    _NO_STAR_YET,
    _NONE_COMPARED,
    _NOTHING,
    _best_place,
    _cost_words,
    _verdict,
    baseline_words,
    finished_words,
    headline,
    more_verdicts,
    unfinished_words,
)
from solidrec.report.material import Material


def contrast(name: str, mean: float, p: float | None, *, base: bool = True) -> Contrast:
    found = Estimate(mean, mean - 1, mean + 1, p, 0.5, 3, 10, p is not None)
    return Contrast(Comparison(name, "duet", "UAUC", (), base), found, p, "")


def test_every_outcome_is_counted_and_named() -> None:
    found = [
        contrast("a", 0.1, 0.01),
        contrast("b", 0.1, 0.2),
        contrast("c", -0.1, 0.01),
        contrast("d", 0.1, 0.01, base=False),
    ]
    assert _verdict(found, "full") == (
        "1 of 3 comparisons (full) earned a star: a against duet in UAUC; "
        "1 did not: b against duet in UAUC; "
        "1 went the other way beyond chance: c against duet in UAUC."
    )


def test_no_star_is_said_as_plainly() -> None:
    assert (
        _verdict([contrast("a", 0.1, 0.06)], "full")
        == "None of 1 comparisons (full) earned a star: a against duet in UAUC."
    )
    assert _verdict([contrast("a", 0.1, None)], "full") == _NO_STAR_YET
    assert _verdict([], "full") == _NONE_COMPARED


def test_many_are_counted_beyond_the_first() -> None:
    text = _verdict([contrast(f"r{n}", 0.1, 0.01) for n in range(5)], "full")
    assert text.startswith("5 of 5 comparisons (full) earned a star: r0 against")
    assert text.endswith("r2 against duet in UAUC and 2 more.")


def test_cost_is_the_headline_where_it_was_measured(of: Material) -> None:
    costs = {
        place.row: of.results.records[place.key]["measures"]["cost"] for place in of.first_seeds()
    }
    size = costs["solid-duet"]["parameters"]["total"] / costs["duet"]["parameters"]["total"]
    assert (
        f"solid-duet has {size:.2f} times the parameters of duet" in _cost_words(of) == headline(of)
    )


def test_the_best_place_is_named_for_each_metric(of: Material) -> None:
    plan = replace(of.plan, layout="figure5", rows=tuple(r for r in map(place_row, PLACES)))
    rows: list[Measured] = [
        row(f"{a} {d}", a, d, v) for (a, d), v in zip(PLACES, [0.5, 0.7, 0.6, 0.1], strict=True)
    ]
    text = _best_place(replace(of, plan=plan, measured={"paper": rows}))
    assert "UAUC at λ = 0.1, T = 0.01" in text
    assert "Being the best of many is not tested." in text


def place_row(place: tuple[str, str]) -> Measured:
    return row(" ".join(place), *place, 0.0)


def test_every_protocol_is_judged_once(of: Material) -> None:
    found = more_verdicts(of)
    assert found == [
        _verdict(table.contrasts, table.label) for table in of.tables
    ]  # the headline is about cost
    without = replace(
        of, plan=replace(of.plan, measures=()), results=Results(of.results.out), measures=()
    )
    without.results.records = {
        key: {**record, "measures": {}} for key, record in of.results.records.items()
    }
    assert [headline(without), *more_verdicts(without)] == found


def test_trained_rows_are_held_against_the_best_baseline(of: Material) -> None:
    means = {
        line.name: next(c.mean for c in line.cells if c.metric == "UAUC") or 0
        for line in of.tables[0].lines
    }
    floor = means.pop("popularity")
    above = sum(mean > floor for mean in means.values())
    assert baseline_words(of).startswith(
        f"{above} of 3 trained rows are above the best baseline, popularity (UAUC {floor:.4f}"
    )
    assert baseline_words(replace(of, measured={"paper": of.measured["paper"][:3]})) == ""
    full = {row.name: row.mean("NDCG@10") for row in of.measured["full"]}
    first = replace(of, measured={"full": of.measured["full"], "paper": of.measured["paper"]})
    assert f"popularity (NDCG@10 {full['popularity']:.4f}" in baseline_words(first)


def test_what_is_missing_is_counted(of: Material) -> None:
    assert finished_words(of).startswith("7 of 7 cells are finished")
    more = replace(of, plan=replace(of.plan, places=(*of.plan.places, Place("duet", 9, "gone"))))
    assert (
        finished_words(more)
        == "7 of 8 cells are finished; missing: duet. Everything below is of what is there."
    )
    nothing = replace(of, measured={"paper": (), "full": ()})
    assert headline(nothing) == _NOTHING


def test_trainings_that_ran_out_of_epochs_are_counted(of: Material) -> None:
    records = [of.results.records[place.key] for place in of.trained()]
    cut = sum(max(stage["epoch"] for stage in record["stages"]) >= 2 for record in records)
    assert cut
    assert unfinished_words(of).startswith(f"{cut} of {len(records)} trainings")
