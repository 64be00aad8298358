"""Settings of baselines are chosen on validation users, the same number of trials for each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.baselines import BASELINES
from solidrec.evaluate.neighbours import judge
from solidrec.evaluate.tune import _TRIALS, SPACES, BaselineTrial, _points, tune


def test_every_baseline_has_as_many_trials_where_it_has_settings() -> None:
    """Without settings there is one trial; knn-content chooses among as many weights by itself."""
    assert set(SPACES) == set(BASELINES)
    without = {name for name, space in SPACES.items() if not space}
    assert without == {"popularity", "markov", "knn-content"}
    assert {len(_points(SPACES[name], _TRIALS)) for name in set(SPACES) - without} == {_TRIALS}


def test_the_first_point_is_the_default_and_none_comes_twice(data: PreparedData) -> None:
    catalogue, history = np.arange(1, len(data.items) + 1)[None], np.array([[3, 9, 5]])
    for name, space in SPACES.items():
        found = _points(space, _TRIALS)
        assert len({str(point) for point in found}) == len(found)
        if name != "als":
            first = BASELINES[name](data, **found[0])(history, catalogue)
            np.testing.assert_allclose(first, BASELINES[name](data)(history, catalogue))


def test_the_best_on_validation_is_kept(data: PreparedData) -> None:
    heard: list[BaselineTrial] = []
    found = tune("forward-knn", data, length=10, trials=6, tried=heard.append)
    assert tuple(heard) == found.trials
    values = [
        judge(BASELINES["forward-knn"](data, **trial.settings), data, length=10)
        for trial in found.trials
    ]
    assert [trial.valid for trial in found.trials] == values
    assert found.settings == found.trials[int(np.argmax(values))].settings
    assert judge(found.scorer, data, length=10) == max(values)
    assert len(set(values)) > 1


@pytest.mark.parametrize("name", [name for name in BASELINES if name not in ("als", "knn-content")])
def test_test_targets_change_nothing(data: PreparedData, name: str) -> None:
    items = np.array(data.event_items)
    items[data.offsets[2:] - 1] = 1  # each user's last event
    other = replace(data, event_items=items)
    catalogue, history = np.arange(1, len(data.items) + 1)[None], np.array([[3, 9, 5]])
    one, two = (tune(name, each, length=10, trials=3) for each in (data, other))
    assert one.trials == two.trials
    assert one.scorer(history, catalogue).tolist() == two.scorer(history, catalogue).tolist()


def test_without_validation_users_or_with_one_trial_the_defaults_count(data: PreparedData) -> None:
    hidden = replace(data, manifest={**data.manifest, "negatives": {"seed": 0, "stored": True}})
    catalogue, history = np.arange(1, len(data.items) + 1)[None], np.array([[3, 9, 5]])
    expected = BASELINES["ease"](data)(history, catalogue).tolist()
    for found in (tune("ease", hidden, length=10), tune("ease", data, length=10, trials=1)):
        assert (found.settings, found.trials) == ({}, ())
        assert found.scorer(history, catalogue).tolist() == expected
