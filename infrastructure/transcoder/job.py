"""What is to be rendered, and for whom."""

from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from application.ports import Rendition, ThumbnailSpec
from domain.clip_label import ClipLabel
from domain.planning import ClipPlan
from infrastructure.mp4.movie_info import MovieInfo
from infrastructure.splicing.frames import CutSource, ReadAhead
from infrastructure.transcoder.filler import GapFiller
from infrastructure.transcoder.wall_clock import WallClock


@frozen
class Job:
    """A clip to render."""

    plan: ClipPlan
    thumbnails: ThumbnailSpec
    folder: Path
    deadline_s: float
    label: ClipLabel | None
    wall_clock: WallClock
    filler: GapFiller
    read_ahead: ReadAhead
    assembled: Callable[[Rendition], None]
    """Called with each rendition that is assembled, before it is verified."""

    def movie_info(self, sources: Sequence[CutSource]) -> MovieInfo | None:
        """Return what the clip says of itself, None without a label."""
        label, chapters = self.label, self.wall_clock.chapters(sources)
        if label is None:
            return None
        created_s = self.filler.first_seen_ms(sources) // 1000
        return MovieInfo(created_s, label.title, label.name.clip_id, chapters)
