from __future__ import annotations

from dataclasses import replace

from solidrec.experiments.results import Results
from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.provenance import _command, provenance


def test_the_command_says_everything(of: Material) -> None:
    assert _command(of) == (
        f"solidrec experiment run tiny.toml {of.plan.data_name} --seeds 2 "
        "--protocol paper --protocol full --set model.dim=8 "
        "--set model.dropout=0.1 --set model.codebook.schedule=staged --set train.batch_size=128 "
        "--set train.learning_rate=0.01 --set train.epochs=2"
    )


def test_each_cell_is_listed_with_what_is_its_own(of: Material) -> None:
    text = render("sections/provenance.html", it=provenance(of))
    for place in of.plan.places:
        assert place.key in text
    assert "model.name = solid-duet" in text
    assert "model.dim = 8</code></td>" not in text  # common to all
    assert of.plan.data in text
    assert of.results.records[of.plan.places[0].key]["versions"]["torch"] in text


def test_two_machines_are_both_named(of: Material) -> None:
    results = Results(of.results.out)
    key = of.plan.places[0].key
    results.records[key] = {**results.records[key], "machine": {"cpu": "abacus"}}
    text = render("sections/provenance.html", it=provenance(replace(of, results=results)))
    assert "cpu abacus (1 cells)" in text
    assert "(6 cells)" in text
