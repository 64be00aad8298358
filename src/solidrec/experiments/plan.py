"""The folder of an experiment and its plan: the rows and the cells of each.

``experiment.json`` is the plan; ``results.jsonl`` has one line per finished cell, keyed by the hash
of its specification; ``users/`` has the metrics of every user; ``runs/`` the trained models, each
in its own folder.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, final

from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.evaluate.runner import Protocol
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.grid import Cell, Row
from solidrec.json_files import read_json, sealed, unsealed, write_json
from solidrec.migrations import keyed
from solidrec.settings import nested

PLAN, RESULTS, USERS, RUNS = "experiment.json", "results.jsonl", "users", "runs"


@final
@dataclass(frozen=True)
class Place:
    """A cell of the plan: its row, its seed, and the key of its result."""

    row: str
    seed: int
    key: str


@final
@dataclass(frozen=True)
class Plan:
    """What an experiment runs on which data: enough to make all its tables without the data."""

    name: str
    title: str
    layout: str
    reference: str | None
    protocols: tuple[Protocol, ...]
    measures: tuple[str, ...]
    data_path: str
    data: str
    settings: Mapping[str, Any]
    rows: tuple[Row, ...]
    places: tuple[Place, ...]

    @classmethod
    def of(
        cls,
        name: str,
        experiment: ExperimentSpec,
        rows: Sequence[Row],
        cells: Sequence[Cell],
        *,
        data: Path,
        settings: Any,
    ) -> Self:
        """Return the plan of an experiment on prepared data."""
        return cls(
            name=name,
            title=experiment.title,
            layout=experiment.layout,
            reference=experiment.reference,
            measures=experiment.measures,
            protocols=tuple(dict.fromkeys(experiment.protocols)),
            data_path=str(data.resolve()),
            data=cells[0].data,
            settings=dict(settings),
            rows=tuple(rows),
            places=tuple(Place(cell.row, cell.seed, cell.key) for cell in cells),
        )

    def by_row(self, places: Collection[Place]) -> list[tuple[Row, list[Place]]]:
        """Return the rows that have some of these cells, each with its cells."""
        found = [(row, [place for place in places if place.row == row.name]) for row in self.rows]
        return [(row, own) for row, own in found if own]

    @property
    def seeds(self) -> int:
        """The number of trainings per row."""
        return len({place.seed for place in self.places})

    @property
    def data_name(self) -> str:
        """The name of the data's folder."""
        return Path(self.data_path).name

    def save(self, out: Path) -> None:
        """Write the plan; raise `IncompatibleError` if the folder has a plan on other data."""
        if (out / PLAN).is_file() and (there := Plan.load(out)).data != self.data:
            raise IncompatibleError(
                f"{out}: holds results on {there.data_name} ({there.data[:12]}), not on "
                f"{self.data_name} ({self.data[:12]}); choose another --out"
            )
        write_json(out / PLAN, sealed(asdict(self)))

    @classmethod
    def load(cls, out: Path) -> Self:
        """Read a folder's plan; raise `StorageError` if it has none, `DamagedError` if invalid."""
        if not (out / PLAN).is_file():
            raise StorageError(
                f"{out}: is no folder of an experiment; give the one that `solidrec experiment run "
                "--out` wrote"
            )
        found = read_json(out / PLAN)
        try:
            values = unsealed(found)
            values |= {key: tuple(values[key]) for key in ("protocols", "measures")}
            values["settings"] = nested(values["settings"])
            values["rows"] = tuple(
                Row(**row | {"labels": keyed(row["labels"])}) for row in values["rows"]
            )
            values["places"] = tuple(Place(**place) for place in values["places"])
            return cls(**values)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise DamagedError(
                f"{out / PLAN}: is not a plan as it was written ({error}); remove it and run "
                "the experiment again"
            ) from None
