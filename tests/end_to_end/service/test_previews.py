"""A message that chooses previews, through the deployed handler."""

import hashlib
import json
from pathlib import Path

import pytest

from devtools.footage import Recording, assert_clip, read_clip, wanted
from tests.support.previews import gray, sprite_cues
from tests.support.service import World

FIRST = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
LATER = Recording(first_number=90, frames=90, gop_frames=30, size=(160, 90), start_ms=8_000)
NAMES = ("sheet.jpg", "sprite.jpg", "sprite.vtt", "vtt")
OPTIONS = {"previews": ["sprite", "sheet"], "wallClock": "Asia/Kolkata"}


def test_previews_are_stored_next_to_the_clip(world: World, tmp_path: Path) -> None:
    """Over a gap: each picture is the clip's; report, notification and manifest name them."""
    for recording in (FIRST, LATER):
        world.record(recording)
    assert world.handle(world.message(world.body(1_500, 9_250, options=OPTIONS))) == []
    clip = world.download(tmp_path)
    reading, expected = read_clip(clip), wanted([FIRST, LATER], 1_500, 9_250)
    assert_clip(reading, expected)
    stored = world.stored()
    manifest = json.loads(stored[f"{world.key}.json"]["Body"].read())
    hashes = {each["name"]: each["sha256"] for each in manifest["proof"]["sidecars"]}
    assert tuple(hashes) == NAMES
    files = {name: stored[f"{world.key}.{name}"]["Body"].read() for name in NAMES}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == hashes
    types = [stored[f"{world.key}.{name}"]["ContentType"] for name in NAMES]
    assert types == ["image/jpeg"] * 2 + ["text/vtt; charset=utf-8"] * 2
    (report,) = world.reports()
    assert [each["name"] for each in report["sidecars"]] == list(NAMES)
    assert [each["key"] for each in report["sidecars"]] == [f"/{world.key}.{n}" for n in NAMES]
    (tmp_path / "sprite.jpg").write_bytes(files["sprite.jpg"])
    image = gray(tmp_path / "sprite.jpg")
    cues = sprite_cues(files["sprite.vtt"].decode())
    shown = dict(zip(map(round, reading.times_ms), expected.numbers, strict=True))
    for cue in cues:
        number = image.number_in(cue.box)
        assert number == shown[cue.start_ms]
        taken_ms = number * 1000 / 30 if number < 90 else 8_000 + (number - 90) * 1000 / 30
        assert cue.seen_ms == int(world.moment_ms + taken_ms + 0.05)


def test_a_clip_without_options_has_no_more_objects_than_before(world: World) -> None:
    """And its report no more members."""
    world.record(FIRST)
    assert world.handle(world.message(world.body(0, 2_000))) == []
    assert not any(key.endswith((".vtt", "sheet.jpg", "sprite.jpg")) for key in world.stored())
    (report,) = world.reports()
    assert "sidecars" not in report
    manifest = json.loads(world.stored()[f"{world.key}.json"]["Body"].read())
    assert "sidecars" not in manifest["proof"]


@pytest.mark.parametrize("previews", ["strip", ["strip"]])
def test_an_unknown_preview_is_fatal_at_once(world: World, previews: object) -> None:
    """Though the footage is not stored yet."""
    body = world.body(0, 2_000, options={"previews": previews})
    assert world.handle(world.message(body)) == []
    assert world.statuses() == ["FATAL_ERROR"]
    (report,) = world.reports()
    assert report["reason"] == 'options.previews must be an array of "sheet" or "sprite".'
