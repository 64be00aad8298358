"""The page on statistics: its example prints what it says, and it names the models compared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.experiments.tables.comparisons import REFERENCES

PAGE = "docs/statistics.md"


def test_the_examples_print_what_the_page_shows(
    repository: Path,
    blocks: Callable[[Path, str], list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(repository)
    shown = zip(blocks(repository / PAGE, "python"), blocks(repository / PAGE, "text"), strict=True)
    for code, text in shown:
        exec(compile(code, PAGE, "exec"), {})
        assert capsys.readouterr().out == text


def test_committed_ranks_are_those_of_the_committed_results(repository: Path) -> None:
    """NDCG@10 and Recall@10 of every trained cell follow from its ranks.

    Baselines have ties, which ranks leave out. New items with equal scores tie as well where data
    is split by time: their places are rounded.
    """
    found = sorted((repository / "docs" / "results").glob("*.parquet"))
    assert found
    for path in found:
        ranks = pl.read_parquet(path)
        lines = path.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()
        trained = [
            record for record in map(json.loads, lines) if record["spec"].get("baseline") is None
        ]
        names = {
            (name.partition(" · seed ")[0].partition(",")[0], int(name.partition(" · seed ")[2]))
            for name in ranks.columns[1:]
        }
        assert trained
        close = 5e-4 if path.stem.startswith("time-split") else 1e-9
        for record in trained:
            model, seed = record["spec"]["model"]["name"], record["seed"]
            assert (model, seed) in names
            (column,) = [
                name
                for name in ranks.columns
                if re.fullmatch(rf"{model}(,.*)? · seed {seed}", name)
            ]
            place = ranks[column].to_numpy().astype(float)
            hit = (place > 0) & (place <= 10)
            metrics = record["evaluations"]["full"]["metrics"]
            assert np.where(hit, 1 / np.log2(np.maximum(place, 1) + 1), 0).mean() == pytest.approx(
                metrics["NDCG@10"], abs=close
            )
            assert hit.mean() == pytest.approx(metrics["Recall@10"], abs=close)


def test_the_page_names_who_is_compared_with_whom(repository: Path) -> None:
    text = " ".join((repository / PAGE).read_text(encoding="utf-8").split())
    for solid, others in REFERENCES.items():
        assert f"`{solid}` with {', '.join(f'`{name}`' for name in others)}" in text
    assert re.search(r"`apg` under `solid-apg`, `duet` under `solid-duet`", text)
