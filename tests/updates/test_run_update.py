"""An update is published if it is no worse; the run before stays, and updates follow updates."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.api import load, update
from solidrec.errors import RefusedError, StorageError, UsageError
from solidrec.runs import load_run
from solidrec.semantics.cold import ColdStart


@pytest.fixture(scope="module")
def done(mixture: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An update of the mixture, and what it returned."""
    out = tmp_path_factory.mktemp("updated") / "run2"
    facts = update(
        mixture.run.path,
        mixture.clicks,
        items=mixture.items,
        out=out,
        least_users=50,
        progress=False,
    )
    return out, facts


def test_the_new_run_serves_and_says_how_it_was_judged(
    done: tuple[Path, dict[str, Any]], mixture: Any
) -> None:
    out, facts = done
    assert facts["run"] == str(out)
    assert facts["data"] == f"{out}-data"
    assert facts["added"]["items"] == 2
    judged = facts["judged"]
    low, high = judged["interval"]
    assert low < judged["difference"] < high
    assert high >= 0
    assert judged["after"] - judged["before"] == pytest.approx(judged["difference"])
    assert judged["users"] >= 50
    run = load_run(out)
    entry = {key: facts[key] for key in ("added", "judged", "before")}
    assert run.manifest["updates"] == [entry | {"job": ""}]  # a table in memory is no job
    assert run.spec.data == run.manifest["data"]["fingerprint"] != mixture.run.spec.data
    assert run.manifest["digest"] == run.spec.digest()
    assert run.metrics == {}
    assert run.golden is not None
    data = load(out).data(None)
    assert run.catalog["training_count"].to_list() == np.asarray(data.train_counts[1:]).tolist()
    found = load(out).recommend(["i03new"], 10).items
    assert len(found) == 10


def test_the_map_from_content_reads_as_before_and_fits_the_new_embeddings(
    done: tuple[Path, dict[str, Any]], mixture: Any
) -> None:
    old, new = mixture.run.cold, load_run(done[0]).cold
    assert isinstance(new, ColdStart)
    assert [part.terms.vocabulary for part in new.content.parts] == [
        part.terms.vocabulary for part in old.content.parts
    ]
    assert not np.array_equal(new.weight, old.weight)


