from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solidrec.errors import StorageError
from solidrec.semantics.modalities.cache import VectorCache

KEY = "ab" * 32


def vector(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def filled(folder: Path, *contents: bytes) -> VectorCache:
    """A cache with one block: each content's vector is its length and 1."""
    cache = VectorCache(folder, KEY)
    for content in contents:
        cache.add(cache.digest(content), vector(len(content), 1))
    cache.commit()
    return cache


def test_what_was_committed_is_there_in_the_next_process(tmp_path: Path) -> None:
    filled(tmp_path, b"a", b"bb\0")
    filled(tmp_path, b"cccc")
    again = VectorCache(tmp_path, KEY)
    assert [again[again.digest(content)].tolist() for content in (b"a", b"bb\0", b"cccc")] == [
        [1, 1],
        [3, 1],
        [4, 1],
    ]
    assert again.digest(b"d") not in again


def test_what_was_not_committed_is_not(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path, KEY)
    cache.add(cache.digest(b"a"), vector(1))
    assert cache.digest(b"a") in cache
    assert cache[cache.digest(b"a")].tolist() == [1]
    assert VectorCache(tmp_path, KEY).digest(b"a") not in VectorCache(tmp_path, KEY)


def test_another_key_shares_nothing(tmp_path: Path) -> None:
    cache, other = filled(tmp_path, b"a"), VectorCache(tmp_path, "cd" * 32)
    assert cache.digest(b"a") != other.digest(b"a")
    assert not other.where


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-5], lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: b""],
)
def test_a_damaged_block_is_dropped_and_the_others_stay(tmp_path: Path, damage: object) -> None:
    filled(tmp_path, b"a")
    path = next(tmp_path.rglob("*.npy"))
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    cache = filled(tmp_path, b"bb")
    assert cache.dropped == 1
    assert cache.digest(b"a") not in cache
    assert VectorCache(tmp_path, KEY).dropped == 0


def test_a_file_that_is_no_block_is_left_alone(tmp_path: Path) -> None:
    cache = filled(tmp_path, b"a")
    other = cache.folder / ".tmp-1-x.npy"  # another process may be writing it
    other.write_bytes(b"half")
    assert VectorCache(tmp_path, KEY).dropped == 0
    assert other.exists()


def test_an_empty_commit_writes_nothing(tmp_path: Path) -> None:
    VectorCache(tmp_path, KEY).commit()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot write"):
        filled(tmp_path / "file", b"a")
