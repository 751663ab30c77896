"""Damaged recordings: the rest of the clip is intact, and the damage is stated."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from attrs import Factory, define, evolve, frozen

from application.make_clip import ClipResult, MakeClip
from application.ports import RecordingStore, ThumbnailSpec
from devtools import footage
from devtools.footage.recording import FFMPEG
from domain.clip import ClipRequest, ClipStatus
from domain.coverage import Verification
from domain.delivery import Delivery
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.in_memory import (
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRetryQueue,
)
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.integration.exactness.camera import IN_MEMORY, START_MS

FILM = footage.Recording(start_ms=START_MS, first_number=1000, frames=180, gop_frames=30)
CABAC = ("-coder", "cabac")
"""A decoder notices nearly all damage of arithmetic codes, but little of other ones."""
FRAME_MS = 1000 / 30
REQUEST = ClipRequest("clip", "pier", START_MS, START_MS + 6000)

Change = Callable[[bytearray, Random], None]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this module's recordings."""
    return tmp_path_factory.mktemp("films")


@define
class Files(RecordingStore):
    """Opens files by name."""

    files: dict[str, bytes] = Factory(dict)

    def open(
        self,
        segment: RecordingSegment,
        window: TimeWindow,  # noqa: ARG002 - all stretches are known
        deadline_s: float,  # noqa: ARG002 - it is in memory
    ) -> Mp4Recording:
        """Open the file of the segment's name."""
        return IN_MEMORY.open(segment, self.files[segment.name])


@frozen
class Shown:
    """A clip of `REQUEST`: how it was reported, and its frames."""

    result: ClipResult
    reading: footage.ClipReading
    from_ms: int
    """When the clip's window starts, after START_MS."""
    thumbnails: Sequence[int]

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """The gaps, in ms after START_MS."""
        return _after_start(self.result.report.coverage.gaps)

    @property
    def damaged(self) -> list[tuple[int, int]]:
        """The damaged windows, in ms after START_MS."""
        return _after_start(self.result.report.coverage.damaged)

    @property
    def frames(self) -> dict[int, int]:
        """The numbers of the frames, by the position of the frame that belongs there.

        The clip must have no other frames than those that belong at some time.
        """
        gaps = self.gaps
        found: dict[int, int] = {}
        for number, time_ms in zip(self.reading.numbers, self.reading.times_ms, strict=True):
            wall_ms = self.from_ms + time_ms
            for start_ms, end_ms in gaps:
                if wall_ms >= start_ms - 1:
                    wall_ms += end_ms - start_ms
            position = round(wall_ms / FRAME_MS)
            if not found and number in FILM.numbers:
                position = number - FILM.first_number  # it is held from 0
            else:
                assert wall_ms == pytest.approx(position * FRAME_MS, abs=1.5)
            found[position] = number
        return found


def _after_start(windows: Sequence[TimeWindow]) -> list[tuple[int, int]]:
    return [(w.start_ms - START_MS, w.end_ms - START_MS) for w in windows]


def make(
    recordings: Sequence[tuple[int, bytes]],
    folder: Path,
    request: ClipRequest = REQUEST,
    *,
    verify: str = "joins",
    is_clean: bool = True,
) -> Shown:
    """Make a clip of recordings, each given by its start after START_MS and its bytes.

    It must decode cleanly, unless frames are copied that nothing has decoded.
    """
    store, segments = Files(), []
    for number, (after_ms, data) in enumerate(recordings):
        path = folder / f"{number}.mp4"
        path.write_bytes(data)
        duration_ms = IN_MEMORY.open(
            RecordingSegment(TimeWindow(0, 1), path.name), data
        ).segment.window.end_ms
        start_ms = START_MS + after_ms
        segments.append(RecordingSegment(TimeWindow(start_ms, start_ms + duration_ms), path.name))
        store.files[path.name] = data
    clips = InMemoryClipStore()
    make_clip = MakeClip(
        InMemoryCameraService({"pier": segments}),
        store,
        FfmpegTranscoder(find_ffmpeg({}), verify=verify),
        clips,
        InMemoryRetryQueue(),
        InMemoryNotifier(),
        RetryPolicy(),
        ThumbnailSpec((64,)),
    )
    scratch = folder / "scratch"
    scratch.mkdir()
    now_ms = request.window.end_ms + 60_000
    delivery = Delivery(request, "m", now_ms, now_ms, time.monotonic() + 60)
    result = make_clip(delivery, scratch)
    assert result.report.status is ClipStatus.AVAILABLE
    path = folder / "clip.mp4"
    path.write_bytes(clips.objects[request.name][1])
    reading = footage.read_clip(path)
    if is_clean:
        footage.assert_clean(reading)
    from_ms = request.window.start_ms - START_MS
    return Shown(result, reading, from_ms, [*clips.thumbnails[request.name]])


def film(films: Path, recording: footage.Recording = FILM) -> bytes:
    """Return the bytes of a recording."""
    return footage.cached_recording(films, recording).read_bytes()


