"""Each subject does what it counts, on a log small enough for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from speed import data as bench_data
from speed.data import DATA, LAST, LOG, semantic_ids, synthetic_log, training_log, write_data
from speed.inference import CALLS, TIMES, evaluation, latency, prepare_search, recommendation
from speed.preparation import prepare_start
from speed.system import our_systems
from speed.training import ENOUGH, training
from speed.worker import SUBJECTS

USERS, ITEMS, EVENTS = 60, 200, 1_500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench")
    prepare(synthetic_log(users=USERS, items=ITEMS, events=EVENTS), out=folder / DATA)
    return folder


def test_an_epoch_counts_every_target_once(folder: Path) -> None:
    found = training("static", "sasrec").prepare(folder)()
    epoch = (
        EVENTS - 2 * USERS - USERS
    )  # two events of each user are held out, and the first has nothing before it
    assert found.work == round(ENOUGH / epoch) * epoch
    assert found.cpu > 0


@pytest.mark.parametrize("name", ["duet", "solid-duet"])
def test_evaluation_counts_users(folder: Path, name: str) -> None:
    assert evaluation(name, "sasrec", "paper").prepare(folder)().work == TIMES * USERS


def test_everybody_is_recommended_to(folder: Path) -> None:
    assert recommendation("solid-duet").prepare(folder)().work == USERS


@pytest.mark.parametrize("half", ["generate", "score", "recommend"])
def test_a_latency_counts_calls(folder: Path, half: str) -> None:
    found = latency("duet", half).prepare(folder)()  # type: ignore[arg-type]
    assert found.work == (min(CALLS, USERS) if half == "recommend" else CALLS)


def test_a_search_is_one_call(folder: Path) -> None:
    assert prepare_search(folder)().work == 1


def test_a_start_is_timed_in_the_child(folder: Path) -> None:
    found = prepare_start(("-c", "sum(range(10**7))"), folder)()
    assert found.cpu > 0.02
    assert found.wall > 0.02


def test_every_subject_is_a_system_of_its_own(tmp_path: Path) -> None:
    systems = our_systems(tmp_path)
    assert [system.name for system in systems] == list(SUBJECTS)
    assert len({system.command for system in systems}) == len(systems)


def test_peers_read_the_training_events(folder: Path) -> None:
    data = PreparedData.open(folder / DATA)
    log = training_log(data)
    assert len(log) == EVENTS - 2 * USERS
    assert log["user"].is_sorted()
    assert (log["user"].min(), log["item"].min()) == (0, int(np.min(data.event_items)) - 1)
    first = log.filter(pl.col("user") == 0)["item"].to_list()
    assert first == (data.event_items[data.offsets[1] : data.train_end[1]] - 1).tolist()


def test_without_movielens_the_log_has_its_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solidrec.errors import StorageError

    def absent() -> None:
        raise StorageError("not here")

    monkeypatch.setattr(bench_data, "find_ml100k", absent)
    monkeypatch.setattr(bench_data, "EVENTS", 5_000)
    assert "synthetic" in write_data(tmp_path)
    data, last = PreparedData.open(tmp_path / DATA), PreparedData.open(tmp_path / LAST)
    assert (len(data.users), len(last.users)) == (943, 943)
    assert int((last.train_end[1:] - last.offsets[1:-1]).max()) == 11
    assert len(pl.read_parquet(tmp_path / LOG)) == 5_000 - 2 * 943


def test_semantic_ids_use_every_code() -> None:
    ids = semantic_ids(1_682)
    assert ids[0] == 0
    assert sorted(set(ids[1:])) == list(range(1, round(6 * 1_682**0.5) + 1))
    assert set(semantic_ids(50, codes=50)[1:]) == set(range(1, 51))
