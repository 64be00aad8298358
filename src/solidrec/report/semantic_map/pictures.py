"""Small pictures of the most central items of each semantic id, within a budget of bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import final

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.groups import Group
from solidrec.semantics.modalities.base import Refusal
from solidrec.semantics.modalities.decode import View
from solidrec.semantics.modalities.decoders import Decoders, Pixels
from solidrec.semantics.modalities.pictures import Pictures, open_pictures, picture_of

_SIDE = 88
EACH = 4
"""Maximum number of pictures of a semantic id."""
_TRIED = 12
"""Number of most central items whose pictures are tried."""
_BUDGET = 3_000_000
"""Maximum size of all pictures on a page, in bytes."""
_JPEG_QUALITY = 72


def thumbnails(
    data: PreparedData,
    groups: Sequence[Group],
    path: Path,
    *,
    budget: int = _BUDGET,
    step: Callable[[int], None] = lambda done: None,
) -> dict[int, str]:
    """Return data URIs by item, at most `EACH` a group, from a folder or zip of pictures.

    Pictures are named as for `encode`. Each group gets its first picture before any gets a second
    one, until the `budget` is spent. Pictures that cannot be used are skipped. Raises
    `StorageError` and `DataError` as `open_pictures` does.
    """
    found: dict[int, str] = {}
    spent = 0
    with Decoders(View(size=_SIDE, resize=_SIDE)) as decoders:
        maker = Maker(data, open_pictures(path), decoders)
        waiting = [maker.of(group) for group in groups]
        for _ in range(EACH):
            for one in waiting:
                item, uri = next(one, (0, ""))
                if uri and spent + len(uri) <= budget:
                    found[item] = uri
                    spent += len(uri)
                step(1)
                if spent >= 0.995 * budget:
                    return found
    return found


@final
class Maker:
    """Make the thumbnails of one catalogue."""

    def __init__(self, data: PreparedData, pictures: Pictures, decoders: Decoders) -> None:
        self.ids = data.catalog["item"]
        self.named = (
            data.catalog["image"] if "image" in data.catalog.columns else [None] * len(data.catalog)
        )
        self.pictures = pictures
        self.decoders = decoders

    def of(self, group: Group) -> Iterator[tuple[int, str]]:
        """Yield (item, data URI) of a group's pictures, the most central items first."""
        for item in group.central[:_TRIED].tolist():
            content = picture_of(self.pictures, self.ids[item - 1], self.named[item - 1])
            if isinstance(content, Refusal):
                continue
            (pixels,) = self.decoders.decode([content.data])
            if not isinstance(pixels, Refusal):
                yield item, _data_uri(pixels)


def _data_uri(pixels: Pixels) -> str:
    """Return (S, S, 3) pixels as the data URI of a JPEG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
