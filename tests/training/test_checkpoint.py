from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from solidrec.artifacts import read_manifest, write_manifest
from solidrec.errors import IncompatibleError, StorageError
from solidrec.json_files import read_json, write_json
from solidrec.training.checkpoint import FILES, Checkpoints, _moments, read_progress, restore
from solidrec.training.loop import Stage

Stages = Callable[..., Stage]


@pytest.fixture
def trained(stage_of: Stages) -> Stage:
    stage = stage_of([0.5, 0.6, 0.4], epochs=2, model="solid-duet")
    stage.run()
    return stage


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_is_saved_comes_back(trained: Stage, stage_of: Stages, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trained)
    path = checkpoints.newest()
    assert path is not None
    assert path.name == "stage2-epoch00002"
    assert read_progress(path) == trained.progress
    stage = stage_of([0.5], model="solid-duet")
    stage.model.items.weight.data.fill_(7)
    restore(stage, path)
    for restored, saved in (
        (stage.model.state_dict(), trained.model.state_dict()),
        (stage.best, trained.best),
    ):
        assert restored.keys() == saved.keys()
        assert all(torch.equal(restored[name], saved[name]) for name in saved)
    assert _moments(stage).keys() == _moments(trained).keys()
    assert all(
        torch.equal(_moments(stage)[name], tensor) for name, tensor in _moments(trained).items()
    )
    steps = {float(tensor) for name, tensor in _moments(stage).items() if name.endswith("/step")}
    assert steps == {2.0}


def test_the_last_two_are_kept(trained: Stage, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for stage, epoch in ((1, 9), (1, 10), (1, 100), (2, 1)):
        trained.progress.stage, trained.progress.epoch = stage, epoch
        checkpoints.save(trained)
    assert [path.name for path in checkpoints.names()] == [
        "stage1-epoch00100",
        "stage2-epoch00001",
    ]  # by step, not by the clock
    newest = checkpoints.newest()
    assert newest == tmp_path / "stage2-epoch00001"
    checkpoints.clear()
    assert not tmp_path.exists()


def test_saving_takes_a_twentieth_of_the_time(
    trained: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("solidrec.training.checkpoint.time.monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path, spacing=20)
    checkpoints.cost = 2.0  # what the last one took: the next is due 20 x 2 seconds after it
    for moment, written in ((139, 0), (140, 1)):
        now[0] = moment
        trained.progress.epoch = moment
        checkpoints.maybe_save(trained)
        assert len(checkpoints.names()) == written
    assert (
        checkpoints.cost == 0.0
    )  # by this clock writing takes no time, so the next is due at once
    trained.progress.epoch += 1
    checkpoints.maybe_save(trained)
    assert len(checkpoints.names()) == 2


def damage(path: Path, how: str) -> None:
    content = bytearray(path.read_bytes())
    if how == "flipped":
        content[-5] ^= 1
    path.write_bytes(
        content[: int(len(content) * {"flipped": 1, "empty": 0, "half": 0.5, "almost": 0.99}[how])]
    )


WAYS = ("empty", "half", "almost", "flipped")


# The manifest guards the other files; a flipped bit in it may mean anything, a cut one is no JSON.
@pytest.mark.parametrize(
    ("name", "how"),
    [
        *((name, how) for name in FILES for how in WAYS),
        *(("manifest.json", how) for how in WAYS[:3]),
    ],
)
def test_t7_t8_a_damaged_one_is_set_aside_and_the_one_before_is_used(
    trained: Stage, tmp_path: Path, name: str, how: str
) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (1, 2):
        trained.progress.epoch = epoch
        checkpoints.save(trained)
    before = bytes_of(tmp_path / "stage2-epoch00001")
    damage(tmp_path / "stage2-epoch00002" / name, how)
    said: list[str] = []
    assert checkpoints.newest(said.append) == tmp_path / "stage2-epoch00001"
    assert bytes_of(tmp_path / "stage2-epoch00001") == before
    assert (tmp_path / ".corrupt-stage2-epoch00002").is_dir()
    assert len(said) == 1
    assert "set aside as .corrupt-stage2-epoch00002" in said[0]


def test_the_same_one_can_be_damaged_twice(trained: Stage, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for _ in range(2):
        checkpoints.save(trained)
        damage(checkpoints.names()[-1] / "model.safetensors", "half")
        assert checkpoints.newest() is None


def test_t16_half_a_folder_and_left_overs_are_no_checkpoint(trained: Stage, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(trained)
    (tmp_path / f".tmp-{os.getpid()}-killed").mkdir()
    (tmp_path / "stage9-epoch00000").mkdir()  # without a manifest
    assert checkpoints.newest() == tmp_path / "stage2-epoch00002"


def test_t12_one_of_a_newer_format_is_refused_and_left_where_it_is(
    trained: Stage, tmp_path: Path
) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(trained)
    manifest = checkpoints.names()[0] / "manifest.json"
    write_json(manifest, read_json(manifest) | {"format": 99})
    with pytest.raises(IncompatibleError, match="format 99"):
        checkpoints.newest()
    assert manifest.is_file()


def test_t5_a_full_disk_is_one_line_and_leaves_the_one_before(
    trained: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(trained)
    before = bytes_of(tmp_path / "stage2-epoch00002")

    def full(tensors: Any, path: Path) -> None:
        Path(path).write_bytes(b"half of it")
        raise SafetensorError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        )

    monkeypatch.setattr("safetensors.torch.save_file", full)
    trained.progress.epoch = 3
    with pytest.raises(StorageError, match="No space left on device") as caught:
        checkpoints.save(trained)
    assert caught.value.exit_code == 74
    assert [path.name for path in tmp_path.iterdir()] == ["stage2-epoch00002"]
    assert bytes_of(tmp_path / "stage2-epoch00002") == before
    read_manifest(tmp_path / "stage2-epoch00002", kind="checkpoint")


def test_a_checkpoint_of_another_specification_is_refused(trained: Stage, tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trained, "abc")
    path = checkpoints.newest(digest="abc")
    assert path is not None
    assert checkpoints.newest() == path
    with pytest.raises(IncompatibleError, match=r"is a checkpoint of run abc, not of def; remove"):
        checkpoints.newest(digest="def")
    assert path.is_dir()


def test_a_checkpoint_that_names_no_specification_is_resumed(
    trained: Stage, tmp_path: Path
) -> None:
    """As earlier versions wrote them."""
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    checkpoints.save(trained)
    path = checkpoints.newest()
    assert path is not None
    write_manifest(path, kind="checkpoint", files=FILES, facts={})
    assert checkpoints.newest(digest="def") == path
