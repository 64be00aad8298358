"""The registry as plain facts: nothing is lost, and placeholders stand where names vary."""

from __future__ import annotations

import json

from solidrec.data.datasets.known import DATASETS, FORMATS
from solidrec.data.datasets.listing import list_datasets, list_formats


def test_every_set_says_where_it_comes_from_and_under_which_terms() -> None:
    for entry in list_datasets():
        assert entry["address"].startswith("https://")
        assert all(entry[key] for key in ("files", "by", "terms"))
        assert all(count > 0 for count in entry["counts"].values())
    assert all(
        entry["interactions"] and entry["terms"] and entry["address"] for entry in list_formats()
    )


def test_every_set_has_its_facts_and_its_familys_terms() -> None:
    found = list_datasets()
    assert [entry["name"] for entry in found] == list(DATASETS)
    for entry in found:
        known = DATASETS[entry["name"]]
        assert tuple(entry["files"]) == known.files
        assert entry["counts"] == {
            "users": known.counts.users,
            "items": known.counts.items,
            "interactions": known.counts.interactions,
        }
        assert entry["terms"] == FORMATS[entry["format"]].terms
        assert (entry["by"], entry["note"]) == (known.by, known.note)
    assert json.loads(json.dumps(found)) == found


def test_every_family_has_its_files_and_each_items_file_once() -> None:
    found = {entry["name"]: entry for entry in list_formats()}
    assert list(found) == list(FORMATS)
    for name, entry in found.items():
        assert len(entry["interactions"]) == len(FORMATS[name].files)
        assert len(set(entry["items"])) == len(entry["items"])
        assert bool(entry["items"]) == (FORMATS[name].read_items is not None)
    assert found["movielens"]["items"] == ["u.item", "movies.dat", "movies.csv"]
    assert json.loads(json.dumps(found)) == found
