"""Measure evaluation, recommendation, the halves of a request, and the nearest-code search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.runner import evaluate
from solidrec.inference.scorer import ModelScorer
from solidrec.nn.kernels.nearest import nearest_code
from solidrec.nn.weights import BuiltWeights
from solidrec.recommend.engine import Engine
from solidrec.runs import Run
from solidrec.spec import ModelSpec, RunSpec
from speed.data import DATA
from speed.floor import scoring_flops
from speed.measurement import MILLISECONDS, Subject, Timed, timed
from speed.training import ML100K_CODES, new_model

MEASURED = (
    ("static", "sasrec"),
    ("duet", "sasrec"),
    ("solid-duet", "sasrec"),
    ("static", "gru4rec"),
    ("static", "din"),
)
NEGATIVES, ML100K_ITEMS = 99, 1_682
TOP = 10
TIMES = 20
"""Evaluations of all users in one sample; a single one is too short to be timed well."""
CALLS = 100
"""Calls in one sample of a latency."""
VECTORS, CODES = (1024, 10, 32), 770


def spec_of(name: str, backbone: str) -> ModelSpec:
    """Return the specification of a model of the default sizes."""
    return ModelSpec.parse({"name": name, "backbone": backbone})


def evaluation(name: str, backbone: str, protocol: Literal["paper", "full"]) -> Subject:
    """Return the measurement of `evaluate`, end to end with all its metrics."""
    spec = spec_of(name, backbone)
    candidates = 1 + NEGATIVES if protocol == "paper" else ML100K_ITEMS

    def prepare(folder: Path) -> Callable[[], Timed]:
        data = PreparedData.open(folder / DATA)
        score = ModelScorer(new_model(spec, data))
        times = 1 if backbone == "din" else TIMES if protocol == "paper" else TIMES // 4

        def run() -> None:
            for _ in range(times):
                evaluate(score, data, split="test", protocol=protocol, length=spec.history_length)

        return lambda: timed(times * len(data.rows("test")), run)

    flops = scoring_flops(spec, candidates=candidates, codes=ML100K_CODES)
    return Subject("users", prepare, flops=flops, memory=True)


def engine_of(spec: ModelSpec, data: PreparedData) -> Engine:
    """Return an engine over an untrained model, which has the speed of a trained one."""
    catalog = data.catalog.with_columns(training_count=data.train_counts[1:])
    model = new_model(spec, data).eval()
    run = RunSpec(data=data.fingerprint, model=spec)
    return Engine(Run(data.path, {}, run, model, catalog, None))


def raw_histories(data: PreparedData) -> list[list[str]]:
    """Return every user's training items by their raw ids, oldest first."""
    ids = data.items.ids
    return [
        [ids[item - 1] for item in data.event_items[start:stop]]
        for start, stop in zip(data.offsets[1:-1], data.train_end[1:], strict=True)
    ]


def recommendation(name: str) -> Subject:
    """Return the measurement of `recommend_many` for all users: raw ids in, ten unseen ones out."""
    spec = spec_of(name, "sasrec")

    def prepare(folder: Path) -> Callable[[], Timed]:
        data = PreparedData.open(folder / DATA)
        engine, histories = engine_of(spec, data), raw_histories(data)
        return lambda: timed(len(histories), lambda: engine.recommend_many(histories, TOP))

    flops = scoring_flops(spec, candidates=ML100K_ITEMS, codes=ML100K_CODES)
    return Subject("users", prepare, flops=flops)


def latency(name: str, half: Literal["generate", "score", "recommend"]) -> Subject:
    """Return the measurement of a request: its weights, 100 scores, or the ten best items."""
    spec = spec_of(name, "sasrec")

    def prepare(folder: Path) -> Callable[[], Timed]:
        data = PreparedData.open(folder / DATA)
        if half == "recommend":
            engine, raw = engine_of(spec, data), raw_histories(data)[:CALLS]
            return lambda: timed(
                len(raw), lambda: [engine.recommend(history, TOP) for history in raw]
            )
        model, rows = new_model(spec, data).eval(), data.rows("test")
        window = data.histories(rows.users[:1], rows.positions[:1], spec.history_length)
        history = torch.from_numpy(window.astype("int64"))
        candidates = torch.from_numpy(rows.candidates(0, 1).astype("int64"))
        with torch.inference_mode():
            weights = BuiltWeights(model.generate(history).weights.tensors)

        @torch.inference_mode()
        def calls() -> None:
            for _ in range(CALLS):
                if half == "generate":
                    _ = model.generate(history).weights.tensors
                else:
                    model.score(history, candidates, weights)

        return lambda: timed(CALLS, calls)

    return Subject("call", prepare, shown=MILLISECONDS)


def prepare_search(folder: Path) -> Callable[[], Timed]:
    """Return a function that searches the nearest codes of a batch of histories."""
    torch.manual_seed(0)
    vectors, codes = torch.randn(VECTORS), torch.randn(CODES, VECTORS[-1])

    @torch.no_grad()
    def search() -> None:
        nearest_code(vectors, codes)

    return lambda: timed(1, search)


SEARCH_FLOPS = 2.0 * VECTORS[0] * VECTORS[1] * VECTORS[2] * CODES
SUBJECTS = {
    **{
        f"evaluate/1+99/{name}/{backbone}": evaluation(name, backbone, "paper")
        for name, backbone in MEASURED
    },
    **{
        f"evaluate/full/{name}/{backbone}": evaluation(name, backbone, "full")
        for name, backbone in MEASURED[:4]
    },
    **{f"top-10/{name}/sasrec": recommendation(name) for name in ("static", "duet", "solid-duet")},
    **{
        f"latency/{half}/{name}/sasrec": latency(name, half)
        for name in ("duet", "solid-duet")
        for half in ("generate", "score", "recommend")
    },
    "nearest-code/770": Subject(
        "call", prepare_search, shown=MILLISECONDS, flops=SEARCH_FLOPS, memory=True
    ),
}
