"""`camclip cameras`."""

import json

import typer
from attrs import frozen

from entrypoints.cli.command import (
    FOOTAGE_EXITS,
    AsJson,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import AVAILABLE, REJECTED, fail, print_facts
from entrypoints.cli.places import Places, opened
from entrypoints.cli.session import Session
from entrypoints.cli.times import in_zones
from infrastructure.folder.camera_files import ALL_TIME


@frozen
class CameraFacts:
    """What the names of a camera's recordings say. Starts are in ms since the epoch."""

    camera_id: str
    name: str
    recordings: int | None = 0
    """How many files; None if they are not counted."""
    first_ms: int | None = None
    last_ms: int | None = None
    usual_ms: int | None = None
    """How much earlier the last recording but one starts; None if it is not known."""

    def as_json(self) -> dict[str, object]:
        """Return the members of the JSON line."""
        return {
            "cameraId": self.camera_id,
            "name": self.name,
            "recordings": self.recordings,
            "firstStartTimestampInMs": self.first_ms,
            "lastStartTimestampInMs": self.last_ms,
        }


@command(
    example="`camclip cameras --recordings /media/frigate/recordings`",
    exits=FOOTAGE_EXITS,
)
def cameras(
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    root: OptionalRoot = None,
    as_json: AsJson = False,
) -> None:
    """List the cameras, and how much each has recorded.

    No recording is opened: only names are read.
    """
    with opened(Places(root=root, recordings=recordings, layout=layout, tz=tz)) as session:
        names = session.cameras.cameras()
        found = [facts_of(session, camera_id, name) for camera_id, name in names.items()]
        if as_json:
            for facts in found:
                typer.echo(json.dumps(facts.as_json()))
        elif found:
            title = f"Cameras of {recordings or root}"
            print_facts(title, [(facts.camera_id, text_of(session, facts)) for facts in found])
    if not found:
        raise typer.Exit(fail(f"{recordings or root} has no cameras.", REJECTED))
    raise typer.Exit(AVAILABLE)


def facts_of(session: Session, camera_id: str, name: str) -> CameraFacts:
    """Return what a camera has, by names alone."""
    files = session.cameras.files(camera_id, ALL_TIME).dated
    starts_ms = [file.start_ms for file in files if file.is_recording]
    if not starts_ms:
        return CameraFacts(camera_id, name)
    return CameraFacts(camera_id, name, len(starts_ms), min(starts_ms), max(starts_ms))


def text_of(session: Session, facts: CameraFacts) -> str:
    """Write down what a camera has."""
    named = f" ({facts.name} in the paths)" if facts.name != facts.camera_id else ""
    if facts.first_ms is None or facts.last_ms is None:
        return f"no recordings{named}"
    first, last = (in_zones(ms, session.zone) for ms in (facts.first_ms, facts.last_ms))
    if facts.recordings == 1:
        return f"1 recording, which starts at {first}{named}"
    return f"{facts.recordings} recordings; the first starts at {first}, the last at {last}{named}"
