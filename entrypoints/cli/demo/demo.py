"""`camclip demo`: the whole service on a folder, on sample recordings, and a report about it."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from domain.clip import ClipName, ClipReport, ClipRequest
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.clip_page.clock import FrameInstants
from entrypoints.cli.command import Root, command
from entrypoints.cli.console import err, out
from entrypoints.cli.demo.report_page import Page, SentMessage, report_page
from entrypoints.cli.demo.sample_camera import (
    AGE_MS,
    CAMERA_ID,
    RECORDINGS,
    SAMPLE_FORMAT,
    SampleFormat,
    make_sample_camera,
)
from entrypoints.cli.environment import environment
from entrypoints.cli.places import open_session
from entrypoints.cli.results import print_results
from entrypoints.cli.sample_event import first_event
from entrypoints.cli.session import Session
from entrypoints.cli.times import compact, now_ms
from entrypoints.cli.units import seconds
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.folder.recordings import recording_files

LEAD_MS, TAIL_MS = 11_679, 12_345
"""The clip's share of the first recording, and of the second."""
READING_S = 60


@command(example="`camclip demo --root demo`")
def demo(root: Root = Path("demo")) -> None:
    """Cut a clip of a sample camera and write a report.

    The folder gets three recordings of a minute each, a clip that spans two of them, its
    thumbnails, the messages that were sent, and `report.html`.
    """
    raise typer.Exit(run_demo(open_session(root, is_new=True)))


def run_demo(session: Session, sample: SampleFormat = SAMPLE_FORMAT) -> int:
    """Make the sample camera unless it exists, a clip, and the report; return the exit code."""
    began_s = time.monotonic()
    root, at_ms = session.root, now_ms()
    if not recording_files(root, CAMERA_ID):
        err.print(f"Encoding {RECORDINGS} sample recordings of {sample.duration_s} s each.")
        ffmpeg = Ffmpeg(find_ffmpeg(environment()))
        with session.progress.reporting("Encoding"):
            make_sample_camera(root, ffmpeg, at_ms - AGE_MS, sample, session.progress)
    recordings = session.recordings(CAMERA_ID)
    window = _across(recordings[0], recordings[1])
    err.print(f"Cutting a clip of {seconds(window.duration_ms)} across two of them.")
    request = ClipRequest(f"demo-{compact(at_ms)}", CAMERA_ID, window.start_ms, window.end_ms)
    session.handle(first_event(request, at_ms))
    code = print_results(session)
    result = session.outcomes[request.name].result
    if result and result.report.has_clip:
        path = root / "report.html"
        path.write_text(_page(session, request, recordings, result.report), encoding="utf-8")
        out.print(f"The report: {path}", markup=False, highlight=False, soft_wrap=True)
    err.print(f"The demo took {seconds(1000 * (time.monotonic() - began_s))}.")
    return code


def _across(first: RecordingSegment, second: RecordingSegment) -> TimeWindow:
    """Return a window across two recordings that starts and ends between whole seconds."""
    return TimeWindow(
        first.window.end_ms - min(LEAD_MS, first.window.duration_ms // 2),
        second.window.start_ms + min(TAIL_MS, second.window.duration_ms // 2),
    )


def _page(
    session: Session,
    request: ClipRequest,
    recordings: Sequence[RecordingSegment],
    report: ClipReport,
) -> str:
    clips, name = session.clips, ClipName(request.camera_id, request.clip_id)
    manifest = clips.read_manifest(name, time.monotonic() + READING_S)
    assert manifest  # noqa: S101 - it is stored before a clip is reported
    clip = clips.open(name, time.monotonic() + READING_S)
    return report_page(
        Page(
            manifest=manifest,
            plan=plan_clip(
                request.window, recordings, session.service.settings().seam_tolerance_ms
            ),
            recordings=tuple(recordings),
            folder=session.root,
            clip=clips.path(name),
            frames=FrameInstants.of(clip, manifest),
            thumbnails=tuple(clips.thumbnails(name)),
            messages=_messages(session.root, report),
        )
    )


def _messages(root: Path, report: ClipReport) -> tuple[SentMessage, ...]:
    """Return the clip's messages, as they were sent."""
    status = json.loads((root / "status" / f"{report.clip_id}.json").read_bytes())
    lines = (root / "notifications.jsonl").read_text(encoding="utf-8").splitlines()
    published = [line for line in map(json.loads, lines) if line["eventId"] == report.event_id]
    return (
        SentMessage("To the camera API", f"PUT /cameras/clips/{report.clip_id}", status),
        *(SentMessage("To the subscribers", "SNS notification", line) for line in published),
    )
