"""`camclip plan`."""

import json
from collections.abc import Iterator, Sequence

import typer
from attrs import frozen

from application.preview_clip import Preview
from domain.clip import ClipRequest, ClipStatus
from domain.options import ClipOptions
from domain.planning import Availability, ClipPlan
from domain.retry import Build, Reject, Requeue
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
from entrypoints.cli.console import AVAILABLE, REJECTED, WAITING, print_facts
from entrypoints.cli.places import Places, camera_id_of, opened
from entrypoints.cli.previewing import OpenService, first_delivery, preview_clip
from entrypoints.cli.requests import requests_for
from entrypoints.cli.results import coverage_facts, window_facts, worst
from entrypoints.cli.session import Session
from entrypoints.cli.surveying import print_nearest
from entrypoints.cli.times import in_zones, now_ms
from entrypoints.cli.typed_window import typed_window
from entrypoints.cli.units import seconds, size
from infrastructure.formats.coverages import coverage_members
from infrastructure.transcoder.preview import CutPreview, preview_cuts


@frozen
class ClipPreview:
    """What would become of a request now."""

    request: ClipRequest
    preview: Preview
    cuts: Sequence[CutPreview] = ()
    """If a clip would be made."""

    @property
    def status(self) -> ClipStatus:
        """The status that the request would have."""
        match self.preview.decision:
            case Build():
                return ClipStatus.AVAILABLE
            case Requeue():
                return ClipStatus.PENDING
            case Reject(status):
                return status

    @property
    def code(self) -> int:
        """The exit code of the same cut."""
        codes = {ClipStatus.AVAILABLE: AVAILABLE, ClipStatus.PENDING: WAITING}
        return codes.get(self.status, REJECTED)

    @property
    def is_miss(self) -> bool:
        """Whether footage was looked for, and none was found."""
        return self.plan is not None and self.plan.availability is Availability.NONE

    @property
    def plan(self) -> ClipPlan | None:
        """The plan, unless no footage was looked for."""
        return self.preview.footage.plan


@command(
    example="`camclip plan --recordings /media/frigate/recordings --camera pier"
    " --from 14:05 --for 30s`",
    exits=CLIP_EXITS,
)
def plan(  # noqa: PLR0913 - one parameter per option
    camera: CameraIds,
    start: Start,
    end: End = None,
    duration: Duration = None,
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    root: OptionalRoot = None,
    gaps: Gaps = "skip",
    as_json: AsJson = False,
) -> None:
    """Show what a cut would do, without doing it.

    The recordings are looked up and their indexes read as for the clip: its cuts and gaps, which
    frames would be copied and which encoded, and how many bytes of the recordings that takes.
    Damage is found only when frames are decoded.
    """
    codes = []
    with opened(Places(root=root, recordings=recordings, layout=layout, tz=tz)) as session:
        at_ms = now_ms()
        window = typed_window(session, start, end, duration, at_ms)
        camera_ids = [camera_id_of(session, name) for name in camera]
        for request in requests_for(None, camera_ids, window, ClipOptions(gaps=gaps)):
            found = foresee(session, request, at_ms)
            codes.append(found.code)
            if as_json:
                typer.echo(json.dumps(as_members(found)))
            else:
                print_facts(f"Plan of {request.camera_id}", facts_of(session, found))
            if found.is_miss:
                print_nearest(session, request.camera_id, request.window)
    raise typer.Exit(worst(codes))


def foresee(session: OpenService, request: ClipRequest, at_ms: int) -> ClipPreview:
    """Return what would become of a request; Rejected if its camera is unknown."""
    preview = preview_clip(session)(first_delivery(request, at_ms))
    planned = preview.footage.plan
    if planned is None or not isinstance(preview.decision, Build):
        return ClipPreview(request, preview)
    hevc = session.service.settings().hevc
    cuts = preview_cuts(planned, preview.footage.recordings, hevc=hevc)
    return ClipPreview(request, preview, cuts)


def facts_of(session: Session, found: ClipPreview) -> Iterator[tuple[str, str]]:
    """Yield the labelled facts, for people."""
    yield "status", f"{found.status.value}, if it is cut now"
    if isinstance(found.preview.decision, Reject):
        yield "reason", found.preview.decision.reason
    yield from window_facts(found.request.start_ms, found.request.end_ms, session.zone)
    if found.plan and found.plan.cuts:
        yield "delivered", seconds(found.plan.delivered_ms)
        yield from coverage_facts(
            found.preview.footage.coverage, session.zone, found.request.options.filler
        )
    for cut in found.cuts:
        start = in_zones(cut.window.start_ms, session.zone)
        yield "cut", f"{seconds(cut.window.duration_ms)} from {start}: {cut.name}"
        yield "frames", f"{cut.copied_frames} copied, {cut.encoded_frames} encoded"
        if cut.obstacle:
            yield "why", f"none is copied: {cut.obstacle}"
    if found.cuts:
        copied, decoded = (
            size(sum(cut.copied_bytes for cut in found.cuts)),
            size(sum(cut.decoded_bytes for cut in found.cuts)),
        )
        index = size(found.preview.footage.read_bytes)
        yield "bytes", f"{copied} copied, {decoded} read to encode, {index} read of indexes so far"
    for note in found.preview.footage.left_out:
        yield "note", note


def filled_members(request: ClipRequest, plan: ClipPlan) -> dict[str, object]:
    """Return what the clip shows in its gaps, how long it lasts, and when it shows each."""
    return {
        "with": request.options.filler,
        "durationInMs": plan.duration_ms,
        "gaps": [
            {
                "startTimestampInMs": gap.window.start_ms,
                "endTimestampInMs": gap.window.end_ms,
                "clipStartInMs": gap.start_ms,
                "clipEndInMs": gap.end_ms,
            }
            for gap in plan.filled
        ],
    }


def as_members(found: ClipPreview) -> dict[str, object]:
    """Return the members of the JSON line."""
    request, decision = found.request, found.preview.decision
    shown = found.plan if found.plan and found.plan.cuts else None
    return {
        "cameraId": request.camera_id,
        "startTimestampInMs": request.start_ms,
        "endTimestampInMs": request.end_ms,
        "status": found.status.value,
        **({"reason": decision.reason} if isinstance(decision, Reject) else {}),
        "deliveredInMs": shown.delivered_ms if shown else 0,
        **({"filled": filled_members(found.request, shown)} if shown and shown.filled else {}),
        "coverage": coverage_members(found.preview.footage.coverage) if shown else None,
        "cuts": [
            {
                "name": cut.name,
                "startTimestampInMs": cut.window.start_ms,
                "endTimestampInMs": cut.window.end_ms,
                "copiedFrames": cut.copied_frames,
                "encodedFrames": cut.encoded_frames,
                "copiedBytes": cut.copied_bytes,
                "decodedBytes": cut.decoded_bytes,
                **({"whyNoneIsCopied": cut.obstacle} if cut.obstacle else {}),
            }
            for cut in found.cuts
        ],
        "indexBytes": found.preview.footage.read_bytes,
        "leftOut": list(found.preview.footage.left_out),
    }
