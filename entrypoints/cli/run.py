"""`camclip run`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from entrypoints.cli.command import (
    CLIP_EXITS,
    AsJson,
    ClipsFolder,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import UsageError
from entrypoints.cli.places import Places, opened
from entrypoints.cli.results import print_results


@command(
    example="`camclip run event.json --root demo`; without an event, only the queue:"
    " `camclip run --root demo --until-done`",
    exits=CLIP_EXITS,
)
def run(  # noqa: PLR0913 - one parameter per option
    event: Annotated[
        Path | None,
        typer.Argument(metavar="[EVENT.json]", help="An SQS event; - reads standard input."),
    ] = None,
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    out: ClipsFolder = None,
    root: OptionalRoot = None,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Wait for footage until the queue is empty.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Handle an SQS event, then the messages of the queue.

    The event is handled as by the Lambda function; then the folder's queue, as far as it is due.
    """
    batch = _read_event(event) if event else None
    places = Places(root=root, recordings=recordings, layout=layout, tz=tz, out=out)
    if places.clip_file:
        raise UsageError(f"--out {out} must be a folder: a queue may make several clips.")
    with opened(places) as session:
        if batch is not None:
            session.handle(batch)
        session.handle_queue(until_done=until_done)
        code = print_results(session, as_json=as_json)
    raise typer.Exit(code)


def _read_event(path: Path) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        event = json.loads(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not JSON. `camclip event` prints a sample event.") from error
    if not isinstance(event, dict):
        raise UsageError(f"{path} is not an SQS event. `camclip event` prints a sample event.")
    return event
