"""Make a drawn cut with the real transcoder, and judge all of its video and audio."""

import atexit
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve, frozen

from application.ports import Transcoder
from devtools.footage import ClipReading, Stretch, Wanted
from devtools.footage.assertions import CLEAR_MS
from devtools.footage.audio import DISTINCT_SECONDS
from domain.errors import Rejected
from domain.options import ClipOptions
from domain.planning import ClipPlan
from domain.window import TimeWindow
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.splicing.copied_ranges import MIN_COPIED_RANGE_BYTES
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.campaigns.fuzz_cuts.clock import assert_clock
from tests.campaigns.fuzz_cuts.drawing import NAMES, RandomCut
from tests.campaigns.fuzz_cuts.filling import assert_filled
from tests.campaigns.fuzz_cuts.kinds import KINDS, PlacedCamera
from tests.campaigns.fuzz_cuts.previews import assert_previews
from tests.campaigns.fuzz_cuts.verifying import assert_verified
from tests.integration.exactness.camera import WITHIN_MS, check_clip
from tests.integration.exactness.strict_buckets import MIN_PART_BYTES, StrictBuckets, strict_buckets
from tests.support.proofs import assert_proven

AUDIO_WITHIN_MS = 1000 / 30
"""A frame."""
COPIED_RANGE_BYTES = (MIN_PART_BYTES, MIN_COPIED_RANGE_BYTES // 4)
"""In turn, S3 copies whatever it can, and only the longest ranges. The number of NAMES is odd."""
ENCODED_OF = 5
"""One cut in so many is encoded whole, as the transcoder does where frames cannot be spliced."""

_PROCESS = ExitStack()
# A server cannot be closed any more when the interpreter has ended its thread.
atexit.register(_PROCESS.close)


@frozen
class Outcome:
    """The figures of a cut without faults."""

    frames: int = 0
    copied: int = 0
    in_gops: int = 0
    """Frames of GOPs that lie entirely within the cut, and so had to be copied."""
    audio_off_ms: float = 0.0
    """The largest deviation of a beep."""


def judge(cut: RandomCut, footage: Path, folder: Path) -> Outcome:
    """Make the cut in `folder` of the recordings in `footage`; AssertionError if it is wrong.

    A cut without a frame must be Rejected: its outcome has no frames.
    """
    wanted = cut.wanted()
    splices = cut.seed // len(NAMES) % ENCODED_OF != 0
    transcoder = _transcoder(COPIED_RANGE_BYTES[cut.seed % 2], splices)
    camera = PlacedCamera(footage, folder, transcoder, _buckets())
    options = ClipOptions(wall_clock=cut.zone, previews=cut.previews)
    if not wanted.numbers:
        try:
            camera.cut(cut.recordings, cut.from_ms, cut.to_ms, options=options)
        except Rejected:
            return Outcome()
        raise AssertionError("there is a clip where there is no frame")
    with _collected_warnings(logging.getLogger("infrastructure")) as warnings:
        clip = camera.cut(cut.recordings, cut.from_ms, cut.to_ms, options=options)
    assert warnings == []
    reading, measured = clip.reading, clip.rendition.media
    check_clip(evolve(clip, wanted=wanted), AUDIO_WITHIN_MS)
    assert_proven(clip.rendition, clip.path.read_bytes())
    assert_verified(clip, options)
    assert_covered(clip.plan, wanted, is_held_known=KINDS[cut.kind].has_usual_interval)
    if cut.zone:
        assert_clock(clip, wanted, cut.recordings, ZoneInfo(cut.zone))
    if cut.gaps != "skip" and clip.plan.gaps:
        assert_filled(clip, camera, cut)
    if cut.previews:
        assert_previews(clip, camera, cut.recordings, options)
    whole = cut.whole_gop_frames() if splices and KINDS[cut.kind].copies else 0
    assert whole <= measured.copied_frames <= measured.frames, (
        f"{measured.copied_frames} of {measured.frames} frames are copied,"
        f" but {whole} are of GOPs that lie entirely within the clip"
    )
    off_ms = audio_off_ms(reading, wanted.stretches)
    return Outcome(measured.frames, measured.copied_frames, whole, off_ms)


def assert_covered(plan: ClipPlan, wanted: Wanted, *, is_held_known: bool) -> None:
    """Hold what the plan says of its window against what the clip must hold, to the ms."""
    assert plan.duration_ms == pytest.approx(float(wanted.duration_ms), abs=WITHIN_MS)
    _assert_windows(plan.gaps, wanted.gaps_ms, "gaps")
    if is_held_known:
        _assert_windows(plan.held, wanted.held_ms, "held")
    unused = {number for number, _, _ in wanted.unused}
    shown = {cut.segment.name for cut in plan.cuts}
    # What is not needed is not opened, so nothing is known of its inner holes: it may be listed
    # where it has one.
    listed = [
        one for one in plan.unused if one.name in shown or int(one.name.split(".")[2]) in unused
    ]
    assert [int(one.name.split(".")[2]) for one in listed] == [n for n, _, _ in wanted.unused]
    for one, (_, start_ms, _) in zip(listed, wanted.unused, strict=True):
        assert one.window.start_ms == pytest.approx(float(start_ms), abs=WITHIN_MS)


def _assert_windows(
    had: Sequence[TimeWindow], wanted: Sequence[tuple[Fraction, Fraction]], what: str
) -> None:
    bounds = [bound for window in had for bound in (window.start_ms, window.end_ms)]
    asked = [float(bound) for window in wanted for bound in window]
    message = f"{what}: {bounds}, wanted {asked}"
    assert len(bounds) == len(asked), message
    assert bounds == pytest.approx(asked, abs=WITHIN_MS), message


def audio_off_ms(reading: ClipReading, stretches: Sequence[Stretch]) -> float:
    """Return the largest deviation of a beep, in ms, except for those cut at an edge."""
    expected = [
        (float(stretch.clip_ms + second * 1000 - stretch.start_ms), second % DISTINCT_SECONDS)
        for stretch in stretches
        if stretch.has_audio
        for second in range(ceil(stretch.start_ms / 1000), ceil(stretch.end_ms / 1000))
        if stretch.start_ms + CLEAR_MS <= second * 1000 < stretch.end_ms - CLEAR_MS
    ]
    return max(
        (
            min(abs(b.time_ms - time_ms) for b in reading.beeps if b.second == second)
            for time_ms, second in expected
        ),
        default=0.0,
    )


@contextmanager
def _collected_warnings(logger: logging.Logger) -> Iterator[list[str]]:
    """Collect warnings, e.g. that a splice failed and every frame was encoded instead."""
    messages: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    try:
        yield messages
    finally:
        logger.removeHandler(handler)


@cache
def _buckets() -> StrictBuckets:
    """Return the buckets of this process, which are open until it ends."""
    return _PROCESS.enter_context(strict_buckets())


@cache
def _transcoder(min_copied_range_bytes: int, splices: bool) -> Transcoder:
    return FfmpegTranscoder(
        find_ffmpeg({}),
        verify="decode",
        splice=splices,
        min_copied_range_bytes=min_copied_range_bytes,
    )
