"""When each frame of a clip is shown, and when it was seen."""

from collections.abc import Sequence
from itertools import groupby, pairwise

from attrs import frozen

from domain.errors import UnusableFootage
from domain.manifest import Manifest
from infrastructure.formats.converter import CONVERTER
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.recording import Mp4Recording


@frozen
class FrameInstants:
    """When a clip's frames are shown, on its own clock."""

    timescale: int
    """Ticks per second."""
    ticks: Sequence[int]
    """Ascending."""

    @classmethod
    def of(cls, clip: Mp4Recording, manifest: Manifest) -> "FrameInstants":
        """Read them from the clip's tables; UnusableFootage if it has none."""
        try:
            video = clip.index.whole().video
        except InvalidMp4 as error:
            raise UnusableFootage(f"{clip.segment.name} cannot be read: {error}") from error
        if video is None:
            raise UnusableFootage(f"{clip.segment.name} has no video.")
        # The reader's zero is the first frame.
        first_ms = manifest.media.first_ms if manifest.media else 0
        first = round(first_ms * video.timescale / 1000)
        shown = (first + pts for pts in video.pts if 0 <= pts < video.shown_until)
        return cls(video.timescale, sorted(shown))

    def members(self) -> dict[str, object]:
        """Return the members of the JSON object: runs of equal intervals, not every frame."""
        intervals = (after - before for before, after in pairwise(self.ticks))
        runs = [[len(list(equal)), ticks] for ticks, equal in groupby(intervals)]
        return {
            "timescale": self.timescale,
            "firstInTicks": self.ticks[0] if self.ticks else 0,
            "runs": runs,
        }


def clock_members(manifest: Manifest, frames: FrameInstants) -> dict[str, object]:
    """Return the members of the JSON object that converts the clip's times to the wall clock."""
    media, coverage = manifest.media, manifest.report.coverage
    last_ms = 1000 * frames.ticks[-1] / frames.timescale if frames.ticks else 0
    return {
        "durationInMs": media.duration_ms if media else last_ms,
        "isExact": manifest.is_clock_known,
        "paces": CONVERTER.unstructure(manifest.known_paces),
        "gaps": CONVERTER.unstructure(() if manifest.report.fills_gaps else coverage.gaps),
        "frames": frames.members(),
    }
