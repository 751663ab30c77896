"""The wall clock inside finished clips: each second at its time, and no picture is touched."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen

from application.ports import RecordingPiece
from devtools.footage import Recording
from domain.errors import Rejected, UnusableFootage
from domain.options import ClipOptions
from domain.wall_clock import Cue
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from infrastructure.transcoder.wall_clock import read_text, verified_text
from tests.integration.exactness.camera import START_MS, Camera, Clip, check_clip, name_of
from tests.integration.exactness.cases import recording, with_clock
from tests.support.clock_text import Row, chapters_of, cues_of, packets_of

SMALL: dict[str, Any] = {"size": (160, 90), "gop_frames": 30}
FORWARD_MS = round(datetime.fromisoformat("2018-03-25T01:00:00Z").timestamp() * 1000) - START_MS
BACK_MS = round(datetime.fromisoformat("2018-10-28T01:00:00Z").timestamp() * 1000) - START_MS
"""When Europe/Madrid puts its clocks forward and back, in ms after START_MS."""


@frozen
class Part:
    """A part of a clip: where it begins, how long it is, and what time it was at its start."""

    clip_ms: int
    duration_ms: int
    after_ms: int
    """After START_MS."""
    rate: Fraction = Fraction(1)


@frozen
class Case:
    """A clip, its parts, and the titles of its chapters without the time."""

    recordings: tuple[Recording, ...]
    from_ms: int
    to_ms: int
    parts: tuple[Part, ...]
    chapters: tuple[tuple[int, int, str], ...]
    """When each begins in the clip, and when that was, after START_MS; its title's end."""
    zone: str = "UTC"


