"""Files with wrong stamps, as they are opened: their stretches, and what is said of them."""

from collections.abc import Sequence
from math import isclose
from pathlib import Path
from struct import pack

import pytest
from attrs import evolve

from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.index import SampleIndex, read_index
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4
from tests.unit.mp4.long import AUDIO_TIMESCALE, VIDEO_SCALE, Layout, Long, long_recording
from tests.unit.mp4.media import index_of, reader
from tests.unit.mp4.stamps import TICKS, moofs, progressive, stamped, track_of
from tests.unit.mp4.test_seek import assert_part, walked, windows

TOLERANCE_MS = 1000
HOUR_MS = 3_600_000
MARK = 1_234_567_891
SCALES = VIDEO_SCALE, AUDIO_TIMESCALE


@pytest.fixture(scope="module")
def moov(recordings: dict[str, Path]) -> bytes:
    """Return a fragmented file whose moov the made-up ones get."""
    return recordings["fragmented, default-base"].read_bytes()


def opened(file: Long | bytes, listed_ms: int = 0, to_ms: int = 1000 * HOUR_MS) -> Mp4Recording:
    """Open a file that is listed from 0 on."""
    read, size = (
        (file.read, file.size_bytes) if isinstance(file, Long) else (reader(file)[0], len(file))
    )
    segment = RecordingSegment(TimeWindow(0, listed_ms or 600_000), "pier.mp4", listed_ms)
    window = TimeWindow(0, to_ms)
    return open_mp4(segment, window, "1", RangeCache(read, size), TOLERANCE_MS)


def stretches(recording: Mp4Recording) -> list[tuple[int, int]]:
    """Return what frames cover, in ms."""
    return [(s.start_ms, s.end_ms) for s in recording.segment.stretches]


def frames(count: int, **longer: int) -> list[int]:
    """Return the durations of frames, some (`at_3`) by so many ms longer."""
    durations = [TICKS] * count
    for at, ms in longer.items():
        durations[int(at.removeprefix("at_"))] += ms
    return durations


@pytest.mark.parametrize("ms", [1100, 60_000, HOUR_MS, 24 * HOUR_MS])
def test_the_duration_of_the_last_frame_is_not_believed(ms: int) -> None:
    """Whatever its duration claims."""
    assert stretches(opened(progressive(track_of(frames(100, at_99=ms))))) == [(0, 4000)]


@pytest.mark.parametrize("ms", [1100, 60_000, HOUR_MS])
def test_a_long_duration_in_the_middle_leaves_a_hole(ms: int) -> None:
    """The frames after it are where its duration puts them."""
    recording = opened(progressive(track_of(frames(100, at_49=ms))))
    assert stretches(recording) == [(0, 2000), (2000 + ms, 4000 + ms)]
    assert recording.segment.notes == ()


def test_one_frame_far_away_is_shown_in_its_place_and_named() -> None:
    """Its composition offset is wrong, up to what a file can say."""
    for by in (-2_000_000, -5000, 5000, 2_000_000):
        offsets = [80 if number != 50 else MARK for number in range(100)]
        data = progressive(evolve(track_of(frames(100), offsets), duration=4080)).replace(
            pack(">I", MARK), pack(">i", 80 + by)
        )
        recording = opened(data)
        assert stretches(recording) == [(0, 4000)]
        step = "step back" if by < 0 else "jump ahead"
        said = f"pier.mp4: the times of 1 frame are doubtful: they {step} by {abs(by) // 1000} s."
        assert recording.segment.notes == (said,)


@pytest.mark.parametrize("by_s", [-1000, 1000])
@pytest.mark.parametrize("number", [1, 7, 13])
def test_a_stray_fragment_of_a_short_file(moov: bytes, number: int, by_s: int) -> None:
    """All its frames are there once, in file order; the others keep their time."""
    plain = long_recording(moov, Layout(seconds=30, start_s=2000, kbit=100))
    recording = opened(stamped(plain, {number: by_s}, SCALES))
    assert stretches(recording) == [(0, 30_000)]
    assert same(recording.index, read_index(plain.read, plain.size_bytes))
    step = "step back" if by_s < 0 else "jump ahead"
    said = f"pier.mp4: the times of 60 frames are doubtful: they {step} by 1000 s."
    assert recording.segment.notes == (said,)


