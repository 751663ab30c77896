"""The wall clock inside a clip: a track of text, and chapters, where the request chooses a zone."""

import os
from collections.abc import Sequence
from datetime import UTC, tzinfo
from itertools import accumulate, pairwise
from pathlib import Path

from attrs import frozen

from application.ports import FilePiece
from domain.errors import UnusableFootage
from domain.planning import ClipPlan
from domain.wall_clock import Cue, wall_clock_chapters, wall_clock_cues
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import find_moov
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.timed_text import TextSamples, read_text_samples, sample_text
from infrastructure.splicing.frames import CutSource
from infrastructure.splicing.timed_text import samples_of, text_track
from infrastructure.splicing.tracks import ClipTrack


@frozen
class WallClock:
    """What a clip shows of the wall clock: without a zone, only the chapters of filled gaps."""

    plan: ClipPlan
    zone: tzinfo | None = None

    @property
    def cues(self) -> list[Cue]:
        """The cues that cover the clip."""
        return wall_clock_cues(self.plan, self.zone) if self.zone else []

    def chapters(self, sources: Sequence[CutSource]) -> list[tuple[int, str]]:
        """Return where each chapter begins, in ms, and its title; `sources` have the frames."""
        if self.zone is None and not self.plan.filled:
            return []
        cuts = [source.cut for source in sources]
        found = wall_clock_chapters(self.plan, self.zone or UTC, cuts)
        return [(chapter.start_ms, chapter.title) for chapter in found]


def make_text_tracks(cues: Sequence[Cue], folder: Path) -> list[ClipTrack]:
    """Write the cues to a file; return their track, or no track if there are none."""
    if not cues:
        return []
    samples, path = samples_of(cues), folder / "wall-clock.tx3g"
    path.write_bytes(b"".join(samples))
    return [text_track(cues, samples, FilePiece(path, 0, path.stat().st_size))]


def verified_text(path: Path, cues: Sequence[Cue]) -> TextSamples | None:
    """Return the samples of text of the clip at `path`; UnusableFootage if they are not the cues.

    None if there are none.
    """
    try:
        with path.open("rb") as file:
            descriptor = file.fileno()
            samples, stored = read_text(
                lambda offset, length: os.pread(descriptor, length, offset), path.stat().st_size
            )
    except InvalidMp4 as error:
        raise UnusableFootage(f"The clip's text cannot be read: {error}.") from error
    if stored != list(cues):
        raise UnusableFootage("The clip's text is not the wall clock that was planned.")
    return samples


def read_text(read: Read, size_bytes: int) -> tuple[TextSamples | None, list[Cue]]:
    """Return the text of a finished clip: its samples, None without any, and as cues.

    InvalidMp4 if it is no clip. Errors of `read` pass through.
    """
    moov, _ = find_moov(RangeCache(read, size_bytes))
    found = read_text_samples(moov, size_bytes)
    if found is None:
        return None, []
    places = zip(found.offsets, found.sizes, strict=True)
    texts = [sample_text(read(offset, size)) for offset, size in places]
    bounds_ms = [
        ticks * 1000 // found.timescale for ticks in accumulate(found.durations, initial=0)
    ]
    return found, [
        Cue(*bounds, text) for bounds, text in zip(pairwise(bounds_ms), texts, strict=True)
    ]
