"""Contact sheets and sprites of finished clips: each picture is the clip's, at its own time."""

import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from domain.clip import ClipReport, ClipRequest
from domain.coverage import Coverage
from domain.manifest import Manifest
from domain.options import ClipOptions
from domain.pace import paces_of
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.mp4.index import read_index
from infrastructure.pictures.letters import GLYPHS, text_size
from infrastructure.pictures.sheet import COLUMNS, MARGIN, PICTURE, SCALE
from tests.integration.exactness.camera import START_MS, Camera, Clip, check_clip
from tests.integration.exactness.cases import CASES as CUTS
from tests.integration.exactness.test_wall_clock import CASES, Case, film
from tests.support.previews import Gray, gray, sprite_cues

Sidecars = dict[str, Path]
BOTH = ClipOptions(previews=("sheet", "sprite"))
LETTERS = {dots: letter for letter, dots in GLYPHS.items()}
WITHIN_MS = 0.001
"""Times that are read are floats."""
KINDS = (
    "the first frame alone",
    "a recording of one frame",
    "a variable frame rate",
    "an open GOP, from the frame before a keyframe",
    "a keyframe every 10 s",
    "intra refresh",
    "keyframes only",
    "HEVC",
    "HEVC with open GOPs",
    "HEVC with 10 bits and full range",
    "HEVC with parameter sets among the samples",
    "a quarter turn",
    "H.264, then HEVC for longer",
    "a picture in 5 s, from between two",
    "a head that is held",
    "a gap of odd milliseconds, then a seam",
)
"""Of the cuts of the exactness suite: what decides about which samples are decoded, and how."""


def manifest_of(clip: Clip, window: TimeWindow, options: ClipOptions, *, resumed: bool) -> Manifest:
    """Return what is known of the clip when its sidecars are made."""
    request = ClipRequest("exact", "pier", window.start_ms, window.end_ms, options=options)
    coverage = Coverage(gaps=clip.plan.gaps, clock=clip.plan.clock)
    paces = paces_of(clip.plan) if clip.plan.clock and not resumed else ()
    return Manifest(
        ClipReport.available(request, coverage),
        "w#1",
        clip.rendition.media,
        proof=clip.rendition.evidence.proof,
        paces=paces,
    )


def cut(
    camera: Camera,
    case: Case,
    folder: Path,
    options: ClipOptions = BOTH,
    *,
    resumed: bool = False,
) -> tuple[Clip, Sidecars]:
    """Cut a clip, and make its sidecars of its bytes."""
    folder.mkdir()
    asked = evolve(camera, folder=folder)
    clip = asked.cut(case.recordings, case.from_ms, case.to_ms, options=options)
    check_clip(clip)
    window = TimeWindow(START_MS + case.from_ms, START_MS + case.to_ms)
    stored = camera.buckets.open(
        RecordingSegment(TimeWindow(0, 1), "exact.mp4"), clip.path.read_bytes()
    )
    made = camera.transcoder.sidecars(
        stored,
        manifest_of(clip, window, options, resumed=resumed),
        options,
        folder / "scratch",
        time.monotonic() + 60,
    )
    return clip, dict(made)


def seen_ms(case: Case, number: int) -> Fraction:
    """Return when the camera took a frame, by its number, in ms since the epoch."""
    rate = case.parts[0].rate if case.parts else Fraction(1)
    recording = next(r for r in case.recordings if number in r.numbers)
    return recording.start_ms + recording.times_ms[number - recording.first_number] / rate


def shown_at(clip: Clip, ms: int) -> int:
    """Return the index of the frame that a player shows at the start of a ms of the clip."""
    return max(n for n, at in enumerate(clip.reading.times_ms) if at <= ms + WITHIN_MS)


