from __future__ import annotations

from collections.abc import Callable
from math import log2
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DivergedError, UsageError
from solidrec.evaluate import runner
from solidrec.evaluate.baselines import popularity
from solidrec.evaluate.item_knn import ItemKNN
from solidrec.evaluate.runner import _SEEN, Block, Protocol, Scorer, Seen, evaluate

Array = npt.NDArray[Any]
BOTH: tuple[Protocol, ...] = ("paper", "full")


def naive_rows(
    data: PreparedData, score: Scorer, protocol: str, split: str, seen: str = "filter"
) -> list[tuple[float, list[float], list[int]]]:
    """Return, for each user, the target's score, the negatives' scores and the negatives.

    Computed by plain loops. A target that cannot be recommended has the score -inf.
    """
    found = []
    rows = data.rows("test" if split == "test" else "valid")
    for row in range(len(rows)):
        user = int(rows.users[row])
        events = data.event_items[data.offsets[user] : data.offsets[user + 1]].tolist()
        before = events[: -1 if split == "test" else -2]
        target = events[len(before)]
        history = before[-4:] + [0] * (4 - len(before))
        if protocol == "full":
            hidden = before if seen == "filter" else []
            negatives = [
                item
                for item in range(1, len(data.items) + 1)
                if item not in hidden and item != target
            ]
        else:
            negatives = rows.candidates(row, row + 1)[0, 1:].tolist()
        scores = score(np.array([history]), np.array([[target, *negatives]]))[0]
        missed = protocol == "full" and seen == "filter" and target in before
        found.append(
            (float("-inf") if missed else float(scores[0]), scores[1:].tolist(), negatives)
        )
    return found


def naive_metrics(rows: list[tuple[float, list[float], list[int]]]) -> dict[str, float]:
    """Return the metrics of leave-one-out rows.

    Each is the mean over the places that a tie leaves open, 0 for a missed target. Log-loss and
    the pooled AUC are those of the targets that have a score.
    """
    total = dict.fromkeys(
        (
            "UAUC",
            "MRR",
            "LogLoss",
            *(f"{name}@{k}" for name in ("NDCG", "Recall") for k in (5, 10, 20)),
        ),
        0.0,
    )
    scored = [row for row in rows if row[0] > float("-inf")]
    for target, negatives, _ in scored:
        above = sum(score > target for score in negatives)
        equal = sum(score == target for score in negatives)
        places = range(above + 1, above + equal + 2)
        total["UAUC"] += (len(negatives) - above - equal / 2) / len(negatives)
        total["MRR"] += sum(1 / place for place in places) / len(places)
        probabilities = [1 / (1 + np.exp(-score)) for score in (target, *negatives)]
        total["LogLoss"] += log_loss([1, *[0] * len(negatives)], probabilities, labels=[0, 1])
        for k in (5, 10, 20):
            total[f"Recall@{k}"] += sum(place <= k for place in places) / len(places)
            total[f"NDCG@{k}"] += sum(1 / log2(place + 1) for place in places if place <= k) / len(
                places
            )
    positives = [target for target, _, _ in scored]
    others = np.concatenate([negatives for _, negatives, _ in rows])
    auc = roc_auc_score(
        [1] * len(positives) + [0] * len(others), np.concatenate([positives, others])
    )
    means = {name: value / len(rows) for name, value in total.items()}
    return means | {"LogLoss": total["LogLoss"] / len(scored), "AUC": auc}


@pytest.mark.parametrize("split", ["valid", "test"])
@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("seen", _SEEN)
@pytest.mark.parametrize("ties", [True, False])
def test_it_agrees_with_plain_loops(
    data: PreparedData,
    tied: Scorer,
    untied: Scorer,
    protocol: Protocol,
    split: Any,
    seen: Seen,
    ties: bool,
) -> None:
    score = tied if ties else untied
    found = evaluate(score, data, split=split, protocol=protocol, seen=seen, length=4)
    rows = naive_rows(data, score, protocol, split, seen)
    assert found.metrics == pytest.approx(naive_metrics(rows), abs=1e-6)
    assert (len(found.users), found.protocol, found.split) == (90, protocol, split)
    assert found.missed == sum(target == float("-inf") for target, _, _ in rows)


