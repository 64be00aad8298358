from __future__ import annotations

from dataclasses import replace

from solidrec.experiments.results import Results
from solidrec.report.material import Material
from solidrec.report.sources import _command, protocol, provenance


def test_the_command_says_everything(of: Material) -> None:
    assert _command(of) == (
        f"solidrec experiment run tiny.toml {of.plan.data_name} --seeds 2 "
        "--protocol paper --protocol full --set model.dim=8 "
        "--set model.dropout=0.1 --set model.codebook.schedule=staged --set train.batch=128 "
        "--set train.learning_rate=0.01 --set train.epochs=2"
    )


def test_the_protocol_is_that_of_the_records(of: Material) -> None:
    text, negatives = protocol(of), of.results.negatives(of.plan)
    for words in (
        f"1+{negatives} sampled) among {negatives} items that its user never touched",
        "90 test users",
        "the epoch with the best UAUC on validation",
        "2: 0, 1",
    ):
        assert words in text
    assert "at most 2 epochs a stage" in text


def test_each_cell_is_listed_with_what_is_its_own(of: Material) -> None:
    text = provenance(of)
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
    text = provenance(replace(of, results=results))
    assert "cpu abacus (1 cells)" in text
    assert "(6 cells)" in text
