"""The stages of Algorithm 1: each trains a model from the weights of the one before, from its last checkpoint on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

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
from solidrec.training.content import start_from_content, start_from_terms
from solidrec.training.context import RunContext
from solidrec.training.loop import Display, Progress, Silent, Stage, codebook_of, loss_of
from solidrec.training.seeds import seed_torch
from solidrec.training.semantics import Train

CELLS = 1 << 27
"""Scores of a validation over the whole catalogue, about: in a larger one an even sample of users is looked at ..."""
_FEWEST = 2_000
"""... of at least so many."""


def fit(run: RunContext, semantics: SemanticIds | None) -> Recommender:
    """Run the stages of Algorithm 1, from the last checkpoint on if there is one, and return the model with its best weights."""
    data, spec = run.data, run.spec
    found = run.checkpoints.newest(run.say) if run.checkpoints else None
    progress = read_progress(found) if found else Progress()
    if found:
        run.say(f"resumed at stage {progress.stage}, epoch {progress.epoch}, step {progress.step}")

    def save(stage: Stage) -> None:
        run.note(stage)
        if run.out is not None:
            write_history(run.out, stage.progress.history)
        if run.checkpoints is not None:
            run.checkpoints.maybe_save(stage)

    previous = None
    while True:
        model = start_of_stage(
            data, spec, semantics, previous, stage=progress.stage, device=run.device
        )
        batches = batches_for(model, data, spec, device=run.device)
        stage = Stage(
            model,
            batches,
            spec.train,
            seed=spec.seed,
            progress=progress,
            validate=_validation(model, data, spec),
            save=save,
            display=run.display,
            revive=spec.model.codebook.revive,
        )
        if found:
            restore(stage, found)
            found = None
        stage.run()
        run.note(stage)
        if progress.stage == stages(spec.model):
            return model
        previous, progress = model, progress.next_stage()


def batches_for(
    model: Recommender, data: PreparedData, spec: RunSpec, *, device: str
) -> TrainingBatches:
    """Return the training batches of a model: one pass serves many targets if its backbone reads prefixes."""
    stride = spec.train.served(spec.model.length) if model.reads_prefixes else None
    loss = loss_of(model, spec.train)
    return TrainingBatches(
        data,
        length=spec.model.length,
        batch=spec.train.batch,
        negatives=loss.each,
        seed=spec.seed,
        device=device,
        stride=stride,
        shared=loss.shared,
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
    """Build the model of a stage: seeded, on the weights of the stage before, with its codebook's first codes."""
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
    """Start the codebook: from the metacode if there is a trunk (Algorithm 1), else from the trained item table.

    There a code that stands for a semantic id starts from the mean of its items, and the others from k-means.
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


def _validation(
    model: Recommender, data: PreparedData, spec: RunSpec
) -> Callable[[], dict[str, float | None] | None]:
    """Return the function that measures a model on the validation split, if there is one."""
    if "valid" not in data.manifest["negatives"]:
        return lambda: None
    protocol = spec.train.selection.protocol
    most = max(_FEWEST, CELLS // len(data.items)) if protocol == "full" else None

    def measure_valid() -> dict[str, float | None]:
        length = spec.model.length
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
