"""The few bytes of a recording that a cut needs, as a small MP4 of their own."""

from collections.abc import Iterable
from pathlib import Path

from attrs import field, frozen

from domain.errors import Undecodable
from infrastructure.ffmpeg.frames import Take
from infrastructure.mp4.errors import BadMp4
from infrastructure.mp4.index import Index, Track, read_index
from infrastructure.mp4.writer import write_window


@frozen
class Stored:
    """A sample's bytes in a local file."""

    path: Path
    offset: int
    length: int


@frozen(eq=False)
class InRecording:
    """A sample's bytes where the recording has them: not read yet."""

    take: Take = field(repr=False)
    offset: int
    length: int


Sample = Stored | InRecording


def in_recording(take: Take, track: Track, samples: Iterable[int]) -> list[InRecording]:
    """Say where the recording has the samples of one of its tracks."""
    return [InRecording(take, track.offsets[i], track.sizes[i]) for i in samples]


@frozen(eq=False)
class Window:
    """A window file: time in it is the recording's less `moved`, in ticks of the video."""

    take: Take
    path: Path
    moved: int

    @property
    def first_shown(self) -> int:
        """When the first wanted frame is shown, in the window's video ticks."""
        return self.take.video.pts[self.take.frames[0]] - self.moved

    @property
    def last_shown(self) -> int:
        """When the last wanted frame is shown, in the window's video ticks."""
        return self.take.video.pts[self.take.frames[-1]] - self.moved


def open_window(take: Take, path: Path, sound: range = range(0)) -> Window:
    """Write what it takes to decode the take's frames, and the sound samples `sound`, to `path`.

    Undecodable where the recording's tables cannot be those of a window.
    """
    first, last = take.decoded_from, max(take.frames)
    try:
        with path.open("wb") as out:
            note = write_window(take.index, take.read, first, last, out, sound)
    except BadMp4 as error:
        name = take.cut.segment.name
        raise Undecodable(f"{name} cannot be read: {error}") from error
    return Window(take, path, note.pts_offset)


def index_file(path: Path) -> Index:
    """Read the sample index of a local file; Undecodable if it has none."""
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        try:
            return read_index(read, path.stat().st_size)
        except BadMp4 as error:
            raise Undecodable(f"ffmpeg wrote no MP4 that can be read: {error}") from error
