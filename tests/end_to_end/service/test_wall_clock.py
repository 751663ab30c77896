"""A message that chooses the wall clock, through the deployed handler."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devtools.footage import Recording, assert_clip, read_clip, wanted
from tests.support.clock_text import chapters_of, cues_of
from tests.support.service import World

FIRST = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
LATER = Recording(first_number=90, frames=90, gop_frames=30, size=(160, 90), start_ms=8_000)
KOLKATA = ZoneInfo("Asia/Kolkata")


def test_the_clip_has_the_wall_clock(world: World, tmp_path: Path) -> None:
    """With a gap: its frames are exact, and each second is named; report and manifest say so."""
    names = [world.record(recording) for recording in (FIRST, LATER)]
    body = world.body(1_500, 9_250, options={"wallClock": "Asia/Kolkata"})
    assert world.handle(world.message(body)) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
    clip = world.download(tmp_path)
    assert_clip(read_clip(clip), wanted([FIRST, LATER], 1_500, 9_250))

    def local(after_s: int) -> str:
        moment = datetime.fromtimestamp(world.moment_ms // 1000, UTC) + timedelta(seconds=after_s)
        return f"{moment.astimezone(KOLKATA):%Y-%m-%d %H:%M:%S} +05:30"

    assert cues_of(clip) == [
        (0, 500, local(1)),
        (500, 1500, local(2)),
        (1500, 2500, local(8)),
        (2500, 2750, local(9)),
    ]
    assert chapters_of(clip) == [
        (0, f"{local(1)} {names[0]}"),
        (1500, f"{local(8)} {names[1]}, after 5.0 s without footage"),
    ]
    manifest = json.loads(world.stored()[f"{world.key}.json"]["Body"].read())
    for report in (*world.reports(), manifest["report"]):
        assert report["options"] == {"wallClock": "Asia/Kolkata"}


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "../../etc/localtime"])
def test_an_unknown_zone_is_fatal_at_once(world: World, zone: str) -> None:
    """Though the footage is not stored yet; the reason does not quote it."""
    assert world.handle(world.message(world.body(0, 2_000, options={"wallClock": zone}))) == []
    assert world.statuses() == ["FATAL_ERROR"]
    (report,) = world.reports()
    expected = 'a time zone of tzdata like "Europe/Madrid" or null'
    assert report["reason"] == f"options.wallClock must be {expected}."
