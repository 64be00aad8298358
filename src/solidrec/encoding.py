"""Encode titles, pictures and item embeddings as feature matrices of prepared data or new items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from solidrec.arguments import as_path, as_text, as_texts
from solidrec.console import console, counted, encoded_line, say
from solidrec.data.catalog import Catalog, read_catalog
from solidrec.data.columns import ITEMS, find_columns, id_column
from solidrec.data.encoded import check_name, open_catalog, write_encoded
from solidrec.data.matching import hardly_any
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_table
from solidrec.devices import computing
from solidrec.disk import write_file
from solidrec.errors import DataError, UsageError
from solidrec.locks import locked
from solidrec.outputs import check_output
from solidrec.runs import Run, load_run

if TYPE_CHECKING:
    from solidrec.semantics.modalities.job import ImageJob, TextJob


_MOST_ROWS = 10_000_000
"""Highest item_idx of a few items; of many, it may be a hundred times their number."""


def encode(
    data: PreparedData | Path | str,
    *,
    text: str | None = None,
    text_columns: Sequence[str] = ("title",),
    images: Path | str | None = None,
    image_encoder: str = "efficientnet-lite0",
    image_settings: Path | str | None = None,
    behaviour: Path | str | None = None,
    name: str | None = None,
    cache: Path | str | None = None,
    max_unusable: float = 0.1,
    device: str = "cpu",
    threads: int = 1,
    progress: bool = True,
) -> PreparedData:
    """Encode titles, pictures or item embeddings and return the data with the feature matrices.

    `text` is ``minilm`` (packaged), a sentence-transformers folder or a name on the Hugging Face
    hub. `images` is a folder or a zip of pictures, and `image_encoder` is ``efficientnet-lite0``
    (packaged) or ``onnx:PATH``; both may be other packages' encoders. `behaviour` is a run folder,
    which gives its item embeddings. `name` is that of a single matrix, else ``text``, ``image`` or
    ``behaviour``. Vectors are kept in `cache`, by default in the data folder. Raises `UsageError`
    for a wrong option or a missing extra, `DataError` if a share above `max_unusable` is unusable.
    """
    from solidrec.semantics.modalities.job import run_job

    path = data.path if isinstance(data, PreparedData) else as_path(data, "data")
    cache = None if cache is None else as_path(cache, "cache")
    if path.is_file():
        raise UsageError(
            f"{path}: is a file, not a prepared folder; to encode new items say where to write: "
            "--out FILE.npy"
        )
    jobs = _jobs_of(
        text, text_columns, images, image_encoder, image_settings=image_settings, name=name
    )
    _check_number(len(jobs) + (behaviour is not None), name)
    if not path.is_dir():
        open_catalog(path)  # says that there is none
    with locked(path, doing="encodes this folder"), computing(device, threads):
        if behaviour is not None:
            _encode_behaviour(path, load_run(behaviour), name or "behaviour")
        for job in jobs:
            with ExitStack() as stack:
                made = run_job(
                    job,
                    path,
                    cache=cache,
                    max_unusable=max_unusable,
                    device=device,
                    threads=threads,
                    progress=partial(_bar, stack, f"encode {job.name}", shown=progress),
                )
            if progress:
                say(encoded_line(job.name, made))
    return PreparedData.open(path)


def _check_number(matrices: int, name: str | None) -> None:
    """Raise `UsageError` if there is nothing to encode, or one name for several matrices."""
    if not matrices:
        raise UsageError("nothing to encode; say --text minilm, --images FOLDER or --behaviour RUN")
    if matrices > 1 and name is not None:
        raise UsageError(
            f"--name {name}: names one feature matrix, and more are to be made; "
            "encode them one after the other"
        )


def _jobs_of(
    text: str | None,
    text_columns: Sequence[str],
    images: Path | str | None,
    image_encoder: str,
    *,
    image_settings: Path | str | None,
    name: str | None,
) -> list[TextJob | ImageJob]:
    """Return one job for each feature matrix that is asked for."""
    from solidrec.semantics.modalities.job import ImageJob, TextJob

    name = None if name is None else as_text(name, "name")
    jobs: list[TextJob | ImageJob] = []
    if text is not None:
        as_path(text, "text")  # a name or a folder
        jobs.append(TextJob(name or "text", text, as_texts(text_columns, "text_columns")))
    if images is not None:
        as_text(image_encoder, "image_encoder")
        settings = None if image_settings is None else as_path(image_settings, "image_settings")
        jobs.append(ImageJob(name or "image", as_path(images, "images"), image_encoder, settings))
    return jobs


def encode_items_file(
    items: Any,
    out: Path | str,
    *,
    text: str | None = None,
    text_columns: Sequence[str] = ("title",),
    images: Path | str | None = None,
    image_encoder: str = "efficientnet-lite0",
    image_settings: Path | str | None = None,
    cache: Path | str | None = None,
    max_unusable: float = 0.1,
    device: str = "cpu",
    threads: int = 1,
    progress: bool = True,
) -> dict[str, Any]:
    """Encode titles or pictures of an items table (path or frame) for `add_items`.

    Writes one row per item to `out` (.npy): row ``item_idx`` if the table has that column, else the
    row of the table. Returns the facts to report. Raises as `encode` does.
    """
    from solidrec.semantics.modalities.job import encode_catalog

    jobs = _jobs_of(
        text, text_columns, images, image_encoder, image_settings=image_settings, name=None
    )
    if len(jobs) != 1:
        raise UsageError(
            "a file of items becomes one matrix; say either --text minilm or --images FOLDER"
        )
    table = read_table(items)
    columns = find_columns(table, ITEMS, {}, required=("items_id",))
    catalog = read_catalog(
        table, table.collect(id_column(table, columns["items_id"], "item"))["item"], columns={}
    )
    _check_numbers(catalog.index)
    out = as_path(out, "out")
    cache = out.with_suffix(".cache") if cache is None else as_path(cache, "cache")
    check_output(out, suffix=".npy")
    with ExitStack() as stack:
        stack.enter_context(computing(device, threads))
        made = encode_catalog(
            jobs[0],
            catalog.frame,
            cache=cache,
            max_unusable=max_unusable,
            device=device,
            threads=threads,
            progress=partial(_bar, stack, f"encode {jobs[0].name}", shown=progress),
        )
    write_file(out, lambda temporary: _save_array(temporary, _as_numbered(made.vectors, catalog)))
    return {"file": str(out), "width": made.vectors.shape[1]} | made.facts


def _check_numbers(index: pl.Series | None) -> None:
    """Raise `DataError` for item_idx that numbers no rows of a matrix."""
    if index is None or not len(index):
        return
    if index.null_count() or index.n_unique() < len(index):
        raise DataError("item_idx has empty or repeated values; number every item once")
    low, high = int(index.to_numpy().min()), int(index.to_numpy().max())
    if low < 0 or high > max(_MOST_ROWS, 100 * len(index)):
        raise DataError(
            f"item_idx runs from {low:,} to {high:,} for {len(index):,} items, and a matrix would "
            "need a row for each number; number the items from 0 or 1"
        )


def _as_numbered(vectors: Any, catalog: Catalog) -> Any:
    """Return vectors (n, F) in the order of ``item_idx``, if there is one, with zeros in gaps."""
    if catalog.index is None:
        return vectors
    # Numbers start at 0 if the table uses 0, else at 1.
    numbers = catalog.index.to_numpy()
    low = int(numbers.min())
    placed = np.zeros((int(numbers.max()) + 1 - min(low, 1), vectors.shape[1]), dtype=np.float32)
    placed[numbers - min(low, 1)] = vectors
    return placed


def _save_array(path: Path, array: Any) -> None:
    """Write an array as a .npy file under exactly this name."""
    with path.open("wb") as stream:
        np.save(stream, array, allow_pickle=False)


def _encode_behaviour(data: Path, run: Run, name: str) -> None:
    """Write a run's item embeddings as a feature, with zeros for items that the run does not know.

    Raises `DataError` if the run knows no item, and `UsageError` if the name is taken.
    """
    manifest, catalog = open_catalog(data)
    check_name(name, manifest)
    table = run.model.items.weight.detach().cpu().numpy()
    vectors = table[[run.items.index(item) for item in catalog["item"]]]
    missing = int((~vectors.any(axis=1)).sum())
    known = len(catalog) - missing
    if not known or hardly_any(known, len(catalog), len(run.items)):
        example = catalog["item"][int((~vectors.any(axis=1)).argmax())]
        raise DataError(
            f"{run.path}: knows {f'only {known:,}' if known else 'none'} of the {len(catalog):,} "
            f"items of {data} (not {example!r}; it knows {run.items.id(1)!r}); train it on the "
            "same catalogue"
        )
    facts = {"encoder": f"item embeddings of {run.manifest['digest']}", "encoded": known}
    write_encoded(
        data,
        name,
        vectors,
        fingerprint=manifest["fingerprint"],
        facts=facts | {"missing": {"unknown_item": missing}},
    )


def _bar(stack: ExitStack, what: str, total: int, *, shown: bool) -> Callable[[int], None]:
    """Open a bar that closes with `stack`, and return the function that advances it."""
    return stack.enter_context(counted(console, what, total, shown=shown))
