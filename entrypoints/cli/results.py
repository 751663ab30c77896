"""How the messages of a session ended, on the terminal: a table of each clip, or JSON."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo

import typer

from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus, UnknownStatus
from domain.coverage import Coverage
from domain.errors import ClipError, Conflict
from domain.window import TimeWindow
from entrypoints.cli.console import AVAILABLE, FAILED, REJECTED, WAITING, err, fail, print_facts
from entrypoints.cli.previewing import preview_clip
from entrypoints.cli.requests import free_id
from entrypoints.cli.session import LISTING_S, Session
from entrypoints.cli.surveying import print_nearest, survey_camera
from entrypoints.cli.times import in_zones
from entrypoints.cli.units import VERIFIED, clock_text, seconds
from entrypoints.log_line import DeliveryOutcome
from infrastructure.transcoder.preview import preview_cuts

WITHOUT_FOOTAGE = {
    ClipStatus.PENDING,
    ClipStatus.NOT_AVAILABLE,
    ClipStatus.OUT_OF_RANGE,
    ClipStatus.RETRY_TIMEOUT,
}
"""Statuses of requests that may have missed the footage."""
UNVERIFIED = "the copied frames did not decode next to the encoded ones"
STYLES: Mapping[ClipStatus | UnknownStatus, str] = {
    ClipStatus.AVAILABLE: "bold green",
    ClipStatus.PENDING: "bold yellow",
}


def print_results(session: Session, *, as_json: bool = False) -> int:
    """Print the outcome of each clip; return the exit code for all of them."""
    for outcome in session.outcomes.values():
        print_outcome(session, outcome, as_json=as_json)
        print_remedy(session, outcome)
    code = worst(map(exit_code, session.outcomes.values()))
    if WAITING in map(exit_code, session.outcomes.values()) and not as_json:
        remedy = (
            "Cut it again later."
            if session.clip_file
            else f"To wait for it: camclip run {session.options} --until-done"
        )
        err.print(remedy, markup=False, soft_wrap=True)
    return code


def print_outcome(session: Session, outcome: DeliveryOutcome, *, as_json: bool) -> None:
    """Print how one message ended: on standard output a result, on standard error a failure."""
    if outcome.result and as_json:
        typer.echo(json.dumps(session.service.report_format().report(outcome.result.report)))
    elif outcome.result:
        report = outcome.result.report
        style = STYLES.get(report.status, "bold red")
        facts = [("status", report.status.value), *_facts(session, report, outcome)]
        print_facts(f"Clip {report.clip_id}", facts, style)
    if failure := failure_of(outcome):
        subject = f"Clip {outcome.request.clip_id}" if outcome.request else "A message"
        fail(f"{subject} failed: {failure}", FAILED)


def print_remedy(session: Session, outcome: DeliveryOutcome) -> None:
    """Print what helps a request that ended without a clip, if anything is known to."""
    request = outcome.request
    if not isinstance(request, ClipRequest):
        return
    if isinstance(outcome.error, Conflict):
        remedy = f"{_free_id(session, request)} is a free id; camclip cut --again replaces a clip."
        err.print(remedy, markup=False, soft_wrap=True)
    status = outcome.result.report.status if outcome.result else None
    if status in WITHOUT_FOOTAGE:
        found = survey_camera(session, request.camera_id, request.window).found
        if not found.stretches:
            print_nearest(session, request.camera_id, request.window)


def _free_id(session: Session, request: ClipRequest) -> str:
    def is_taken(clip_id: str) -> bool:
        name, deadline_s = ClipName(request.camera_id, clip_id), time.monotonic() + LISTING_S
        clips = session.clips
        return bool(clips.find(name, deadline_s) or clips.read_manifest(name, deadline_s))

    return free_id(request.clip_id, is_taken)


def worst(codes: Iterable[int]) -> int:
    """Return the exit code of several messages: that of the worst outcome."""
    found = set(codes)
    return next((code for code in (FAILED, REJECTED, WAITING) if code in found), AVAILABLE)


def exit_code(outcome: DeliveryOutcome) -> int:
    """Return the exit code of one message's outcome."""
    if failure_of(outcome) or not outcome.result:
        return FAILED
    match outcome.result.report.status:
        case ClipStatus.AVAILABLE:
            return AVAILABLE
        case ClipStatus.PENDING:
            return WAITING
        case _:
            return REJECTED


