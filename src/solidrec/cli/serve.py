"""The command that serves a model over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from solidrec.cli.app import app
from solidrec.cli.options import Device, RunArgument, Threads
from solidrec.errors import UsageError


@app.command(
    short_help="Answer requests over HTTP.",
    epilog="Example: solidrec serve run, then: curl localhost:8000/v1/recommend --json "
    '\'{"history": ["50", "181"], "k": 5}\'',
)
def serve(
    run: RunArgument,
    host: Annotated[str, Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535)] = 8000,
    token_file: Annotated[
        Path | None, Option(help="A file with the bearer token that /v1 needs.")
    ] = None,
    beside: Annotated[
        Path | None, Option(help="Another run, shown next to this one on the page.")
    ] = None,
    pictures: Annotated[
        Path | None, Option(help="A folder of pictures for the page, each named after its item.")
    ] = None,
    models: Annotated[
        Path | None, Option(help="A folder of run folders, which --admin-port loads by name.")
    ] = None,
    admin_port: Annotated[
        int | None, Option(help="A port of this machine on which versions are changed.")
    ] = None,
    admin_token_file: Annotated[
        Path | None, Option(help="A file with the bearer token of --admin-port.")
    ] = None,
    max_batch: Annotated[int, Option(help="Requests that are answered together.")] = 32,
    max_wait_ms: Annotated[
        float, Option(help="While busy, time to wait for as many requests as the last batch had.")
    ] = 1.0,
    queue: Annotated[int, Option(help="Requests that may wait; more are refused.")] = 256,
    deadline_ms: Annotated[float, Option(help="Longest wait in the queue.")] = 500.0,
    cors: Annotated[
        list[str] | None,
        Option(help="An origin whose pages may ask, as in https://shop.example. Repeatable."),
    ] = None,
    impressions: Annotated[
        Path | None, Option(help="A folder to which all that is recommended is logged (Parquet).")
    ] = None,
    remember_users: Annotated[
        int, Option(help="Users whose events (/v1/events) are remembered in the process.")
    ] = 100_000,
    remember_hours: Annotated[
        float, Option(help="After a user's last event all of them are forgotten.")
    ] = 24.0,
    redis: Annotated[
        str | None,
        Option(help="Remember events there instead, as in redis://127.0.0.1:6379/0 (extra redis)."),
    ] = None,
    threads: Threads = 1,
    device: Device = "cpu",
) -> None:
    """Serve a trained model: recommendations for the history in each request.

    A page to try it is at /, and /openapi.json describes the interface.
    """
    from solidrec.console import say
    from solidrec.devices import computing
    from solidrec.semantics.modalities.needs import need

    need("serve", "fastapi", "uvicorn", "orjson", "prometheus_client")
    from solidrec.serve.limits import Limits
    from solidrec.serve.memory import LocalMemory, Memory, MemoryLimits
    from solidrec.serve.run_server import Admin, read_token
    from solidrec.serve.run_server import serve as serve_run

    limits = Limits.parse(
        {
            "max_batch": max_batch,
            "max_wait_ms": max_wait_ms,
            "queue": queue,
            "deadline_seconds": deadline_ms / 1000,
        }
    )
    token = None if token_file is None else read_token(token_file)
    remembered = MemoryLimits.parse({"users": remember_users, "seconds": 3600 * remember_hours})
    memory: Memory = LocalMemory(remembered)
    if redis is not None:
        need("redis", "redis")
        from solidrec.serve.redis_memory import RedisMemory

        try:
            memory = RedisMemory(redis, remembered)
        except ValueError as error:
            raise UsageError(f"--redis {redis}: {error}") from None
    admin = None
    if admin_port is not None:
        if admin_token_file is None or models is None:
            raise UsageError("--admin-port needs --admin-token-file FILE and --models FOLDER")
        admin = Admin(admin_port, read_token(admin_token_file), models)
    with computing(device, threads):
        serve_run(
            run,
            host=host,
            port=port,
            token=token,
            limits=limits,
            admin=admin,
            beside=beside,
            pictures=pictures,
            memory=memory,
            origins=cors or (),
            impressions=impressions,
            device=device,
            say=say,
        )
