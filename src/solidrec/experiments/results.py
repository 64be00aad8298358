"""The folder of an experiment: its plan and the results of its finished cells.

``experiment.json`` is the plan; ``results.jsonl`` has one line per finished cell, keyed by the hash
of its specification; ``users/`` has the metrics of every user; ``runs/`` the trained models, each
in its own folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import read_json, write_json, write_table
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.evaluate.result import Evaluation
from solidrec.evaluate.runner import Protocol
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.grid import Cell, Row
from solidrec.experiments.tables.measured import Measured

PLAN, RESULTS, USERS, RUNS = "experiment.json", "results.jsonl", "users", "runs"
Record = Mapping[str, Any]


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
            name,
            experiment.title,
            experiment.layout,
            experiment.reference,
            tuple(dict.fromkeys(experiment.protocols)),
            experiment.measures,
            str(data.resolve()),
            cells[0].data,
            dict(settings),
            tuple(rows),
            tuple(Place(cell.row, cell.seed, cell.key) for cell in cells),
        )

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
        write_json(out / PLAN, asdict(self))

    @classmethod
    def load(cls, out: Path) -> Self:
        """Read a folder's plan; raise `StorageError` if it has none, `DamagedError` if invalid."""
        if not (out / PLAN).is_file():
            raise StorageError(
                f"{out}: is no folder of an experiment; give the one that `solidrec experiment run "
                "--out` wrote"
            )
        values: dict[str, Any] = read_json(out / PLAN)
        try:
            values |= {key: tuple(values[key]) for key in ("protocols", "measures")}
            values["rows"] = tuple(Row(**row) for row in values["rows"])
            values["places"] = tuple(Place(**place) for place in values["places"])
            return cls(**values)
        except (TypeError, KeyError, AttributeError) as error:
            raise DamagedError(
                f"{out / PLAN}: is not a plan ({error}); run the experiment again"
            ) from None


