from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepare import prepare

Put = Callable[..., Path]
Read = Callable[..., Any]


def review(
    user: str = "AGKHLEW2SOWHNMFQIJGBECAF7INQ",
    parent: str = "B00YQ6X8EO",
    time: int = 1588687728923,
) -> str:
    record = {
        "rating": 5.0,
        "title": "Such a lovely scent",
        "text": "...",
        "images": [],
        "asin": "B00VARIANT",
        "parent_asin": parent,
        "user_id": user,
        "timestamp": time,
        "verified_purchase": True,
    }
    return json.dumps(record)


def meta(images: object, **more: object) -> str:
    record = {
        "main_category": "All Beauty",
        "title": "Hair Oil, 4 oz",
        "average_rating": 4.8,
        "description": ["Oil.", "Good."],
        "price": None,
        "images": images,
        "videos": [],
        "store": "Howard",
        "categories": ["Beauty", "Hair"],
        "details": {"Brand": "H"},
        "parent_asin": "B00YQ6X8EO",
    }
    return json.dumps(record | more)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_reviews_name_the_parent_and_milliseconds(put: Put, packed: str, read: Read) -> None:
    images = [
        {
            "thumb": "https://m/I/b._SS40_.jpg",
            "large": "https://m/I/b.jpg",
            "variant": "PT01",
            "hi_res": "https://m/I/b._SL1500_.jpg",
        },
        {
            "thumb": "https://m/I/a._SS40_.jpg",
            "large": "https://m/I/a.jpg",
            "variant": "MAIN",
            "hi_res": None,
        },
    ]
    put(
        f"meta_All_Beauty.jsonl{packed}",
        meta(images),
        meta([], parent_asin="B2", store=None, categories=[]),
    )
    found = read(put(f"All_Beauty.jsonl{packed}", review()))
    assert found.interactions.frame.collect().rows() == [
        ("AGKHLEW2SOWHNMFQIJGBECAF7INQ", "B00YQ6X8EO", "5.0", "1588687728923")
    ]
    assert found.items is not None
    assert found.items.frame.collect().rows() == [
        ("B00YQ6X8EO", "Hair Oil, 4 oz", ["Beauty", "Hair"], "Howard", "Oil. Good.", "a.jpg"),
        ("B2", "Hair Oil, 4 oz", [], None, "Oil. Good.", None),
    ]


@pytest.mark.parametrize("history", ["", ",history"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_benchmark_files_have_a_header(put: Put, history: str, packed: str, read: Read) -> None:
    row = "AG,B00YQ6X8EO,5.0,1588687728923" + (",B1 B2" if history else "")
    found = read(
        put(
            f"Industrial_and_Scientific.csv{packed}",
            f"user_id,parent_asin,rating,timestamp{history}",
            row,
        )
    )
    frame = found.interactions.frame.select("user_id", "item_id", "rating", "timestamp").collect()
    assert frame.rows() == [("AG", "B00YQ6X8EO", "5.0", "1588687728923")]
    assert found.source.startswith("Amazon reviews 2023")
    assert found.dataset is None  # the paper's Scientific is of 2018


def test_millisecond_times_order_the_log_as_they_are(put: Put, tmp_path: Path) -> None:
    times = [1588687728923, 1588687728922, 1588687728921]  # within a second
    path = put(
        "All_Beauty.jsonl.gz", *(review(parent=f"B{n}", time=time) for n, time in enumerate(times))
    )
    data = prepare(path, out=tmp_path / "data", negatives=0)
    assert [data.items.id(item) for item in data.event_items.tolist()] == ["B2", "B1", "B0"]
    assert data.event_times.tolist() == sorted(times)
