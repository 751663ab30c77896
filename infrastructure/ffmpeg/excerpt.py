"""Excerpts: the few bytes of a recording that ffmpeg needs, as a small MP4 of their own."""

from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from application.ports import FilePiece
from domain.errors import UnusableFootage
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.tracks import EncodedTrack


@frozen(eq=False)
class Excerpt:
    """An excerpt's file: its times are the recording's less `pts_offset`, in video ticks."""

    source: CutSource
    frames: Sequence[int] = field(repr=False)
    """The requested video samples of the recording, in presentation order: at least one."""
    path: Path
    pts_offset: int

    @property
    def first_shown(self) -> int:
        """When the first of the frames is shown, in the excerpt's video ticks."""
        return self.source.video.pts[self.frames[0]] - self.pts_offset

    @property
    def last_shown(self) -> int:
        """When the last of the frames is shown, in the excerpt's video ticks."""
        return self.source.video.pts[self.frames[-1]] - self.pts_offset


def extract(
    source: CutSource,
    frames: Sequence[int],
    decode_start: int,
    path: Path,
    audio: range = range(0),
) -> Excerpt:
    """Write the video samples from `decode_start` to the last of `frames`, and `audio`, to `path`.

    UnusableFootage if the recording's tables cannot be those of an excerpt.
    """
    try:
        with path.open("wb") as out:
            read = source.recording.read
            last = max(frames)
            sei = source.encoder_sei
            pts_offset = write_excerpt(source.index, read, decode_start, last, out, audio, sei)
    except InvalidMp4 as error:
        name = source.cut.segment.name
        raise UnusableFootage(f"{name} cannot be read: {error}") from error
    return Excerpt(source, frames, path, pts_offset)


def index_file(path: Path) -> SampleIndex:
    """Return the sample index of a file that ffmpeg wrote; UnusableFootage if it has none."""
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        try:
            return read_index(read, path.stat().st_size)
        except InvalidMp4 as error:
            raise UnusableFootage(f"ffmpeg wrote no readable MP4: {error}") from error


def encoded_track(path: Path, track: Track) -> EncodedTrack:
    """Return a track of the file at `path` with the place of each of its samples."""
    places = zip(track.offsets, track.sizes, strict=True)
    return EncodedTrack(track, [FilePiece(path, at, size) for at, size in places])
