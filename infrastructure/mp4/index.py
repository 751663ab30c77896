"""The sample index of an MP4: where every sample is, and when it is presented.

The boxes read, with their sections in ISO/IEC 14496-12 (all others are skipped)::

    ftyp                 4.3     not needed: QuickTime's files are read too
    moov                 8.2.1   first or last
    ├── mvhd             8.2.2   the movie's timescale
    ├── trak             8.3.1   one of video and one of audio: see ``track_choice``
    │   ├── tkhd         8.3.2   id, matrix (rotation)
    │   ├── edts/elst    8.6.6   a delay, then one range of the media
    │   └── mdia         8.4.1
    │       ├── mdhd     8.4.2   the track's timescale
    │       ├── hdlr     8.4.3   "vide" or "soun"
    │       └── minf/stbl
    │           ├── stsd 8.5.2   sample entry: avcC or hvcC (14496-15), esds (14496-14)
    │           ├── stts 8.6.1.2 durations
    │           ├── ctts 8.6.1.3 how long after decoding
    │           ├── stss 8.6.2   sync samples; without it, all are
    │           ├── stsz 8.7.3   sizes
    │           ├── stsc 8.7.4   samples per chunk
    │           └── stco, co64   8.7.5  where the chunks are
    └── mvex/trex        8.8.3   defaults of the fragments
    moof                 8.8.4   fragmented files: any number
    └── traf             8.8.6
        ├── tfhd         8.8.7   track, base offset, defaults
        ├── tfdt         8.8.12  decode time of the first sample
        └── trun         8.8.8   sizes, durations, flags, composition offsets
    mdat                 8.1.1   the samples' bytes: never read here

Reads, each a range request where the file is in S3: one of 128 KiB; one more for a longer moov; one
or two more for a moov at the end (one if at most 4 MiB follow the mdat). For a fragmented file also
its last fragments, which sidx or mfra name or a few reads backwards find;
``SampleIndex.slice`` then finds the fragments of a range likewise (``seek``). Small files, and
those whose fragments have no decode times or contradict each other's, are walked: a read of 16 KiB
per fragment. Wrong times are corrected before anything follows from them (``steady_times``).
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from attrs import field, frozen

from infrastructure.mp4.boxes import MAX_BOXES, Read, child, fourcc, require
from infrastructure.mp4.edit_list import PresentationRange, apply_edit_lists, rounded
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.fragments import read_trex
from infrastructure.mp4.leading_frames import are_leading_decodable
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_checks import check_inside, cut_off_first
from infrastructure.mp4.sample_tables import (
    StoredTrack,
    Times,
    moved,
    read_timescale,
    read_trak,
)
from infrastructure.mp4.seek import FragmentSeeker
from infrastructure.mp4.steady_times import made_steady
from infrastructure.mp4.track_choice import chosen_traks

if TYPE_CHECKING:
    from array import array

FIRST_READ_BYTES = 128 << 10
MIN_FIRST_READ_BYTES, MAX_FIRST_READ_BYTES = 64 << 10, 1 << 20
INDEX_BYTES_PER_S = 1100
"""Of a recording with 30 frames a second, B-frames and AAC at 48 kHz, as ffmpeg writes it."""
MAX_TAIL_READ_BYTES = 4 << 20
MAX_MOOV_BYTES = 64 << 20
FIRST_BOXES = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}


@frozen(eq=False)
class Track:
    """One track's samples in decode order, on one clock with the other track's.

    Zero is the first presented video frame. Video frames before it have a negative pts: they are
    decoded, not shown. Audio may begin before zero.
    """

    codec: str  # four-character code of the sample entry: "avc1", "hvc1", "mp4a", ...
    timescale: int  # ticks per second
    sample_entry: bytes = field(repr=False)  # the whole stsd entry, as stored
    config: bytes = field(repr=False)  # payload of avcC or hvcC, AudioSpecificConfig, or b""
    width: int  # pixels, of the sample entry; 0 for audio
    height: int
    matrix: tuple[int, ...] = field(repr=False)  # tkhd's nine numbers
    sample_rate: int  # Hz; 0 for video
    channels: int
    offsets: "array[int]" = field(repr=False)  # bytes from the start of the file
    sizes: "array[int]" = field(repr=False)  # bytes
    pts: Times = field(repr=False)  # ticks
    durations: "array[int]" = field(repr=False)  # ticks, between decode times
    sync: bytearray = field(repr=False)  # 1 where the sample is marked as sync
    shown_until: int  # ticks: what lies in max(0, shown_from) <= pts < shown_until is presented
    shown_from: int = 0  # ticks: 0 for video; where the audio's edit list (else its media) begins


VideoAndAudio = tuple[Track | None, Track | None]
"""The first video and the first audio track; one without samples is None."""


@frozen(eq=False)
class SampleIndex:
    """The samples of a file.

    For a long fragmented file only the first and last fragments have been read. ``slice`` reads the
    rest of the index where it is needed; ``video`` and ``audio`` read all of it, once, at their
    first use. Both raise what ``read_index`` raises.
    """

    duration_ms: int
    """The duration of the video (else the audio), rounded to the nearest ms.

    It always exceeds the last frame's time, however short that frame's duration is.
    """
    last_frame_ms: int
    """When the last video frame is presented, rounded down to the ms; 0 without video."""
    first_frame_ms: float
    """When the first video frame that can be decoded is presented; 0 without video.

    Frames stored before the first sync sample refer to others that are not there.
    """
    has_video: bool
    is_fragmented: bool
    _tracks: Callable[[], VideoAndAudio] = field(repr=False)
    _slice: "Callable[[int, int], SampleIndex] | None" = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    """What is doubtful about the times of the samples read."""
    _whole: "Callable[[], SampleIndex] | None" = field(default=None, repr=False)

    @property
    def video(self) -> Track | None:
        """The video track."""
        return self._tracks()[0]

    @property
    def audio(self) -> Track | None:
        """The first audio track."""
        return self._tracks()[1]

    def slice(self, from_ms: int, to_ms: int) -> "SampleIndex":
        """Return an index with at least the samples that present from_ms <= time < to_ms.

        Includes every frame in the range, everything from the preceding sync sample on, and
        overlapping audio. Times and offsets are those of the whole index.
        """
        return self if self._slice is None else self._slice(from_ms, to_ms)

    def whole(self) -> "SampleIndex":
        """Return an index for which all samples have been read."""
        return self if self._whole is None else self._whole()

    @property
    def is_whole(self) -> bool:
        """Whether all samples have been read."""
        return self._whole is None


def first_read_bytes(duration_ms: int) -> int:
    """Return how much to read first of a file of this duration, so that it has the whole moov."""
    expected_bytes = MIN_FIRST_READ_BYTES // 2 + duration_ms * INDEX_BYTES_PER_S // 1000
    return min(max(MIN_FIRST_READ_BYTES, expected_bytes), MAX_FIRST_READ_BYTES)


def read_index(read: Read, size_bytes: int) -> SampleIndex:
    """Read the sample index of a file of *size_bytes*.

    NoMoov if the file is empty, cut off or has no index yet. InvalidMp4 if it contradicts itself or
    is not supported. Errors of *read* pass through. The index keeps *read*.
    """
    return index_of(RangeCache(read, size_bytes))


def index_of(file: RangeCache) -> SampleIndex:
    """Read the sample index of a file as ``read_index`` does."""
    with _cut_fields():
        return _read_index(file)


@contextmanager
def _cut_fields() -> Iterator[None]:
    try:
        yield
    except struct.error as error:
        raise InvalidMp4("a box is shorter than its own fields") from error


def _read_index(file: RangeCache) -> SampleIndex:
    moov, at = find_moov(file)
    timescale = read_timescale(require(moov, b"mvhd"), "movie")
    media: dict[str, StoredTrack] = {}
    mvex = child(moov, b"mvex")
    for handler, trak in chosen_traks(moov, is_fragmented=mvex is not None).items():
        with cut_off_first(file):
            media[handler] = read_trak(trak, handler, file.size_bytes)
    if mvex is None:
        if not any(track.sizes for track in media.values()):
            raise InvalidMp4("the file has neither video nor audio")
        return _of_all(file, media, timescale, is_fragmented=False)
    fragments = FragmentSeeker(file, at, media, read_trex(mvex))
    ends = fragments.read_ends()
    if ends is None:
        return _of_all(file, fragments.whole(), timescale)
    return _of_fragments(fragments, *ends, timescale)


def _of_all(
    file: RangeCache, media: dict[str, StoredTrack], timescale: int, *, is_fragmented: bool = True
) -> SampleIndex:
    """Return the index of a file all of whose samples are known."""
    media, notes = made_steady(_with_samples(media))
    if not media:
        raise NoMoov("no fragment is whole yet")
    _check(file, media)
    tracks = _placed(media, apply_edit_lists(media, media, timescale))
    duration_ms, last_frame_ms = _duration_ms(*tracks)
    first_ms = _first_frame_ms(file, tracks[0])
    return SampleIndex(
        duration_ms,
        last_frame_ms,
        first_ms,
        bool(tracks[0]),
        is_fragmented,
        lambda: tracks,
        notes=notes,
    )


def _of_fragments(
    fragments: FragmentSeeker,
    first: dict[str, StoredTrack],
    last: dict[str, StoredTrack],
    timescale: int,
) -> SampleIndex:
    """Return the index of a file whose first and last samples are known."""
    file = fragments.file
    first, last = _with_samples(first), _with_samples(last)
    _check(file, first)
    _check(file, last)
    shown = apply_edit_lists(first, last, timescale)
    duration_ms, last_frame_ms = _duration_ms(*_placed(last, shown))
    first_ms = _first_frame_ms(file, _placed(first, shown)[0])

    @cache
    def whole() -> SampleIndex:
        with _cut_fields():
            return _of_all(file, fragments.whole(), timescale)

    def tracks() -> VideoAndAudio:
        return whole().video, whole().audio

    def part(from_ms: int, to_ms: int) -> SampleIndex:
        with _cut_fields():
            media = fragments.read_range(shown, from_ms, to_ms)
            if media is None:
                return whole()
            media = _with_samples(media)
            _check(file, media)
            found = _placed(media, shown)
        return index(lambda: found)

    def index(tracks: Callable[[], VideoAndAudio]) -> SampleIndex:
        has_video = "vide" in shown
        return SampleIndex(
            duration_ms, last_frame_ms, first_ms, has_video, True, tracks, part, whole=whole
        )

    return index(tracks)


def _with_samples(media: Mapping[str, StoredTrack]) -> dict[str, StoredTrack]:
    return {kind: track for kind, track in media.items() if track.sizes}


def _check(file: RangeCache, media: Mapping[str, StoredTrack]) -> None:
    """Check that the file can have all these samples."""
    for track in media.values():
        check_inside(file, track)


def _duration_ms(video: Track | None, audio: Track | None) -> tuple[int, int]:
    track = video or audio
    assert track is not None  # noqa: S101 - the callers have seen to it
    duration_ms = rounded(track.shown_until * 1000, track.timescale)
    if video is None:
        return duration_ms, 0
    last = max(video.pts)
    if last >= video.shown_until:
        last = max((pts for pts in video.pts if pts < video.shown_until), default=0)
    last_frame_ms = last * 1000 // video.timescale
    return max(duration_ms, last_frame_ms + 1), last_frame_ms


def _first_frame_ms(file: RangeCache, video: Track | None) -> float:
    first = video.sync.find(1) if video else -1
    if video is None or first < 0:
        return 0
    begin = max(0, video.pts[first])
    if first == 0 and begin > 0 and are_leading_decodable(file.read, video):
        return 0
    if video.pts[first] == begin < video.shown_until:
        return begin * 1000 / video.timescale
    shown = (pts for pts in video.pts[first:] if begin <= pts < video.shown_until)
    return min(shown, default=0) * 1000 / video.timescale


def find_moov(file: RangeCache) -> tuple[memoryview, int]:
    """Return the moov's payload and where the box ends; NoMoov or InvalidMp4 without one."""
    at = 0
    for _ in range(MAX_BOXES):
        left = file.size_bytes - at
        ahead = left if at and left <= MAX_TAIL_READ_BYTES else FIRST_READ_BYTES
        found = file.header(at, ahead)
        if found is None:
            raise NoMoov("the file ends before its moov")
        if at == 0 and found.kind not in FIRST_BOXES and file.read(0, 8) != bytes(8):
            raise InvalidMp4("this is not an MP4")
        if found.size_bytes > left:
            raise NoMoov(f"the file is cut off inside its {fourcc(found.kind)}")
        if found.kind == b"moov":
            if found.size_bytes > MAX_MOOV_BYTES:
                raise InvalidMp4(f"the moov is {found.size_bytes} bytes long, too much to read")
            whole = file.read(at, found.size_bytes)
            return memoryview(whole)[found.header_bytes :], at + found.size_bytes
        at += found.size_bytes
    raise InvalidMp4("the file has too many boxes before its moov")


def _placed(
    media: Mapping[str, StoredTrack], shown: Mapping[str, PresentationRange]
) -> VideoAndAudio:
    """Return the tracks on the common clock."""

    def place(kind: str) -> Track | None:
        track = media.get(kind)
        if track is None:
            return None
        return Track(
            codec=track.entry.codec,
            timescale=track.timescale,
            sample_entry=track.entry.stored,
            config=track.entry.config,
            width=track.entry.width,
            height=track.entry.height,
            matrix=track.matrix,
            sample_rate=track.entry.sample_rate,
            channels=track.entry.channels,
            offsets=track.offsets,
            sizes=track.sizes,
            pts=moved(track.pts, shown[kind].shift),
            durations=track.durations,
            sync=track.sync,
            shown_until=shown[kind].until,
            shown_from=shown[kind].begin,
        )

    return place("vide"), place("soun")
