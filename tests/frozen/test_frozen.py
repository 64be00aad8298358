"""Folders that earlier versions wrote load, and answer as they did when they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from make_frozen import HISTORIES, MODELS

from solidrec.api import load
from solidrec.data.prepared import PreparedData

HERE = Path(__file__).parent
RELEASES = sorted(path.parent for path in HERE.glob("*/answers.json"))


def answers(release: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release / "answers.json").read_text(encoding="utf-8"))
    return found


def test_there_is_at_least_one_of_this_version() -> None:
    from solidrec import __version__

    assert any(release.name.startswith(__version__) for release in RELEASES)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_prepared_data_is_what_it_was(release: Path) -> None:
    data = PreparedData.open(release / "data")
    assert data.fingerprint == answers(release)["fingerprint"]
    assert (len(data.users), len(data.items), len(data.event_items)) == (40, 16, 40 * 8)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_run_answers_as_it_did(release: Path, name: str) -> None:
    expected = answers(release)["models"][name]
    model = load(release / name)
    for history, then in zip(HISTORIES, expected["answers"], strict=True):
        now = model.recommend(history, 5).items
        assert [item["item"] for item in now] == [item for item, _ in then]
        assert [item["score"] for item in now] == pytest.approx(
            [score for _, score in then], abs=1e-5
        )
    assert model.evaluate(release / "data").metrics == pytest.approx(expected["metrics"], abs=1e-6)
