"""The command line: thin, typed commands over the Python API. Heavy imports happen inside the commands."""

from __future__ import annotations

import json
import os
import sys
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.exceptions import TyperException

from solidrec.errors import SolidrecError, UsageError

app = typer.Typer(
    help="Dynamic sequential recommendation: train on your click log, recommend for histories never seen.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
DEBUG = "SOLIDREC_DEBUG"


class Backbone(StrEnum):
    """The four backbones."""

    din = "din"
    gru4rec = "gru4rec"
    sasrec = "sasrec"
    bert4rec = "bert4rec"


class Split(StrEnum):
    """The splits a model may be measured on."""

    valid = "valid"
    test = "test"


class Protocol(StrEnum):
    """The two labelled protocols."""

    paper = "paper"
    full = "full"


DataArgument = Annotated[Path, typer.Argument(help="A folder written by `solidrec prepare`.")]
RunArgument = Annotated[Path, typer.Argument(help="A folder written by `solidrec train`.")]
Json = Annotated[bool, typer.Option("--json", help="Print pure JSON on standard output.")]
Device = Annotated[str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps.")]
Threads = Annotated[int, typer.Option(help="Threads of torch; 1 is repeatable and often fastest on a busy machine.")]
Column = str | None


@app.callback()
def main_options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Dynamic sequential recommendation: train on your click log, recommend for histories never seen."""
    if debug:
        os.environ[DEBUG] = "1"


@app.command(epilog="Example: solidrec demo --out demo")
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the data, the runs and report.html.")] = Path("demo"),
    full: Annotated[bool, typer.Option("--full", help="Train to convergence: the real figures, not the quick ones.")] = False,
    data: Annotated[Path | None, typer.Option(help="An unpacked ml-100k folder, if you have one.")] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch ml-100k from GroupLens (5 MB, checksum verified).")] = False,
    seed: Annotated[int, typer.Option(help="Seed of every training run.")] = 0,
    threads: Threads = 1,
) -> None:
    """Run the whole method on MovieLens 100k: prepare, train three models, compare, report, recommend."""
    from solidrec.experiments.demo import run_demo

    run_demo(out, full=full, folder=data, download=download, seed=seed, threads=threads)


@app.command(
    epilog="Example: solidrec prepare clicks.csv --items items.csv --user-column visitor --features image=clip.npy --out data"
)
def prepare(
    interactions: Annotated[Path, typer.Argument(help="csv, tsv, jsonl or parquet (also .gz): one row an interaction.")],
    out: Annotated[Path, typer.Option(help="The prepared folder to write.")],
    items: Annotated[Path | None, typer.Option(help="One row an item: title, categories, brand, text, item_idx.")] = None,
    features: Annotated[list[str] | None, typer.Option(help="NAME=FILE.npy, a matrix of item vectors; may be repeated.")] = None,
    user_column: Annotated[Column, typer.Option(help="Default: user, user_id.")] = None,
    item_column: Annotated[Column, typer.Option(help="Default: item, item_id, asin, parent_asin.")] = None,
    time_column: Annotated[Column, typer.Option(help="Default: timestamp, time, unixReviewTime.")] = None,
    position_column: Annotated[Column, typer.Option(help="Default: position.")] = None,
    rating_column: Annotated[Column, typer.Option(help="Default: rating.")] = None,
    title_column: Annotated[Column, typer.Option(help="Default: title, name.")] = None,
    category_column: Annotated[Column, typer.Option(help="Default: categories, category, attributes, genres.")] = None,
    category_separator: Annotated[str | None, typer.Option(help="Splits a category string, for example '|'.")] = None,
    order: Annotated[str, typer.Option(help="auto (timestamp, else position) or file (the rows are in order).")] = "auto",
    ties: Annotated[str, typer.Option(help="Equal times: input (keep input order) or item (order by item id).")] = "input",
    duplicates: Annotated[str, typer.Option(help="The same user, item and time twice: drop, keep or error.")] = "drop",
    split: Annotated[str, typer.Option(help="leave-one-out or time.")] = "leave-one-out",
    fit_all: Annotated[bool, typer.Option("--fit-all", help="Train on everything, for production: no test split.")] = False,
    valid_fraction: Annotated[float, typer.Option(help="Share of events in the validation period of --split time.")] = 0.1,
    test_fraction: Annotated[float, typer.Option(help="Share of events in the test period of --split time.")] = 0.1,
    min_rating: Annotated[float | None, typer.Option(help="Drop interactions rated lower.")] = None,
    k_core: Annotated[int, typer.Option(help="Keep users and items with at least so many interactions (0: off).")] = 0,
    feature_start: Annotated[int | None, typer.Option(help="First value of item_idx, 0 or 1, if it cannot be told.")] = None,
    negatives: Annotated[int, typer.Option(help="Fixed negatives a target in validation and test.")] = 99,
    seed: Annotated[int, typer.Option(help="Seed of the fixed negatives.")] = 0,
    on_bad_row: Annotated[str, typer.Option(help="strict (stop) or quarantine (set aside in rejected.parquet).")] = "strict",
    encoding: Annotated[str, typer.Option(help="Text encoding of csv, tsv and jsonl.")] = "utf-8",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing prepared folder.")] = False,
    json_: Json = False,
) -> None:
    """Turn your own files into a prepared folder, and account for every row."""
    from solidrec.console import prepared_lines, say
    from solidrec.data.prepare import prepare as run

    data = run(
        interactions, out=out, items=items, features=named_files(features or []), user_column=user_column,
        item_column=item_column, time_column=time_column, position_column=position_column, rating_column=rating_column,
        title_column=title_column, category_column=category_column, category_separator=category_separator,
        order=cast(Any, order), ties=cast(Any, ties), duplicates=cast(Any, duplicates),
        split=cast(Any, "none" if fit_all else split), valid_fraction=valid_fraction, test_fraction=test_fraction,
        min_rating=min_rating, k_core=k_core, feature_start=cast(Any, feature_start), negatives=negatives, seed=seed,
        on_bad_row=cast(Any, on_bad_row), encoding=encoding, overwrite=overwrite, progress=say,
    )  # fmt: skip
    if json_:
        print_json({key: value for key, value in data.manifest.items() if key != "files"})
    else:
        for line in prepared_lines(data.manifest, out):
            say(line)


@app.command(epilog="Example: solidrec semantics data --modality text --clusters 300")
def semantics(
    data: DataArgument,
    method: Annotated[str, typer.Option(help="auto, kmeans (Eq. 7) or categories (Eq. 8-10).")] = "auto",
    modality: Annotated[list[str] | None, typer.Option(help="A feature matrix's name, text or id; may be repeated.")] = None,
    clusters: Annotated[int | None, typer.Option(help="k; default 6 sqrt(items), at most items / 4.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of k-means.")] = 0,
    show: Annotated[int, typer.Option(help="How many semantic ids to show with titles.")] = 5,
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Make the semantic ids of a prepared folder and say what is in them."""
    from solidrec.experiments.semantics import make_semantics, sample_titles
    from solidrec.spec import SemanticsSpec

    spec = SemanticsSpec.parse({"method": method, "modalities": tuple(modality or ()), "clusters": clusters, "seed": seed})
    opened, ids = make_semantics(data, spec, threads=threads)
    samples = sample_titles(opened, ids, show)
    if json_:
        print_json(ids.facts() | {"samples": samples})
        return
    from solidrec.console import out, semantics_table

    out().print(semantics_table(ids.facts(), samples))


@app.command(epilog="Example: solidrec train data --model solid-duet --backbone sasrec --seed 0 --out run")
def train(
    data: DataArgument,
    model: Annotated[
        str | None,
        typer.Option(
            help="Default solid-duet; static, apg, duet, solid-apg, solid-duet, spg, sml, duet-codebook, author-code, "
            "or an -apg twin of the last four."
        ),
    ] = None,
    backbone: Annotated[Backbone | None, typer.Option(help="The encoder of histories; default sasrec.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of parameters, order, negatives and dropout; default 0.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Maximum epochs of each stage.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder; default runs/MODEL-BACKBONE-DIGEST.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with settings of the specification.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="key=value, for example model.dim=64; may be repeated.")] = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Train a model; the same command again resumes it, or says that it is finished."""
    from solidrec.api import train as run
    from solidrec.console import metrics_table, say
    from solidrec.console import out as console_out

    trained = run(
        data, model=model, backbone=backbone and backbone.value, seed=seed, epochs=epochs, out=out,
        settings=settings(config, set_ or []), device=device, threads=threads,
    )  # fmt: skip
    metrics = trained.run.metrics
    if json_:
        print_json({"run": str(trained.run.path), **metrics})
        return
    if metrics:
        rows = [(f"{name} ({entry['protocol']})", entry["metrics"]) for name, entry in metrics.items()]
        spec = trained.run.spec.model
        console_out().print(metrics_table(f"{spec.name} on {spec.backbone}", rows))
    say(f'wrote {trained.run.path}; next: solidrec recommend {trained.run.path} --history "ID,ID"')


@app.command(epilog="Example: solidrec evaluate run --protocol full --json")
def evaluate(
    run: RunArgument,
    data: Annotated[Path | None, typer.Option(help="The prepared folder; default: where the run was trained.")] = None,
    split: Annotated[Split, typer.Option(help="Which targets to rank.")] = Split.test,
    protocol: Annotated[Protocol, typer.Option(help="paper (1 + 99 uniform) or full (whole catalogue).")] = Protocol.paper,
    save_scores: Annotated[Path | None, typer.Option(help="Write user, item, label, score of every candidate (Parquet).")] = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Measure a trained model on a split, under a labelled protocol."""
    from solidrec.api import load, use_threads

    use_threads(threads)
    model = load(run, device=device)
    found = model.evaluate(
        data, split=split.value, protocol=protocol.value,
        save_scores=save_scores, progress=not json_,
    )  # fmt: skip
    summary = {"seed": model.run.spec.seed, **found.summary()}
    if json_:
        print_json(summary)
        return
    from solidrec.console import evaluation_tables, out

    for table in evaluation_tables(summary):
        out().print(table)


@app.command(epilog='Example: solidrec recommend run --history "50,181,174" -k 10')
def recommend(
    run: RunArgument,
    history: Annotated[str | None, typer.Option(help='Item ids, oldest first, separated by commas; "" for no history.')] = None,
    batch: Annotated[Path | None, typer.Option(help="Parquet with a 'history' list column, or user and item columns.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where --batch writes user, rank, item, score, title (Parquet).")] = None,
    k: Annotated[int, typer.Option("-k", help="How many items.")] = 10,
    separator: Annotated[str, typer.Option(help="What separates ids in --history.")] = ",",
    keep_history: Annotated[bool, typer.Option("--keep-history", help="Also recommend items of the history.")] = False,
    device: Device = "cpu",
    json_: Json = False,
) -> None:
    """Recommend for a history that training never saw, or for a file of them."""
    from solidrec.api import load, recommend_file

    if (history is None) == (batch is None):
        raise UsageError('give either --history "ID,ID" or --batch FILE.parquet --out FILE.parquet')
    if batch is not None and out is None:
        raise UsageError("--batch needs --out FILE.parquet")
    if not separator:
        raise UsageError("--separator is empty; give what stands between two ids, for example ','")
    model = load(run, device=device)
    if batch is not None and out is not None:
        facts = recommend_file(model, batch, out, k, keep_history=keep_history)
        print_json(facts) if json_ else print(f"wrote {out}: {facts['users']:,} users, {facts['fallbacks']:,} by fallback")
        return
    ids = [part.strip() for part in (history or "").split(separator) if part.strip()]
    answer = model.recommend(ids, k, keep_history=keep_history)
    if json_:
        print_json(answer.to_json())
        return
    from solidrec.console import items_table, say
    from solidrec.console import out as console_out

    if answer.ignored:
        say(f"ignored, not known to the model: {', '.join(answer.ignored)}")
    if answer.fallback:
        say(f"no known item in the history: answered by {answer.fallback}")
    console_out().print(items_table(f"for {', '.join(ids) or 'an empty history'}", answer.items))


@app.command(epilog="Example: solidrec similar run 50 -k 5")
def similar(
    run: RunArgument,
    item: Annotated[str, typer.Argument(help="An item id.")],
    k: Annotated[int, typer.Option("-k", help="How many items.")] = 10,
    json_: Json = False,
) -> None:
    """List the items whose learned embeddings are nearest to an item's."""
    from solidrec.api import load

    items = load(run).similar(item, k)
    if json_:
        print_json({"item": item, "items": items})
        return
    from solidrec.console import items_table, out

    out().print(items_table(f"nearest to {item}", items))


@app.command(epilog="Example: solidrec export run --items items.parquet --users users.parquet --batch histories.parquet")
def export(
    run: RunArgument,
    items: Annotated[Path | None, typer.Option(help="Write item, vector (Parquet).")] = None,
    users: Annotated[Path | None, typer.Option(help="Write user, vector (Parquet) for the histories of --batch.")] = None,
    batch: Annotated[Path | None, typer.Option(help="Parquet with a 'history' list column, or user and item columns.")] = None,
) -> None:
    """Export item and user vectors; their dot product is the model's logit."""
    from solidrec.api import export_items, export_users, load

    if items is None and users is None:
        raise UsageError("say what to export: --items FILE.parquet, --users FILE.parquet --batch FILE.parquet, or both")
    if users is not None and batch is None:
        raise UsageError("--users needs --batch FILE.parquet, the histories")
    model = load(run)
    if items is not None:
        print(f"wrote {items}: {export_items(model, items):,} item vectors")
    if users is not None and batch is not None:
        print(f"wrote {users}: {export_users(model, batch, users):,} user vectors")


@app.command(epilog="Example: solidrec inspect run --json")
def inspect(
    path: Annotated[Path, typer.Argument(help="A prepared folder or a run folder.")],
    json_: Json = False,
) -> None:
    """Say what a prepared folder or a run folder holds, after checking every byte of it."""
    from solidrec.experiments.inspect import facts_of

    facts = facts_of(path)
    if json_:
        print_json(facts)
        return
    from solidrec.console import facts_table, out

    out().print(facts_table(str(path), facts))


@app.command(epilog="Example: solidrec doctor --json")
def doctor(json_: Json = False) -> None:
    """Print versions, device, threads, extras and known-bad pairs."""
    from solidrec.experiments.doctor import diagnose

    facts = diagnose()
    if json_:
        print_json(facts)
        return
    from solidrec.console import facts_table, out

    out().print(facts_table("solidrec doctor", facts))


def named_files(pairs: list[str]) -> dict[str, Path]:
    """Split NAME=FILE pairs; raises `UsageError` for anything else."""
    found = {}
    for pair in pairs:
        name, sign, file = pair.partition("=")
        if not (sign and name and file):
            raise UsageError(f"--features {pair}: write it as NAME=FILE.npy, for example --features image=clip.npy")
        found[name] = Path(file)
    return found


def settings(config: Path | None, pairs: list[str]) -> dict[str, Any]:
    """Read a TOML file of settings and lay --set pairs over it."""
    from solidrec.spec import assignment, merge

    found: dict[str, Any] = {}
    if config is not None:
        try:
            found = tomllib.loads(config.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"--config {config}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"--config {config}: is not TOML ({error})") from None
    for pair in pairs:
        found = merge(found, assignment(pair))
    return found


def print_json(value: Any) -> None:
    """Print JSON on standard output."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))


def main() -> None:
    """Run the command line; a known error is one line on standard error and an exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except TyperException as error:
        text = error.format_message()  # several lines are a help text, shown when no command was given
        print(text if "\n" in text else f"error: {text}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SolidrecError as error:
        if os.environ.get(DEBUG):
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        print(
            f"error: {type(error).__name__}: {error} (a fault of solidrec; run again with --debug and report it)", file=sys.stderr
        )
        sys.exit(70)


if __name__ == "__main__":
    main()
