"""Find the tables and the data set that a folder, a file or a name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from solidrec.arguments import as_text
from solidrec.data.datasets.known import DATASETS, FORMATS
from solidrec.data.datasets.published import Counts, compare
from solidrec.data.datasets.raw import Files, Format, plain_name
from solidrec.data.files import kind_of, readable
from solidrec.data.readers import read_table
from solidrec.data.several import joined, paths_of
from solidrec.data.table import Table
from solidrec.errors import StorageError, UsageError, nearest


class _Match(NamedTuple):
    """A file of interactions, the name of its format, and its kind of files."""

    path: Path
    format: str
    kind: Files


@final
@dataclass(frozen=True)
class Found:
    """The files or frames that `prepare` reads; `format` is None for tidy files.

    `interactions` may be a list of files. `dataset` is None if they are of no known data set.
    """

    interactions: Any
    items: Any
    format: Format | None
    dataset: str | None

    def read_interactions(self, *, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
        """Open the interactions; the options apply to tidy files, public ones have their own."""

        def read(source: Any) -> Table:
            if self.format is None:
                return read_table(source, encoding=encoding, delimiter=delimiter)
            return self.format.read_interactions(source)

        several = isinstance(self.interactions, list)
        return joined(
            [read(each) for each in (self.interactions if several else [self.interactions])]
        )

    def read_items(self, *, encoding: str = "utf-8", delimiter: str | None = None) -> Table | None:
        """Open the items, or return None if there are none."""
        if self.items is None:
            return None
        if (
            self.format is not None
            and self.format.read_items is not None
            and isinstance(self.items, str | Path)
        ):
            path = Path(self.items)
            if path.is_file() and self.format.names_items(path):
                return self.format.read_items(path)
        # a tidy items file may accompany public interactions
        return read_table(self.items, encoding=encoding, delimiter=delimiter)

    @property
    def source(self) -> str:
        """One line of provenance: the family, the file names without folders, and the terms."""
        logs = self.interactions if isinstance(self.interactions, list) else [self.interactions]
        given = [part for part in (*logs, self.items) if part is not None]
        names = " + ".join(
            Path(part).name if isinstance(part, str | Path) else "DataFrame" for part in given
        )
        return (
            names if self.format is None else f"{self.format.title}: {names}; {self.format.terms}"
        )

    def published(self, users: int, items: int, interactions: int) -> dict[str, Any] | None:
        """Compare the counts of prepared data with the published ones, if its data set is known."""
        if self.dataset is None:
            return None
        return compare(self.dataset, DATASETS[self.dataset], Counts(users, items, interactions))


def find(interactions: Any, *, items: Any = None, dataset: str | None = None) -> Found:
    """Find the files to read for `interactions`: a folder, a file, several files or a frame.

    Only names and first lines are looked at. `dataset` is a name of `known.DATASETS`, whose
    counts are compared, or of `known.FORMATS`, which says how the file is written. Without it,
    public files are recognised and any other file is a tidy one. An items file beside it is found,
    unless `items` is given. Raises `UsageError` for an unknown name or a folder with several
    candidates, and `StorageError` for a folder without any, listing the names that were tried.
    """
    if (
        dataset is not None
        and as_text(dataset, "dataset") not in DATASETS
        and dataset not in FORMATS
    ):
        hint = nearest(dataset, [*DATASETS, *FORMATS])
        raise UsageError(f"dataset {dataset!r} is unknown{hint}; `solidrec datasets` lists them")
    name = dataset if dataset in DATASETS else None
    files = paths_of(interactions) or [interactions]
    if len(files) > 1:
        return Found(files, items, FORMATS.get(dataset or ""), name)
    return _find_one(files[0], items, dataset, name)


def _find_one(interactions: Any, items: Any, dataset: str | None, name: str | None) -> Found:
    """Find the files to read for one source; `name` is that of a known data set."""
    formats = FORMATS if dataset is None or name else {dataset: FORMATS[dataset]}
    path = Path(interactions) if isinstance(interactions, str | Path) else None
    if path is None or kind_of(path).startswith("no such file"):
        return Found(interactions, items, None, name)
    match = _in_folder(path, formats, name) if path.is_dir() else _match(path, formats)
    if match is None:  # the name of a format says how to read a file of any name
        return Found(path, items, FORMATS.get(dataset or ""), name)
    beside = match.kind.items_of(match.path) if items is None else items
    return Found(match.path, beside, FORMATS[match.format], name or _recognised(match))


def _match(path: Path, formats: Mapping[str, Format]) -> _Match | None:
    """Return the match of a file, or None if it is not a public file."""
    if not path.is_file():
        return None
    kinds = ((name, format.kind(path)) for name, format in formats.items())
    return next((_Match(path, name, kind) for name, kind in kinds if kind is not None), None)


def _in_folder(folder: Path, formats: Mapping[str, Format], dataset: str | None) -> _Match:
    """Return the one file of interactions in a folder; `dataset` chooses among several."""
    with readable(str(folder)):
        paths = sorted(folder.iterdir())
    matches = [match for path in paths if (match := _match(path, formats))]
    matches = [
        match for match in matches if dataset is not None and _holds(match, dataset)
    ] or matches
    if len(matches) == 1:
        return matches[0]
    if matches:
        names = ", ".join(match.path.name for match in matches)
        raise UsageError(
            f"{folder}: {names} could all be meant; give the file itself (or --dataset NAME, see "
            "`solidrec datasets`)"
        )
    looked = ", ".join(
        dict.fromkeys(kind.shown for format in formats.values() for kind in format.files)
    )
    raise StorageError(
        f"{folder}: holds no file of a known data set (looked for {looked}); give the file of "
        "interactions itself"
    )


def _recognised(match: _Match) -> str | None:
    return next((name for name in DATASETS if _holds(match, name)), None)


def _holds(match: _Match, dataset: str) -> bool:
    """Tell whether a file has the name of a file of a data set, alone or with its folder."""
    entry = DATASETS[dataset]
    name = plain_name(match.path)
    called = {name.lower(), f"{match.path.resolve().parent.name}/{name}".lower()}
    return match.format in (entry.format, "recbole") and any(
        file.lower() in called for file in entry.files
    )