def film(seconds: float, after_ms: int = 0, **kind: Any) -> Recording:  # noqa: ANN401
    number = kind.pop("first_number", 1000 + after_ms * 30 // 1000)
    return recording(seconds, after_ms=after_ms, first_number=number, **SMALL, **kind)


ONE = (film(6),)
SEVERAL = (film(4), film(4, 4000), film(4, 8000))
GAPS = (film(4), film(3, 9000), film(3, 16_500))
SEAM = (film(4), film(4, 4700))


def around(change_ms: int) -> tuple[Recording, ...]:
    return (film(6, change_ms - 3000, first_number=1000),)


CASES = {
    "one recording": Case(ONE, 1234, 5100, (Part(0, 3866, 1234),), ((0, 1234, ""),)),
    "within a second": Case(ONE, 1100, 1900, (Part(0, 800, 1100),), ((0, 1100, ""),)),
    "several recordings": Case(
        SEVERAL,
        2500,
        10_000,
        (Part(0, 7500, 2500),),
        ((0, 2500, ""), (1500, 4000, ""), (5500, 8000, "")),
        "Europe/Madrid",
    ),
    "gaps": Case(
        GAPS,
        2500,
        18_000,
        (Part(0, 1500, 2500), Part(1500, 3000, 9000), Part(4500, 1500, 16_500)),
        (
            (0, 2500, ""),
            (1500, 9000, ", after 5.0 s without footage"),
            (4500, 16_500, ", after 4.5 s without footage"),
        ),
        "Asia/Kolkata",
    ),
    "a gap at the start": Case(
        (film(4, 9000),),
        2500,
        12_000,
        (Part(0, 3000, 9000),),
        ((0, 9000, ", after 6.5 s without footage"),),
    ),
    "a seam, over which a picture is held": Case(
        SEAM, 2500, 7000, (Part(0, 4500, 2500),), ((0, 2500, ""), (2200, 4700, ""))
    ),
    "recordings that overlap: a second is shown twice": Case(
        with_clock(media_s=5, listed_ms=4000),
        2500,
        10_000,
        (Part(0, 2500, 2500), Part(2500, 5000, 4000), Part(7500, 2000, 8000)),
        ((0, 2500, ""), (2500, 4000, ""), (7500, 8000, "")),
    ),
    "a clock that is slow: a second is shown for less": Case(
        with_clock(media_s=5, listed_ms=6100),
        2000,
        15_000,
        (
            Part(0, 3361, 2000, Fraction(50, 61)),
            Part(3361, 5000, 6100, Fraction(50, 61)),
            Part(8361, 2295, 12_200, Fraction(50, 61)),
        ),
        ((0, 2000, ""), (3361, 6100, ""), (8361, 12_200, "")),
    ),
    "the clock is put forward": Case(
        around(FORWARD_MS),
        FORWARD_MS - 1500,
        FORWARD_MS + 1500,
        (Part(0, 3000, FORWARD_MS - 1500),),
        ((0, FORWARD_MS - 1500, ""),),
        "Europe/Madrid",
    ),
    "the clock is put back": Case(
        around(BACK_MS),
        BACK_MS - 1500,
        BACK_MS + 1500,
        (Part(0, 3000, BACK_MS - 1500),),
        ((0, BACK_MS - 1500, ""),),
        "Europe/Madrid",
    ),
}


def local(after_ms: Fraction | int, zone: str) -> str:
    """Write an instant after START_MS as `date` does."""
    instant = datetime.fromisoformat("1970-01-01T00:00:00Z") + timedelta(
        seconds=(START_MS + after_ms) // 1000
    )
    text = instant.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %:z")
    return text.replace("+00:00", "UTC")


def expected_cues(parts: Sequence[Part], zone: str) -> list[Row]:
    """Return the cues, found by asking for the time at each millisecond."""
    rows: list[Row] = []
    for part in parts:
        for ms in range(part.duration_ms):
            text = local(part.after_ms + ms / part.rate, zone)
            at_ms = part.clip_ms + ms
            if rows and rows[-1][2] == text:
                rows[-1] = (rows[-1][0], at_ms + 1, text)
            else:
                rows.append((at_ms, at_ms + 1, text))
    return rows


def expected_chapters(case: Case) -> list[tuple[int, str]]:
    names = [name_of(r) for r in case.recordings]
    return [
        (clip_ms, f"{local(after_ms, case.zone)} {name}{ending}")
        for (clip_ms, after_ms, ending), name in zip(case.chapters, names, strict=True)
    ]


def cut(camera: Camera, case: Case, folder: Path, zone: str | None) -> Clip:
    folder.mkdir()
    options = ClipOptions(wall_clock=zone)
    asked = evolve(camera, folder=folder)
    return asked.cut(case.recordings, case.from_ms, case.to_ms, options=options)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_clip_has_the_wall_clock(case: Case, camera: Camera, tmp_path: Path) -> None:
    """A player reads every cue and chapter, and the same pictures and audio as without."""
    clip = cut(camera, case, tmp_path / "with", case.zone)
    check_clip(clip)
    assert cues_of(clip.path) == expected_cues(case.parts, case.zone)
    assert chapters_of(clip.path) == expected_chapters(case)
    usual = cut(camera, case, tmp_path / "without", None)
    assert packets_of(clip.path) == packets_of(usual.path)
    assert clip.rendition.media == usual.rendition.media
    assert chapters_of(usual.path) == []
    assert b"tx3g" not in usual.path.read_bytes()


def test_a_clip_that_is_encoded_whole_has_it_too(encoding_camera: Camera, tmp_path: Path) -> None:
    """Its audio and all of its pictures are decoded to verify it."""
    case = CASES["gaps"]
    clip = cut(encoding_camera, case, tmp_path / "with", case.zone)
    check_clip(clip)
    assert cues_of(clip.path) == expected_cues(case.parts, case.zone)


def test_copied_ranges_are_as_long_as_without_text(camera: Camera, tmp_path: Path) -> None:
    """Text is before all else: it neither divides them nor adds a part to the upload."""
    default = evolve(camera, transcoder=FfmpegTranscoder(find_ffmpeg({})))
    files = (recording(6, crf=10), recording(6, after_ms=6000, crf=10))
    case = Case(files, 1456, 9876, (Part(0, 8420, 1456),), ())
    usual, clip = (cut(default, case, tmp_path / str(zone), zone) for zone in (None, "UTC"))
    lengths = [
        [piece.length for piece in one.rendition.pieces if isinstance(piece, RecordingPiece)]
        for one in (usual, clip)
    ]
    assert lengths[0]
    assert lengths[0] == lengths[1]
    data = clip.path.read_bytes()
    text, cues = read_text(lambda offset, length: data[offset : offset + length], len(data))
    assert text
    assert len(cues) == 9
    begin = data.index(b"mdat") + 4
    assert list(text.offsets) == list(accumulate(text.sizes[:-1], initial=begin))


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "Europe", "UTC/UTC"])
def test_an_unknown_zone_rejects_the_request(camera: Camera, tmp_path: Path, zone: str) -> None:
    """The reason names the option and what it has to be."""
    with pytest.raises(Rejected, match=r"options\.wallClock must be a time zone .*Europe/Madrid\."):
        cut(camera, CASES["one recording"], tmp_path / "with", zone)


WRONG: dict[str, Callable[[list[Cue]], list[Cue]]] = {
    "another text": lambda cues: [evolve(cues[0], text="2018-08-15 14:00:23 UTC"), *cues[1:]],
    "another start": lambda cues: (
        [evolve(cues[0], end_ms=767), evolve(cues[1], start_ms=767), *cues[2:]]
    ),
    "another end": lambda cues: [*cues[:-1], evolve(cues[-1], end_ms=cues[-1].end_ms + 1)],
    "one cue less": lambda cues: cues[:-1],
    "none": lambda _: [],
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_text_that_is_not_the_plans_is_found(
    camera: Camera, tmp_path: Path, wrong: Callable[[list[Cue]], list[Cue]]
) -> None:
    """Such a clip is not committed."""
    case = CASES["one recording"]
    clip = cut(camera, case, tmp_path / "with", case.zone)
    cues = [Cue(*row) for row in expected_cues(case.parts, case.zone)]
    text = verified_text(clip.path, cues)
    assert text
    assert len(text.sizes) == len(cues)
    with pytest.raises(UnusableFootage, match="not the wall clock that was planned"):
        verified_text(clip.path, wrong(cues))
