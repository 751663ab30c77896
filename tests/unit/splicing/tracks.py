"""Recordings that consist of tables only."""

from array import array

from application.ports import Recording
from domain.planning import ClipPlan, plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.index import SampleIndex, Track
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording

START_MS = 1_534_341_619_000
ASC = bytes.fromhex("1188")
"""AudioSpecificConfig: AAC-LC, 48 kHz, mono."""


def video_track(pts: list[int], timescale: int, sync: bytes | None = None) -> Track:
    """Return a track whose frames are decoded in the order given."""
    order = sorted(pts)
    step = order[1] - order[0] if len(order) > 1 else timescale // 25
    return _track("hvc1", timescale, pts, [step] * len(pts), sync, order[-1] + step)


def audio_track(
    packets: int, timescale: int = 48_000, first: int = -1024, config: bytes = ASC
) -> Track:
    """Return a track of AAC packets, the first of which is presented at `first`."""
    pts = [first + 1024 * i for i in range(packets)]
    return _track("mp4a", timescale, pts, [1024] * packets, None, pts[-1] + 1024, config=config)


def _track(  # noqa: PLR0917
    codec: str,
    timescale: int,
    pts: list[int],
    durations: list[int],
    sync: bytes | None,
    until: int,
    config: bytes = b"",
) -> Track:
    count = len(pts)
    return Track(
        codec=codec,
        timescale=timescale,
        sample_entry=bytes(86),
        config=config,
        width=320,
        height=180,
        matrix=(1, 0, 0, 0, 1, 0, 0, 0, 1),
        sample_rate=timescale,
        channels=1,
        offsets=array("q", range(0, 100 * count, 100)),
        sizes=array("I", [100] * count),
        pts=array("q", pts),
        durations=array("q", durations),
        sync=bytearray(sync or b"\1" * count),
        shown_until=until,
    )


def opened(
    video: Track,
    audio: Track | None = None,
    after_ms: int = 0,
    data: bytes = b"",
    *,
    is_fragmented: bool = False,
) -> Mp4Recording:
    """Return a recording with these tables that starts `after_ms` after START_MS."""
    last_ms = max(pts for pts in video.pts if pts < video.shown_until) * 1000 // video.timescale
    duration_ms = max(round(video.shown_until * 1000 / video.timescale), last_ms + 1)
    index = SampleIndex(duration_ms, last_ms, 0, True, is_fragmented, lambda: (video, audio))
    window = TimeWindow(START_MS + after_ms, START_MS + after_ms + index.duration_ms)
    segment = RecordingSegment(window, f"{after_ms}.mp4")
    file = RangeCache(lambda at, size: data[at : at + size], len(data))
    return Mp4Recording(segment, "1", index, file)


def plan(from_ms: int, to_ms: int, *recordings: Recording) -> ClipPlan:
    """Plan a clip of recordings, in ms after START_MS."""
    window = TimeWindow(START_MS + from_ms, START_MS + to_ms)
    return plan_clip(window, [recording.segment for recording in recordings], 1000)


def named(*recordings: Recording) -> dict[str, Recording]:
    """Return the recordings by segment name."""
    return {recording.segment.name: recording for recording in recordings}