@pytest.mark.parametrize("seen", _SEEN)
def test_the_whole_catalogue_leaves_out_what_was_seen_or_nothing(
    data: PreparedData, tied: Scorer, seen: Seen
) -> None:
    blocks: list[Block] = []
    found = evaluate(tied, data, protocol="full", seen=seen, length=4, sink=blocks.append)
    counted = np.concatenate([block.counted for block in blocks])
    repeats = 0
    for row, user in enumerate(np.concatenate([block.users for block in blocks])):
        events = data.event_items[data.offsets[user] : data.offsets[user + 1]].tolist()
        hidden = set(events[:-1]) if seen == "filter" else set()
        repeats += events[-1] in hidden
        assert set(np.flatnonzero(counted[row]) + 1) == set(range(1, 41)) - hidden
    assert (found.missed, found.seen) == (repeats, seen)
    assert seen == "keep" or repeats > 3  # the log does hold users who come back to an item


def test_a_repeated_target_is_a_miss_even_where_nothing_else_is_left(tmp_path: Path) -> None:
    """Three items, two seen: a target behind one candidate would otherwise be in the top ten."""
    rows = [("u", item, at) for at, item in enumerate("abba")] + [
        ("v", item, at) for at, item in enumerate("cac")
    ]
    data = prepare(
        pl.DataFrame(rows, schema=["user", "item", "position"], orient="row"),
        out=tmp_path / "data",
        negatives=1,
    )
    found = evaluate(lambda h, c: np.zeros((len(h), c.shape[1])), data, protocol="full")
    assert [found.values[name][0] for name in ("UAUC", "NDCG@10", "Recall@10", "MRR")] == [
        0,
        0,
        0,
        0,
    ]
    assert np.isnan(found.values["LogLoss"][0])
    kept = evaluate(lambda h, c: np.zeros((len(h), c.shape[1])), data, protocol="full", seen="keep")
    assert kept.values["Recall@10"].tolist() == [1, 1]


def test_an_evenly_spaced_sample_of_rows(data: PreparedData, tied: Scorer) -> None:
    whole = evaluate(tied, data, protocol="full", length=4)
    some = evaluate(tied, data, protocol="full", length=4, most=30)
    chosen = np.linspace(0, 89, 30).astype(int)
    assert some.users.tolist() == whole.users[chosen].tolist()
    assert some.values["NDCG@10"].tolist() == whole.values["NDCG@10"][chosen].tolist()
    paper = evaluate(tied, data, length=4)
    assert (
        evaluate(tied, data, length=4, most=30).values["UAUC"].tolist()
        == paper.values["UAUC"][chosen].tolist()
    )
    assert evaluate(tied, data, length=4, most=90).metrics == paper.metrics


def test_validation_sees_neither_the_test_item_nor_the_future(data: PreparedData) -> None:
    histories: list[Array] = []

    def spy(given: Array, candidates: Array) -> Array:
        histories.append(given)
        return np.zeros((len(given), candidates.shape[1]))

    evaluate(spy, data, split="valid", length=20)
    ends = np.concatenate(histories)
    assert ((ends > 0).sum(1) == 9 - 2).all()
    assert ends[0, :7].tolist() == data.event_items[data.offsets[1] : data.train_end[1]].tolist()


@pytest.mark.parametrize("protocol", BOTH)
def test_coverage_is_the_share_of_items_in_anybodys_first_ten(
    data: PreparedData, untied: Scorer, protocol: Protocol
) -> None:
    def score(
        histories: Array, candidates: Array
    ) -> Array:  # mostly the same few items for everybody
        return (
            untied(histories, candidates)
            - np.broadcast_to(candidates, (len(histories), candidates.shape[1])) / 10
        )

    shown: set[int] = set()
    rows = data.rows("test")
    for row, (target, negatives, items) in enumerate(naive_rows(data, score, protocol, "test")):
        ranked = sorted(
            zip([target, *negatives], [int(rows.targets[row]), *items], strict=True), reverse=True
        )
        shown |= {item for _, item in ranked[:10]}
    assert 0 < len(shown) < 40
    assert evaluate(score, data, protocol=protocol, length=4).coverage == len(shown) / 40


