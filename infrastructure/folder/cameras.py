"""The folder's cameras and the status of clips."""

import json
import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from attrs import Factory, frozen

from application.ports import CameraService, LeftOut, Listing
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
from infrastructure.camera_api.names import SUFFIXES, SegmentNaming, is_recording_name, stem_of
from infrastructure.folder.files import translating_os_errors, write_atomically
from infrastructure.folder.recordings import camera_files, open_recording
from infrastructure.formats.reports import ReportFormat

MAX_RECORDING_MS = 86_400_000
"""Recordings that start longer than this before a window are ignored."""
CLOCKS_DIFFER_MS = 60_000
"""By how much the clock in the names may be ahead of the file system's."""
UNDATED = "its name holds no start time"
OTHER_KIND = f"its name does not end with {SUFFIXES}"


@frozen
class FolderCameraService(CameraService):
    """Cameras of `cameras.json`, else folders by their names; status of clips in `status/`.

    A file `status/<clip id>.deleted` marks a clip as deleted.
    """

    root: Path
    report_format: ReportFormat
    naming: SegmentNaming = Factory(SegmentNaming)

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return the camera's recordings that overlap `window`, with the duration of their media.

        A recording that cannot be read, or is being written, may hold footage until the next one
        begins, or else for as long as `_latest_end_ms` says. It is listed, so that opening it
        reports why. Files of another kind are left out by name, and so are those whose names hold
        no start.
        Recordings that start more than MAX_RECORDING_MS before the window are ignored.
        """
        with translating_os_errors(f"The recordings of {camera_id}", deadline_s):
            files = camera_files(self.root, self._alias(camera_id))
            left_out = [LeftOut(name, UNDATED) for name in self._undated(files)]
            segments = []
            for segment, path in self._dated(files, window):
                if not is_recording_name(path.name):
                    left_out.append(LeftOut(path.name, OTHER_KIND))
                    continue
                found = segment
                with suppress(NotRecordedYet, UnusableFootage, RecordingChanged, Unavailable):
                    opened = open_recording(path, segment, window, deadline_s, 0).segment
                    # Names hold no end: shorter media is followed by a gap, not at another rate.
                    is_longer = opened.window.duration_ms > segment.listed_ms
                    listed_ms = segment.listed_ms if is_longer else 0
                    found = RecordingSegment(opened.window, path.name, listed_ms)
                if found.window.overlaps(window):
                    segments.append(found)
            return Listing(tuple(segments), tuple(left_out))

    def _dated(
        self, files: Sequence[Path], window: TimeWindow
    ) -> Iterator[tuple[RecordingSegment, Path]]:
        """Yield the files that may overlap `window`, with the longest windows they may cover.

        A recording ends where the next begins at the latest, a file of another kind also where
        another such file does.
        """
        dated = [
            (start_ms, path)
            for path in files
            if (start_ms := self.naming.start_ms(path.name)) is not None
        ]
        recordings = [(start_ms, path) for start_ms, path in dated if is_recording_name(path.name)]
        stems = {stem_of(path.name) for _, path in recordings}
        starts_ms = {
            True: sorted(start_ms for start_ms, _ in recordings),
            False: sorted(start_ms for start_ms, _ in dated),
        }
        for start_ms, path in dated:
            is_recording = is_recording_name(path.name)
            if not window.start_ms - MAX_RECORDING_MS < start_ms < window.end_ms or (
                not is_recording and stem_of(path.name) in stems
            ):
                continue
            starts = starts_ms[is_recording]
            at = bisect_right(starts, start_ms)
            end_ms = starts[at] if at < len(starts) else _latest_end_ms(path, start_ms)
            possible = TimeWindow(start_ms, min(end_ms, start_ms + MAX_RECORDING_MS))
            if is_recording or possible.overlaps(window):
                yield RecordingSegment(possible, path.name, _listed_ms(starts, at)), path

    def _undated(self, files: Sequence[Path]) -> list[str]:
        names = (path.name for path in files if is_recording_name(path.name))
        return [name for name in names if self.naming.start_ms(name) is None]

    def undated(self, camera_id: str) -> list[str]:
        """Return the camera's files that are never found, because their names hold no start."""
        with translating_os_errors(f"The recordings of {camera_id}", math.inf):
            return self._undated(camera_files(self.root, self._alias(camera_id)))

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


def _latest_end_ms(path: Path, start_ms: int) -> int:
    """Return when a recording that begins at `start_ms`, the camera's last, ends at the latest.

    Nothing was recorded after the file was last written, if that time makes sense.
    """
    written_ms = path.stat().st_mtime_ns // 1_000_000
    if written_ms <= start_ms:
        return start_ms + MAX_RECORDING_MS
    return max(written_ms + CLOCKS_DIFFER_MS, start_ms + DEFAULT_DURATION_MS)


def _listed_ms(starts_ms: Sequence[int], following: int) -> int:
    """Return how long a recording lasts by the names alone: until the one at `following` begins.

    The last is taken to be as long as the one before.
    """
    at = min(following, len(starts_ms) - 1)
    return starts_ms[at] - starts_ms[at - 1] if at else 0


def _folder_name(camera_id: str, camera: object) -> str:
    fault = f"cameras.json has no alias for {camera_id} that can be a folder's name."
    try:
        alias = read_alias(camera)
    except Unavailable as error:
        raise Unavailable(fault) from error
    if "/" in alias:
        raise Unavailable(fault)
    return alias
