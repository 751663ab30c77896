"""The index says what ffmpeg's demuxer says."""

import zlib
from pathlib import Path
from struct import pack, unpack_from

import pytest

from infrastructure.mp4.boxes import box, children, full_box
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.index import first_read_bytes, read_index
from infrastructure.mp4.sample_tables import read_trak
from infrastructure.mp4.writer import TrackToWrite, write_header
from tests.unit.mp4.long import Long
from tests.unit.mp4.media import SHAPES, ffmpeg, index_of, packets, reader


@pytest.mark.parametrize("shape", SHAPES)
def test_samples_and_times_are_those_ffmpeg_sees(shape: str, recordings: dict[str, Path]) -> None:
    """Same packets in the same order, the same sync marks, times that differ by one constant."""
    data = recordings[shape].read_bytes()
    index = index_of(data)
    seen = packets(recordings[shape], "-map", "0:v?", "-map", "0:a?")
    for track, kind in ((index.video, "vide"), (index.audio, "soun")):
        assert (track is None) == (not seen[kind])
        if track is None:
            continue
        rows = seen[kind]
        ours = [
            (size, zlib.adler32(data[at : at + size], 0), bool(sync))
            for at, size, sync in zip(track.offsets, track.sizes, track.sync, strict=True)
        ]
        # ffmpeg leaves out packets that an edit list hides and no shown frame needs.
        skipped = len(ours) - len(rows)
        assert skipped == 0 or shape == "cut by an edit list"
        assert ours[skipped:] == [(row.size, row.adler, row.key) for row in rows]
        pts = track.pts[skipped:]
        if shape == "fragmented, negative offsets":
            continue  # ffmpeg moves the later fragments by its own dts shift; see the next test
        assert {pts[i] - row.pts for i, row in enumerate(rows)} == {pts[0] - rows[0].pts}


@pytest.mark.parametrize("shape", [s for s in SHAPES if s.startswith(("frag", "mov", "no"))])
def test_a_constant_rate_gives_evenly_spaced_frames(
    shape: str, recordings: dict[str, Path]
) -> None:
    """120 frames, each a 30th of a second after the one before, whatever the layout."""
    video = index_of(recordings[shape].read_bytes()).video
    assert video is not None
    tick = video.timescale // 30
    assert sorted(video.pts) == list(range(0, 120 * tick, tick))
    assert video.shown_until == 120 * tick


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_shown_frame_is_zero(shape: str, recordings: dict[str, Path]) -> None:
    """Whatever the edit list or start time: the smallest pts that is shown is 0."""
    index = index_of(recordings[shape].read_bytes())
    track = index.video or index.audio
    assert track is not None
    assert min(time for time in track.pts if time >= 0) == 0
    expected = {"cut by an edit list": 2500, "sound 44100 mono": 4000}.get(shape, 4000)
    assert abs(index.duration_ms - expected) <= 34


def test_audio_keeps_its_offset_from_the_video(recordings: dict[str, Path]) -> None:
    """AAC's priming packet lies before zero, and moves alike in every layout."""
    for shape in ("moov last, B-frames, sound", "moov first", "starts late", "mov"):
        audio = index_of(recordings[shape].read_bytes()).audio
        assert audio is not None
        assert (audio.pts[0], audio.pts[1]) == (-1024, 0)
        assert (audio.timescale, audio.sample_rate, audio.channels) == (48000, 48000, 1)
        assert audio.config[:2].hex() == "1188"  # AAC-LC, 48 kHz, one channel


def test_frames_before_the_edit_are_decoded_but_not_shown(recordings: dict[str, Path]) -> None:
    """A copy cut at 1.5 s begins with half a second of negative times."""
    video = index_of(recordings["cut by an edit list"].read_bytes()).video
    assert video is not None
    assert video.sync[0] == 1
    assert min(video.pts) == -video.timescale // 2


@pytest.mark.parametrize(
    ("shape", "requests"),
    [("moov first", 1), ("moov last, B-frames, sound", 2), ("fragmented, default-base", 3)],
)
def test_few_ranges_are_read(shape: str, requests: int, recordings: dict[str, Path]) -> None:
    """One request for the moov's place, one for the moov, one per fragment beyond it."""
    data = recordings[shape].read_bytes()
    read, asked = reader(data)
    read_index(read, len(data))
    assert len(asked) <= requests


