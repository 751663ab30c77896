"""Messages that choose what becomes of gaps, through the deployed handler."""

import json
from pathlib import Path
from typing import Any

import pytest

from devtools.footage import Recording, read_clip, wanted
from tests.support.service import World

FIRST = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
LATER = Recording(first_number=90, frames=90, gop_frames=30, size=(160, 90), start_ms=8_000)


@pytest.mark.parametrize("kind", ["hold", "black", "slate"])
def test_the_clip_is_as_long_as_its_window(world: World, tmp_path: Path, kind: str) -> None:
    """Every frame is there, and five of filler; report and manifest say so."""
    for recording in (FIRST, LATER):
        world.record(recording)
    body = world.body(1_500, 9_250, options={"gaps": kind})
    assert world.handle(world.message(body)) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
    reading = read_clip(world.download(tmp_path))
    assert reading.messages == ""
    assert reading.duration_ms == pytest.approx(7_750, abs=10)
    own = wanted([FIRST, LATER], 1_500, 9_250)
    shown = zip(reading.numbers, reading.times_ms, strict=True)
    frames = [number for number, ms in shown if not 1_499 < ms < 6_499]
    assert frames == own.numbers
    assert len(reading.numbers) == len(own.numbers) + 5
    manifest = json.loads(world.stored()[f"{world.key}.json"]["Body"].read())
    for report in (*world.reports(), manifest["report"]):
        assert report["options"] == {"gaps": kind}
        assert "There is no footage of 5 s of the clip: it shows " in report["reason"]
        assert len(report["coverage"]["gaps"]) == 1
    for report in world.reports():
        assert report["coverage"]["deliveredInMs"] == 2_750
        assert report["coverage"]["complete"] is False
    origins: list[dict[str, Any]] = manifest["proof"]["frames"]
    assert [run["frames"] for run in origins if run["origin"] == "filler"] == [5]


def test_a_clip_with_gaps_may_be_unwanted(world: World) -> None:
    """Its request ends without one; the reason names the gap."""
    for recording in (FIRST, LATER):
        world.record(recording)
    assert world.handle(world.message(world.body(1_500, 9_250, options={"gaps": "fail"}))) == []
    assert world.statuses() == ["CLIP_NOT_AVAILABLE"]
    (report,) = world.reports()
    assert "its request wants no clip with gaps: " in report["reason"]


def test_a_clip_without_gaps_is_made_whatever_is_chosen(world: World) -> None:
    """Nothing is missing."""
    world.record(FIRST)
    assert world.handle(world.message(world.body(500, 2_500, options={"gaps": "fail"}))) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
