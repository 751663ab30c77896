"""`camclip footage`."""

import json
from typing import Annotated

import typer
from attrs import evolve

from domain.window import TimeWindow
from entrypoints.cli.command import (
    FOOTAGE_EXITS,
    AsJson,
    Duration,
    End,
    LayoutName,
    OptionalRoot,
    OptionalStart,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import AVAILABLE, REJECTED, UsageError, err, fail, out, print_facts
from entrypoints.cli.footage_chart import chart
from entrypoints.cli.places import Places, camera_id_of, opened
from entrypoints.cli.session import Session
from entrypoints.cli.surveying import (
    CameraSurvey,
    last_day,
    nearest_footage,
    nearest_text,
    survey_camera,
)
from entrypoints.cli.times import in_zones, now_ms
from entrypoints.cli.typed_window import typed_window
from entrypoints.cli.units import in_largest_unit, seconds

MAX_PLAIN_S = 120
"""Longer durations are also written in a larger unit."""


@command(
    example="`camclip footage pier --recordings /media/frigate/recordings --from 'yesterday 0:00'"
    " --for 24h`",
    exits=FOOTAGE_EXITS,
)
def footage(  # noqa: PLR0913 - one parameter per option
    camera: Annotated[str, typer.Argument(metavar="CAMERA", help="The camera's id.")],
    start: OptionalStart = None,
    end: End = None,
    duration: Duration = None,
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    root: OptionalRoot = None,
    as_json: AsJson = False,
) -> None:
    """Show when a camera has footage, and when not.

    A timeline is followed by the stretches without a gap, and the gaps; without `--from`, those of
    the last day of footage. Every recording of that time is opened, because names hold no ends.
    """
    if start is None and (end or duration):
        raise UsageError("Pass --from with --to or --for.")
    with opened(Places(root=root, recordings=recordings, layout=layout, tz=tz)) as session:
        camera_id = camera_id_of(session, camera)
        at_ms = now_ms()
        if start:
            end = end or (None if duration else "now")
            window, is_cut_short = typed_window(session, start, end, duration, at_ms), False
        else:
            window, is_cut_short = last_day(session, camera_id)
        surveyed = survey_camera(session, camera_id, window)
        if start is None:
            surveyed = evolve(surveyed, found=surveyed.found.trimmed)
        if as_json:
            typer.echo(json.dumps(as_members(camera_id, surveyed)))
        else:
            print_survey(session, camera_id, surveyed)
        if is_cut_short:
            err.print("This is the last day of footage; --from shows more.")
        if not surveyed.found.stretches:
            hint = nearest_text(session, window, nearest_footage(session, camera_id, window))
            fail(f"There is no footage of {camera_id} of that time. {hint}", REJECTED)
    raise typer.Exit(AVAILABLE if surveyed.found.stretches else REJECTED)


def print_survey(session: Session, camera_id: str, surveyed: CameraSurvey) -> None:
    """Print the timeline, the stretches and the gaps, and on standard error what was left out."""
    found = surveyed.found
    if found.stretches:
        windows = [each.window for each in found.stretches]
        for line in chart(found.window, windows, session.zone):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        rows = [
            *(
                (each.window, "footage", f"{_text(session, each.window)}, {_files(each.files)}")
                for each in found.stretches
            ),
            *((gap, "gap", _text(session, gap)) for gap in found.gaps),
        ]
        facts = [(label, text) for _, label, text in sorted(rows, key=lambda row: row[0])]
        print_facts(f"Footage of {camera_id}", facts)
    for reason in surveyed.left_out:
        err.print(f"Left out: {reason}", style="yellow", markup=False, soft_wrap=True)


def as_members(camera_id: str, surveyed: CameraSurvey) -> dict[str, object]:
    """Return the members of the JSON line."""
    found = surveyed.found
    return {
        "cameraId": camera_id,
        **_bounds(found.window),
        "stretches": [{**_bounds(each.window), "files": each.files} for each in found.stretches],
        "gaps": [_bounds(gap) for gap in found.gaps],
        "leftOut": list(surveyed.left_out),
    }


def _bounds(window: TimeWindow) -> dict[str, int]:
    return {"startTimestampInMs": window.start_ms, "endTimestampInMs": window.end_ms}


def _text(session: Session, window: TimeWindow) -> str:
    start = in_zones(window.start_ms, session.zone)
    duration_s = window.duration_ms / 1000
    about = f" ({in_largest_unit(duration_s)})" if duration_s > MAX_PLAIN_S else ""
    return f"{seconds(window.duration_ms)}{about} from {start}"


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
