"""The service on one folder: handles messages and prints their outcomes."""

import errno
import json
import os
import time
from collections.abc import Container, Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import typer
from attrs import define
from rich.table import Table

from domain.clip import ClipName, ClipReport, ClipStatus, UnknownStatus
from domain.coverage import Coverage
from domain.errors import AlreadyInProgress, ClipError
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.console import (
    AVAILABLE,
    FAILED,
    REJECTED,
    WAITING,
    ProgressReporter,
    UsageError,
    err,
    fail,
    out,
)
from entrypoints.cli.environment import environment
from entrypoints.cli.sample_event import sqs_event
from entrypoints.cli.times import now_ms, utc
from entrypoints.cli.units import VERIFIED, clock_text, seconds
from entrypoints.container import FolderService, folder_service
from entrypoints.log_line import DeliveryOutcome
from infrastructure.folder.cameras import FolderCameraService
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.queue import FolderRetryQueue

REDELIVERY_S = 10
"""The redelivery delay of a failed message of the folder's queue."""
HANDLING_MS = 3_600_000
POLL_S = 0.3
"""How often a clip that another run is making is looked up."""
LISTING_S = 600
"""Time to read how long all recordings of a camera are."""
ALL_TIME = TimeWindow(0, 10**15)
STYLES: Mapping[ClipStatus | UnknownStatus, str] = {
    ClipStatus.AVAILABLE: "bold green",
    ClipStatus.PENDING: "bold yellow",
}


@define
class Session:
    """The service on one folder, and the latest outcome for each clip."""

    root: Path
    service: FolderService
    progress: ProgressReporter
    outcomes: dict[str, DeliveryOutcome]
    """By clip id, or by message id if the message names no clip."""

    @property
    def cameras(self) -> FolderCameraService:
        """The folder's cameras."""
        cameras = self.service.cameras()
        assert isinstance(cameras, FolderCameraService)  # noqa: S101 - a folder's service
        return cameras

    @property
    def clips(self) -> FolderClipStore:
        """The folder's clips."""
        clips = self.service.clips()
        assert isinstance(clips, FolderClipStore)  # noqa: S101 - a folder's service
        return clips

    @property
    def queue(self) -> FolderRetryQueue:
        """The folder's queue."""
        queue = self.service.queue()
        assert isinstance(queue, FolderRetryQueue)  # noqa: S101 - a folder's service
        return queue

    def recordings(self, camera_id: str) -> list[RecordingSegment]:
        """Return all recordings of a camera, the oldest first."""
        deadline_s = time.monotonic() + LISTING_S
        return sorted(self.cameras.find_segments(camera_id, ALL_TIME, deadline_s).segments)

    def handle(self, batch: Mapping[str, Any]) -> set[str]:
        """Handle a batch as the Lambda function does; return the ids of the messages that failed.

        A clip that another run is making is waited for. An event that is not a batch of SQS
        messages is NotAnSqsEvent.
        """
        failed = self._handle_once(batch)
        until_s = time.monotonic() + HANDLING_MS / 1000
        is_reported = False
        while rivals := [r for r in batch["Records"] if self._is_in_progress(r, failed)]:
            if time.monotonic() > until_s:
                break
            if not is_reported:
                err.print("Another run is making the clip: waiting for it.", markup=False)
                is_reported = True
            time.sleep(POLL_S)
            failed -= {record["messageId"] for record in rivals}
            failed |= self._handle_once({"Records": rivals})
        return failed

    def _handle_once(self, batch: Mapping[str, Any]) -> set[str]:
        with self.progress.reporting("Cutting"):
            answer = self.service.handle_batch()(batch, lambda: HANDLING_MS)
        return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}

    def _is_in_progress(self, record: Mapping[str, Any], failed: Container[str]) -> bool:
        """Return whether a message failed because another run has stored its clip first.

        That run writes the manifest next. If it died, handling the message again announces the clip
        once that run must have ended.
        """
        message_id = record["messageId"]
        return message_id in failed and any(
            outcome.message_id == message_id and isinstance(outcome.error, AlreadyInProgress)
            for outcome in self.outcomes.values()
        )

    def handle_queue(self, *, until_done: bool) -> None:
        """Handle the queue's messages that are due; if `until_done`, wait for all others too."""
        queue = self.queue
        while True:
            queued = queue.receive()
            if queued is None:
                due_ms = queue.next_due_ms() if until_done else None
                if due_ms is None:
                    return
                _wait_until(due_ms)
                continue
            event = sqs_event(
                queued.body, queued.sent_at_ms, queued.message_id, queued.receive_count
            )
            failed = True
            try:
                failed = bool(self.handle(event))
            finally:
                if failed:
                    queue.release(queued, REDELIVERY_S)
                else:
                    queue.delete(queued)

    def warn_of_undated(self, camera_id: str) -> None:
        """Name the recordings that cannot be used because their names hold no start time."""
        try:
            undated = self.cameras.undated(camera_id)
        except ClipError:
            return  # The request fails with the same error.
        for name in undated:
            err.print(
                f"Ignored {name}: its name holds no start time."
                " Rename it like pier.20180815T140019.mp4 (UTC).",
                style="yellow",
                markup=False,
            )

    def print_results(self, *, as_json: bool = False) -> int:
        """Print the outcome of each clip; return the exit code for all of them."""
        for outcome in self.outcomes.values():
            if outcome.result and as_json:
                report = self.service.report_format().report(outcome.result.report)
                typer.echo(json.dumps(report))
            elif outcome.result:
                out.print(self._table(outcome.result.report, outcome))
            if failure := _failure(outcome):
                subject = f"Clip {outcome.request.clip_id}" if outcome.request else "A message"
                fail(f"{subject} failed: {failure}", FAILED)
        codes = {exit_code(outcome) for outcome in self.outcomes.values()}
        if WAITING in codes and not as_json:
            err.print(f"To wait for it: camclip run --root {self.root} --until-done", markup=False)
        return next((code for code in (FAILED, REJECTED, WAITING) if code in codes), AVAILABLE)

    def _table(self, report: ClipReport, outcome: DeliveryOutcome) -> Table:
        rows = Table(show_header=False, title=f"Clip {report.clip_id}", title_justify="left")
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(overflow="fold")
        rows.add_row("status", report.status.value, style=STYLES.get(report.status, "bold red"))
        for label, fact in self._facts(report, outcome):
            rows.add_row(label, fact)
        return rows

    def _facts(self, report: ClipReport, outcome: DeliveryOutcome) -> Iterator[tuple[str, str]]:
        if report.reason:
            yield "reason", report.reason
        yield "camera", report.camera_id or "unknown"
        if report.start_ms is not None and report.end_ms is not None:
            yield "from", f"{utc(report.start_ms)} UTC"
            yield "to", f"{utc(report.end_ms)} UTC"
            yield "requested", seconds(report.end_ms - report.start_ms)
        if report.has_clip and report.camera_id:
            yield "delivered", seconds(report.delivered_ms)
            yield from _coverage_facts(report.coverage)
            yield from self._files(ClipName(report.camera_id, report.clip_id))
            yield "took", seconds(outcome.elapsed_ms)
        for note in dict.fromkeys((*report.coverage.notes, *outcome.notes)):
            yield "note", note

    def _files(self, name: ClipName) -> Iterator[tuple[str, str]]:
        clips = self.clips
        stored = clips.find(name, time.monotonic() + LISTING_S)
        if stored and stored.media:
            media = stored.media
            encoded = media.frames - media.copied_frames
            held = (
                f", {media.held_frames} of them from before the clip" if media.held_frames else ""
            )
            yield (
                "frames",
                f"{media.frames}: {media.copied_frames} copied, {encoded} encoded{held}",
            )
            yield "video", f"{media.codec}, {media.width} x {media.height}"
        yield "clip", str(clips.path(name))
        for thumbnail in clips.thumbnails(name):
            yield "thumbnail", str(thumbnail)