def check_sprite(
    clip: Clip, case: Case, made: Sidecars, zone: str = "UTC", within_ms: int = 0
) -> list[int]:
    """Hold a sprite against the clip; return which of the clip's frames it shows."""
    cues = sprite_cues(made["sprite.vtt"].read_text())
    image, frames = gray(made["sprite.jpg"]), []
    assert [cue.start_ms for cue in cues] == sorted({cue.start_ms for cue in cues})
    assert cues[0].start_ms == 0
    assert [cue.end_ms for cue in cues[:-1]] == [cue.start_ms for cue in cues[1:]]
    assert cues[-1].end_ms == pytest.approx(float(clip.wanted.duration_ms), abs=2)
    for cue in cues:
        left, top, width, height = cue.box
        assert left + width <= image.width
        assert top + height <= image.height
        frame = shown_at(clip, cue.start_ms)
        assert ceil(clip.reading.times_ms[frame] - WITHIN_MS) == cue.start_ms
        number = image.number_in(cue.box, clip.reading.turned)
        assert number == clip.wanted.numbers[frame]
        instant_ms = floor(seen_ms(case, number) + Fraction(1, 20))
        assert abs(cue.seen_ms - instant_ms) <= within_ms
        assert cue.seen.utcoffset() == in_zone(cue.seen_ms, zone).utcoffset()
        assert cue.image == "exact.sprite.jpg"
        frames.append(frame)
    return frames


def read_caption(sheet: Gray, left: int, top: int, length: int) -> str:
    """Read a text in an image, letter by letter; "~" for what is no letter."""
    text = ""
    for place in range(length):
        x, y = left + (2 + 6 * place) * SCALE, top + 2 * SCALE
        rows = sheet.part(x, y, 5 * SCALE, 7 * SCALE)[::SCALE]
        dots = " ".join("".join(".#"[gray > 128] for gray in row[::SCALE]) for row in rows)
        text += LETTERS.get(dots, "~")
    return text


def check_sheet(clip: Clip, case: Case, made: Sidecars, zone: str) -> list[int]:
    """Hold a contact sheet against the clip; return which of the clip's frames it shows."""
    sheet, frames = gray(made["sheet.jpg"]), []
    size = clip.reading.size
    scale = min(PICTURE.width / size[0], PICTURE.height / size[1])
    width, height = (round(side * scale / 2) * 2 for side in size)
    inset = (PICTURE.width - width) // 2
    line = text_size("0", SCALE)[1]
    down = height + line + 2 * MARGIN
    rows = (sheet.height - line - 2 * MARGIN) // down
    heading = read_caption(sheet, MARGIN, MARGIN, 4)
    assert heading == "pier"
    for place in range(rows * COLUMNS):
        row, column = divmod(place, COLUMNS)
        left = column * (PICTURE.width + 2 * MARGIN) + MARGIN
        top = line + 2 * MARGIN + row * down + MARGIN
        number = sheet.number_in((left + inset, top, width, height), clip.reading.turned)
        if number < 0:
            assert rows * COLUMNS - place < COLUMNS
            break
        frames.append(clip.wanted.numbers.index(number))
        instant_ms = floor(seen_ms(case, number) + Fraction(1, 20))
        assert read_caption(sheet, left, top + height, 31).strip() == written(instant_ms, zone)
    assert frames == sorted(set(frames))
    assert frames[0] == 0
    return frames


def in_zone(instant_ms: int, zone: str) -> datetime:
    """Return an instant in a zone."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=instant_ms)
    return at.astimezone(ZoneInfo(zone))


def written(instant_ms: int, zone: str) -> str:
    """Write an instant as `date` does, to the ms."""
    local = in_zone(instant_ms, zone)
    offset = local.strftime("%:z").replace("+00:00", "UTC")
    return f"{local:%Y-%m-%d %H:%M:%S}.{instant_ms % 1000:03d} {offset}"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_picture_is_the_clips_at_its_time(case: Case, camera: Camera, tmp_path: Path) -> None:
    """Read back from the image: its number, the clip's time of its cue, and its wall clock."""
    options = ClipOptions(previews=("sheet", "sprite"), wall_clock=case.zone)
    clip, made = cut(camera, case, tmp_path / "clip", options)
    assert set(made) == {"sheet.jpg", "sprite.jpg", "sprite.vtt", "vtt"}
    check_sprite(clip, case, made, case.zone)
    check_sheet(clip, case, made, case.zone)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_clip_has_its_own_pictures(camera: Camera, tmp_path: Path, name: str) -> None:
    """Whatever its codec, its GOPs and its gaps; none is from before its start or after its end."""
    cutting = CUTS[name]
    case = Case(cutting.recordings, cutting.from_ms, cutting.to_ms, (), ())
    clip, made = cut(camera, case, tmp_path / "clip")
    assert set(made) == {"sheet.jpg", "sprite.jpg", "sprite.vtt"}
    check_sprite(clip, case, made)
    check_sheet(clip, case, made, "UTC")


