"""The command that encodes titles and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import Device, Json, Threads

_Data = Annotated[
    Path,
    Argument(help="A folder written by `solidrec prepare`, or a file of new items with --out."),
]
_Text = Annotated[
    str | None,
    Option(
        help="minilm (packaged), one of another package, a sentence-transformers folder, or a hub "
        "name."
    ),
]
_TextColumn = Annotated[
    list[str] | None,
    Option(help="title (the default), brand, categories, text, description; may be repeated."),
]
_Images = Annotated[
    Path | None, Option(help="A folder or a zip: ITEM.jpg, or what the image column names.")
]
_ImageEncoder = Annotated[
    str, Option(help="efficientnet-lite0 (packaged), onnx:PATH, or one of another package.")
]
_ImageSettings = Annotated[
    Path | None,
    Option(help="What an onnx: network expects (JSON); default PATH with .json at its end."),
]
_Behaviour = Annotated[Path | None, Option(help="A run folder, whose item embeddings are taken.")]
_Out = Annotated[
    Path | None, Option(help="For a file of items: the matrix to write (.npy), for `items add`.")
]
_Name = Annotated[
    str | None, Option(help="Name of the feature matrix; default text, image or behaviour.")
]
_Cache = Annotated[
    Path | None, Option(help="Folder of vectors made before; default DATA/features/.cache.")
]
_MaxUnusable = Annotated[
    float, Option(help="Stop above this share of unusable titles or pictures.")
]


@app.command(
    short_help="Titles and pictures become feature matrices.",
    epilog="Example: solidrec encode data --text minilm --images posters.zip",
)
def encode(
    data: _Data,
    text: _Text = None,
    text_column: _TextColumn = None,
    images: _Images = None,
    image_encoder: _ImageEncoder = "efficientnet-lite0",
    image_settings: _ImageSettings = None,
    behaviour: _Behaviour = None,
    out: _Out = None,
    name: _Name = None,
    cache: _Cache = None,
    max_unusable: _MaxUnusable = 0.1,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Encode titles, pictures or a run's item embeddings; the same command resumes after a stop."""
    from solidrec.console import say
    from solidrec.data.encoded import read_facts
    from solidrec.encoding import encode as run
    from solidrec.encoding import encode_items_file

    options: dict[str, Any] = {
        "text": text,
        "text_columns": text_column or ["title"],
        "images": images,
        "image_encoder": image_encoder,
        "image_settings": image_settings,
        "cache": cache,
        "max_unusable": max_unusable,
        "device": device,
        "threads": threads,
        "progress": not json_,
    }
    if out is not None:
        facts = encode_items_file(data, out, **options)
        print_json(facts) if json_ else say(
            f"wrote {out}; next: solidrec items add RUN {data} --features NAME={out}"
        )
        return
    run(data, behaviour=behaviour, name=name, **options)
    if json_:
        given = {"text": text, "image": images, "behaviour": behaviour}
        made = [name or default for default, value in given.items() if value is not None]
        print_json({each: read_facts(data, each) for each in made})
    else:
        say(f"wrote {data}/features; next: solidrec semantics {data}")
