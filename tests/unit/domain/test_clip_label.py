"""How a clip names itself."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from string import ascii_letters, digits
from zoneinfo import ZoneInfo

import pytest

from domain.clip import ClipName
from domain.clip_label import ClipLabel
from domain.window import TimeWindow

MADRID = ZoneInfo("Europe/Madrid")
HALF_HOURS = timezone(timedelta(hours=-2, minutes=-30))


def label(start: str, end: str, zone: tzinfo, camera_id: str = "pier") -> ClipLabel:
    bounds = (round(datetime.fromisoformat(text).timestamp() * 1000) for text in (start, end))
    return ClipLabel(ClipName(camera_id, "clip-1"), TimeWindow(*bounds), zone)


@pytest.mark.parametrize(
    ("start", "end", "zone", "title", "file_name"),
    [
        pytest.param(
            "2026-05-01T12:00:10.250Z",
            "2026-05-01T12:00:31Z",
            UTC,
            "pier 2026-05-01 12:00:10.250 to 12:00:31.000 (UTC)",
            "pier_2026-05-01_12-00-10.250Z.mp4",
            id="in UTC",
        ),
        pytest.param(
            "1971-05-01T12:00:10.250Z",
            "1971-05-01T12:00:31Z",
            ZoneInfo("Africa/Monrovia"),
            "pier 1971-05-01 11:15:40.250 to 11:16:01.000 (-00:44:30)",
            "pier_1971-05-01_11-15-40.250-004430.mp4",
            id="at an offset with seconds",
        ),
        pytest.param(
            "2026-05-01T12:00:10.250Z",
            "2026-05-01T12:00:31Z",
            MADRID,
            "pier 2026-05-01 14:00:10.250 to 14:00:31.000 (+02:00)",
            "pier_2026-05-01_14-00-10.250+0200.mp4",
            id="in a zone",
        ),
        pytest.param(
            "2026-05-01T21:59:59.999Z",
            "2026-05-01T22:00:01Z",
            MADRID,
            "pier 2026-05-01 23:59:59.999 to 2026-05-02 00:00:01.000 (+02:00)",
            "pier_2026-05-01_23-59-59.999+0200.mp4",
            id="across midnight",
        ),
        pytest.param(
            "2026-03-29T00:59:50Z",
            "2026-03-29T01:00:10Z",
            MADRID,
            "pier 2026-03-29 01:59:50.000 (+01:00) to 2026-03-29 03:00:10.000 (+02:00)",
            "pier_2026-03-29_01-59-50.000+0100.mp4",
            id="across the clock put forward",
        ),
        pytest.param(
            "2026-10-25T00:59:50Z",
            "2026-10-25T01:00:10Z",
            MADRID,
            "pier 2026-10-25 02:59:50.000 (+02:00) to 2026-10-25 02:00:10.000 (+01:00)",
            "pier_2026-10-25_02-59-50.000+0200.mp4",
            id="across the clock put back",
        ),
        pytest.param(
            "2026-05-01T01:00:00Z",
            "2026-05-01T01:00:01Z",
            HALF_HOURS,
            "pier 2026-04-30 22:30:00.000 to 22:30:01.000 (-02:30)",
            "pier_2026-04-30_22-30-00.000-0230.mp4",
            id="west of UTC",
        ),
    ],
)
def test_a_clip_names_its_camera_and_its_window(
    start: str, end: str, zone: tzinfo, title: str, file_name: str
) -> None:
    """In a zone, whose offset is always there."""
    named = label(start, end, zone)
    assert named.title == title
    assert named.file_name == file_name


def test_a_file_name_has_no_character_that_means_something_elsewhere() -> None:
    """Neither in a header nor on a file system, whatever the camera's id."""
    every_character = f"{ascii_letters}{digits}-_"
    named = label("2026-05-01T12:00:10.250Z", "2026-05-01T12:00:31Z", MADRID, every_character)
    assert set(named.file_name) <= set(f"{ascii_letters}{digits}-_.+")
    for hostile in ('"; filename="x', "a\r\nb", "../a", "c\N{LATIN SMALL LETTER E WITH ACUTE}"):
        with pytest.raises(ValueError, match="camera_id"):
            label("2026-05-01T12:00:10Z", "2026-05-01T12:00:31Z", MADRID, hostile)
