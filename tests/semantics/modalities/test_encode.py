from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.errors import DataError
from solidrec.semantics.modalities.cache import VectorCache
from solidrec.semantics.modalities.encode import encode_items

Maker = Callable[[list[str | None]], pl.DataFrame]
KEY = "00" * 32


def run(
    toy: Any, words: Any, folder: Path, catalog: pl.DataFrame, *, block: int = 512, **options: Any
) -> Any:
    return encode_items(words(toy), catalog, cache=VectorCache(folder, KEY, block=block), **options)


def test_each_item_has_the_vector_of_its_content(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    titles = ["a", "b", None, "a", "long title", "c", "d"]
    encoder, steps = toy(), []
    found = run(encoder, words, tmp_path, catalog(titles), step=steps.append)
    expected = [np.zeros(3) if title is None else toy().vector(title) for title in titles]
    np.testing.assert_array_equal(found.vectors, np.array(expected, dtype=np.float32))
    assert found.vectors.dtype == np.float32
    assert encoder.seen == ["a", "b", "long title", "c", "d"]  # the same content is encoded once
    assert sum(steps) == len(titles)
    assert found.facts == {
        "encoder": "toy",
        "key": KEY,
        "encoded": 6,
        "distinct": 5,
        "missing": {"no_text": 1},
        "unusable": {},
        "examples": {"no_text": "i2"},
        "notes": {"long": 1},
    }


def test_what_was_encoded_before_is_not_encoded_again(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    first = run(toy(), words, tmp_path, catalog(["a", "b", "c"]))
    encoder = toy()
    again = run(encoder, words, tmp_path, catalog(["c", "x", "b", "a"]))
    assert encoder.seen == ["x"]
    np.testing.assert_array_equal(again.vectors[[3, 2, 0]], first.vectors)


def test_bad_contents_and_bad_vectors_are_counted_by_reason(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    titles = ["bad1", "nan", "ok", "zero", "inf", "bad2", "bad1", None, "huge", "tiny"]
    found = run(toy(), words, tmp_path, catalog(titles), max_unusable=1)
    assert found.facts["unusable"] == {"bad": 3, "vector_not_finite": 3, "vector_zero": 2}
    assert found.facts["missing"] == {"no_text": 1}
    assert found.facts["examples"] == {
        "bad": "i0",
        "vector_not_finite": "i1",
        "vector_zero": "i3",
        "no_text": "i7",
    }
    assert found.vectors.any(axis=1).tolist() == [title == "ok" for title in titles]
    assert VectorCache(tmp_path, KEY).where.keys() == {
        VectorCache(tmp_path, KEY).digest(b"ok")
    }  # none of the bad is kept


def test_too_many_unusable_items_stop_it(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    """The share is of the items that have content: 1 of 4 here, whatever is missing."""
    titles = ["bad", "a", "b", "c", None, None]
    assert run(toy(), words, tmp_path, catalog(titles), max_unusable=0.25).facts["encoded"] == 3
    with pytest.raises(
        DataError, match=r"1 items cannot be used: bad 1 \(item 'i0'\).*--max-unusable"
    ):
        run(toy(), words, tmp_path, catalog(titles), max_unusable=0.24)


def test_it_stops_as_soon_as_there_are_too_many(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    encoder = toy()
    titles = [f"bad{n}" for n in range(20)] + [f"t{n}" for n in range(80)]
    with pytest.raises(DataError, match="cannot be used"):
        run(encoder, words, tmp_path, catalog(titles))
    assert encoder.seen == []


@pytest.mark.parametrize("titles", [[None, None], [], ["bad"]])
def test_nothing_to_encode_is_an_error(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path, titles: list[str | None]
) -> None:
    with pytest.raises(DataError, match="no item has anything to encode"):
        run(toy(), words, tmp_path, catalog(titles), max_unusable=1)


def test_one_vector_for_everything_is_refused(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    encoder = toy()
    encoder.vector = lambda text: np.ones(3, dtype=np.float32)
    with pytest.raises(DataError, match="one and the same vector to 10 different contents"):
        run(encoder, words, tmp_path / "ten", catalog([str(n) for n in range(10)]))
    assert (
        run(encoder, words, tmp_path / "nine", catalog([str(n) for n in range(9)])).facts["encoded"]
        == 9
    )


@pytest.mark.parametrize("shape", [(2, 3), (4,), (4, 0)])
def test_an_encoder_that_returns_another_shape_is_refused(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    encoder = toy()
    encoder.encode = lambda inputs: np.ones(shape, dtype=np.float32)
    with pytest.raises(DataError, match="one vector an input is needed"):
        run(encoder, words, tmp_path, catalog(["a", "b", "c", "d"]))


def test_batches_after_a_stop_are_those_of_a_run_without_one(
    toy: Any, words: Any, catalog: Maker, tmp_path: Path
) -> None:
    """Else a network whose numbers depend on the batch, by float noise, would give other bytes."""
    titles = [("bad" if n % 7 == 2 else "t") + str(n) for n in range(50)]

    def batches(folder: Path, stop: int) -> list[tuple[str, ...]]:
        encoder, found = toy(), []
        plain = encoder.encode

        def encode(inputs: list[str]) -> np.ndarray:
            if len(found) == stop:
                raise KeyboardInterrupt
            found.append(tuple(inputs))
            return plain(inputs)

        encoder.encode = encode
        try:
            run(encoder, words, folder, catalog(titles), max_unusable=0.5, block=8)
        except KeyboardInterrupt:
            return found
        return found

    whole = batches(tmp_path / "whole", -1)
    stopped, rest = batches(tmp_path / "two", 5), batches(tmp_path / "two", -1)
    assert stopped == whole[:5]
    assert rest == whole[4:]  # blocks of two batches: four were committed


SCRIPT = """
import sys, time
from pathlib import Path
import numpy as np
import polars as pl
from solidrec.data.encoded import open_catalog
from solidrec.semantics.modalities.base import Content
from solidrec.semantics.modalities.cache import VectorCache
from solidrec.semantics.modalities.encode import encode_feature

data, log, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

class Slow:
    name, key, batch = "slow", "11" * 32, 2
    def encode(self, inputs):
        time.sleep(pause)
        with log.open("a") as stream:
            stream.writelines(f"{text}\\n" for text in inputs)
        return np.array([[len(text), int(text.split()[1]) + 1] for text in inputs], \
dtype=np.float32)

class Titles:
    encoder, key = Slow(), "11" * 32
    def contents(self, catalog):
        return (Content(title.encode()) for title in catalog["title"])
    def ready(self, contents):
        return [content.decode() for content in contents]

manifest, catalog = open_catalog(data)
cache = VectorCache(data / "features" / ".cache", Slow.key, block=4)
encode_feature(Titles(), data, catalog, name="slow", fingerprint=manifest["fingerprint"], \
cache=cache, max_unusable=0.1)
"""


def test_a_killed_process_loses_no_committed_item(data: Any, tmp_path: Path) -> None:
    def start(folder: Path, pause: float) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(folder), str(folder.with_suffix(".log")), str(pause)]
        )

    def seen(folder: Path) -> list[str]:
        return folder.with_suffix(".log").read_text().splitlines()

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        shutil.copytree(data.path, folder)
    process = start(killed, 0.05)
    until = time.monotonic() + 60
    while (
        len([path for path in killed.rglob(".cache/*/*.npy") if path.name[0] != "."]) < 3
        and time.monotonic() < until
    ):
        time.sleep(0.005)  # a block that is being written has a name that begins with a dot
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    committed = len(VectorCache(killed / "features" / ".cache", "11" * 32).where)
    before = len(seen(killed))
    assert 12 <= committed < 40
    assert not (killed / "features" / "slow").exists()
    assert start(killed, 0).wait() == 0
    assert start(whole, 0).wait() == 0
    assert len(seen(killed)) - before == 40 - committed
    assert seen(killed)[before:] == seen(whole)[committed:]
    files = ("features/slow/vectors.npy", "features/slow/manifest.json")
    assert [(killed / file).read_bytes() for file in files] == [
        (whole / file).read_bytes() for file in files
    ]
