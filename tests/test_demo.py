from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec import demo
from solidrec.api import load
from solidrec.data.ml100k import _GENRES
from solidrec.errors import StorageError
from solidrec.experiments.experiment_spec import _SHIPPED, read_experiment

ROWS = ("popularity", "item-knn", "knn-content", "mixture", "static", "duet", "solid-duet")
Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture
def movies(walk: Walk, tmp_path: Path) -> Path:
    """A small folder in the format of ml-100k, with the films of the made-up history."""
    log, items = walk(users=40, items=120, groups=6)
    frame = log.select("user", "item", pl.lit(5), "position")
    frame.write_csv(tmp_path / "u.data", separator="\t", include_header=False)
    titles = [*demo.MADE_UP, *items["title"].to_list()[len(demo.MADE_UP) :]]
    flags = [
        "|".join("1" if genre == number // 20 + 1 else "0" for genre in range(len(_GENRES)))
        for number in range(120)
    ]
    lines = [
        f"{item}|{title}|||http://x|{flag}"
        for item, title, flag in zip(items["item"], titles, flags, strict=True)
    ]
    (tmp_path / "u.item").write_text("\n".join(lines) + "\n", encoding="latin-1")
    return tmp_path


def test_the_whole_method_and_again(
    solidrec: Callable[..., Any], movies: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = (
        (_SHIPPED / "demo.toml")
        .read_text(encoding="utf-8")
        .replace("train.epochs = 14", "train.epochs = 1")
    )
    (tmp_path / "quick.toml").write_text(quick, encoding="utf-8")
    monkeypatch.setattr(demo, "QUICK", str(tmp_path / "quick.toml"))
    out = tmp_path / "demo"
    first = solidrec("demo", "--data", movies, "--out", out, "--seed", 2)
    assert first.code == 0, first.err
    assert "MovieLens 100K from GroupLens; research use only" in first.err
    clicked = {line.split("\t")[1] for line in (movies / "u.data").read_text().splitlines()}
    assert f"users 40 · items {len(clicked)} · interactions {40 * 9}" in first.err
    assert "7 cells, 0 finished" in first.err
    table = first.out.splitlines()
    for name in ROWS:
        assert sum(line.split()[1:2] == [name] for line in table) >= 2  # under both protocols
    assert "mixture for a made-up history: Star Wars (1977)" in " ".join(first.out.split())
    report = (out / "report.html").read_text(encoding="utf-8")
    assert all(
        name in report
        for name in (*ROWS, "Star Wars (1977)", "Came next", "Semantic id 1", "rare UAUC")
    )
    command = first.err.strip().splitlines()[-1].partition("solidrec recommend ")[2]
    run, _, history = command.partition(" --history ")
    assert solidrec("recommend", run, "--history", history.strip('"')).code == 0

    second = solidrec("demo", "--data", movies, "--out", out, "--seed", 2)
    assert f"{out / 'data'}: prepared before; MovieLens 100K from GroupLens" in second.err
    assert "7 cells, 7 finished" in second.err
    assert second.out == first.out


def test_the_full_demo_has_the_rows_of_the_quick_one() -> None:
    quick, full = read_experiment(demo.QUICK), read_experiment(demo.FULL)
    assert [row.name for row in quick.rows] == [row.name for row in full.rows] == list(ROWS)
    assert (
        (quick.reference, quick.protocols)
        == (full.reference, full.protocols)
        == ("knn-content", ("full", "paper"))
    )
    assert "epochs" not in str(full.settings)


def test_without_the_films_there_is_a_way_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(
        StorageError,
        match=r"has neither u.data nor ml-100k.inter; unpack https://files.grouplens.org",
    ):
        demo.run_demo(
            tmp_path / "demo", full=False, folder=tmp_path, download=False, seed=0, jobs=1
        )
    assert not (tmp_path / "demo" / "data").exists()


def test_titles_lead_to_ids(run_folder: Path) -> None:
    found = demo.ids_of(
        load(run_folder), ("thing 3 of kind 0", "no such film", "thing 9 of kind 1")
    )
    assert found == ["i03", "i09"]
