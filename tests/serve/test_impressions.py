"""What was recommended is logged, and a disk that takes nothing stops nobody."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.errors import StorageError
from solidrec.serve import impressions as module
from solidrec.serve.impressions import Impressions
from solidrec.serve.limits import Limits
from solidrec.serve.service import Service


def test_every_answer_is_a_row(version: Any, tmp_path: Path) -> None:
    async def asked() -> list[dict[str, Any]]:
        service = Service(version, Limits(), impressions=tmp_path / "log")
        service.start()
        answers = [
            await service.recommend(body)
            for body in (
                b'{"history": ["i03"], "k": 2, "user": "u1", "arm": "new"}',
                b'{"history": [], "k": 1}',
            )
        ]
        await service.stop()
        return [json.loads(answer) for answer in answers]

    started = datetime.now(UTC)
    answers = asyncio.run(asked())
    (path,) = (tmp_path / "log").iterdir()
    rows = pl.read_parquet(path)
    assert rows["items"].to_list() == [[one["item"] for one in each["items"]] for each in answers]
    assert rows["user"].to_list() == ["u1", None]
    assert rows["arm"].to_list() == ["new", None]
    assert rows["version"].to_list() == [answers[0]["model_version"]] * 2
    assert rows["fallback"].to_list() == [None, "popularity"]
    assert all(started <= at <= datetime.now(UTC) for at in rows["at"])


def test_a_file_is_written_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", 3)

    async def fill() -> int:
        log = Impressions(tmp_path, dropped=lambda rows: None)
        log.start()
        for _ in range(3):
            log.add(None, None, "v", ["a"], None)
        await asyncio.sleep(0.3)
        written = len([*tmp_path.glob("*.parquet")])
        await log.stop()
        return written

    assert asyncio.run(fill()) == 1
    assert len([*tmp_path.glob("*.parquet")]) == 1


def test_s21_a_disk_that_takes_nothing_drops_rows_and_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST", 4)

    def full(path: Path, table: Any) -> None:
        raise StorageError(f"{path}: no space left")

    lost: list[int] = []

    async def fill(log: Impressions) -> None:
        for number in range(3):
            log.add(None, None, "v", [str(number)], None)
        await log.flush()
        assert len(log.rows) == 3  # they wait
        for number in range(3, 6):
            log.add(None, None, "v", [str(number)], None)

    async def whole() -> None:
        log = Impressions(tmp_path, dropped=lost.append)
        monkeypatch.setattr(module, "write_table", full)
        await fill(log)
        assert lost == [1, 1]
        monkeypatch.undo()
        await log.stop()

    asyncio.run(whole())
    (path,) = tmp_path.iterdir()  # the disk has room again: what waited is written
    assert pl.read_parquet(path)["items"].to_list() == [["0"], ["1"], ["2"], ["3"]]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        Impressions(tmp_path / "file" / "log", dropped=lambda rows: None)


def test_s21_rows_outlive_a_stop_amid_a_failing_write_and_odd_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[int] = []

    def odd(path: Path, table: Any) -> None:
        raise ValueError("odd")

    async def whole() -> int:
        log = Impressions(tmp_path, dropped=lost.append)
        monkeypatch.setattr(module, "write_table", odd)
        monkeypatch.setattr(module, "_SECONDS", 0.02)
        log.start()
        for _ in range(20):
            log.add(None, None, "v", ["a"], None)
        await asyncio.sleep(0.2)  # it has failed some times, and waits
        kept = len(log.rows)
        await log.stop()
        return kept

    assert asyncio.run(whole()) == 20
    assert lost == [20]
