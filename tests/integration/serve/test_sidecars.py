"""The files next to a clip by HTTP: contact sheet, sprite and its index, the stored wall clock."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

import pytest

from devtools.footage import Recording
from tests.support.previews import gray, sprite_cues
from tests.support.recorders import START_MS
from tests.support.served import Served

CLIP = "/api/v1/clips/pier/c1"
ALL = {"previews": ["sprite", "sheet"], "wallClock": "Europe/Madrid"}
NAMES = ("sheet.jpg", "sprite.jpg", "sprite.vtt", "wall-clock.vtt")
FROM_MS, TO_MS = START_MS + 8_500, START_MS + 12_250


def requested(server: Served, options: Mapping[str, object], clip_id: str = "c1") -> None:
    bounds = {"startTimestampInMs": FROM_MS, "endTimestampInMs": TO_MS}
    body = {"cameraId": "pier", "clipId": clip_id, **bounds, "options": options}
    assert server.post("/api/v1/clips", body).status_code == 202
    server.wait_for(f"/api/v1/clips/pier/{clip_id}")


def test_each_is_at_the_address_that_the_report_names(server: Served, tmp_path: Path) -> None:
    """With its type, its hash in the proof; the same again is not sent again."""
    requested(server, ALL)
    report = server.get(CLIP).json()
    assert report["options"] == {"previews": ["sheet", "sprite"], "wallClock": "Europe/Madrid"}
    assert [each["url"] for each in report["sidecars"]] == [f"{CLIP}/{name}" for name in NAMES]
    hashes = {each["name"]: each["sha256"] for each in report["proof"]["sidecars"]}
    types = ("image/jpeg", "image/jpeg", "text/vtt; charset=utf-8", "text/vtt; charset=utf-8")
    for sidecar, kind in zip(report["sidecars"], types, strict=True):
        found = server.get(sidecar["url"])
        assert (found.status_code, found.headers["content-type"]) == (200, kind)
        assert found.headers["cache-control"] == "private, no-cache"
        stored = (tmp_path / "clips" / sidecar["key"].lstrip("/")).read_bytes()
        assert hashlib.sha256(stored).hexdigest() == hashes[sidecar["name"]]
        if sidecar["name"] != "sprite.vtt":
            assert found.content == stored
        again = server.get(sidecar["url"], headers={"If-None-Match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = server.get(sidecar["url"], headers={"If-None-Match": '"another"'})
        assert other.content == found.content


def test_a_thumbnail_is_not_sent_again_either(server: Served) -> None:
    """If the client has it."""
    requested(server, {})
    found = server.get(f"{CLIP}/thumbnails/160")
    headers = {"If-None-Match": found.headers["etag"]}
    assert server.get(f"{CLIP}/thumbnails/160", headers=headers).status_code == 304


def test_the_index_names_the_sprite_where_it_is(
    server: Served, dvr: tuple[Path, list[Recording]], tmp_path: Path
) -> None:
    """In the folder and by HTTP; each picture is of the instant of its cue."""
    requested(server, ALL)
    text = server.get(f"{CLIP}/sprite.vtt").text
    cues = sprite_cues(text)
    assert cues[0].start_ms == 0
    assert cues[-1].end_ms == TO_MS - FROM_MS
    assert {urljoin(f"{CLIP}/sprite.vtt", cue.image) for cue in cues} == {f"{CLIP}/sprite.jpg"}
    path = tmp_path / "sprite.jpg"
    path.write_bytes(server.get(f"{CLIP}/sprite.jpg").content)
    image = gray(path)
    for cue in cues:
        number = image.number_in(cue.box)
        recording = next(r for r in dvr[1] if number in r.numbers)
        taken_ms = recording.start_ms + recording.times_ms[number - recording.first_number]
        assert 0 <= float(taken_ms) - cue.seen_ms < 1
        assert cue.seen.isoformat(timespec="milliseconds").endswith("+02:00")
    stored = (tmp_path / "clips/pier/c1.sprite.vtt").read_text()
    assert stored.replace("c1.sprite.jpg", "sprite.jpg") == text


def test_a_stored_wall_clock_is_what_an_older_clip_would_get(
    server: Served, tmp_path: Path
) -> None:
    """It is made of the clip's own text where no file is stored."""
    requested(server, ALL)
    found = server.get(f"{CLIP}/wall-clock.vtt")
    path = tmp_path / "clips/pier/c1.vtt"
    assert found.content == path.read_bytes()
    path.unlink()
    older = server.get(f"{CLIP}/wall-clock.vtt")
    assert (older.status_code, older.content) == (200, found.content)
    assert older.headers["etag"] == found.headers["etag"]


