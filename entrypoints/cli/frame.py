"""`camclip frame`."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from domain.clip import ClipRequest
from domain.window import TimeWindow
from entrypoints.cli.command import (
    FOOTAGE_EXITS,
    AsJson,
    CameraId,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import AVAILABLE, REJECTED, UsageError, fail, print_facts
from entrypoints.cli.places import Places, camera_id_of, opened
from entrypoints.cli.previewing import preview_clip
from entrypoints.cli.session import LISTING_S, Session
from entrypoints.cli.surveying import nearest_footage, nearest_text
from entrypoints.cli.times import in_zones, now_ms
from entrypoints.cli.typed_window import typed_instant
from infrastructure.folder.files import temporary_path
from infrastructure.transcoder.picture import Picture, take_picture

FORMATS = {".jpg": "jpg", ".jpeg": "jpg", ".png": "png", ".webp": "webp"}
"""By the suffix of the picture's file."""


@command(
    example="`camclip frame --recordings /media/frigate/recordings --camera pier --at 14:05:12.5"
    " -o still.jpg`",
    exits=FOOTAGE_EXITS,
)
def frame(  # noqa: PLR0913 - one parameter per option
    camera: CameraId,
    at: Annotated[
        str, typer.Option("--at", metavar="T", help="The instant, written as for `camclip cut`.")
    ],
    picture: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="FILE", help="The picture's file: .jpg, .png or .webp."
        ),
    ],
    width: Annotated[
        int, typer.Option(min=0, max=8192, help="Its width in pixels; the frame's own if absent.")
    ] = 0,
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    root: OptionalRoot = None,
    as_json: AsJson = False,
) -> None:
    """Save the frame that was on screen at an instant.

    It is the exact one: that which was first shown within the millisecond, or else the last before.
    """
    if picture.suffix.lower() not in FORMATS:
        raise UsageError(f"{picture} must end with {', '.join(FORMATS)}.")
    if picture.exists():
        raise UsageError(f"{picture} exists already: choose another name, or remove it.")
    with opened(Places(root=root, recordings=recordings, layout=layout, tz=tz)) as session:
        at_ms = typed_instant(session, at, now_ms())
        camera_id = camera_id_of(session, camera)
        taken = save_picture(session, camera_id, at_ms, picture, width)
        if taken is None:
            where = nearest_footage(session, camera_id, TimeWindow(at_ms, at_ms + 1))
            hint = nearest_text(session, TimeWindow(at_ms, at_ms + 1), where)
            missed = f"There is no footage of {camera_id} at {in_zones(at_ms, session.zone)}."
            raise typer.Exit(fail(f"{missed} {hint}", REJECTED))
        if as_json:
            typer.echo(json.dumps(as_members(camera_id, picture, taken)))
        else:
            facts = (
                ("camera", camera_id),
                ("at", in_zones(at_ms, session.zone)),
                ("shown from", in_zones(taken.seen_ms, session.zone)),
                ("recording", taken.name),
                ("picture", str(picture)),
            )
            print_facts("Frame", facts)
    raise typer.Exit(AVAILABLE)


def save_picture(
    session: Session, camera_id: str, at_ms: int, picture: Path, width: int
) -> Picture | None:
    """Save the frame on screen at an instant; return what it is, None if there is no footage.

    Rejected if the camera is unknown.
    """
    request = ClipRequest("frame", camera_id, at_ms, at_ms + 1)
    deadline_s = time.monotonic() + LISTING_S
    footage = preview_clip(session).gather(request, deadline_s)
    if footage.plan is None or not footage.plan.cuts:
        return None
    with tempfile.TemporaryDirectory() as folder:
        taken = take_picture(
            session.service.ffmpeg(),
            footage.plan,
            footage.recordings,
            FORMATS[picture.suffix.lower()],
            Path(folder),
            deadline_s,
            width,
        )
        with temporary_path(picture) as part:
            shutil.copyfile(taken.path, part)
            part.replace(picture)
    return taken


def as_members(camera_id: str, picture: Path, taken: Picture) -> dict[str, object]:
    """Return the members of the JSON line."""
    return {
        "cameraId": camera_id,
        "file": str(picture),
        "shownFromTimestampInMs": taken.seen_ms,
        "recording": taken.name,
        "widthInPixels": taken.width,
    }
