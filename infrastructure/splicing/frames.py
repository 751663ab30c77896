"""Which frames of its recording a cut takes, and when the clip shows them."""

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from application.ports import Recording
from domain.errors import Rejected, UnusableFootage
from domain.planning import ClipPlan, Cut
from infrastructure.mp4.avc import first_slice_type, parse_avcc
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.recording import Mp4Recording

MAX_SIDE_PIXELS = 8192
MIN_TIMESCALE = 10_000
"""Times are then rounded by at most 0.05 ms."""
MAX_TIMESCALE = 1_000_000
MIXED_TIMESCALE = 90_000
"""Holds 15, 24, 25, 30, 50 and 60 frames a second and the rates less a thousandth exactly, save
24 and 60 less a thousandth; those, as all others, to 6 µs."""
PREFIX_BYTES = 2048
"""Enough of a sample to find its first slice: x264's longest preface takes 700 bytes."""


@frozen(eq=False)
class CutSource:
    """What one cut takes of its recording."""

    cut: Cut
    recording: Recording = field(repr=False)
    index: SampleIndex = field(repr=False)
    """Of a long fragmented file only the part that the cut needs."""
    video: Track = field(repr=False)
    frames: tuple[int, ...] = field(repr=False)
    """The video samples that the cut shows, in the order in which they are shown: at least one."""
    all_frames: tuple[int, ...] = field(repr=False)
    """All samples that the cut shows, also where `frames` are only some of them."""
    decoded_from: int
    """The video sample from which to decode so that all frames come out whole."""
    clip_ms: int
    """Where in the clip the cut begins."""

    def ticks(self, pts: int, timescale: int, clip_timescale: int) -> int:
        """Say when the clip shows or sounds what the recording does at `pts`."""
        begins_ms = self.clip_ms + self.cut.segment.window.start_ms - self.cut.window.start_ms
        return _rounded(clip_timescale * (begins_ms * timescale + pts * 1000), 1000 * timescale)

    def recording_ticks(self, instant_ms: int, timescale: int) -> int:
        """Say which tick of the recording is the first at or after `instant_ms`."""
        return -((self.cut.segment.window.start_ms - instant_ms) * timescale // 1000)


def resolve_cuts(plan: ClipPlan, recordings: Mapping[str, Recording]) -> list[CutSource]:
    """Find the frames of every cut, in order; cuts without any are left out.

    Refused if none has a frame, or one is larger than 8192 x 8192.
    """
    sources = [_resolve_cut(plan, cut, recordings[cut.segment.name]) for cut in plan.cuts]
    found = [source for source in sources if source]
    if not found:
        raise Rejected("There is no frame in the clip's window.")
    return found


def _resolve_cut(plan: ClipPlan, cut: Cut, recording: Recording) -> CutSource | None:
    from_ms, to_ms = (
        instant_ms - cut.segment.window.start_ms
        for instant_ms in (cut.window.start_ms, cut.window.end_ms)
    )
    clip_ms = plan.clip_time_ms(cut.window.start_ms)
    try:
        index = _index_of(recording)
        # In a part of the index the keyframe may be wanting that an intra refresh needs.
        for part in (index.slice(from_ms, to_ms), index):
            video = part.video
            frames = _shown(video, from_ms, to_ms) if video else ()
            if video is None or not frames:
                return None
            _check_size(cut.segment.name, video)
            first = decoded_from(recording.read, video, frames)
            source = CutSource(cut, recording, part, video, frames, frames, first or 0, clip_ms)
            if first is not None:
                break
    except InvalidMp4 as error:
        raise UnusableFootage(f"{cut.segment.name} cannot be read: {error}") from error
    return source


def _index_of(recording: Recording) -> SampleIndex:
    if isinstance(recording, Mp4Recording):
        return recording.index
    return read_index(recording.read, recording.size_bytes)


def _check_size(name: str, video: Track) -> None:
    if max(video.width, video.height) > MAX_SIDE_PIXELS:
        raise Rejected(
            f"{name} is {video.width} x {video.height} pixels large;"
            f" at most {MAX_SIDE_PIXELS} x {MAX_SIDE_PIXELS} are supported."
        )


def _shown(video: Track, from_ms: int, to_ms: int) -> tuple[int, ...]:
    first, end = from_ms * video.timescale, to_ms * video.timescale
    wanted = (
        i
        for i, pts in enumerate(video.pts)
        if first <= pts * 1000 < end and 0 <= pts < video.shown_until
    )
    return tuple(sorted(wanted, key=video.pts.__getitem__))


def clip_timescale(sources: Sequence[CutSource]) -> int:
    """Choose the clip's ticks per second: the recordings' own if it is one and fine enough."""
    own = {source.video.timescale for source in sources}
    if len(own) > 1 or (timescale := own.pop()) > MAX_TIMESCALE:
        return MIXED_TIMESCALE
    return timescale * -(-MIN_TIMESCALE // timescale)


def clip_times(sources: Sequence[CutSource], timescale: int) -> list[list[int]]:
    """Say when each frame of each cut is shown, in ticks of the clip; they rise throughout."""
    times: list[list[int]] = []
    latest = -1
    for source in sources:
        own = []
        for i in source.frames:
            shown = source.ticks(source.video.pts[i], source.video.timescale, timescale)
            latest = max(shown, latest + 1)
            own.append(latest)
        times.append(own)
    return times


def decoded_from(read: Read, video: Track, frames: Sequence[int]) -> int | None:
    """Return the sample from which to decode, so that all of `frames` come out whole.

    That is a sync sample, decoded and shown no later than any of them: what is shown before it but
    decoded after it (open GOP) may refer to frames before it. In H.264, a sync sample that is a P
    picture begins an intra refresh: the picture is whole only at the next one. None if `video`
    has no such sample.
    """
    decoded, shown = min(frames), min(video.pts[i] for i in frames)
    syncs = [i for i in range(decoded + 1) if video.sync[i] and video.pts[i] <= shown]
    if syncs and _begins_refresh(read, video, syncs[-1]):
        syncs.pop()
    return syncs[-1] if syncs else None


def _begins_refresh(read: Read, video: Track, sample: int) -> bool:
    if video.codec != "avc1":
        return False
    prefix = read(video.offsets[sample], min(video.sizes[sample], PREFIX_BYTES))
    try:
        return first_slice_type(prefix, parse_avcc(video.config).nal_length_size) == "P"
    except InvalidMp4:
        # What it says cannot be told; the decoder has the last word.
        return False


def _rounded(number: int, divisor: int) -> int:
    return (2 * number + divisor) // (2 * divisor)