def test_updates_follow_updates(done: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    more = pl.DataFrame(
        {
            "user": [f"u{n:03}" for n in range(60)] * 2,
            "item": ["fresh"] * 60 + [f"i{n % 40:02}" for n in range(60)],
            "timestamp": [500 + n for n in range(120)],
        }
    )
    again = update(done[0], more, out=tmp_path / "run3", force=True, progress=False)
    assert again["added"] == {"events": 120, "known_events": 0, "users": 0, "items": 1}
    run = load_run(tmp_path / "run3")
    assert len(run.manifest["updates"]) == 2
    assert run.items.ids[-1] == "fresh"
    assert run.items.ids[:-1] == load_run(done[0]).items.ids


def test_what_is_worse_is_refused_unless_forced(
    mixture: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solidrec.updates import run_update

    def spoiled(run: Any, *args: Any, **words: Any) -> Any:
        model = refreshed(run, *args, **words)
        model.head.bias.data.mul_(-5)
        for parameter in model.shared.parameters():
            parameter.data.mul_(-5)
        return model

    refreshed = run_update.refreshed
    monkeypatch.setattr(run_update, "refreshed", spoiled)
    words = {"items": mixture.items, "least_users": 50, "progress": False}
    with pytest.raises(RefusedError, match=r"the update is worse than .*run: NDCG@10") as caught:
        update(mixture.run.path, mixture.clicks, out=tmp_path / "new", **words)
    assert caught.value.exit_code == 78
    assert not (tmp_path / "new").exists()
    found = update(mixture.run.path, mixture.clicks, out=tmp_path / "new2", force=True, **words)
    assert found["judged"]["interval"][1] < 0
    assert (tmp_path / "new2" / "manifest.json").is_file()


def test_too_few_users_to_judge_by_are_refused(mixture: Any, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"only \d+ users have a new event to judge by, 100,000"):
        update(
            mixture.run.path,
            mixture.clicks,
            out=tmp_path / "new",
            least_users=100_000,
            progress=False,
        )


def test_two_models_that_find_nothing_judge_nothing(
    mixture: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solidrec.updates import newest

    def nothing(*args: Any, **words: Any) -> Any:
        found = evaluate_rows(*args, **words)
        return replace(found, values={name: 0 * one for name, one in found.values.items()})

    evaluate_rows = newest.evaluate_rows
    monkeypatch.setattr(newest, "evaluate_rows", nothing)
    words = {"items": mixture.items, "least_users": 50, "progress": False, "epochs": 1}
    with pytest.raises(RefusedError, match=r"cannot be judged: .* have none of the newest items"):
        update(mixture.run.path, mixture.clicks, out=tmp_path / "new", **words)
    assert not (tmp_path / "new").exists()
    found = update(mixture.run.path, mixture.clicks, out=tmp_path / "new2", force=True, **words)
    assert found["judged"]["after"] == 0


def test_force_publishes_where_nobody_can_be_judged(mixture: Any, tmp_path: Path) -> None:
    strangers = pl.DataFrame(
        {"user": [f"s{n}" for n in range(9)], "item": ["i01"] * 9, "timestamp": [300] * 9}
    )
    words = {"out": tmp_path / "new", "progress": False}
    begun = load_run(mixture.run.path)
    # Everything that validation and test held out is new, too, so it is told as trained.
    whole = update(begun.path, strangers, force=True, newest=0.01, **words)
    assert whole["judged"] is None or whole["judged"]["users"] >= 1
    again = update(
        tmp_path / "new", strangers.with_columns(pl.col("user") + "x"), out=tmp_path / "third",
        force=True, progress=False,
    )  # fmt: skip
    assert again["judged"] is None
    assert again["added"]["users"] == 9


def test_what_would_be_refused_is_refused_before_training(
    mixture: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("trained")

    monkeypatch.setattr("solidrec.api.updated", never)
    path, clicks = mixture.run.path, mixture.clicks
    with pytest.raises(UsageError, match="none of the 1 items to delist is known"):
        update(path, clicks, out=tmp_path / "new", delisted=["x"], progress=False)
    with pytest.raises(UsageError, match="is one text; give a list"):
        update(path, clicks, out=tmp_path / "new", delisted="i01", progress=False)
    for inside in ("new", "new/data"):
        with pytest.raises(UsageError, match="choose a folder beside it"):
            update(path, clicks, out=tmp_path / "new", data_out=tmp_path / inside, progress=False)


def test_a_folder_that_exists_is_left_alone(mixture: Any, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    with pytest.raises(StorageError, match="exists already; choose another --out"):
        update(mixture.run.path, mixture.clicks, out=tmp_path / "new", progress=False)


def test_the_command_writes_both_folders_and_delists(
    mixture: Any, tmp_path: Path, solidrec: Any
) -> None:
    mixture.clicks.rename({"timestamp": "when"}).write_csv(tmp_path / "clicks.csv")
    mixture.items.write_ndjson(tmp_path / "items.jsonl")
    (tmp_path / "gone.csv").write_text("item\ni05\n")
    words = (
        *("update", mixture.run.path, tmp_path / "clicks.csv", "--items", tmp_path / "items.jsonl"),
        *("--time-column", "when", "--delisted", tmp_path / "gone.csv", "--least-users", 50),
        *("--out", tmp_path / "new", "--epochs", 1),
    )
    answer = solidrec(*words)
    assert answer.code == 0, answer.err
    assert answer.out == (
        f"wrote {tmp_path / 'new'}: {len(mixture.clicks):,} new events, 0 new users, 2 new items\n"
    )
    assert "update: NDCG@10 " in answer.err
    assert f"wrote {tmp_path / 'new'}-data, the data of the next update" in answer.err
    shown = solidrec("recommend", tmp_path / "new", "--history", "i01", "-k", 40, "--json")
    items = [one["item"] for one in json.loads(shown.out)["items"]]
    assert len(items) == 42 - 2
    assert "i05" not in items
    again = solidrec(*words)  # as a timer does that did not see the end
    assert (again.code, again.out) == (0, answer.out)
    assert f"{tmp_path / 'new'}: the same command wrote it before" in again.err
    other = solidrec(*words[:-1], 2)
    assert other.code == 74
    assert "exists already" in other.err
