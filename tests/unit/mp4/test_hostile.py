"""A lying file ends in InvalidMp4 with a sentence; nothing is allocated on its word."""

import io
import struct
import time
import tracemalloc
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infrastructure.mp4.boxes import box, full_box
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.index import read_index
from infrastructure.mp4.sample_tables import TooManySamples
from infrastructure.mp4.writer import TrackToWrite, write_header
from tests.unit.mp4.media import ffmpeg, index_of

ENTRY = box(b"avc1", bytes(6) + b"\0\1" + bytes(70))


def plain() -> bytes:
    """Return a file of four video samples of 100 bytes."""
    header = write_header(
        [
            TrackToWrite(
                kind="vide",
                sample_entry=ENTRY,
                timescale=10,
                offsets=[0, 100, 250, 350],
                sizes=[100] * 4,
                dts=[0, 1, 2, 3],
                pts=[2, 4, 3, 5],
                sync=[1, 0, 0, 0],
                duration=4,
                last_duration=1,
                media_time=2,
            )
        ],
        1000,
    )
    return header + bytes(1000)


def put(kind: bytes, at: int, form: str, *numbers: int) -> Callable[[bytes], bytes]:
    """Return a change that overwrites numbers *at* bytes into the payload of the box *kind*."""

    def change(data: bytes) -> bytes:
        place = data.index(kind) + 4 + at
        new = struct.pack(form, *numbers)
        return data[:place] + new + data[place + len(new) :]

    return change


def renamed(kind: bytes) -> Callable[[bytes], bytes]:
    """Return a change that turns the box *kind* into a free one."""
    return lambda data: data.replace(kind, b"free", 1)


HUGE = 0xFFFF_FFFF
LIES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "movie timescale 0": (put(b"mvhd", 12, ">I", 0), "timescale"),
    "track timescale 0": (put(b"mdhd", 12, ">I", 0), "timescale"),
    "stts count": (put(b"stts", 4, ">I", HUGE), "stts announces"),
    "stts run of 4 billion": (put(b"stts", 8, ">I", HUGE), "stts covers"),
    "stts run too short": (put(b"stts", 8, ">I", 3), "stts covers 3 samples"),
    "ctts count": (put(b"ctts", 4, ">I", HUGE), "ctts announces"),
    "ctts run of 4 billion": (put(b"ctts", 8, ">I", HUGE), "ctts covers"),
    "stsz count": (put(b"stsz", 8, ">I", HUGE), "stsz announces"),
    "stsz count within the limit": (put(b"stsz", 8, ">I", 1_000_000), "stsz announces"),
    "stsz constant size": (put(b"stsz", 4, ">II", 1, 1_900_000), "more than the file has"),
    "stsz says fewer": (put(b"stsz", 8, ">I", 3), "stts covers 4 samples"),
    "a video sample without bytes": (put(b"stsz", 12, ">I", 0), "no bytes"),
    "a sample beyond the end": (put(b"stsz", 12, ">I", 1 << 31), "beyond the end"),
    "stsc count": (put(b"stsc", 4, ">I", HUGE), "stsc announces"),
    "stsc empty": (put(b"stsc", 4, ">I", 0), "contradict"),
    "stsc begins at chunk 0": (put(b"stsc", 8, ">I", 0), "contradict"),
    "stsc begins at chunk 9": (put(b"stsc", 8, ">I", 9), "contradict"),
    "stsc of 4 billion samples": (put(b"stsc", 12, ">I", HUGE), "chunks hold"),
    "stsc of no samples": (put(b"stsc", 12, ">I", 0), "chunks hold 0"),
    "stsc of fewer samples": (put(b"stsc", 12, ">I", 1), "chunks hold 2"),
    "a second sample entry": (put(b"stsc", 16, ">I", 2), "several sample entries"),
    "stco count": (put(b"stco", 4, ">I", HUGE), "stco announces"),
    "a chunk beyond the end": (put(b"stco", 8, ">I", HUGE), "beyond the end"),
    "stss count": (put(b"stss", 4, ">I", HUGE), "stss announces"),
    "stss names sample 0": (put(b"stss", 8, ">I", 0), "stss names sample 0"),
    "stss names sample 5": (put(b"stss", 8, ">I", 5), "stss names sample 5"),
    "elst count": (put(b"elst", 4, ">I", HUGE), "elst announces"),
    "elst at half speed": (put(b"elst", 16, ">I", 0x8000), "unsupported edit list"),
    "elst empty only": (put(b"elst", 12, ">i", -1), "unsupported edit list"),
    "elst before the media": (put(b"elst", 12, ">i", -7), "unsupported edit list"),
    "elst after the media": (put(b"elst", 12, ">i", 99), "after the last frame"),
    "a child larger than its parent": (put(b"minf", -8, ">I", 1 << 30), "larger than the box"),
    "a box smaller than its header": (put(b"minf", -8, ">I", 7), "less than its own header"),
    "no stbl": (renamed(b"stbl"), "no box"),
    "no mvhd": (renamed(b"mvhd"), "no box mvhd"),
    "no tkhd": (renamed(b"tkhd"), "no box tkhd"),
    "no stsd": (renamed(b"stsd"), "no box stsd"),
    "no stsz": (renamed(b"stsz"), "no box stsz"),
    "no stco": (renamed(b"stco"), "no box co64"),
    "no track": (renamed(b"trak"), "neither video nor audio"),
    "no handler": (put(b"hdlr", 8, ">4s", b"hint"), "neither video nor audio"),  # type: ignore[arg-type]
}


