"""What a camera has of a time, as a clip of it would have it."""

import pytest

from application.survey_footage import (
    Nearest,
    Stretch,
    Survey,
    coarsened,
    nearest,
    survey,
    survey_by_starts,
)
from domain.recording import RecordingSegment
from domain.window import TimeWindow

SEAM_MS = 1_000


def file(name: str, *stretches: tuple[int, int], interval_ms: float = 40) -> RecordingSegment:
    windows = tuple(TimeWindow(*bounds) for bounds in stretches)
    whole = TimeWindow(windows[0].start_ms, windows[-1].end_ms)
    return RecordingSegment(whole, name, stretches=windows, frame_interval_ms=interval_ms)


A, B, C = file("a", (0, 10_000)), file("b", (10_000, 20_000)), file("c", (30_000, 40_000))

SURVEYS = {
    "files that follow each other are one stretch": (
        (0, 20_000),
        [B, A],
        [(0, 20_000, 2)],
        [],
    ),
    "a hole up to the tolerance is no gap": (
        (0, 20_000),
        [A, file("b", (11_000, 20_000))],
        [(0, 20_000, 2)],
        [],
    ),
    "a longer one is": (
        (0, 20_000),
        [A, file("b", (11_001, 20_000))],
        [(0, 10_000, 1), (11_001, 20_000, 1)],
        [(10_000, 11_001)],
    ),
    "a slow camera's picture is held for longer": (
        (0, 20_000),
        [file("a", (0, 10_000), interval_ms=1000), file("b", (12_500, 20_000))],
        [(0, 20_000, 2)],
        [],
    ),
    "a gap within a file": (
        (0, 9_000),
        [file("a", (0, 3_000), (6_000, 9_000))],
        [(0, 3_000, 1), (6_000, 9_000, 1)],
        [(3_000, 6_000)],
    ),
    "another file covers it": (
        (0, 9_000),
        [file("a", (0, 3_000), (6_000, 9_000)), file("b", (2_000, 7_000))],
        [(0, 9_000, 2)],
        [],
    ),
    "a file within another, which goes on to the next": (
        (0, 30_000),
        [file("a", (0, 20_000)), file("b", (5_000, 6_000)), file("c", (20_500, 30_000))],
        [(0, 30_000, 3)],
        [],
    ),
    "a file that is listed twice counts once": ((0, 10_000), [A, A], [(0, 10_000, 1)], []),
    "only the window counts, and only its files": (
        (12_000, 31_000),
        [A, B, C],
        [(12_000, 20_000, 1), (30_000, 31_000, 1)],
        [(20_000, 30_000)],
    ),
    "a window between two joined files has footage": (
        (10_200, 10_400),
        [A, file("b", (11_000, 20_000))],
        [(10_200, 10_400, 0)],
        [],
    ),
    "nothing in a window": ((50_000, 60_000), [A], [], [(50_000, 60_000)]),
    "nothing at all": ((0, 10), [], [], [(0, 10)]),
}


@pytest.mark.parametrize("name", SURVEYS)
def test_stretches_and_gaps(name: str) -> None:
    """Each stretch with its bounds and its number of files."""
    bounds, files, stretches, gaps = SURVEYS[name]
    found = survey(TimeWindow(*bounds), files, SEAM_MS)
    assert [
        (each.window.start_ms, each.window.end_ms, each.files) for each in found.stretches
    ] == stretches
    assert [(gap.start_ms, gap.end_ms) for gap in found.gaps] == gaps


@pytest.mark.parametrize(
    ("files", "window", "gaps"),
    [
        ([A, C], (0, 40_000), [(10_000, 30_000)]),
        ([B], (10_000, 20_000), []),
        ([], (-9, 99), [(-9, 99)]),
    ],
)
def test_a_trimmed_survey_begins_and_ends_with_footage(
    files: list[RecordingSegment], window: tuple[int, int], gaps: list[tuple[int, int]]
) -> None:
    """If there is any."""
    found = survey(TimeWindow(-9, 99_999 if files else 99), files, SEAM_MS).trimmed
    assert (found.window.start_ms, found.window.end_ms) == window
    assert [(gap.start_ms, gap.end_ms) for gap in found.gaps] == gaps


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(0, 10), (20, 30), (60, 70), (90, 99)], Nearest(30, 60)),
        ([(20, 40)], Nearest(40, None)),
        ([(50, 70)], Nearest(None, 50)),
        ([], Nearest(None, None)),
    ],
)
def test_the_nearest_footage_is_named_on_both_sides(
    stretches: list[tuple[int, int]], expected: Nearest
) -> None:
    """Footage may touch the window, which is 40 to 50."""
    windows = [Stretch(TimeWindow(*bounds)) for bounds in stretches]
    assert nearest(TimeWindow(40, 50), windows) == expected


STARTS = {
    "each lasts until the next": ([0, 10, 20], [(0, 30, 3)]),
    "a missing file is a gap": ([0, 10, 20, 40, 50], [(0, 30, 3), (40, 60, 2)]),
    "a file that is a little longer is none": ([0, 10, 24, 34], [(0, 44, 4)]),
    "a single one is taken for an instant": ([5], [(5, 6, 1)]),
    "what is outside of the window is cut off": ([-20, -10, 0], [(0, 10, 3)]),
    "two files of one moment are one": ([0, 0, 10], [(0, 20, 2)]),
    "none": ([], []),
}


@pytest.mark.parametrize(("starts", "stretches"), STARTS.values(), ids=STARTS)
def test_names_alone_say_about_when_there_is_footage(
    starts: list[int], stretches: list[tuple[int, int, int]]
) -> None:
    """Gaps cover the rest."""
    window = TimeWindow(0, 100)
    found = survey_by_starts(window, starts)
    assert [(s.window.start_ms, s.window.end_ms, s.files) for s in found.stretches] == stretches
    assert list(found.gaps) == window.without(s.window for s in found.stretches)


COARSENED = {
    "a gap of a pixel stays": (
        10,
        [(0, 10, 1), (20, 30, 2), (35, 90, 3)],
        [(0, 10, 1), (20, 90, 5)],
    ),
    "a shorter one does not": (11, [(0, 10, 1), (20, 30, 2), (35, 90, 3)], [(0, 90, 6)]),
    "none": (10, [], []),
}


@pytest.mark.parametrize(("resolution", "fine", "coarse"), COARSENED.values(), ids=COARSENED)
def test_what_is_narrower_than_a_pixel_is_left_out(
    resolution: int, fine: list[tuple[int, int, int]], coarse: list[tuple[int, int, int]]
) -> None:
    """Stretches are joined over it."""
    window = TimeWindow(0, 100)
    stretches = tuple(Stretch(TimeWindow(start, end), files) for start, end, files in fine)
    found = coarsened(Survey(window, stretches), resolution)
    assert [(s.window.start_ms, s.window.end_ms, s.files) for s in found.stretches] == coarse
    assert list(found.gaps) == window.without(s.window for s in found.stretches)