def open_session(root: Path, *, is_new: bool = False) -> Session:
    """Return the service on the folder `root`; InvalidSettings if the environment is invalid.

    UsageError if it holds no recordings, unless it `is_new`: a misspelt root is not created.
    """
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
    if not is_new and not (root / "recordings").is_dir():
        raise UsageError(
            f"{root} holds no folder recordings/: pass the folder that does as --root."
            if root.exists()
            else f"{root} does not exist: pass the folder that holds recordings/ as --root."
        )
    progress = ProgressReporter()
    outcomes: dict[str, DeliveryOutcome] = {}

    def on_outcome(outcome: DeliveryOutcome) -> None:
        request = outcome.request
        outcomes[request.clip_id if request else outcome.message_id] = outcome

    service = folder_service(root, environment(), on_outcome, progress)
    return Session(root, service, progress, outcomes)


def _coverage_facts(coverage: Coverage) -> Iterator[tuple[str, str]]:
    """Return what the clip lacks, and what else a viewer should know."""
    for label, windows in (
        ("gap", coverage.gaps),
        ("damaged", coverage.damaged),
        ("held", coverage.held),
    ):
        for window in windows:
            yield label, _stretch(window)
    for unused in coverage.unused:
        yield "unused", f"{_stretch(unused.window)}: {unused.name}"
    if coverage.clock:
        yield "clock", clock_text(coverage.clock)
    if coverage.verified:
        yield "verified", VERIFIED[coverage.verified]


def _stretch(window: TimeWindow) -> str:
    return f"{seconds(window.duration_ms)} from {utc(window.start_ms)} UTC"


def exit_code(outcome: DeliveryOutcome) -> int:
    """Return the exit code of one message's outcome."""
    if _failure(outcome) or not outcome.result:
        return FAILED
    match outcome.result.report.status:
        case ClipStatus.AVAILABLE:
            return AVAILABLE
        case ClipStatus.PENDING:
            return WAITING
        case _:
            return REJECTED


def _failure(outcome: DeliveryOutcome) -> str | None:
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


def _wait_until(due_ms: int) -> None:
    """Sleep, with a countdown on a terminal."""
    left_s = (due_ms - now_ms()) / 1000
    if left_s > 0 and not err.is_terminal:
        err.print(f"Waiting {left_s:.0f} s for footage.")
    with err.status("") if err.is_terminal else nullcontext() as status:
        while (left_s := (due_ms - now_ms()) / 1000) > 0:
            if status:
                status.update(f"Waiting for footage: next attempt in {left_s:.0f} s")
            time.sleep(min(left_s, 0.5))