def test_the_plain_file_is_good() -> None:
    """What the lies below change is read without complaint."""
    video = index_of(plain()).video
    assert video is not None
    assert list(video.pts) == [0, 2, 1, 3]


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_named(lie: str) -> None:
    """InvalidMp4 with the sentence for this lie, and little memory spent on finding it."""
    change, sentence = LIES[lie]
    data = change(plain())
    assert data != plain()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidMp4, match=sentence):
            index_of(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_samples_on_top_of_each_other_are_refused() -> None:
    """Else a small file could name, and a window copy, any number of bytes."""
    lie = put(b"stsz", 12, ">4I", 800, 800, 800, 800)(put(b"stco", 8, ">II", 0, 0)(plain()))
    with pytest.raises(InvalidMp4, match="overlap"):
        index_of(lie)


def test_a_moov_of_gigabytes_is_not_read() -> None:
    """Only its header is looked at."""

    def read(offset: int, length: int) -> bytes:
        assert length <= 1 << 20
        return struct.pack(">I4s", 0xF000_0000, b"moov").ljust(length, b"\0") if not offset else b""

    with pytest.raises(InvalidMp4, match="too much to read"):
        read_index(read, 1 << 33)


def fragment(flags: int, count: int, *numbers: int) -> bytes:
    """Return a fragmented file with one run as given."""
    words = struct.pack(f">{len(numbers)}I", *numbers)
    trun = full_box(b"trun", 0, flags, struct.pack(">I", count), words)
    tfhd = full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", 0))
    moof = box(b"moof", box(b"traf", tfhd, tfdt, trun))
    trex = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 1, 0, 0)))
    header = plain()[:-1000]
    moov = header[header.index(b"moov") + 4 : header.index(b"mdat") - 4]
    front = header[: header.index(b"moov") - 4]
    shift = len(trex)
    moov = put(b"stco", 8, ">II", *(at + shift for at in stco(moov)))(moov)
    return (
        front
        + box(b"moov", moov, trex)
        + box(b"mdat", bytes(1000))
        + moof
        + box(b"mdat", bytes(50))
    )


def stco(moov: bytes) -> tuple[int, ...]:
    """Return the first two chunk offsets."""
    return struct.unpack_from(">II", moov, moov.index(b"stco") + 12)


@pytest.mark.parametrize(
    ("flags", "count", "numbers", "sentence"),
    [
        (0x200, 0xFFFF_FFFF, (), "trun announces"),
        (0x000, 0xFFFF_FFFF, (), "trun announces"),
        (0x000, 2, (), "samples of 0 bytes"),
        (0x200, 1, (0xFFFF_FFFF,), "outside of the file"),
        (0x201, 1, (0x8000_0000, 10), "outside of the file"),
        (0x201, 1, (0x7FFF_FFFF, 10), "outside of the file"),
        (0x001, 1, (), "shorter than its own fields"),
        (0x200, 1, (0,), "no bytes"),
    ],
)
def test_a_lying_fragment_is_named(
    flags: int, count: int, numbers: tuple[int, ...], sentence: str
) -> None:
    """Counts, sizes and places of a run are held against the bytes there are."""
    good = index_of(fragment(0x200, 1, 10)).video
    assert good is not None
    assert len(good.sizes) == 5
    with pytest.raises(InvalidMp4, match=sentence):
        index_of(fragment(flags, count, *numbers))


# What mutated files have taught.


def one_track(
    kind: str, entry: bytes, samples: list[tuple[int, int]], timescale: int = 1000
) -> bytes:
    """Return a file whose one track has samples of (ticks, bytes)."""
    times = list(accumulate((ticks for ticks, _ in samples), initial=0))[:-1]
    sizes = [size for _, size in samples]
    track = TrackToWrite(
        kind=kind,
        sample_entry=entry,
        timescale=timescale,
        offsets=list(accumulate(sizes, initial=0))[:-1],
        sizes=sizes,
        dts=times,
        pts=times,
        sync=[1] * len(samples),
        duration=times[-1] + samples[-1][0],
        last_duration=samples[-1][0],
    )
    return write_header([track], sum(sizes)) + bytes(sum(sizes))


