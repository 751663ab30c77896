"""The few bytes of a recording that a cut needs, as a small MP4 of their own."""

from collections.abc import Iterable
from pathlib import Path

from attrs import field, frozen

from domain.errors import UnusableFootage
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.writer import write_excerpt
from infrastructure.splicing.frames import CutSource


@frozen
class FileSample:
    """A sample's bytes in a local file."""

    path: Path
    offset: int
    length: int


@frozen(eq=False)
class RecordingSample:
    """A sample's bytes where the recording has them: not read yet."""

    source: CutSource = field(repr=False)
    offset: int
    length: int


Sample = FileSample | RecordingSample


def in_recording(source: CutSource, track: Track, samples: Iterable[int]) -> list[RecordingSample]:
    """Say where the recording has the samples of one of its tracks."""
    return [RecordingSample(source, track.offsets[i], track.sizes[i]) for i in samples]


@frozen(eq=False)
class Excerpt:
    """A window file: time in it is the recording's less `pts_offset`, in ticks of the video."""

    source: CutSource
    path: Path
    pts_offset: int

    @property
    def first_shown(self) -> int:
        """When the first wanted frame is shown, in the window's video ticks."""
        return self.source.video.pts[self.source.frames[0]] - self.pts_offset

    @property
    def last_shown(self) -> int:
        """When the last wanted frame is shown, in the window's video ticks."""
        return self.source.video.pts[self.source.frames[-1]] - self.pts_offset


def open_excerpt(source: CutSource, path: Path, audio: range = range(0)) -> Excerpt:
    """Write what it takes to decode the take's frames, and the sound samples `audio`, to `path`.

    UnusableFootage where the recording's tables cannot be those of a window.
    """
    first, last = source.decoded_from, max(source.frames)
    try:
        with path.open("wb") as out:
            note = write_excerpt(source.index, source.recording.read, first, last, out, audio)
    except InvalidMp4 as error:
        name = source.cut.segment.name
        raise UnusableFootage(f"{name} cannot be read: {error}") from error
    return Excerpt(source, path, note.pts_offset)


def index_file(path: Path) -> SampleIndex:
    """Read the sample index of a local file; UnusableFootage if it has none."""
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        try:
            return read_index(read, path.stat().st_size)
        except InvalidMp4 as error:
            raise UnusableFootage(f"ffmpeg wrote no MP4 that can be read: {error}") from error
