"""A recording together with its sample index."""

from attrs import frozen

from application.ports import Recording
from domain.errors import NotRecordedYet, UnusableFootage
from domain.recording import RecordingSegment
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.index import SampleIndex, index_of
from infrastructure.mp4.range_cache import RangeCache


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
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"bytes {offset}+{length} are outside of {self.size_bytes}")
        return self.file.read(offset, length)


def open_mp4(
    segment: RecordingSegment, version: str, file: RangeCache, tolerance_ms: int
) -> Mp4Recording:
    """Read the index of a segment's file, and give the segment the duration of its media.

    NotRecordedYet if the recorder has not finished the file, UnusableFootage if it is no recording.
    """
    try:
        index = index_of(file)
    except NoMoov as error:
        raise NotRecordedYet(f"{segment.name} is not finished yet: {error}") from error
    except InvalidMp4 as error:
        raise UnusableFootage(f"{segment.name} is not a readable recording: {error}") from error
    if not index.has_video or index.duration_ms < 1:
        raise UnusableFootage(f"{segment.name} has no video.")
    segment = segment.with_media_duration(index.duration_ms, index.last_frame_ms, tolerance_ms)
    return Mp4Recording(segment, version, index, file)
