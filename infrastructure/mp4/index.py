"""The sample index of an MP4: where every sample lies, and when it is shown.

The boxes read, with their sections in ISO/IEC 14496-12 (all others are skipped)::

    ftyp                 4.3     not needed: QuickTime's files are read too
    moov                 8.2.1   first or last
    ├── mvhd             8.2.2   the movie's timescale
    ├── trak             8.3.1   the first of video and the first of sound
    │   ├── tkhd         8.3.2   id, matrix (rotation)
    │   ├── edts/elst    8.6.6   a delay, then one stretch of the media
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
    │           └── stco, co64   8.7.5  where the chunks lie
    └── mvex/trex        8.8.3   defaults of the fragments
    moof                 8.8.4   fragmented files: any number
    └── traf             8.8.6
        ├── tfhd         8.8.7   track, base offset, defaults
        ├── tfdt         8.8.12  decode time of the first sample
        └── trun         8.8.8   sizes, durations, flags, composition offsets
    mdat                 8.1.1   the samples' bytes: never read here

Reads, each a range request where the file is in S3: one of 128 KiB; one more for a moov that is
longer; one or two more for a moov at the end (one if what follows the mdat is at most 4 MiB). A
fragmented file takes one read of 16 KiB per fragment beyond the first 128 KiB, one more for a
longer moof. sidx and mfra are not needed.
"""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct
from array import array
from operator import add

from attrs import field, frozen

from infrastructure.mp4.boxes import Head, Read, child, children, head, name, needed
from infrastructure.mp4.errors import BadMp4, NoMoov
from infrastructure.mp4.fragments import add_fragment, read_trex
from infrastructure.mp4.tables import Edit, Media, read_timescale, read_trak

FIRST_READ_BYTES = 128 << 10
REST_AT_ONCE_BYTES = 4 << 20
FRAGMENT_READ_BYTES = 16 << 10
MOOV_AT_MOST_BYTES = 64 << 20
BOXES_AT_MOST = 200_000
FIRST_BOXES = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}


@frozen(eq=False)
class Track:
    """One track's samples in decode order; on one clock with the other track's.

    Zero is the first presented video frame. Video frames before it have a negative pts: they are
    decoded, not shown. Sound may begin before zero.
    """

    kind: str  # "vide" or "soun"
    codec: str  # four-character code of the sample entry: "avc1", "hvc1", "mp4a", ...
    timescale: int  # ticks per second
    sample_entry: bytes = field(repr=False)  # the whole stsd entry, as stored
    config: bytes = field(repr=False)  # payload of avcC or hvcC, AudioSpecificConfig, or b""
    width: int  # pixels, of the sample entry; 0 for sound
    height: int
    matrix: tuple[int, ...] = field(repr=False)  # tkhd's nine numbers
    sample_rate: int  # Hz; 0 for video
    channels: int
    offsets: "array[int]" = field(repr=False)  # bytes from the start of the file
    sizes: "array[int]" = field(repr=False)  # bytes
    dts: "array[int]" = field(repr=False)  # ticks
    pts: "array[int]" = field(repr=False)  # ticks
    durations: "array[int]" = field(repr=False)  # ticks, between decode times
    sync: bytearray = field(repr=False)  # 1 where the sample is marked as sync
    shown_until: int  # ticks: what lies in max(0, shown_from) <= pts < shown_until is presented
    shown_from: int = 0  # ticks: 0 for video; where the sound's edit list (else its media) begins


@frozen(eq=False)
class Index:
    """The first video and the first sound track of a file; a track without samples is None."""

    video: Track | None
    sound: Track | None
    size_bytes: int

    @property
    def length_ms(self) -> int:
        """How long the video (else the sound) is presented, rounded to the nearest ms."""
        track = self.video or self.sound
        return 0 if track is None else _rounded(track.shown_until * 1000, track.timescale)

    @property
    def last_frame_ms(self) -> int:
        """When the last video frame is presented, rounded down to the ms; 0 without video."""
        if self.video is None:
            return 0
        last = max((pts for pts in self.video.pts if pts < self.video.shown_until), default=0)
        return last * 1000 // self.video.timescale


def read_index(read: Read, size_bytes: int) -> Index:
    """Read the sample index of a file of *size_bytes*.

    NoMoov where the file is empty, cut off or has no index yet. BadMp4 where it lies or uses what
    is not supported. What *read* raises passes through.
    """
    try:
        return _read_index(_Ahead(read, size_bytes))
    except struct.error as error:
        raise BadMp4("a box is shorter than its own fields") from error


def _read_index(file: "_Ahead") -> Index:
    moov, at = _find_moov(file)
    timescale = read_timescale(needed(moov, b"mvhd"), "movie")
    media: dict[str, Media] = {}
    for kind, trak in children(moov):
        if kind == b"trak":
            handler = name(bytes(needed(trak, b"mdia", b"hdlr")[8:12]))
            if handler in ("vide", "soun") and handler not in media:
                media[handler] = read_trak(trak, handler, file.size_bytes)
    mvex = child(moov, b"mvex")
    if mvex is not None:
        _read_fragments(file, at, {track.track_id: track for track in media.values()}, mvex)
    for track in media.values():
        _check_inside(file, track)
    video, sound = (
        track if track is not None and track.sizes else None
        for track in (media.get("vide"), media.get("soun"))
    )
    if video is None and sound is None:
        if mvex is not None:
            raise NoMoov("no fragment is whole yet")
        raise BadMp4("the file holds neither pictures nor sound")
    return _on_one_clock(video, sound, timescale, file.size_bytes)


