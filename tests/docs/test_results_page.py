"""docs/results.md is what docs/make_results.py writes; its numbers are those of the raw lines."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PARTS = {"page"}
MIXTURES = ("arts_mm", "beauty", "ml-100k", "scientific", "scientific_mm")


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "results.md").read_text(encoding="utf-8")


def write(script: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run the generator of a folder of documentation."""
    return subprocess.run(
        [sys.executable, str(script), str(out)], capture_output=True, text=True, check=False
    )


def lines_of(repository: Path, name: str) -> list[dict[str, Any]]:
    text = (repository / "docs" / "results" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def naive(repository: Path, name: str, metric: str, model: str, protocol: str = "full") -> float:
    """The mean of a metric over the lines of a baseline or model, added up one by one."""
    total, count = 0.0, 0
    for line in lines_of(repository, name):
        spec = line["spec"]
        if model == (spec["baseline"] if "baseline" in spec else spec["model"]["name"]):
            total += line["evaluations"][protocol]["metrics"][metric]
            count += 1
    return total / count


def short(value: float, sign: str = "") -> str:
    return f"{value:{sign}.4f}".replace("0.", ".", 1)


def cells_of(page: str, start: str, after: str = "# Results") -> list[str]:
    """The cells of the first row of a table that starts so, after a heading."""
    (row, *_) = re.findall(rf"^\| {re.escape(start)} \|.*$", page.partition(after)[2], re.MULTILINE)
    return [cell.strip().replace("**", "") for cell in row.strip("|").split("|")]


def test_the_page_is_what_the_script_writes(repository: Path, page: str, tmp_path: Path) -> None:
    done = write(repository / "docs" / "make_results.py", tmp_path / "results.md")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results.md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("data", MIXTURES)
def test_the_first_table_is_that_of_the_raw_lines(data: str, repository: Path, page: str) -> None:
    cells = cells_of(page, f"`{data}`")
    name = f"mixture-{data}"
    for cell, model in zip(cells[4:7], ("knn-content", "mixture-static", "mixture"), strict=True):
        values = [naive(repository, name, metric, model) for metric in ("NDCG@10", "Recall@10")]
        assert cell == " / ".join(map(short, values))
    baselines = {line["spec"].get("baseline") for line in lines_of(repository, name)}
    found = {
        other: naive(repository, name, "NDCG@10", other)
        for other in baselines - {None, "knn-content"}
    }
    best = max(found, key=found.__getitem__)
    recall = naive(repository, name, "Recall@10", best)
    assert cells[3] == f"{short(found[best])} / {short(recall)} ({best})"
    gain = naive(repository, name, "NDCG@10", "mixture")
    gain -= naive(repository, name, "NDCG@10", "mixture-static")
    assert cells[7].split()[0] == short(gain, "+")
    report = (repository / "docs" / "results" / f"{name}.md").read_text(encoding="utf-8")
    interval = re.sub(r"(?<=[+-])\.", "0.", cells[7].partition(" ")[2])
    assert f"| {gain:+.4f} {interval} |" in report


def test_every_set_of_the_headline_has_trained_rows(page: str) -> None:
    for name in ("beauty", "instruments", "scientific", "scientific_mm"):
        assert "–" not in cells_of(page, f"`{name}`")


@pytest.mark.parametrize("protocol", ["full", "paper"])
def test_a_row_of_both_protocols_is_that_of_the_raw_lines(
    protocol: str, repository: Path, page: str
) -> None:
    cells = cells_of(
        page, "static-codebook · codebook weight 16000", "## Controls with their own λ"
    )
    heads = cells_of(page, "| seeds", "## Controls with their own λ")
    for metric in ("NDCG@10", "Recall@10", "UAUC"):
        value = naive(repository, "controls-scientific_mm", metric, "static-codebook", protocol)
        assert cells[heads.index(f"{metric}, {protocol}")] == short(value)


def test_every_file_and_every_line_is_on_the_page(repository: Path, page: str) -> None:
    results = repository / "docs" / "results"
    for path in sorted(results.rglob("*.jsonl")):
        link = path.relative_to(results.parent).as_posix()
        assert f"]({link})" in page
        if path.parent == results:
            table = page.partition(f"]({link})")[2].partition("| | seeds |")[2].partition("\n\n")[0]
            seeds = re.findall(r"^\| [^|]+ \| (\d*) *\|", table, re.MULTILINE)
            assert sum(int(number or 1) for number in seeds) == len(lines_of(repository, path.stem))


def test_every_text_is_used(repository: Path) -> None:
    results = repository / "docs" / "results"
    texts = {path.stem for path in (results / "prose").iterdir()}
    assert texts == {path.stem for path in results.glob("*.jsonl")} | PARTS


@pytest.mark.parametrize(
    ("name", "said"),
    [("unknown-data", "unknown-data"), ("table5-scientific_mm", "seed stands twice")],
)
def test_what_does_not_fit_is_refused(
    name: str, said: str, repository: Path, tmp_path: Path
) -> None:
    """A file that the page does not place, and a file with a line twice."""
    docs, peers = tmp_path / "docs", tmp_path / "benchmarks" / "results"
    kept = shutil.ignore_patterns("*.parquet")
    shutil.copytree(repository / "docs" / "results", docs / "results", ignore=kept)
    shutil.copy(repository / "docs" / "make_results.py", docs)
    peers.mkdir(parents=True)
    shutil.copy(repository / "benchmarks" / "results" / "quality-peers.md", peers)
    line = (
        (docs / "results" / "table5-scientific_mm.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()[0]
    )
    with (docs / "results" / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    (docs / "results" / "prose" / f"{name}.md").touch()
    done = write(docs / "make_results.py", tmp_path / "results.md")
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "results.md").exists()
