"""A hostile name never reaches an address, a key or a path: every access is recorded."""

import pytest

from tests.integration.hostile.audited_service import NOW_MS, AuditedService
from tests.integration.hostile.bodies import BAD_IDS
from tests.integration.hostile.test_camera_answers import HOSTILE_URLS, NAME
from tests.support.service import clip_body

REQUEST = clip_body("c1", "pier", NOW_MS - 90_000, NOW_MS - 60_000)
EXISTING = ["HeadObject", "GetObject"]
"""The S3 calls that find an existing clip or manifest."""


@pytest.mark.parametrize("received", [1, 5])
@pytest.mark.parametrize("bad", BAD_IDS, ids=ascii)
def test_a_bad_clip_id_is_asked_of_nobody(
    world: AuditedService, bad: object, received: int
) -> None:
    """Given back, and not a single request, call, file or program, even on the last delivery."""
    assert world.deliver({**REQUEST, "clipId": bad}, received)
    assert world.http == []
    assert world.calls == []
    assert [file for file in world.files if ".py" not in file and "listdir" not in file] == []


@pytest.mark.parametrize("bad", BAD_IDS, ids=ascii)
def test_a_bad_camera_id_is_reported_and_not_used(world: AuditedService, bad: object) -> None:
    """One PUT and one notification, neither of which holds it; no S3, no file, no program."""
    assert not world.deliver({**REQUEST, "cameraId": bad})
    assert world.addresses == ["PUT /cameras/clips/c1"]
    assert world.operations == ["Publish"]
    assert b"cameraId" not in world.http[0][1].replace(b"cameraId is not 1 to 64", b"")
    assert "pier" not in world.calls[0][1]
    assert [file for file in world.files if ".py" not in file and "listdir" not in file] == []


def test_a_hyphen_in_front_is_a_name_like_any_other(world: AuditedService) -> None:
    """The pattern allows it: it stays one part of an address and of a key, and no option."""
    assert not world.deliver({**REQUEST, "clipId": "-i", "cameraId": "-y"})
    assert set(world.addresses) == {
        "GET /cameras/-y",
        "GET /cameras/recording/pier-alias",
        "PUT /cameras/clips/-i",
    }
    assert {path.split(" ")[0] for name, path in world.calls if name in EXISTING} == {
        "/hostile-clips/-y/-i.mp4",
        "/hostile-clips/-y/-i.json",
    }
    assert not [file for file in world.files if file.startswith("subprocess")]


ALIASES: dict[object, str | None] = {
    "../../x": "..%2F..%2Fx", "a/b": "a%2Fb", "%2e%2e": "%252e%252e", "a?b": "a%3Fb",
    "#": "%23", "-i": "-i",
    "%d": "%25d", "a\\b": "a%5Cb", "а": "%D0%B0",
    "a@b:c": "a%40b%3Ac", "a b": "a%20b", "{size}": "%7Bsize%7D",
    ".": None, "..": None, "a\0": None, "a\n": None, "a\r\nHost: x": None,
    "x" * 300: None, "": None,
    "\ud800": None, 7: None, None: None,
}  # fmt: skip


@pytest.mark.parametrize("alias", ALIASES, ids=ascii)
def test_an_alias_stays_one_part_of_an_address(world: AuditedService, alias: object) -> None:
    """Or is not used at all: the message is given back."""
    world.alias = alias
    failed = world.deliver(REQUEST)
    quoted = ALIASES[alias]
    listed = [f"GET /cameras/recording/{quoted}"] if quoted else []
    assert failed == (quoted is None)
    assert [a for a in world.addresses if a[:3] == "GET"] == ["GET /cameras/pier", *listed]
    assert all("hostile-clips/pier/c1." in path for name, path in world.calls if name in EXISTING)


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=ascii)
def test_a_recording_is_a_file_of_the_folder_or_nothing(world: AuditedService, url: object) -> None:
    """Whatever its address is: it is looked for in our bucket's folder, by its last part."""
    row = {"startDate": NOW_MS - 90_000, "endDate": NOW_MS - 50_000, "recordingUrl": url}
    world.rows = [row]
    world.deliver(REQUEST)
    assert {a for a in world.addresses if a[:3] == "GET"} == {
        "GET /cameras/pier",
        "GET /cameras/recording/pier-alias",
    }
    keys = [path.split(" ")[0] for name, path in world.calls if name == "GetObject"]
    for key in keys:
        folder, _, name = key.rpartition("/")
        assert (folder, name) == ("/hostile-clips/pier", "c1.json") or (
            folder == "/hostile-recordings/rewinds" and NAME.fullmatch(name) and name[:1] != "/"
        )
    assert not [file for file in world.files if file.startswith("subprocess")]