@pytest.mark.parametrize("name", ["gaps", "a clock that is slow: a second is shown for less"])
def test_an_interrupted_delivery_makes_the_same(camera: Camera, tmp_path: Path, name: str) -> None:
    """Of a clip that it found: of a wrong clock, the proof gives the instants to 2 ms."""
    case = CASES[name]
    clip, made = cut(camera, case, tmp_path / "first")
    _, again = cut(camera, case, tmp_path / "again", resumed=True)
    frames = check_sprite(clip, case, again, within_ms=2 if clip.plan.clock else 0)
    assert frames == check_sprite(clip, case, made)
    if not clip.plan.clock:
        assert [again[one].read_bytes() for one in made] == [made[one].read_bytes() for one in made]


def expected_frames(clip: Clip, count: int) -> list[int]:
    """Return the frames at places evenly over a clip, or keyframes near them."""
    data, times_ms = clip.path.read_bytes(), clip.reading.times_ms
    video = read_index(lambda offset, length: data[offset : offset + length], len(data)).video
    assert video
    order = sorted(range(len(video.pts)), key=video.pts.__getitem__)
    keyframes = [number for number, sample in enumerate(order) if video.sync[sample]]
    interval_ms = clip.plan.duration_ms / count
    found = {0}
    for place in range(count):
        at_ms = place * interval_ms

        def distance_ms(number: int, at_ms: float = at_ms) -> float:
            return abs(times_ms[number] - at_ms)

        nearest = min(keyframes, key=distance_ms)
        is_near = distance_ms(nearest) <= interval_ms / 4
        found.add(nearest if is_near else shown_at(clip, floor(at_ms)))
    return sorted(found)


@pytest.mark.parametrize("gop_frames", [32, 300])
def test_pictures_are_evenly_over_the_clip(camera: Camera, tmp_path: Path, gop_frames: int) -> None:
    """20 on the sheet, and one a second in the sprite; keyframes only where they are near."""
    case = Case((evolve(film(12), gop_frames=gop_frames),), 1234, 11_234, (), ())
    clip, made = cut(camera, case, tmp_path / "clip")
    frames = check_sprite(clip, case, made)
    assert frames == expected_frames(clip, 10)
    assert len(frames) == 10
    assert check_sheet(clip, case, made, "UTC") == expected_frames(clip, 20)


@pytest.mark.parametrize(
    "kind",
    [
        dict(open_gop=True),
        dict(open_gop=True, codec="hevc"),
        dict(intra_refresh=True),
        dict(),
    ],
    ids=["open GOPs", "HEVC with open GOPs", "intra refresh", "closed GOPs"],
)
def test_pictures_far_from_each_other_are_in_their_order(
    camera: Camera, tmp_path: Path, kind: dict[str, Any]
) -> None:
    """No decoder goes on from one part of the clip to another that does not begin a sequence."""
    films = (film(2, **kind), film(9, 5000, **kind))
    case = Case(tuple(evolve(each, gop_frames=30) for each in films), 300, 14_000, (), ())
    clip, made = cut(camera, case, tmp_path / "clip")
    assert len(check_sprite(clip, case, made)) > 8
    check_sheet(clip, case, made, "UTC")
