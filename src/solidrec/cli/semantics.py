"""The command that makes semantic ids, measures them and draws them."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

from typer import Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import DataArgument, Json, Threads
from solidrec.errors import UsageError

_Modality = Annotated[
    list[str] | None,
    Option(help="A feature matrix, text, categories, a token column, or id; may be repeated."),
]
_Weight = Annotated[
    list[str] | None, Option(help="NAME=X, a modality's weight, 1 without; may be repeated.")
]
_Clusters = Annotated[int | None, Option(help="k; default 6 sqrt(items), at most items / 4.")]
_Levels = Annotated[
    int, Option(help="Ids an item, each for what those before leave over (k-means).")
]
_Quality = Annotated[
    bool, Option("--quality", help="Measure evenness, purity, agreement and stability.")
]
_Map = Annotated[
    Path | None, Option("--map", help="Write a page with a map of the catalogue to this file.")
]
_Images = Annotated[
    Path | None, Option(help="A folder or a zip of pictures for the map, named as for encode.")
]
_Open = Annotated[
    bool, Option("--open", help="Show the map in the browser; default DATA-semantics.html.")
]


@app.command(
    short_help="Make semantic ids and look inside.",
    epilog="Example: solidrec semantics data --modality text --map map.html --open",
)
def semantics(
    data: DataArgument,
    method: Annotated[str, Option(help="auto, kmeans (Eq. 7) or categories (Eq. 8-10).")] = "auto",
    modality: _Modality = None,
    weight: _Weight = None,
    clusters: _Clusters = None,
    levels: _Levels = 1,
    seed: Annotated[int, Option(help="Seed of k-means.")] = 0,
    show: Annotated[int, Option(help="How many semantic ids to show with titles.")] = 5,
    quality: _Quality = False,
    map_: _Map = None,
    images: _Images = None,
    open_: _Open = False,
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Make the semantic ids of a prepared folder, and describe, measure or draw them."""
    from solidrec.console import out, say
    from solidrec.report.semantic_map.describe import (
        explained,
        make_semantics,
        matrices_of,
        quality_of,
        sample_titles,
    )
    from solidrec.report.semantic_map.write import write_map
    from solidrec.spec import SemanticsSpec
    from solidrec.terminal import quality_table, semantics_table

    page = _page(data, map_, images, shown=open_)
    given = {"method": method, "clusters": clusters, "levels": levels, "seed": seed}
    parts = {"modalities": tuple(modality or ()), "weights": _named_weights(weight or [])}
    spec = SemanticsSpec.parse(given | parts)
    opened, ids = make_semantics(data, spec, threads=threads)
    samples = sample_titles(opened, ids, show)
    measured = {}
    if quality or page:
        say("semantics: measuring their quality")
        matrices = matrices_of(opened, ids)
        measured = quality_of(opened, ids, matrices)
    shown = measured if quality else {}
    if json_:
        print_json(ids.facts() | {"samples": samples} | ({"quality": shown} if shown else {}))
    else:
        tables = [quality_table(explained(shown))] if shown else []
        out().print(semantics_table(ids.facts(), samples), *tables)
    if page:
        write_map(
            page, data=opened, ids=ids, matrices=matrices, quality=measured, images=images, say=say
        )
        if open_ and not webbrowser.open(page.resolve().as_uri()):
            say(f"no browser found; open {page} yourself")


def _page(data: Path, given: Path | None, images: Path | None, *, shown: bool) -> Path | None:
    """Return the file of the map, or None if none is asked for."""
    page = given or (Path(f"{data.resolve().name}-semantics.html") if shown else None)
    if images is not None and page is None:
        raise UsageError("--images puts pictures on the map: say --map FILE.html too")
    return page


def _named_weights(pairs: list[str]) -> dict[str, float]:
    """Split NAME=X pairs; raise `UsageError` for anything else."""
    found = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            found[name] = float(value)
        except ValueError as error:
            raise UsageError(
                f"--weight {pair}: write it as NAME=X, for example --weight text=2"
            ) from error
    return found
