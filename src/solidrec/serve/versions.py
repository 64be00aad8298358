"""The versions of a model that a service holds: one answers, the one before can come back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from solidrec.artifacts import MANIFEST, sha256
from solidrec.errors import DamagedError, IncompatibleError, UsageError
from solidrec.inference.golden import TOLERANCE
from solidrec.inference.traced import trace
from solidrec.kit.export_kit import group_weights
from solidrec.kit.packet import Tensors
from solidrec.rank_overlap import rank_biased_overlap
from solidrec.recommend.attributes import Attributes
from solidrec.recommend.engine import Engine
from solidrec.recommend.questions import Question, Recommendation
from solidrec.recommend.rules import Rules
from solidrec.runs import load_run

_COMPARED, _COMPARED_LENGTH, _COMPARED_ITEMS = 32, 5, 10
"""Histories, their length, and items of each answer by which two versions are compared."""
_WARM_UP = 3
"""Times that the model answers before it is used: the first ones are slower."""


@final
@dataclass(frozen=True)
class Version:
    """A loaded run and its name: the folder's, and the first digits of its manifest's sha256."""

    name: str
    path: Path
    engine: Engine

    @classmethod
    def load(cls, path: Path, *, device: str = "cpu", max_batch: int = 32) -> Version:
        """Load a run, record its computations for batches up to `max_batch`, and let it answer.

        Raises as `load_run`, and `DamagedError` for a model without finite scores.
        """
        run = load_run(path, device=device)
        name = f"{path.resolve().name}-{sha256(path / MANIFEST)[:12]}"
        version = cls(name, path, Engine(run))
        assert version.loaded is version.engine.attributes
        length, items = run.spec.model.history_length, len(run.items)
        trace(version.engine.score, length=length, items=items, most=max_batch)
        for _ in range(_WARM_UP):
            found = version.answer([Question((run.items.id(1),), 1, True)])
            if not found[0].items:
                raise DamagedError(f"{path}: its scores are not finite; train it again")
        apart = 0.0 if run.golden is None else run.golden.distance(version.engine.score)
        if not apart <= 1:
            raise IncompatibleError(
                f"{path}: answers otherwise than when it was written ({apart:.3g} times the "
                f"tolerance of {TOLERANCE}); train it with this version, on such a machine"
            )
        return version

    @property
    def together(self) -> int:
        """How many questions the model computes at a time, of a large catalogue fewer."""
        return self.engine.score.block(self.engine.run.spec.model.history_length)

    @cached_property
    def group(self) -> Tensors:
        """The group weights of the device kit."""
        return group_weights(self.engine)

    def overlap(self, other: Version) -> float:
        """Return the mean rank-biased overlap of two versions' answers to random histories."""
        ids = sorted({*self.engine.run.items.ids} & {*other.engine.run.items.ids})
        if not ids:
            return 0.0
        rng = np.random.default_rng(0)
        questions = [
            Question([ids[n] for n in rng.integers(0, len(ids), _COMPARED_LENGTH)], _COMPARED_ITEMS)
            for _ in range(_COMPARED)
        ]
        pairs = zip(self.answer(questions), other.answer(questions), strict=True)
        return float(np.mean([rank_biased_overlap(_ids(one), _ids(two)) for one, two in pairs]))

    def answer(self, questions: Sequence[Question]) -> list[Recommendation]:
        """Answer questions together."""
        return self.engine.answer(questions)

    def check(self, rules: Rules) -> None:
        """Raise `UsageError` for rules that the items cannot follow, before a question waits."""
        attributes = self.engine.attributes
        for text in (*rules.boost, *([] if rules.filter is None else [rules.filter])):
            attributes.fitting(text)
        for column in rules.at_most:
            attributes.labels(column)

    @cached_property
    def loaded(self) -> Attributes:
        """The attributes of the items as they were loaded."""
        return self.engine.attributes

    def change_all(
        self,
        values: Mapping[str, Mapping[str, Any]],
        *,
        remove: Collection[str],
        restore: Collection[str],
    ) -> None:
        """Give items, as they were loaded, other column values, take them out or back in.

        Columns that this version does not have, or whose type is another, keep their values.
        """
        self.engine.attributes = self.loaded
        self.change_items({}, remove=sorted(remove), restore=sorted(restore))
        columns = {column for own in values.values() for column in own}
        for column in sorted(columns & {*self.loaded.frame.columns} - {"item"}):
            own = {name: {column: one[column]} for name, one in values.items() if column in one}
            with suppress(UsageError):
                self.change_items(own, remove=(), restore=())

    def change_items(
        self, values: dict[str, dict[str, Any]], *, remove: Sequence[str], restore: Sequence[str]
    ) -> list[str]:
        """Give items other column values, take them out or back in; return the unknown ids.

        Nothing is changed if a value does not fit (`UsageError`).
        """
        index = self.engine.run.items.index
        named = [*values, *remove, *restore]
        unknown = list(dict.fromkeys(name for name in named if not index(name)))
        rows = {index(name) - 1: own for name, own in values.items() if index(name)}
        gone, back = ({index(name) - 1 for name in ids} - {-1} for ids in (remove, restore))
        if gone & back:
            raise UsageError("an item is to be removed and restored at once")
        changed = self.engine.attributes.changed(rows)
        if gone or back:
            changed = changed.showing(gone, shown=False).showing(back, shown=True)
        self.engine.attributes = changed
        return unknown


def _ids(answer: Recommendation) -> list[str]:
    return [item["item"] for item in answer.items]
