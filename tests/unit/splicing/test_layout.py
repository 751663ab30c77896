"""Where samples lie in a clip: each once, and no byte of a sample that was not requested."""

import struct
from array import array
from itertools import accumulate

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from infrastructure.mp4.boxes import box
from infrastructure.mp4.index import read_index
from infrastructure.mp4.writer import TrackToWrite
from infrastructure.splicing.copied_ranges import copied_ranges
from infrastructure.splicing.frames import CutSource, resolve_cuts
from infrastructure.splicing.layout import Layout, lay_out_clip
from infrastructure.splicing.tracks import ClipTrack
from tests.unit.splicing.tracks import named, opened, plan, video_track

ENTRY = box(b"hvc1", bytes(24), struct.pack(">HH", 320, 180), bytes(50))
SAMPLES = st.lists(
    st.tuples(st.integers(1, 400), st.sampled_from((0, 0, 0, 8, 70_000))), min_size=6, max_size=16
)
"""Size of each sample, and the bytes between it and the next."""


def recorded(samples: list[tuple[int, int]], *, is_fragmented: bool) -> CutSource:
    """Return a cut of all but two frames at both ends of a recording with such samples."""
    count, end = len(samples), 0
    offsets = []
    for size, gap in samples:
        offsets.append(end)
        end += size + gap
    sizes = array("I", [size for size, _ in samples])
    video = evolve(
        video_track([100 * i for i in range(count)], 1000), offsets=array("q", offsets), sizes=sizes
    )
    recording = opened(video, is_fragmented=is_fragmented)
    cut = plan(200, 100 * (count - 2), recording)
    return resolve_cuts(cut, named(recording))[0]


def clip_track(source: CutSource, samples: range) -> ClipTrack:
    """Return the track of a clip of some samples."""
    pieces = source.samples_of(source.video, samples)
    times = [100 * i for i in range(len(pieces))]
    tables = TrackToWrite(
        kind="vide",
        sample_entry=ENTRY,
        timescale=1000,
        offsets=(),
        sizes=[piece.length for piece in pieces],
        dts=times,
        pts=times,
        sync=[1] * len(pieces),
        duration=100 * len(pieces),
        last_duration=100,
    )
    return ClipTrack(tables, [pieces])


def laid_out(source: CutSource, samples: range, min_bytes: int) -> Layout:
    """Return the layout of a clip of some samples."""
    track = clip_track(source, samples)
    return lay_out_clip([track], copied_ranges(track.samples, [source], min_bytes))


@given(SAMPLES, st.booleans(), st.integers(0, 3), st.integers(1, 2000))
def test_copied_ranges_hold_no_sample_from_outside_the_cut(
    samples: list[tuple[int, int]], is_fragmented: bool, skipped: int, min_bytes: int
) -> None:
    """Nor, in a progressive file, any byte that is not a sample's. Each sample has one place."""
    source = recorded(samples, is_fragmented=is_fragmented)
    video, requested = source.video, range(2 + min(skipped, len(samples) - 5), len(samples) - 2)
    layout = laid_out(source, requested, min_bytes)
    ranges = [piece for _, piece in layout.copied]
    assert all(piece.length >= min_bytes for piece in ranges)
    own = {piece.offset for _, piece in layout.own}
    for i, (offset, size) in enumerate(zip(video.offsets, video.sizes, strict=True)):
        overlapping = [
            p for p in ranges if p.offset < offset + size and offset < p.offset + p.length
        ]
        if i not in source.frames:
            assert not overlapping
        if i in requested:
            assert (offset in own) + len(overlapping) == 1
    if not is_fragmented:
        assert layout.unused_bytes == 0
    places = [(at, piece.length) for at, piece in layout.own]
    places += [(at, piece.length) for at, piece in layout.copied]
    end = len(layout.header)
    for at, length in sorted(places):
        assert at == end
        end += length
    assert end == layout.size_bytes


@st.composite
def apart(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Draw where samples begin, and their sizes: in any order, with bytes between some."""
    sizes = draw(st.lists(st.tuples(st.integers(1, 9), st.sampled_from((0, 0, 1))), min_size=8))
    ends = [*accumulate(size + gap for size, gap in sizes[:16])]
    samples = [(end - size - gap, size) for end, (size, gap) in zip(ends, sizes, strict=False)]
    order = draw(st.permutations(range(len(samples))))
    return [samples[i] for i in order]


SHARING = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), min_size=8, max_size=16)
"""Where samples begin, and their sizes: in any order, and some share bytes."""


@given(st.one_of(apart(), SHARING), st.integers(1, 30))
def test_each_sample_has_its_own_bytes_in_the_clip(
    stored: list[tuple[int, int]], min_bytes: int
) -> None:
    """However the recording stores them."""
    source = stored_so(stored)
    video, data = source.video, source.recording.read(0, 200)
    layout = laid_out(source, range(2, len(stored) - 2), min_bytes)
    clip = bytearray(layout.header + bytes(layout.size_bytes - len(layout.header)))
    for at, piece in (*layout.own, *layout.copied):
        clip[at : at + piece.length] = data[piece.offset : piece.offset + piece.length]
    written = read_index(lambda at, length: bytes(clip[at : at + length]), len(clip)).video
    assert written is not None
    places = [range(at, at + size) for at, size in zip(written.offsets, written.sizes, strict=True)]
    for i, place in enumerate(places, 2):
        at = video.offsets[i]
        assert clip[place.start : place.stop] == data[at : at + video.sizes[i]]
    occupied = [byte for place in places for byte in place]
    assert len(occupied) == len(set(occupied))


def test_samples_that_share_no_bytes_are_copied_at_once() -> None:
    """Whatever order they are stored in."""
    source = stored_so([(20 * i, 20) for i in (0, 1, 3, 2, 5, 4, 6, 7)])
    layout = laid_out(source, range(2, 6), 80)
    assert [(piece.offset, piece.length) for _, piece in layout.copied] == [(40, 80)]


def stored_so(samples: list[tuple[int, int]]) -> CutSource:
    """Return a cut of all but two frames at both ends of a progressive recording."""
    count = len(samples)
    video = evolve(
        video_track([100 * i for i in range(count)], 1000),
        offsets=array("q", [at for at, _ in samples]),
        sizes=array("I", [size for _, size in samples]),
    )
    recording = opened(video, data=bytes(range(200)))
    return resolve_cuts(plan(200, 100 * (count - 2), recording), named(recording))[0]


def test_without_the_cuts_no_unknown_byte_is_copied() -> None:
    """Samples with bytes between them are then placed one by one."""
    source = recorded([(100, 8)] * 8, is_fragmented=True)
    track = clip_track(source, range(2, 6))
    assert copied_ranges(track.samples, [source], 150)
    assert not copied_ranges(track.samples, [], 150)
