"""`camclip cut`."""

from typing import Annotated

import typer

from domain.clip import ClipRequest
from domain.window import TimeWindow
from entrypoints.cli.command import AsJson, CameraId, Root, command
from entrypoints.cli.console import UsageError
from entrypoints.cli.sample_event import first_event
from entrypoints.cli.session import open_session
from entrypoints.cli.times import compact, now_ms, parse_instant


@command(
    example="`camclip cut --root demo --camera pier"
    " --from 2026-05-01T12:00:10.250Z --to 2026-05-01T12:00:31Z`"
)
def cut(  # noqa: PLR0913 - one parameter per option
    root: Root,
    camera: CameraId,
    start: Annotated[
        str,
        typer.Option("--from", metavar="T", help="The start: ISO 8601 (UTC), or epoch ms."),
    ],
    end: Annotated[str, typer.Option("--to", metavar="T", help="The end, itself excluded.")],
    clip_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="The clip's id; derived from its times if absent."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Cut one clip, exact to the frame at both ends.

    It holds the frames seen from `--from` on and before `--to`.
    """
    start_ms, end_ms = parse_instant(start), parse_instant(end)
    if start_ms >= end_ms:
        raise UsageError("--from must be before --to.")
    request = request_for(clip_id, camera, TimeWindow(start_ms, end_ms))
    session = open_session(root)
    session.warn_of_undated(camera)
    session.handle(first_event(request, now_ms()))
    raise typer.Exit(session.print_results(as_json=as_json))


def request_for(clip_id: str | None, camera_id: str, window: TimeWindow) -> ClipRequest:
    """Return a request; the same window has the same id if none is given. UsageError if invalid."""
    clip_id = clip_id or f"{compact(window.start_ms)}-{window.duration_ms}ms"
    try:
        return ClipRequest(clip_id, camera_id, window.start_ms, window.end_ms)
    except ValueError as error:
        raise UsageError("An id is 1 to 64 letters, digits, hyphens or underscores.") from error
