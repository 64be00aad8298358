"""Commands that make prepared folders, and the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solidrec.cli.app import Column, Json, app, print_json
from solidrec.errors import UsageError


@app.command(
    short_help="The whole method on MovieLens 100K, with a report.",
    epilog="Example: solidrec demo --out demo",
)
def demo(
    out: Annotated[
        Path, typer.Option(help="Folder for the data, the runs and report.html.")
    ] = Path("demo"),
    full: Annotated[
        bool,
        typer.Option("--full", help="Train to convergence: the real figures, not the quick ones."),
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="An unpacked ml-100k folder, if you have one.")
    ] = None,
    download: Annotated[
        bool,
        typer.Option("--download", help="Fetch ml-100k from GroupLens (5 MB, checksum verified)."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of every training run.")] = 0,
    threads: Annotated[
        int, typer.Option(help="Trainings at a time, each on one thread.", min=1)
    ] = 1,
) -> None:
    """Run the whole method on MovieLens 100k.

    It prepares the data, trains four models, compares them, writes a report and recommends.
    """
    from solidrec.cli.experiment import show
    from solidrec.console import out as console_out
    from solidrec.console import say
    from solidrec.demo import BEST, MADE_UP, best_model, ids_of, run_demo
    from solidrec.terminal import items_table

    folder = run_demo(out, full=full, folder=data, download=download, seed=seed, jobs=threads)
    show(folder, json_=False)
    model = best_model(folder)
    history = ids_of(model, MADE_UP)
    answer = model.recommend(history, 10)
    console_out().print(
        items_table(f"{BEST} for a made-up history: {' · '.join(MADE_UP)}", answer.items)
    )
    command = f'solidrec recommend {model.run.path} --history "{",".join(history)}"'
    say(f"wrote {out / 'report.html'}; recommend for any history: {command}")


@app.command(
    short_help="Your own files become a prepared folder.",
    epilog="Example: solidrec prepare clicks.csv --items items.csv --user-column visitor "
    "--features image=clip.npy --out data · solidrec prepare ml-1m --out data",
)
def prepare(
    interactions: Annotated[
        Path,
        typer.Argument(help="csv, tsv, jsonl or parquet (also .gz), or a folder of public files."),
    ],
    out: Annotated[Path, typer.Option(help="The prepared folder to write.")],
    items: Annotated[
        Path | None,
        typer.Option(help="One row an item: title, categories, brand, text, image, item_idx."),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE.npy, or a column of lists of --items; may be repeated."),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(help="A name of `solidrec datasets`, if it is not recognised.")
    ] = None,
    user_column: Annotated[Column, typer.Option(help="Default: user, user_id, reviewerID.")] = None,
    item_column: Annotated[
        Column, typer.Option(help="Default: item, item_id, asin, parent_asin.")
    ] = None,
    items_id_column: Annotated[
        Column, typer.Option(help="The id column of --items, if it has another name there.")
    ] = None,
    time_column: Annotated[
        Column, typer.Option(help="Default: timestamp, time, unixReviewTime.")
    ] = None,
    position_column: Annotated[Column, typer.Option(help="Default: position.")] = None,
    rating_column: Annotated[Column, typer.Option(help="Default: rating.")] = None,
    title_column: Annotated[Column, typer.Option(help="Default: title, name.")] = None,
    category_column: Annotated[
        Column,
        typer.Option(help="Default: categories, categories_flat, category, attributes, genres."),
    ] = None,
    category_separator: Annotated[
        str | None, typer.Option(help="Splits a category string, for example '|'.")
    ] = None,
    order: Annotated[
        str | None,
        typer.Option(
            help="auto (the default: timestamp, else position) or file (the rows are in order)."
        ),
    ] = None,
    ties: Annotated[
        str | None,
        typer.Option(
            help="Equal times: input (the default: keep input order) or item (order by item id)."
        ),
    ] = None,
    duplicates: Annotated[
        str | None,
        typer.Option(help="The same user, item and time twice: drop (the default), keep or error."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="leave-one-out (the default) or time.")] = None,
    fit_all: Annotated[
        bool, typer.Option("--fit-all", help="Train on everything, for production: no test split.")
    ] = False,
    valid_fraction: Annotated[
        float | None,
        typer.Option(help="Share of events in the validation period of --split time; default 0.1."),
    ] = None,
    test_fraction: Annotated[
        float | None,
        typer.Option(help="Share of events in the test period of --split time; default 0.1."),
    ] = None,
    valid_from: Annotated[
        int | None,
        typer.Option(help="Start of the validation period, as a time, instead of a share."),
    ] = None,
    test_from: Annotated[
        int | None, typer.Option(help="Start of the test period, as a time, instead of a share.")
    ] = None,
    min_rating: Annotated[float | None, typer.Option(help="Drop interactions rated lower.")] = None,
    k_core: Annotated[
        int | None,
        typer.Option(
            help="Keep users and items with at least so many interactions; default 0: off."
        ),
    ] = None,
    feature_start: Annotated[
        int | None, typer.Option(help="First value of item_idx, 0 or 1, if it cannot be told.")
    ] = None,
    negatives: Annotated[
        int | None,
        typer.Option(help="Fixed negatives a target in validation and test; default 99."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the fixed negatives; default 0.")
    ] = None,
    on_bad_row: Annotated[
        str | None,
        typer.Option(
            help="strict (the default: stop) or quarantine (set aside in rejected.parquet)."
        ),
    ] = None,
    max_bad_fraction: Annotated[
        float | None,
        typer.Option(help="With quarantine: stop above this share of bad rows; default 0.01."),
    ] = None,
    duplicate_items: Annotated[
        str | None,
        typer.Option(help="The same item twice in --items: error (the default) or first."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Text encoding of csv, tsv and jsonl; default utf-8.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file with settings of docs/settings.md, for example split."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value, as in --config; may be repeated.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing prepared folder.")
    ] = False,
    json_: Json = False,
) -> None:
    """Turn your own files into a prepared folder, and account for every row."""
    named = locals()
    from solidrec.cli.settings import settings
    from solidrec.console import prepared_lines, say
    from solidrec.data.prepare import prepare as run
    from solidrec.data.prepare_spec import PrepareSpec

    given = {name: named[name] for name in PrepareSpec.model_fields if named[name] is not None}
    options = settings(config, set_ or []) | given
    if fit_all:
        if options.get("split") == "time":
            raise UsageError(
                "--fit-all trains on everything, --split time keeps the end for tests; give one of "
                "them"
            )
        options["split"] = "none"
    data = run(
        interactions,
        out=out,
        items=items,
        features=named_files(features or []),
        dataset=dataset,
        overwrite=overwrite,
        progress=say,
        **options,
    )
    if json_:
        print_json({key: value for key, value in data.manifest.items() if key != "files"})
    else:
        for line in prepared_lines(data.manifest, out):
            say(line)


def named_files(pairs: list[str]) -> dict[str, Path]:
    """Split NAME=FILE pairs; raise `UsageError` for anything else."""
    found = {}
    for pair in pairs:
        name, sign, file = pair.partition("=")
        if not (sign and name and file):
            raise UsageError(
                f"--features {pair}: write it as NAME=FILE.npy, for example --features "
                "image=clip.npy"
            )
        found[name] = Path(file)
    return found
