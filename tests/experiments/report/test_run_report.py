from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.evaluate.intervals import paired_difference
from solidrec.evaluate.result import Evaluation
from solidrec.experiments.report.comparison import caution, headline
from solidrec.experiments.report.run_report import Contender, Sample, write_report
from solidrec.nn.build import build
from solidrec.runs import Run
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec

EVIL = '<script src="https://evil.example/x.js">alert("&")</script>'
USERS, ITEMS = 40, 12
METRICS = ("UAUC", "NDCG@10", "Recall@10", "NDCG@20", "Recall@20", "MRR", "LogLoss")


class Page(HTMLParser):
    """The tags that a browser would see, with their attributes, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> PreparedData:
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{i}", t) for u in range(USERS) for t, i in enumerate(rng.choice(ITEMS, size=6, replace=False))]
    log = pl.DataFrame(rows, schema=["user", "item", "position"], orient="row")
    titles = [EVIL, *(f"Film {n}" for n in range(1, ITEMS))]
    items = pl.DataFrame({"item": [f"i{n}" for n in range(ITEMS)], "title": titles})
    return prepare(log, items=items, out=tmp_path_factory.mktemp("report") / "data", negatives=3, source=f"a log {EVIL}")


def evaluation(quality: float, protocol: str = "paper", *, seed: int = 0) -> Evaluation:
    """An evaluation whose metrics lie around `quality`."""
    rng = np.random.default_rng(seed)
    values = {name: np.clip(quality + rng.normal(0, 0.05, USERS), 0, 1) for name in METRICS}
    users, counts = np.arange(1, USERS + 1), np.arange(USERS) % 8
    return Evaluation(protocol, "test", users, 3, quality, values, 0.5, counts)


def history(*, valid: bool, codebook: bool) -> list[dict[str, Any]]:
    """Two stages if there is a codebook; the second epoch of three is the best of each."""
    rows = []
    for stage in (1, 2) if codebook else (1,):
        for epoch in (1, 2, 3):
            row: dict[str, Any] = {
                "stage": stage,
                "epoch": epoch,
                "step": epoch,
                "loss": 1 / epoch,
                "penalty": 0.0,
                "seconds": 6.0,
            }
            row |= {"valid": {"UAUC": 0.7 - 0.01 * (epoch - 2) ** 2} if valid else None, "best": epoch <= 2 or not valid}
            if stage == 2:
                row |= {
                    "codes_used": 5 + epoch,
                    "codes_dead": 3 - epoch,
                    "perplexity": 4.0,
                    "codes_revived": 1,
                    "saturated": 0.25,
                }
            rows.append(row)
    return rows


def run(folder: Path, name: str, data: PreparedData, *, valid: bool = True) -> Run:
    """A run folder with a log, and a model of the right name."""
    folder.mkdir(parents=True)
    rows = history(valid=valid, codebook=name == "solid-duet")
    (folder / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    spec = RunSpec.parse({"data": data.fingerprint, "model": {"name": name, "dim": 4}})
    facts = {"parameters": 12_345, "seconds": 90.0, "threads": 1}
    model = build(RunSpec.parse({"data": "x", "model": {"name": "static", "dim": 4}}).model, items=ITEMS)
    return Run(folder, facts, spec, model, data.catalog, None)


def semantics(*modalities: str) -> SemanticIds:
    """Ids 1, 2 and 3 of 6, 4 and 2 items, and the empty id 4."""
    of_item = np.array([0, *[1] * 6, *[2] * 4, *[3] * 2])
    return SemanticIds(of_item[:, None], np.zeros((4, 2)), ("a", EVIL, "c", "d"), "kmeans", modalities, 0, "asked for")


@pytest.fixture
def contenders(tmp_path: Path, data: PreparedData) -> list[Contender]:
    return [
        Contender("popularity", evaluation(0.5, seed=1), evaluation(0.51, "full", seed=2), None),
        Contender("static", evaluation(0.7, seed=3), evaluation(0.6, "full", seed=4), run(tmp_path / "a", "static", data)),
        Contender(
            "solid-duet", evaluation(0.8, seed=5), evaluation(0.65, "full", seed=6), run(tmp_path / "b", "solid-duet", data)
        ),
    ]


def written(
    path: Path, data: PreparedData, contenders: list[Contender], *, ids: SemanticIds | None = None, notes: tuple[str, ...] = ()
) -> str:
    samples = [
        Sample(["Film 1", EVIL], {entry.name: ["Film 2", EVIL] for entry in contenders}, "Film 2"),
        Sample([], {entry.name: ["Film 3"] for entry in contenders}, None),
    ]
    write_report(
        path / "report.html", title=f"A title {EVIL}", data=data, contenders=contenders, semantics=ids, samples=samples,
        command=f"solidrec demo {EVIL}", seconds=90.0, notes=notes,
    )  # fmt: skip
    return (path / "report.html").read_text(encoding="utf-8")


def sections(text: str) -> list[str]:
    return re.findall(r'<section id="(\w+)"', text)


def test_the_page_needs_nothing_from_elsewhere_and_closes_what_it_opens(
    tmp_path: Path, data: PreparedData, contenders: list[Contender]
) -> None:
    text = written(tmp_path, data, contenders, ids=semantics("text"))
    page = Page(text)
    assert page.open == []
    names = {name for name, _ in page.tags}
    assert "svg" in names
    assert names & {"script", "link", "img", "iframe", "image", "object"} == set()
    references = [value or "" for _, found in page.tags for key, value in found.items() if key in {"src", "href", "xlink:href"}]
    assert references
    assert [reference for reference in references if not reference.startswith("#")] == []
    assert re.findall(r"url\((?!#)|@import", text) == []


def test_ids_are_unique_and_every_reference_has_one(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders, ids=semantics("text"))
    ids = [found["id"] for _, found in Page(text).tags if "id" in found]
    assert len(ids) == len(set(ids))
    used = {a or b for a, b in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)}
    assert used == set(ids)


def test_everything_from_data_is_escaped(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders, ids=semantics("text"), notes=(f"see `x` {EVIL}",))
    assert "<script" not in text
    # title element and heading, note, source, command, label of a semantic id, its member, and in both lists of samples
    assert text.count("&lt;script") >= 2 + 1 + 1 + 1 + 1 + 1 + 2
    assert "see <code>x</code> &lt;script" in text


def test_every_contender_and_its_numbers_are_there(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders)
    for entry in contenders:
        assert entry.label in text
        assert entry.full is not None
        for found in (entry.evaluation, entry.full):
            for metric in METRICS[:-1]:
                low, high = found.intervals()[metric]
                assert low is not None
                assert high is not None
                assert f"{found.metrics[metric]:.4f}" in text
                assert f"<small>{low:.3f}–{high:.3f}</small>" in text
    best = contenders[2].evaluation.metrics["UAUC"]
    assert f'<span class="best">{best:.4f}</span>' in text
    one, other = (contenders[n].evaluation.per_user["UAUC"] for n in (2, 1))
    assert f"{paired_difference(one, other).mean:+.4f}" in text
    assert "12,345" in text
    assert "40 users" in text
    assert data.fingerprint in text


def test_a_baseline_has_no_log_loss(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders)
    assert f"{contenders[0].evaluation.metrics['LogLoss']:.4f}" not in text
    assert f"{contenders[1].evaluation.metrics['LogLoss']:.4f}" in text


def test_the_headline_says_what_the_numbers_say(contenders: list[Contender]) -> None:
    best = contenders[2].evaluation.metrics["UAUC"]
    gap = paired_difference(*(contenders[n].evaluation.per_user["UAUC"] for n in (2, 1)))
    assert gap.p < 0.01
    assert headline(contenders) == (
        f"SOLID (DUET) ranks the held-out item above {best:.1%} of 3 sampled items, {100 * gap.mean:+.1f} points over static "
        "(p ≤ .001, paired over 40 users, one seed)."
    )
    assert "another seed" in caution(contenders)
    close = [contenders[1], replace(contenders[2], evaluation=evaluation(0.7, seed=9))]
    assert "no significant difference" in headline(close)
    worse = [replace(contenders[0], evaluation=evaluation(0.9)), *contenders[1:]]
    assert headline(worse).startswith("popularity ranks")
    assert "points over the best trained model, SOLID (DUET) (p ≤ .001" in headline(worse)
    assert "No trained model ranks above popularity" in caution(worse)


def test_nothing_to_rank_is_said(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    values = {name: np.full(USERS, np.nan) for name in METRICS}
    empty = [replace(entry, evaluation=replace(entry.evaluation, values=values, auc=np.nan), full=None) for entry in contenders]
    assert "No test user has anything to rank." in written(tmp_path, data, empty)


def test_metrics_that_order_otherwise_are_named(contenders: list[Contender]) -> None:
    assert "is first" not in caution(contenders)
    values = contenders[0].evaluation.values | {"NDCG@10": np.full(USERS, 0.99)}
    other = replace(contenders[0], evaluation=replace(contenders[0].evaluation, values=values))
    assert "By NDCG@10, popularity is first." in caution([other, *contenders[1:]])


def test_what_is_not_there_leaves_its_section_out(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    everything = ["comparison", "training", "codebook", "targets", "semantics", "samples", "protocol", "provenance"]
    assert sections(written(tmp_path, data, contenders, ids=semantics("text"))) == everything
    assert sections(written(tmp_path, data, contenders)) == [name for name in everything if name != "semantics"]
    assert sections(written(tmp_path, data, contenders[:2])) == [n for n in everything if n not in {"semantics", "codebook"}]
    alone = written(tmp_path, data, [replace(contenders[0], full=None)])
    assert sections(alone) == ["comparison", "targets", "samples", "protocol", "provenance"]
    assert "full-catalogue" not in alone
    assert "Paired differences" not in alone


def test_the_kept_epoch_is_marked_and_listed(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders)
    assert text.count("<td>2 of 3</td>") == 1 + 2  # static has one stage, SOLID two
    assert "2 of 8 codes" not in text
    assert "8 of 8 codes" in text  # 5 + 3 used in the last epoch
    assert "revived 3 times" in text  # once an epoch
    assert "25.0% of the branch" in text


def test_without_validation_the_last_epoch_counts(tmp_path: Path, data: PreparedData) -> None:
    found = run(tmp_path / "c", "static", data, valid=False)
    text = written(tmp_path, data, [Contender("static", evaluation(0.7), None, found)])
    assert "<td>3 of 3</td>" in text
    assert "no validation split" in text
    assert "UAUC on the validation split</figcaption>" not in text


def test_semantic_ids_are_shown_by_title(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders, ids=semantics("text"))
    assert "The largest" in text
    assert "6 items" in text
    assert "1 are empty" in text
    assert "most coherent of 4 or more" in text  # ids 1 and 2 have as many
    by_id = written(tmp_path, data, contenders, ids=semantics("id"))
    assert "The largest" in by_id
    assert "most coherent" not in by_id  # id embeddings are in no file


def test_what_came_next_is_marked_where_it_was_found(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    text = written(tmp_path, data, contenders)
    assert text.count("✓ Film 2") == len(contenders)
    assert "in none of these lists" not in text
    assert "(no history)" in text


def test_the_same_input_gives_the_same_bytes(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    first = written(tmp_path, data, contenders, ids=semantics("text"))
    assert written(tmp_path, data, contenders, ids=semantics("text")) == first


def test_contenders_must_be_comparable(tmp_path: Path, data: PreparedData, contenders: list[Contender]) -> None:
    with pytest.raises(UsageError, match="at least one"):
        written(tmp_path, data, [])
    with pytest.raises(UsageError, match="name of its own"):
        written(tmp_path, data, [contenders[0], contenders[0]])
    fewer = replace(contenders[1], evaluation=replace(evaluation(0.7), users=np.arange(USERS)))
    with pytest.raises(UsageError, match="different users"):
        written(tmp_path, data, [contenders[0], fewer])
