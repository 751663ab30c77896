"""`camclip cut`."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from domain.clip import ClipName
from domain.options import ClipOptions
from entrypoints.cli.command import (
    CLIP_EXITS,
    AsJson,
    CameraIds,
    Duration,
    End,
    Gaps,
    LayoutName,
    OptionalRoot,
    Recordings,
    Start,
    Tz,
    command,
)
from entrypoints.cli.console import UsageError, err
from entrypoints.cli.places import Places, camera_id_of, chosen_zone, opened
from entrypoints.cli.requests import requests_for
from entrypoints.cli.results import print_results
from entrypoints.cli.sample_event import first_events
from entrypoints.cli.session import Session
from entrypoints.cli.times import now_ms
from entrypoints.cli.typed_window import typed_window
from infrastructure.folder.replacing import replacing


@command(
    example="`camclip cut --recordings /media/frigate/recordings --camera pier"
    " --from 14:05 --for 30s`, or"
    " `--from 2026-05-01T12:00:10.250Z --to 2026-05-01T12:00:31Z`",
    exits=CLIP_EXITS,
)
def cut(  # noqa: PLR0913 - one parameter per option
    camera: CameraIds,
    start: Start,
    end: End = None,
    duration: Duration = None,
    clip_id: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="ID", help="The clip's id; made of times and options if absent."
        ),
    ] = None,
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="With --recordings: the folder for clips (./clips if absent), or the clip's own"
            " file if it ends with .mp4.",
        ),
    ] = None,
    root: OptionalRoot = None,
    wall_clock: Annotated[
        str | None,
        typer.Option(
            "--wall-clock",
            metavar="ZONE",
            help="Add a track of text with the time of day in that zone, such as Europe/Madrid, and"
            " chapters for recordings and gaps.",
        ),
    ] = None,
    previews: Annotated[
        str,
        typer.Option(
            "--previews",
            metavar="NAMES",
            help="Store pictures of the clip next to it: sheet, a contact sheet; sprite, small"
            " pictures for players; or sheet,sprite.",
        ),
    ] = "",
    gaps: Gaps = "skip",
    again: Annotated[
        bool, typer.Option("--again", help="Replace a clip of the same id, or the file of --out.")
    ] = False,
    is_to_open: Annotated[
        bool, typer.Option("--open", help="Open the clip in the system's player.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Cut one clip, exact to the frame at both ends.

    It holds the frames seen from `--from` on and before `--to`. A time may name its zone, as in
    `2026-03-29 02:30 Europe/Madrid`; one without a date is the latest such time.
    """
    places = Places(
        root=root, recordings=recordings, layout=layout, tz=tz, out=out, may_replace=again
    )
    if places.clip_file and len(set(camera)) > 1:
        raise UsageError(f"--out {out} must be a folder: each camera has a clip of its own.")
    if places.clip_file and previews:
        raise UsageError(f"--out {out} must be a folder: previews are stored next to the clip.")
    chosen_zone("--wall-clock", wall_clock)
    options = ClipOptions(wall_clock=wall_clock, gaps=gaps, previews=chosen_previews(previews))
    with opened(places) as session:
        at_ms = now_ms()
        window = typed_window(session, start, end, duration, at_ms)
        camera_ids = [camera_id_of(session, name) for name in camera]
        requests = requests_for(clip_id, camera_ids, window, options)
        for request in requests:
            session.warn_of_undated(request.camera_id)
        with ExitStack() as replaced:
            for request in requests if again else ():
                replaced.enter_context(replacing(session.clips, request.name))
            session.handle(first_events(requests, at_ms))
        code = print_results(session, as_json=as_json)
    if is_to_open:
        open_clips(session)
    raise typer.Exit(code)


def open_clips(session: Session) -> None:
    """Open each clip that is available in the system's player."""
    for outcome in session.outcomes.values():
        report = outcome.result.report if outcome.result else None
        if report and report.has_clip and report.camera_id:
            name = ClipName(report.camera_id, report.clip_id)
            path = session.clip_file or session.clips.path(name)
            # xdg-open ends when the player has started; macOS's `open -W` when it is closed.
            if typer.launch(str(path), wait=sys.platform != "darwin"):
                err.print(
                    f"No player was found. Open {path} yourself.", markup=False, soft_wrap=True
                )


def chosen_previews(text: str) -> tuple[Literal["sheet", "sprite"], ...]:
    """Return the previews that are named; UsageError if there is another name."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    return tuple(_preview(name) for name in names)


def _preview(name: str) -> Literal["sheet", "sprite"]:
    match name:
        case "sheet" | "sprite":
            return name
        case _:
            raise UsageError(f"--previews {name}: there are sheet, sprite, and sheet,sprite.")
