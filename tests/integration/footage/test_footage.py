"""The footage library itself: it makes what it describes, reads it, and finds each fault."""

import re
import subprocess
from fractions import Fraction
from itertools import pairwise
from math import ceil
from pathlib import Path

import pytest
from attrs import evolve

from devtools.footage import (
    ClipReading,
    Recording,
    Wanted,
    assert_audio_in_step,
    assert_clean,
    assert_clip,
    assert_frames,
    assert_times,
    cached_recording,
    frame_hashes,
    make_recording,
    psnr_db,
    read_clip,
    wanted,
)
from devtools.footage.recording import FFMPEG

START_MS = 1_534_341_619_420
PLAIN = Recording(start_ms=START_MS, first_number=4_000_000, frames=150)
UNEVEN_MS = tuple(n * 33 + (n * 7919) % 29 for n in range(150))
NTSC = Fraction(30_000, 1001)


def edited(source: Path, target: Path, *argv: str) -> ClipReading:
    """Run `source` through ffmpeg with `argv` into `target` and read that."""
    command = [FFMPEG, "-nostdin", "-v", "error", "-y", "-i", str(source), *argv, str(target)]
    subprocess.run(command, check=True, env={}, timeout=60)
    return read_clip(target)


def filtered(source: Path, target: Path, graph: str, *argv: str) -> ClipReading:
    """Run the pictures of `source` through `graph`, encode them small and copy the sound."""
    encode = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-c:a", "copy")
    return edited(source, target, "-vf", graph, "-fps_mode", "passthrough", *encode, *argv)


@pytest.fixture(scope="module")
def plain(films: Path) -> Path:
    """Return an ordinary recording's file."""
    return cached_recording(films, PLAIN)


KINDS = {
    "an ordinary recording": PLAIN,
    "HEVC": evolve(PLAIN, codec="hevc"),
    "MPEG-4": evolve(PLAIN, codec="mpeg4"),
    "open GOP": evolve(PLAIN, open_gop=True, gop_frames=30),
    "intra only": evolve(PLAIN, all_intra=True),
    "intra refresh": evolve(PLAIN, intra_refresh=True),
    "no B-frames, slow preset": evolve(PLAIN, bframes=0, preset="medium"),
    "moov at the end": evolve(PLAIN, layout="moov_last"),
    "first frame at 1.4 s": evolve(PLAIN, start_time_s=1.4),
    "fragmented": evolve(PLAIN, layout="fragmented"),
    "fragmented without index": evolve(PLAIN, layout="fragmented_no_index"),
    "fragmented, first frame at 1.4 s": evolve(PLAIN, layout="fragmented", start_time_s=1.4),
    "15 frames a second": evolve(PLAIN, fps=Fraction(15)),
    "29.97 frames a second": evolve(PLAIN, fps=NTSC),
    "60 frames a second": evolve(PLAIN, fps=Fraction(60)),
    "variable frame rate": evolve(PLAIN, pts_ms=UNEVEN_MS),
    "one frame": evolve(PLAIN, frames=1),
    "no sound": evolve(PLAIN, audio=None),
    "MP3 in stereo at 44.1 kHz": evolve(PLAIN, audio="mp3", audio_rate_hz=44_100, channels=2),
    "AAC in stereo at 44.1 kHz": evolve(PLAIN, audio_rate_hz=44_100, channels=2),
    "turned": evolve(PLAIN, rotation=90),
    "interlaced": evolve(PLAIN, interlaced=True, size=(320, 192)),
    "4:4:4 of odd size": evolve(PLAIN, pix_fmt="yuv444p", size=(321, 181)),
    "ten bits": evolve(PLAIN, pix_fmt="yuv420p10le"),
    "128x96 at crf 30": evolve(PLAIN, size=(128, 96), crf=30),
    "640x360 at 200 kbit/s": evolve(PLAIN, size=(640, 360), bitrate_kbps=200),
    "1920x1080": evolve(PLAIN, size=(1920, 1080), frames=20),
}


