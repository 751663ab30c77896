"""A range of a fragmented recording is found in few reads, and equals a whole walk's."""

import io
import math
import random
from fractions import Fraction
from functools import cache
from pathlib import Path
from struct import pack_into, unpack_from

import pytest
from attrs import evolve

from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.boxes import Read
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import SampleIndex, Track, index_of, read_index
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import open_mp4
from tests.unit.mp4.long import Layout, Long, long_recording
from tests.unit.mp4.media import LONG_SHAPES, reader

RANGE_BYTES = 2 << 20
"""What a window is fetched in."""

LAYOUTS = {
    "no index": Layout(),
    "1 s fragments": Layout(fragment_s=1),
    "6 s fragments": Layout(fragment_s=6),
    "half-second fragments": Layout(fragment_s=0.5),
    "a keyframe every other fragment": Layout(fragment_s=1, gop_fragments=2),
    "a moof for each track": Layout(separate=True),
    "no sound": Layout(audio=False),
    "a sound track without sound": Layout(audio_end_s=0),
    "sound lags behind": Layout(audio_late_ms=700),
    "no B-frames": Layout(bframes=False),
    "negative offsets": Layout(negative_offsets=True),
    "starts late": Layout(start_s=5000.25),
    "cut off": Layout(cut_off_bytes=1000),
    "busier and busier": Layout(busy=lambda s: 0.4 + s / 500),
    "by day and by night": Layout(busy=lambda s: 1.5 if 200 < s < 420 else 0.6),
    "quiet": Layout(kbit=200),
    "sidx": Layout(index="sidx"),
    "sidx, a moof for each track": Layout(index="sidx", separate=True),
    "a sidx each": Layout(index="dash"),
    "mfra": Layout(index="mfra"),
    "mfra, 1 s fragments": Layout(index="mfra", fragment_s=1),
    "sidx, 6 s fragments": Layout(index="sidx", fragment_s=6),
}
MAXIMA: dict[str, tuple[int, int]] = {
    "6 s fragments": (25, 3_500_000),
    "busier and busier": (25, 3_000_000),
    "by day and by night": (25, 3_500_000),
    "cut off": (25, 2_000_000),
    "a moof for each track": (25, 2_000_000),
    "sidx": (10, 600_000),
    "sidx, a moof for each track": (18, 600_000),
    "mfra": (11, 600_000),
    "mfra, 1 s fragments": (13, 600_000),
    "sidx, 6 s fragments": (9, 1_500_000),
}
"""Requests, and bytes beyond 1.3 times the clip's, of a clip of 10 s out of 10 minutes."""


@pytest.fixture(scope="module")
def moov(recordings: dict[str, Path]) -> bytes:
    """Return a fragmented file whose moov the made-up ones get."""
    return recordings["fragmented, default-base"].read_bytes()


def walked(read: Read, size_bytes: int) -> SampleIndex:
    """Read all fragments, as the first use of a track does; the facts follow from the tracks."""
    index = read_index(read, size_bytes)
    video, audio = index.video, index.audio
    assert video is not None
    ms = Fraction(1000, video.timescale)
    last_ms = max(pts for pts in video.pts if pts < video.shown_until) * ms
    duration_ms = max(math.floor(video.shown_until * ms + Fraction(1, 2)), int(last_ms) + 1)
    return SampleIndex(
        duration_ms, int(last_ms), 0, True, index.is_fragmented, lambda: (video, audio)
    )


@cache
def made(moov: bytes, name: str) -> tuple[Long, SampleIndex]:
    """Build a layout once, and walk it whole."""
    file = long_recording(moov, LAYOUTS[name])
    return file, walked(file.read, file.size_bytes)


