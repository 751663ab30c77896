"""Cameras of which nothing is known but their recordings in a bucket."""

import re
from collections.abc import Iterator
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from application.ports import CameraService, LeftOut, Listing
from domain.clip import IDENTIFIER, ClipReport
from domain.errors import Rejected
from domain.window import HOUR_MS, TimeWindow
from infrastructure.camera_api.names import SUFFIXES
from infrastructure.layouts.camera_files import CameraFiles
from infrastructure.layouts.clock_changes import DatedFile, dated, near_repeated_times
from infrastructure.layouts.key_ranges import camera_prefix, key_ranges, next_place
from infrastructure.layouts.layout import Layout
from infrastructure.layouts.pattern import Pattern
from infrastructure.layouts.pruning import StartRange, start_range
from infrastructure.s3.listing import BucketFolder, ListedKey

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from domain.recording import RecordingSegment
    from infrastructure.layouts.wall_clock import Stamp

LOOK_BACKS_MS = (HOUR_MS, 4 * HOUR_MS)
"""How long before a window the recordings are listed at first, which is enough if one of them
starts before it: with files of ten seconds, each hour is 360 keys."""


@frozen
class S3CameraService(CameraService):
    """The recordings that a bucket lists, in a layout. A segment's name is its key in the folder.

    The ids of cameras are what the keys call them. No status is stored: a clip's manifest and its
    notification have it.
    """

    client: "S3Client"
    bucket: str
    layout: Layout
    zone: tzinfo = UTC
    """Of the times in the keys, unless they hold their offset."""
    folder: str = ""

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return the camera's recordings that may overlap `window`, by their keys alone.

        A recording is assumed to last until the next one starts, the last one for as long as the
        layout allows. A camera without any recording may have some later, so it is not rejected,
        but remarked on.
        """
        if not re.fullmatch(IDENTIFIER, camera_id):
            raise Rejected(f"unknown camera {camera_id!a}")
        files = self._files(camera_id, window, deadline_s)
        segments: list[RecordingSegment] = []
        left_out: list[LeftOut] = []
        for segment, file in files.around(window, _unknown_ms):
            if not segment.window.overlaps(window):
                continue
            if file.is_recording:
                segments.append(evolve(segment, notes=(file.note,) if file.note else ()))
            else:
                left_out.append(LeftOut(file.name, f"its name does not end with {SUFFIXES}"))
        remark = "" if files.dated else self._remark(camera_id, deadline_s)
        return Listing(tuple(segments), tuple(left_out), remark)

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Do nothing: no clip is known here, so none is deleted either."""

    def _files(self, camera: str, window: TimeWindow, deadline_s: float) -> CameraFiles[DatedFile]:
        """Return the camera's files, from the last one that starts before the window on."""
        max_recording_ms = self.layout.max_recording_ms
        files = CameraFiles[DatedFile]()
        for look_back_ms in (*LOOK_BACKS_MS, max_recording_ms):
            if look_back_ms > max_recording_ms:
                continue
            objects = self._objects(camera, window, look_back_ms, deadline_s)
            files = CameraFiles(tuple(objects), (), max_recording_ms)
            if any(file.is_recording and file.start_ms <= window.start_ms for file in objects):
                break
        return files

    def _objects(
        self, camera: str, window: TimeWindow, look_back_ms: int, deadline_s: float
    ) -> list[DatedFile]:
        stamps: dict[str, Stamp] = {}
        written_ms: dict[str, int] = {}
        for pattern in self.layout.patterns:
            starts = start_range(pattern, window, look_back_ms, self.zone)
            own = pattern.of_camera(camera)
            for key in self._keys(pattern, camera, starts, deadline_s):
                placed = own.place(key.path) if _is_visible(key.path) else None
                if placed and starts.first <= placed.stamp.local <= starts.last:
                    stamps.setdefault(key.path, placed.stamp)
                    written_ms[key.path] = key.written_ms
        near = near_repeated_times(stamps, self.zone)
        return dated(stamps, {name: written_ms[name] for name in near}, self.zone)

    def _keys(
        self, pattern: Pattern, camera: str, starts: StartRange, deadline_s: float
    ) -> Iterator[ListedKey]:
        for keys in key_ranges(pattern, camera, starts):
            leap = partial(next_place, pattern, starts)
            yield from BucketFolder(self.client, self.bucket, self.folder).keys_within(
                keys, leap, deadline_s
            )

    def _remark(self, camera: str, deadline_s: float) -> str:
        """Return that the bucket has nothing of the camera, if it can be known; else nothing."""
        there = BucketFolder(self.client, self.bucket, self.folder)
        prefixes = [camera_prefix(pattern, camera) for pattern in self.layout.patterns]
        if any(p is None or there.first_keys(p, 1, deadline_s) for p in prefixes):
            return ""
        named = " or ".join(dict.fromkeys(filter(None, prefixes)))
        return (
            f"No key of the recordings' bucket begins with {named}: either the camera {camera} has"
            " not recorded yet, or it is called otherwise there."
        )


def _unknown_ms(_: DatedFile) -> int:
    """Return no time for that at which a recording was last written.

    S3 dates an object that is uploaded in parts by the beginning of its upload (S3 user guide,
    "System-defined object metadata"), at which a recorder that streams has hardly begun to record.
    """
    return 0


def _is_visible(path: str) -> bool:
    """Return whether a path can be shown to people, and no part of it is hidden."""
    return path.isprintable() and not any(name.startswith(".") for name in path.split("/"))