def _find_moov(file: "_Ahead") -> tuple[memoryview, int]:
    """Return the moov's payload and where the box ends."""
    at = 0
    for _ in range(BOXES_AT_MOST):
        left = file.size_bytes - at
        ahead = left if at and left <= REST_AT_ONCE_BYTES else FIRST_READ_BYTES
        found = file.head(at, ahead)
        if found is None:
            raise NoMoov("the file ends before its moov")
        if at == 0 and found.kind not in FIRST_BOXES and file.bytes(0, 8) != bytes(8):
            raise BadMp4("this is not an MP4")
        if found.size_bytes > left:
            raise NoMoov(f"the file is cut off inside its {name(found.kind)}")
        if found.kind == b"moov":
            if found.size_bytes > MOOV_AT_MOST_BYTES:
                raise BadMp4(f"the moov is {found.size_bytes} bytes long, too much to read")
            whole = file.bytes(at, found.size_bytes)
            return memoryview(whole)[found.header_bytes :], at + found.size_bytes
        at += found.size_bytes
    raise BadMp4("the file is a heap of boxes without a moov")


def _read_fragments(file: "_Ahead", at: int, media: dict[int, Media], mvex: memoryview) -> None:
    """Add every fragment from *at* on. A last one that is not all there yet is left out."""
    trex = read_trex(mvex)
    waiting: tuple[int, memoryview] | None = None
    for _ in range(BOXES_AT_MOST):
        found = file.head(at, FRAGMENT_READ_BYTES)
        if found is None or at + found.size_bytes > file.size_bytes:
            return
        if waiting is not None:
            add_fragment(waiting[1], waiting[0], file.size_bytes, media, trex)
            waiting = None
        if found.kind == b"moof":
            if found.size_bytes > MOOV_AT_MOST_BYTES:
                raise BadMp4(f"a moof is {found.size_bytes} bytes long, too much to read")
            whole = file.bytes(at, found.size_bytes)
            waiting = at, memoryview(whole)[found.header_bytes :]
        at += found.size_bytes
    raise BadMp4(f"the file has more than {BOXES_AT_MOST} boxes")


def _check_inside(file: "_Ahead", track: Media) -> None:
    if not track.sizes:
        return
    if track.kind == "vide" and 0 in track.sizes:
        raise BadMp4(f"video sample {track.sizes.index(0)} has no bytes")
    if max(map(add, track.offsets, track.sizes)) <= file.size_bytes:
        if sum(track.sizes) > file.size_bytes:
            raise BadMp4("the samples are larger than the file: they overlap")
        return
    at = 0
    for _ in range(BOXES_AT_MOST):
        found = file.head(at, FRAGMENT_READ_BYTES)
        if found is None:
            break
        at += found.size_bytes
        if at > file.size_bytes:
            raise NoMoov(f"the file is cut off inside its {name(found.kind)}")
    raise BadMp4("samples lie beyond the end of the file")


def _on_one_clock(
    video: Media | None, sound: Media | None, timescale: int, size_bytes: int
) -> Index:
    """Apply the edit lists, then move every track so that the first shown frame is at 0."""
    leader = video or sound
    assert leader is not None  # noqa: S101 - the caller has seen to it
    edit = leader.edit or Edit(0, 0, 0)
    shown = leader.pts if leader.edit is None else [t for t in leader.pts if t >= edit.media_time]
    if not shown:
        raise BadMp4("the edit list begins after the last frame")
    into_edit = min(shown) - edit.media_time  # ticks of the leader

    def place(track: Media) -> Track:
        own = track.edit or Edit(0, 0, 0)
        moved = _rounded(
            track.timescale * ((own.empty - edit.empty) * leader.timescale - into_edit * timescale),
            timescale * leader.timescale,
        )
        shift = moved - own.media_time
        if abs(shift) > 1 << 60:
            raise BadMp4("the edit list moves a track further than any recording lasts")
        last = track.pts.index(max(track.pts))
        until = track.pts[last] + max(track.durations[last], 1) + shift
        if own.duration:
            until = min(until, moved + _rounded(own.duration * track.timescale, timescale))
        if track is leader and until <= 0:
            raise BadMp4("the edit list ends before the first frame")
        dts = _shifted(track.dts, shift)
        return Track(
            kind=track.kind,
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
            dts=dts,
            pts=dts[:] if track.pts == track.dts else _shifted(track.pts, shift),
            durations=track.durations,
            sync=track.sync,
            shown_until=until,
            shown_from=0 if track is leader else moved if track.edit else min(track.pts) + shift,
        )

    return Index(
        video=None if video is None else place(video),
        sound=None if sound is None else place(sound),
        size_bytes=size_bytes,
    )


def _shifted(times: "array[int]", by: int) -> "array[int]":
    return array("q", map(by.__add__, times)) if by else times


def _rounded(number: int, divisor: int) -> int:
    """Divide to the nearest integer, halves upwards."""
    return (2 * number + divisor) // (2 * divisor)


class _Ahead:
    """A file read in few pieces: what was read ahead is not asked for again."""

    def __init__(self, read: Read, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self._read = read
        self._at = 0
        self._held = b""

    def bytes(self, at: int, length: int, ahead: int = 0) -> bytes:
        """Return *length* bytes, which the file must have; read *ahead* if they must be fetched."""
        begin = at - self._at
        if not 0 <= begin <= begin + length <= len(self._held):
            kept = self._held[begin:] if 0 <= begin <= len(self._held) else b""
            fetch = min(max(length, ahead), self.size_bytes - at) - len(kept)
            self._held = kept + self._read(at + len(kept), fetch)
            self._at, begin = at, 0
        return self._held[begin : begin + length]

    def head(self, at: int, ahead: int) -> Head | None:
        """Return the box header at *at*, or None where the file ends before it does."""
        left = self.size_bytes - at
        return head(self.bytes(at, min(16, left), ahead), 0, left) if left >= 8 else None