def windows(duration_ms: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Return stretches of all lengths, some across either end."""
    chance = random.Random(seed)
    found = [(-500, 300), (0, 1), (duration_ms - 700, duration_ms + 500), (duration_ms // 2,) * 2]
    while len(found) < count:
        first = chance.randrange(duration_ms)
        found.append((first, first + chance.choice([1, 40, 700, 3000, 10_000])))
    return found


def assert_part(part: SampleIndex, whole: SampleIndex, from_ms: int, to_ms: int) -> None:
    """Check that *part* is a piece of *whole*, the same in each number, and large enough."""
    assert (part.duration_ms, part.last_frame_ms) == (whole.duration_ms, whole.last_frame_ms)
    assert part.has_video == whole.has_video
    video, pieces = whole.video, {}
    for kind, own, all_ in (("v", part.video, whole.video), ("s", part.audio, whole.audio)):
        if own is None or all_ is None:
            assert own is all_ or all_ is not None
            continue
        begin = all_.offsets.index(own.offsets[0])
        piece = slice(begin, begin + len(own.sizes))
        pieces[kind] = range(piece.start, piece.stop)
        for column in ("offsets", "sizes", "pts", "durations", "sync"):
            assert getattr(own, column) == getattr(all_, column)[piece]
        for fact in ("timescale", "sample_entry", "shown_from", "shown_until", "width", "matrix"):
            assert getattr(own, fact) == getattr(all_, fact)
    assert video is not None
    wanted = [
        i
        for i, pts in enumerate(video.pts)
        if from_ms * video.timescale <= pts * 1000 < to_ms * video.timescale
    ]
    assert set(wanted) <= set(pieces["v"])
    first = pieces["v"][0]
    moment = max(from_ms, 0) * video.timescale
    assert any(video.sync[i] and video.pts[i] * 1000 <= moment for i in pieces["v"]) or first == 0
    heard = samples_in_cut(whole.audio, from_ms, to_ms)
    assert not heard or set(heard) <= set(pieces["s"])


def samples_in_cut(audio: Track | None, from_ms: int, to_ms: int) -> list[int]:
    """Return the sound samples that overlap a stretch."""
    if audio is None:
        return []
    return [
        i
        for i, pts in enumerate(audio.pts)
        if pts * 1000 < to_ms * audio.timescale
        and (pts + audio.durations[i]) * 1000 > from_ms * audio.timescale
    ]


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_clip_costs_little(moov: bytes, name: str) -> None:
    """Index and window together: few requests, and few bytes more than the clip has."""
    max_requests, bytes_more = MAXIMA.get(name, (25, 1_500_000))
    file, whole = made(moov, name)
    for seed in range(5):
        first_ms = random.Random(seed).randrange(whole.duration_ms - 10_000)
        file.asked.clear()
        cache = RangeCache(file.read, file.size_bytes)
        part = index_of(cache).slice(first_ms, first_ms + 10_000)
        assert_part(part, whole, first_ms, first_ms + 10_000)
        clip_bytes = fetch_window(part, cache, first_ms, first_ms + 10_000)
        requests, read_bytes = file.cost
        assert requests <= max_requests
        assert read_bytes <= 1.3 * clip_bytes + bytes_more


def fetch_window(part: SampleIndex, file: RangeCache, from_ms: int, to_ms: int) -> int:
    """Read what it takes to decode a clip, as a window file; return the clip's own bytes."""
    video = part.video
    assert video is not None
    moments = from_ms * video.timescale, to_ms * video.timescale
    wanted = [i for i, pts in enumerate(video.pts) if moments[0] <= pts * 1000 < moments[1]]
    first = max(i for i in range(wanted[0] + 1) if video.sync[i])
    heard = samples_in_cut(part.audio, from_ms, to_ms)

    def read(offset: int, length: int) -> bytes:
        ranges = range(offset, offset + length, RANGE_BYTES)
        return b"".join(file.read(at, min(RANGE_BYTES, offset + length - at)) for at in ranges)

    write_excerpt(
        part,
        read,
        first,
        max(wanted),
        io.BytesIO(),
        range(heard[0], heard[-1] + 1) if heard else range(0),
    )
    audio_bytes = sum(part.audio.sizes[i] for i in heard) if part.audio else 0
    return sum(video.sizes[i] for i in wanted) + audio_bytes


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_ends_are_found_in_few_reads(moov: bytes, name: str) -> None:
    """Length and last frame are those of a whole walk; an index in the file saves reads."""
    file, whole = made(moov, name)
    file.asked.clear()
    index = read_index(file.read, file.size_bytes)
    requests, read_bytes = file.cost
    assert (index.duration_ms, index.last_frame_ms) == (whole.duration_ms, whole.last_frame_ms)
    assert requests <= (4 if LAYOUTS[name].index in {"sidx", "mfra"} else 11)
    assert read_bytes <= 2_500_000


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_part_is_what_a_whole_walk_says(moov: bytes, name: str) -> None:
    """One index asked for many stretches: each is a piece of the whole index, and enough."""
    file, whole = made(moov, name)
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(whole.duration_ms, 12, seed=7):
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


@pytest.mark.parametrize("shape", [*LONG_SHAPES, "starts late"])
def test_so_it_is_in_what_ffmpeg_writes(shape: str, long_ones: dict[str, Path]) -> None:
    """Every layout ffmpeg has: parts are pieces of the whole index."""
    data = long_ones[shape].read_bytes()
    read, asked = reader(data)
    whole = walked(read, len(data))
    fragments = data.count(b"moof\0\0\0\x10mfhd")
    asked.clear()
    index = read_index(read, len(data))
    assert len(asked) < fragments
    ends = [10_000 + 1000 * frame // 15 for frame in range(45)]
    for from_ms, to_ms in [
        *windows(whole.duration_ms, 20, seed=3),
        *((t - 99, t + 1) for t in ends),
    ]:
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


@pytest.mark.parametrize(("begins_s", "ends_s"), [(0, 50), (30, 50), (30, math.inf)])
def test_audio_of_part_of_the_recording_is_found(
    moov: bytes, begins_s: float, ends_s: float
) -> None:
    """Sound that stops, that comes late, or that neither end of the file knows of."""
    layout = evolve(Layout(seconds=80), audio_start_s=begins_s, audio_end_s=ends_s)
    file = long_recording(moov, layout)
    whole = walked(file.read, file.size_bytes)
    assert whole.audio is not None
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in [*windows(whole.duration_ms, 12, seed=8), (40_000, 41_000)]:
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_the_frame_shown_first_need_not_be_decoded_first(long_ones: dict[str, Path]) -> None:
    """Zero is found even where the first fragment holds none but a later frame."""
    data = bytearray(long_ones["a moof for each frame"].read_bytes())
    pack_into(">i", data, data.index(b"trun") + 20, 6 * 1024)
    read = reader(bytes(data))[0]
    whole = walked(read, len(data))
    assert whole.video is not None
    assert whole.video.pts[0] > min(whole.video.pts) == 0
    assert_part(read_index(read, len(data)).slice(3000, 4000), whole, 3000, 4000)


def test_an_edit_list_that_ends_early_is_heeded(long_ones: dict[str, Path]) -> None:
    """What an edit list of a fragmented file cuts off at the end is not shown."""
    data = bytearray(long_ones["edit list"].read_bytes())
    (timescale,) = unpack_from(">I", data, data.index(b"mvhd") + 16)
    pack_into(">I", data, data.index(b"elst") + 12, 10 * timescale)
    read = reader(bytes(data))[0]
    whole = walked(read, len(data))
    index = read_index(read, len(data))
    assert index.duration_ms == 10_000
    assert index.last_frame_ms == 9933
    assert_part(index.slice(9000, 11_000), whole, 9000, 11_000)


def test_whoever_asks_for_all_gets_all(moov: bytes) -> None:
    """The tracks of an index that was read in part only are read when asked for, once."""
    file, whole = made(moov, "no index")
    index = read_index(file.read, file.size_bytes)
    assert index.video is not None
    assert whole.video is not None
    assert index.video.offsets == whole.video.offsets
    assert index.video.pts == whole.video.pts
    file.asked.clear()
    assert index.audio is not None
    assert not file.asked


def test_a_progressive_file_is_its_own_part(recordings: dict[str, Path]) -> None:
    """All of it is known anyway."""
    data = recordings["moov first"].read_bytes()
    index = read_index(reader(data)[0], len(data))
    assert index.slice(0, 10) is index


@pytest.mark.parametrize(
    "filling",
    [
        b"moof",
        b"\0\0\1\0moof\0\0\0\x10mfhd" + bytes(150_000),
        b"\0\0\0\x28moof\0\0\0\x10mfhd" + bytes(8) + b"\0\0\0\x10traf\0\0\0\x08tfhd\0\0\0\x40mdat"
        b"" + bytes(400_000),
    ],
    ids=["everywhere", "broken", "well-formed"],
)
def test_what_looks_like_a_moof_misleads_nobody(moov: bytes, filling: bytes) -> None:
    """Whatever the pictures spell, the stretch found is the right one."""
    layout = evolve(LAYOUTS["no index"], seconds=120, lookalikes=filling)
    file = long_recording(moov, layout)
    whole = walked(file.read, file.size_bytes)
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(whole.duration_ms, 12, seed=5):
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_a_whole_fragment_among_the_pictures_misleads_nobody(moov: bytes) -> None:
    """Not even a copy of a moof of the same file, with an mdat behind it."""
    plain = long_recording(moov, evolve(LAYOUTS["no index"], seconds=120))
    copies = [piece for piece in plain.pieces[1:] if isinstance(piece, bytes)][20:22]
    file = Long(plain.pieces, b"".join(copies) + bytes(300_000))
    whole = walked(file.read, file.size_bytes)
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(whole.duration_ms, 20, seed=6):
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_a_growing_recording_ends_with_its_last_whole_fragment(moov: bytes) -> None:
    """Wherever it is cut: as a whole walk says."""
    layout = evolve(LAYOUTS["no index"], seconds=80)
    full = long_recording(moov, layout)
    last = full.places[-3]  # the last moof
    for size in [last + 1, last + 9, last + 500, full.places[-2] + 3, full.places[-1] + 9]:
        file = long_recording(moov, evolve(layout, cut_off_bytes=full.size_bytes - size))
        whole = walked(file.read, file.size_bytes)
        index = read_index(file.read, file.size_bytes)
        assert (index.duration_ms, index.last_frame_ms) == (whole.duration_ms, whole.last_frame_ms)
        assert whole.duration_ms == 78_000
        assert_part(index.slice(75_000, 79_000), whole, 75_000, 79_000)


def changed(file: Long, box: bytes, at: int, form: str, *numbers: int, every: int = 1) -> Long:
    """Return a copy in which numbers are overwritten *at* bytes into the payload of boxes."""
    pieces = list(file.pieces)
    holding = [i for i, piece in enumerate(pieces) if isinstance(piece, bytes) and box in piece]
    for i in holding[::every]:
        piece = pieces[i]
        assert isinstance(piece, bytes)
        data = bytearray(piece)
        pack_into(form, data, data.index(box) + 4 + at, *numbers)
        pieces[i] = bytes(data)
    return Long(pieces)


def test_fragments_without_a_time_are_walked(moov: bytes) -> None:
    """Where one does not say when it begins, only those before it can tell."""
    plain = long_recording(moov, evolve(LAYOUTS["no index"], seconds=80))
    for every in (1, 3):
        file = changed(plain, b"tfdt", -4, ">4s", b"free", every=every)  # type: ignore[arg-type]
        whole = walked(file.read, file.size_bytes)
        assert whole.duration_ms == 80_000
        index = read_index(file.read, file.size_bytes)
        for from_ms, to_ms in windows(whole.duration_ms, 8, seed=4):
            assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


@pytest.mark.parametrize(
    ("index", "box", "at", "form", "numbers"),
    [
        ("sidx", b"sidx", 20, ">Q", (12345,)),
        ("sidx", b"sidx", 20, ">Q", (1 << 63,)),
        ("sidx", b"sidx", 12, ">Q", (1 << 40,)),
        ("sidx", b"sidx", 8, ">I", (0,)),
        ("sidx", b"sidx", 30, ">H", (65535,)),
        ("sidx", b"sidx", 32, ">I", (0x8000_0000,)),
        ("sidx", b"sidx", 36, ">I", (0xFFFF_FFFF,)),
        ("mfra", b"tfra", 12, ">I", (0xFFFF_FFFF,)),
        ("mfra", b"tfra", 8, ">I", (0x3F,)),
        ("mfra", b"tfra", 16, ">QQ", (1 << 63, 1 << 62)),
        ("mfra", b"tfra", 24, ">Q", (99,)),
        ("mfra", b"mfro", 4, ">I", (0xFFFF_FFFF,)),
        ("mfra", b"mfro", 4, ">I", (100,)),
    ],
)
def test_an_index_that_lies_is_only_a_bad_hint(  # noqa: PLR0917
    moov: bytes, index: str, box: bytes, at: int, form: str, numbers: tuple[int, ...]
) -> None:
    """What sidx and mfra say is checked against the fragments themselves."""
    plain = long_recording(moov, evolve(LAYOUTS["no index"], seconds=80, index=index))
    file = changed(plain, box, at, form, *numbers)
    whole = walked(file.read, file.size_bytes)
    found = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(whole.duration_ms, 10, seed=2):
        assert_part(found.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_changed_bytes_give_a_good_part_or_bad_mp4(moov: bytes) -> None:
    """No other error and no endless reading, whatever bytes of the fragments change."""
    chance = random.Random(11)
    for index in ("", "sidx", "mfra"):
        plain = long_recording(moov, evolve(LAYOUTS["no index"], seconds=60, index=index))
        for _ in range(25):
            pieces = list(plain.pieces)
            for _ in range(chance.choice([1, 1, 2, 5])):
                i = chance.choice([0, 1, 2, 4, -1, -2, *range(1, len(pieces))])
                piece = pieces[i]
                if isinstance(piece, bytes):
                    at = chance.randrange(min(len(piece), 300))
                    new = chance.choice([b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\0\0\0\1"])
                    pieces[i] = (piece[:at] + new + piece[at + len(new) :])[: len(piece)]
            file = Long(pieces)
            try:
                found = read_index(file.read, file.size_bytes).slice(20_000, 31_000)
                tracks = [track for track in (found.video, found.audio) if track]
            except InvalidMp4 as error:
                assert str(error)  # noqa: PT017
                tracks = []
            assert len(file.asked) <= 400
            for track in tracks:
                assert (
                    max(map(sum, zip(track.offsets, track.sizes, strict=True))) <= file.size_bytes
                )


def test_a_heap_of_moofs_is_not_read_for_ever(moov: bytes) -> None:
    """A file of nothing but empty fragments has no index yet, and is read about once."""
    front = moov[: moov.index(b"moof") - 4]
    moof = b"\0\0\0\x18moof\0\0\0\x10mfhd" + bytes(8)
    fragment: list[bytes | int] = [moof + b"\0\0\3\xf0mdat", 1000]
    file = Long([front, *fragment * 5000])
    with pytest.raises(NoMoov, match="no fragment"):
        read_index(file.read, file.size_bytes)
    assert file.cost[1] <= 2 * file.size_bytes


def test_bytes_read_along_are_not_fetched_again(moov: bytes) -> None:
    """What a part brought along is given out; the rest is fetched, and all is as in the file."""
    file, _ = made(moov, "no index")
    cache = RangeCache(file.read, file.size_bytes)
    part = index_of(cache).slice(300_000, 310_000)
    assert part.video is not None
    chance = random.Random(1)
    begin, end = part.video.offsets[0], part.video.offsets[-1]
    indexed_bytes = cache.fetched_bytes
    assert len(cache.read(begin, end - begin)) == end - begin
    assert cache.fetched_bytes - indexed_bytes < (end - begin) / 2
    for _ in range(50):
        offset, length = chance.randrange(begin - 10**6, end), chance.randrange(1, 2 * 10**6)
        assert cache.read(offset, length) == file.read(offset, length)
    fetched_bytes = cache.fetched_bytes
    assert cache.read(begin, 0) == b""
    assert cache.fetched_bytes == fetched_bytes


def test_a_recording_that_is_wrong_halfway_is_unusable(moov: bytes) -> None:
    """Its ends are good, so it opens; the stretch around the lie is refused."""
    plain = long_recording(moov, evolve(LAYOUTS["no index"], seconds=80))
    i = [i for i, piece in enumerate(plain.pieces) if isinstance(piece, bytes) and i][40]
    piece = plain.pieces[i]
    assert isinstance(piece, bytes)
    lie = bytearray(piece)
    at = lie.index(b"trun") + 8
    pack_into(">I", lie, at, unpack_from(">I", lie, at)[0] + 10_000)
    file = Long([*plain.pieces[:i], bytes(lie), *plain.pieces[i + 1 :]])
    segment = RecordingSegment(TimeWindow(0, 80_000), "a.mp4")
    opened = open_mp4(
        segment, TimeWindow(0, 5000), "1", RangeCache(file.read, file.size_bytes), 1000
    )
    assert opened.segment.window.duration_ms == 80_000
    assert opened.index.slice(0, 5000).video is not None
    with pytest.raises(InvalidMp4, match="trun announces"):
        _ = opened.index.slice(35_000, 45_000).video


def test_an_hour_costs_no_more_than_ten_minutes(moov: bytes) -> None:
    """Searching grows with the logarithm, if at all."""
    file = long_recording(moov, Layout(seconds=1800, fps=15))
    file.asked.clear()
    read_index(file.read, file.size_bytes).slice(1_000_000, 1_010_000)
    assert file.cost[0] <= 20
    assert math.isclose(file.size_bytes, 450_000_000, rel_tol=0.2)
