"""What a folder keeps of requests that were sent elsewhere."""

import itertools
import json
from pathlib import Path

import pytest
from attrs import evolve

from domain.clip import ClipName, ClipRequest
from domain.errors import Unavailable
from domain.options import ClipOptions
from infrastructure.folder.sent_requests import SentRequest, SentRequests
from infrastructure.formats.messages import message_body

REQUEST = ClipRequest("c1", "pier", 10**12, 10**12 + 1000)


def noted(root: Path, max_ended: int = 1000) -> SentRequests:
    """Return the folder's requests; the first one from now on is sent at 7 ms, the next at 8."""
    ticks = itertools.count(7)
    return SentRequests(root, max_ended, now_ms=lambda: next(ticks))


def ids(found: list[SentRequest]) -> list[str]:
    return [sent.request.clip_id for sent in found]


def test_another_process_knows_what_was_sent_and_what_has_ended(tmp_path: Path) -> None:
    """And when; the newest is first."""
    sent = noted(tmp_path)
    for clip_id in ("c1", "c2", "c3"):
        sent.add(evolve(REQUEST, clip_id=clip_id))
    sent.end(ClipName("pier", "c2"))
    for known in (sent, SentRequests(tmp_path)):
        assert ids(known.waiting()) == ["c3", "c1"]
        assert ids(known.ended()) == ["c2"]
        assert known.find(ClipName("pier", "c1")) == SentRequest(REQUEST, 7)
        assert known.find(ClipName("pier", "c9")) is None


def test_the_first_versions_files_are_read(tmp_path: Path) -> None:
    """As it wrote them: their folder, name and content never change their meaning."""
    body = (
        '{"clipId":"c-1","cameraId":"pier_2","startTimestampInMs":1777636800000,'
        '"endTimestampInMs":1777636810000,"retryTimestamps":[],"options":{"hevc":"h264"}}'
    )
    for folder, clip_id in (("waiting", "c-1"), ("ended", "c-2")):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / f"pier_2.{clip_id}.1777636811222.json"
        path.write_text(body.replace("c-1", clip_id))
    request = ClipRequest(
        "c-1", "pier_2", 1777636800000, 1777636810000, options=ClipOptions(hevc="h264")
    )
    known = SentRequests(tmp_path)
    assert known.waiting() == [SentRequest(request, 1777636811222)]
    ended = evolve(request, clip_id="c-2")
    assert known.ended() == [SentRequest(ended, 1777636811222, has_ended=True)]


def test_a_request_that_is_sent_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """It waits again, and has one file."""
    sent = noted(tmp_path)
    sent.add(REQUEST)
    sent.end(REQUEST.name)
    sent.end(REQUEST.name)
    sent.add(REQUEST)
    for known in (sent, SentRequests(tmp_path)):
        assert known.waiting() == [SentRequest(REQUEST, 8)]
        assert known.ended() == []
    assert [p.name for p in tmp_path.rglob("*.json")] == ["pier.c1.8.json"]


def test_the_oldest_that_have_ended_are_forgotten(tmp_path: Path) -> None:
    """Those that wait never are."""
    sent = noted(tmp_path, max_ended=2)
    for number in range(5):
        sent.add(evolve(REQUEST, clip_id=f"c{number}"))
    for number in range(4):
        sent.end(ClipName("pier", f"c{number}"))
    for known in (sent, SentRequests(tmp_path)):
        assert ids(known.waiting()) == ["c4"]
        assert ids(known.ended()) == ["c3", "c2"]


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    """Whatever their names say."""
    noted(tmp_path).add(REQUEST)
    body = json.dumps({"clipId": "c2", "cameraId": "pier"})
    for name in ("pier.c2.7.json", "pier.c3.7.json", "x.json", ".part"):
        (tmp_path / "waiting" / name).write_text(body)
    (tmp_path / "waiting/pier.c4.7.json").write_bytes(b"\xff")
    (tmp_path / "waiting/pier.c5.9.json").write_text(message_body(REQUEST))
    (tmp_path / "waiting/pier.c6.7.json").write_text("[]")
    assert SentRequests(tmp_path).waiting() == [SentRequest(REQUEST, 7)]
    assert len(list((tmp_path / "waiting").iterdir())) == 8


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Before any request is sent."""
    (tmp_path / "state").write_text("a file")
    with pytest.raises(Unavailable, match="state"):
        SentRequests(tmp_path / "state")
