"""Checks that a specification can be trained on given data, made before any training."""

from __future__ import annotations

import torch

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.errors import IncompatibleError, UsageError
from solidrec.nn.build import build_backbone
from solidrec.registry import LOSSES
from solidrec.semantics.make_ids import plan
from solidrec.semantics.modality import is_described
from solidrec.spec import RunSpec


def check_run(data: PreparedData, spec: RunSpec) -> None:
    """Raise unless `spec` fits the data, its settings go together and semantic ids can be made.

    Raises `IncompatibleError` for other data or features that were encoded anew, `UsageError` for
    the rest.
    """
    if spec.data != data.fingerprint:
        raise IncompatibleError(
            f"the specification is of data {spec.data[:12]}, {data.path} is {data.fingerprint[:12]}"
        )
    if spec.semantics.encoded != data.encoded:
        raise IncompatibleError(
            f"{data.path}: its features are not those of the specification; "
            "encode them again, or train anew"
        )
    # Random numbers of this trial do not count. (The meta device would draw none, and take a
    # second to import.)
    with torch.random.fork_rng(devices=[]):
        backbone = build_backbone(spec.model)
    design = DESIGNS[spec.model.name]
    if design.needs_semantics or (design.is_mixture and is_described(data)):
        plan(data, spec.semantics)
    if backbone.reads_candidates and (
        LOSSES[spec.train.loss].needs_user_vectors or design.is_mixture
    ):
        raise UsageError(
            f"model {spec.model.name!r} with train.loss={spec.train.loss}: "
            f"{spec.model.backbone.name} has a user state for each candidate, and this needs one a "
            "user; choose another backbone, or --model NAME with train.loss=click"
        )
    if design.is_mixture and spec.train.folds == "time" and data.manifest["order"] != "timestamp":
        raise UsageError(
            f"{data.path}: train.folds=time needs timestamps, the log is ordered by "
            f"{data.manifest['order']}; name their column (prepare --time-column NAME), "
            "or train with --set train.folds=users"
        )
    if (
        design.is_mixture
        and "valid" not in data.manifest["negatives"]
        and spec.train.passes is None
    ):
        raise UsageError(
            f"{data.path}: has no validation users to choose epochs and passes of "
            f"{spec.model.name!r} by; take them from a run that had some (--epochs-from RUN), "
            "or prepare with --split leave-one-out or time"
        )
