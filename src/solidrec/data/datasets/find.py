"""Which public files a person means: a folder, a file or a name become tables and the name of a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, final

from solidrec.data.datasets.published import Counts, compare
from solidrec.data.datasets.raw import Files, Format, RawDataset, plain_name
from solidrec.data.datasets.registry import DATASETS, FORMATS
from solidrec.data.readers import Table, read_table, readable
from solidrec.errors import StorageError, UsageError, nearest


class Match(NamedTuple):
    """A file of interactions, the family it belongs to and how such files are called."""

    path: Path
    format: str
    kind: Files


@final
@dataclass(frozen=True)
class Found:
    """What `prepare` reads: paths or frames, by whom (`format` is None for a person's own tidy files), and which set it is."""

    interactions: Any
    items: Any
    format: Format | None
    dataset: str | None

    def read_interactions(self, *, encoding: str = "utf-8") -> Table:
        """Open the interactions; the encoding is for tidy files, public ones have their own."""
        if self.format is None:
            return read_table(self.interactions, encoding=encoding)
        return self.format.read_interactions(self.interactions)

    def read_items(self, *, encoding: str = "utf-8") -> Table | None:
        """Open the items, None if there are none; a tidy file of items goes with public interactions too."""
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
        return read_table(self.items, encoding=encoding)

    @property
    def source(self) -> str:
        """One line of provenance: the family, the files without the folders they lie in, and the terms."""
        given = [part for part in (self.interactions, self.items) if part is not None]
        names = " + ".join(
            Path(part).name if isinstance(part, str | Path) else "DataFrame" for part in given
        )
        return (
            names if self.format is None else f"{self.format.title}: {names}; {self.format.terms}"
        )

    def published(self, users: int, items: int, interactions: int) -> dict[str, Any] | None:
        """Compare the counts of prepared data with the published ones, if it is known which data set this is."""
        if self.dataset is None:
            return None
        return compare(self.dataset, DATASETS[self.dataset], Counts(users, items, interactions))


def _read(path: Path | str, *, dataset: str | None = None) -> RawDataset:
    """Return the public files of a folder, or the one at `path` and the items beside it, as tables; raises as `find` does."""
    found = find(path, dataset=dataset)
    return RawDataset(found.read_interactions(), found.read_items(), found.source, found.dataset)


def find(interactions: Any, *, items: Any = None, dataset: str | None = None) -> Found:
    """Say what to read for `interactions` (a folder, a file or a frame), by names and first lines alone.

    `dataset` is a name of `registry.DATASETS`, which the counts are compared with, or of `registry.FORMATS`, which says how
    the file is written. Without it public files are recognised, and any other file is a person's own. An items file that lies
    beside is found, unless `items` is given. Raises `UsageError` for an unknown name or a folder with several candidates,
    and `StorageError` for a folder without any, listing what was looked for.
    """
    if dataset is not None and dataset not in DATASETS and dataset not in FORMATS:
        hint = nearest(dataset, [*DATASETS, *FORMATS])
        raise UsageError(f"dataset {dataset!r} is unknown{hint}; `solidrec datasets` lists them")
    name = dataset if dataset in DATASETS else None
    formats = {dataset: FORMATS[dataset]} if dataset in FORMATS else FORMATS
    path = Path(interactions) if isinstance(interactions, str | Path) else None
    if path is None or not path.exists():
        return Found(interactions, items, None, name)
    match = _in_folder(path, formats, name) if path.is_dir() else _match(path, formats)
    if match is None:  # the name of a format says how to read a file that is called otherwise
        return Found(path, items, FORMATS.get(dataset or ""), name)
    beside = match.kind.items_of(match.path) if items is None else items
    return Found(match.path, beside, FORMATS[match.format], name or _recognised(match))


def _match(path: Path, formats: Mapping[str, Format]) -> Match | None:
    """Return what a file is, None if it is no public one, or none at all."""
    if not path.is_file():
        return None
    kinds = ((name, format.kind(path)) for name, format in formats.items())
    return next((Match(path, name, kind) for name, kind in kinds if kind is not None), None)


def _in_folder(folder: Path, formats: Mapping[str, Format], dataset: str | None) -> Match:
    """Return the one file of interactions in a folder; the name of a data set chooses among several."""
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
            f"{folder}: {names} could all be meant; give the file itself (or --dataset NAME, see `solidrec datasets`)"
        )
    looked = ", ".join(
        dict.fromkeys(kind.shown for format in formats.values() for kind in format.files)
    )
    raise StorageError(
        f"{folder}: holds no file of a known data set (looked for {looked}); give the file of interactions itself"
    )


def _recognised(match: Match) -> str | None:
    return next((name for name in DATASETS if _holds(match, name)), None)


def _holds(match: Match, dataset: str) -> bool:
    """Tell whether a file is called as one of a data set's, alone or with its folder."""
    entry = DATASETS[dataset]
    name = plain_name(match.path)
    called = {name.lower(), f"{match.path.resolve().parent.name}/{name}".lower()}
    return match.format in (entry.format, "recbole") and any(
        file.lower() in called for file in entry.files
    )
