"""No change to the bytes of an artifact goes unnoticed, whatever it is and wherever."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from solidrec.artifacts import read_manifest, write_manifest
from solidrec.errors import SolidrecError
from solidrec.json_files import write_json

NAMES = ("a.bin", "b.json", "manifest.json")


def written(folder: Path) -> dict[str, bytes]:
    """Write an artifact of two files and return the bytes of all three."""
    (folder / "a.bin").write_bytes(bytes(range(64)))
    write_json(folder / "b.json", {"é": [1, 2.5, None]})
    write_manifest(folder, kind="toy", files=["a.bin", "b.json"], facts={"answer": 42})
    return {name: (folder / name).read_bytes() for name in NAMES}


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.data())
def test_a_changed_cut_or_longer_file_is_refused_or_means_the_same(
    name: str, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        before = written(folder)[name]
        place = data.draw(st.integers(0, len(before) - 1))
        after = data.draw(
            st.sampled_from(
                [
                    before[:place] + bytes([before[place] ^ 1]) + before[place + 1 :],
                    before[:place],
                    before[:place] + before[place + 1 :],
                    before[:place] + b"\0" + before[place:],
                    before + before,
                ]
            )
        )
        meant = read_manifest(folder, kind="toy")
        (folder / name).write_bytes(after)
        found, refused = None, ""
        try:
            found = read_manifest(folder, kind="toy")
        except SolidrecError as error:
            refused = str(error)
        if found is None:
            assert refused
            assert "\n" not in refused
        else:  # white space of the manifest has no meaning
            assert name == "manifest.json"
            assert found == meant
