"""Excerpts: the few bytes of a recording that ffmpeg needs, as a small MP4 of their own."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import evolve, field, frozen

from application.ports import FilePiece
from domain.errors import UnusableFootage
from infrastructure.ffmpeg.draw_filler import FillerDrawing
from infrastructure.mp4.disposable import disposable_samples
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.slice_bytes import has_impossible_slice
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import EncodedTrack

logger = logging.getLogger(__name__)

Decoded = TypeVar("Decoded")


@frozen(eq=False)
class Excerpt:
    """An excerpt's file: its times are the recording's less `pts_offset`, in video ticks."""

    source: CutSource
    frames: Sequence[int] = field(repr=False)
    """The requested video samples of the recording, in presentation order: at least one."""
    path: Path
    pts_offset: int
    decode_start: int = 0
    """The first video sample of the recording that is in the file."""
    is_damaged: bool = False
    """Whether it is known not to decode without a fault."""
    ends_sequence: bool = False
    """Whether what is encoded of it is a sequence that ends."""
    drawing: FillerDrawing | None = None
    """If its one frame becomes filler: how."""
    left_out: int = 0
    """How many samples after the first are not in the file: no other refers to them."""

    @property
    def encoded_frames(self) -> int:
        """How many frames are encoded."""
        return self.drawing.count if self.drawing else len(self.frames)

    @property
    def decoded_frames(self) -> int:
        """How many frames are decoded to show all that are requested."""
        return max(self.frames) + 1 - self.decode_start - self.left_out

    @property
    def has_hidden_frames(self) -> bool:
        """Whether it begins with frames that are not shown because they refer to earlier ones.

        A decoder reports that it lacks those.
        """
        pts = self.source.video.pts
        later = range(self.decode_start + 1, max(self.frames) + 1)
        return any(pts[i] < pts[self.decode_start] for i in later)

    def shows(self, frame: int) -> int:
        """Return when the recording's video sample `frame` is shown, in the excerpt's ticks."""
        return self.source.video.pts[frame] - self.pts_offset

    @property
    def first_shown(self) -> int:
        """When the first of the frames is shown, in the excerpt's video ticks."""
        return self.shows(self.frames[0])

    @property
    def last_shown(self) -> int:
        """When the last of the frames is shown, in the excerpt's video ticks."""
        return self.shows(self.frames[-1])


def extract(  # noqa: PLR0913
    source: CutSource,
    frames: Sequence[int],
    decode_start: int,
    path: Path,
    audio: range = range(0),
    *,
    is_damaged: bool = False,
    ends_sequence: bool = False,
    is_whole: bool = True,
) -> Excerpt:
    """Write the video samples from `decode_start` to the last of `frames`, and `audio`, to `path`.

    If it need not be whole, samples are left out that are neither to be shown nor referred to.
    UnusableFootage if the recording's tables cannot be those of an excerpt.
    """
    shown, left_out = frozenset(frames), list[int]()
    is_disposable = disposable_samples(source.video)

    def is_left_out(number: int, sample: bytes) -> bool:
        if is_whole or number in shown or not is_disposable(sample):
            return False
        left_out.append(number)
        return True

    try:
        with path.open("wb") as out:
            read = source.recording.read
            last = max(frames)
            sei = source.encoder_sei
            pts_offset = write_excerpt(
                source.index, read, decode_start, last, out, audio, sei, is_left_out
            )
    except InvalidMp4 as error:
        name = source.cut.segment.name
        raise UnusableFootage(f"{name} cannot be read: {error}") from error
    return Excerpt(
        source,
        frames,
        path,
        pts_offset,
        decode_start,
        is_damaged,
        ends_sequence,
        left_out=len(left_out),
    )


def with_fewest_samples(excerpt: Excerpt, decode: Callable[[Excerpt], Decoded]) -> Decoded:
    """Return what `decode` makes of an excerpt; if that fails, of one with all its samples.

    ffmpeg's decoder of HEVC needs even a picture that a slice header only names as kept for later.
    """
    try:
        return decode(excerpt)
    except UnusableFootage as error:
        if not excerpt.left_out:
            raise
        logger.info("all samples before the frames are decoded: %s", error)
    extract(excerpt.source, excerpt.frames, excerpt.decode_start, excerpt.path)
    return decode(evolve(excerpt, left_out=0))


def require_possible_slices(path: Path, name: str) -> None:
    """UnusableFootage if a slice in the MP4 at `path` cannot be what an encoder wrote."""
    video = index_file(path).video
    with path.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        if video and has_impossible_slice(video, read):
            raise UnusableFootage(f"Bytes of {name} were overwritten.")


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
    file = FilePiece(path, 0, path.stat().st_size)
    return EncodedTrack(track, StoredSamples(file, track.offsets, track.sizes))
