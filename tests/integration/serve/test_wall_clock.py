"""The wall clock of a clip, as a browser shows it."""

import pytest

from tests.support.recorders import START_MS
from tests.support.served import Served

CLIP = "/api/v1/clips/pier/c1"


def requested(server: Served, options: dict[str, str]) -> None:
    bounds = {"startTimestampInMs": START_MS + 8_500, "endTimestampInMs": START_MS + 10_250}
    body = {"cameraId": "pier", "clipId": "c1", **bounds, "options": options}
    assert server.post("/api/v1/clips", body).status_code == 202
    server.wait_for(CLIP)


def test_it_is_the_clips_own_text(server: Served) -> None:
    """As WebVTT; the clip's report says that it was chosen."""
    requested(server, {"wallClock": "Europe/Madrid"})
    answer = server.get(f"{CLIP}/wall-clock.vtt")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.text == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:00.500\n2026-05-01 13:59:58 +02:00\n\n"
        "00:00:00.500 --> 00:00:01.500\n2026-05-01 13:59:59 +02:00\n\n"
        "00:00:01.500 --> 00:00:01.750\n2026-05-01 14:00:00 +02:00\n"
    )
    assert server.get(CLIP).json()["options"] == {"wallClock": "Europe/Madrid"}


def test_a_clip_without_text_has_none(server: Served) -> None:
    """The answer says how to get some; a deleted clip and an unknown one have none either."""
    requested(server, {})
    answer = server.get(f"{CLIP}/wall-clock.vtt")
    assert answer.status_code == 404
    assert "options.wallClock" in answer.json()["detail"]
    assert server.delete(CLIP).status_code == 204
    assert server.get(f"{CLIP}/wall-clock.vtt").status_code == 410
    assert server.get("/api/v1/clips/pier/c2/wall-clock.vtt").status_code == 404


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "", "../UTC"])
def test_an_unknown_zone_is_refused_at_once(server: Served, zone: str) -> None:
    """Nothing is queued."""
    bounds = {"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 500}
    body = {"cameraId": "pier", "clipId": "c1", **bounds, "options": {"wallClock": zone}}
    answer = server.post("/api/v1/clips", body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("options.wallClock must be a time zone")
    assert server.get(CLIP).status_code == 404
