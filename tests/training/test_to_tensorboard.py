"""TensorBoard's own reader finds in the event files what history.jsonl says, each point once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from solidrec.data.prepared import PreparedData
from solidrec.epochs import write_history
from solidrec.errors import Interrupted, StorageError
from solidrec.spec import RunSpec
from solidrec.training.display import Display
from solidrec.training.run import train_run
from solidrec.training.to_tensorboard import _FOLDER, TensorBoardStore
from solidrec.training.tracking import _points


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder / _FOLDER), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    return events


def test_the_events_are_the_log_after_a_stop_too(
    data: PreparedData, spec_of: Callable[..., RunSpec], stop: Display, tmp_path: Path
) -> None:
    call = partial(train_run, data, spec_of(), tmp_path / "run", track=["tensorboard"])
    with pytest.raises(Interrupted):
        call(display=stop)
    run = call()
    events = read(run.path)
    found = {
        name: {event.step: event.value for event in events.Scalars(name)}
        for name in events.Tags()["scalars"]
    }
    counts = Counter((name, event.step) for name in found for event in events.Scalars(name))
    assert set(counts.values()) == {1}
    for row in run.history:
        for name, value in _points(row).items():
            if not name.endswith(("seconds", "positives_per_second")):
                assert found[name][row["epoch"]] == np.float32(value)
    assert found["final/test/UAUC"] == {0: np.float32(run.metrics["test"]["metrics"]["UAUC"])}
    assert {
        "stage1/loss",
        "stage1/saturated",
        "stage2/codes_used",
        "stage2/codebook_loss",
        "stage2/valid/NDCG@10",
    } <= found.keys()
    (text,) = events.Tensors("spec/text_summary")
    assert b'"name": "solid-duet"' in text.tensor_proto.string_val[0]


def test_the_torn_end_of_a_kill_costs_its_own_point_alone(
    spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    write_history(tmp_path, [])
    store = TensorBoardStore(tmp_path, spec_of())
    for epoch in (1, 2):
        store.write({"a": 0.5, "b": 1.5}, epoch)
    store.close(complete=False)
    (file,) = (tmp_path / _FOLDER).iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    again = TensorBoardStore(tmp_path, spec_of())
    assert again.written() == {("a", 1), ("b", 1), ("a", 2)}
    again.write({"b": 1.5}, 2)
    again.close(complete=True)
    assert [event.step for event in read(tmp_path).Scalars("b")] == [1, 2]


def test_what_another_specification_left_is_removed(
    spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    store = TensorBoardStore(tmp_path, spec_of())
    store.write({"a": 0.5}, 1)
    store.close(complete=False)
    again = TensorBoardStore(tmp_path, spec_of(seed=4))  # no epoch ended: there is no history.jsonl
    assert again.written() == set()
    again.close(complete=False)


def test_a_folder_that_cannot_be_written_is_one_line(
    spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="tensorboard: cannot write"):
        TensorBoardStore(tmp_path / "file", spec_of())
