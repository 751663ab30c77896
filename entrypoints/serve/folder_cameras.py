"""The cameras of a session's folder, and their footage."""

import re
import time
from collections import OrderedDict
from collections.abc import Iterator
from datetime import tzinfo
from heapq import nlargest
from threading import Lock

from attrs import define, field, frozen

from application.survey_footage import survey_by_starts
from domain.clip import IDENTIFIER
from domain.errors import (
    NotFinishedYet,
    NotRecordedYet,
    RecordingChanged,
    Rejected,
    UnusableFootage,
)
from domain.recording import RecordingSegment
from domain.window import DAY_MS, TimeWindow
from entrypoints.cli.cameras import CameraFacts
from entrypoints.cli.session import Session
from entrypoints.container import Service
from entrypoints.serve.found_footage import (
    MAX_OPENED,
    FoundFootage,
    LeftOutFile,
    claimed_window,
    opened_footage,
)
from entrypoints.serve.ports import MAX_TRIED
from entrypoints.serve.problems import UNKNOWN_CAMERA, Problem
from infrastructure.folder.camera_files import StoredFile
from infrastructure.folder.cameras import OTHER_KIND
from infrastructure.layouts.camera_files import CameraFiles

MAX_KEPT = 5000
READ_S = 20


@define
class OpenedFiles:
    """What recordings hold, opened once each as long as they do not change."""

    session: Session
    _kept: "OrderedDict[tuple[object, ...], RecordingSegment | LeftOutFile]" = field(
        factory=OrderedDict
    )
    _lock: Lock = field(factory=Lock)

    def open(self, segment: RecordingSegment, file: StoredFile) -> RecordingSegment | LeftOutFile:
        """Return the segment with its stretches, or why it has none."""
        try:
            stat = file.path.stat()
        except OSError as error:
            claimed = claimed_window(segment)
            return LeftOutFile(file.name, claimed, error.strerror or "It cannot be read.")
        key = (file.name, segment, stat.st_size, stat.st_mtime_ns, stat.st_ino)
        with self._lock:
            if found := self._kept.get(key):
                self._kept.move_to_end(key)
                return found
        found = self._open(segment, file, stat.st_mtime_ns // 1_000_000)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found

    def _open(
        self, segment: RecordingSegment, file: StoredFile, written_ms: int
    ) -> RecordingSegment | LeftOutFile:
        if not file.is_recording:
            claimed = claimed_window(segment)
            return LeftOutFile(file.name, claimed, f"{file.name}: {OTHER_KIND}.")
        try:
            store = self.session.service.recordings()
            return store.open(segment, segment.window, time.monotonic() + READ_S).segment
        except (NotRecordedYet, UnusableFootage, RecordingChanged) as error:
            is_unfinished = isinstance(error, NotFinishedYet)
            claimed = claimed_window(segment, written_ms if is_unfinished else None)
            return LeftOutFile(file.name, claimed, str(error), is_unfinished)


@frozen
class FolderCameras:
    """The cameras of a folder."""

    session: Session
    opened: OpenedFiles
    max_footage_ms: int = 400 * DAY_MS

    @property
    def service(self) -> Service:
        """The session's service."""
        return self.session.service

    @property
    def zone(self) -> tzinfo:
        """The session's zone."""
        return self.session.zone

    def known(self) -> list[CameraFacts]:
        """Return the cameras, by names of files alone."""
        return [
            self._facts(camera_id, name)
            for camera_id, name in self.session.cameras.cameras().items()
            if re.fullmatch(IDENTIFIER, camera_id)
        ]

    def _facts(self, camera_id: str, name: str) -> CameraFacts:
        """Return when the first and the last recording start; the others are not looked for."""
        first_ms, last_ms = (self._outermost_ms(camera_id, n, is_last=n > 1) for n in (1, 2))
        if not first_ms or not last_ms:
            return CameraFacts(camera_id, name)
        usual_ms = last_ms[-1] - last_ms[-2] if len(last_ms) > 1 else None
        return CameraFacts(camera_id, name, None, first_ms[0], last_ms[-1], usual_ms)

    def _outermost_ms(self, camera_id: str, count: int, *, is_last: bool) -> list[int]:
        found = self.session.cameras.outermost(camera_id, count, is_last=is_last)
        return sorted(file.start_ms for file in found.dated if file.is_recording)

    def require(self, camera_id: str, at_ms: int) -> None:
        """Raise a Problem if there is no such camera."""
        self._files(camera_id, TimeWindow(at_ms, at_ms + 1))

    def find_latest(self, camera_id: str, instant_ms: int) -> RecordingSegment | None:
        """Return the recording that starts last before the end of a millisecond, by its name."""
        return self.session.cameras.find_latest(camera_id, instant_ms)

    def footage(self, camera_id: str, window: TimeWindow) -> FoundFootage:
        """Open the window's recordings, unless there are too many."""
        around = list(self._files(camera_id, window).around(window, StoredFile.written_ms))
        if len(around) > MAX_OPENED:
            starts_ms = [file.start_ms for _, file in around if file.is_recording]
            return FoundFootage(survey_by_starts(window, starts_ms))
        opened = (self.opened.open(segment, file) for segment, file in around)
        return opened_footage(window, opened, self.service.settings().seam_tolerance_ms)

    def last_moments(self, camera_id: str) -> Iterator[int]:
        """Yield the last instants of a camera's last recordings that can be opened."""
        try:
            files = self.session.cameras.outermost(camera_id, MAX_TRIED, is_last=True)
        except Rejected as error:
            raise Problem(UNKNOWN_CAMERA, str(error)) from error
        recordings = (file for file in files.dated if file.is_recording)
        for last in nlargest(MAX_TRIED, recordings, key=lambda file: file.start_ms):
            start = TimeWindow(last.start_ms, last.start_ms + 1)
            for segment, file in files.around(start, StoredFile.written_ms):
                found = self.opened.open(segment, file) if file == last else None
                if found and not isinstance(found, LeftOutFile) and found.stretches:
                    yield found.stretches[-1].end_ms - 1

    def _files(self, camera_id: str, window: TimeWindow) -> CameraFiles[StoredFile]:
        """Return a camera's files around a window, unopened."""
        try:
            return self.session.cameras.files(camera_id, window)
        except Rejected as error:
            raise Problem(UNKNOWN_CAMERA, str(error)) from error
