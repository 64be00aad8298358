from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.api import train
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.recommend.engine import POPULARITY, Engine
from solidrec.recommend.questions import Question, Recommendation
from solidrec.recommend.rules import NO_RULES, Rules
from solidrec.runs import load_run

HISTORY = ["i03", "i09", "i12"]


@pytest.fixture(scope="module")
def engine(run_folder: Path) -> Engine:
    return Engine(load_run(run_folder))


@pytest.fixture(scope="module")
def din(
    data: PreparedData, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Engine:
    out = tmp_path_factory.mktemp("din") / "run"
    return train(
        data, model="solid-apg", backbone="din", epochs=1, out=out, settings=tiny, progress=False
    ).engine


def ids(answer: Recommendation) -> list[str]:
    return [item["item"] for item in answer.items]


def scores(answer: Recommendation) -> list[float]:
    return [item["score"] for item in answer.items]


@pytest.mark.parametrize("which", ["engine", "din"])
def test_the_answer_is_the_models_ranking_of_everything_else(
    which: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(which)
    run = engine.run
    history = torch.tensor([[run.items.index(item) for item in HISTORY]])
    with torch.no_grad():
        logits = run.model(history, torch.arange(1, 41)[None]).logits[0]
    naive = sorted(
        (name for name in run.items.ids if name not in HISTORY),
        key=lambda name: -logits[run.items.index(name) - 1],
    )
    answer = engine.recommend(HISTORY, k=7)
    assert ids(answer) == naive[:7]
    assert scores(answer) == pytest.approx(
        [float(logits[run.items.index(name) - 1]) for name in naive[:7]], abs=1e-5
    )
    assert (answer.ignored, answer.fallback) == ([], None)


def test_items_come_with_their_titles(engine: Engine) -> None:
    for item in engine.recommend(HISTORY, k=3).items:
        number = int(item["item"][1:])
        assert item["title"] == f"thing {number} of kind {number // 5}"


def test_unknown_items_are_ignored_and_listed(engine: Engine) -> None:
    answer = engine.recommend(["new", "i03", "i09", "", "i12", "new"], k=5)
    assert answer.ignored == ["new", "", "new"]
    assert (ids(answer), answer.fallback) == (ids(engine.recommend(HISTORY, k=5)), None)


@pytest.mark.parametrize("which", ["engine", "din"])
@pytest.mark.parametrize("history", [[], ["new"], ["new", "newer"]])
def test_with_no_known_item_popularity_answers_and_says_so(
    which: str, history: list[str], request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(which)
    answer = engine.recommend(history, k=40)
    assert answer.fallback == POPULARITY == "popularity"
    assert answer.ignored == history
    counts = dict(
        zip(engine.run.catalog["item"], engine.run.catalog["training_count"], strict=True)
    )
    assert ids(answer) == sorted(counts, key=lambda item: (-counts[item], item))
    assert scores(answer) == sorted(map(float, counts.values()), reverse=True)


def test_an_item_may_come_twice_in_a_history(engine: Engine) -> None:
    answer = engine.recommend(["i03", "i03", "i09"], k=40)
    assert len(ids(answer)) == 40 - 2
    assert not {"i03", "i09"} & set(ids(answer))


def test_the_last_items_count_and_all_are_left_out(engine: Engine) -> None:
    length = engine.run.spec.model.history_length
    history = [f"i{number:02}" for number in range(25)]
    answer = engine.recommend(history, k=40)
    assert set(ids(answer)) == {f"i{number:02}" for number in range(25, 40)}
    recent = engine.recommend(history[-length:], k=40, keep_history=True)
    whole = engine.recommend(history, k=40, keep_history=True)
    assert scores(whole) == scores(recent)


def test_the_history_may_be_kept(engine: Engine) -> None:
    kept = engine.recommend(HISTORY, k=40, keep_history=True)
    assert sorted(ids(kept)) == list(engine.run.items.ids)
    assert ids(engine.recommend(HISTORY, k=40)) == [
        item for item in ids(kept) if item not in HISTORY
    ]


def test_a_history_of_the_whole_catalogue_leaves_nothing(engine: Engine) -> None:
    assert engine.recommend(list(engine.run.items.ids)).items == []


def test_more_than_the_catalogue_gives_the_catalogue(engine: Engine) -> None:
    assert len(engine.recommend(HISTORY, k=10**9).items) == 40 - 3


@pytest.mark.parametrize("k", [0, -1])
def test_less_than_one_item_is_refused(engine: Engine, k: int) -> None:
    with pytest.raises(UsageError, match=f"k={k}: give a whole number, 1 or more"):
        engine.recommend(HISTORY, k)
    with pytest.raises(UsageError, match=f"k={k}: give a whole number, 1 or more"):
        engine.similar("i03", k)


@pytest.mark.parametrize("history", [None, 5])
def test_what_is_no_list_is_refused_with_the_cure(engine: Engine, history: Any) -> None:
    with pytest.raises(UsageError, match="give a list of item ids, oldest first"):
        engine.recommend(history)


def test_a_bare_string_is_refused_with_the_cure(engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"oldest first, for example \['i03'\]"):
        engine.recommend("i03")
    with pytest.raises(UsageError, match="give a list"):
        engine.recommend_many(["i03"])


def test_ids_may_be_numbers(walk: Callable[..., Any], tiny: dict[str, Any], tmp_path: Path) -> None:
    from solidrec.data.prepare import prepare

    log, items = walk(users=30)
    log, items = (
        frame.with_columns(frame["item"].str.slice(1).cast(int)) for frame in (log, items)
    )
    data = prepare(log, items=items, out=tmp_path / "data")
    engine = train(
        data, model="static", epochs=1, out=tmp_path / "run", settings=tiny, progress=False
    ).engine
    assert engine.recommend([3, 9]) == engine.recommend(["3", "9"])  # type: ignore[list-item]
    assert engine.recommend(np.array([3, 9])) == engine.recommend(["3", "9"])  # type: ignore[arg-type]
    assert engine.similar(3) == engine.similar("3")  # type: ignore[arg-type]


@pytest.mark.parametrize("which", ["engine", "din"])
def test_many_together_are_answered_as_one_by_one(
    which: str, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(which)
    histories = [HISTORY, [], ["new"], [f"i{n:02}" for n in range(30)], ["i07", "new"], ["i39"]]
    together = engine.recommend_many(histories, k=6)
    apart = [engine.recommend(history, k=6) for history in histories]
    for one, other in zip(together, apart, strict=True):
        assert (ids(one), one.ignored, one.fallback) == (ids(other), other.ignored, other.fallback)
        assert scores(one) == pytest.approx(scores(other), abs=1e-5)


def test_nobody_to_answer_is_no_error(engine: Engine) -> None:
    assert engine.recommend_many([]) == []
    assert engine.user_vectors([]).shape == (0, 8)


def test_ties_come_in_the_order_of_the_vocabulary(engine: Engine) -> None:
    found = engine.top(np.array([[1.0, 2.0, 1.0, 2.0]]), 4)[0]
    assert [item["item"] for item in found] == ["i01", "i03", "i00", "i02"]


def test_a_score_that_is_not_finite_is_never_recommended(engine: Engine) -> None:
    for bad in (
        [np.nan, np.inf],
        [np.nan, np.nan],
        [np.inf, np.inf],
        [-np.inf, -np.inf],
        [np.nan, -np.inf],
    ):
        found = engine.top(np.array([[bad[0], 2.0, bad[1], 1.0]]), 4)[0]
        assert [item["item"] for item in found] == ["i01", "i03"]


def test_a_history_may_be_any_iterable(engine: Engine) -> None:
    assert engine.recommend(iter(HISTORY), k=3) == engine.recommend(HISTORY, k=3)


def test_what_is_asked_is_not_changed(engine: Engine) -> None:
    before = engine.popularity.copy()
    engine.recommend([], k=3)
    engine.recommend(HISTORY, k=3)
    assert np.array_equal(engine.popularity, before)


def test_similar_items_are_the_nearest_by_cosine(engine: Engine) -> None:
    table = engine.run.model.items.weight.detach()[1:].numpy().astype(np.float64)
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    cosine = unit @ unit[3]
    found = engine.similar("i03", k=4)
    assert [item["item"] for item in found] == [f"i{n:02}" for n in np.argsort(-cosine) if n != 3][
        :4
    ]
    assert [item["score"] for item in found] == pytest.approx(
        sorted(np.delete(cosine, 3), reverse=True)[:4], abs=1e-6
    )


def test_an_item_that_nobody_knows_has_no_neighbours(engine: Engine) -> None:
    with pytest.raises(
        UsageError,
        match=r"item 'new': the model does not know it; its vocabulary is items.parquet of",
    ):
        engine.similar("new")


def test_user_vector_times_item_vector_is_the_logit(engine: Engine) -> None:
    histories = [HISTORY, [], ["i07", "new"]]
    users = engine.user_vectors(histories)
    items = engine.item_vectors()
    assert items["item"].to_list() == list(engine.run.items.ids)
    table = torch.tensor(
        [
            [engine.run.items.index(i) for i in HISTORY],
            [0, 0, 0],
            [engine.run.items.index("i07"), 0, 0],
        ]
    )
    with torch.no_grad():
        logits = engine.run.model(table, torch.arange(1, 41)[None]).logits
    assert users @ items["vector"].to_numpy().T == pytest.approx(logits.numpy(), abs=1e-5)


def test_din_has_no_single_user_vector(din: Engine) -> None:
    with pytest.raises(UsageError, match="backbone 'din' has one user state a candidate"):
        din.user_vectors([HISTORY])


@pytest.mark.parametrize("gone", [(), (7, 8, 30)])
def test_answers_need_no_more_than_the_best_items_or_ask_for_all(
    run_folder: Path, gone: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scorer that scores its twelve best items alone leads to the answers of one that scores all.

    What is asked may need fewer than twelve, more, or others.
    """
    engine = Engine(load_run(run_folder))
    names = engine.run.items.ids
    rules = [
        NO_RULES,
        Rules(exclude=names[:3]),
        Rules(exclude=names[:20]),
        Rules(candidates=names[5:25]),
        Rules(filter="item > 'i20'"),
        Rules(boost={"item > 'i20'": 5.0}),
        Rules(diversity=0.5),
    ]
    questions = [
        Question(history, k, keep, rule)
        for history in (HISTORY, names[:9], ["unknown"], names[-1:])
        for k in (1, 5, 40)
        for keep in (False, True)
        for rule in rules
    ]
    engine.attributes = engine.attributes.showing(gone, shown=False)
    expected = engine.answer(questions)
    read, asked = engine.score.read, []

    def read_best(histories: np.ndarray) -> Any:
        asked.append(len(histories))

        def scored(rows: slice, items: np.ndarray) -> np.ndarray:
            scores = read(histories)(rows, items)
            scores[scores < np.sort(scores, 1)[:, -12:-11]] = -np.inf
            return scores

        return scored

    monkeypatch.setattr(engine.score, "certain", 12)
    monkeypatch.setattr(engine.score, "read_best", read_best)
    assert engine.answer(questions) == expected
    assert sum(asked) > 10
