from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.ml100k import GENRES
from solidrec.errors import StorageError
from solidrec.experiments import demo

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture
def movies(walk: Walk, tmp_path: Path) -> Path:
    """A small folder in the format of ml-100k, with the films of the made-up history."""
    log, items = walk(users=40, items=120, groups=6)
    frame = log.select("user", "item", pl.lit(5), "position")
    frame.write_csv(tmp_path / "u.data", separator="\t", include_header=False)
    titles = [*demo.MADE_UP, *items["title"].to_list()[len(demo.MADE_UP) :]]
    flags = ["|".join("1" if genre == number // 20 + 1 else "0" for genre in range(len(GENRES))) for number in range(120)]
    lines = [f"{item}|{title}|||http://x|{flag}" for item, title, flag in zip(items["item"], titles, flags, strict=True)]
    (tmp_path / "u.item").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return tmp_path


def test_the_whole_method_and_again(solidrec: Callable[..., Any], movies: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(demo, "QUICK_EPOCHS", 1)
    out = tmp_path / "demo"
    first = solidrec("demo", "--data", movies, "--out", out, "--seed", 2)
    assert first.code == 0, first.err
    assert "MovieLens 100K from GroupLens; research use only" in first.err
    clicked = {line.split("\t")[1] for line in (movies / "u.data").read_text().splitlines()}
    assert f"users 40 · items {len(clicked)} · interactions {40 * 9}" in first.err
    table = first.out.splitlines()
    for name in (*demo.FLOORS, *demo.MODELS):
        assert any(line.split()[1:2] == [name] for line in table)
    assert "mixture for a made-up history: Star Wars (1977)" in " ".join(first.out.split())
    assert {path.name for path in (out / "runs").iterdir()} == {f"{name}-epochs1-seed2" for name in demo.MODELS}
    report = (out / "report.html").read_text(encoding="utf-8")
    assert all(name in report for name in (*demo.FLOORS, *demo.MODELS, "Star Wars (1977)"))

    second = solidrec("demo", "--data", movies, "--out", out, "--seed", 2)
    assert f"{out / 'data'}: prepared before; MovieLens 100K from GroupLens" in second.err
    assert second.err.count("this run is finished already") == len(demo.MODELS)
    assert second.out == first.out


def test_without_the_films_there_is_a_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"has neither u.data nor ml-100k.inter; unpack https://files.grouplens.org"):
        demo.run_demo(tmp_path / "demo", full=False, folder=tmp_path, download=False, seed=0, threads=1)
    assert not (tmp_path / "demo" / "data").exists()


def test_the_baselines_are_measured_as_the_models_are(data: Any) -> None:
    popular, knn, best = demo.baselines(data)
    assert (popular.name, knn.name, best.name) == ("popularity", "item-knn", "knn-content")
    for entry in (popular, knn, best):
        assert (entry.evaluation.protocol, entry.evaluation.split, entry.run) == ("paper", "test", None)
        assert len(entry.evaluation.users) == 90
    assert (knn.evaluation.metrics["UAUC"] or 0) > 0.5  # users share groups


def test_titles_lead_to_ids(data: Any) -> None:
    assert demo.ids_of(data, ("thing 3 of kind 0", "no such film", "thing 9 of kind 1")) == ["i03", "i09"]
