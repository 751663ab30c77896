"""Which frames of its recording a cut shows, and when the clip shows them."""

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import ceil, floor, gcd
from typing import Any

from attrs import evolve, field, frozen

from application.ports import Recording
from domain.errors import Rejected, UnusableFootage
from domain.planning import ClipPlan, Cut
from infrastructure.mp4.avc import HIGH_444_PREDICTIVE, parse_avcc
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.random_access import Access, user_data
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.splicing.likely_reads import likely_reads
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.sync_samples import (
    PREFIX_BYTES,
    believable_sync,
    read_access,
    syncs_before,
)

MAX_SIDE_PIXELS = 8192
MIN_TIMESCALE = 10_000
"""Ticks per second: times are then rounded by at most 0.05 ms."""
MAX_TIMESCALE = 1_000_000
MIXED_TIMESCALE = 90_000
"""Exact for 15, 24, 25, 30, 50, 60, 14.985 and 29.97 frames a second; times at 23.976, 59.94 and
other rates are rounded by at most 6 µs."""
MIN_SLOW_INTERVAL_MS = 500
"""A camera is slow if its pictures are at least so far apart: a clip that begins between two shows
the earlier one first."""
WIDER_SLICES_MS = (0, 10_000, 60_000)
"""How far before the cut a keyframe is looked for, before the whole index is read."""


