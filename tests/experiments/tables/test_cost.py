from __future__ import annotations

from pathlib import Path

from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.cost import cost_table


def test_each_row_has_its_cost_and_the_papers(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    table = cost_table(plan, results)
    assert table is not None
    main, parts = table.grids
    assert main.heads[1:4] == ("parameters", "s/epoch, stage 1", "s/epoch, stage 2")
    lines = {line[0].text: [part.text for part in line[1:]] for line in main.lines}
    assert list(lines) == ["static", "duet", "solid-duet"]
    assert lines["solid-duet"][-3:] == ["821.44k", "130.6742", "0.0103"]
    assert lines["static"][2] == "-"  # no second stage
    assert lines["static"][4] == "0"  # one set of weights for everybody
    record = next(results.records[place.key] for place in plan.places if place.row == "solid-duet")
    assert lines["solid-duet"][0] == f"{record['parameters']:,}"
    assert lines["duet"][4] == f"{2 * (8 * 8 + 8) * 4:,}"  # two layers of width 8, in float32
    for line in parts.lines:
        counts = [int(part.text.replace(",", "")) for part in line[1:] if part.text != "-"]
        assert sum(counts[:-1]) == counts[-1]
    assert {number.seed for number in table.numbers} == {0, 1}


def test_an_experiment_that_did_not_measure_it_has_no_table(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    results.records = {key: {**record, "measures": {}} for key, record in results.records.items()}
    assert cost_table(plan, results) is None
