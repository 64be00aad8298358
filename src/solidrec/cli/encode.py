"""The command that encodes titles and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solidrec.cli.app import Device, Json, Threads, app, print_json


@app.command(
    short_help="Titles and pictures become feature matrices.",
    epilog="Example: solidrec encode data --text minilm --images posters.zip",
)
def encode(
    data: Annotated[
        Path,
        typer.Argument(
            help="A folder written by `solidrec prepare`, or a file of new items with --out."
        ),
    ],
    text: Annotated[
        str | None,
        typer.Option(help="minilm (packaged), a sentence-transformers folder, or a hub name."),
    ] = None,
    text_column: Annotated[
        list[str] | None,
        typer.Option(
            help="title (the default), brand, categories, text, description; may be repeated."
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="A folder or a zip: ITEM.jpg, or what the image column names."),
    ] = None,
    image_encoder: Annotated[
        str, typer.Option(help="efficientnet-lite0 (packaged) or onnx:PATH.")
    ] = "efficientnet-lite0",
    image_settings: Annotated[
        Path | None,
        typer.Option(
            help="What an onnx: network expects (JSON); default PATH with .json at its end."
        ),
    ] = None,
    behaviour: Annotated[
        Path | None, typer.Option(help="A run folder, whose item embeddings are taken.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="For a file of items: the matrix to write (.npy), for `items add`."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the feature matrix; default text, image or behaviour."),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of vectors made before; default DATA/features/.cache."),
    ] = None,
    max_unusable: Annotated[
        float, typer.Option(help="Stop above this share of unusable titles or pictures.")
    ] = 0.1,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Encode titles, pictures or a run's item embeddings; the same command resumes after a stop."""
    from solidrec.console import say
    from solidrec.data.encoded import read_facts
    from solidrec.encoding import encode as run
    from solidrec.encoding import encode_items_file

    if out is not None:
        facts = encode_items_file(
            data,
            out,
            text=text,
            text_columns=text_column or ["title"],
            images=images,
            image_encoder=image_encoder,
            image_settings=image_settings,
            cache=cache,
            max_unusable=max_unusable,
            device=device,
            threads=threads,
            progress=not json_,
        )
        print_json(facts) if json_ else say(
            f"wrote {out}; next: solidrec items add RUN {data} --features NAME={out}"
        )
        return
    run(
        data,
        text=text,
        text_columns=text_column or ["title"],
        images=images,
        image_encoder=image_encoder,
        image_settings=image_settings,
        behaviour=behaviour,
        name=name,
        cache=cache,
        max_unusable=max_unusable,
        device=device,
        threads=threads,
        progress=not json_,
    )
    if json_:
        made = ([name or "text"] if text is not None else []) + (
            [name or "image"] if images is not None else []
        )
        made += [name or "behaviour"] if behaviour is not None else []
        print_json({each: read_facts(data, each) for each in made})
    else:
        say(f"wrote {data}/features; next: solidrec semantics {data}")