@frozen(eq=False)
class CutSource:
    """A cut, which is the part of a clip that one recording supplies, and the frames in it.

    Samples have numbers: their positions in decode order in `video` or in `index.audio`.
    """

    cut: Cut
    recording: Recording = field(repr=False)
    index: SampleIndex = field(repr=False)
    """Of the recording; for a long fragmented file only the part that the cut needs. Sync samples
    are those that proved to be some."""
    video: Track = field(repr=False)
    frames: tuple[int, ...] = field(repr=False)
    """Numbers of the video samples to show, in presentation order: at least one."""
    decode_start: int
    """The video sample to start decoding at, so that no frame lacks a reference."""
    held_frames: int = 0
    """How many of the frames, 0 or 1, were presented before the cut: never copied."""
    damaged: frozenset[int] = field(default=frozenset(), repr=False)
    """Which of the frames are known not to decode without a fault."""
    encoder_sei: bytes = field(default=b"", repr=False)
    """NAL units of the recording's first sample that a decoder must have seen before any other."""

    @property
    def duration_ms(self) -> int:
        """How long the cut lasts in the clip, where nothing cuts it short."""
        return round(self.cut.window.duration_ms * self.cut.segment.rate)

    @property
    def copyable(self) -> tuple[int, ...]:
        """The frames that are presented within the cut."""
        return self.frames[self.held_frames :]

    def clip_ticks(self, times: Iterable[int], timescale: int, clip_timescale: int) -> list[int]:
        """Return when the clip presents what the recording presents at these times.

        They are in ticks of `timescale` per second, the result in ticks of `clip_timescale`,
        rounded to the nearest, halves upwards.
        """
        # floor((a + b * time) / c) with a common factor of b and c left out: of a, what is less
        # than that factor cannot decide.
        shift_ms, common = self._shift_ms, gcd(clip_timescale, timescale)
        shift, divisor = shift_ms.numerator * timescale, shift_ms.denominator
        late = (2 * clip_timescale * shift + 1000 * timescale * divisor) // (
            2000 * divisor * common
        )
        ticks, per = clip_timescale // common, timescale // common
        return [(late + ticks * time) // per for time in times]

    @cached_property
    def _shift_ms(self) -> Fraction:
        """How much later the clip presents what the recording does, in ms: for every packet."""
        return self.cut.clip_ms - self.cut.segment.media_ms(self.cut.window.start_ms)

    def recording_ticks(self, instant_ms: int, timescale: int) -> int:
        """Return the recording's first tick at or after a UTC time, in ms since the epoch."""
        return ceil(self.cut.segment.media_ms(instant_ms) * timescale / 1000)

    def seen_ms(self, frame: int) -> int:
        """Return when a frame was seen, in ms since the epoch, rounded down."""
        segment = self.cut.segment
        media_ms = Fraction(self.video.pts[frame] * 1000, self.video.timescale)
        return floor(segment.origin_ms + media_ms / segment.rate)

    def decode_start_of(self, frames: Sequence[int]) -> int:
        """Return the video sample to start decoding at, so that no frame lacks a reference."""
        found = find_decode_start(self.recording.read, self.video, frames)
        return self.decode_start if found is None else found

    def samples_of(self, track: Track, numbers: Sequence[int]) -> StoredSamples:
        """Return where the recording stores samples of one of its tracks."""
        if isinstance(numbers, range) and numbers.step == 1:
            part = slice(numbers.start, numbers.stop)
            return StoredSamples(self.recording, track.offsets[part], track.sizes[part])
        offsets = array("q", map(track.offsets.__getitem__, numbers))
        return StoredSamples(
            self.recording, offsets, array("Q", map(track.sizes.__getitem__, numbers))
        )


ReadAhead = Callable[[Recording, Sequence[range]], None]
"""Begins to read bytes of a recording that are needed soon."""


def resolve_cuts(
    plan: ClipPlan,
    recordings: Mapping[str, Recording],
    read_ahead: ReadAhead = lambda _recording, _ranges: None,
    apply: Callable[..., Iterable[Any]] = map,
) -> list[CutSource]:
    """Find the frames of every cut, in order; cuts without frames are left out.

    `apply` is `map`, or does as it does with several recordings at once. Rejected if there is no
    frame at all, or one is larger than 8192 x 8192 pixels.
    """
    numbers: dict[str, list[int]] = {}
    for number, cut in enumerate(plan.cuts):
        numbers.setdefault(cut.segment.name, []).append(number)

    def resolve(name: str) -> list[tuple[int, CutSource | None]]:
        recording = recordings[name]
        return [
            (i, _resolve_cut(plan.cuts[i], recording, read_ahead, is_first=i == 0))
            for i in numbers[name]
        ]

    resolved = dict(chain.from_iterable(apply(resolve, numbers)))
    with_frames = [source for _, source in sorted(resolved.items()) if source]
    if (
        len(with_frames) > 1
        and not with_frames[0].copyable
        and not _is_slow(with_frames[0].cut)
        and not _is_filled_between(plan, with_frames[0].cut, with_frames[1].cut)
    ):
        # The first frame of the next cut stands from the clip's start.
        with_frames.pop(0)
    if not with_frames:
        raise Rejected("There is no frame in the clip's window.")
    return with_frames


def _is_filled_between(plan: ClipPlan, cut: Cut, then: Cut) -> bool:
    start_ms, end_ms = cut.window.start_ms, then.window.start_ms
    return any(start_ms < filled.window.start_ms < end_ms for filled in plan.filled)


def _resolve_cut(
    cut: Cut, recording: Recording, read_ahead: ReadAhead, *, is_first: bool
) -> CutSource | None:
    from_ms, to_ms = map(cut.segment.media_ms, cut.shown)
    read = recording.read
    source: CutSource | None = None
    try:
        whole = index_in(recording)
        for index in _ever_wider(whole, from_ms, to_ms):
            video = index.video
            if video is None:
                return None
            frames = _shown(video, from_ms, to_ms)
            held = _held(cut, video, frames, from_ms) if is_first else ()
            if not held and not frames:
                return None
            _check_size(cut.segment.name, video)
            frames = *held, *frames
            read_ahead(recording, likely_reads(video, frames))
            sync = believable_sync(read, video, frames)
            video = evolve(video, sync=sync or video.sync)
            start = find_decode_start(read, video, frames)
            known = _with_video(index, video)
            source = CutSource(cut, recording, known, video, frames, start or 0, len(held))
            if sync and start is not None:
                break
        return source and evolve(source, encoder_sei=_encoder_sei(read, whole, source.video))
    except InvalidMp4 as error:
        raise UnusableFootage(f"{cut.segment.name} cannot be read: {error}") from error


def _with_video(index: SampleIndex, video: Track) -> SampleIndex:
    """Return an index whose video track is this one."""
    audio = index.audio
    return evolve(index, tracks=lambda: (video, audio))


def _ever_wider(whole: SampleIndex, from_ms: Fraction, to_ms: Fraction) -> Iterator[SampleIndex]:
    """Yield slices of an index from ever earlier times on, and at last the whole index.

    A slice may lack the keyframe before the cut: before an intra refresh, or where all fragments
    are marked as sync samples.
    """
    for margin_ms in WIDER_SLICES_MS:
        part = whole.slice(max(0, floor(from_ms) - margin_ms), max(ceil(to_ms), floor(from_ms) + 1))
        if part is whole:
            break
        yield part
    yield whole


def _encoder_sei(read: Read, whole: SampleIndex, video: Track) -> bytes:
    """Return the SEI by which decoders recognise an old encoder, where that may matter."""
    if video.codec != "avc1" or video.config[1:2] != bytes([HIGH_444_PREDICTIVE]):
        return b""
    first = whole.slice(0, 1).video
    if first is None:
        return b""
    prefix = read(first.offsets[0], min(first.sizes[0], PREFIX_BYTES))
    return user_data(prefix, parse_avcc(video.config).nal_length_size)


def index_in(recording: Recording) -> SampleIndex:
    """Return the sample index of a recording; InvalidMp4 if it has none."""
    if isinstance(recording, Mp4Recording):
        return recording.index
    return read_index(recording.read, recording.size_bytes)


def _check_size(name: str, video: Track) -> None:
    if max(video.width, video.height) > MAX_SIDE_PIXELS:
        raise Rejected(
            f"{name} is {video.width} x {video.height} pixels large;"
            f" at most {MAX_SIDE_PIXELS} x {MAX_SIDE_PIXELS} are supported."
        )


def _held(cut: Cut, video: Track, frames: Sequence[int], from_ms: Fraction) -> tuple[int, ...]:
    """Return the frame on screen when the cut begins, if the clip would lack it noticeably.

    That is so if the cut has no `frames`, or if the camera is slow and the first of them is later.
    """
    begin = ceil(from_ms * video.timescale / 1000)
    if frames and (not _is_slow(cut) or video.pts[frames[0]] <= begin):
        return ()
    before = [i for i, pts in enumerate(video.pts) if 0 <= pts < begin and pts < video.shown_until]
    return (max(before, key=video.pts.__getitem__),) if before else ()


def _is_slow(cut: Cut) -> bool:
    return cut.segment.frame_interval_ms >= MIN_SLOW_INTERVAL_MS


def _shown(video: Track, from_ms: Fraction, to_ms: Fraction) -> tuple[int, ...]:
    first, end = (ceil(ms * video.timescale / 1000) for ms in (from_ms, to_ms))
    first, end = max(first, 0), min(end, video.shown_until)
    numbers = [i for i, pts in enumerate(video.pts) if first <= pts < end]
    return tuple(sorted(numbers, key=video.pts.__getitem__))


def clip_timescale(sources: Sequence[CutSource]) -> int:
    """Return the clip's ticks per second.

    It is a multiple of the recordings' own timescale, if they have one in common of at most
    MAX_TIMESCALE; else MIXED_TIMESCALE.
    """
    timescales = {source.video.timescale for source in sources}
    if len(timescales) > 1 or (timescale := timescales.pop()) > MAX_TIMESCALE:
        return MIXED_TIMESCALE
    return timescale * -(-MIN_TIMESCALE // timescale)


def clip_times(
    sources: Sequence[CutSource], timescale: int, *, after_filler: bool = False
) -> list[list[int]]:
    """Return when the clip shows each frame of each cut, in ticks of `timescale` per second.

    The times ascend strictly; a frame whose time is taken is shown a tick later. The first is shown
    from 0, because some players ignore an empty edit before it, unless the clip begins with filler.
    """
    times: list[list[int]] = []
    latest = 0 if after_filler else -1
    for source in sources:
        cut_times = []
        presented = map(source.video.pts.__getitem__, source.frames)
        for time in source.clip_ticks(presented, source.video.timescale, timescale):
            latest = (time if time > latest else latest + 1) if latest >= 0 else 0
            cut_times.append(latest)
        times.append(cut_times)
    return times


def find_decode_start(read: Read, video: Track, frames: Sequence[int]) -> int | None:
    """Return the sample to start decoding at, so that none of `frames` lacks a reference.

    This is a sync sample that is decoded and shown no later than any of them: frames shown before
    it but decoded after it (open GOP) may refer to frames before it. An H.264 sync sample that is
    a P picture begins an intra refresh: pictures are complete only from the next one on. None if
    `video` has no such sample.
    """
    marked = syncs_before(video, video.sync, frames)
    for at in range(len(marked) - 1, -1, -1):
        match read_access(read, video, marked[at]):
            case Access.NONE:
                continue
            case Access.REFRESH:
                return marked[at - 1] if at else None
            case _:
                return marked[at]
    # If none is what it is marked as, a refresh without a recovery point is the best guess.
    return marked[-2] if len(marked) > 1 else None
