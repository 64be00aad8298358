"""Training of a mixture: experts, rows that no expert has seen, the weights, the final experts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.epochs import write_history
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.nn.build import build_mixture, stages
from solidrec.nn.mixture import Counted, Experts, Mixture
from solidrec.nn.recommender import Recommender
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import ModelSpec, RunSpec
from solidrec.training.context import RunContext
from solidrec.training.display import Row, StageDisplay
from solidrec.training.folds import Fold, folds
from solidrec.training.gate import PASSES, STAGE, Gate
from solidrec.training.loop import codebook_of, codebook_weight
from solidrec.training.neural import WHOLE, Neural, neural_expert
from solidrec.training.rows import Rows, Targets, pack
from solidrec.training.seeds import seed_torch
from solidrec.training.stages import fit

_VALID_ROWS = 10_000
"""Largest number of validation users that choose the pass, evenly spaced."""


def _fit_mixture(run: RunContext, semantics: SemanticIds | None) -> Mixture:
    """Train the experts and the weights of a mixture.

    Validation chooses the epoch and the pass; nothing is fitted on it. Weights are learned from
    training events that their experts have not seen (`folds`). The neural expert and
    the memories of all events are the experts of the final mixture.
    """
    data, spec = run.data, run.spec
    rows_of = folds(data, spec.train, spec.seed)
    # Take the first fold now, so that data without rows raise before anything is trained.
    rows_of = chain([next(rows_of)], rows_of)
    recent = spec.train.folds == "time"
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    counted = partial(count, similar=content_of(data), semantic_of_item=of_item, recent=recent)
    neural = neural_expert(run, part=WHOLE)
    log: list[Row] = []

    def save(*rows: Row) -> None:
        log.extend(rows)
        if run.out is not None:
            write_history(run.out, log)

    save(*neural.history)
    seed_torch(spec.seed, "mixture")
    mixture = build_mixture(spec.model, counted(data), semantic_of_item=of_item).to(run.device)
    mixture.experts.neural.load_state_dict(neural.model.state_dict())
    if (codebook := codebook_of(mixture)) is not None:
        codebook.set_item_frequencies(torch.from_numpy(np.array(data.train_counts)).to(run.device))

    unseen = "their time" if recent else "their users"
    run.say(f"mixture: evidence on training events, by experts that have not seen {unseen}")
    rows = _training_rows(run, neural, rows_of, counted)
    run.say(f"mixture: {rows.size:,} events whose item some expert has among its best")
    gate = Gate(
        mixture,
        rows,
        _validation_rows(mixture.experts, data, spec),
        passes=spec.train.passes or PASSES,
        codebook_weight=codebook_weight(mixture, spec.train),
        seed=spec.seed,
    )
    if rows.size:
        gate.standardise()
        gate.run(run.display, save)
    else:
        run.say(
            "mixture: no expert ever brings the item that came next, "
            "so the weights stay as they start"
        )
    return mixture.eval()


def _training_rows(
    run: RunContext,
    neural: Neural,
    rows_of: Iterable[Fold],
    counted: Callable[[PreparedData], Counted],
) -> Rows:
    """Return the rows of every fold, with the evidence of its own experts.

    The neural experts of the folds are trained for as many epochs as were best for `neural`.
    """
    train = run.spec.train.model_copy(update={"epochs": neural.epochs})
    ended = run.spec.model_copy(update={"train": train})
    halves = run.but(spec=ended, display=StageDisplay(run.display))
    parts, part = [], WHOLE
    # Folds of one neural expert come together, so each expert is trained once.
    for fold in rows_of:
        if fold.part != part:
            part = fold.part
            neural = neural_expert(halves.but(data=fold.learned), part=part)
        if len(fold.targets.users):
            experts = Experts(neural.model, counted(fold.counted)).to(run.device)
            length = run.spec.model.history_length
            parts.append(pack(experts, run.data, fold.targets, length=length, all_of=False))
    return Rows.together(parts)


def fit_named(run: RunContext, semantics: SemanticIds | None) -> Recommender | Mixture:
    """Train the model that a specification names: a mixture, or a recommender in stages."""
    is_mixture = DESIGNS[run.spec.model.name].is_mixture
    return _fit_mixture(run, semantics) if is_mixture else fit(run, semantics)


def last_stage(model: ModelSpec) -> int:
    """Return the number of the stage whose best row is the model.

    >>> last_stage(ModelSpec(name="mixture")), last_stage(ModelSpec(name="static"))
    (2, 1)
    """
    return STAGE if DESIGNS[model.name].is_mixture else stages(model)


def _validation_rows(experts: Experts, data: PreparedData, spec: RunSpec) -> Rows | None:
    """Return the rows that choose the pass, None without validation or if passes are given."""
    if "valid" not in data.manifest["negatives"] or spec.train.passes is not None:
        return None
    rows = data.rows("valid")
    some = np.unique(np.linspace(0, len(rows) - 1, min(_VALID_ROWS, len(rows))).astype(np.int64))
    targets = Targets(rows.users[some], rows.positions[some], np.zeros(len(some), dtype=np.int64))
    return pack(experts, data, targets, length=spec.model.history_length, all_of=True)
