"""One page that needs nothing else, whatever of the experiment is still there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.report.test_page import Page

from solidrec.errors import StorageError
from solidrec.json_files import read_json, sealed, write_json
from solidrec.report.experiment_report import _SECTIONS, write_experiment_report

EVIL = '<script src="https://evil.example/x.js">alert("&")</script>'


@pytest.fixture(scope="module")
def report(measured_experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_experiment_report(
        measured_experiment, tmp_path_factory.mktemp("report") / "a.html"
    ).read_text(encoding="utf-8")


def test_the_page_needs_nothing_from_elsewhere_and_closes_what_it_opens(report: str) -> None:
    page = Page(report)
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert not any(
            (value or "").startswith(("http", "//", "data:")) for value in attributes.values()
        )
    assert "url(http" not in report
    assert "@import" not in report


def test_ids_are_unique_and_every_reference_has_one(report: str) -> None:
    ids = [attributes["id"] for _, attributes in Page(report).tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for reference in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', report):
        assert next(name for name in reference if name) in ids


def test_every_section_that_has_something_to_say_is_there(report: str) -> None:
    assert re.findall(r'<section id="(\w+)">', report) == [
        name for name in _SECTIONS if name != "sweep"
    ]


def test_the_same_folder_gives_the_same_bytes_and_its_tables(
    measured_experiment: Path, report: str
) -> None:
    path = write_experiment_report(measured_experiment)
    assert path == measured_experiment / "report.html"
    assert path.read_text(encoding="utf-8") == report
    for name in ("tables.md", "tables.tex", "cells.csv", "comparisons.csv", "measures.csv"):
        assert (measured_experiment / name).stat().st_size
    assert "variance of a user's UAUC" in (measured_experiment / "tables.md").read_text(
        encoding="utf-8"
    )


def test_everything_from_data_is_escaped(copied: Path) -> None:
    plan: dict[str, Any] = read_json(copied / "experiment.json")
    for row in plan["rows"]:
        row["name"] += EVIL
    for place in plan["places"]:
        place["row"] += EVIL
    plan |= {
        "title": EVIL,
        "name": EVIL,
        "data_path": f"/nowhere/{EVIL}",
        "settings": {"model": {"name": EVIL}},
    }
    write_json(copied / "experiment.json", sealed(plan))
    records = [
        json.loads(line)
        for line in (copied / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    lines = [
        json.dumps(sealed(record | {"machine": {"cpu": EVIL}, "versions": {"torch": EVIL}}))
        for record in records
    ]
    (copied / "results.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = write_experiment_report(copied).read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script src=&#34;https://evil.example/x.js&#34;&gt;" in text
    assert Page(text).open == []


def test_it_says_what_is_gone_and_shows_the_rest(copied: Path) -> None:
    shutil.rmtree(copied / "runs")
    shutil.rmtree(copied / "users")
    text = write_experiment_report(copied).read_text(encoding="utf-8")
    assert "runs/ lacks 6 of 6 trained models" in text
    assert "users/ lacks" in text
    assert re.findall(r'<section id="(\w+)">', text) == [
        "stability",
        "cost",
        "bars",
        "tables",
        "targets",
        "protocol",
        "provenance",
    ]


def test_of_an_experiment_that_has_not_begun_there_is_a_page_too(copied: Path) -> None:
    (copied / "results.jsonl").unlink()
    text = write_experiment_report(copied).read_text(encoding="utf-8")
    assert "Nothing is finished yet." in text
    assert "0 of 7 cells are finished" in text


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is no folder of an experiment"):
        write_experiment_report(tmp_path)


def test_the_command_writes_it_where_it_is_told(
    solidrec: Callable[..., Any], measured_experiment: Path, tmp_path: Path
) -> None:
    found = solidrec("experiment", "report", measured_experiment, "--out", tmp_path / "r.html")
    assert found.code == 0
    assert "wrote" in found.err + found.out
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    table = solidrec("experiment", "table", measured_experiment)
    assert "one event swapped, dropped, repeated or added" in " ".join(table.out.split())
    assert "parameters by component" in " ".join(table.out.split())
    tables = json.loads(solidrec("experiment", "table", measured_experiment, "--json").out)
    assert [table.get("name") for table in tables] == [
        None,
        None,
        "stability",
        "cost",
        "few-events",
    ]
    assert tables[0]["comparisons"][0].keys() >= {"one", "other", "star"}
    same = json.loads(
        solidrec("experiment", "compare", measured_experiment, measured_experiment, "--json").out
    )
    assert all(each["mean"] == 0 for each in same["full"])
