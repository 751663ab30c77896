"""`camclip event`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from entrypoints.cli.command import CameraId, command
from entrypoints.cli.console import UsageError
from entrypoints.cli.environment import environment
from entrypoints.cli.places import open_session
from entrypoints.cli.requests import request_for
from entrypoints.cli.sample_event import Flow, first_event, window_of
from entrypoints.cli.times import now_ms
from entrypoints.settings import read_clip_settings


@command(example="`camclip event -a --root demo > event.json`")
def event(  # noqa: PLR0913 - one parameter per option
    *,
    available: Annotated[bool, typer.Option("-a", help="Available (the default).")] = False,
    pending: Annotated[bool, typer.Option("-p", help="Pending: the clip ends now.")] = False,
    not_available: Annotated[
        bool, typer.Option("-n", help="Not available: too old to wait for footage.")
    ] = False,
    out_of_range: Annotated[bool, typer.Option("-o", help="Out of range: days old.")] = False,
    too_long: Annotated[bool, typer.Option("-t", help="Too long.")] = False,
    camera: CameraId = "pier",
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With -a: request footage recorded in this folder."),
    ] = None,
) -> None:
    """Print a sample SQS event for the outcome you choose."""
    options = {
        Flow.AVAILABLE: available,
        Flow.PENDING: pending,
        Flow.NOT_AVAILABLE: not_available,
        Flow.OUT_OF_RANGE: out_of_range,
        Flow.TOO_LONG: too_long,
    }
    chosen = [flow for flow, is_chosen in options.items() if is_chosen] or [Flow.AVAILABLE]
    if len(chosen) > 1:
        raise UsageError("Choose one of -a, -p, -n, -o and -t.")
    recordings = open_session(root).recordings(camera) if root else []
    if root and not recordings:
        raise UsageError(f"{root} holds no recordings of {camera}.")
    at_ms = now_ms()
    policy = read_clip_settings(environment()).policy
    request = request_for(str(at_ms), camera, window_of(chosen[0], policy, at_ms, recordings))
    typer.echo(json.dumps(first_event(request, at_ms), indent=2))
