"""Commands for experiments: many trainings, paired comparisons, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solidrec.cli.app import app, print_json
from solidrec.cli.options import Config, Device, Json, Protocol

experiment = typer.Typer(
    help="Many trainings, compared fairly.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="Example: solidrec experiment run table1-small data --out table1",
)
app.add_typer(experiment, name="experiment")

Out = Annotated[
    Path,
    typer.Option(
        help="Folder for runs and results; the same command goes on where it was stopped."
    ),
]
Jobs = Annotated[int, typer.Option(help="Trainings at a time, each on one thread.", min=1)]
_Results = Annotated[Path, typer.Argument(help="A folder written by `solidrec experiment run`.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="key=value for every training; may be repeated.")
]


@experiment.command(
    short_help="Run an experiment, or go on with it.",
    epilog="Examples: solidrec experiment run table1-small data · solidrec experiment run "
    "mine.toml data --jobs 4 --out mine",
)
def run(
    file: Annotated[
        str,
        typer.Argument(
            help="A TOML file, or a shipped experiment: `solidrec experiment list` names them."
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A folder written by `solidrec prepare`; default: the only one in this folder."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for runs and results; default experiments/NAME-DATA."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Trainings at a time, one thread each; default one a CPU.", min=1),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Seeds 0, 1, ... of each row; default what the file says.", min=1),
    ] = None,
    protocol: Annotated[
        list[Protocol] | None,
        typer.Option(help="paper or full; may be repeated. Default: what the file says."),
    ] = None,
    config: Config = None,
    set_: Set = None,
    device: Device = "cpu",
    json_: Json = False,
) -> None:
    """Run the cells of an experiment that have no result yet, in parallel.

    Killed at any moment, the same command goes on. Each result is written to OUT/results.jsonl as
    it comes, keyed by the hash of its specification.
    """
    from solidrec.cli.settings_options import settings
    from solidrec.console import say
    from solidrec.experiments.execute import run_experiment
    from solidrec.experiments.experiment_spec import read_experiment

    spec = read_experiment(file)
    changes = {"seeds": seeds, "protocols": tuple(each.value for each in protocol or ()) or None}
    spec = spec.model_copy(
        update={key: value for key, value in changes.items() if value is not None}
    )
    path = data or prepared_folder(Path.cwd())
    folder = out or Path("experiments") / f"{Path(file).stem}-{path.resolve().name}"
    run_experiment(
        file, spec, path, folder, jobs=jobs, settings=settings(config, set_ or []), device=device
    )
    show(folder, json_=json_)
    say(f"wrote {folder}; next: solidrec experiment report {folder}")


def prepared_folder(here: Path) -> Path:
    """Return the only prepared folder in `here`; raise `UsageError` unless there is exactly one."""
    from solidrec.artifacts import MANIFEST
    from solidrec.data.data_manifest import KIND
    from solidrec.errors import UsageError
    from solidrec.json_files import read_json

    found = sorted(
        path.parent for path in here.glob(f"*/{MANIFEST}") if read_json(path).get("kind") == KIND
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "no DATA was given and there is no prepared folder here; make one with `solidrec "
            "prepare`"
        )
    names = ", ".join(path.name for path in found)
    raise UsageError(
        f"no DATA was given and there are several prepared folders here ({names}); name one"
    )


_FILE_WIDTH = 180
"""Columns of a table with spreads where the output is no terminal."""


def show(folder: Path, *, json_: bool) -> None:
    """Print the tables of an experiment and write them beside its results."""
    from dataclasses import asdict

    from solidrec.console import out
    from solidrec.experiments.plan import Plan
    from solidrec.experiments.ranks import write_ranks
    from solidrec.experiments.results import Results
    from solidrec.experiments.tables import experiment_tables as of_folder
    from solidrec.text_grid import rich_table

    plan, results = Plan.load(folder), Results(folder)
    measured = of_folder.measured_of(plan, results)
    tables = of_folder.tables_of(plan, results, measured)
    measures = of_folder.measures_of(plan, results, measured)
    if json_:
        print_json([*(table.plain() for table in tables), *map(asdict, measures)])
    console = out(_FILE_WIDTH)
    for parts, notes in [] if json_ else of_folder.grids_and_notes(tables, measures):
        for grid in parts:
            console.print(rich_table(grid))
        for note in notes:
            console.print(note, markup=False)
    write_ranks(folder, measured)
    # Last, so that the tables are shown even where the disk cannot be written.
    of_folder.write_tables(folder, tables, measures)


@experiment.command(
    short_help="The tables of an experiment.", epilog="Example: solidrec experiment table table1"
)
def table(results: _Results, json_: Json = False) -> None:
    """Print the tables of what is finished and write them beside the results.

    The files are tables.md, tables.tex, cells.csv, comparisons.csv, measures.csv and, with the rank
    of each user's target in every cell to test any two rows, ranks-PROTOCOL.parquet.
    """
    show(results, json_=json_)


@experiment.command(
    short_help="One page to look at.", epilog="Example: solidrec experiment report table1"
)
def report(
    results: _Results,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file; default report.html in the folder.")
    ] = None,
) -> None:
    """Write one HTML file of what is finished.

    It shows tables, figures, training, codebooks, protocol and provenance. The tables are also
    written beside the results, as `solidrec experiment table` does.
    """
    from solidrec.console import say
    from solidrec.report.experiment_report import write_experiment_report

    say(f"wrote {write_experiment_report(results, out, progress=True)}")


@experiment.command(
    short_help="One experiment against another, row by row.",
    epilog="Example: solidrec experiment compare table1 table1-wide",
)
def compare(
    a: Annotated[Path, typer.Argument(help="A folder written by `solidrec experiment run`.")],
    b: Annotated[Path, typer.Argument(help="Another one, on the same data.")],
    json_: Json = False,
) -> None:
    """Compare rows of the same name in two experiments (B less A), paired over users and seeds.

    Results on two data sets or under two protocols are never compared.
    """
    from solidrec.console import out
    from solidrec.experiments.tables.experiment_tables import compared
    from solidrec.experiments.tables.result_text import contrasts_grid
    from solidrec.text_grid import rich_table

    found = compared(a, b)
    if json_:
        print_json(
            {
                protocol: [contrast.plain() for contrast in each.contrasts]
                for protocol, each in found.items()
            }
        )
        return
    for protocol, each in found.items():
        out(_FILE_WIDTH).print(
            rich_table(contrasts_grid(f"{b} less {a}, protocol {protocol}", each.contrasts))
        )
        for folder, names in ((a, each.only_a), (b, each.only_b)):
            if names:
                out(_FILE_WIDTH).print(f"Only in {folder}: {', '.join(names)}.", markup=False)


@experiment.command(
    "list",
    short_help="The experiments that come with solidrec.",
    epilog="Example: solidrec experiment list",
)
def list_(json_: Json = False) -> None:
    """List the shipped experiments; NAME-small is the small size of each."""
    from solidrec.experiments.experiment_spec import read_experiment, shipped

    found = {name: read_experiment(name).title for name in shipped()}
    if json_:
        print_json(found)
        return
    for name, title in found.items():
        print(f"{name:10} {title}")
    print("\nNAME-small is the small size of each: solidrec experiment run table1-small data")


@experiment.command(
    short_help="What is finished and what is not.",
    epilog="Example: solidrec experiment status table1",
)
def status(results: _Results, json_: Json = False) -> None:
    """Show which cells of an experiment are finished."""
    from solidrec.console import out
    from solidrec.experiments.plan import Plan
    from solidrec.experiments.results import Results
    from solidrec.experiments.status import status_of, status_table

    found = status_of(Plan.load(results), Results(results))
    print_json(found) if json_ else out().print(status_table(found))
