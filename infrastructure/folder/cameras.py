"""The folder's cameras and the status of clips."""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import Factory, frozen

from application.ports import CameraService
from domain.clip import ClipReport
from domain.errors import (
    ClipDeleted,
    NotRecordedYet,
    RecordingChanged,
    Rejected,
    Unavailable,
    UnusableFootage,
)
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.answers import DEFAULT_DURATION_MS, read_alias
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.folder.files import translating_os_errors, write_atomically
from infrastructure.folder.recordings import open_recording, recording_files
from infrastructure.formats.reports import ReportFormat

MAX_RECORDING_MS = 86_400_000
"""Recordings that start longer than this before a window are ignored."""


@frozen
class FolderCameraService(CameraService):
    """Cameras of `cameras.json`, else folders by their names; status of clips in `status/`.

    A file `status/<clip id>.deleted` marks a clip as deleted.
    """

    root: Path
    report_format: ReportFormat
    naming: SegmentNaming = Factory(SegmentNaming)

    def find_segments(
        self, camera_id: str, window: TimeWindow, deadline_s: float
    ) -> Sequence[RecordingSegment]:
        """Return the camera's recordings that overlap `window`, with the duration of their media.

        A file that cannot be read, or is being written, is assumed to be of the usual duration.
        Files without a start in their names (see `undated`) are left out, and so are those that
        start more than MAX_RECORDING_MS before the window.
        """
        with translating_os_errors(f"The recordings of {camera_id}", deadline_s):
            found = []
            for path in recording_files(self.root, self._alias(camera_id)):
                start_ms = self.naming.start_ms(path.name)
                if start_ms is None or not (
                    window.start_ms - MAX_RECORDING_MS < start_ms < window.end_ms
                ):
                    continue
                usual = TimeWindow(start_ms, start_ms + DEFAULT_DURATION_MS)
                segment = RecordingSegment(usual, path.name)
                with suppress(NotRecordedYet, UnusableFootage, RecordingChanged):
                    segment = open_recording(path, segment, segment.window, deadline_s, 0).segment
                if segment.window.overlaps(window):
                    found.append(segment)
            return found

    def undated(self, camera_id: str) -> list[str]:
        """Return the camera's files that are never found, because their names hold no start."""
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            names = (path.name for path in recording_files(self.root, self._alias(camera_id)))
            return [name for name in names if self.naming.start_ms(name) is None]

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Write the report to `status/`."""
        with translating_os_errors("The clip's status", deadline_s):
            if (self.root / "status" / f"{report.clip_id}.deleted").exists():
                raise ClipDeleted(f"The clip {report.clip_id} was deleted.")
            text = json.dumps(self.report_format.report(report), indent=1)
            write_atomically(self.root / "status" / f"{report.clip_id}.json", text)

    def _alias(self, camera_id: str) -> str:
        try:
            cameras = json.loads((self.root / "cameras.json").read_bytes())
        except FileNotFoundError:
            cameras = {}
        except ValueError as error:
            raise Unavailable("cameras.json is not JSON.") from error
        if not isinstance(cameras, dict):
            raise Unavailable("cameras.json is not an object with a key for each camera.")
        if camera_id in cameras:
            return _folder_name(camera_id, cameras[camera_id])
        if (self.root / "recordings" / camera_id).is_dir():
            return camera_id
        raise Rejected(f"unknown camera {camera_id}")


def _folder_name(camera_id: str, camera: object) -> str:
    fault = f"cameras.json has no alias for {camera_id} that can be a folder's name."
    try:
        alias = read_alias(camera)
    except Unavailable as error:
        raise Unavailable(fault) from error
    if "/" in alias:
        raise Unavailable(fault)
    return alias