AUDIO_ENTRY = box(
    b"mp4a", bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHII", 1, 16, 0, 8000 << 16)
)


def test_a_bad_box_behind_the_configuration_is_found_at_once() -> None:
    """Not by those who look for the pixels' shape in it later."""
    bad = box(b"avc1", ENTRY[8:], box(b"avcC", b"\1"), struct.pack(">I4s", 99, b"pasp"))
    with pytest.raises(InvalidMp4, match="larger than the box around it"):
        index_of(one_track("vide", bad, [(40, 10)]))


def test_frames_too_far_apart_for_a_window_are_refused() -> None:
    """A table of 32-bit durations could not hold them."""
    with pytest.raises(InvalidMp4, match="too long before or after"):
        index_of(one_track("vide", ENTRY, [((1 << 32) - 1, 10), (40, 10)], timescale=90_000))


def test_a_frame_that_claims_weeks_is_a_stray_stamp() -> None:
    """The next one follows it as if it had the usual duration."""
    frames = [(40, 10), (40, 10), ((1 << 32) - 1, 10), (40, 10)]
    video = index_of(one_track("vide", ENTRY, frames)).video
    assert video is not None
    assert list(video.pts) == [0, 40, 80, 120]


def test_samples_shown_far_from_where_they_are_decoded_are_refused() -> None:
    """Nor one of composition offsets."""
    with pytest.raises(InvalidMp4, match="too long before or after"):
        index_of(put(b"ctts", 12, ">I", 0x7FFF_FFFF)(plain()))


@pytest.mark.parametrize("megabytes", [1, 8])
def test_a_small_file_of_a_million_samples_is_not_believed(megabytes: int) -> None:
    """A byte each, with tables that agree: the arrays alone would take more than is allowed."""
    lie = put(b"stts", 4, ">III", 1, 1_000_000, 1)(
        one_track("vide", ENTRY, [(1, 9), (2, 8), (1, 7)])
    )
    lie = put(b"stsz", 4, ">II", 1, 1_000_000)(lie)
    lie = put(b"stsc", 12, ">I", 1_000_000)(lie) + bytes(megabytes << 20)
    tracemalloc.start()
    try:
        with pytest.raises(TooManySamples, match="announces 1000000 samples"):
            index_of(lie)
        assert tracemalloc.get_traced_memory()[1] < (megabytes << 20) + (1 << 20)
    finally:
        tracemalloc.stop()


def test_a_file_that_is_cut_off_is_that_first() -> None:
    """However many samples its whole would have: it is still on its way."""
    data = one_track("vide", ENTRY, [(40, 400)] * 20_000)
    moov = data.index(b"mdat")
    with pytest.raises(NoMoov, match="cut off inside its mdat"):
        index_of(data[: moov + 100])


def test_runs_for_a_track_that_there_is_not_cost_nothing() -> None:
    """Else each of a few bytes would be unrolled to as many samples as the file has bytes."""
    run = full_box(b"trun", 0, 1, struct.pack(">Ii", 500_000, 8))
    tfhd = full_box(b"tfhd", 0, 0x20010, struct.pack(">II", 99, 1))
    tail = box(b"moof", box(b"traf", tfhd, run * 20_000)) + box(b"mdat", bytes(1 << 20))
    began_s = time.process_time()
    video = index_of(fragment(0x200, 1, 10) + tail).video
    assert time.process_time() - began_s < 1
    assert video is not None
    assert len(video.sizes) == 5


def test_runs_that_claim_too_many_samples_are_refused() -> None:
    """Over and over the same bytes, a little more each time."""
    run = full_box(b"trun", 0, 1, struct.pack(">Ii", 100_000, 8))
    tfhd = full_box(b"tfhd", 0, 0x20010, struct.pack(">II", 1, 1))
    tail = box(b"moof", box(b"traf", tfhd, run * 1000)) + box(b"mdat", bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidMp4, match="more samples than"):
            index_of(fragment(0x200, 1, 10) + tail)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def both(audio: TrackToWrite) -> bytes:
    """Return a file of one picture and this sound."""
    picture = TrackToWrite("vide", ENTRY, 10, [0], [100], [0], [0], [1], 9, 9)
    return write_header([picture, audio], 9000) + bytes(9000)


def audio_of(times: list[int], ticks: int) -> TrackToWrite:
    """Return a track of packets that are decoded one after the other and sound at *times*."""
    count = len(times)
    return TrackToWrite(
        kind="soun",
        sample_entry=AUDIO_ENTRY,
        timescale=8000,
        offsets=[100 + i for i in range(count)],
        sizes=[1] * count,
        dts=[i * ticks for i in range(count)],
        pts=times,
        sync=[1] * count,
        duration=count * ticks,
        last_duration=ticks,
    )


