"""A recording together with its sample index."""

from collections.abc import Callable
from contextlib import suppress

from attrs import evolve, frozen

from application.ports import Recording
from domain.errors import NotFinishedYet, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.frame_times import frame_times, indexed_around
from infrastructure.mp4.index import SampleIndex, index_of
from infrastructure.mp4.range_cache import RangeCache

MAX_DEVIATION = 50
"""The listed duration may differ by a fiftieth before all fragments of a file are read."""


@frozen(eq=False)
class Mp4Recording(Recording):
    """An MP4 file, read through a cache that fetches only bytes of `version`."""

    segment: RecordingSegment
    version: str
    index: SampleIndex
    file: RangeCache

    @property
    def size_bytes(self) -> int:  # type: ignore[override]
        """The file's size."""
        return self.file.size_bytes

    @property
    def read_bytes(self) -> int:  # type: ignore[override]
        """How many bytes were fetched."""
        return self.file.fetched_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on."""
        return self._read(offset, length, keep=True)

    def read_once(self, offset: int, length: int) -> bytes:
        """Return the same bytes, and do not cache what is fetched for it."""
        return self._read(offset, length, keep=False)

    def _read(self, offset: int, length: int, *, keep: bool) -> bytes:
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"bytes {offset}+{length} are outside of {self.size_bytes}")
        return self.file.read(offset, length, keep=keep)


def open_mp4(  # noqa: PLR0913, PLR0917
    segment: RecordingSegment,
    window: TimeWindow,
    version: str,
    file: RangeCache,
    tolerance_ms: int,
    read: Callable[[RangeCache], SampleIndex] = index_of,
) -> Mp4Recording:
    """Read the index of a segment's file, and give the segment its stretches within `window`.

    NotFinishedYet if the recorder has not finished the file, UnusableFootage if it is no recording.
    """
    start_ms = segment.window.start_ms
    try:
        index = read(file)
        if _is_contradicted(index, segment.listed_ms, tolerance_ms):
            with suppress(InvalidMp4):  # Parts of a damaged file may be good.
                index = index.whole()
        known = indexed_around(index, window.start_ms - start_ms, window.end_ms - start_ms)
        if known and known.is_whole:
            index = known
        times = frame_times(index, known)
    except NoMoov as error:
        raise NotFinishedYet(f"{segment.name} is not finished yet: {error}") from error
    except InvalidMp4 as error:
        raise UnusableFootage(f"{segment.name} is not a readable recording: {error}") from error
    if times is None:
        raise UnusableFootage(f"{segment.name} has no video.")
    times = evolve(times, notes=tuple(f"{segment.name}: {note}" for note in times.notes))
    return Mp4Recording(segment.opened(times, tolerance_ms), version, index, file)


def _is_contradicted(index: SampleIndex, listed_ms: int, tolerance_ms: int) -> bool:
    """Return whether the recorder's clock may have stepped between the ends of the file.

    Only its first and last fragments have been read then, and their times may not show it.
    """
    allowed_ms = max(tolerance_ms, listed_ms // MAX_DEVIATION)
    return listed_ms > 0 and not index.is_whole and abs(index.duration_ms - listed_ms) > allowed_ms
