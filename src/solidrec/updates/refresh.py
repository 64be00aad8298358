"""Continue a trained model with new events: its weights, memories, counts and mixture weights."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from solidrec.data.append import first_new
from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.nn.build import build, build_mixture, plain
from solidrec.nn.mixture import Mixture, is_counted
from solidrec.nn.recommender import Recommender
from solidrec.runs import Run
from solidrec.spec import ModelSpec, TrainSpec
from solidrec.training.context import RunContext
from solidrec.training.gate import Gate
from solidrec.training.loop import Progress, Stage, codebook_of, codebook_weight
from solidrec.training.rows import Targets, pack
from solidrec.training.seeds import rng
from solidrec.training.stages import batches_for

_ROWS = 20_000
"""Largest number of new events that the weights of a mixture are continued on."""
PASSES = 2
"""Passes over them."""


def refreshed(
    run: Run, context: RunContext, trained: npt.NDArray[np.bool_], *, epochs: int
) -> Recommender | Mixture:
    """Return the model of `run` after training on the new events: those not `trained` (N,) before.

    The data and specification are those of `context`, and the run knows all its items. Recommenders
    go on for `epochs`; a target counts if it is new, or among the L events before the new ones of
    its user. A mixture's memories and counts are taken anew from all training events, and its
    weights go on from evidence of the old experts, which have not seen the new events.
    """
    first = first_new(context.data.offsets, trained)
    if not isinstance(run.model, Mixture):
        return _continued(run, run.model, run.spec.model, context, first, epochs=epochs)
    data, old = context.data, run.model
    neural = _continued(
        run, old.experts.neural, plain(run.spec.model), context, first, epochs=epochs
    )
    ids = None if run.semantics is None else torch.from_numpy(run.semantics.table)
    recent = old.experts.recent is not None
    counted = count(data, content_of(data), ids, recent=recent)
    mixture = build_mixture(run.spec.model, counted, semantic_of_item=ids)
    learned = {name: one for name, one in old.state_dict().items() if not is_counted(name)}
    mixture.load_state_dict(mixture.state_dict() | learned)
    mixture.experts.neural.load_state_dict(neural.state_dict())
    mixture = mixture.to(context.device)
    if (codebook := codebook_of(mixture)) is not None:
        codebook.set_item_frequencies(_counts(data, context.device))
    targets = _new_targets(data, trained, seed=context.spec.seed)
    if len(targets.users):
        length = run.spec.model.history_length
        rows = pack(old.experts, data, targets, length=length, all_of=False)
        Gate(
            mixture,
            rows,
            None,
            passes=PASSES,
            codebook_weight=codebook_weight(mixture, context.spec.train),
            seed=context.spec.seed,
        ).run(context.display, lambda row: None)
    return mixture.eval()


def _continued(
    run: Run,
    model: Recommender,
    spec: ModelSpec,
    context: RunContext,
    first: npt.NDArray[np.int64],
    *,
    epochs: int,
) -> Recommender:
    """Return a copy of a recommender, trained on the targets that count."""
    data, train = context.data, context.spec.train
    ids = None if run.semantics is None else torch.from_numpy(run.semantics.table)
    copy = build(spec, items=len(data.items), semantic_of_item=ids)
    copy.load_state_dict(model.state_dict())
    copy = copy.to(context.device)
    begin = np.maximum(data.offsets[:-1], first - spec.history_length)
    begin = np.where(first < data.train_end, begin, data.train_end)
    if not epochs or not (data.train_end - begin > 1).any():
        return copy.eval()
    if (codebook := codebook_of(copy)) is not None:
        codebook.set_item_frequencies(_counts(data, context.device))
    ended: TrainSpec = train.model_copy(update={"epochs": epochs})
    own = context.spec.model_copy(update={"model": spec, "train": ended})
    stage = Stage(
        copy,
        batches_for(copy, data, own, device=context.device, begin=begin),
        ended,
        seed=context.spec.seed,
        progress=Progress(),
        validate=lambda: None,
        save=lambda stage: None,
        display=context.display,
        revive=False,
    )
    stage.run()
    return copy.eval()


def _counts(data: PreparedData, device: str) -> torch.Tensor:
    """Return how often each item occurs in training (V + 1,)."""
    return torch.from_numpy(np.array(data.train_counts)).to(device)


def _new_targets(data: PreparedData, trained: npt.NDArray[np.bool_], *, seed: int) -> Targets:
    """Return the new training events that have an earlier one, at most 20,000, nearest first.

    How far one is off counts the events between it and its user's first new one.
    """
    first = np.maximum(first_new(data.offsets, trained), data.offsets[:-1] + 1)
    users, positions = ranges(first, np.maximum(data.train_end, first))
    new = ~trained[positions]
    users, positions = users[new], positions[new]
    far = positions - first[users]
    chosen = np.lexsort((rng(seed, "gate rows").permutation(len(far)), far))[:_ROWS]
    chosen = np.sort(chosen)
    return Targets(users[chosen], positions[chosen], far[chosen])
