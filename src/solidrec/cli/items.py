"""Commands about the items of a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from solidrec.cli.app import Column, Json, RunArgument, app, print_json
from solidrec.cli.folders import named_files

items = typer.Typer(
    help="The items of a trained run.",
    no_args_is_help=True,
    epilog="Example: solidrec items add run new.csv",
    rich_markup_mode=None,
)
LITTLE = 0.2

app.add_typer(items, name="items")


@items.command(
    "add",
    short_help="New items become recommendable at once.",
    epilog="Example: solidrec items add run new.csv · solidrec items add run new.parquet "
    "--features image=new.npy --out run2",
)
def add(
    run: RunArgument,
    new_items: Annotated[
        Path,
        typer.Argument(
            help="csv, tsv, jsonl or parquet: one row an item, as for `prepare --items`."
        ),
    ],
    features: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE.npy, rows of the new items, for a matrix that training had."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Where to write the run; default: in place of RUN, by one rename."),
    ] = None,
    items_id_column: Annotated[
        Column, typer.Option(help="Default: item, item_id, asin, parent_asin.")
    ] = None,
    title_column: Annotated[Column, typer.Option(help="Default: title, name.")] = None,
    category_column: Annotated[
        Column, typer.Option(help="Default: categories, category, genres and the like.")
    ] = None,
    category_separator: Annotated[
        str | None, typer.Option(help="Splits a category string, for example '|'.")
    ] = None,
    feature_start: Annotated[
        int | None, typer.Option(help="First value of item_idx, 0 or 1, if it cannot be told.")
    ] = None,
    duplicate_items: Annotated[
        str, typer.Option(help="The same item twice: error or first.")
    ] = "error",
    encoding: Annotated[str, typer.Option(help="Text encoding of csv, tsv and jsonl.")] = "utf-8",
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
    say(
        "known of the new items: "
        + ", ".join(f"{name} of {count:,}" for name, count in facts["content"].items())
    )
    if not any(facts["content"].values()):
        say(
            f"{new_items}: no column says what the items are: name one by --title-column or "
            "--category-column, or give --features"
        )
    elif facts["content"].get("categories") == 0:
        say(
            "training knew none of the new categories: they are compared whole, and "
            "--category-separator '|' splits a text at |"
        )
    for name in facts["missing_features"]:
        say(
            f"trained with the feature {name!r}, which was not given for new items: --features "
            f"{name}=FILE.npy"
        )
    if facts["explained"] < LITTLE:
        say(
            f"content explains {max(facts['explained'], 0):.0%} of this run's item embeddings, so "
            "new items are placed by little: train with --set model.start=content"
        )
