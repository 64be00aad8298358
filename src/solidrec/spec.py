"""Specifications: everything that decides a run, frozen, checked, hashed.

A `RunSpec` is written to ``spec.json`` of a run folder, and its hash names the folder when no other
name is given. docs/settings.md lists every setting with its meaning, read off the fields below.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from solidrec import migrations
from solidrec.backbone_spec import AnyBackbone, TransformerSpec, known_to
from solidrec.designs import DESIGNS, named
from solidrec.registry import BACKBONES, LOSSES
from solidrec.selection import Selection, selectable
from solidrec.spec_base import Spec, part_of

MODEL_NAMES = named(mixtures=False)
MIXTURE_NAMES = named(mixtures=True)
BACKBONE_NAMES: tuple[str, ...] = tuple(BACKBONES.own)


class CodebookSpec(Spec):
    """How the codebook D of Eq. 13 is read and learned (architecture, section 7)."""

    find: Literal["semantic", "nearest"] = Field(
        "semantic",
        description="the code of an item: that of its semantic id (the first, if it has several), "
        "or the one nearest to its embedding, as printed",
    )
    schedule: Literal["joint", "staged"] = Field(
        "joint",
        description="joint learns it from the first step; staged is Algorithm 1, which trains "
        "Eq. 12 to convergence first",
    )
    loss: Literal["pair", "literal", "ema"] = Field(
        "pair",
        description="the stop-gradient pair, the one MSE of Eq. 13, or codes moved by averages",
    )
    distance: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="of nearest codes: what is near"
    )
    gradient: Literal["straight-through", "rotation"] = Field(
        "straight-through", description="how the gradient of the branch passes the look-up"
    )
    mlp: bool = Field(True, description="an MLP D -> hidden -> D reads each code (Table 7)")
    hidden: int = Field(64, ge=1, description="width of that MLP")
    revive: bool = Field(
        True, description="of nearest codes: those that no item chose move to embeddings of items"
    )


class ModelSpec(Spec):
    """A model by its two names, its sizes (Table 7) and the clip T of Eq. 12."""

    name: Annotated[str, AfterValidator(part_of(DESIGNS))] = Field(
        "solid-duet", description="the model: a head and the source of its weights"
    )
    backbone: AnyBackbone = TransformerSpec()
    start: Literal["random", "content", "auto"] = Field(
        "random",
        description="of the item embeddings: random; content, from titles, categories and "
        "features, each reduced by itself; auto, from all terms of an item, where there are any",
    )
    dim: int = Field(32, ge=1, description="width D of every embedding and state")
    history_length: int = Field(
        10, ge=1, description="L, the last items of a history that are read"
    )
    dropout: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="dropout inside the backbone and the generators, for every model",
    )
    core: int = Field(16, ge=1, description="K of APG's K x K cores")
    clip: float = Field(0.01, ge=0, description="T of Eq. 12")
    clip_gradient: Literal["inward", "hard"] = Field(
        "inward",
        description="outside the clip of Eq. 12: what leads back inside passes, or nothing does",
    )
    branch_start: Literal["inside", "random"] = Field(
        "inside",
        description="of a clipped branch: inside its clip, or as any layer: mostly outside",
    )
    codebook: CodebookSpec = CodebookSpec()

    @model_validator(mode="before")
    @classmethod
    def present(cls, values: Any) -> Any:
        """Read settings by the names of earlier versions too."""
        if not isinstance(values, Mapping):
            return values
        found = migrations.of_group("model", values)
        return migrations.of_backbone(found, known_to(found))


class TrainSpec(Spec):
    """How a model is trained; ``epochs`` is the maximum of each stage of Algorithm 1."""

    epochs: int = Field(200, ge=1, description="at most, of each stage of Algorithm 1")
    batch_size: int = Field(512, ge=1, description="training targets of a step; Table 7 has 1024")
    learning_rate: float = Field(2e-3, gt=0, description="of Adam; Table 7 has 0.001")
    weight_decay: float = Field(0.0, ge=0, description="of Adam")
    loss: Annotated[str, AfterValidator(part_of(LOSSES))] = Field(
        "click",
        description="click (the paper's binary cross-entropy), softmax, gbce, or a loss of another "
        "package",
    )
    negatives: int = Field(4, ge=1, description="of each target's own, for click and gbce")
    shared: int | None = Field(
        None,
        ge=1,
        description="uniform negatives that a step of softmax shares; default all items up to "
        "5,000, 2,048 beyond",
    )
    calibration: float = Field(
        0.75, ge=0, le=1, description="t of gbce: 1 undoes the sampling of negatives, 0 is click"
    )
    codebook_weight: float | None = Field(
        None,
        ge=0,
        description="lambda of Eq. 13; default 1000 with codes of semantic ids (once an item), the "
        "paper's 0.1 with nearest ones",
    )
    targets_per_pass: int | None = Field(
        None,
        ge=1,
        description="targets that one pass over a long history serves: 1 is the full window of "
        "each, default half of history_length",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the forward pass; bfloat16 by torch.autocast"
    )
    compile: bool = Field(
        False,
        description="run the forward and backward pass through torch.compile (minutes to start)",
    )
    select: Annotated[str, AfterValidator(selectable)] = Field(
        "UAUC",
        description="validation metric that chooses the epoch; with 'full ' before it over the "
        "whole catalogue",
    )
    folds: Literal["users", "time"] = Field(
        "users",
        description="training events that a mixture's weights are learned from: of users that its "
        "experts have not seen, or the last tenth of the training period, with recency as one more "
        "expert; default time where data is split by time",
    )
    passes: int | None = Field(
        None,
        ge=1,
        description="of a mixture's weights over their rows; default what is best on validation, "
        "of at most 10",
    )
    patience: int = Field(
        5, ge=1, description="validations without a better one before a stage ends"
    )
    patience_steps: int = Field(300, ge=0, description="and at least so many steps without one")
    min_steps: int = Field(1000, ge=0, description="and never before so many steps of the stage")

    @model_validator(mode="before")
    @classmethod
    def present(cls, values: Any) -> Any:
        """Read settings by the names of earlier versions too."""
        return migrations.of_group("train", values) if isinstance(values, Mapping) else values

    @property
    def selection(self) -> Selection:
        """The protocol and the metric that choose the epoch."""
        return Selection.of(self.select)

    def of_one_model(self) -> TrainSpec:
        """Return the settings for a model that is no mixture: equal trainings have one name.

        >>> TrainSpec(folds="time", passes=3).of_one_model() == TrainSpec()
        True
        """
        return self.model_copy(update={"folds": "users", "passes": None})

    def served(self, length: int) -> int:
        """Return how many targets one pass over `length` items of a long history serves.

        >>> [TrainSpec(targets_per_pass=most).served(10) for most in (None, 1, 99)]
        [5, 1, 10]
        """
        return min(self.targets_per_pass or -(-length // 2), length)


class SemanticsSpec(Spec):
    """How items become semantic ids (Eq. 7-10)."""

    method: Literal["auto", "kmeans", "categories", "random"] = Field(
        "auto",
        description="auto follows what the data has; random deals ids of equal size, as a control",
    )
    modalities: tuple[str, ...] = Field(
        (),
        description="what is clustered: feature matrices of the data, text (the title's vector), "
        "categories, columns of discrete tokens, id (item embeddings of a static model trained on "
        "the way); default what the data has",
    )
    weights: dict[str, PositiveFloat] = Field(
        {}, description="what multiplies the squared distances of some modalities"
    )
    clusters: int | None = Field(
        None, ge=1, description="of each level; default 6 sqrt(items), shared among the levels"
    )
    levels: int = Field(
        1, ge=1, le=8, description="ids of an item, each for what those before it leave over"
    )
    encoded: dict[str, str] = Field(
        {}, description="sha256 of each feature that `solidrec encode` made; filled in by train"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="of the clustering")


class RunSpec(Spec):
    """One run: data (by fingerprint), semantics, model, training and seed."""

    data: str = Field(description="fingerprint of the prepared data; filled in by train")
    model: ModelSpec = ModelSpec()
    train: TrainSpec = TrainSpec()
    semantics: SemanticsSpec = SemanticsSpec()
    seed: int = Field(0, ge=0, description="of parameters, order, negatives and dropout")

    def digest(self) -> str:
        """Return the hash that names this run (12 hex digits).

        >>> digests = [RunSpec(data="x", seed=seed).digest() for seed in (0, 1)]
        >>> digests[0] == RunSpec(data="x").digest() != digests[1]
        True
        """
        text = json.dumps(migrations.as_before(self.model_dump(mode="json")), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
