"""Cold, rare and warm targets apart."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from solidrec.experiments.results import Results
from solidrec.report import targets as module
from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.targets import _mean, _top, targets


def with_targets(of: Material, change: Any) -> Material:
    """The material with other groups of targets in its records."""
    results = Results(of.results.out)
    for key, record in list(results.records.items()):
        evaluations = {
            name: {**each, "targets": change(key)} for name, each in record["evaluations"].items()
        }
        results.records[key] = {**record, "evaluations": evaluations}
    return replace(of, results=results)


def group(count: int, value: float) -> dict[str, Any]:
    return {"targets": count, "UAUC": value, "NDCG@10": value / 2, "Recall@10": value / 4}


def test_each_row_has_its_mean_over_seeds_under_each_protocol(of: Material) -> None:
    seeds = {place.key: place.seed for place in of.plan.places}
    section = targets(
        with_targets(
            of,
            lambda key: {
                "cold": group(0, 0.1),
                "rare": group(3, 0.2),
                "warm": group(87, 0.4 + 0.2 * seeds[key]),
            },
        )
    )
    shown = render("section.html", it=section)
    assert shown.count("Targets by how often they occur in training") == 2 * len(
        of.plan.protocols
    )  # caption and label
    heads = re.findall(r'<th scope="col">([^<]*)</th>', shown)
    assert heads[:7] == [
        "",
        *(
            f"{name} {metric}"
            for name in ("rare", "warm")
            for metric in ("UAUC", "NDCG@10", "Recall@10")
        ),
    ]
    assert f"{(0.4 + 0.6) / 2:.4f}" in shown  # two seeds
    assert f"{0.4:.4f}" in shown  # the baseline, which has one
    assert "cold (never in training): 0 targets; rare (1 to 4 times): 3 targets" in shown


def test_the_best_of_many_targets_is_marked_and_of_few_none(of: Material) -> None:
    values = dict(
        zip(
            [place.key for place in of.plan.places],
            np.linspace(0.3, 0.6, len(of.plan.places)),
            strict=True,
        )
    )
    section = targets(
        with_targets(
            of,
            lambda key: {
                "cold": group(0, 0.1),
                "rare": group(module._FEW - 1, values[key]),
                "warm": group(module._FEW, values[key]),
            },
        )
    )
    shown = render("section.html", it=section)
    assert shown.count('class="best"') == 3 * len(
        of.plan.protocols
    )  # the three metrics of warm targets
    assert f"Of fewer than {module._FEW} targets a mean is an anecdote" in shown


def test_records_without_groups_leave_the_table_out(of: Material) -> None:
    results = Results(of.results.out)
    for key, record in list(results.records.items()):
        bare = {
            name: {k: v for k, v in each.items() if k != "targets"}
            for name, each in record["evaluations"].items()
        }
        results.records[key] = {**record, "evaluations": bare}
    assert not targets(replace(of, results=results))


def test_a_mean_needs_every_seed() -> None:
    assert _mean([{"rare": {"UAUC": 0.25}}, {"rare": {"UAUC": 0.75}}], "rare", "UAUC") == 0.5
    assert _mean([{"rare": {"UAUC": None}}, {"rare": {"UAUC": 0.75}}], "rare", "UAUC") is None


def test_one_value_is_no_competition() -> None:
    assert _top([0.5, None]) is None
    assert _top([0.5, 0.7, None]) == 0.7
