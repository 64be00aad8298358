from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from torch import Tensor

from solidrec.check import checks, slicing
from solidrec.check.checks import _CHECKS, check_fidelity
from solidrec.check.learning import learning
from solidrec.check.model import padding
from solidrec.check.slicing import _few_users, _stand_in, bounded, kept_items, semantics_for
from solidrec.check.subject import Subject
from solidrec.check.training import export
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.settings import merge
from solidrec.spec import RunSpec, SemanticsSpec

Make = Callable[..., Subject]
Install = Callable[..., None]


def test_a_check_that_breaks_is_red_and_says_where(
    data: PreparedData, tiny: dict[str, Any], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
        raise RuntimeError("shapes do not match\nand more")

    install(broken)
    report = check_fidelity(data.path, model="static", backbone="gru4rec", settings=tiny)
    assert set(report["failed"]) == set(_CHECKS) - {"chance"}  # a constant scorer needs no model
    assert report["checks"][0]["cause"] == "RuntimeError: shapes do not match"
    assert f"{Path(__file__).name}:" in report["checks"][0]["measured"]


def test_the_slice_is_a_part_of_the_data(
    subject: Make, data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slicing, "_LEAST", 60)
    made = subject(train={"batch_size": 10}, model={"history_length": 10}).data
    assert 0 < len(made.users) < len(data.users)
    for user, name in enumerate(made.users.ids, start=1):
        there = data.users.index(name)
        mine = made.event_items[made.offsets[user] : made.offsets[user + 1]]
        assert (
            mine.tolist()
            == data.event_items[data.offsets[there] : data.offsets[there + 1]].tolist()
        )
        assert (
            made.train_end[user] - made.offsets[user] == data.train_end[there] - data.offsets[there]
        )
    for split in ("valid", "test"):
        whole, part = data.rows(split), made.rows(split)
        assert len(part) == len(made.users)
        rows = [
            whole.users.tolist().index(data.users.index(made.users.id(int(user))))
            for user in part.users
        ]
        assert part.targets.tolist() == whole.targets[rows].tolist()
        negatives = np.stack([whole.candidates(row, row + 1)[0] for row in rows])
        assert (
            part.candidates(0, len(part)) == negatives[:, : data.manifest["negatives"][split] + 1]
        ).all()


def test_long_histories_are_cut_to_their_end(
    walk: Callable[..., Any], subject: Make, tmp_path: Path
) -> None:
    long = prepare(walk(users=5, items=1600, length=200)[0], out=tmp_path / "long")
    made = subject(of=long, model={"history_length": 4}).data
    assert np.diff(made.offsets)[1:].tolist() == [2 * 4 + 8 + 2] * 5
    assert made.event_items[-3:].tolist() == long.event_items[-3:].tolist()


def test_a_large_catalogue_is_thinned_out(
    subject: Make, data: PreparedData, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items of the slice keep their ids; a model of a run over fewer items scores them alike."""
    monkeypatch.setattr(slicing, "_LEAST", 20)
    monkeypatch.setattr(slicing, "_ITEMS", 15)
    made = subject("solid-duet", train={"batch_size": 5}, model={"history_length": 5})
    assert 15 <= len(made.data.items) < 40
    assert set(made.data.items.ids) < set(data.items.ids)
    first = made.data.users.ids[0]
    mine, there = (
        made.data.event_items[made.data.offsets[1] : made.data.offsets[2]],
        data.users.index(first),
    )
    theirs = data.event_items[data.offsets[there] : data.offsets[there + 1]]
    assert [made.data.items.id(int(item)) for item in mine] == [
        data.items.id(int(item)) for item in theirs[-len(mine) :]
    ]
    monkeypatch.setattr(checks, "_CHECKS", {"padding": padding, "export": export})
    report = check_fidelity(run_folder)
    assert (report["failed"], report["slice"]["of_items"]) == ([], 40)


def test_the_thinned_catalogue_names_each_item_once(
    data: PreparedData, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slicing, "_ITEMS", 37)
    spec = bounded(RunSpec.parse(merge(tiny, {"data": data.fingerprint})))
    items = kept_items(data, spec, None)
    assert (np.diff(items) > 0).all()
    assert (items[0], items[-1]) == (1, 40)


def test_a_stand_in_has_as_many_ids_and_says_so(
    data: PreparedData, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _stand_in(1000, SemanticsSpec(levels=2, clusters=7), "kmeans")
    assert made.codes.shape == (1001, 2)
    assert [np.unique(made.codes[1:, level]).tolist() for level in (0, 1)] == [
        list(range(1, 8)),
        list(range(8, 15)),
    ]
    monkeypatch.setattr(slicing, "_QUICK_ITEMS", 10)
    spec = RunSpec.parse(
        merge(
            tiny,
            {
                "data": data.fingerprint,
                "semantics": {"clusters": 3, "levels": 2, "method": "kmeans"},
            },
        )
    )
    found = semantics_for(data, spec)
    assert found is not None
    assert found.reason == "dealt at random: kmeans takes longer than a check may"


def test_content_goes_along_where_embeddings_start_from_it(subject: Make) -> None:
    assert list(subject().data.features) == []
    made = subject(model={"start": "content"})
    assert list(made.data.features) == ["content"]
    assert learning(made).status == "pass"


def test_data_with_nothing_to_learn_is_refused(tiny: dict[str, Any], tmp_path: Path) -> None:
    log = pl.DataFrame(
        {"user": list("aabbcc"), "item": list("xyxzyz"), "timestamp": [0, 12, 0, 20, 0, 20]}
    )
    data = prepare(log, split="time", valid_from=10, test_from=15, out=tmp_path / "short")
    spec = bounded(RunSpec.parse(merge(tiny, {"data": data.fingerprint})))
    with pytest.raises(DataError, match="nothing to learn from"):
        _few_users(data, spec)
