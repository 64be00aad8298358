from __future__ import annotations

import json
from pathlib import Path

import pytest

from solidrec.errors import DataError
from solidrec.json_files import write_json
from speed.compare import with_peers
from speed.measurement import Row
from speed.result import Result, about


def row(name: str, value: float) -> Row:
    return Row(name, value, "positives/cpu-s", 1, value, value)


def test_a_result_is_read_back(tmp_path: Path) -> None:
    rows = with_peers([row("ours", 60), row("fast", 80)], {"ours": ("fast",)})
    result = Result.of(rows, threads=[1], repeats=3, source="a log")
    result.write(tmp_path / "new" / "a.json")
    assert Result.read(tmp_path / "new" / "a.json") == result


def test_the_file_is_a_list_of_rows(tmp_path: Path) -> None:
    Result.of([row("ours", 60)], threads=[1], repeats=3, source="a log").write(tmp_path / "a.json")
    (only,) = json.loads((tmp_path / "a.json").read_text())
    assert {"name", "value", "unit", "peer", "ratio", "floor_percent"} <= set(only)
    assert (only["name"], only["value"]) == ("ours", 60)


def test_it_says_what_it_was_measured_on() -> None:
    facts = Result.of([], threads=[1], repeats=3, source="a log").about
    assert {"machine", "versions", "peers", "data", "threads", "repeats"} == set(facts)
    assert facts["machine"]["cores"] >= 1


def test_two_results_of_one_stem_keep_their_facts_apart() -> None:
    assert len({about(Path("run.1")), about(Path("run.2.json"))}) == 2


def test_rows_alone_are_enough_to_compare(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [row("ours", 60).to_json()])
    assert Result.read(tmp_path / "a.json") == ([row("ours", 60)], {})


@pytest.mark.parametrize(
    "content", [{}, {"metrics": 1}, {"rows": [{"name": "a"}]}, [{"name": "a"}], [1], 7]
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, content: object) -> None:
    write_json(tmp_path / "a.json", content)
    with pytest.raises(DataError, match=r"a\.json: is no result of benchmarks/bench\.py"):
        Result.read(tmp_path / "a.json")
