"""The input and the result of a check."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, final

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

from solidrec.data.prepared import PreparedData
from solidrec.epochs import write_history
from solidrec.json_files import write_json
from solidrec.nn.recommender import Recommender
from solidrec.runs import SPEC, Run, load_run, save_run
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import FILES, Checkpoints
from solidrec.training.context import RunContext
from solidrec.training.display import Display, Silent
from solidrec.training.stages import fit

HISTORIES, CANDIDATES = 24, 12


@final
@dataclass(frozen=True)
class Verdict:
    """The result of one check.

    ``promise`` is what it checks and ``measured`` what it found. If something is wrong, ``cause``
    and ``cure`` are not empty.
    """

    promise: str
    measured: str
    cause: str = ""
    cure: str = ""
    warns: bool = False
    """Whether the cause deserves a look but breaks no promise."""

    @property
    def status(self) -> Literal["pass", "warning", "fail"]:
        """The verdict in one word."""
        return "pass" if not self.cause else "warning" if self.warns else "fail"

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain values."""
        said = {key: value for key, value in asdict(self).items() if key != "warns"}
        return {"status": self.status, **said}


class Sample(NamedTuple):
    """Histories (R, L) of every length from 0 to L and candidates (R, C), of the slice's items."""

    history: Tensor
    candidates: Tensor


class _Training(NamedTuple):
    """A short training: the model with its best weights, and all tensors of the last checkpoint."""

    model: Recommender
    last: dict[str, Tensor]


@final
@dataclass(frozen=True)
class Subject:
    """A configuration on a slice of its data.

    Results that several checks need are computed once, in ``folder``. ``trained`` is the model of a
    finished run over the items of the slice; if given, the checks of a model are about it.
    """

    data: PreparedData
    spec: RunSpec
    semantics: SemanticIds | None
    folder: Path
    trained: Recommender | None = None

    @cached_property
    def training(self) -> _Training:
        """The first short training."""
        return self.train("first")

    @property
    def model(self) -> Recommender:
        """The model to check, in eval mode."""
        return (self.trained or self.training.model).eval()

    @cached_property
    def precise(self) -> Recommender:
        """The model in double precision, so that a difference is not a matter of rounding."""
        return copy.deepcopy(self.model).double().requires_grad_(False)

    @cached_property
    def sample(self) -> Sample:
        """Histories and candidates; a model does not depend on which user had which item."""
        length, items = self.spec.model.history_length, len(self.data.items)
        # Lengths from 0 to L, repeated if there are fewer than histories.
        sizes = np.linspace(0, length, min(length + 1, HISTORIES)).round().astype(int)
        sizes = np.resize(sizes, HISTORIES)
        # Rows of real events, padded on the right.
        table = np.resize(self.data.event_items, (HISTORIES, length)).astype(np.int64)
        drawn = np.random.default_rng(0).integers(1, items + 1, size=(HISTORIES, CANDIDATES))
        return Sample(
            torch.from_numpy(np.where(np.arange(length) < sizes[:, None], table, 0)),
            torch.from_numpy(drawn),
        )

    @cached_property
    def loaded(self) -> Run:
        """The model saved as a run and loaded again."""
        folder = self.folder / "saved"
        write_json(folder / SPEC, self.spec.model_dump(mode="json"))
        write_history(folder, [])
        catalog = self.data.catalog.select("item").with_columns(
            training_count=np.asarray(self.data.train_counts[1:])
        )
        save_run(
            folder,
            self.spec,
            self.model,
            catalog=catalog,
            semantics=self.semantics,
            metrics={},
            facts={
                "digest": self.spec.digest(),
                "parameters": sum(one.numel() for one in self.model.parameters()),
                "data": {"path": str(self.data.path)},
            },
        )
        return load_run(folder)

    @torch.enable_grad()
    def train(self, name: str, display: Display | None = None) -> _Training:
        """Train in a folder of that name, or resume there; every epoch writes a checkpoint."""
        folder = self.folder / name
        checkpoints = Checkpoints(folder / "checkpoints", spacing=0.0)
        run = RunContext(
            self.data, self.spec, folder, display=display or Silent(), checkpoints=checkpoints
        )
        model = fit(run, self.semantics)
        last = checkpoints.newest()
        assert last is not None, "every epoch leaves a checkpoint"
        tensors = {
            f"{Path(file).stem}/{key}": tensor
            for file in FILES
            if file.endswith(".safetensors")
            for key, tensor in load_file(last / file).items()
        }
        return _Training(model, tensors)
