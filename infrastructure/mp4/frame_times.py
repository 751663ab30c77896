"""When the frames of a recording are presented, as far as a window needs to know."""

from domain.recording import FrameTimes
from infrastructure.mp4.index import SampleIndex


def frame_times(index: SampleIndex, from_ms: int, to_ms: int) -> FrameTimes | None:
    """Return the times of the frames around from_ms <= time < to_ms; None without video.

    InvalidMp4 if the file contradicts itself.
    """
    if not index.has_video:
        return None
    known_ms: list[float] = []
    overlap = max(from_ms, 0), min(to_ms, index.duration_ms)
    if overlap[0] < overlap[1]:
        # It may turn out that the whole file had to be read, and that it ends at another time.
        index = index.slice(*overlap)
    video = index.video if overlap[0] < overlap[1] else None
    if video:
        shown = (pts for pts in video.pts if 0 <= pts < video.shown_until)
        first = index.first_frame_ms
        known_ms = [ms for pts in sorted(shown) if (ms := pts * 1000 / video.timescale) >= first]
    return FrameTimes(
        index.first_frame_ms, index.last_frame_ms, index.duration_ms, known_ms, index.notes
    )