def test_a_clip_without_them_has_none(server: Served) -> None:
    """The answer says how to get them; nothing is next to the clip."""
    requested(server, {})
    assert "sidecars" not in server.get(CLIP).json()
    for name, option in (("sheet.jpg", "previews"), ("sprite.jpg", "previews")):
        found = server.get(f"{CLIP}/{name}")
        assert (found.status_code, found.json()["type"]) == (404, "/api#not-found")
        assert f"options.{option}" in found.json()["detail"]
    assert server.get(f"{CLIP}/sprite.vtt").status_code == 404


def test_they_are_deleted_with_their_clip(server: Served, tmp_path: Path) -> None:
    """And those of no other."""
    requested(server, ALL)
    requested(server, ALL, "c1_sprite")
    assert server.delete(CLIP).status_code == 204
    left = sorted(path.name for path in (tmp_path / "clips/pier").iterdir())
    assert [name for name in left if name.startswith("c1.")] == ["c1.json"]
    assert {
        f"c1_sprite.{name}" for name in ("sheet.jpg", "sprite.jpg", "sprite.vtt", "vtt")
    } <= set(left)
    for name in NAMES:
        assert server.get(f"{CLIP}/{name}").status_code == 410
        assert server.get(f"/api/v1/clips/pier/c1_sprite/{name}").status_code == 200
        assert server.get(f"/api/v1/clips/pier/c2/{name}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/clips/pier/../sheet.jpg",
        "/api/v1/clips/pier/%2e%2e/sheet.jpg",
        "/api/v1/clips/pier/c1%2Fc1/sprite.vtt",
        "/api/v1/clips/pier/c1.sheet/sheet.jpg",
        f"/api/v1/clips/pier/{'c' * 65}/sheet.jpg",
        "/api/v1/clips/pier/c1/sheet.png",
        "/api/v1/clips/pier/c1/vtt",
        "/api/v1/clips/pier/c1/c1.sheet.jpg",
    ],
)
def test_hostile_ids_reach_nothing(server: Served, tmp_path: Path, path: str) -> None:
    """Only ids are part of a file's name."""
    requested(server, ALL)
    secret = tmp_path / "clips" / "sheet.jpg"
    secret.write_bytes(b"secret")
    found = server.get(path)
    assert found.status_code == 404
    assert b"secret" not in found.content
    assert server.get(f"{CLIP}/sheet.jpg?width=1").status_code == 400


@pytest.mark.parametrize("previews", ["sheet", ["Sheet"], [["sheet"]], None, {}])
def test_no_such_preview_is_refused_at_once(server: Served, previews: object) -> None:
    """Nothing is queued."""
    bounds = {"startTimestampInMs": FROM_MS, "endTimestampInMs": TO_MS}
    body = {"cameraId": "pier", "clipId": "c1", **bounds, "options": {"previews": previews}}
    answer = server.post("/api/v1/clips", body)
    assert answer.status_code == 400
    expected = 'options.previews must be an array of "sheet" or "sprite".'
    assert answer.json()["detail"] == expected
    assert server.get(CLIP).status_code == 404


def test_the_page_of_a_clip_shows_them(server: Served) -> None:
    """Without scripts, the sheet; a clip without previews has neither."""
    requested(server, ALL)
    page = server.get("/clips/pier/c1").text
    assert f'href="{CLIP}/sheet.jpg"' in page
    assert f'data-sprite="{CLIP}/sprite.vtt"' in page
    requested(server, {}, "c2")
    page = server.get("/clips/pier/c2").text
    assert "sheet.jpg" not in page
    assert "data-sprite" not in page
