"""Which files are next to a clip, and when the pictures in them were seen."""

from collections.abc import Mapping

import pytest
from attrs import evolve

from domain.clip import ClipReport, ClipRequest
from domain.coverage import Clock, Coverage
from domain.instants import instants_of
from domain.manifest import Manifest
from domain.options import USUAL, ClipOptions
from domain.pace import Pace
from domain.proof import COPIED, ENCODED, FrameRun, Proof
from domain.sidecars import sidecars_of
from domain.window import TimeWindow

START_MS = 1_700_000_000_000
REQUEST = ClipRequest("c1", "pier", START_MS, START_MS + 10_000)
TIMES = [0, 10_000, 20_000, 30_000, 40_000, 50_000]
"""Of six frames, a second apart, in ticks."""


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ()),
        ({"hevc": "h264"}, ()),
        ({"previews": ["sheet"]}, ("sheet.jpg",)),
        ({"previews": ["sprite"]}, ("sprite.jpg", "sprite.vtt")),
        ({"previews": ["sprite", "sheet"]}, ("sheet.jpg", "sprite.jpg", "sprite.vtt")),
        ({"wallClock": "UTC"}, ("vtt",)),
        (
            {"previews": ["sheet", "sprite"], "wallClock": "UTC"},
            ("sheet.jpg", "sprite.jpg", "sprite.vtt", "vtt"),
        ),
        ({"previews": ["a newer one"]}, ()),
        ({"previews": 7}, ()),
    ],
    ids=str,
)
def test_options_say_what_is_next_to_a_clip(
    options: Mapping[str, object], names: tuple[str, ...]
) -> None:
    """In one order."""
    assert sidecars_of(options) == names


def test_only_a_clip_that_is_there_has_files_next_to_it() -> None:
    """Its report names them."""
    request = evolve(REQUEST, options=ClipOptions(previews=("sheet",), wall_clock="UTC"))
    assert ClipReport.available(request, Coverage()).sidecars == ("sheet.jpg", "vtt")
    assert ClipReport.available(REQUEST, Coverage()).sidecars == ()
    assert USUAL.previews == ()


def manifest(coverage: Coverage, *runs: FrameRun, paces: tuple[Pace, ...] = ()) -> Manifest:
    report = ClipReport.available(REQUEST, coverage)
    return Manifest(report, "w#1", proof=Proof(frames=runs) if runs else None, paces=paces)


GAP = Coverage(gaps=(TimeWindow(START_MS + 2500, START_MS + 6000),))
WRONG_CLOCK = Coverage(clock=Clock(0.5, -5000))
RUNS = (
    FrameRun("a", ENCODED, 2, START_MS + 40, START_MS + 2000),
    FrameRun("b", COPIED, 4, START_MS + 4000, START_MS + 10_000),
)


@pytest.mark.parametrize(
    ("found", "expected_ms"),
    [
        pytest.param(manifest(Coverage()), [0, 1000, 2000, 3000, 4000, 5000], id="no proof"),
        pytest.param(manifest(GAP), [0, 1000, 2000, 6500, 7500, 8500], id="a gap is skipped"),
        pytest.param(
            manifest(Coverage(), FrameRun("a", COPIED, 6, START_MS + 40, START_MS + 5000)),
            [40, 1000, 2000, 3000, 4000, 5000],
            id="the first frame is shown from 0 on, and was seen later",
        ),
        pytest.param(
            manifest(Coverage(), FrameRun("a", COPIED, 6, START_MS - 900, START_MS + 5000)),
            [-900, 1000, 2000, 3000, 4000, 5000],
            id="the first frame is held",
        ),
        pytest.param(
            manifest(Coverage(), FrameRun("a", COPIED, 5, START_MS + 40, START_MS + 5000)),
            [0, 1000, 2000, 3000, 4000, 5000],
            id="a proof of other frames",
        ),
        pytest.param(
            manifest(
                WRONG_CLOCK,
                paces=(Pace(0, START_MS, 0.5), Pace(4000, START_MS + 8000, 2.0)),
            ),
            [0, 2000, 4000, 6000, 8000, 8500],
            id="other paces",
        ),
        pytest.param(
            manifest(WRONG_CLOCK, *RUNS),
            [40, 2000, 4000, 6000, 8000, 10_000],
            id="a wrong clock that only the proof knows",
        ),
    ],
)
def test_each_frame_has_its_instant(found: Manifest, expected_ms: list[int]) -> None:
    """Rounded down to ms."""
    instant_ms = instants_of(found, TIMES, 10_000)
    assert [instant_ms(number) - START_MS for number in range(6)] == expected_ms


def test_instants_are_exact_but_for_a_tick() -> None:
    """A frame's time in the clip is rounded to ticks: what was lost is not a millisecond."""
    frames, since_ms, timescale = range(37, 300), 1233, 15_360
    times = [round((frame * 1000 / 30 - since_ms) * timescale / 1000) for frame in frames]
    instant_ms = instants_of(manifest(Coverage()), times, timescale)
    seen_ms = [instant_ms(number) - START_MS + since_ms for number in range(len(times))]
    assert seen_ms == [frame * 1000 // 30 for frame in frames]
