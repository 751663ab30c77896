"""`camclip serve`."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

import typer

from domain.clip import IDENTIFIER
from entrypoints.cli.command import (
    ClipsFolder,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import UsageError
from entrypoints.cli.places import STATE, Places, chosen_zone, opened
from entrypoints.cli.service import open_aws
from entrypoints.container import show_times_in
from entrypoints.serve.application import Serving, aws_serving, serving
from entrypoints.serve.guard import MIN_TOKEN_CHARS, Access
from entrypoints.serve.server import address_of, listen, server
from entrypoints.settings import BUCKET
from infrastructure.s3.camera_folders import has_camera_folders

TOKEN = "CAMCLIP_SERVE_TOKEN"  # noqa: S105 - its variable
USUAL_PORT = 8474


@command(example="`camclip serve --recordings /media/frigate/recordings --out clips`")
def serve(  # noqa: PLR0913 - one parameter per option
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    out: ClipsFolder = None,
    root: OptionalRoot = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port to listen on; 0 takes a free one.")
    ] = USUAL_PORT,
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name of the server in addresses; may be repeated."),
    ] = None,
    aws: Annotated[
        bool,
        typer.Option(
            "--aws",
            help="Serve the service in AWS, which the environment and `.env` describe, in place of"
            " a folder.",
        ),
    ] = False,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID", help="With --aws: a camera to list, by its id; may be repeated."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help=f"With --aws: the folder for requests that were sent; {STATE} if absent.",
        ),
    ] = None,
) -> None:
    """Serve an HTTP API, and make the clips it is asked for.

    Requests wait in the folder's queue, so that a restart loses none. On any address but this
    machine's own, everyone must send the token of the variable CAMCLIP_SERVE_TOKEN. With `--aws`,
    requests are sent to the service's queue, and the function or a worker makes the clips.
    """
    places = Places(root=root, recordings=recordings, layout=layout, tz=tz, out=out)
    access = access_to(host, os.environ.get(TOKEN, ""), name or [])
    chosen = (
        _in_aws(places, camera or [], state, access)
        if aws
        else _on_folder(places, camera or state, access)
    )
    with chosen as made, listen(host, port) as listening:
        typer.echo(f"camclip serves {address_of(listening)}")
        server(made).run([listening])


@contextmanager
def _on_folder(places: Places, of_aws: object, access: Access) -> Iterator[Serving]:
    if places.clip_file:
        raise UsageError(f"--out {places.out} must be a folder: the server makes several clips.")
    if of_aws:
        raise UsageError("--camera and --state go with --aws: a folder's cameras are found.")
    with opened(places) as session:
        yield serving(session, access)


@contextmanager
def _in_aws(
    places: Places, cameras: list[str], state: Path | None, access: Access
) -> Iterator[Serving]:
    if places.root or places.recordings or places.layout or places.out:
        raise UsageError("--aws serves no folder: leave out --recordings, --root and their like.")
    if wrong := [each for each in cameras if not re.fullmatch(IDENTIFIER, each)]:
        raise UsageError(
            f"--camera {wrong[0]!a} is no id: 1 to 64 letters, digits, hyphens or underscores."
        )
    service = open_aws()
    layout = service.aws().recording_layout if service.aws().cameras == BUCKET else None
    if not cameras and not (layout and has_camera_folders(layout)):
        whose = "The keys' pattern has no folders" if layout else "The camera API has no list"
        raise UsageError(f"{whose} of cameras: pass --camera ID for each that is to be listed.")
    if zone := chosen_zone("--tz", places.tz):
        show_times_in(service, zone)
    yield aws_serving(service, cameras, state or Path(STATE), access)


def access_to(host: str, token: str, names: list[str]) -> Access:
    """Return who may send requests; UsageError if that is everyone but need not be."""
    if token and len(token) < MIN_TOKEN_CHARS:
        raise UsageError(f"{TOKEN} is too short: it needs {MIN_TOKEN_CHARS} characters.")
    if not token.isascii() or not token.isprintable():
        raise UsageError(f"{TOKEN} must be printable ASCII.")
    if not token and not is_loopback(host):
        raise UsageError(
            f"Everyone who reaches {host} could see the recordings: set {TOKEN} to a secret of at"
            f" least {MIN_TOKEN_CHARS} characters, or listen on 127.0.0.1."
        )
    return Access(frozenset(each.lower() for each in names), token)


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