def failure_of(outcome: DeliveryOutcome) -> str | None:
    """Return in one line why the message failed, if it did.

    That no listed recording can be read is a failure, although the request ended.
    """
    if outcome.error:
        return in_one_line(outcome.error)
    result = outcome.result
    if result and result.is_some_unreadable and result.report.status is ClipStatus.FATAL_ERROR:
        return result.report.reason
    return None


def in_one_line(error: Exception) -> str:
    """Return an error's message in one line."""
    text = str(error) if isinstance(error, ClipError) else f"unexpected {error!r}"
    return " ".join(text.split())


def _stretch(window: TimeWindow, zone: tzinfo) -> str:
    """Write a window as its duration and its start."""
    return f"{seconds(window.duration_ms)} from {in_zones(window.start_ms, zone)}"


def window_facts(start_ms: int, end_ms: int, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield the bounds and the duration of a requested window."""
    yield "from", in_zones(start_ms, zone)
    yield "to", in_zones(end_ms, zone)
    yield "requested", seconds(end_ms - start_ms)


def _facts(
    session: Session, report: ClipReport, outcome: DeliveryOutcome
) -> Iterator[tuple[str, str]]:
    if report.reason:
        yield "reason", report.reason
    yield "camera", report.camera_id or "unknown"
    if report.start_ms is not None and report.end_ms is not None:
        yield from window_facts(report.start_ms, report.end_ms, session.zone)
    if report.has_clip and report.camera_id:
        yield "delivered", seconds(report.delivered_ms)
        filler = report.options.get("gaps") if report.fills_gaps else None
        yield from coverage_facts(report.coverage, session.zone, filler)
        yield from _files(session, ClipName(report.camera_id, report.clip_id))
        if why := _why_none_is_copied(session, outcome):
            yield "why", why
        yield "took", seconds(outcome.elapsed_ms)
    for note in dict.fromkeys((*report.coverage.notes, *outcome.notes)):
        yield "note", note


def _files(session: Session, name: ClipName) -> Iterator[tuple[str, str]]:
    clips = session.clips
    stored = clips.find(name, time.monotonic() + LISTING_S)
    if stored and stored.media:
        media = stored.media
        encoded = media.frames - media.copied_frames
        held = f", {media.held_frames} of them from before the clip" if media.held_frames else ""
        yield "frames", f"{media.frames}: {media.copied_frames} copied, {encoded} encoded{held}"
        yield "video", f"{media.codec}, {media.width} x {media.height}"
    yield "clip", str(session.clip_file or clips.path(name))
    for thumbnail in () if session.clip_file else clips.thumbnails(name):
        yield "thumbnail", str(thumbnail)
    for sidecar in () if session.clip_file else clips.sidecars(name):
        yield "next to it", str(sidecar)


def _why_none_is_copied(session: Session, outcome: DeliveryOutcome) -> str | None:
    """Return why each frame of a clip that was just made had to be encoded, if that is so."""
    request, media = outcome.request, outcome.result.media if outcome.result else None
    if not isinstance(request, ClipRequest) or media is None or media.copied_frames:
        return None
    deadline_s = time.monotonic() + LISTING_S
    footage = preview_clip(session).gather(request, deadline_s)
    if not footage.plan or not footage.plan.cuts:
        return None  # It is repeated, and its footage is gone.
    hevc = session.service.settings().hevc
    cuts = preview_cuts(footage.plan, footage.recordings, hevc=hevc)
    reasons = dict.fromkeys(cut.obstacle for cut in cuts if cut.obstacle)
    return f"none is copied: {'; '.join(reasons) or UNVERIFIED}"


def coverage_facts(
    coverage: Coverage, zone: tzinfo, filler: object = None
) -> Iterator[tuple[str, str]]:
    """Yield what the clip lacks, what it shows there, and what else a viewer should know."""
    for label, windows in (
        ("gap", coverage.gaps),
        ("damaged", coverage.damaged),
        ("held", coverage.held),
    ):
        for window in windows:
            shown = f", filled: {filler}" if label == "gap" and filler else ""
            yield label, f"{_stretch(window, zone)}{shown}"
    for unused in coverage.unused:
        yield "unused", f"{_stretch(unused.window, zone)}: {unused.name}"
    if coverage.clock:
        yield "clock", clock_text(coverage.clock)
    if coverage.verified:
        yield "verified", VERIFIED[coverage.verified]
