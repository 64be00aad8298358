"""Commands about the items of a trained run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.folders import named_files
from solidrec.cli.options import (
    CategorySeparator,
    FeatureStart,
    ItemColumn,
    Json,
    RunArgument,
    TitleColumn,
)

_items = typer.Typer(
    help="The items of a trained run.",
    no_args_is_help=True,
    epilog="Example: solidrec items add run new.csv",
    rich_markup_mode=None,
)
_LITTLE = 0.2

app.add_typer(_items, name="items")


_NewItems = Annotated[
    Path, Argument(help="csv, tsv, jsonl or parquet: one row an item, as for `prepare --items`.")
]
_Features = Annotated[
    list[str] | None,
    Option(help="NAME=FILE.npy, rows of the new items, for a matrix that training had."),
]
_Out = Annotated[
    Path | None, Option(help="Where to write the run; default: in place of RUN, by one rename.")
]
_CategoryColumn = Annotated[
    str | None, Option(help="Default: categories, category, genres and the like.")
]


@_items.command(
    "add",
    short_help="New items become recommendable at once.",
    epilog="Example: solidrec items add run new.csv · solidrec items add run new.parquet "
    "--features image=new.npy --out run2",
)
def add(
    run: RunArgument,
    new_items: _NewItems,
    features: _Features = None,
    out: _Out = None,
    items_id_column: ItemColumn = None,
    title_column: TitleColumn = None,
    category_column: _CategoryColumn = None,
    category_separator: CategorySeparator = None,
    feature_start: FeatureStart = None,
    duplicate_items: Annotated[str, Option(help="The same item twice: error or first.")] = "error",
    encoding: Annotated[str, Option(help="Text encoding of csv, tsv and jsonl.")] = "utf-8",
    json_: Json = False,
) -> None:
    """Give new items an embedding and semantic ids from their content, without training.

    Items that the run knows already stay as they are.
    """
    from solidrec.api import add_items

    columns = {"items_id": items_id_column, "title": title_column, "category": category_column}
    facts = add_items(
        run,
        new_items,
        out=out,
        features=named_files(features or []),
        columns=columns,
        category_separator=category_separator,
        feature_start=feature_start,
        encoding=encoding,
        duplicate_items=cast(Any, duplicate_items),
    )
    if json_:
        print_json(facts)
        return
    from solidrec.console import say

    print(f"wrote {facts['run']}: {facts['added']:,} items added, {facts['items']:,} in all")
    for line in _advice(new_items, facts):
        say(line)


def _advice(new_items: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines on what is known of the new items, and on what would place them better."""
    content, explained = facts["content"], facts["explained"]
    known = ", ".join(f"{name} of {count:,}" for name, count in content.items())
    yield f"known of the new items: {known}"
    if not any(content.values()):
        yield (
            f"{new_items}: no column says what the items are: name one by --title-column or "
            "--category-column, or give --features"
        )
    elif content.get("categories") == 0:
        yield (
            "training knew none of the new categories: they are compared whole, and "
            "--category-separator '|' splits a text at |"
        )
    for name in facts["missing_features"]:
        yield (
            f"trained with the feature {name!r}, which was not given for new items: --features "
            f"{name}=FILE.npy"
        )
    if explained < _LITTLE:
        yield (
            f"content explains {max(explained, 0):.0%} of this run's item embeddings, so "
            "new items are placed by little: train with --set model.start=content"
        )
