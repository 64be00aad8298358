from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from solidrec.api import run_spec
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError
from solidrec.experiments import fidelity, fidelity_chance, fidelity_slice
from solidrec.experiments.fidelity import CHECKS, check_fidelity, cut
from solidrec.experiments.fidelity_chance import candidate_counts, chance, untrained
from solidrec.experiments.fidelity_learning import learning
from solidrec.experiments.fidelity_model import clip, independence, padding, prefixes
from solidrec.experiments.fidelity_slice import bounded, few_users, kept_items, semantics_for, stand_in
from solidrec.experiments.fidelity_subject import Subject
from solidrec.experiments.fidelity_training import export, reload, repeatable, resume
from solidrec.metrics import Ranks
from solidrec.nn.backbones import BACKBONES
from solidrec.nn.backbones.base import Backbone, CausalBackbone
from solidrec.nn.masks import last_valid
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Generated, Source
from solidrec.nn.weights import BuiltWeights, Slots
from solidrec.serve.engine import Engine
from solidrec.spec import BACKBONE_NAMES, RunSpec, SemanticsSpec, merge

Make = Callable[..., Subject]
Install = Callable[..., None]


@pytest.fixture
def subject(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> Make:
    """Return the maker of subjects: a model, a backbone, and settings over the tiny ones."""
    numbers = count()

    def make(name: str = "static", backbone: str = "gru4rec", *, of: PreparedData = data, **settings: Any) -> Subject:
        spec = run_spec(of, model=name, backbone=backbone, seed=None, epochs=None, settings=merge(tiny, settings))
        return cut(of, spec, semantics_for(of, spec), tmp_path / str(next(numbers)))

    return make


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what puts a backbone of one's own in the place of GRU4Rec; what it is made of are functions of (self, ...)."""

    def put(
        forward: Callable[..., Tensor],
        start: Callable[[Any, int], None] = lambda self, dim: None,
        base: type[Backbone] = Backbone,
        **methods: Callable[..., Tensor],
    ) -> None:
        def init(self: Any, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
            base.__init__(self, dim, length=length, blocks=blocks, heads=heads, dropout=dropout)
            start(self, dim)

        made = type("Own", (base,), {"__init__": init, "forward": forward, **methods})
        monkeypatch.setitem(BACKBONES, "gru4rec", made)

    return put


def masked_mean(items: Tensor, mask: Tensor) -> Tensor:
    """The state of a backbone without a fault: the mean of a history's items."""
    return (items * mask[..., None]).sum(1, keepdim=True) / mask.sum(1).clamp(min=1)[:, None, None]


def sound(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return masked_mean(items, mask)


# Everything is sound


@pytest.mark.parametrize(("name", "backbone"), [*(("static", backbone) for backbone in BACKBONE_NAMES), ("solid-apg", "sasrec")])
def test_the_product_keeps_its_promises(data: PreparedData, tiny: dict[str, Any], name: str, backbone: str) -> None:
    heard: list[dict[str, Any]] = []
    report = check_fidelity(data.path, model=name, backbone=backbone, settings=tiny, step=heard.append)
    assert report["failed"] == []
    assert {entry["status"] for entry in report["checks"]} == {"pass"}
    assert report["checks"] == heard
    left_out = {"clip"} if name == "static" else set()
    left_out |= {"prefixes"} if backbone in ("din", "bert4rec") else set()
    assert [entry["name"] for entry in heard] == [check for check in CHECKS if check not in left_out]


def test_a_backbone_of_ones_own_passes_too(subject: Make, install: Install) -> None:
    install(sound)
    own = subject("duet")
    for check in (learning, padding, independence, repeatable, resume, reload, export):
        verdict = check(own)
        assert (verdict.status, verdict.cause) == ("pass", "")


def test_a_run_is_checked_by_its_own_weights_and_settings(
    run_folder: Path, data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fidelity, "CHECKS", {"reload": reload, "export": export})
    report = check_fidelity(run_folder)
    assert (report["failed"], report["model"], report["spec"]["model"]["dim"]) == ([], "solid-duet", 8)
    assert check_fidelity(run_folder, data=data.path)["failed"] == []
    with pytest.raises(UsageError, match="is a run, which has settings of its own"):
        check_fidelity(run_folder, model="duet")
    with pytest.raises(UsageError, match="is no run"):
        check_fidelity(data.path, data=data.path)


def test_a_run_whose_weights_stand_at_the_clip_is_warned_of(run_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity, "CHECKS", {"clip": clip})
    assert check_fidelity(run_folder)["checks"][0]["status"] == "pass"
    load = fidelity.load

    def saturated(path: Path) -> Any:
        model = load(path)
        for projection in model.run.model.source.get_submodule("second.generator.projections").children():
            projection.weight.data.mul_(1e6)
        return model

    monkeypatch.setattr(fidelity, "load", saturated)
    entry = check_fidelity(run_folder)["checks"][0]
    assert entry["status"] == "warning"
    assert "model.clip=0.01" in entry["cause"]


def test_nothing_is_written_beside_the_data(walk: Callable[..., Any], tiny: dict[str, Any], tmp_path: Path) -> None:
    log, items = walk(users=30)
    data = prepare(log, items=items, out=tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    check_fidelity(data.path, model="spg", backbone="gru4rec", settings=tiny)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


# Learning


def unused(self: Any, dim: int) -> None:
    self.unused = nn.Parameter(torch.ones(dim))


def frozen(self: Any, dim: int) -> None:
    self.frozen = nn.Parameter(torch.ones(dim), requires_grad=False)


def in_a_list(self: Any, dim: int) -> None:
    self.layers = [nn.Linear(dim, dim)]


def bare(self: Any, dim: int) -> None:
    self.codes = torch.ones(dim)


@pytest.mark.parametrize(
    ("start", "cause"),
    [
        (unused, "no gradient reaches backbone.unused"),
        (frozen, "frozen (requires_grad=False): backbone.frozen"),
        (in_a_list, "neither trained nor saved: backbone.layers (1 tensors or layers in a list)"),
        (bare, "neither trained nor saved: backbone.codes (1 tensors or layers in a Tensor)"),
    ],
)
def test_a_parameter_that_does_not_learn_is_named(
    subject: Make, install: Install, start: Callable[[Any, int], None], cause: str
) -> None:
    install(sound, start)
    verdict = learning(subject())
    assert verdict.status == "fail"
    assert verdict.cause.endswith(cause)


@pytest.mark.parametrize(
    ("name", "settings", "cause", "cure"),
    [
        ("sml", {"model": {"clip": 0}}, "source.second.generator", "model.clip=0"),
        ("solid-duet", {"train": {"penalty": 0}}, "source.second.codebook.codes", "train.penalty=0"),
        ("sml", {"model": {"length": 1}}, "weight_hh_l0", "model.length=1"),
        ("solid-duet", {"model": {"clip": 1e-12}}, "no step moves it", "model.clip"),
    ],
)
def test_settings_that_cut_something_off_are_named(
    subject: Make, name: str, settings: dict[str, Any], cause: str, cure: str
) -> None:
    verdict = learning(subject(name, "din", **settings))
    assert verdict.status == "fail"
    assert cause in verdict.cause
    assert cure in verdict.cure


def test_what_the_released_code_freezes_is_a_warning(subject: Make) -> None:
    verdict = learning(subject("author-code"))
    assert verdict.status == "warning"
    assert verdict.cause.startswith("16 parameters stay as they were drawn")


class Half(Source):
    """Learns every slot's tensor but one, which is a constant: as generated tensors are whose projections stand in a list."""

    def __init__(self, slots: Slots, constant: str) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict({slot: torch.rand(shape) for slot, shape in slots.items() if slot != constant})
        self.register_buffer("constant", torch.rand(slots[constant]))
        self.slot = constant

    def forward(self, history: Tensor, items: Tensor, mask: Tensor, places: Tensor | None = None) -> Generated:
        tensors = {slot: tensor[None] for slot, tensor in self.tensors.items()} | {self.slot: self.constant[None]}
        return Generated(BuiltWeights(tensors), items.new_zeros(()), {})


def test_a_generated_tensor_without_anything_to_learn_is_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solidrec.nn.build.Shared", lambda slots, codebook: Half(slots, "weight1"))
    verdict = learning(subject())
    assert verdict.cause == "the gradient of the generated tensor 'weight1' reaches no parameter"


def test_a_slot_that_the_head_does_not_read_is_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solidrec.nn.build.Shared", lambda slots, codebook: Half(slots, "bias1"))
    monkeypatch.setattr("solidrec.nn.heads.FullHead.forward", lambda self, state, weights: weights.shift(
        "bias0", weights.apply("weight1", weights.apply("weight0", state))))  # fmt: skip
    assert learning(subject()).cause == "the head makes no use of the generated tensor 'bias1'"


# A model: padding, users, candidates, prefixes, the clip


def mean_with_padding(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return items.mean(1, keepdim=True)


def sum_with_padding(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return items.sum(1, keepdim=True)


def nothing_over_nothing(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return (items * mask[..., None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]


def less_the_batch(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    state = masked_mean(items, mask)
    return state - 0.1 * state.mean(0)


def less_the_candidates(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return masked_mean(items, mask) * candidates - 0.1 * candidates.mean(1, keepdim=True)


@pytest.mark.parametrize(
    ("check", "forward", "cause"),
    [
        (padding, mean_with_padding, "the user state of Own changes with the width of the padding"),
        (padding, sum_with_padding, "the user state of Own reads the embedding of padding"),
        (padding, nothing_over_nothing, "the logits of an empty history are not finite"),
        (independence, less_the_batch, "the user state of Own depends on the other users of the batch"),
        (independence, less_the_candidates, "the logits of a candidate depend on the other candidates"),
    ],
)
def test_a_model_that_sees_what_it_may_not_is_named(
    subject: Make, install: Install, check: Callable[[Subject], Any], forward: Callable[..., Tensor], cause: str
) -> None:
    install(forward)
    verdict = check(subject())
    assert (verdict.status, verdict.cause) == ("fail", cause)


def test_a_generator_that_reads_padding_is_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(states: Tensor, mask: Tensor, places: Tensor | None) -> Tensor:
        return states[:, -1] if places is None else states.flatten(0, 1)[places]

    monkeypatch.setattr("solidrec.nn.generator.at", end)
    verdict = padding(subject("duet"))
    assert verdict.cause == "generated tensor 'weight0' of Branch changes with the width of the padding"


def test_a_backbone_that_reads_the_future_is_named(subject: Make, install: Install) -> None:
    def states(self: Any, items: Tensor, mask: Tensor) -> Tensor:
        return (items * mask[..., None]).flip(1).cumsum(1).flip(1)

    def forward(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
        return last_valid(states(self, items, mask), mask)[:, None]

    install(forward, base=CausalBackbone, states=states)
    verdict = prefixes(subject())
    assert verdict is not None
    assert verdict.status == "fail"
    assert "Own or Shared reads the future" in verdict.cause


def test_a_saturated_branch_is_a_warning_that_names_the_clip(subject: Make) -> None:
    assert clip(subject("duet")) is None
    found = [clip(subject("sml", model={"clip": limit})) for limit in (0.01, 0)]
    assert [verdict and verdict.status for verdict in found] == ["pass", "warning"]
    assert found[1] is not None
    assert "model.clip=0" in found[1].cause


# Measuring


def test_ties_in_the_order_of_the_candidates_are_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def in_order(scores: np.ndarray, column: np.ndarray) -> Ranks:
        target = scores[np.arange(len(scores)), column][:, None]
        before = np.arange(scores.shape[1]) < np.asarray(column)[:, None]
        greater = ((scores > target) | ((scores == target) & before)).sum(1)
        return Ranks(greater, np.zeros_like(greater), (scores > -np.inf).sum(1))

    monkeypatch.setattr("solidrec.evaluate.runner.standing", in_order)
    verdict = chance(subject())
    assert verdict is not None
    assert (verdict.status, verdict.measured) == ("fail", "paper: UAUC 1.0000, by chance 0.5000")
    assert verdict.cause == "UAUC ranks tied candidates by the order in which they come"


def test_what_chance_is_counts_the_candidates_one_by_one(subject: Make) -> None:
    data = subject().data
    rows = data.rows("test")
    seen = [set(data.event_items[data.offsets[u] : p].tolist()) - {t} for u, p, t in zip(rows.users, rows.positions, rows.targets,
                                                                                       strict=True)]  # fmt: skip
    assert candidate_counts(data, "test", "full").tolist() == [40 - len(items) for items in seen]


class Found(NamedTuple):
    """A scorer that always puts the target, which stands in column 0, first."""

    model: Recommender

    def __call__(self, histories: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        return -np.arange(candidates.shape[1], dtype=np.float32) * np.ones((len(histories), 1), dtype=np.float32)


def test_an_untrained_model_that_knows_the_targets_is_a_warning(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity_chance, "ModelScorer", Found)
    verdict = untrained(subject())
    assert verdict is not None
    assert verdict.status == "warning"
    assert "leak" in verdict.cure


def test_an_untrained_model_that_is_loud_is_a_warning(subject: Make, install: Install) -> None:
    install(lambda self, items, mask, candidates: 3000 * masked_mean(items, mask))
    verdict = untrained(subject())
    assert verdict is not None
    assert (verdict.status, verdict.cause) == ("warning", "its logits are large before it has learned anything")


def test_without_held_out_rows_there_is_nothing_to_measure(walk: Callable[..., Any], subject: Make, tmp_path: Path) -> None:
    all_of_it = prepare(walk(users=30)[0], split="none", out=tmp_path / "all")
    made = subject(of=all_of_it)
    assert (chance(made), untrained(made)) == (None, None)
    assert resume(made).status == "pass"


@pytest.mark.parametrize(
    ("options", "measured"),
    [
        ({"split": "time"}, "paper: UAUC 0.5000"),
        ({"negatives": 0}, "paper: UAUC nan, Recall@10 nan, NDCG@10 nan; full: UAUC 0.5000"),
    ],
)
def test_other_splits_and_no_negatives_are_measured_too(
    walk: Callable[..., Any], subject: Make, tmp_path: Path, options: dict[str, Any], measured: str
) -> None:
    log = walk(users=40)[0].rename({"position": "timestamp"})
    made = subject(of=prepare(log, out=tmp_path / "other", **options))
    verdict = chance(made)
    assert verdict is not None
    assert verdict.status == "pass"
    assert verdict.measured.startswith(measured)
    assert resume(made).status == "pass"


def test_ids_alone_are_made_of_random_embeddings_and_that_is_said(
    walk: Callable[..., Any], subject: Make, tmp_path: Path
) -> None:
    made = subject("spg", of=prepare(walk(users=30)[0], out=tmp_path / "ids"))
    assert made.semantics is not None
    assert made.semantics.reason == "the items have ids alone; the embeddings of ids are random here"
    assert not (tmp_path / "ids" / "semantics").exists()


# What goes to disk and comes back


def noisy(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return masked_mean(items, mask) * (1 + random.random() * self.training)


def counting(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    self.seen += self.training
    return masked_mean(items, mask) * (1 + self.seen / 100)


def from_zero(self: Any, dim: int) -> None:
    self.seen = 0


def unsaved(self: Any, dim: int) -> None:
    self.register_buffer("seen", torch.zeros(()), persistent=False)


def test_randomness_of_its_own_is_named(subject: Make, install: Install) -> None:
    install(noisy)
    verdict = repeatable(subject())
    assert verdict.status == "fail"
    assert "model/items.weight" in verdict.cause


@pytest.mark.parametrize(("start", "held"), [(from_zero, "a number or an object of Python"), (unsaved, "backbone.seen")])
def test_a_state_that_is_not_saved_is_named(
    subject: Make, install: Install, start: Callable[[Any, int], None], held: str
) -> None:
    install(counting, start)
    made = subject()
    assert repeatable(made).status == "pass"
    assert [check(made).status for check in (resume, reload)] == ["fail", "fail"]
    assert "items.weight" in resume(made).cause
    assert reload(made).cause.endswith(f"outside state_dict(): {held}")


def test_moments_that_are_not_restored_are_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solidrec.training.optimizer.Optimizer.restore", lambda self, parameter, moments: None)
    verdict = resume(subject())
    assert verdict.status == "fail"
    assert "ends with another model/backbone.gru" in verdict.cause


def test_a_tensor_that_comes_back_different_is_named(subject: Make) -> None:
    made = subject()
    made.loaded.model.items.weight.data[1] += 1
    verdict = reload(made)
    assert (verdict.status, verdict.cause) == ("fail", "comes back different: items.weight")


def double(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *words: 2 * function(*words)


def test_vectors_that_are_not_the_model_are_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "user_vectors", double(Engine.user_vectors))
    assert export(subject()).cause == "user vectors . item vectors are not the logits"


def test_weights_that_are_not_those_of_the_forward_pass_are_named(subject: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    generate = Recommender.generate
    monkeypatch.setattr(Recommender, "generate", lambda self, history: generate(self, history.flip(0)))
    verdict = export(subject("duet"))
    assert verdict.cause == "weights generated apart and applied are not the whole forward pass"


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (lambda scores: 2 * scores, "a recommended item's score is not the model's"),
        (
            lambda scores: np.where(scores < np.sort(scores, 1)[:, [-4]], scores, -np.inf),
            "an item with a higher score is missing",
        ),
    ],
)
def test_answers_that_are_not_the_model_are_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch, wrong: Callable[[np.ndarray], np.ndarray], cause: str
) -> None:
    top = Engine.top
    monkeypatch.setattr(Engine, "top", lambda self, scores, k: top(self, wrong(scores), k))
    verdict = export(subject(backbone="din"))
    assert verdict.status == "fail"
    assert verdict.cause.startswith(cause)


# The slice


def test_a_check_that_breaks_is_red_and_says_where(
    data: PreparedData, tiny: dict[str, Any], install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
        raise RuntimeError("shapes do not match\nand more")

    install(broken)
    report = check_fidelity(data.path, model="static", backbone="gru4rec", settings=tiny)
    assert set(report["failed"]) == set(CHECKS) - {"chance"}  # a constant scorer needs no model
    assert report["checks"][0]["cause"] == "RuntimeError: shapes do not match"
    assert "test_fidelity.py:" in report["checks"][0]["measured"]


def test_the_slice_is_a_part_of_the_data(subject: Make, data: PreparedData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fidelity_slice, "LEAST", 60)
    made = subject(train={"batch": 10}, model={"length": 10}).data
    assert 0 < len(made.users) < len(data.users)
    for user, name in enumerate(made.users.ids, start=1):
        there = data.users.index(name)
        mine = made.event_items[made.offsets[user] : made.offsets[user + 1]]
        assert mine.tolist() == data.event_items[data.offsets[there] : data.offsets[there + 1]].tolist()
        assert made.train_end[user] - made.offsets[user] == data.train_end[there] - data.offsets[there]
    for split in ("valid", "test"):
        whole, part = data.rows(split), made.rows(split)
        assert len(part) == len(made.users)
        rows = [whole.users.tolist().index(data.users.index(made.users.id(int(user)))) for user in part.users]
        assert part.targets.tolist() == whole.targets[rows].tolist()
        negatives = np.stack([whole.candidates(row, row + 1)[0] for row in rows])
        assert (part.candidates(0, len(part)) == negatives[:, : data.manifest["negatives"][split] + 1]).all()


def test_long_histories_are_cut_to_their_end(walk: Callable[..., Any], subject: Make, tmp_path: Path) -> None:
    long = prepare(walk(users=5, items=1600, length=200)[0], out=tmp_path / "long")
    made = subject(of=long, model={"length": 4}).data
    assert np.diff(made.offsets)[1:].tolist() == [2 * 4 + 8 + 2] * 5
    assert made.event_items[-3:].tolist() == long.event_items[-3:].tolist()


def test_a_large_catalogue_is_thinned_out(
    subject: Make, data: PreparedData, run_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The items of the slice keep their ids; the model of a run over some of its items scores these alike."""
    monkeypatch.setattr(fidelity_slice, "LEAST", 20)
    monkeypatch.setattr(fidelity_slice, "ITEMS", 15)
    made = subject("solid-duet", train={"batch": 5}, model={"length": 5})
    assert 15 <= len(made.data.items) < 40
    assert set(made.data.items.ids) < set(data.items.ids)
    first = made.data.users.ids[0]
    mine, there = made.data.event_items[made.data.offsets[1] : made.data.offsets[2]], data.users.index(first)
    theirs = data.event_items[data.offsets[there] : data.offsets[there + 1]]
    assert [made.data.items.id(int(item)) for item in mine] == [data.items.id(int(item)) for item in theirs[-len(mine) :]]
    monkeypatch.setattr(fidelity, "CHECKS", {"padding": padding, "export": export})
    report = check_fidelity(run_folder)
    assert (report["failed"], report["slice"]["of_items"]) == ([], 40)


def test_the_thinned_catalogue_names_each_item_once(
    data: PreparedData, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fidelity_slice, "ITEMS", 37)
    spec = bounded(RunSpec.parse(merge(tiny, {"data": data.fingerprint})))
    items = kept_items(data, spec, None)
    assert (np.diff(items) > 0).all()
    assert (items[0], items[-1]) == (1, 40)


def test_a_stand_in_has_as_many_ids_and_says_so(
    data: PreparedData, tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = stand_in(1000, SemanticsSpec(levels=2, clusters=7), "kmeans")
    assert made.codes.shape == (1001, 2)
    assert [np.unique(made.codes[1:, level]).tolist() for level in (0, 1)] == [list(range(1, 8)), list(range(8, 15))]
    monkeypatch.setattr(fidelity_slice, "QUICK_ITEMS", 10)
    spec = RunSpec.parse(merge(tiny, {"data": data.fingerprint, "semantics": {"clusters": 3, "levels": 2, "method": "kmeans"}}))
    found = semantics_for(data, spec)
    assert found is not None
    assert found.reason == "dealt at random: kmeans takes longer than a check may"


def test_content_goes_along_where_embeddings_start_from_it(subject: Make) -> None:
    assert list(subject().data.features) == []
    made = subject(model={"start": "content"})
    assert list(made.data.features) == ["content"]
    assert learning(made).status == "pass"


def test_data_with_nothing_to_learn_is_refused(tiny: dict[str, Any], tmp_path: Path) -> None:
    log = pl.DataFrame({"user": list("aabbcc"), "item": list("xyxzyz"), "timestamp": [0, 12, 0, 20, 0, 20]})
    data = prepare(log, split="time", valid_from=10, test_from=15, out=tmp_path / "short")
    spec = bounded(RunSpec.parse(merge(tiny, {"data": data.fingerprint})))
    with pytest.raises(DataError, match="nothing to learn from"):
        few_users(data, spec)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """A check puts torch's threads back."""
    before = torch.get_num_threads()
    yield
    assert torch.get_num_threads() == before
