"""Charts of logs: stages follow one another, the kept epoch is marked, gaps are left out."""

from __future__ import annotations

from typing import Any

from solidrec.report.logs import curves, health, judged_by, size_of
from solidrec.report.plots import Series

A, B = Series.run("a", 0), Series.run("b", 1)


def row(stage: int, epoch: int, value: float | None, *, best: bool = False, **more: Any) -> Any:
    return {"stage": stage, "epoch": epoch, "valid": {"UAUC": value}, "best": best, **more}


def valid(row: dict[str, Any]) -> float | None:
    value: float | None = row["valid"]["UAUC"]
    return value


TWO_STAGES = [
    row(1, 1, 0.5, best=True),
    row(1, 2, 0.6, best=True),
    row(1, 3, 0.55),
    row(2, 0, 0.6),
    row(2, 1, None),
    row(2, 2, 0.7, best=True),
]


def test_a_stage_is_drawn_to_the_right_of_the_one_before_it() -> None:
    first, second = curves([(A, TWO_STAGES)], valid)
    assert (list(first.x), list(first.y), first.dashed) == ([1, 2, 3], [0.5, 0.6, 0.55], False)
    assert (list(second.x), list(second.y), second.dashed) == ([3 + 0, 3 + 2], [0.6, 0.7], True)
    assert (first.chosen, second.chosen) == (1, 1)  # the last of its stage that was the best so far


def test_every_run_has_its_own_curves_and_one_without_values_has_none() -> None:
    silent = [row(1, epoch, None, best=True) for epoch in (1, 2)]
    found = curves([(A, silent), (B, TWO_STAGES[:2])], valid)
    assert [curve.series for curve in found] == [B]
    kept_has_no_value = [row(1, 1, 0.5), row(1, 2, None, best=True)]
    assert curves([(A, kept_has_no_value)], valid)[0].chosen is None


def test_the_metrics_that_judged_are_named_once_each() -> None:
    ranked = [row(1, 1, 0.5, select="full NDCG@10")]
    assert judged_by([(A, TWO_STAGES), (B, ranked), (A, ranked)]) == "UAUC and full NDCG@10"


def coded(stage: int = 2) -> list[dict[str, Any]]:
    facts = {"codes_used": 7, "codes_dead": 3, "codes_revived": 1, "perplexity": 5.5}
    return [row(1, 1, 0.5), *(row(stage, epoch, 0.5, **facts) for epoch in (1, 2))]


def test_a_codebook_has_as_many_codes_as_are_used_or_dead() -> None:
    assert size_of(coded()) == 7 + 3


def test_a_run_without_codebook_and_clip_has_no_charts_and_no_place_in_the_legend() -> None:
    assert health([(A, TWO_STAGES)]) == []
    (charts,) = health([(A, TWO_STAGES), (B, coded())], "a block")
    assert charts.legend == [B]
    assert charts.heading == "a block"


def test_codebooks_have_two_charts_and_clips_one() -> None:
    clipped = [row(1, epoch, 0.5, saturated=0.5) for epoch in (1, 2)]
    (codes,), (clips,), (both,) = (
        health([(A, coded())], of=" of x"),
        health([(A, clipped)]),
        health([(A, coded()), (B, clipped)]),
    )
    assert [len(found.drawn) for found in (codes, clips, both)] == [2, 1, 3]
    used, dead = (svg for _, svg in codes.drawn)
    assert "all 10 codes" in used
    assert 'aria-label="Dead and revived codes by epoch of x"' in dead
    assert "Saturated share by epoch" in clips.drawn[0][1]


def test_codes_that_were_learned_in_a_second_stage_are_drawn_by_its_epochs() -> None:
    for stage in (1, 2):
        (charts,) = health([(A, coded(stage=stage))])
        assert ("epoch of stage 2" in charts.drawn[0][1]) == (stage == 2)
