"""When the frames of a recording are presented, as far as a window needs to know."""

from domain.recording import FrameTimes
from infrastructure.mp4.index import SampleIndex


def indexed_around(index: SampleIndex, from_ms: int, to_ms: int) -> SampleIndex | None:
    """Return an index with the frames of from_ms <= time < to_ms; None if the file has none there.

    It is of the whole file if that had to be read, and may then end at another time than `index`.
    """
    begin_ms, end_ms = max(from_ms, 0), min(to_ms, index.duration_ms)
    return index.slice(begin_ms, end_ms) if begin_ms < end_ms else None


def frame_times(index: SampleIndex, known: SampleIndex | None) -> FrameTimes | None:
    """Return the times of a file's frames, of which `known` has some; None without video.

    InvalidMp4 if the file contradicts itself.
    """
    if not index.has_video:
        return None
    video, first_ms = known.video if known else None, index.first_frame_ms
    known_ms: list[float] = []
    if video:
        shown = [pts for pts in video.pts if 0 <= pts < video.shown_until]
        known_ms = [ms for pts in sorted(shown) if (ms := pts * 1000 / video.timescale) >= first_ms]
    return FrameTimes(first_ms, index.last_frame_ms, index.duration_ms, known_ms, index.notes)
