"""Which files a camera has, and which windows they may cover: what names and times say of it."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from heapq import nlargest
from typing import Generic, TypeVar

from attrs import frozen

from domain.recording import RecordingSegment
from domain.window import DAY_MS, TimeWindow
from infrastructure.camera_api.answers import DEFAULT_DURATION_MS
from infrastructure.camera_api.names import stem_of
from infrastructure.layouts.clock_changes import DatedFile

CLOCKS_DIFFER_MS = 60_000
"""By how much the clock in the names may be ahead of that of the modification times."""
MAX_EARLIER = 20
"""How many recordings that end before a window by the names, the latest ones, may last into it:
those that were written that late."""

F = TypeVar("F", bound=DatedFile)


@frozen
class CameraFiles(Generic[F]):
    """What a camera has around a window."""

    dated: tuple[F, ...] = ()
    undated: tuple[str, ...] = ()
    """Names of recordings that hold no start."""
    max_recording_ms: int = DAY_MS
    """Recordings that start longer than this before a window are ignored."""

    def around(
        self, window: TimeWindow, written_ms: Callable[[F], int]
    ) -> Iterator[tuple[RecordingSegment, F]]:
        """Yield the files that may overlap `window`, with the longest windows they may cover.

        A recording ends where the next begins at the latest by the names, a file of another kind
        also where another such file does. Recordings may be longer than that: the last ones before
        the window are yielded, too, if they were written that late. `written_ms` returns when a
        file was last written, in ms since the epoch; few files need it.
        """
        kinds = [(file, file.is_recording) for file in self.dated]
        recordings = [file for file, is_recording in kinds if is_recording]
        starts_ms = sorted(file.start_ms for file in recordings)
        stems: set[str] = set()
        all_starts_ms = starts_ms
        if len(recordings) < len(self.dated):
            stems = {stem_of(file.name) for file in recordings}
            all_starts_ms = sorted(file.start_ms for file in self.dated)
        earlier: list[F] = []
        for file, is_recording in kinds:
            is_early = file.start_ms <= window.start_ms - self.max_recording_ms
            if is_early or file.start_ms >= window.end_ms:
                continue
            if not is_recording and stem_of(file.name) in stems:
                continue
            starts = starts_ms if is_recording else all_starts_ms
            at = bisect_right(starts, file.start_ms)
            if at < len(starts) and starts[at] <= window.start_ms:
                if is_recording:
                    earlier.append(file)
                continue
            segment = self._segment(file, starts, written_ms)
            if is_recording or segment.window.overlaps(window):
                yield segment, file
        latest = nlargest(MAX_EARLIER, earlier, key=lambda file: file.start_ms)
        for file in latest:
            if _may_last_until(file, written_ms(file), window.start_ms):
                yield self._segment(file, starts_ms, written_ms), file

    def _segment(
        self, file: F, starts_ms: Sequence[int], written_ms: Callable[[F], int]
    ) -> RecordingSegment:
        """Return the file with the window that it covers if it lasts until the next one starts."""
        at = bisect_right(starts_ms, file.start_ms)
        is_last = at == len(starts_ms)
        end_ms = _latest_end_ms(file, written_ms(file)) if is_last else starts_ms[at]
        possible = TimeWindow(file.start_ms, min(end_ms, file.start_ms + self.max_recording_ms))
        return RecordingSegment(possible, file.name, _listed_ms(starts_ms, at), is_end_assumed=True)


def _latest_end_ms(file: DatedFile, written_ms: int) -> int:
    """Return when the camera's last recording ends at the latest.

    Nothing was recorded after the file was last written, if that time makes sense.
    """
    if written_ms <= file.start_ms:
        return file.start_ms + DAY_MS
    return max(written_ms + CLOCKS_DIFFER_MS, file.start_ms + DEFAULT_DURATION_MS)


def _may_last_until(file: DatedFile, written_ms: int, instant_ms: int) -> bool:
    """Return whether a recording was still written at an instant, or its time makes no sense."""
    return written_ms <= file.start_ms or written_ms + CLOCKS_DIFFER_MS >= instant_ms


def _listed_ms(starts_ms: Sequence[int], following: int) -> int:
    """Return how long a recording lasts by the names alone: until the one at `following` begins.

    The last is taken to be as long as the one before.
    """
    at = min(following, len(starts_ms) - 1)
    return starts_ms[at] - starts_ms[at - 1] if at else 0
