"""`camclip local-aws`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from devtools.local_aws.recursive_loop import RecursiveLoop
from entrypoints.cli.command import command
from entrypoints.cli.console import UsageError

NEEDED = ("moto", "flask", "awslambdaric")


@command(example="`camclip local-aws --root demo --once`")
def local_aws(
    root: Annotated[
        Path,
        typer.Option(
            "--root",
            metavar="DIR",
            help="The folder with `recordings/`; a sample is made if empty.",
        ),
    ] = Path("demo"),
    package: Annotated[
        Path | None,
        typer.Option(metavar="ZIP", help="Run this function package, not the source."),
    ] = None,
    camera: Annotated[str, typer.Option(metavar="ID", help="The camera of the sample.")] = "pier",
    recursive_loop: Annotated[
        RecursiveLoop,
        typer.Option(
            help="What Lambda does after 16 invocations for one request: `Allow` as the template"
            " sets it, or AWS's default."
        ),
    ] = RecursiveLoop.ALLOW,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Send one request, fetch its clip, and end.")
    ] = False,
) -> None:
    """Run the service as AWS does, on this machine.

    A queue, Lambda's runtime, buckets and a topic: a message in, a clip out, and a live log. Ctrl-C
    stops it.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise UsageError(
            f"local-aws needs more than clips do: {' and '.join(missing)} missing here."
            ' Try: pip install "moto[server]" awslambdaric (on Linux), or camclip[dev].'
        )
    from devtools.local_aws.session import run  # noqa: PLC0415 - loads boto3 and all

    raise typer.Exit(run(root.absolute(), package, camera, recursive_loop, once=once))
