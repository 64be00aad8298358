"""The paper's numbers: complete, equal to its other tables and its text, and found by our names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from solidrec.errors import UsageError
from solidrec.experiments.tables.paper import (
    _modality_set,
    _paper_data,
    data_note,
    paper_table,
    paper_value,
)

SETS, BACKBONES = (
    ("arts", "instruments", "office", "scientific"),
    ("din", "gru4rec", "sasrec", "bert4rec"),
)
MODELS = ("static", "apg", "solid-apg", "duet", "solid-duet")
TABLES = (1, 2, 3, 4, 5)
RANKING = (1, 2, 3)


def labels(backbone: str, model: str) -> dict[str, str]:
    return {"model.backbone.name": backbone, "model.name": model}


def of_table1(data: str, backbone: str, model: str, metric: str = "UAUC") -> float:
    found = paper_value(table=1, data_name=data, labels=labels(backbone, model), metric=metric)
    assert found is not None
    return found


def test_table_1_is_complete():
    table = paper_table(1)
    assert len(table.metrics) == 5  # Recall@20 has no column in the paper's text
    wanted = [
        (data, labels(backbone, model))
        for data in SETS
        for backbone in BACKBONES
        for model in MODELS
    ]
    assert [(data, row) for data, row, _ in table.rows] == wanted
    assert sum(len(values) for *_, values in table.rows) == 4 * 4 * 5 * 5


@pytest.mark.parametrize(
    ("number", "rows", "metrics"), [(2, 5, 6), (3, 7, 6), (4, 2, 4), (5, 2, 3)]
)
def test_the_other_tables_are_complete(number, rows, metrics):
    table = paper_table(number)
    assert (len(table.rows), len(table.metrics)) == (rows, metrics)
    assert {data for data, *_ in table.rows} == {"arts"}


@pytest.mark.parametrize(
    ("data", "backbone", "model", "values"),
    [  # the corners and a few between, read off the page once more
        ("arts", "din", "static", (0.8193, 0.7559, 0.2646, 0.4696, 0.2993)),
        ("arts", "bert4rec", "solid-duet", (0.8497, 0.7970, 0.3088, 0.5344, 0.3456)),
        ("instruments", "din", "static", (0.7974, 0.7463, 0.2620, 0.4576, 0.2966)),
        ("instruments", "sasrec", "duet", (0.8241, 0.7599, 0.2768, 0.4760, 0.3105)),
        ("office", "gru4rec", "apg", (0.8343, 0.7623, 0.2809, 0.4831, 0.3154)),
        ("office", "bert4rec", "solid-apg", (0.8462, 0.7767, 0.3032, 0.5130, 0.3374)),
        ("scientific", "din", "static", (0.6100, 0.5971, 0.1337, 0.2609, 0.1648)),
        ("scientific", "bert4rec", "solid-duet", (0.7420, 0.7108, 0.1826, 0.3477, 0.2235)),
    ],
)
def test_spot_values(data, backbone, model, values):
    assert (
        tuple(of_table1(data, backbone, model, metric) for metric in paper_table(1).metrics)
        == values
    )


def test_every_number_of_the_ranking_tables_is_printed_in_the_papers_text(repository: Path):
    text = repository.parent / "shared" / "design" / "paper.txt"
    if not text.is_file():
        pytest.skip("the paper's text is absent beside the shared data")
    lines = [
        re.findall(r"\d\.\d{4}", line) for line in text.read_text(encoding="utf-8").splitlines()
    ]
    for number in RANKING:
        for *_, values in paper_table(number).rows:
            wanted = [f"{value:.4f}" for value in values.values()]
            assert any(wanted in (line[: len(wanted)], line[-len(wanted) :]) for line in lines), (
                number,
                wanted,
            )


def test_more_places_never_lower_a_metric_and_shares_are_shares():
    for number in RANKING:
        for data, row, values in paper_table(number).rows:
            assert all(0 < value < 1 for value in values.values())
            assert values["NDCG@10"] < values["NDCG@20"], (number, data, row)
            assert values["NDCG@10"] < values["Recall@10"], (number, data, row)
            assert values["UAUC"] < values["AUC"], (number, data, row)
            assert values["Recall@10"] < values.get("Recall@20", 1), (number, data, row)


def test_tables_2_and_3_agree_with_table_1_where_they_share_a_row():
    """Which is also what settles Table 2's first row and Table 3's last."""
    for metric in paper_table(1).metrics:
        for model in ("duet", "solid-duet"):
            value = paper_value(
                table=2, data_name="arts", labels=labels("sasrec", model), metric=metric
            )
            assert value == of_table1("arts", "sasrec", model, metric)
        every = paper_value(
            table=3,
            data_name="arts",
            labels={"semantics.modalities": "id + image + text"},
            metric=metric,
        )
        assert every == of_table1("arts", "sasrec", "solid-duet", metric)


def test_what_the_documentation_says_of_table_1_follows_from_it():
    below = [
        (data, backbone, model)
        for data in SETS
        for backbone in BACKBONES
        for model in ("apg", "duet")
        if of_table1(data, backbone, model) < of_table1(data, backbone, "static")
    ]
    assert (len(below), sum(data == "scientific" for data, *_ in below)) == (13, 6)
    no_better = [
        (data, backbone, model, metric)
        for data in SETS
        for backbone in BACKBONES
        for model in ("apg", "duet")
        for metric in paper_table(1).metrics
        if of_table1(data, backbone, f"solid-{model}", metric)
        <= of_table1(data, backbone, model, metric)
    ]
    assert no_better == [
        *(("office", "din", "apg", metric) for metric in ("NDCG@10", "Recall@10", "NDCG@20")),
        *(("scientific", "sasrec", "duet", metric) for metric in ("NDCG@10", "Recall@10")),
    ]


def test_the_text_orders_modalities_as_the_corrected_table_3_does():
    uauc = {row["semantics.modalities"]: values["UAUC"] for _, row, values in paper_table(3).rows}
    assert (
        uauc["text"] > uauc["id"] > uauc["image"]
    )  # the text says Text > Image > ID; its numbers say this
    assert uauc["id + text"] > uauc["image + text"] > uauc["id + image"]


@pytest.mark.parametrize("number", [2, 3, 4])
def test_what_was_corrected_is_noted(number):
    assert paper_table(number).notes


@pytest.mark.parametrize(
    "name", ["scientific", "scientific_mm", "paper-scientific", "data/Scientific_mm"]
)
def test_a_data_set_is_found_by_folder_and_published_id(name):
    assert of_table1(name, "sasrec", "duet") == 0.6565
    assert "image" in data_note(name)


@pytest.mark.parametrize("name", ["office14", "beauty", "movielens-1m", "paper-cds"])
def test_other_data_sets_have_no_numbers(name):
    assert (_paper_data(name), data_note(name)) == (None, None)
    assert (
        paper_value(table=1, data_name=name, labels=labels("sasrec", "duet"), metric="UAUC") is None
    )


def test_the_note_says_which_of_the_two_copies_it_is():
    assert "such a subset" in data_note("scientific_mm")
    assert "full set" in data_note("scientific")


def test_rows_are_found_by_what_they_are():
    def of_table2(**more: str) -> float | None:
        return paper_value(
            table=2, data_name="arts_mm", labels={"model.name": "spg"} | more, metric="UAUC"
        )

    assert of_table2() == of_table2(**{"model.backbone.name": "sasrec"}) == 0.7783
    assert of_table2(**{"model.backbone.name": "din"}) is None  # held fixed by the paper
    assert of_table2(**{"model.clip": "0.1"}) is None  # the paper does not say
    assert (
        paper_value(table=1, data_name="arts", labels={"model.name": "duet"}, metric="UAUC") is None
    )  # which backbone?
    assert (
        paper_value(table=1, data_name="arts", labels=labels("din", "apg"), metric="Recall@20")
        is None
    )
    assert (
        paper_value(table=1, data_name="arts", labels=labels("din", "spg"), metric="UAUC") is None
    )


def test_modalities_are_a_set():
    for text in ("id + text", "text + id", '["id", "text_bert_pq"]', "text,id"):
        assert _modality_set(text) == "id + text"
    assert _modality_set("title + brand") == "brand + title"


def test_an_unknown_table_names_the_known_ones():
    with pytest.raises(
        UsageError, match="table 6 of the paper is not here; there are 1, 2, 3, 4, 5"
    ):
        paper_table(6)


def test_the_numbers_are_beside_the_module_so_that_they_are_packaged_with_it(repository: Path):
    package = repository / "src" / "solidrec"
    assert (package / "experiments" / "tables" / "paper.toml").is_file()
    assert 'packages = ["src/solidrec"]' in (repository / "pyproject.toml").read_text(
        encoding="utf-8"
    )
