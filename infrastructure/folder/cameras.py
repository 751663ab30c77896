"""The folder's cameras and the status of clips."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from attrs import Factory, evolve, frozen

from application.ports import CameraService, LeftOut, Listing
from domain.clip import ClipReport
from domain.errors import (
    ClipDeleted,
    NotRecordedYet,
    RecordingChanged,
    Unavailable,
    UnusableFootage,
)
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import SUFFIXES, SegmentNaming
from infrastructure.folder.alias_folders import AliasFolders
from infrastructure.folder.camera_files import RecordingFiles, StoredFile
from infrastructure.folder.files import translating_os_errors, write_atomically
from infrastructure.folder.known_indexes import KnownIndexes
from infrastructure.folder.recordings import open_recording
from infrastructure.formats.reports import ReportFormat
from infrastructure.layouts.camera_files import CameraFiles

UNDATED = "its name holds no start time"
OTHER_KIND = f"its name does not end with {SUFFIXES}"


@frozen
class FolderCameraService(CameraService):
    """The cameras of a folder's recordings; status of clips in `status/`.

    A file `status/<clip id>.deleted` marks a clip as deleted.
    """

    root: Path
    report_format: ReportFormat
    naming: SegmentNaming = Factory(SegmentNaming)
    recorded: RecordingFiles = Factory(
        lambda self: AliasFolders(self.root, self.naming), takes_self=True
    )
    indexes: KnownIndexes = Factory(KnownIndexes)

    def cameras(self) -> Mapping[str, str]:
        """Return the cameras: by id, what they are called in the paths."""
        with translating_os_errors("The cameras", math.inf):
            return self.recorded.cameras()

    def files(self, camera_id: str, window: TimeWindow) -> CameraFiles[StoredFile]:
        """Return the files of a camera around a window, none of them opened."""
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            return self.recorded.files(camera_id, window)

    def outermost(self, camera_id: str, count: int, *, is_last: bool) -> CameraFiles[StoredFile]:
        """Return a camera's first or last files, with at least `count` recordings if it has them.

        None of them is opened, and few others are looked at.
        """
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            return self.recorded.outermost(camera_id, count, is_last=is_last)

    def find_latest(self, camera_id: str, instant_ms: int) -> RecordingSegment | None:
        """Return the recording that starts last before the end of a millisecond, by its name.

        It is not opened, and may end before. An unknown camera raises Rejected.
        """
        moment = TimeWindow(instant_ms, instant_ms + 1)
        files = self.files(camera_id, moment)
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            around = files.around(moment, StoredFile.written_ms)
            return next((segment for segment, file in around if file.is_recording), None)

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return the camera's recordings that overlap `window`, with the duration of their media.

        A recording that cannot be read, or is being written, may hold footage until the next one
        begins, or else for as long as its last modification allows. It is listed, so that opening
        it reports why. Files of another kind are left out by name, and so are those whose names
        hold no start.
        Recordings that start long before the window are ignored (`CameraFiles`).
        """
        with translating_os_errors(f"The recordings of {camera_id}", deadline_s):
            files = self.recorded.files(camera_id, window)
            left_out = [LeftOut(name, UNDATED) for name in files.undated]
            segments = []
            for segment, file in files.around(window, StoredFile.written_ms):
                if not file.is_recording:
                    left_out.append(LeftOut(file.name, OTHER_KIND))
                    continue
                found = segment
                with suppress(NotRecordedYet, UnusableFootage, RecordingChanged, Unavailable):
                    opened = open_recording(
                        file.path, segment, window, deadline_s, 0, self.indexes
                    ).segment
                    # Names hold no end: shorter media is followed by a gap, not at another rate.
                    is_longer = opened.window.duration_ms > segment.listed_ms
                    listed_ms = segment.listed_ms if is_longer else 0
                    found = RecordingSegment(opened.window, file.name, listed_ms)
                if found.window.overlaps(window):
                    segments.append(evolve(found, notes=(file.note,) if file.note else ()))
            return Listing(tuple(segments), tuple(left_out))

    def undated(self, camera_id: str) -> list[str]:
        """Return the camera's files that are never found, because their names hold no start."""
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            return list(self.recorded.undated(camera_id))

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Write the report to `status/`."""
        with translating_os_errors("The clip's status", deadline_s):
            if (self.root / "status" / f"{report.clip_id}.deleted").exists():
                raise ClipDeleted(f"The clip {report.clip_id} was deleted.")
            text = json.dumps(self.report_format.report(report), indent=1)
            write_atomically(self.root / "status" / f"{report.clip_id}.json", text)
