"""Patterns of paths: what fits them, and what they say."""

from datetime import datetime, timedelta

import pytest

from infrastructure.layouts.pattern import InvalidPattern, PlacedFile, parse_pattern
from infrastructure.layouts.wall_clock import Stamp

NOON = datetime(2026, 5, 1, 12, 0, 10)  # noqa: DTZ001 - as a path holds it


def placed(camera: str | None, offset: timedelta | None = None, **more: int) -> PlacedFile:
    return PlacedFile(camera, Stamp(NOON.replace(**more), offset))  # type: ignore[arg-type] # of a date


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("{camera}/%Y-%m-%d_%H-%M-%S", "pier/2026-05-01_12-00-10.mp4", placed("pier")),
        ("%path/%Y-%m-%d_%H-%M-%S.mp4", "pier/2026-05-01_12-00-10.MP4", placed("pier")),
        ("{camera}/%F_%H-%M-%S", "a/b/c/2026-05-01_12-00-10.mov", placed("a/b/c")),
        ("{camera}/%F_%H-%M-%S", "a/b/c/d/2026-05-01_12-00-10.mov", None),
        ("{camera}/%F_%H-%M-%S", "2026-05-01_12-00-10.mov", None),
        ("%Y-%m-%d/%H/{camera}/%M.%S", "2026-05-01/12/pier/00.10.mp4", placed("pier")),
        ("%Y-%m-%d/%H/{camera}/%M.%S", "2026-05-01/12/cams/pier/00.10.mp4", placed("cams/pier")),
        ("%Y%m%d_%H%M%S", "20260501_120010.m4v", placed(None)),
        ("%Y%m%d_%H%M", "20260501_1200.mp4", placed(None, second=0)),
        ("{camera}_%Y%m%d%H%M%S", "pier_1_20260501120010.mp4", placed("pier_1")),
        ("{camera}/{camera}_%Y%m%d%H%M%S", "pier/pier_20260501120010.mp4", placed("pier")),
        ("{camera}/{camera}_%Y%m%d%H%M%S", "pier/mole_20260501120010.mp4", None),
        ("%Y-%m-%d/%Y%m%d%H%M%S", "2026-05-01/20260501120010.mp4", placed(None)),
        ("%Y-%m-%d/%Y%m%d%H%M%S", "2026-05-02/20260501120010.mp4", None),
        ("%Y%m%d%H%M%S-%f", "20260501120010-250000.mp4", placed(None, microsecond=250_000)),
        ("%Y%m%d%H%M%S%f", "20260501120010051.mp4", placed(None, microsecond=51_000)),
        ("%Y%m%d%H%M%S[%f]", "20260501120010.mp4", placed(None)),
        ("%Y%m%d%H%M%S%z", "20260501120010+0200.mp4", placed(None, timedelta(hours=2))),
        ("%Y%m%d%H%M%S%z", "20260501120010-05:30.mp4", placed(None, -timedelta(hours=5.5))),
        ("%Y%m%d%H%M%S%z", "20260501120010Z.mp4", placed(None, timedelta(0))),
        ("{camera}/%s", "pier/1777636810.mp4", placed("pier", timedelta(0))),
        ("%Y%m%d_%H%M%S_?{camera}", "20260501_120010_NF.mp4", placed("F")),
        ("{camera}/*%H%M%S*%Y%m%d", "pier/at_120010_on_20260501.mp4", placed("pier")),
        ("100%%/%Y%m%d%H%M%S", "100%/20260501120010.mp4", placed(None)),
        ("a.b+c/%Y%m%d%H%M%S", "a.b+c/20260501120010.mp4", placed(None)),
        ("a.b+c/%Y%m%d%H%M%S", "aXbbc/20260501120010.mp4", None),
        ("%Y%m%d%H%M%S", "20260231120010.mp4", None),
        ("%Y%m%d%H%M%S", "20260501250010.mp4", None),
        ("{camera}/%Y%m%d%H%M%S", ".hidden/20260501120010.mp4", None),
        ("{camera}/%Y%m%d%H%M%S", "pier/20260501120010_holiday.mp4", None),
    ],
)
def test_a_path_says_whose_it_is_and_when_it_starts(
    pattern: str, path: str, expected: PlacedFile | None
) -> None:
    """Or it does not fit."""
    assert parse_pattern(pattern).place(path) == expected


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("{camera}/%Y%m%d", "lacks %H %M"),
        ("{camera}/holiday", "lacks %Y"),
        ("%Q%Y%m%d%H%M%S", "has %Q, which is unknown"),
        ("%Y%m%d%H%M%S%", "has %, which is unknown"),
        ("/dvr/%Y%m%d%H%M%S", "is no relative path"),
        ("../%Y%m%d%H%M%S", "is no relative path"),
        ("", "is no relative path"),
        ("[%Y%m%d%H%M%S", "lacks a ]"),
        ("%Y%m%d%H%M%S]", "has a ] too many"),
        ("[[%Y]%m%d%H%M%S]", "has a [ too many"),
        ("{camera}/{camera}/%Y%m%d%H%M%S", "has two folders {camera}"),
    ],
)
def test_a_text_that_is_no_pattern_is_explained(pattern: str, fault: str) -> None:
    """The message names the text and the fault."""
    with pytest.raises(InvalidPattern) as caught:
        parse_pattern(pattern)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "camera", "path", "fits"),
    [
        ("{camera}/%Y%m%d%H%M%S", "a/b", "a/b/20260501120010.mp4", True),
        ("{camera}/%Y%m%d%H%M%S", "a", "a/b/20260501120010.mp4", False),
        ("{camera}_%Y%m%d%H%M%S", "a+", "a+_20260501120010.mp4", True),
        ("{camera}_%Y%m%d%H%M%S", "100%", "100%_20260501120010.mp4", True),
        ("{camera}_%Y%m%d%H%M%S", "pier", "mole_20260501120010.mp4", False),
    ],
)
def test_one_cameras_pattern_fits_its_files_only(
    pattern: str, camera: str, path: str, *, fits: bool
) -> None:
    """Its name is literal text."""
    assert (parse_pattern(pattern).of_camera(camera).place(path) is not None) is fits
