"""Clips that are as long as their windows: recorded frames as ever, and filler between them."""

import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from attrs import evolve, frozen

from devtools.footage import Recording
from devtools.footage.recording import FFMPEG
from domain.filler import slate_lines
from domain.options import FILLERS, ClipOptions, Filler
from domain.proof import COPIED, FILLER
from infrastructure.pictures.letters import ADVANCE, GLYPHS, HEIGHT
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from infrastructure.zones import zone_named
from tests.integration.exactness.camera import START_MS, Camera, Clip
from tests.integration.exactness.cases import recording
from tests.support.clock_text import chapters_of

SIZE = 320, 180
SMALL: dict[str, Any] = {"size": SIZE, "gop_frames": 30}
ERRORS = FFMPEG, "-v", "error"
MONO_PCM = "-ac", "1", "-ar", "8000", "-f", "s16le"
SILENCE = 40
"""Of samples of 16 bits: what is left of a beep's end after a packet."""


def film(seconds: float, after_ms: int = 0, **kind: Any) -> Recording:  # noqa: ANN401
    number = kind.pop("first_number", 1000 + after_ms * 30 // 1000)
    return recording(seconds, after_ms=after_ms, first_number=number, **{**SMALL, **kind})


@frozen
class Case:
    """A clip, and when it shows filler, in ms of the clip."""

    recordings: tuple[Recording, ...]
    from_ms: int
    to_ms: int
    filler_ms: tuple[tuple[int, int], ...]
    zone: str | None = None


CASES = {
    "in the middle": Case((film(4), film(3, 9000)), 2500, 11_000, ((1500, 6500),)),
    "at the head": Case((film(3, 9000),), 6200, 11_000, ((0, 2800),)),
    "at the tail": Case((film(4),), 2500, 7340, ((1500, 4840),)),
    "everywhere": Case(
        (film(3, 9000), film(3, 16_500)),
        5500,
        22_000,
        ((0, 3500), (6500, 11_000), (14_000, 16_500)),
        "Asia/Kolkata",
    ),
    "of one frame, at the tail": Case((film(4),), 2500, 4033, ((1500, 1533),)),
    "longer than a minute": Case((film(4), film(3, 90_000)), 2500, 92_000, ((1500, 87_500),)),
    "HEVC": Case(
        (film(4, codec="hevc"), film(3, 9000, codec="hevc")), 2500, 11_000, ((1500, 6500),)
    ),
    "HEVC with open GOPs, at the head and in the middle": Case(
        (film(3, 2000, codec="hevc", open_gop=True), film(3, 9000, codec="hevc", open_gop=True)),
        500,
        11_000,
        ((0, 1500), (4500, 8500)),
    ),
    "HEVC with ten bits": Case(
        (film(4, codec="hevc", pix_fmt="yuv420p10le"),), 2500, 7000, ((1500, 4500),)
    ),
    "full range": Case((film(4, pix_fmt="yuvj420p"),), 2500, 7000, ((1500, 4500),)),
    "a quarter turn": Case(
        (film(4, rotation=90), film(3, 9000, rotation=90)), 2500, 11_000, ((1500, 6500),)
    ),
    "oblong pixels": Case(
        (film(4, codec_params="sar=4/3"), film(3, 9000, codec_params="sar=4/3")),
        2500,
        11_000,
        ((1500, 6500),),
    ),
    "mixed sizes": Case((film(4), film(6, 9000, size=(160, 90))), 2500, 10_000, ((1500, 6500),)),
}


@pytest.mark.parametrize("kind", FILLERS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_gaps_are_filled(case: Case, kind: Filler, camera: Camera, tmp_path: Path) -> None:
    """Every recorded frame is at its wall-clock time, and filler is where there is none."""
    asked = evolve(camera, folder=tmp_path)
    options = ClipOptions(gaps=kind, wall_clock=case.zone)
    clip = asked.cut(case.recordings, case.from_ms, case.to_ms, options=options)
    reading, media = clip.reading, clip.rendition.media
    assert reading.messages == ""
    assert media.duration_ms == pytest.approx(case.to_ms - case.from_ms, abs=0.1)
    times_ms = reading.times_ms
    assert times_ms[0] == 0
    assert all(a < b for a, b in pairwise(times_ms))
    assert len(times_ms) == media.frames
    # The oracle's clock skips gaps; the clip's does not.
    expected = [
        (number, on_the_wall(float(time_ms), case))
        for number, time_ms in zip(clip.wanted.numbers, clip.wanted.times_ms, strict=True)
    ]
    is_filler = [is_in(time_ms, case.filler_ms) for time_ms in times_ms]
    recorded = [
        (number, time_ms)
        for number, time_ms, filler in zip(reading.numbers, times_ms, is_filler, strict=True)
        if not filler
    ]
    assert [number for number, _ in recorded] == [number for number, _ in expected]
    assert [t for _, t in recorded] == pytest.approx([t for _, t in expected], abs=1.1)
    check_filler(clip, case, kind, is_filler)
    check_proof(clip, is_filler)
    assert (media.copied_frames > 0) is (case.recordings[0].rotation == 0)
    begins = [title_ms for title_ms, title in chapters_of(clip.path) if "no footage" in title]
    assert begins == [start_ms for start_ms, _ in case.filler_ms]
    check_audio(clip, case)


@pytest.mark.parametrize("kind", FILLERS)
def test_gaps_are_filled_where_every_frame_is_encoded(
    kind: Filler, camera: Camera, tmp_path: Path
) -> None:
    """The same frames are shown at the same times."""
    shown, usual = [], camera.transcoder
    assert isinstance(usual, FfmpegTranscoder)
    for splice in (True, False):
        folder = tmp_path / str(splice)
        folder.mkdir()
        asked = evolve(camera, folder=folder, transcoder=evolve(usual, splice=splice))
        case = CASES["everywhere"]
        options = ClipOptions(gaps=kind)
        clip = asked.cut(case.recordings, case.from_ms, case.to_ms, options=options)
        assert clip.reading.messages == ""
        assert (clip.rendition.media.copied_frames > 0) is splice
        shown.append((clip.reading.numbers, clip.reading.times_ms))
        proof = clip.rendition.evidence.proof
        assert proof
        assert len(proof.filler) == len(case.filler_ms)
    assert shown[0] == shown[1]


def test_a_gap_of_an_hour_is_filled(camera: Camera, tmp_path: Path) -> None:
    """With a picture a second, of which a minute is encoded."""
    films = tuple(
        film(seconds, after_ms, size=(160, 90), audio=None)
        for seconds, after_ms in ((4, 0), (3, 3_700_000))
    )
    asked = evolve(camera, folder=tmp_path)
    clip = asked.cut(films, 2500, 3_702_000, options=ClipOptions(gaps="slate"))
    assert clip.reading.messages == ""
    assert clip.rendition.media.duration_ms == pytest.approx(3_699_500, abs=0.1)
    times_ms = clip.reading.times_ms
    assert all(0 < after - before < 2000 for before, after in pairwise(times_ms))
    recorded = [number for number in clip.reading.numbers if number >= 0]
    assert recorded == clip.wanted.numbers
    assert len(times_ms) - len(recorded) == 3696
    assert clip.path.stat().st_size < 6_000_000


def on_the_wall(clip_ms: float, case: Case) -> float:
    """Return the time of a clip whose gaps are filled, of one that skips them."""
    for start_ms, end_ms in case.filler_ms:
        if clip_ms > start_ms - 1:
            clip_ms += end_ms - start_ms
    return clip_ms


def is_in(time_ms: float, windows: Sequence[tuple[int, int]]) -> bool:
    return any(start_ms - 1 < time_ms < end_ms - 1 for start_ms, end_ms in windows)


def check_filler(clip: Clip, case: Case, kind: Filler, is_filler: Sequence[bool]) -> None:
    """Hold each picture of filler against its kind: it is a second after the one before."""
    width, height = clip.reading.size
    pictures = luma_of(clip.path, width * height)
    for start_ms, end_ms in case.filler_ms:
        own = [
            number
            for number, time_ms in enumerate(clip.reading.times_ms)
            if is_in(time_ms, ((start_ms, end_ms),))
        ]
        shown_ms = [clip.reading.times_ms[number] for number in own]
        count = max(1, (end_ms - start_ms) // 1000)
        assert shown_ms == pytest.approx([start_ms + 1000 * n for n in range(count)], abs=1.1)
        neighbour = own[0] - 1 if own[0] else own[-1] + 1
        gap = next(gap.window for gap in clip.plan.filled if gap.start_ms == start_ms)
        lines = slate_lines(gap, zone_named(case.zone or "UTC"))
        for number in own:
            picture = pictures[number]
            if kind == "hold":
                assert clip.reading.numbers[number] == clip.reading.numbers[neighbour]
                assert difference(picture, pictures[neighbour]) < 4
            elif kind == "black":
                assert max(picture) <= 20
            else:
                assert texts_in(picture, width, height, lines) == list(lines)
    assert any(is_filler)


def check_proof(clip: Clip, is_filler: Sequence[bool]) -> None:
    """The proof names filler as such, and copied frames are as many as without it."""
    proof = clip.rendition.evidence.proof
    assert proof
    named = {number for run in proof.filler for number in run}
    assert named == {number for number, filler in enumerate(is_filler) if filler}
    assert {run.origin for run in proof.frames} >= {FILLER}
    copied = sum(run.frames for run in proof.frames if run.origin == COPIED)
    assert copied == clip.rendition.media.copied_frames


def check_audio(clip: Clip, case: Case) -> None:
    """There is silence in gaps, and beeps are at whole seconds of the wall clock."""
    found = subprocess.run(
        [
            *ERRORS,
            "-i",
            str(clip.path),
            *["-map", "0:a", "-ac", "1", "-ar", "8000", "-f", "s16le", "-"],
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert found.stderr == b""
    samples = memoryview(found.stdout).cast("h")
    for start_ms, end_ms in case.filler_ms:
        # A packet is 21 ms and cannot be cut.
        silent = samples[(start_ms + 45) * 8 : max(0, end_ms - 45) * 8]
        assert max(map(abs, silent), default=0) <= SILENCE
    assert len(samples) / 8 == pytest.approx(case.to_ms - case.from_ms, abs=45)
    # One that the clip's end cuts off names no second.
    whole = [beep for beep in clip.reading.beeps if beep.second >= 0]
    assert whole
    for beep in whole:
        wall_ms = START_MS + case.from_ms + beep.time_ms
        assert round(wall_ms / 1000) % 8 == beep.second
        assert wall_ms == pytest.approx(round(wall_ms / 1000) * 1000, abs=25)


def luma_of(path: Path, pixels: int) -> list[bytes]:
    """Return the luma of each picture as a decoder gives it."""
    argv = [FFMPEG, "-v", "error", "-noautorotate", "-i", str(path), "-map", "0:v"]
    argv += ["-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"]
    data = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    size = pixels * 3 // 2
    return [data[at : at + pixels] for at in range(0, len(data), size)]


def difference(one: bytes, other: bytes) -> float:
    """Return by how much two pictures differ on average."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)


def texts_in(picture: bytes, width: int, height: int, lines: Sequence[str]) -> list[str]:
    """Read each line of a slate letter by letter, where it has to be."""
    columns, rows = max(map(len, lines)) * ADVANCE - 1, len(lines) * 12 - 5
    scale = max(1, min(width * 3 // 4 // columns, height // 2 // rows))
    top = (height - rows * scale) // 2
    letters = {glyph: letter for letter, glyph in GLYPHS.items()}

    def dot(x: int, y: int) -> str:
        middle = (y + scale // 2) * width + x + scale // 2
        return "#" if picture[middle] > 128 else "."

    found = []
    for number, line in enumerate(lines):
        left = (width - (len(line) * ADVANCE - 1) * scale) // 2
        text = ""
        for at in range(len(line)):
            glyph = [
                "".join(
                    dot(left + (at * ADVANCE + x) * scale, top + (number * 12 + y) * scale)
                    for x in range(ADVANCE - 1)
                )
                for y in range(HEIGHT)
            ]
            text += letters.get(" ".join(glyph), "?")
        found.append(text)
    return found


def test_options_that_fill_nothing_change_no_byte(camera: Camera, tmp_path: Path) -> None:
    """A clip without gaps is the usual one."""
    clips = []
    for kind in get_args(attrs.fields(ClipOptions).gaps.type):
        folder = tmp_path / kind
        folder.mkdir()
        options = ClipOptions(gaps=kind)
        asked = evolve(camera, folder=folder)
        clips.append(asked.cut((film(4),), 1250, 3500, options=options).path.read_bytes())
    assert len(clips) == len(FILLERS) + 2
    assert len(set(clips)) == 1
