"""A mixture from data: experts, rows that no expert has seen, the weights, and the experts of all training events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.nn.build import stages
from solidrec.nn.build_mixture import MIXTURES, build_mixture
from solidrec.nn.mixture import Experts, Mixture
from solidrec.nn.recommender import Recommender
from solidrec.runs import write_history
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import ModelSpec, RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.gate import PASSES, STAGE, Gate
from solidrec.training.loop import Display, StepsOnly, codebook_of, penalty_weight
from solidrec.training.neural import WHOLE, neural_expert, of_users
from solidrec.training.rows import Rows, pack
from solidrec.training.seeds import rng, seed_torch
from solidrec.training.stages import fit

FOLDS = 8
"""Parts of the users. Memories for the rows of a part are counted without it, the neural expert is of the other half."""
ROWS = 100_000
"""Training events that weights are learned from, at most."""
VALID_ROWS = 10_000
"""Validation users that choose the pass, at most, evenly spaced."""


def fit_mixture(
    data: PreparedData,
    spec: RunSpec,
    semantics: SemanticIds | None,
    *,
    out: Path | None,
    device: str,
    display: Display,
    say: Callable[[str], None] = lambda line: None,
) -> Mixture:
    """Train the experts and the weights of a mixture; validation chooses the epoch and the pass, and nothing is fitted on it.

    Weights are learned from training events of users that the experts which judge them have not seen (cross-fitting): users
    are dealt into eight parts, memories are counted without the part of a row's user, and the neural expert of a row is
    trained, for as many epochs, on the four parts that the user is not in. Then the experts of all users take their places.
    """
    fold_of = dealt(data, spec.seed)
    similar = content_of(data)
    neural = neural_expert(data, spec, part=WHOLE, out=out, device=device, display=display, say=say)
    log = list(neural.history)
    if out is not None:
        write_history(out, log)
    seed_torch(spec.seed, "mixture")
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    mixture = build_mixture(spec.model, count(data, similar, of_item), semantic_of_item=of_item).to(device)
    mixture.experts.neural.load_state_dict(neural.model.state_dict())
    if (codebook := codebook_of(mixture)) is not None:
        codebook.count(torch.from_numpy(np.array(data.train_counts)).to(device))

    say(f"mixture: evidence on up to {ROWS:,} training events, by experts that have not seen their users")
    parts = []
    ended = spec.model_copy(update={"train": spec.train.model_copy(update={"epochs": neural.epochs})})
    events = sampled(data, spec.seed)
    for half in (0, 1):
        inside = fold_of % 2 == half
        other = neural_expert(
            of_users(data, ~inside), ended, part=f"half{half}", out=out, device=device, display=StepsOnly(display), say=say
        )  # fmt: skip
        for fold in range(half, FOLDS, 2):
            users, positions = (each[fold_of[events[0]] == fold] for each in events)
            if not len(users):
                continue
            counted = count(of_users(data, fold_of != fold), similar, of_item)
            experts = Experts(other.model, counted.memories, counted.counts).to(device)
            parts.append(pack(experts, data, users, positions, length=spec.model.length, all_of=False))
    rows = Rows.together(parts)

    def save(row: dict[str, Any]) -> None:
        log.append(row)
        if out is not None:
            write_history(out, log)

    valid = validation_rows(mixture.experts, data, spec)
    gate = Gate(
        mixture, rows, valid, passes=spec.train.passes or PASSES, penalty=penalty_weight(mixture, spec.train), seed=spec.seed
    )
    if rows.size:
        gate.run(display, save)
    else:
        say("mixture: no expert ever brings the item that came next, so the weights stay as they start")
    return mixture.eval()


def fit_named(
    data: PreparedData,
    spec: RunSpec,
    semantics: SemanticIds | None,
    *,
    out: Path,
    device: str,
    display: Display,
    checkpoints: Checkpoints,
    say: Callable[[str], None] = lambda line: None,
) -> Recommender | Mixture:
    """Train whatever model a specification names: a mixture, or a recommender by the stages of Algorithm 1."""
    if spec.model.name in MIXTURES:
        return fit_mixture(data, spec, semantics, out=out, device=device, display=display, say=say)
    return fit(data, spec, semantics, out=out, device=device, display=display, checkpoints=checkpoints, say=say)


def last_stage(model: ModelSpec) -> int:
    """Return the number of the stage whose best row is the model.

    >>> last_stage(ModelSpec(name="mixture")), last_stage(ModelSpec(name="static"))
    (2, 1)
    """
    return STAGE if model.name in MIXTURES else stages(model)


def dealt(data: PreparedData, seed: int) -> np.ndarray:
    """Return the part 0..7 of each user (U + 1,); those who have something to learn from are dealt out evenly."""
    learned = data.train_end - data.offsets[:-1] > 1
    if learned.sum() < 2:
        raise DataError(f"{data.path}: a mixture needs two users with two training events each; bring longer histories")
    parts = np.zeros(len(learned), dtype=np.int64)
    parts[learned] = rng(seed, "folds").permutation(learned.sum()) % FOLDS
    return parts


def sampled(data: PreparedData, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return users and positions (R,) of the training events that weights are learned from, in order."""
    users, positions = data.training_targets()
    chosen = np.sort(rng(seed, "gate rows").permutation(len(users))[:ROWS])
    return users[chosen], positions[chosen]


def validation_rows(experts: Experts, data: PreparedData, spec: RunSpec) -> Rows | None:
    """Return the rows that choose the pass, None where the data has none or the number of passes is given."""
    if "valid" not in data.manifest["negatives"] or spec.train.passes is not None:
        return None
    rows = data.rows("valid")
    some = np.unique(np.linspace(0, len(rows) - 1, min(VALID_ROWS, len(rows))).astype(np.int64))
    return pack(experts, data, rows.users[some], rows.positions[some], length=spec.model.length, all_of=True)
