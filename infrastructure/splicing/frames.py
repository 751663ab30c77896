"""Which frames of its recording a cut shows, and when the clip shows them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor

from attrs import evolve, field, frozen

from application.ports import Recording, RecordingPiece
from domain.errors import Rejected, UnusableFootage
from domain.planning import ClipPlan, Cut
from infrastructure.mp4.avc import HIGH_444_PREDICTIVE, parse_avcc
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.edit_list import rounded
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import SampleIndex, Track, read_index
from infrastructure.mp4.random_access import Access, user_data
from infrastructure.mp4.recording import Mp4Recording
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

    def clip_ticks(self, pts: int, timescale: int, clip_timescale: int) -> int:
        """Return when the clip presents what the recording presents at `pts`.

        `pts` is in ticks of `timescale` per second, the result in ticks of `clip_timescale`.
        """
        cut = self.cut
        shift_ms = cut.clip_ms - cut.segment.media_ms(cut.window.start_ms)
        shift, divisor = shift_ms.numerator * timescale, shift_ms.denominator
        return rounded(clip_timescale * (shift + pts * 1000 * divisor), 1000 * timescale * divisor)

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

    def pieces(self, track: Track, samples: Iterable[int]) -> list[RecordingPiece]:
        """Return where the recording stores the samples of one of its tracks."""
        return [RecordingPiece(self.recording, track.offsets[i], track.sizes[i]) for i in samples]


def resolve_cuts(plan: ClipPlan, recordings: Mapping[str, Recording]) -> list[CutSource]:
    """Find the frames of every cut, in order; cuts without frames are left out.

    Rejected if there is no frame at all, or one is larger than 8192 x 8192 pixels.
    """
    first = next(iter(plan.cuts), None)
    sources = [
        _resolve_cut(cut, recordings[cut.segment.name], is_first=cut is first) for cut in plan.cuts
    ]
    with_frames = [source for source in sources if source]
    if len(with_frames) > 1 and not with_frames[0].copyable and not _is_slow(with_frames[0].cut):
        # The first frame of the next cut stands from the clip's start.
        with_frames.pop(0)
    if not with_frames:
        raise Rejected("There is no frame in the clip's window.")
    return with_frames


def _resolve_cut(cut: Cut, recording: Recording, *, is_first: bool) -> CutSource | None:
    from_ms, to_ms = map(cut.segment.media_ms, cut.shown)
    read = recording.read
    source: CutSource | None = None
    try:
        whole = _index_of(recording)
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


def _held(cut: Cut, video: Track, frames: Sequence[int], from_ms: Fraction) -> tuple[int, ...]:
    """Return the frame on screen when the cut begins, if the clip would lack it noticeably.

    That is so if the cut has no `frames`, or if the camera is slow and the first of them is later.
    """
    begin = from_ms * video.timescale / 1000
    if frames and (not _is_slow(cut) or video.pts[frames[0]] <= begin):
        return ()
    before = [i for i, pts in enumerate(video.pts) if 0 <= pts < begin and pts < video.shown_until]
    return (max(before, key=video.pts.__getitem__),) if before else ()


def _is_slow(cut: Cut) -> bool:
    return cut.segment.frame_interval_ms >= MIN_SLOW_INTERVAL_MS


def _shown(video: Track, from_ms: Fraction, to_ms: Fraction) -> tuple[int, ...]:
    first, end = from_ms * video.timescale, to_ms * video.timescale
    numbers = (
        i
        for i, pts in enumerate(video.pts)
        if first <= pts * 1000 < end and 0 <= pts < video.shown_until
    )
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


def clip_times(sources: Sequence[CutSource], timescale: int) -> list[list[int]]:
    """Return when the clip shows each frame of each cut, in ticks of `timescale` per second.

    The times ascend strictly; a frame whose time is taken is shown a tick later. The first is shown
    from 0, because some players ignore an empty edit before it.
    """
    times: list[list[int]] = []
    latest = -1
    for source in sources:
        cut_times = []
        for i in source.frames:
            time = source.clip_ticks(source.video.pts[i], source.video.timescale, timescale)
            latest = max(time, latest + 1) if latest >= 0 else 0
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