def test_audio_that_goes_far_back_in_time_is_rejected() -> None:
    """What sounds within a cut is found by bisection. No stamp strays from packets of 10 s."""
    with pytest.raises(InvalidMp4, match="back in time"):
        index_of(both(audio_of([0, 230_000, 160_000, 240_000], 80_000)))


def test_one_stray_packet_costs_no_file() -> None:
    """It sounds where a packet is missing."""
    audio = index_of(both(audio_of([0, 50_000, 2048, 3072], 1024))).audio
    assert audio is not None
    assert list(audio.pts) == [0, 1024, 2048, 3072]


def test_audio_that_goes_back_a_little_is_kept_in_order(tmp_path: Path) -> None:
    """A recorder's clock is corrected now and then; a window's sound never goes back."""
    index = index_of(both(audio_of([0, 3000, 2500, 4000], 1024)))
    assert index.audio is not None
    assert list(index.audio.pts) == [0, 3000, 2500, 4000]
    path = tmp_path / "window.mp4"
    with path.open("wb") as out:
        write_excerpt(index, lambda _, length: bytes(length), 0, 0, out, range(4))
    again = index_of(path.read_bytes()).audio
    assert again is not None
    assert list(again.pts) == [0, 3000, 3000, 4000]


def test_audio_in_tiny_packets_is_rejected() -> None:
    """To be silent for five minutes would take millions of them."""
    with pytest.raises(InvalidMp4, match="shorter than any codec"):
        index_of(both(evolve(audio_of(list(range(4)), 1), sizes=[1, 2, 1, 1])))


def test_more_samples_a_second_than_any_camera_takes_are_refused() -> None:
    """They would all be one cut's."""
    slow = one_track("vide", ENTRY, [(1, 9 + i % 2) for i in range(1001)])
    video = index_of(slow).video
    assert video is not None
    fast = put(b"mdhd", 12, ">I", 1001)(slow)
    with pytest.raises(InvalidMp4, match=r"1000 samples .vide. a second"):
        index_of(fast)


def test_pcm_is_taken_together_to_packets(recordings: dict[str, Path], tmp_path: Path) -> None:
    """Each of its samples lasts a tick: a minute of it would be millions of packets."""
    path = tmp_path / "pcm.mov"
    source = str(recordings["moov first"])
    ffmpeg("-i", source, "-c:v", "copy", "-c:a", "pcm_s16le", "-ac", "2", "-f", "mov", str(path))
    data = path.read_bytes()
    audio = index_of(data).audio
    assert audio is not None
    assert max(audio.durations) == audio.timescale // 50
    assert sum(audio.durations) * 4 == sum(audio.sizes)
    stored = b"".join(data[at : at + n] for at, n in zip(audio.offsets, audio.sizes, strict=True))
    raw = tmp_path / "pcm.raw"
    ffmpeg("-i", str(path), "-map", "0:a", "-c:a", "copy", "-f", "s16le", str(raw))
    assert stored == raw.read_bytes()


@pytest.mark.parametrize("shape", ["moov first", "fragmented, default-base"])
def test_changed_bytes_give_a_good_index_or_bad_mp4(
    shape: str, recordings: dict[str, Path]
) -> None:
    """No other error, and no sample outside the file, whatever bytes of the index change."""
    data = recordings[shape].read_bytes()
    tables = [at for at in range(len(data)) if b"moov" in data[max(0, at - 9000) : at + 4]]
    spots = (
        tables
        if shape == "moov first"
        else [
            at + step
            for at in range(len(data))
            if data[at : at + 4] in {b"moov", b"moof"}
            for step in range(-8, 600)
            if 0 <= at + step < len(data)
        ]
    )

    @settings(
        max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(spots),
                st.sampled_from([b"\0", b"\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\1"])
                | st.binary(min_size=1, max_size=8),
            ),
            min_size=1,
            max_size=4,
        )
    )
    def mutate(changes: list[tuple[int, bytes]]) -> None:
        changed = io.BytesIO(data)
        for at, new in changes:
            changed.seek(at)
            changed.write(new)
        whole = changed.getvalue()[: len(data)]
        try:
            index = index_of(whole)
        except InvalidMp4 as error:
            assert str(error)  # noqa: PT017
            return
        for track in (index.video, index.audio):
            if track is not None:
                count = len(track.sizes)
                columns = (track.offsets, track.sizes, track.pts, track.durations, track.sync)
                assert {len(column) for column in columns} == {count}
                assert all(
                    0 <= at <= at + size <= len(whole)
                    for at, size in zip(track.offsets, track.sizes, strict=True)
                )
        assert index.duration_ms >= 0

    mutate()