def same(index: SampleIndex, other: SampleIndex) -> bool:
    """Return whether two indexes give all samples the same times, the audio within a ms."""
    video, audio = index.video, index.audio
    assert video
    assert audio
    assert other.video
    assert other.audio
    ms = audio.timescale // 1000
    return video.pts == other.video.pts and all(
        isclose(a, b, abs_tol=ms) for a, b in zip(audio.pts, other.audio.pts, strict=True)
    )


def test_a_restarted_clock_in_a_short_file(moov: bytes) -> None:
    """Later frames follow those before them."""
    plain = long_recording(moov, Layout(seconds=30, start_s=2000, kbit=100))
    recording = opened(stamped(plain, dict.fromkeys(range(7, 15), -2000), SCALES))
    assert stretches(recording) == [(0, 30_000)]
    assert same(recording.index, read_index(plain.read, plain.size_bytes))
    assert recording.segment.notes[0].startswith("pier.mp4: the times are doubtful: the recorder")


def test_a_hole_between_fragments_stays(moov: bytes) -> None:
    """A jump ahead after which no fragment returns."""
    plain = long_recording(moov, Layout(seconds=30, kbit=100))
    recording = opened(stamped(plain, dict.fromkeys(range(7, 15), 90), SCALES))
    assert stretches(recording) == [(0, 14_000), (104_000, 120_000)]
    assert recording.segment.notes == ()


LONG = Layout(seconds=200, start_s=2000, fps=15)


@pytest.mark.parametrize("index", ["", "sidx"])
@pytest.mark.parametrize(
    ("number", "by_s"), [(20, -1000.0), (50, -70.0), (50, 50.0), (50, 1000.0), (99, 1000.0)]
)
def test_a_stray_fragment_of_a_long_file(moov: bytes, index: str, number: int, by_s: float) -> None:
    """Whichever part is asked for, around the stray or far from it: it is the right one."""
    plain = long_recording(moov, evolve(LONG, index=index))
    file = stamped(plain, {number: by_s}, SCALES)
    listed_ms = 200_000
    whole = walked(plain.read, plain.size_bytes)
    assert whole.video
    for from_ms, to_ms in [
        *windows(198_000, 3, seed=number),
        (2000 * number - 900, 2000 * number + 2500),
    ]:
        if number == 99 and by_s > 0:
            to_ms = min(to_ms, 198_000)  # noqa: PLW2901 - a jump ahead at the end stays
        recording = opened(file, listed_ms)
        video = recording.index.slice(from_ms, to_ms).video
        assert video is not None
        found = shown(video.pts, video.offsets, from_ms, to_ms)
        assert found == shown(whole.video.pts, whole.video.offsets, from_ms, to_ms)


def shown(pts: Sequence[int], places: Sequence[int], from_ms: int, to_ms: int) -> list[int]:
    """Return the frames presented in a range, by where they are stored, in order."""
    inside = [
        (time, place)
        for time, place in zip(pts, places, strict=True)
        if from_ms * VIDEO_SCALE <= time * 1000 < to_ms * VIDEO_SCALE
    ]
    return [place for _, place in sorted(inside)]


@pytest.mark.parametrize("first", [10, 50, 90])
@pytest.mark.parametrize("index", ["", "mfra", "sidx"])
def test_a_restarted_clock_in_a_long_file(moov: bytes, first: int, index: str) -> None:
    """Its ends may agree with one clock; the listed duration does not, or the fragments."""
    plain = long_recording(moov, evolve(LONG, index=index))
    for back_s in (2 * first, 2000):
        file = stamped(plain, dict.fromkeys(range(first, 100), -back_s), SCALES)
        recording = opened(file, 200_000)
        assert stretches(recording) == [(0, 200_000)]
        assert same(recording.index, read_index(plain.read, plain.size_bytes))
        assert "clock steps back" in recording.segment.notes[0]


def test_a_hole_in_a_long_file_is_found_where_it_is_asked_for(moov: bytes) -> None:
    """Its stretches are those of a whole walk."""
    plain = long_recording(moov, LONG)
    file = stamped(plain, dict.fromkeys(range(40, 100), 90), SCALES)
    assert stretches(opened(file, 290_000)) == [(0, 80_000), (170_000, 290_000)]
    assert stretches(opened(file, 290_000, to_ms=100_000)) == [(0, 80_000), (170_000, 290_000)]
    whole = walked(file.read, file.size_bytes)
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(290_000, 12, seed=10):
        if any(60_000 < ms < 190_000 for ms in (from_ms, to_ms)):
            continue
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_a_listed_duration_that_agrees_costs_nothing(moov: bytes) -> None:
    """Only a contradiction leads to a walk."""
    file = long_recording(moov, LONG)
    costs = []
    for listed_ms in (0, 199_000, 200_000, 203_000):
        file.asked.clear()
        opened(file, listed_ms, to_ms=5000)
        costs.append(file.cost)
    assert len(set(costs)) == 1


