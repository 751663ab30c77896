"""The cameras of the deployed service, and their footage."""

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo
from heapq import nlargest
from threading import Lock

from attrs import define, field

from application.ports import Listing
from application.survey_footage import survey, survey_by_starts
from domain.errors import ClipError, NotFinishedYet, NotRecordedYet, Rejected, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import DAY_MS, HOUR_MS, TimeWindow
from entrypoints.cli.cameras import CameraFacts
from entrypoints.cli.service import call_deadline_s
from entrypoints.cli.times import now_ms
from entrypoints.container import AwsService
from entrypoints.serve.found_footage import (
    MAX_OPENED,
    FoundFootage,
    LeftOutFile,
    claimed_window,
    opened_footage,
)
from entrypoints.serve.ports import MAX_TRIED
from entrypoints.serve.problems import NO_PICTURE, UNKNOWN_CAMERA, Problem
from entrypoints.settings import BUCKET
from infrastructure.s3 import BucketFolder
from infrastructure.s3.camera_folders import cameras_with_folders

LISTING_S = 60
LISTED_S = 60
"""For so long, the list of cameras is not made again."""
CONCURRENCY = 8
MAX_KEPT = 5000
KEPT_S = 600
"""For so long, a recording is taken to be as it was opened: recorders do not change them."""

logger = logging.getLogger(__name__)


@define
class OpenedRecordings:
    """What recordings hold, each opened once in a while."""

    service: AwsService
    _kept: "OrderedDict[RecordingSegment, tuple[float, RecordingSegment | LeftOutFile]]" = field(
        factory=OrderedDict
    )
    """By what was listed: until when it is kept, on the monotonic clock, and what it holds."""
    _lock: Lock = field(factory=Lock)

    def open_all(
        self, segments: Sequence[RecordingSegment]
    ) -> list[RecordingSegment | LeftOutFile]:
        """Return the segments with their stretches, or why they have none."""
        with ThreadPoolExecutor(CONCURRENCY) as openers:
            return list(openers.map(self.open, segments))

    def open(self, segment: RecordingSegment) -> RecordingSegment | LeftOutFile:
        """Return the segment with its stretches, or why it has none."""
        with self._lock:
            kept = self._kept.get(segment)
        if kept and time.monotonic() < kept[0]:
            return kept[1]
        try:
            found = self._open(segment)
        except NotRecordedYet as error:  # it may be whole a moment later
            is_unfinished = isinstance(error, NotFinishedYet)
            return LeftOutFile(segment.name, claimed_window(segment), str(error), is_unfinished)
        with self._lock:
            self._kept[segment] = (time.monotonic() + KEPT_S, found)
            self._kept.move_to_end(segment)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return found

    def _open(self, segment: RecordingSegment) -> RecordingSegment | LeftOutFile:
        store = self.service.recordings()
        try:
            return store.open(segment, segment.window, call_deadline_s()).segment
        except UnusableFootage as error:
            return LeftOutFile(segment.name, claimed_window(segment), str(error))


@define
class AwsCameras:
    """The cameras that are named, and those with folders in the recordings' bucket.

    The camera API has no list of cameras.
    """

    service: AwsService
    named: Sequence[str]
    opened: OpenedRecordings
    max_footage_ms: int = 8 * DAY_MS
    """Of files of ten seconds, this takes 70 requests."""
    _known: list[CameraFacts] = field(factory=list)
    _known_until_s: float = 0
    _lock: Lock = field(factory=Lock)

    @property
    def zone(self) -> tzinfo:
        """The zone of CLIP_TZ."""
        return self.service.settings().zone

    def known(self) -> list[CameraFacts]:
        """Return the cameras, with the last start of the last hour or so; none is counted."""
        with self._lock:
            if time.monotonic() >= self._known_until_s:
                ids = sorted({*self.named, *self._with_folders()})
                with ThreadPoolExecutor(CONCURRENCY) as askers:
                    self._known = list(askers.map(self._facts, ids))
                self._known_until_s = time.monotonic() + LISTED_S
            return self._known

    def require(self, camera_id: str, at_ms: int) -> None:
        """Raise a Problem if the camera is unknown, or the bucket has nothing of it."""
        self._listed(camera_id, TimeWindow(at_ms, at_ms + 1))

    def find_latest(self, camera_id: str, instant_ms: int) -> RecordingSegment | None:
        """Return None: the same list of recordings is needed."""
        del camera_id, instant_ms
        return None

    def footage(self, camera_id: str, window: TimeWindow) -> FoundFootage:
        """Open the window's recordings, unless there are too many."""
        listing = self._listed(camera_id, window)
        segments = list(dict.fromkeys(listing.segments))
        tolerance_ms = self.service.settings().seam_tolerance_ms
        if len(segments) <= MAX_OPENED:
            left_out = [LeftOutFile(each.name, None, str(each)) for each in listing.left_out]
            return opened_footage(
                window, [*self.opened.open_all(segments), *left_out], tolerance_ms
            )
        if any(segment.is_end_assumed for segment in segments):
            starts_ms = [segment.window.start_ms for segment in segments]
            return FoundFootage(survey_by_starts(window, starts_ms))
        return FoundFootage(survey(window, segments, tolerance_ms))

    def last_moments(self, camera_id: str) -> Iterator[int]:
        """Yield the last instants of the last hour's last recordings that can be opened."""
        listed = self._listed(camera_id, last_hour()).segments
        if not listed:
            raise Problem(NO_PICTURE, "The camera has no recording of the last hour.")
        newest = nlargest(MAX_TRIED, set(listed), key=lambda segment: segment.window.start_ms)
        for found in map(self.opened.open, newest):
            if not isinstance(found, LeftOutFile) and found.stretches:
                yield found.stretches[-1].end_ms - 1

    def _listed(self, camera_id: str, window: TimeWindow) -> Listing:
        deadline_s = time.monotonic() + LISTING_S
        try:
            listing = self.service.cameras().find_segments(camera_id, window, deadline_s)
        except Rejected as error:
            raise Problem(UNKNOWN_CAMERA, str(error)) from error
        if listing.remark:
            raise Problem(UNKNOWN_CAMERA, listing.remark)
        return listing

    def _with_folders(self) -> list[str]:
        aws = self.service.aws()
        if aws.cameras != BUCKET or aws.recording_layout is None:
            return []
        there = BucketFolder(self.service.s3(), aws.origin_bucket, aws.origin_folder)
        return cameras_with_folders(there, aws.recording_layout, time.monotonic() + LISTING_S)

    def _facts(self, camera_id: str) -> CameraFacts:
        """Return what is known of a camera; a camera that cannot be asked about is logged."""
        window, deadline_s = last_hour(), call_deadline_s()
        try:
            listing = self.service.cameras().find_segments(camera_id, window, deadline_s)
        except ClipError as error:
            logger.warning("The camera %s cannot be asked about: %s", camera_id, error)
            return CameraFacts(camera_id, camera_id, None)
        last_ms = max((segment.window.start_ms for segment in listing.segments), default=None)
        return CameraFacts(camera_id, camera_id, None, None, last_ms)


def last_hour() -> TimeWindow:
    """Return the window whose list shows what a camera recorded last."""
    at_ms = now_ms()
    return TimeWindow(at_ms - HOUR_MS, at_ms)
