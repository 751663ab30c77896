"""A recording together with its sample index."""

from attrs import field, frozen

from application.ports import Recording
from domain.errors import NotRecordedYet, UnusableFootage
from domain.recording import RecordingSegment
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.index import SampleIndex, read_index


@frozen(eq=False)
class Counted:
    """Reads, and remembers how much."""

    fetch: Read
    lengths: list[int] = field(factory=list)
    """Of each read; appended to, since several threads read at once."""

    def __call__(self, offset: int, length: int) -> bytes:
        """Read."""
        data = self.fetch(offset, length)
        self.lengths.append(len(data))
        return data


def counted(fetch: Read) -> Counted:
    """Let reads be counted, if they are not yet."""
    return fetch if isinstance(fetch, Counted) else Counted(fetch)


@frozen(eq=False)
class Mp4Recording(Recording):
    """An MP4 file whose bytes `fetch` gives, range by range, each checked to be of `version`."""

    segment: RecordingSegment
    size_bytes: int
    version: str
    index: SampleIndex
    fetch: Counted = field(converter=counted)

    @property
    def read_bytes(self) -> int:  # type: ignore[override]
        """Add up what was read."""
        return sum(self.fetch.lengths)

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on."""
        check_range(offset, length, self.size_bytes)
        return self.index.read_with(self.fetch, offset, length)

    def slice(self, from_ms: int, to_ms: int) -> SampleIndex:
        """Return an index that holds at least what presents from_ms <= time < to_ms of the media.

        UnusableFootage if the file lies there.
        """
        try:
            return self.index.slice(from_ms, to_ms)
        except InvalidMp4 as error:
            raise UnusableFootage(f"{self.segment.name} cannot be read: {error}") from error


def open_mp4(
    segment: RecordingSegment, size_bytes: int, version: str, fetch: Read, tolerance_ms: int
) -> Mp4Recording:
    """Read the index of a segment's file and measure the segment by it.

    NotRecordedYet if the recorder has not finished the file, UnusableFootage if it is no recording.
    """
    fetch = counted(fetch)
    try:
        index = read_index(fetch, size_bytes)
    except NoMoov as error:
        raise NotRecordedYet(f"{segment.name} is not finished yet: {error}") from error
    except InvalidMp4 as error:
        raise UnusableFootage(
            f"{segment.name} is no recording that can be read: {error}"
        ) from error
    if not index.has_video or index.duration_ms < 1:
        raise UnusableFootage(f"{segment.name} holds no video.")
    measured = segment.with_media_duration(index.duration_ms, index.last_frame_ms, tolerance_ms)
    return Mp4Recording(measured, size_bytes, version, index, fetch)


def check_range(offset: int, length: int, size_bytes: int) -> None:
    """ValueError unless the range lies within a file of `size_bytes`."""
    if offset < 0 or length < 0 or offset + length > size_bytes:
        raise ValueError(f"bytes {offset}+{length} lie outside of {size_bytes}")