# Files that begin between keyframes.


@pytest.mark.parametrize("first", [0, 1, 12, 40])
def test_a_file_begins_with_its_first_keyframe(first: int) -> None:
    """Frames before it refer to others that are not there."""
    sync = [number >= first and (number - first) % 50 == 0 for number in range(100)]
    recording = opened(progressive(track_of(frames(100), sync=sync)))
    assert stretches(recording) == [(first * TICKS, 4000)]
    assert recording.segment.origin_ms == 0


@pytest.mark.parametrize(
    ("shape", "bytes_of_first", "begins_ms"),
    [
        ("hevc", b"\x2a\x01", 80),  # CRA_NUT
        ("hevc", b"\x26\x01", 0),  # IDR_W_RADL
        ("open GOP", b"\x41\x9a", 80),  # an I picture, no IDR
        ("open GOP", b"\x65\x88", 0),  # IDR
    ],
)
def test_leading_pictures_count_if_they_can_be_decoded(
    shape: str, bytes_of_first: bytes, begins_ms: int, recordings: dict[str, Path]
) -> None:
    """Before an open GOP's first keyframe, those at the start of a file cannot."""
    known = index_of(recordings[shape].read_bytes()).video
    assert known is not None
    offsets = [80, -40, -40, *[0] * 97]
    track = track_of(frames(100), [80 + late for late in offsets], sync=[1, *[0] * 99])
    data = bytearray(progressive(evolve(track, sample_entry=known.sample_entry, duration=4080)))
    at = data.rindex(b"mdat") + 4
    data[at : at + 10] = b"\0\0\0\6" + bytes_of_first + bytes(4)
    assert stretches(opened(bytes(data))) == [(begins_ms, 4000)]


# Samples before their moof.


def before_their_moofs(file: Long) -> Long:
    """Return the file with each mdat before the moof that describes it."""
    pieces = list(file.pieces)
    for number in moofs(file):
        moof, header, size = pieces[number : number + 3]
        assert isinstance(moof, bytes)
        assert isinstance(header, bytes)
        assert isinstance(size, int)
        back = len(moof) + len(header) - 8 + 8 + size
        pieces[number : number + 3] = [header, size, further_back(moof, back)]
    return Long(pieces, file.filling)


def further_back(moof: bytes, by: int) -> bytes:
    """Return a moof whose data offsets are *by* bytes less."""
    data, at = bytearray(moof), 0
    while (at := data.find(b"trun", at + 1)) > 0:
        place = int.from_bytes(data[at + 12 : at + 16], signed=True) - by
        data[at + 12 : at + 16] = place.to_bytes(4, signed=True)
    return bytes(data)


@pytest.mark.parametrize("seconds", [10, 100])
@pytest.mark.parametrize("separate", [False, True])
def test_samples_before_their_moof_are_all_there(moov: bytes, seconds: int, separate: bool) -> None:
    """The last fragment too, which nothing follows."""
    plain = long_recording(moov, Layout(seconds=seconds, separate=separate))
    expected = walked(plain.read, plain.size_bytes)
    file = before_their_moofs(plain)
    whole = walked(file.read, file.size_bytes)
    assert (whole.duration_ms, whole.last_frame_ms) == (
        expected.duration_ms,
        expected.last_frame_ms,
    )
    assert whole.video
    assert expected.video
    assert whole.video.pts == expected.video.pts
    index = read_index(file.read, file.size_bytes)
    for from_ms, to_ms in windows(whole.duration_ms, 10, seed=12):
        assert_part(index.slice(from_ms, to_ms), whole, from_ms, to_ms)


def test_a_cut_off_fragment_stays_out_wherever_its_samples_are(moov: bytes) -> None:
    """A moof alone is a fragment only if its samples are before it."""
    plain = long_recording(moov, Layout(seconds=10))
    last = plain.places[moofs(plain)[-1]]
    file = Long(plain.pieces[: moofs(plain)[-1] + 1])
    assert file.size_bytes > last
    assert read_index(file.read, file.size_bytes).duration_ms == 8000
