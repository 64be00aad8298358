"""New items join a run by their content, in histories and in answers; nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec.api import add_items, load, train
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_table
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.nn.mixture import Mixture
from solidrec.recommend.engine import Engine
from solidrec.recommend.items import add_items as with_items
from solidrec.recommend.items import save_with_items
from solidrec.runs import Run, load_run

NEW = pl.DataFrame(
    {
        "item": ["n0", "n1", "i03", "n2"],
        "title": ["thing 99 of kind 2", "thing 98 of kind 5", "thing 3 of kind 0", None],
        "categories": [["kind 2"], ["kind 5"], ["kind 0"], []],
        "item_idx": [0, 1, 2, 3],
    },
    schema_overrides={"categories": pl.List(pl.String)},
)
CONTENT = (np.eye(8)[[2, 5, 0, 0]] * [[1], [1], [1], [0]]).astype(np.float32)


@pytest.fixture(scope="module")
def before(
    data: PreparedData, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run whose embeddings start from content, so that there is something to carry over."""
    settings = {"model": tiny["model"] | {"start": "content"}, "train": tiny["train"]}
    return train(
        data,
        model="solid-duet",
        epochs=6,
        settings=settings,
        out=tmp_path_factory.mktemp("cold") / "run",
        progress=False,
    ).run


@pytest.fixture(scope="module")
def after(before: Run) -> Run:
    return with_items(before, read_table(NEW), features={"content": CONTENT}).run


def test_new_items_come_last_and_old_ones_stay_as_they_were(before: Run, after: Run) -> None:
    assert after.catalog["item"].to_list() == [*before.catalog["item"].to_list(), "n0", "n1", "n2"]
    assert after.catalog["training_count"].to_list()[-3:] == [0, 0, 0]
    old, new = before.model.state_dict(), after.model.state_dict()
    assert old.keys() == new.keys()
    for name, tensor in old.items():
        assert torch.equal(new[name][: len(tensor)], tensor)
    grown = {name for name, tensor in old.items() if new[name].shape != tensor.shape}
    assert grown == {
        "items.weight",
        "source.trunk.semantic_of_item",
        "source.branch.codebook.semantic_of_item",
    }


def test_answers_without_new_items_keep_their_scores(before: Run, after: Run) -> None:
    one, two = (Engine(run).recommend(["i03", "i09"], k=45).items for run in (before, after))
    kept = [row for row in two if not row["item"].startswith("n")]
    assert [row["item"] for row in kept] == [row["item"] for row in one]
    np.testing.assert_allclose(
        [row["score"] for row in kept], [row["score"] for row in one], atol=1e-5
    )
    assert {row["item"] for row in two} - {row["item"] for row in one} == {"n0", "n1", "n2"}


def test_a_new_item_is_like_its_kind(before: Run, after: Run) -> None:
    """It has the semantic id and neighbours of its kind; users step to it from the kind before."""
    assert after.semantics is not None
    for item, kind in (("n0", 2), ("n1", 5)):
        mates = [f"i{5 * kind + place:02}" for place in range(5)]
        own = [after.semantics.of_item[after.items.index(mate)] for mate in mates]
        assert after.semantics.of_item[after.items.index(item)] in own
        near = [row["item"] for row in Engine(after).similar(item, k=3)]
        assert len(set(near) & set(mates)) >= 2
        step_before = [f"i{5 * (kind - 1) + place:02}" for place in (1, 3)]
        ranked = [
            row["item"] for row in Engine(after).recommend(["i00", *step_before][-2:], k=43).items
        ]
        assert ranked.index(item) < 12


def test_a_new_item_may_stand_in_a_history(after: Run) -> None:
    """With nothing else in it the answer is the model's, not the fallback's."""
    answer = Engine(after).recommend(["n0"], k=5)
    assert (answer.fallback, answer.ignored) == (None, [])
    assert np.isfinite([row["score"] for row in answer.items]).all()
    assert "n0" not in [row["item"] for row in answer.items]


def test_an_item_without_content_gets_the_mean_and_an_answer_all_the_same(
    before: Run, after: Run
) -> None:
    assert before.cold is not None
    row = after.model.items.weight[after.items.index("n2")].detach().numpy()
    np.testing.assert_allclose(row, before.cold.base, rtol=1e-5)