@final
class Results:
    """The finished cells of a folder, by key; a last line that a kill cut short is ignored."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.records: dict[str, Record] = {}
        path = out / RESULTS
        whole = path.read_bytes() if path.is_file() else b""
        for number, line in enumerate(whole.split(b"\n")[:-1], start=1):
            try:
                record = _checked(json.loads(line))
            except (ValueError, AttributeError, TypeError, KeyError):
                raise DamagedError(
                    f"{path}: line {number} is not a result; remove that line and run the "
                    "experiment again"
                ) from None
            self.records[record["key"]] = record

    def append(self, record: Record) -> None:
        """Add one finished cell with one synced write, after cutting off an incomplete last line.

        What an earlier record of the cell has besides, such as another protocol, is kept if the
        same versions, machine and commit made it.
        """
        record = _joined(self.records.get(record["key"]), record)
        line = (json.dumps(record, ensure_ascii=False, allow_nan=False) + "\n").encode()
        try:
            with (self.out / RESULTS).open("a+b") as stream:
                _cut_torn_line(stream)
                # A disk that fills up takes a part of the line and raises no error.
                if os.write(stream.fileno(), line) < len(line):
                    raise OSError(ENOSPC, os.strerror(ENOSPC))
                os.fsync(stream.fileno())
        except OSError as error:
            raise StorageError(
                f"{self.out / RESULTS}: cannot write ({error.strerror or error}); free space and "
                "go on"
            ) from None
        self.records[record["key"]] = record

    def has(self, key: str, plan: Plan) -> bool:
        """Return whether a cell has everything that the plan asks of it."""
        record = self.records.get(key)
        if record is None:
            return False
        asked = plan.measures if record["spec"].get("baseline") is None else ()
        return all(name in record["evaluations"] for name in plan.protocols) and all(
            name in record["measures"] for name in asked
        )

    def missing(self, plan: Plan) -> list[Place]:
        """Return the cells of a plan that are not finished."""
        return [place for place in plan.places if not self.has(place.key, plan)]

    def negatives(self, plan: Plan) -> int | None:
        """Return the number of sampled items per target under protocol *paper*.

        A small catalogue has fewer. Returns None before it is known.
        """
        found = (
            self.records.get(place.key, {}).get("evaluations", {}).get("paper")
            for place in plan.places
        )
        return next((int(each["negatives"]) for each in found if each is not None), None)

    def measured(self, plan: Plan, protocol: str) -> list[Measured]:
        """Return the rows of a plan with at least one finished seed, in its order."""
        rows = []
        for row in plan.rows:
            places = [
                place
                for place in plan.places
                if place.row == row.name
                and protocol in self.records.get(place.key, {}).get("evaluations", {})
            ]
            if places:
                rows.append(self.row(row, places, plan, protocol))
        return rows

    def row(self, row: Row, places: Sequence[Place], plan: Plan, protocol: str) -> Measured:
        """Return one row from the results of its seeds."""
        frames = [_read_users(self.out, place.key, protocol) for place in places]
        users = frames[0]["user"].to_numpy()
        if any(not np.array_equal(frame["user"].to_numpy(), users) for frame in frames):
            raise DamagedError(
                f"{self.out / USERS}: the seeds of {row.name} were measured on different users"
            )
        names = [name for name in frames[0].columns if name != "user"]
        for place, frame in zip(places, frames, strict=True):
            means = self.records[place.key]["evaluations"][protocol]["metrics"]
            if not all(_agree(frame[name], means.get(name)) for name in names):
                raise DamagedError(
                    f"{_users_file(self.out, place.key, protocol)}: is not what "
                    f"{self.out / RESULTS} has of it; remove the line of {place.key} there and run "
                    "the experiment again"
                )
        return Measured(
            row.name,
            row.labels,
            tuple(place.seed for place in places),
            protocol,
            plan.data,
            users,
            tuple(self.records[place.key]["evaluations"][protocol]["metrics"] for place in places),
            {name: np.stack([frame[name].to_numpy() for frame in frames]) for name in names},
            deterministic=row.baseline is not None,
        )


def _joined(before: Record | None, record: Record) -> Record:
    """Return a record with what an earlier one of the same versions and machine has besides."""
    if before is None or any(
        before.get(key) != record.get(key) for key in ("versions", "machine", "commit")
    ):
        return record
    return {
        **record,
        **{part: {**before[part], **record[part]} for part in ("evaluations", "measures")},
    }


def _checked(record: Record) -> Record:
    """Return a record if its parts are there; raise `TypeError` or `KeyError` otherwise."""
    parts = (record["spec"], record["measures"], record["evaluations"])
    metrics = [found["metrics"] for found in record["evaluations"].values()]
    if not isinstance(record["key"], str) or not all(
        isinstance(each, dict) for each in (*parts, *metrics)
    ):
        raise TypeError
    float(record["seconds"])
    return record


def _agree(users: pl.Series, mean: float | None) -> bool:
    """Return whether users' values, missing ones aside, have this mean; another cell's do not."""
    values = users.fill_nan(None).drop_nulls()
    return (
        mean is None
        if values.is_empty()
        else mean is not None
        and bool(
            np.isclose(values.mean(), mean, rtol=0, atol=1e-9)  # type: ignore[arg-type]
        )
    )


def _cut_torn_line(stream: Any) -> None:
    """Cut off what follows the end of the last complete line."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    whole = stream.read().rfind(b"\n") + 1
    if whole < size:
        stream.truncate(whole)
    stream.seek(0, os.SEEK_END)


def _users_file(out: Path, key: str, protocol: str) -> Path:
    """Return the file with the metrics of every user."""
    return out / USERS / f"{key}-{protocol}.parquet"


def write_users(out: Path, key: str, found: Evaluation) -> None:
    """Write the metrics of every user."""
    columns: dict[str, Array] = {"user": np.unique(found.users), **found.per_user}
    write_table(_users_file(out, key, found.protocol), pl.DataFrame(columns))


def _read_users(out: Path, key: str, protocol: str) -> pl.DataFrame:
    """Read users' metrics; raise `StorageError` if they are gone, `DamagedError` if unreadable."""
    path = _users_file(out, key, protocol)
    if not path.is_file():
        raise StorageError(f"{path}: is gone; {cure_of(out, key)}")
    return read_frame(path, cure=cure_of(out, key))


def cure_of(out: Path, key: str) -> str:
    """Return what to do about a file of users that is gone or cannot be read."""
    return f"remove the line of {key} from {out / RESULTS} and run the experiment again"


def read_frame(path: Path, *, cure: str) -> pl.DataFrame:
    """Read values of users; raise `DamagedError` with the `cure` if the file is not readable."""
    try:
        frame = pl.read_parquet(path)
        frame.get_column("user")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedError(f"{path}: is damaged ({str(error).splitlines()[0]}); {cure}") from None
    return frame
