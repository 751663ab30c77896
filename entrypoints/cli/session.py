"""The service on one folder: handles messages, and keeps their outcomes."""

import time
from collections.abc import Container, Mapping, Sequence
from contextlib import nullcontext
from datetime import tzinfo
from pathlib import Path
from typing import Any

from attrs import define

from domain.clip import ClipName
from domain.errors import AlreadyInProgress, ClipError
from domain.recording import RecordingSegment
from entrypoints.cli.console import ProgressReporter, err
from entrypoints.cli.environment import environment
from entrypoints.cli.sample_event import sqs_event
from entrypoints.cli.times import now_ms
from entrypoints.container import FolderService, folder_service, show_times_in
from entrypoints.log_line import DeliveryOutcome
from entrypoints.sqs_batch import check_records
from infrastructure.folder.camera_files import ALL_TIME
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


@define
class Session:
    """The service on one folder, and the latest outcome for each clip."""

    root: Path
    service: FolderService
    progress: ProgressReporter
    outcomes: dict[ClipName | str, DeliveryOutcome]
    """By the clip's name, or by message id if the message names no clip."""
    options: str
    """Those of the command line that name the folders."""
    clip_file: Path | None = None
    """Where the only clip is moved, if not to a folder of clips."""
    in_flight: Sequence[Mapping[str, Any]] = ()
    """The messages that are being handled."""

    @property
    def zone(self) -> tzinfo:
        """The zone of times that name none; shown next to UTC."""
        return self.service.settings().zone

    def show_times_in(self, zone: tzinfo) -> None:
        """Show times in another zone from now on, in the titles of clips, too."""
        show_times_in(self.service, zone)

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
        self.in_flight = check_records(batch)
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
        self.in_flight = ()
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
        while True:
            if self.handle_next():
                continue
            due_ms = self.queue.next_due_ms() if until_done else None
            if due_ms is None:
                return
            _wait_until(due_ms)

    def handle_next(self) -> bool:
        """Handle the queue's message that has been due the longest; return whether one was due."""
        queued = self.queue.receive()
        if queued is None:
            return False
        event = sqs_event(queued.body, queued.sent_at_ms, queued.message_id, queued.receive_count)
        failed = True
        try:
            failed = bool(self.handle(event))
        finally:
            self.in_flight = ()
            if failed:
                self.queue.release(queued, REDELIVERY_S)
            else:
                self.queue.delete(queued)
        return True

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
                soft_wrap=True,
            )


def session_on(root: Path, options: str) -> Session:
    """Return the service on `root`, which `options` of the command line name.

    InvalidSettings if the environment is invalid.
    """
    progress = ProgressReporter()
    outcomes: dict[ClipName | str, DeliveryOutcome] = {}

    def on_outcome(outcome: DeliveryOutcome) -> None:
        request = outcome.request
        name = request.name if request else None
        outcomes[name or (request.clip_id if request else outcome.message_id)] = outcome

    service = folder_service(root, environment(), on_outcome, progress)
    return Session(root, service, progress, outcomes, options)


def _wait_until(due_ms: int) -> None:
    """Sleep, with a countdown on a terminal."""
    with err.status("") if err.is_terminal else nullcontext() as status:
        while (left_s := (due_ms - now_ms()) / 1000) > 0:
            if status:
                status.update(f"Waiting for footage: next attempt in {left_s:.0f} s")
            time.sleep(min(left_s, 0.5))