def test_a_recording_being_written_has_no_moov(recordings: dict[str, Path]) -> None:
    """Empty, cut anywhere: NoMoov, never another error."""
    for shape in ("moov first", "moov last, B-frames, sound"):
        data = recordings[shape].read_bytes()
        for length in [0, 1, 7, 8, 20, 40, *range(100, len(data), len(data) // 40), len(data) - 1]:
            with pytest.raises(NoMoov):
                index_of(data[:length])


def test_a_fragmented_recording_counts_its_whole_fragments(recordings: dict[str, Path]) -> None:
    """Cut in the last fragment: the ones before it are there."""
    data = recordings["fragmented, default-base"].read_bytes()
    last = data.rindex(b"moof") - 4
    for length in (last + 4, last + 100, last + 6000):
        video = index_of(data[:length]).video
        assert video is not None
        assert len(video.sizes) == 90
    first = data.index(b"moof") - 4
    with pytest.raises(NoMoov, match="fragment"):
        index_of(data[: first + 50])


def test_what_is_no_mp4_says_so() -> None:
    """A text is not a recording still being written."""
    with pytest.raises(InvalidMp4, match="not an MP4"):
        index_of(b"<html>no such recording</html>")


def ten_minutes() -> tuple[bytes, int]:
    """Return the header of ten minutes of picture and sound, and how long their bytes are."""

    def track(kind: str, count: int, size: int, ticks: int, first: int) -> TrackToWrite:
        return TrackToWrite(
            kind=kind,
            sample_entry=box({"vide": b"avc1", "soun": b"mp4a"}[kind], bytes(78)),
            timescale=48000,
            offsets=[first + i * (8300 * 2 // 3) for i in range(count)],
            sizes=[size + i % 7 for i in range(count)],
            dts=range(0, count * ticks, ticks),
            pts=range(0, count * ticks, ticks),
            sync=[1] * count,
            duration=count * ticks,
            last_duration=ticks,
        )

    payload = 18_000 * 8300
    tracks = [track("vide", 18_000, 5000, 1600, 0), track("soun", 18_000, 160, 1600, 5100)]
    return write_header(tracks, payload), payload


@pytest.mark.parametrize(("moov_first", "requests"), [(True, 2), (False, 3)])
def test_ten_minutes_are_indexed_in_few_requests(moov_first: bool, requests: int) -> None:
    """A moov of some hundred KiB takes a request more; no media is read but what comes along."""
    header, payload = ten_minutes()
    front, moov = header[: header.index(b"moov") - 4], header[header.index(b"moov") - 4 : -8]
    assert 200_000 < len(moov) < 700_000
    media: list[bytes | int] = [pack(">I4s", payload + 8, b"mdat"), payload]
    file = Long([front, moov, *media] if moov_first else [front, *media, moov])
    index = read_index(file.read, file.size_bytes)
    assert index.duration_ms == 600_000
    asked, read_bytes = file.cost
    assert asked <= requests
    assert read_bytes <= len(moov) + (2 * 128 << 10)


def inside(data: bytes, kind: bytes) -> tuple[int, int]:
    """Return where the first box of a kind begins and ends."""
    at = data.index(kind) - 4
    return at, at + int.from_bytes(data[at : at + 4])


def test_an_edit_list_of_64_bits_is_read(recordings: dict[str, Path]) -> None:
    """Version 1 says what version 0 said."""
    data = recordings["cut by an edit list"].read_bytes()
    plain = index_of(data)
    moov = data.rindex(b"moov") - 4
    header = data[moov:]
    at, end = inside(header, b"elst")
    wide = [pack(">QqI", *edit) for edit in struct_edits(header[at:end])]
    new = full_box(b"elst", 1, 0, pack(">I", len(wide)), *wide)
    header = header[:at] + new + header[end:]
    for outer in (b"edts", b"trak", b"moov"):
        place = header.index(outer) - 4
        size = int.from_bytes(header[place : place + 4]) + len(new) - (end - at)
        header = header[:place] + pack(">I", size) + header[place + 4 :]
    index = index_of(data[:moov] + header)
    assert index.video is not None
    assert plain.video is not None
    assert index.video.pts == plain.video.pts
    assert index.duration_ms == plain.duration_ms


def struct_edits(elst: bytes) -> list[tuple[int, int, int]]:
    """Return an edit list's entries of version 0."""
    return [unpack_from(">IiI", elst, at) for at in range(16, len(elst), 12)]


def test_chunk_offsets_of_64_bits_are_read(recordings: dict[str, Path]) -> None:
    """co64 says what stco said; here with room taken from the boxes that follow."""
    data = recordings["no B-frames, no sound"].read_bytes()
    at, end = inside(data, b"stco")
    places = unpack_from(f">{(end - at - 16) // 4}I", data, at + 16)
    trak = memoryview(data)[slice(*inside(data, b"trak"))]
    co64 = full_box(b"co64", 0, 0, pack(f">I{len(places)}Q", len(places), *places))
    wider = rebuilt(bytes(trak)[8:], b"stco", co64)
    assert read_trak(memoryview(wider), "vide", len(data)).offsets == (
        read_trak(trak[8:], "vide", len(data)).offsets
    )


def rebuilt(payload: bytes, kind: bytes, new: bytes) -> bytes:
    """Put *new* in the place of a box, however deep, and let the boxes around it grow."""
    parts = []
    for found, inner in children(memoryview(payload)):
        deeper = found in {b"mdia", b"minf", b"stbl"}
        whole = box(found, rebuilt(bytes(inner), kind, new) if deeper else bytes(inner))
        parts.append(new if found == kind else whole)
    return b"".join(parts)


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_compact_sizes_are_read(recordings: dict[str, Path], bits: int) -> None:
    """A stz2 of 4, 8 or 16 bits a sample gives the sizes that it states."""
    data = recordings["no B-frames, no sound"].read_bytes()
    trak = memoryview(data)[slice(*inside(data, b"trak"))][8:]
    count = len(read_trak(trak, "vide", len(data)).sizes)
    sizes = [1 + i % ((1 << bits) - 1) for i in range(count)]
    number = sum(size << bits * (count - 1 - i) for i, size in enumerate(sizes))
    packed = (number << (-count * bits) % 8).to_bytes((count * bits + 7) // 8)
    stz2 = full_box(b"stz2", 0, 0, bytes(3), bytes([bits]), pack(">I", count), packed)
    compact = memoryview(rebuilt(bytes(trak), b"stsz", stz2))
    assert list(read_trak(compact, "vide", len(data)).sizes) == sizes


def test_compact_sizes_that_lie_are_refused(recordings: dict[str, Path]) -> None:
    """A stsz read as stz2 has sizes of 0 bits; too many entries are named as such."""
    data = recordings["moov first"].read_bytes().replace(b"stsz", b"stz2")
    with pytest.raises(InvalidMp4, match="sizes of 0 bits"):
        index_of(data)
    at = data.index(b"stz2")
    with pytest.raises(InvalidMp4, match="more than its bytes hold"):
        index_of(data[: at + 11] + b"\x10\xff" + data[at + 13 :])


def test_a_turned_picture_keeps_its_matrix(recordings: dict[str, Path], tmp_path: Path) -> None:
    """A quarter turn, as ffmpeg writes it."""
    path = tmp_path / "turned.mp4"
    source = str(recordings["moov first"])
    ffmpeg("-display_rotation:v:0", "90", "-i", source, "-c", "copy", str(path))
    video = index_of(path.read_bytes()).video
    assert video is not None
    assert [number >> 16 for number in video.matrix[:5] if number % 65536 == 0] == [0, -1, 0, 1, 0]
    assert (video.width, video.height) == (160, 96)


def test_a_variable_rate_survives_fragmentation(
    recordings: dict[str, Path], tmp_path: Path
) -> None:
    """Each frame at its own time, as in the progressive file."""
    path = tmp_path / "variable.mp4"
    flags = "+frag_keyframe+empty_moov+default_base_moof"
    ffmpeg("-i", str(recordings["variable rate"]), "-c", "copy", "-movflags", flags, str(path))
    plain = index_of(recordings["variable rate"].read_bytes()).video
    video = index_of(path.read_bytes()).video
    assert plain is not None
    assert video is not None
    assert len(set(video.durations)) > 1
    assert [t * 1000 // video.timescale for t in video.pts] == (
        [t * 1000 // plain.timescale for t in plain.pts]
    )


def test_several_runs_of_a_fragment_follow_each_other(recordings: dict[str, Path]) -> None:
    """A run without an offset of its own begins where the one before it ended."""
    data = recordings["fragmented, default-base"].read_bytes()
    expected = index_of(data).video
    at, end = inside(data, b"moof")
    moof = memoryview(data)[at + 8 : end]
    parts = []
    for kind, payload in children(moof):
        pieces = [(k, bytes(p)) for k, p in children(payload)] if kind == b"traf" else []
        if dict(pieces).get(b"tfhd", b"")[4:8] == b"\0\0\0\1":
            runs = [halves(p) if k == b"trun" else box(k, p) for k, p in pieces]
            parts.append(box(kind, *runs))
        else:
            parts.append(box(kind, bytes(payload)))
    again = box(b"moof", *parts)
    grown = len(again) - (end - at)
    again = moved(again, grown)
    video = index_of(data[:at] + again + data[end:]).video
    assert video is not None
    assert expected is not None
    assert grown > 0
    assert [offset - grown for offset in video.offsets] == list(expected.offsets)
    assert video.pts == expected.pts
    assert video.sync == expected.sync


def halves(trun: bytes) -> bytes:
    """Split a run of ffmpeg's into two; the second has neither offset nor first flags."""
    flags, count, offset = unpack_from(">IIi", trun)
    head = 12 + (4 if flags & 4 else 0)
    step = 4 * sum(1 for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit)
    first, middle = count // 2, head + count // 2 * step
    one = pack(">IIi", flags, first, offset) + trun[12:middle]
    rest = flags & ~5
    return box(b"trun", one) + box(b"trun", pack(">II", rest, count - first), trun[middle:])


def moved(moof: bytes, grown: int) -> bytes:
    """Increase every data offset of a moof by *grown* bytes."""
    data, at = bytearray(moof), 0
    while (at := data.find(b"trun", at + 1)) > 0:
        flags, _, offset = unpack_from(">IIi", data, at + 4)
        if flags & 1:
            data[at + 12 : at + 16] = pack(">i", offset + grown)
    return bytes(data)


def test_a_quicktime_audio_sample_description_is_read(recordings: dict[str, Path]) -> None:
    """Version 1 puts 16 bytes before the boxes, and may keep the esds in a wave."""
    data = recordings["moov first"].read_bytes()
    plain = index_of(data).audio
    assert plain is not None
    entry = plain.sample_entry
    fields = entry[8:16] + b"\0\1" + entry[18:36] + bytes(16)
    for boxes in (entry[36:], box(b"wave", box(b"frma", b"mp4a"), entry[36:])):
        stsd = full_box(b"stsd", 0, 0, pack(">I", 1), box(b"mp4a", fields, boxes))
        start = data.rindex(b"trak") - 4
        trak = memoryview(data)[start : start + int.from_bytes(data[start : start + 4])]
        audio = read_trak(memoryview(rebuilt(bytes(trak[8:]), b"stsd", stsd)), "soun", len(data))
        assert audio.entry.config == plain.config
        assert (audio.entry.sample_rate, audio.entry.channels) == (48000, 1)


@pytest.mark.parametrize(
    ("duration_s", "expected"),
    [(0, 64 << 10), (10, 64 << 10), (600, 692_768), (86_400, 1 << 20)],
    ids=["unknown", "ten seconds", "ten minutes", "a day"],
)
def test_the_first_read_suffices_for_the_index(duration_s: int, expected: int) -> None:
    """It grows with the file's duration, within bounds."""
    assert first_read_bytes(1000 * duration_s) == expected
