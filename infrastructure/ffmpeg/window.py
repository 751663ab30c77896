"""The few bytes of a recording that a cut needs, as a small MP4 of their own."""

from pathlib import Path

from attrs import field, frozen

from domain.errors import Undecodable
from infrastructure.ffmpeg.frames import Take
from infrastructure.mp4.errors import BadMp4
from infrastructure.mp4.index import Index, read_index
from infrastructure.mp4.writer import write_window


@frozen
class Stored:
    """Where a sample's bytes lie."""

    path: Path
    offset: int
    length: int


@frozen(eq=False)
class Window:
    """A window file: time in it is the recording's less `moved`, in ticks of the video."""

    take: Take
    path: Path
    moved: int
    sound: tuple[Stored, ...] = field(repr=False)
    """The bytes of the sound samples that were asked for."""

    @property
    def first_shown(self) -> int:
        """When the first wanted frame is shown, in the window's video ticks."""
        return self.take.video.pts[self.take.frames[0]] - self.moved

    @property
    def last_shown(self) -> int:
        """When the last wanted frame is shown, in the window's video ticks."""
        return self.take.video.pts[self.take.frames[-1]] - self.moved


def open_window(take: Take, path: Path, sound: range = range(0)) -> Window:
    """Write what it takes to decode the take's frames, and the sound samples `sound`, to `path`."""
    with path.open("wb") as out:
        note = write_window(
            take.index, take.recording.read, take.decoded_from, max(take.frames), out, sound
        )
    if not sound:
        return Window(take, path, note.pts_offset, ())
    written = index_file(path).sound
    if written is None or len(written.sizes) != len(sound):
        raise Undecodable(f"The sound of {take.cut.segment.name} cannot be taken over.")
    places = zip(written.offsets, written.sizes, strict=True)
    return Window(take, path, note.pts_offset, tuple(Stored(path, at, size) for at, size in places))


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