def damaged(data: bytes, samples: Sequence[int], change: Change, folder: Path, seed: int) -> bytes:
    """Change the bytes of some video samples."""
    path = folder / "whole.mp4"
    path.write_bytes(data)
    video = index_file(path).video
    assert video is not None
    changed, chance = bytearray(data), Random(seed)
    for number in samples:
        begin, end = video.offsets[number], video.offsets[number] + video.sizes[number]
        sample = changed[begin:end]
        change(sample, chance)
        assert len(sample) == end - begin
        changed[begin:end] = sample
    return bytes(changed)


def flip(sample: bytearray, chance: Random) -> None:
    """Flip a bit in each of eight places."""
    for _ in range(8):
        sample[chance.randrange(5, len(sample))] ^= 1 << chance.randrange(8)


def zero(sample: bytearray, chance: Random) -> None:
    """Put zeros in place of a part."""
    begin = chance.randrange(5, len(sample) - 20)
    sample[begin : begin + 200] = bytes(len(sample[begin : begin + 200]))


def truncate(sample: bytearray, chance: Random) -> None:
    """Put zeros in place of the rest."""
    begin = chance.randrange(5, len(sample) // 2)
    sample[begin:] = bytes(len(sample) - begin)


def drop(sample: bytearray, chance: Random) -> None:  # noqa: ARG001
    """Drop the picture: what is there instead is a unit that decoders skip."""
    sample[4] = 0x1F


def erase(sample: bytearray, chance: Random) -> None:  # noqa: ARG001
    """Put zeros in place of all."""
    sample[:] = bytes(len(sample))


def check(shown: Shown, wanted: Mapping[int, int], spoilt: tuple[int, int]) -> None:
    """Hold a clip against the frames that belong at each position.

    `spoilt` are the positions that damage may touch: from the first damaged frame to the end of its
    group of pictures.
    """
    first_ms, end_ms = (round(position * FRAME_MS) for position in spoilt)
    for start_ms, stop_ms in [*shown.damaged, *shown.gaps]:
        assert first_ms - 1 <= start_ms < stop_ms <= end_ms + 1, "damage is overstated"

    def is_stated(position: int) -> bool:
        at_ms = position * FRAME_MS
        return any(a - 1 <= at_ms < b - 1 for a, b in [*shown.damaged, *shown.gaps])

    frames = shown.frames
    for position, number in wanted.items():
        if not is_stated(position):
            assert frames.get(position) == number, f"frame {position}"
    assert frames.keys() <= wanted.keys()
    coverage = shown.result.report.coverage
    assert coverage.is_complete == (not shown.damaged and not shown.gaps)


KINDS = {
    "h264": evolve(FILM, extra_args=CABAC),
    "h264 without B": evolve(FILM, bframes=0, extra_args=CABAC),
    "h264 fragmented": evolve(FILM, layout="fragmented", extra_args=CABAC),
    "hevc": evolve(FILM, codec="hevc"),
    "hevc fragmented": evolve(FILM, codec="hevc", layout="fragmented"),
}


@pytest.mark.parametrize("change", [flip, zero, truncate, drop, erase])
@pytest.mark.parametrize("kind", [*KINDS])
@pytest.mark.parametrize(
    ("from_ms", "verify"), [(2100, "joins"), (0, "decode")], ids=["at the edge", "copied"]
)
def test_damage_costs_no_more_than_its_group_of_pictures(  # noqa: PLR0917
    films: Path, tmp_path: Path, kind: str, change: Change, from_ms: int, verify: str
) -> None:
    """Every frame that is not stated to be damaged is right, and at its time."""
    chance = Random(f"{kind} {change.__name__}")
    sample = chance.randrange(60, 88)
    data = damaged(film(films, KINDS[kind]), [sample], change, tmp_path, chance.randrange(1000))
    request = evolve(REQUEST, start_ms=START_MS + from_ms)
    shown = make([(0, data)], tmp_path, request, verify=verify)
    first = round(from_ms / FRAME_MS)
    check(shown, dict(enumerate(FILM.numbers[first:], first)), (max(60, first), 90))
    if change in {drop, erase}:
        assert shown.damaged or shown.gaps
    coverage = shown.result.report.coverage
    if shown.damaged and not coverage.notes:
        # Frames without a picture are noted: the clip is made without them, as of any recording.
        assert coverage.verified is Verification.ALL
    assert shown.thumbnails == [64]


def test_a_file_that_begins_between_keyframes_costs_its_start_only(
    films: Path, tmp_path: Path
) -> None:
    """The good files next to it are delivered whole, and its own frames from the keyframe on."""
    headless = tmp_path / "headless.mp4"
    whole = evolve(FILM, frames=60, start_ms=START_MS + 2000, first_number=1060, gop_frames=50)
    argv = [FFMPEG, "-v", "error", "-i", str(footage.cached_recording(films, whole)), "-c", "copy"]
    argv += ["-copyinkf", "-bsf:v", r"noise=drop=lt(n\,8)", "-an", str(headless)]
    subprocess.run(argv, check=True, env={}, timeout=30)
    before = evolve(FILM, frames=60)
    after = evolve(FILM, frames=60, start_ms=START_MS + 4000, first_number=1120)
    files = [film(films, before), headless.read_bytes(), film(films, after)]
    shown = make([(2000 * number, data) for number, data in enumerate(files)], tmp_path)
    numbers = shown.reading.numbers
    assert numbers == [*range(1000, 1060), *range(1110, 1120), *range(1120, 1180)]
    ((start_ms, end_ms),) = shown.gaps
    assert start_ms == 2000
    assert 2000 + 41 * FRAME_MS < end_ms < 2000 + 44 * FRAME_MS


@pytest.mark.parametrize("kind", ["h264", "hevc"])
@pytest.mark.parametrize("verify", ["joins", "decode"])
def test_a_start_whose_sync_flags_lie_costs_itself_only(
    films: Path, tmp_path: Path, kind: str, verify: str
) -> None:
    """The index says that the first picture is a keyframe, and nothing can be made of it."""
    recording = evolve(KINDS[kind], frames=120, start_ms=START_MS + 2000, first_number=1060)
    before = evolve(KINDS[kind], frames=60)
    broken = damaged(film(films, recording), [0], erase, tmp_path, 0)
    shown = make([(0, film(films, before)), (2000, broken)], tmp_path, verify=verify)
    check(shown, dict(enumerate(FILM.numbers)), (60, 90))
    assert shown.reading.numbers[:60] == [*range(1000, 1060)]
    assert shown.reading.numbers[-90:] == [*range(1090, 1180)]
    assert (shown.gaps, shown.damaged) in (
        ([], [(2000, 3000)]),
        ([(2000, 3000)], []),
    )


@pytest.mark.parametrize("verify", ["joins", "decode"])
def test_another_recording_fills_a_start_without_a_picture(
    films: Path, tmp_path: Path, verify: str
) -> None:
    """Its pictures are right, so the clip is complete."""
    spare = film(films, evolve(FILM, frames=120, start_ms=START_MS + 10, first_number=5000))
    broken = damaged(film(films), range(90), erase, tmp_path, 0)
    request = evolve(REQUEST, start_ms=START_MS + 100)
    shown = make([(0, broken), (10, spare)], tmp_path, request, verify=verify)
    assert shown.reading.numbers == [*range(5003, 5120), *range(1121, 1180)]
    assert (shown.gaps, shown.damaged) == ([], [])


@pytest.mark.parametrize("kind", ["h264", "hevc"])
def test_one_of_three_recordings_is_damaged_throughout(
    films: Path, tmp_path: Path, kind: str
) -> None:
    """The other two are whole, and the clip is not complete."""
    thirds = [
        evolve(KINDS[kind], frames=60, start_ms=START_MS + 2000 * n, first_number=1000 + 60 * n)
        for n in range(3)
    ]
    files = [film(films, third) for third in thirds]
    noisy = tmp_path / "noisy.mp4"
    source = footage.cached_recording(films, thirds[1])
    argv = [FFMPEG, "-v", "error", "-i", str(source), "-c", "copy"]
    argv += ["-bsf:v", "noise=amount=if(key\\,0\\,500)", str(noisy)]
    subprocess.run(argv, check=True, env={}, timeout=30)
    shown = make(
        [(0, files[0]), (2000, noisy.read_bytes()), (4000, files[2])], tmp_path, verify="decode"
    )
    check(shown, dict(enumerate(FILM.numbers)), (60, 120))
    assert shown.damaged
    assert not shown.result.report.coverage.is_complete


@pytest.mark.parametrize("seed", range(6))
def test_damage_in_several_places(films: Path, tmp_path: Path, seed: int) -> None:
    """What lies between is intact, and copied."""
    chance = Random(seed)
    samples = [chance.randrange(30, 60), chance.randrange(120, 150)]
    data = damaged(film(films, KINDS["h264"]), samples, truncate, tmp_path, seed)
    shown = make([(0, data)], tmp_path, verify="decode")
    media = shown.result.media
    assert media is not None
    assert media.copied_frames >= 120
    assert len(shown.damaged) == 2
    frames = shown.frames
    for position, number in enumerate(FILM.numbers):
        if not (30 <= position < 60 or 120 <= position < 150):
            assert frames[position] == number
    for start_ms, end_ms in shown.damaged:
        assert 1000 <= start_ms < end_ms <= 2000 or 4000 <= start_ms < end_ms <= 5000


@pytest.mark.parametrize("verify", ["joins", "decode"])
def test_a_thumbnail_of_a_damaged_frame_fails_no_clip(
    films: Path, tmp_path: Path, verify: str
) -> None:
    """The frame at a quarter of the clip is in the second group, which does not decode."""
    for change in (truncate, erase):
        folder = tmp_path / change.__name__
        folder.mkdir()
        data = damaged(film(films, KINDS["h264"]), range(32, 60), change, tmp_path, 1)
        shown = make([(0, data)], folder, verify=verify, is_clean=verify == "decode")
        assert shown.thumbnails == [64]
