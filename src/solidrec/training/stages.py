"""Algorithm 1: stages of training, each from the weights of the one before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from solidrec.arrays import Ints
from solidrec.data.prepared import PreparedData
from solidrec.epochs import write_history
from solidrec.evaluate.runner import evaluate
from solidrec.inference.scorer import ModelScorer
from solidrec.nn.build import build, stages
from solidrec.nn.codebook import SemanticCodebook, mean_of_each
from solidrec.nn.recommender import Recommender
from solidrec.semantics.fuse import whole
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import kmeans
from solidrec.semantics.modality import is_described
from solidrec.spec import RunSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.checkpoint import read_progress, restore
from solidrec.training.content_start import start_from_content, start_from_terms
from solidrec.training.context import RunContext
from solidrec.training.display import Display, Silent
from solidrec.training.loop import Progress, Stage, codebook_of, loss_of
from solidrec.training.seeds import seed_torch
from solidrec.training.semantics import Train

CELLS = 1 << 27
"""Scores of a validation over the whole catalogue, about; above it, users are sampled evenly ..."""
_FEWEST = 2_000
"""... of at least so many."""


def fit(run: RunContext, semantics: SemanticIds | None) -> Recommender:
    """Run Algorithm 1 and return the model with its best weights.

    Stage 1 trains trunk and clipped branch (SML, Eq. 12) to convergence. Stage 2 starts a codebook
    from the metacode of stage 1 and trains on with it (SCL, Eq. 13). A model without a codebook, or
    whose codebook is learned from the first step, has one stage. Training goes on from the last
    checkpoint, if there is one.
    """
    checkpoint = None
    if run.checkpoints is not None:
        checkpoint = run.checkpoints.newest(run.say, digest=run.spec.digest())
    progress = read_progress(checkpoint) if checkpoint else Progress()
    if checkpoint:
        run.say(f"resumed at stage {progress.stage}, epoch {progress.epoch}, step {progress.step}")
    model: Recommender | None = None
    for number in range(progress.stage, stages(run.spec.model) + 1):
        # the weights of the stage before, and from stage 2 on the codebook
        model = start_of_stage(
            run.data, run.spec, semantics, model, stage=number, device=run.device
        )
        stage = _stage(run, model, progress)
        if checkpoint:
            restore(stage, checkpoint)
            checkpoint = None
        stage.run()  # until validation no longer improves; the best epoch's weights are put back
        run.note(stage)
        progress = progress.next_stage()
    assert model is not None
    return model


def _stage(run: RunContext, model: Recommender, progress: Progress) -> Stage:
    """Return a stage of training, ready to run."""

    def save(stage: Stage) -> None:
        run.note(stage)
        if run.out is not None:
            write_history(run.out, stage.progress.history)
        if run.checkpoints is not None:
            run.checkpoints.maybe_save(stage, digest)

    data, spec, digest = run.data, run.spec, run.spec.digest()
    return Stage(
        model,
        batches_for(model, data, spec, device=run.device),
        spec.train,
        seed=spec.seed,
        progress=progress,
        validate=_validation(model, data, spec),
        save=save,
        display=run.display,
        revive=spec.model.codebook.revive,
    )


def start_of_stage(
    data: PreparedData,
    spec: RunSpec,
    semantics: SemanticIds | None,
    previous: Recommender | None,
    *,
    stage: int,
    device: str,
) -> Recommender:
    """Build a stage's seeded model from the weights of the stage before, with its first codes."""
    seed_torch(spec.seed, "parameters", stage)
    of_item = None if semantics is None else torch.from_numpy(semantics.table)
    model = build(spec.model, items=len(data.items), semantic_of_item=of_item, stage=stage).to(
        device
    )
    if (codebook := codebook_of(model)) is not None:
        codebook.set_item_frequencies(torch.from_numpy(np.array(data.train_counts)).to(device))
    if previous is None and spec.model.start == "content":
        start_from_content(model, data, seed=spec.semantics.seed)
    if previous is None and spec.model.start == "auto" and is_described(data):
        start_from_terms(model, data, seed=spec.semantics.seed)
    if previous is not None:
        model.load_state_dict(model.state_dict() | previous.state_dict())
        place_codes(model, spec)
    return model


@torch.no_grad()
def place_codes(model: Recommender, spec: RunSpec) -> None:
    """Start the codebook from the metacode if there is a trunk (Algorithm 1), else from the items.

    In the latter case, the code of a semantic id starts from the mean of its trained items, and
    other codes start from k-means.
    """
    codebook = codebook_of(model)
    assert codebook is not None
    metacode, size = dict(model.parts()).get("metacode"), len(codebook.code_vectors)
    if isinstance(metacode, nn.Embedding):
        codes = metacode.weight[1 : size + 1]
    elif isinstance(codebook, SemanticCodebook):
        codes = mean_of_each(model.items.weight[1:], codebook.semantic_of_item[1:] - 1, size)
    else:
        vectors = model.items.weight[1:].detach().cpu().numpy()
        codes = torch.from_numpy(kmeans(whole(vectors), size, seed=spec.seed).centroids)
    codebook.place(torch.arange(len(codes), device=codebook.code_vectors.device), codes)


def batches_for(
    model: Recommender, data: PreparedData, spec: RunSpec, *, device: str, begin: Ints | None = None
) -> TrainingBatches:
    """Return a model's training batches; a pass serves many targets if it reads prefixes."""
    stride = spec.train.served(spec.model.history_length) if model.reads_prefixes else None
    loss = loss_of(model, spec.train)
    return TrainingBatches(
        data,
        length=spec.model.history_length,
        batch=spec.train.batch_size,
        negatives=loss.each,
        seed=spec.seed,
        device=device,
        stride=stride,
        shared=loss.shared,
        begin=begin,
    )


def _validation(
    model: Recommender, data: PreparedData, spec: RunSpec
) -> Callable[[], dict[str, float | None] | None]:
    """Return the function that measures a model on the validation split, if there is one."""
    if "valid" not in data.manifest["negatives"]:
        return lambda: None
    protocol = spec.train.selection.protocol
    most = max(_FEWEST, CELLS // len(data.items)) if protocol == "full" else None

    def measure_valid() -> dict[str, float | None]:
        length = spec.model.history_length
        return evaluate(
            ModelScorer(model), data, split="valid", protocol=protocol, most=most, length=length
        ).metrics

    return measure_valid


def trained_vectors(
    data: PreparedData, *, device: str = "cpu", display: Display | None = None
) -> Train:
    """Return a function that trains a static model and gives its item embeddings (V, D)."""

    def train(static: RunSpec) -> np.ndarray:
        model = fit(RunContext(data, static, device=device, display=display or Silent()), None)
        return np.asarray(model.items.weight[1:].detach().cpu().numpy())

    return train