@pytest.mark.parametrize("recording", KINDS.values(), ids=KINDS)
def test_a_recording_shows_its_numbers_and_beeps_on_the_second(
    films: Path, recording: Recording
) -> None:
    """Whatever its kind, each frame is read at its exact time and each beep within 3 ms of its."""
    reading = read_clip(cached_recording(films, recording))
    delay_ms = reading.times_ms[0]
    fragmented_delay_ms = 1000 / 15 if recording.is_fragmented else 0
    everything = wanted([recording], START_MS, START_MS + ceil(recording.duration_ms))
    assert delay_ms == pytest.approx(recording.start_time_s * 1000 + fragmented_delay_ms, abs=0.1)
    assert_clean(reading)
    assert_frames(reading, recording.numbers)
    assert_times(reading, [delay_ms + time for time in recording.times_ms], within_ms=0.05)
    later = [evolve(s, clip_ms=s.clip_ms + Fraction(delay_ms)) for s in everything.stretches]
    assert_audio_in_step(reading, later, within_ms=3)
    assert reading.size == recording.size
    assert reading.video_codec == recording.codec
    assert reading.turned == recording.rotation
    assert (reading.audio_duration_ms is None) == (recording.audio is None)


def test_beeps_start_where_the_wall_clock_says(plain: Path) -> None:
    """The beeps of a recording that starts at .420 are found at 580, 1580, ... ms, in turn."""
    beeps = read_clip(plain).beeps
    assert [beep.time_ms for beep in beeps] == pytest.approx([580, 1580, 2580, 3580, 4580], abs=1)
    assert [beep.second for beep in beeps] == [(START_MS // 1000 + n) % 8 for n in range(1, 6)]


def test_a_container_states_the_length_of_its_recording(plain: Path) -> None:
    """Picture, sound and container of a recording are all 5 s long."""
    reading = read_clip(plain)
    assert (reading.duration_ms, reading.audio_start_ms) == (5000, 0)
    assert reading.audio_duration_ms == pytest.approx(5000, abs=0.1)
    assert len(reading.streams) == 2


def nal_types(path: Path) -> list[int]:
    """List the types of the H.264 NAL units of `path` in file order."""
    argv = ["-c", "copy", "-an", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-"]
    command = [FFMPEG, "-nostdin", "-v", "error", "-i", str(path), *argv]
    run = subprocess.run(command, check=True, env={}, capture_output=True)
    return [byte[0] & 31 for byte in re.findall(rb"\x00\x00\x01(.)", run.stdout, re.DOTALL)]


def test_only_a_closed_gop_starts_with_an_idr_picture(films: Path) -> None:
    """Open GOP and intra refresh give one IDR picture (NAL type 5); closed GOPs of 30 give five."""
    closed = evolve(PLAIN, gop_frames=30)
    kinds = (closed, evolve(closed, open_gop=True), evolve(closed, intra_refresh=True))
    assert [nal_types(cached_recording(films, kind)).count(5) for kind in kinds] == [5, 1, 1]


def test_the_layout_is_the_one_asked_for(films: Path, plain: Path) -> None:
    """The top-level boxes tell where the index is, or that there are fragments, or no index."""

    def boxes(path: Path) -> list[bytes]:
        data, found, at = path.read_bytes(), list[bytes](), 0
        while at < len(data):
            found.append(data[at + 4 : at + 8])
            at += int.from_bytes(data[at : at + 4], "big")
        return found

    last = boxes(cached_recording(films, evolve(PLAIN, layout="moov_last")))
    fragmented = boxes(cached_recording(films, evolve(PLAIN, layout="fragmented")))
    bare = boxes(cached_recording(films, evolve(PLAIN, layout="fragmented_no_index")))
    assert boxes(plain)[1] == b"moov"
    assert last[-1] == b"moov"
    assert fragmented.count(b"moof") > 1
    assert fragmented[-1] == b"mfra"
    assert bare == fragmented[:-1]


def test_neighbour_frames_differ_well_beyond_their_number(films: Path) -> None:
    """A decoder that repeats a picture cannot go unseen: all hashes differ, PSNR is low."""
    path = cached_recording(films, PLAIN)
    hashes = frame_hashes(path)
    assert len(set(hashes)) == PLAIN.frames
    assert psnr_db(path, path, first=1) < 30


def test_a_cached_recording_is_made_once(tmp_path: Path) -> None:
    """The same description gives the same file untouched; another description another file."""
    recording = evolve(PLAIN, frames=5)
    first = cached_recording(tmp_path / "new", recording)
    made = first.stat().st_mtime_ns
    assert cached_recording(tmp_path / "new", evolve(recording)) == first
    assert first.stat().st_mtime_ns == made
    assert cached_recording(tmp_path / "new", evolve(recording, crf=24)) != first


def test_a_recording_that_ffmpeg_refuses_is_an_error(tmp_path: Path) -> None:
    """An odd size in 4:2:0 cannot be encoded: ffmpeg's words are in the error."""
    with pytest.raises(RuntimeError, match="not divisible by 2"):
        make_recording(tmp_path / "odd.mp4", evolve(PLAIN, frames=2, size=(321, 181)))


@pytest.mark.parametrize("size", ["160:90", "640:360", "96:128", "1000:100"])
def test_numbers_survive_another_size_at_crf_30(plain: Path, tmp_path: Path, size: str) -> None:
    """Half, double and squeezed pictures encoded badly are still read, each and every one."""
    reading = filtered(plain, tmp_path / "scaled.mp4", f"scale={size}")
    assert_frames(reading, PLAIN.numbers)
    assert_times(reading, PLAIN.times_ms, within_ms=0.05)


@pytest.mark.parametrize(("graph", "turned"), [("transpose=1", 90), ("hflip,vflip", 180)])
def test_a_turned_picture_is_read_with_its_rotation(
    plain: Path, tmp_path: Path, graph: str, turned: int
) -> None:
    """Pictures turned clockwise give their numbers, and by how much they are turned."""
    reading = filtered(plain, tmp_path / "turned.mp4", graph)
    assert_frames(reading, PLAIN.numbers)
    assert reading.turned == turned


def test_a_size_that_changes_on_the_way_is_read(films: Path, tmp_path: Path) -> None:
    """Two H.264 streams of unlike size, one after the other in one track, give all numbers."""
    joined = tmp_path / "joined.h264"
    for size in ((320, 180), (160, 120)):
        path = cached_recording(films, evolve(PLAIN, size=size, frames=30, audio=None))
        raw = subprocess.run(
            [FFMPEG, "-v", "error", "-i", str(path), "-c", "copy", "-f", "h264", "-"],
            check=True,
            env={},
            capture_output=True,
        ).stdout
        with joined.open("ab") as file:
            file.write(raw)
    reading = edited(joined, tmp_path / "joined.mp4", "-c", "copy", "-bsf:v", "setts=pts=N:dts=N")
    assert reading.numbers.count(-1) == 0
    assert len(reading.numbers) == 60


def test_a_removed_frame_is_seen(plain: Path, tmp_path: Path) -> None:
    """Without its eighth frame, a clip fails with the position and the missing number."""
    reading = filtered(plain, tmp_path / "clip.mp4", "select='not(eq(n,7))'")
    with pytest.raises(AssertionError, match=r"position 7:.*missing \[4000007\], extra \[\]"):
        assert_frames(reading, PLAIN.numbers)


def test_a_repeated_frame_is_seen(plain: Path, tmp_path: Path) -> None:
    """With its eighth frame twice, a clip fails with the position and the repeated number."""
    graph = "loop=loop=1:size=1:start=8,setpts=N/30/TB"
    reading = filtered(plain, tmp_path / "clip.mp4", graph)
    with pytest.raises(AssertionError, match=r"position 8:.*repeated \[4000007\]"):
        assert_frames(reading, PLAIN.numbers)


def test_a_frame_too_many_is_seen(plain: Path) -> None:
    """A clip with one frame before and one after the wanted ones fails, naming both."""
    with pytest.raises(AssertionError, match=r"missing \[\], extra \[4000000, 4000149\]"):
        assert_frames(read_clip(plain), PLAIN.numbers[1:-1])


def test_swapped_frames_are_seen(plain: Path, tmp_path: Path) -> None:
    """All frames there, but two of them in the wrong order, fails."""
    order = "shuffleframes=0 2 1 3 4 5 6 7 8 9"
    reading = filtered(plain, tmp_path / "clip.mp4", order)
    with pytest.raises(AssertionError, match="position 1: has"):
        assert_frames(reading, PLAIN.numbers)


def test_blended_frames_are_no_frames(plain: Path, tmp_path: Path) -> None:
    """The mean of two neighbour frames is neither of them: unreadable."""
    reading = filtered(plain, tmp_path / "clip.mp4", "tmix=frames=2")
    assert reading.numbers[1:] == [-1] * 149


@pytest.mark.parametrize("shift_s", ["0.05", "-0.05", "0.5"])
def test_shifted_audio_is_found(plain: Path, tmp_path: Path, shift_s: str) -> None:
    """Sound 50 ms late or early is out of step, the same sound unshifted is not."""
    argv = ["-map", "0:v", "-map", "1:a", "-c:v", "copy", "-c:a", "aac"]
    clip = tmp_path / "clip.mp4"
    everything = wanted([PLAIN], START_MS, START_MS + 5000)
    unshifted = edited(plain, clip, "-i", str(plain), *argv)
    assert_audio_in_step(unshifted, everything.stretches, within_ms=3)
    shifted = edited(plain, clip, "-itsoffset", shift_s, "-i", str(plain), *argv)
    with pytest.raises(AssertionError, match="out of step"):
        assert_audio_in_step(shifted, everything.stretches, within_ms=34)


def test_audio_that_starts_late_is_found_at_its_true_time(plain: Path, tmp_path: Path) -> None:
    """A sound track whose first 300 ms are missing keeps its beeps where they were."""
    argv = ["-af", "atrim=start=0.3", "-c:v", "copy", "-c:a", "aac"]
    reading = edited(plain, tmp_path / "clip.mp4", *argv)
    assert reading.audio_start_ms == pytest.approx(300, abs=25)
    assert_audio_in_step(reading, wanted([PLAIN], START_MS, START_MS + 5000).stretches, within_ms=3)


def test_beeps_after_a_hole_in_the_audio_are_found_at_their_true_time(
    plain: Path, tmp_path: Path
) -> None:
    """Packets left out of the middle of the sound track do not pull what follows forward."""
    argv = ["-c", "copy", "-bsf:a", "noise=drop='between(pts,72000,86000)'"]
    reading = edited(plain, tmp_path / "clip.mp4", *argv)
    found_ms = [beep.time_ms for beep in reading.beeps]
    assert found_ms == pytest.approx([580, 2580, 3580, 4580], abs=3)


def test_missing_and_foreign_beeps_are_seen(plain: Path, films: Path) -> None:
    """No sound where some is wanted, sound where none is, and the sound of another second fail."""
    silent = read_clip(cached_recording(films, evolve(PLAIN, audio=None)))
    hearing, stretches = read_clip(plain), wanted([PLAIN], START_MS, START_MS + 5000).stretches
    other = wanted([evolve(PLAIN, start_ms=START_MS + 3000)], START_MS + 3000, START_MS + 8000)
    for reading, asked in (
        (silent, stretches),
        (hearing, [evolve(stretches[0], has_audio=False)]),
        (hearing, other.stretches),
    ):
        with pytest.raises(AssertionError, match="out of step"):
            assert_audio_in_step(reading, asked, within_ms=34)


def test_frames_shown_at_the_wrong_time_are_seen(plain: Path) -> None:
    """One frame 5 ms off fails with its position; times that fall or are too few fail too."""
    reading = read_clip(plain)
    moved = [*reading.times_ms[:9], reading.times_ms[9] + 5, *reading.times_ms[10:]]
    with pytest.raises(AssertionError, match=r"1 of 150 frames.*position 9 at 305"):
        assert_times(evolve(reading, times_ms=moved), PLAIN.times_ms, within_ms=1)
    back = [*reading.times_ms[:9], 0.0, *reading.times_ms[10:]]
    with pytest.raises(AssertionError, match=r"do not rise at positions \[9\]"):
        assert_times(evolve(reading, times_ms=back), PLAIN.times_ms, within_ms=1e6)
    with pytest.raises(AssertionError, match="149 times wanted"):
        assert_times(reading, PLAIN.times_ms[1:], within_ms=1e6)


def test_a_damaged_clip_is_not_clean(plain: Path, tmp_path: Path) -> None:
    """Bytes overwritten in the middle of the pictures make ffmpeg speak."""
    data = bytearray(plain.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 2000] = b"\x55" * 2000
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data)
    with pytest.raises(AssertionError, match="ffmpeg reports"):
        assert_clean(read_clip(damaged))


def test_what_is_no_clip_is_an_error(tmp_path: Path) -> None:
    """A text, and an MP4 without picture, are refused with a reason."""
    text = tmp_path / "text.mp4"
    text.write_text("no clip")
    with pytest.raises(ValueError, match="is no clip"):
        read_clip(text)


def test_hashes_compare_pictures_bit_by_bit(plain: Path, tmp_path: Path) -> None:
    """Copied frames hash alike, frame for frame; encoded ones do not but are near in PSNR."""
    copied, encoded = tmp_path / "copied.mp4", tmp_path / "encoded.mp4"
    edited(plain, copied, "-c", "copy")
    edited(plain, encoded, "-vf", "trim=start_frame=60", "-crf", "18", "-an")
    assert frame_hashes(copied, 60, 30) == frame_hashes(plain)[60:90]
    assert set(frame_hashes(encoded)).isdisjoint(frame_hashes(plain))
    assert psnr_db(copied, plain) == float("inf")
    assert 35 < psnr_db(encoded, plain, first=60) < 60


def test_a_cut_is_judged_whole(films: Path, plain: Path, tmp_path: Path) -> None:
    """A clip cut and joined by ffmpeg out of two recordings passes, and fails one frame off."""
    second = evolve(PLAIN, start_ms=START_MS + 5000, first_number=9_000_000)
    graph = (
        "[0:v]trim=2,setpts=PTS-2/TB[v0];[0:a]atrim=2,asetpts=PTS-2/TB[a0];"
        "[1:v]trim=0:3[v1];[1:a]atrim=0:3[a1];[v0][a0][v1][a1]concat=v=1:a=1[v][a]"
    )
    clip = edited(
        plain,
        tmp_path / "clip.mp4",
        *("-i", str(cached_recording(films, second)), "-filter_complex", graph),
        *("-map", "[v]", "-map", "[a]", "-preset", "ultrafast"),
    )
    assert_clip(clip, wanted([second, PLAIN], START_MS + 2000, START_MS + 8000))
    with pytest.raises(AssertionError, match="180 frames, wanted 179"):
        assert_clip(clip, wanted([second, PLAIN], START_MS + 2001, START_MS + 8000))


def shown(clip: Wanted) -> list[tuple[int, float]]:
    """Pair each number with its time in the clip, in ms."""
    return [(n, float(time)) for n, time in zip(clip.numbers, clip.times_ms, strict=True)]


def holes(clip: Wanted) -> list[tuple[float, float]]:
    """List the gaps in ms."""
    return [(float(start), float(end)) for start, end in clip.gaps_ms]


class TestWanted:
    """The oracle, by hand-counted cases of 10 frames a second, numbered by recording."""

    a = Recording(start_ms=10_000, first_number=100, frames=20, fps=Fraction(10))
    b = Recording(start_ms=12_000, first_number=200, frames=20, fps=Fraction(10), audio=None)

    def test_the_start_is_in_and_the_end_is_not(self) -> None:
        """[10200, 10500) holds the frames at 10200, 10300 and 10400."""
        clip = wanted([self.a], 10_200, 10_500)
        assert shown(clip) == [(102, 0), (103, 100), (104, 200)]
        assert clip.gaps_ms == []

    def test_a_start_between_frames_waits_for_the_next_one(self) -> None:
        """[10201, 10501) begins with the frame at 10300; the others keep their time."""
        clip = wanted([self.a], 10_201, 10_501)
        assert shown(clip) == [(103, 0), (104, 199), (105, 299)]

    def test_within_a_picture_it_is_held(self) -> None:
        """A window without a frame of its own shows the one on screen, counted apart."""
        clip = wanted([self.a], 10_210, 10_290)
        assert (shown(clip), clip.gaps_ms, clip.held_frames) == ([(102, 0)], [], 1)

    def test_a_slow_camera_begins_with_the_picture_on_screen(self) -> None:
        """At a frame a second, [10500, 12500) begins with the frame at 10000."""
        slow = evolve(self.a, fps=Fraction(1))
        clip = wanted([slow], 10_500, 12_500)
        assert (shown(clip), clip.held_frames) == ([(100, 0), (101, 500), (102, 1500)], 1)

    def test_it_may_be_on_screen_in_a_hole(self) -> None:
        """After its end at 30000, a slow camera's last frame is held until 33000."""
        slow = evolve(self.a, fps=Fraction(1))
        later = evolve(self.b, fps=Fraction(1), start_ms=33_000)
        clip = wanted([slow, later], 31_000, 34_000)
        assert (shown(clip), clip.gaps_ms) == ([(119, 0), (200, 2000)], [])

    def test_a_hole_at_the_head_is_held_up_to_the_tolerance(self) -> None:
        """[9000, ...) begins with the frame at 10000, the next one keeps its time."""
        clip = wanted([self.a], 9_000, 10_200)
        assert (shown(clip), holes(clip)) == ([(100, 0), (101, 1100)], [])
        assert holes(wanted([self.a], 8_999, 10_200)) == [(8_999, 10_000)]

    def test_a_rounded_date_plays_both_whole(self) -> None:
        """A date 600 ms early shifts what follows, and the clip is longer by that."""
        clip = wanted([evolve(self.b, start_ms=11_400), self.a], 11_800, 12_300)
        assert shown(clip)[:3] == [(118, 0), (119, 100), (204, 200)]
        assert (len(clip.numbers), float(clip.duration_ms)) == (7, 700.0)

    def test_a_hole_inside_is_held_or_a_gap(self) -> None:
        """At 100 ms between frames, another 60 ms are held, and another 1060 ms are a gap."""
        held = evolve(self.a, frames=4, pts_ms=(0, 100, 200, 360))
        gap = evolve(held, pts_ms=(0, 100, 200, 1360))
        other = evolve(self.a, first_number=500, start_ms=9_950, frames=20)
        assert wanted([held], 10_000, 10_400).held_ms == [(Fraction(10_300), Fraction(10_360))]
        assert holes(wanted([gap], 10_000, 11_400)) == [(10_300, 11_360)]
        assert [n for n, _ in shown(wanted([gap, other], 11_900, 11_950))] == [519]

    def test_a_clock_is_believed_to_be_wrong_if_three_files_say_so(self) -> None:
        """2.5 s of media in each listed 3.2 s: no gap with three files, some with two."""
        drifting = [
            evolve(
                self.a, start_ms=10_000 + n * 3200, first_number=100 * n, listed_ms=3200, frames=25
            )
            for n in range(3)
        ]
        clip = wanted(drifting, 10_000, 19_600, seam_tolerance_ms=600)
        assert (len(clip.numbers), holes(clip), float(clip.duration_ms)) == (75, [], 7500.0)
        assert holes(wanted(drifting[:2], 10_000, 16_400, seam_tolerance_ms=600)) == [
            (12_500, 13_200),
            (15_700, 16_400),
        ]

    def test_frames_at_29_97_are_placed_exactly(self) -> None:
        """Frame 30 of 29.97 is seen at 1001 ms, in [1001, ...) and not in [..., 1001)."""
        ntsc = Recording(first_number=0, frames=60, fps=NTSC)
        assert wanted([ntsc], 1001, 1500).numbers[0] == 30
        assert wanted([ntsc], 0, 1001).numbers[-1] == 29

    def test_recordings_in_any_order_join(self) -> None:
        """Newest first, the camera's order, gives the frames in the order of time."""
        clip = wanted([self.b, self.a], 11_800, 12_200)
        assert shown(clip) == [(118, 0), (119, 100), (200, 200), (201, 300)]
        assert [stretch.has_audio for stretch in clip.stretches] == [True, False]

    def test_an_overlap_plays_once(self) -> None:
        """The earlier recording plays to its end at 12000, then the other from there."""
        clip = wanted([evolve(self.b, start_ms=10_950), self.a], 11_800, 12_300)
        assert shown(clip) == [(118, 0), (119, 100), (211, 250), (212, 350), (213, 450)]
        assert clip.unused == [(200, Fraction(11_800), Fraction(12_000))]

    def test_a_seam_holds_and_a_gap_is_skipped(self) -> None:
        """A hole of 1000 ms keeps its time in the clip, one of 1001 ms leaves it."""
        seam = wanted([self.a, evolve(self.b, start_ms=13_000)], 11_900, 13_100)
        gap = wanted([self.a, evolve(self.b, start_ms=13_001)], 11_900, 13_101)
        assert (shown(seam), holes(seam)) == ([(119, 0), (200, 1100)], [])
        assert (shown(gap), holes(gap)) == ([(119, 0), (200, 100)], [(12_000, 13_001)])

    def test_missing_head_and_tail_are_gaps(self) -> None:
        """A window wider than the footage starts with its first frame and names both holes."""
        clip = wanted([self.a], 8_500, 12_500)
        assert clip.numbers == self.a.numbers
        assert shown(clip)[0] == (100, 0)
        assert holes(clip) == [(8_500, 10_000), (12_000, 12_500)]

    def test_variable_times_count_from_the_first_frame(self) -> None:
        """The first presented frame is at the recording's start whatever its own time is."""
        uneven = evolve(self.a, frames=3, pts_ms=(40, 90, 240))
        clip = wanted([uneven], 10_000, 11_000)
        assert shown(clip) == [(100, 0), (101, 50), (102, 200)]
        assert holes(clip) == [(10_350, 11_000)]

    def test_pieces_tile_the_window(self) -> None:
        """Stretches and holes follow one another from start to end."""
        clip = wanted([self.a, evolve(self.b, start_ms=14_000)], 8_900, 17_000)
        pieces = sorted([*((s.start_ms, s.end_ms) for s in clip.stretches), *clip.gaps_ms])
        assert [float(pieces[0][0]), float(pieces[-1][1])] == [8_900, 17_000]
        assert all(before[1] == after[0] for before, after in pairwise(pieces))
