"""The command that makes prepared folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import (
    CategorySeparator,
    FeatureStart,
    ItemColumn,
    Json,
    TimeColumn,
    TitleColumn,
    UserColumn,
)
from solidrec.errors import UsageError

_Interactions = Annotated[
    list[Path],
    Argument(
        help="csv, tsv, jsonl or parquet (also .gz), several files or a quoted pattern for one "
        "log, or a folder of public files."
    ),
]
_Delimiter = Annotated[
    str | None,
    Option(help="What separates fields of text, e.g. ';' or tab; default: as the first lines say."),
]
_Items = Annotated[
    Path | None, Option(help="One row an item: title, categories, brand, text, image, item_idx.")
]
_Features = Annotated[
    list[str] | None,
    Option(help="NAME=FILE.npy, or a column of lists of --items; may be repeated."),
]
_Dataset = Annotated[
    str | None, Option(help="A name of `solidrec datasets`, if it is not recognised.")
]
_ItemsIdColumn = Annotated[
    str | None, Option(help="The id column of --items, if it has another name there.")
]
_SequenceColumn = Annotated[
    str | None,
    Option(help="Lists of items, one row a user. Default: sequence, items, item_sequence."),
]
_TimeFormat = Annotated[
    str | None,
    Option(help="How times are written, e.g. %d.%m.%Y %H:%M; numbers and ISO dates need none."),
]
_CategoryColumn = Annotated[
    str | None, Option(help="Default: categories, categories_flat, category, attributes, genres.")
]
_Order = Annotated[
    str | None,
    Option(help="auto (the default: timestamp, else position) or file (the rows are in order)."),
]
_Ties = Annotated[
    str | None,
    Option(help="Equal times: input (the default: keep input order) or item (order by item id)."),
]
_Duplicates = Annotated[
    str | None,
    Option(help="The same user, item and time twice: drop (the default), keep or error."),
]
_SplitColumn = Annotated[
    str | None, Option(help="A column that says train, valid or test, instead of --split.")
]
_FitAll = Annotated[
    bool, Option("--fit-all", help="Train on everything, for production: no test split.")
]
_ValidFraction = Annotated[
    float | None,
    Option(help="Share of events in the validation period of --split time; default 0.1."),
]
_TestFraction = Annotated[
    float | None, Option(help="Share of events in the test period of --split time; default 0.1.")
]
_ValidFrom = Annotated[
    int | None, Option(help="Start of the validation period, as a time, instead of a share.")
]
_TestFrom = Annotated[
    int | None, Option(help="Start of the test period, as a time, instead of a share.")
]
_KCore = Annotated[
    int | None,
    Option(help="Keep users and items with at least so many interactions; default 0: off."),
]
_Negatives = Annotated[
    int | None, Option(help="Fixed negatives a target in validation and test; default 99.")
]
_OnBadRow = Annotated[
    str | None,
    Option(help="strict (the default: stop) or quarantine (set aside in rejected.parquet)."),
]
_MaxBadFraction = Annotated[
    float | None, Option(help="With quarantine: stop above this share of bad rows; default 0.01.")
]
_DuplicateItems = Annotated[
    str | None, Option(help="The same item twice in --items: error (the default) or first.")
]
_Encoding = Annotated[
    str | None, Option(help="Text encoding of csv, tsv and jsonl; default utf-8.")
]
_Config = Annotated[
    Path | None, Option(help="A TOML file with settings of docs/settings.md, for example split.")
]
_Set = Annotated[
    list[str] | None, Option("--set", help="key=value, as in --config; may be repeated.")
]
_Overwrite = Annotated[bool, Option("--overwrite", help="Replace an existing prepared folder.")]


@app.command(
    short_help="Your own files become a prepared folder.",
    epilog="Example: solidrec prepare clicks.csv --items items.csv --user-column visitor "
    "--features image=clip.npy --out data · solidrec prepare ml-1m --out data",
)
def prepare(
    interactions: _Interactions,
    out: Annotated[Path, Option(help="The prepared folder to write.")],
    items: _Items = None,
    features: _Features = None,
    dataset: _Dataset = None,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    items_id_column: _ItemsIdColumn = None,
    sequence_column: _SequenceColumn = None,
    time_column: TimeColumn = None,
    time_format: _TimeFormat = None,
    position_column: Annotated[str | None, Option(help="Default: position.")] = None,
    rating_column: Annotated[str | None, Option(help="Default: rating.")] = None,
    title_column: TitleColumn = None,
    category_column: _CategoryColumn = None,
    category_separator: CategorySeparator = None,
    order: _Order = None,
    ties: _Ties = None,
    duplicates: _Duplicates = None,
    split: Annotated[str | None, Option(help="leave-one-out (the default) or time.")] = None,
    split_column: _SplitColumn = None,
    fit_all: _FitAll = False,
    valid_fraction: _ValidFraction = None,
    test_fraction: _TestFraction = None,
    valid_from: _ValidFrom = None,
    test_from: _TestFrom = None,
    min_rating: Annotated[float | None, Option(help="Drop interactions rated lower.")] = None,
    k_core: _KCore = None,
    feature_start: FeatureStart = None,
    negatives: _Negatives = None,
    seed: Annotated[int | None, Option(help="Seed of the fixed negatives; default 0.")] = None,
    on_bad_row: _OnBadRow = None,
    max_bad_fraction: _MaxBadFraction = None,
    duplicate_items: _DuplicateItems = None,
    delimiter: _Delimiter = None,
    encoding: _Encoding = None,
    config: _Config = None,
    set_: _Set = None,
    overwrite: _Overwrite = False,
    json_: Json = False,
) -> None:
    """Turn your own files into a prepared folder, and account for every row."""
    options = _settings(locals())
    from solidrec.console import prepared_lines, say
    from solidrec.data.prepare import prepare as run

    options |= {"items": items, "dataset": dataset, "overwrite": overwrite, "progress": say}
    log = interactions if len(interactions) > 1 else interactions[0]
    data = run(log, out=out, features=named_files(features or []), **options)
    if json_:
        print_json({key: value for key, value in data.manifest.items() if key != "files"})
        return
    for line in prepared_lines(data.manifest, out):
        say(line)


def _settings(named: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of `prepare`: its own options, over those of --config and --set."""
    from solidrec.cli.settings_options import settings
    from solidrec.data.prepare_spec import PrepareSpec

    given = {name: named[name] for name in PrepareSpec.model_fields if named[name] is not None}
    found = settings(named["config"], named["set_"] or []) | given
    if named["fit_all"]:
        if found.get("split") == "time":
            raise UsageError(
                "--fit-all trains on everything, --split time keeps the end for tests; give one of "
                "them"
            )
        found["split"] = "none"
    return found


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
