"""The results of an experiment's finished cells."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from errno import ENOSPC
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from solidrec.errors import DamagedError, StorageError
from solidrec.experiments.grid import Row
from solidrec.experiments.plan import RESULTS, USERS, Place, Plan
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.users import read_users, users_file
from solidrec.json_files import parse_json, sealed, unsealed
from solidrec.run_state import filled

Record = Mapping[str, Any]


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
                record = _checked(unsealed(parse_json(line)))
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
        text = json.dumps(sealed(record), ensure_ascii=False, allow_nan=False)
        line = f"{text}\n".encode()
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

    def cells(self, plan: Plan, part: str, name: str) -> dict[Place, Record]:
        """Return what the cells that have it know: `part` is ``evaluations`` or ``measures``."""
        return {
            place: self.records[place.key][part][name]
            for place in plan.places
            if name in self.records.get(place.key, {}).get(part, {})
        }

    def kept(self, plan: Plan, measure: str) -> dict[Place, pl.DataFrame]:
        """Return the values of every user by a measure, for the cells that have their file."""
        return {
            place: self.users(place, measure)
            for place in self.cells(plan, "measures", measure)
            if users_file(self.out, place.key, measure).is_file()
        }

    def users(self, place: Place, name: str) -> pl.DataFrame:
        """Return the values of a cell's users under a protocol or of a measure, all bytes checked.

        Raises as `users.read_users`.
        """
        digest = self.records[place.key].get("users", {}).get(name)
        return read_users(self.out, place.key, name, digest=digest)

    def negatives(self, plan: Plan) -> int | None:
        """Return the number of sampled items per target under protocol *paper*.

        A small catalogue has fewer. Returns None before it is known.
        """
        found = self.cells(plan, "evaluations", "paper").values()
        return next((int(each["negatives"]) for each in found), None)

    def measured(self, plan: Plan, protocol: str) -> list[Measured]:
        """Return the rows of a plan with at least one finished seed, in its order."""
        places = self.cells(plan, "evaluations", protocol)
        return [self.row(row, own, plan, protocol) for row, own in plan.by_row(places)]

    def row(self, row: Row, places: Sequence[Place], plan: Plan, protocol: str) -> Measured:
        """Return one row from the results of its seeds."""
        frames = [self.users(place, protocol) for place in places]
        if any(not frame["user"].equals(frames[0]["user"]) for frame in frames):
            raise DamagedError(
                f"{self.out / USERS}: the seeds of {row.name} were measured on different users"
            )
        found = [self.records[place.key]["evaluations"][protocol]["metrics"] for place in places]
        names = frames[0].drop("user").columns
        for place, frame, means in zip(places, frames, found, strict=True):
            if not all(_agree(frame[name], means.get(name)) for name in names):
                raise DamagedError(
                    f"{users_file(self.out, place.key, protocol)}: is not what "
                    f"{self.out / RESULTS} has of it; remove the line of {place.key} there and run "
                    "the experiment again"
                )
        return Measured.of_frames(
            row.name,
            row.labels,
            {place.seed: frame for place, frame in zip(places, frames, strict=True)},
            found,
            protocol=protocol,
            data=plan.data,
            deterministic=row.baseline is not None,
        )


def _joined(before: Record | None, record: Record) -> Record:
    """Return a record with what an earlier one of the same versions and machine has besides."""
    if before is None or any(
        before.get(key) != record.get(key) for key in ("versions", "machine", "commit")
    ):
        return record
    parts = ("evaluations", "measures", "users")
    return {**record, **{part: before.get(part, {}) | record.get(part, {}) for part in parts}}


def _checked(record: Record) -> Record:
    """Return a record, its specification by present names; raise an error if a part is missing."""
    parts = (record["spec"], record["measures"], record["evaluations"], record.get("users", {}))
    metrics = [found["metrics"] for found in record["evaluations"].values()]
    if not isinstance(record["key"], str) or not all(
        isinstance(each, dict) for each in (*parts, *metrics)
    ):
        raise TypeError
    float(record["seconds"])
    return {**record, "spec": filled(record["spec"])}


def _agree(users: pl.Series, mean: float | None) -> bool:
    """Return whether users' values, missing ones aside, have this mean; another cell's do not."""
    found = users.fill_nan(None).mean()
    if found is None or mean is None:
        return found is mean
    return bool(np.isclose(found, mean, rtol=0, atol=1e-9))  # type: ignore[arg-type]


def _cut_torn_line(stream: Any) -> None:
    """Cut off what follows the end of the last complete line."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    whole = stream.read().rfind(b"\n") + 1
    if whole < size:
        stream.truncate(whole)
    stream.seek(0, os.SEEK_END)