def test_the_run_on_disk_grows_in_place_and_once_only(
    before: Run, data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    facts = add_items(before.path, NEW, out=out, features={"content": CONTENT})
    assert {key: facts[key] for key in ("run", "added", "items")} == {
        "run": str(out),
        "added": 3,
        "items": 43,
    }
    assert facts["content"] == {"content": 2, "text": 2, "categories": 2}
    assert (facts["missing_features"], facts["explained"] > 0.5) == ([], True)
    model = load(out)
    assert model.run.manifest["added_items"] == 3
    assert model.run.manifest["digest"] == before.manifest["digest"]
    assert model.run.history == before.history
    assert model.evaluate(data).metrics == pytest.approx(load(before.path).evaluate(data).metrics)
    with pytest.raises(UsageError, match="knows all of its 4 items already"):
        add_items(out, NEW)
    more = pl.DataFrame({"item": ["z"], "title": ["thing 1 of kind 7"]})
    (out / "report.html").write_text("mine")
    facts = add_items(out, more)
    assert (facts["run"], facts["added"], facts["items"]) == (str(out), 1, 44)
    assert facts["content"] == {"content": 0, "text": 1, "categories": 0}
    assert facts["missing_features"] == ["content"]
    assert (out / "report.html").read_text() == "mine"  # what is a person's own stays
    assert load(out).run.manifest["added_items"] == 4
    assert load(out).run.cold is not None


def test_what_cannot_work_is_refused_before_anything_is_written(
    before: Run, walk: Any, tiny: Any, tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"feature 'image': the run was trained without it \(it reads content\)"
    ):
        with_items(before, read_table(NEW), features={"image": CONTENT})
    with pytest.raises(DataError, match="has no rows"):
        with_items(before, read_table(NEW.clear()))
    with pytest.raises(DataError, match="occurs again"):
        with_items(before, read_table(pl.concat([NEW, NEW])))
    assert (
        len(
            with_items(
                before, read_table(pl.concat([NEW, NEW]).drop("item_idx")), duplicate_items="first"
            ).run.items
        )
        == 43
    )
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("mine")
    with pytest.raises(StorageError, match="exists already; choose another --out"):
        add_items(before.path, NEW, out=precious)
    assert (precious / "thesis.txt").read_text() == "mine"
    with pytest.raises(DataError, match="is 3 x 5, 3 x 8 as in training is needed"):
        with_items(before, read_table(NEW), features={"content": np.ones((4, 5), dtype=np.float32)})
    bare = prepare(walk(users=30)[0], out=tmp_path / "ids")
    run = train(
        bare, model="static", epochs=1, settings=tiny, out=tmp_path / "run", progress=False
    ).run
    with pytest.raises(UsageError, match="keeps no map from content"):
        with_items(run, read_table(NEW))


@pytest.mark.parametrize("model", ["static", "spg", "solid-duet"])
def test_every_kind_of_model_and_of_ids_grows(
    model: str, data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = tiny | {
        "semantics": {"method": "kmeans", "levels": 2},
        "model": tiny["model"] | {"backbone": "din"},
    }
    run = train(
        data, model=model, epochs=1, settings=settings, out=tmp_path / "run", progress=False
    ).run
    grown = with_items(run, read_table(NEW), features={"content": CONTENT})
    save_with_items(grown, run, tmp_path / "grown")
    again = load_run(tmp_path / "grown")
    assert (
        Engine(again).recommend(["n0", "i01"], k=3).items
        == Engine(grown.run).recommend(["n0", "i01"], k=3).items
    )
    if again.semantics is not None:
        assert again.semantics.codes.shape == (44, 2)
        kept = again.semantics.codes
        assert (kept[41:43, 0] <= again.semantics.count).all()


def test_a_mixture_finds_new_items_by_what_they_are_like(
    data: PreparedData, tmp_path: Path
) -> None:
    """New items have content, semantic id and median count and are found; the log's facts stay."""
    settings = {"model": {"dim": 8, "history_length": 6}, "train": {"epochs": 2, "batch_size": 128}}
    before = train(data, model="mixture", settings=settings, out=tmp_path / "run", progress=False)
    facts = add_items(tmp_path / "run", NEW, features={"content": CONTENT}, out=tmp_path / "grown")
    assert facts["added"] == 3
    grown = load(tmp_path / "grown")
    one, two = before.run.model, grown.run.model
    assert isinstance(one, Mixture)
    assert isinstance(two, Mixture)
    history = torch.tensor([[1, 7, 20]])
    with torch.no_grad():
        known, longer = one.experts(history), two.experts(history)
    torch.testing.assert_close(longer.counted[:2, :, : len(data.items)], known.counted[:2])
    assert not longer.counted[:2, :, len(data.items) :].any()
    assert two.experts.counts[-3:].tolist() == [float(one.experts.counts[1:].median())] * 3
    kind = [
        item
        for item, title in zip(data.items.ids, data.catalog["title"], strict=True)
        if title.endswith("kind 1")
    ]
    order = [item["item"] for item in grown.recommend(kind, 43).items]
    assert order.index("n0") < order.index("n1")  # kind 2 comes after kind 1, kind 5 does not