def test_fewer_than_ten_candidates_are_all_shown(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> None:
    data = prepare(
        walk(users=12, items=8, groups=2, length=6)[0], out=tmp_path / "data", negatives=2
    )
    found = evaluate(lambda h, c: np.zeros((len(h), c.shape[1])), data)
    shown = {item for row in data.rows("test").candidates(0, 12).tolist() for item in row}
    assert found.coverage == len(shown) / len(data.items)


def test_what_everybody_has_seen_is_shown_to_nobody(tmp_path: Path) -> None:
    """With fewer than ten items left, the first ten places hold no others."""
    rows = [
        (f"u{user}", "i0" if at == 0 else f"i{1 + (user + at) % 9}", at)
        for user in range(9)
        for at in range(5)
    ]
    data = prepare(
        pl.DataFrame(rows, schema=["user", "item", "position"], orient="row"),
        out=tmp_path / "data",
        negatives=3,
    )
    found = evaluate(lambda h, c: np.zeros((len(h), c.shape[1])), data, protocol="full")
    assert found.coverage == 9 / 10


def test_cold_rare_and_warm_targets_are_told_apart(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tied: Scorer, tmp_path: Path
) -> None:
    data = prepare(walk(users=45, items=64, length=6)[0], out=tmp_path / "data", negatives=9)
    found = evaluate(tied, data, length=4)
    rows = naive_rows(data, tied, "paper", "test")
    counts = data.train_counts[data.rows("test").targets]
    groups = found.groups()
    for name, chosen in (
        ("cold", counts == 0),
        ("rare", (counts > 0) & (counts < 5)),
        ("warm", counts >= 5),
    ):
        expected = naive_metrics([rows[row] for row in np.flatnonzero(chosen)])
        assert groups[name]["targets"] == chosen.sum() > 0
        assert groups[name]["UAUC"] == pytest.approx(expected["UAUC"])
        assert groups[name]["NDCG@10"] == pytest.approx(expected["NDCG@10"])


@pytest.fixture(scope="module")
def hundred(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path_factory: pytest.TempPathFactory
) -> PreparedData:
    """Data with 99 negatives a target."""
    return prepare(walk(users=60, items=160)[0], out=tmp_path_factory.mktemp("hundred") / "data")


def test_a_constant_scorer_reads_as_chance(hundred: PreparedData) -> None:
    found = evaluate(lambda h, c: np.ones((len(h), c.shape[1])), hundred)
    assert found.negatives == 99
    assert found.metrics["UAUC"] == found.metrics["AUC"] == 0.5
    assert found.metrics["Recall@10"] == pytest.approx(10 / 100)
    assert found.metrics["NDCG@10"] == pytest.approx(
        sum(1 / log2(place + 1) for place in range(1, 11)) / 100
    )
    assert round(found.metrics["NDCG@10"] or 0, 4) == 0.0454


def test_an_oracle_reads_as_perfect_and_its_opposite_as_worst(hundred: PreparedData) -> None:
    rows = hundred.rows("test")
    targets = dict(
        zip(
            map(tuple, hundred.histories(rows.users, rows.positions, 10)),
            rows.targets.tolist(),
            strict=True,
        )
    )

    def oracle(histories: Array, candidates: Array) -> Array:
        return (
            candidates == np.array([targets[tuple(history)] for history in histories])[:, None]
        ).astype(np.float32)

    for protocol in BOTH:
        best = evaluate(oracle, hundred, protocol=protocol, seen="keep")
        worst = evaluate(lambda h, c: -oracle(h, c), hundred, protocol=protocol, seen="keep")
        assert [best.metrics[name] for name in ("AUC", "UAUC", "NDCG@5", "Recall@5", "MRR")] == [
            1
        ] * 5
        assert [worst.metrics[name] for name in ("UAUC", "NDCG@20", "Recall@20")] == [0] * 3


@pytest.mark.parametrize("protocol", BOTH)
def test_the_size_of_a_block_changes_nothing(
    data: PreparedData, tied: Scorer, protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(tied, data, protocol=protocol, length=4)
    monkeypatch.setattr(runner, "_ROWS", 7)
    for cells in (1, 90, 1 << 18):
        monkeypatch.setattr(runner, "_CELLS", cells)
        finished: list[int] = []
        parts = evaluate(tied, data, protocol=protocol, length=4, step=finished.append)
        assert finished == [7] * 12 + [6]
        assert parts.metrics == pytest.approx(whole.metrics, rel=1e-12)  # a mean of float32 sums
        assert (parts.coverage, parts.auc) == (whole.coverage, whole.auc)


def test_a_wide_catalogue_is_scored_in_blocks_of_bounded_size(
    data: PreparedData, tied: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "_CELLS", 100)
    monkeypatch.setattr(runner, "_WIDE_CELLS", 40 * 5)
    sizes: list[tuple[int, ...]] = []
    evaluate(
        tied, data, protocol="full", length=4, sink=lambda block: sizes.append(block.scores.shape)
    )
    assert set(sizes) == {(5, 40)}


def test_a_scorers_own_scores_are_left_alone(data: PreparedData) -> None:
    table = np.random.default_rng(0).standard_normal((1, 40)).astype(np.float32)
    table.flags.writeable = False
    evaluate(
        lambda h, c: np.broadcast_to(table[:, : c.shape[1]], (len(h), c.shape[1])),
        data,
        protocol="full",
    )


def test_coverage_shows_tied_items_in_the_order_of_the_vocabulary(hundred: PreparedData) -> None:
    found = evaluate(lambda h, c: np.zeros((len(h), c.shape[1])), hundred)
    rows = hundred.rows("test")
    shown = {item for row in rows.candidates(0, len(rows)).tolist() for item in sorted(row)[:10]}
    assert found.coverage == len(shown) / len(hundred.items)


@pytest.mark.parametrize("protocol", BOTH)
def test_baselines_go_through_the_same_runner(data: PreparedData, protocol: Protocol) -> None:
    knn = ItemKNN(data.event_items, data.offsets, data.train_end, items=len(data.items))

    def whole(histories: Array, candidates: Array) -> Array:
        return np.broadcast_to(candidates, (len(histories), candidates.shape[1]))

    scorers: dict[str, Scorer] = {
        "popularity": lambda h, c: popularity(data.train_counts, whole(h, c)),
        "item-kNN": lambda h, c: knn.score(h, whole(h, c)),
    }
    for score in scorers.values():
        found = evaluate(score, data, protocol=protocol, length=4)
        assert found.metrics == pytest.approx(
            naive_metrics(naive_rows(data, score, protocol, "test")), abs=1e-6
        )


@pytest.mark.parametrize("protocol", BOTH)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_no_result(
    data: PreparedData, protocol: Protocol, bad: float
) -> None:
    def score(histories: Array, candidates: Array) -> Array:
        scores = np.zeros((len(histories), candidates.shape[1]))
        scores[-1, -1] = bad
        return scores

    with pytest.raises(DivergedError, match="a score is"):
        evaluate(score, data, protocol=protocol)


def test_an_unknown_protocol_or_split_is_refused(data: PreparedData, tied: Scorer) -> None:
    with pytest.raises(UsageError, match="protocol 'ful' is unknown; did you mean 'full'"):
        evaluate(tied, data, protocol="ful")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="seen 'kept' is unknown; did you mean 'keep'"):
        evaluate(tied, data, protocol="full", seen="kept")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="has no 'train' rows"):
        evaluate(tied, data, split="train")  # type: ignore[arg-type]


@pytest.mark.parametrize("protocol", ["paper", "full"])
@pytest.mark.parametrize("kind", [np.int64, np.float16])
def test_a_scorer_may_give_other_numbers(
    data: PreparedData, tied: Scorer, protocol: Protocol, kind: type
) -> None:
    """What they mean is what float64 means."""

    def rounded(histories: Any, candidates: Any) -> Any:
        return (4 * tied(histories, candidates)).astype(kind)

    def wide(histories: Any, candidates: Any) -> Any:
        return rounded(histories, candidates).astype(np.float64)

    assert (
        evaluate(rounded, data, protocol=protocol).metrics
        == evaluate(wide, data, protocol=protocol).metrics
    )


def test_histories_are_not_all_held_at_once(
    data: PreparedData, tied: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block's histories are gathered when its turn comes."""
    monkeypatch.setattr(runner, "_ROWS", 10)
    turns: list[str] = []
    gather = PreparedData.histories
    monkeypatch.setattr(
        PreparedData, "histories", lambda *args: turns.append("gathered") or gather(*args)
    )
    evaluate(tied, data, step=lambda rows: turns.append("scored"))
    assert turns[:4] == ["gathered", "scored", "gathered", "scored"]
