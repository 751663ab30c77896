"""A clip by HTTP: requested, followed, fetched, deleted; and whose requests survive."""

import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest
import requests
from attrs import evolve

from devtools.footage import Recording, assert_clip, read_clip, wanted
from domain.clip import ClipName, ClipRequest
from entrypoints.serve.known_clip import Phase
from infrastructure.formats.messages import message_body
from tests.support.recorders import START_MS
from tests.support.served import Served, served

CLIPS = "/api/v1/clips"
BOUNDS = START_MS + 8345, START_MS + 12_345
WINDOW = {"startTimestampInMs": BOUNDS[0], "endTimestampInMs": BOUNDS[1]}
BODY = {"cameraId": "pier", "clipId": "c1", **WINDOW}
CLIP = f"{CLIPS}/pier/c1"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class TestAClip:
    """From the request to the last byte."""

    def test_a_clip_that_was_requested_and_fetched_in_ranges_is_exact(
        self, server: Served, dvr: tuple[Path, list[Recording]], tmp_path: Path
    ) -> None:
        """Events say when it is done; every frame is the one seen at its time."""
        with server.events() as events:
            asked = server.post(CLIPS, BODY)
            names = []
            for name, clip in events:
                names.append(name)
                assert (clip["cameraId"], clip["clipId"], clip["state"]) == ("pier", "c1", name)
                if name == "done":
                    break
        assert asked.status_code == 202
        assert asked.headers["location"] == CLIP
        assert asked.json()["status"] == "CLIP_PENDING"
        order = list(dict.fromkeys(names))
        assert order == ["waiting", "reading", "encoding", "storing", "done"]
        report = server.get(CLIP).json()
        assert report["status"] == "CLIP_AVAILABLE"
        assert report.pop("proof")
        assert report.pop("sources")
        assert report == clip | {"changedTimestampInMs": report["changedTimestampInMs"]}
        data, size = b"", 1
        while len(data) < size:
            wanted_range = f"bytes={len(data)}-{len(data) + 99_999}"
            part = server.get(report["clip"]["url"], headers={"Range": wanted_range})
            assert part.status_code == 206
            size = int(part.headers["content-range"].rpartition("/")[2])
            data += part.content
        path = tmp_path / "fetched.mp4"
        path.write_bytes(data)
        assert_clip(read_clip(path), wanted(dvr[1], *BOUNDS))

    def test_a_clip_has_a_name_to_download_and_a_thumbnail(self, server: Served) -> None:
        """The name is its camera and its start; the thumbnail one of the report's widths."""
        server.post(CLIPS, BODY)
        report = server.wait_for(CLIP)
        played = server.get(f"{CLIP}/video")
        name = 'filename="pier_2026-05-01_11-59-58.345Z.mp4"'
        assert played.headers["content-disposition"] == f"inline; {name}"
        assert played.headers["content-type"] == "video/mp4"
        stored = server.get(f"{CLIP}/video?download=true")
        assert stored.headers["content-disposition"] == f"attachment; {name}"
        assert report["thumbnail"]["sizes"] == [160]
        thumbnail = server.get(report["thumbnail"]["url"].replace("{size}", "160"))
        assert thumbnail.content[:2] == b"\xff\xd8"
        for file in (played, thumbnail):
            known = {"If-None-Match": file.headers["etag"], "Range": "bytes=0-1"}
            again = server.get(file.url.removeprefix(server.url), headers=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == file.headers["etag"]
        assert server.get(f"{CLIP}/thumbnails/161").status_code == 404
        assert server.get(f"{CLIP}/video", headers={"Range": "bytes=1-x"}).status_code == 416
        beyond = server.get(f"{CLIP}/video", headers={"Range": "bytes=999999999-"})
        assert beyond.status_code == 416
        assert beyond.headers["content-type"] == "application/problem+json"

    def test_a_clip_has_the_proof_of_its_manifest(self, server: Served, tmp_path: Path) -> None:
        """It is of the bytes that are fetched; lists of clips do without it."""
        server.post(CLIPS, BODY)
        report = server.wait_for(CLIP)
        data = server.get(report["clip"]["url"]).content
        (manifest,) = tmp_path.glob("**/pier/c1.json")
        written = json.loads(manifest.read_bytes())
        found = server.get(CLIP).json()
        assert (found["proof"], found["sources"]) == (written["proof"], written["sources"])
        header = found["proof"]["own"][0]
        assert header["sha256"] == sha256(data[: header["length"]]).hexdigest()
        assert "proof" not in server.get(CLIPS).json()["clips"][0]

    def test_the_same_request_is_one_clip(self, server: Served) -> None:
        """Queued once, then answered from its report; another window has no right to its id."""
        first, second = server.post(CLIPS, BODY), server.post(CLIPS, BODY)
        assert {first.status_code, second.status_code} <= {200, 202}
        server.wait_for(CLIP)
        again = server.post(CLIPS, BODY)
        assert (again.status_code, again.json()["status"]) == (200, "CLIP_AVAILABLE")
        lines = server.session.root.joinpath("notifications.jsonl").read_text()
        assert len(lines.splitlines()) == 1
        other = server.post(CLIPS, {**BODY, "endTimestampInMs": START_MS + 12_000})
        assert (other.status_code, other.json()["type"]) == (409, "/api#name-taken")

    def test_without_an_id_the_window_is_the_id(self, server: Served) -> None:
        """So the same window is the same clip."""
        body = {"cameraId": "pier", **WINDOW}
        one, other = server.post(CLIPS, body), server.post(CLIPS, body)
        assert one.headers["location"] == other.headers["location"]
        assert one.json()["clipId"] == "20260501T115958345-4000ms"
        server.wait_for(one.headers["location"])

    def test_the_list_has_what_waits_before_what_is_done(self, server: Served) -> None:
        """Of one camera, or of all; the newest first."""
        for clip_id in ("c1", "c2"):
            server.post(CLIPS, {**BODY, "clipId": clip_id})
            server.wait_for(f"{CLIPS}/pier/{clip_id}")
        waits = {"startTimestampInMs": now_ms() - 5000, "endTimestampInMs": now_ms() - 1000}
        server.post(CLIPS, {"cameraId": "mole", "clipId": "later", **waits})
        server.wait_for(f"{CLIPS}/mole/later", "waiting")
        listed = server.get(CLIPS).json()["clips"]
        assert [clip["clipId"] for clip in listed] == ["later", "c2", "c1"]
        (newest,) = server.get(f"{CLIPS}?camera=pier&limit=1").json()["clips"]
        assert newest["clipId"] == "c2"
        assert server.get(f"{CLIPS}?camera=boat").json() == {"clips": []}


class TestDeletion:
    """DELETE of a clip."""

    def test_a_deleted_clip_is_gone_and_stays_gone(self, server: Served, tmp_path: Path) -> None:
        """Only its manifest is left, which answers a late duplicate of the request."""
        server.post(CLIPS, BODY)
        server.wait_for(CLIP)
        assert server.delete(CLIP).status_code == 204
        assert server.delete(CLIP).status_code == 204
        for path in (CLIP, f"{CLIP}/video", f"{CLIP}/thumbnails/160"):
            assert server.get(path).status_code == 410
        assert server.post(CLIPS, BODY).status_code == 410
        assert server.get(CLIPS).json() == {"clips": []}
        queue = server.session.queue
        queue.add(message_body(ClipRequest("c1", "pier", *BOUNDS)))
        server.serving.work.wake()
        until_s = time.monotonic() + 30
        while queue.waiting():
            assert time.monotonic() < until_s
            time.sleep(0.05)
        assert [p.name for p in (tmp_path / "clips/pier").iterdir()] == ["c1.json"]
        assert server.get(CLIP).status_code == 410

    def test_a_request_that_waits_is_cancelled(self, server: Served) -> None:
        """No clip is made when its time comes."""
        bounds = {"startTimestampInMs": now_ms() - 5000, "endTimestampInMs": now_ms() - 1000}
        with server.events() as events:
            server.post(CLIPS, {"cameraId": "pier", "clipId": "c9", **bounds})
            assert [next(events)[0] for _ in range(3)] == ["waiting", "reading", "waiting"]
        waiting = server.get(f"{CLIPS}/pier/c9").json()
        assert waiting["reason"].startswith("Some of the footage is not stored yet")
        assert waiting["dueTimestampInMs"] > now_ms() + 30_000
        assert server.delete(f"{CLIPS}/pier/c9").status_code == 204
        assert server.get(f"{CLIPS}/pier/c9").status_code == 410
        assert server.session.queue.waiting()
        assert server.get(CLIPS).json() == {"clips": []}

    def test_a_clip_that_is_being_made_cannot_be_deleted(self, server: Served) -> None:
        """It would be stored a moment later."""
        server.post(CLIPS, BODY)
        known = server.known.find(name := ClipName("pier", "c1"))
        assert known
        server.wait_for(CLIP)
        server.known.at_work(evolve(known, phase=Phase.STORING))
        refused = server.delete(CLIP)
        assert (refused.status_code, refused.json()["type"]) == (409, "/api#in-progress")
        server.known.forget(name)
        assert server.delete(CLIP).status_code == 204

    def test_what_is_not_there_cannot_be_deleted(self, server: Served) -> None:
        """404."""
        assert server.delete(f"{CLIPS}/pier/none").json()["type"] == "/api#unknown-clip"


class TestFailures:
    """Tries that do not succeed."""

    def test_a_try_that_fails_is_repeated_later(
        self, dvr: tuple[Path, list[Recording]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The clip waits, and its report says why and until when; then it is made."""
        broken = tmp_path / "ffmpeg"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("CAMCLIP_FFMPEG", str(broken))
        with served(dvr[0], tmp_path / "clips") as server, server.events() as events:
            server.post(CLIPS, BODY)
            last = next(clip for name, clip in events if "failed" in str(clip["reason"]))
            assert (last["state"], last["status"]) == ("waiting", "CLIP_PENDING")
            assert 5_000 < last["dueTimestampInMs"] - now_ms() <= 10_000
            assert server.get(CLIP).json()["state"] == "waiting"
        monkeypatch.delenv("CAMCLIP_FFMPEG")
        (waiting,) = (tmp_path / "clips/.camclip/queue").glob("*.json")
        waiting.rename(waiting.with_name(f"0-{waiting.name.partition('-')[2]}"))
        with served(dvr[0], tmp_path / "clips") as server:
            assert server.wait_for(CLIP)["status"] == "CLIP_AVAILABLE"

    def test_a_request_that_always_fails_ends(
        self, dvr: tuple[Path, list[Recording]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a dead letter, whose clip is done with FATAL_ERROR."""
        broken = tmp_path / "ffmpeg"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("CAMCLIP_FFMPEG", str(broken))
        monkeypatch.setenv("MAX_RECEIVE_COUNT", "1")
        with served(dvr[0], tmp_path / "clips") as server:
            server.post(CLIPS, BODY)
            assert server.wait_for(CLIP)["status"] == "FATAL_ERROR"
            assert server.get(CLIPS).json()["clips"][0]["status"] == "FATAL_ERROR"
            assert server.get(f"{CLIP}/video").status_code == 404


class TestRefusals:
    """Requests that become no clip."""

    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            ({"cameraId": "boat"}, "unknown-camera"),
            ({"endTimestampInMs": START_MS}, "invalid-request"),
            ({"endTimestampInMs": START_MS + 310_000}, "not-possible"),
            ({"clipId": "../c"}, "invalid-request"),
            ({"cameraId": 7}, "invalid-request"),
            ({"startTimestampInMs": "x"}, "invalid-request"),
            ({"options": {"hevc": "av1"}}, "invalid-request"),
            ({"retryTimestamps": []}, "invalid-request"),
        ],
    )
    def test_a_request_that_makes_no_sense_is_not_queued(
        self, server: Served, change: dict[str, object], kind: str
    ) -> None:
        """A problem says why, and what to do."""
        refused = server.post(CLIPS, {**BODY, **change})
        problem = refused.json()
        assert problem["type"] == f"/api#{kind}"
        assert problem["status"] == refused.status_code
        assert problem["remedy"]
        assert refused.headers["content-type"] == "application/problem+json"
        assert server.session.queue.waiting() == []

    def test_a_limit_is_written_as_people_say_it(self, server: Served) -> None:
        """In a plan and in a refusal, alike."""
        body = {**BODY, "startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 330_500}
        reason = "The clip is 5 min 30.5 s long; 5 min are allowed."
        assert server.post("/api/v1/plans", body).json()["reason"] == reason
        assert server.post(CLIPS, body).json()["detail"] == reason

    def test_a_full_queue_takes_no_more(self, server: Served) -> None:
        """Until some are done."""
        server.serving.work.stop(10)
        for number in range(100):
            request = ClipRequest(f"c{number}", "pier", *BOUNDS)
            server.session.queue.add(message_body(request))
        full = server.post(CLIPS, {**BODY, "clipId": "more"})
        assert (full.status_code, full.json()["type"]) == (503, "/api#queue-full")
        assert full.headers["retry-after"] == "30"


def test_a_killed_server_loses_no_request(
    dvr: tuple[Path, list[Recording]], tmp_path: Path
) -> None:
    """The next one makes the clip that was being made, and those that waited."""
    argv = [sys.executable, "-m", "entrypoints.cli.app", "serve", "--port", "0", "--layout"]
    argv += ["frigate", "--recordings", str(dvr[0]), "--out", str(tmp_path / "clips")]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1].rstrip("/")
        ids = ["c1", "c2", "c3"]
        for clip_id in ids:
            asked = requests.post(url + CLIPS, json={**BODY, "clipId": clip_id}, timeout=30)
            assert asked.status_code == 202
        process.send_signal(signal.SIGKILL)
    for leased in (tmp_path / "clips/.camclip/queue").glob("*.json"):
        due_ms, _, rest = leased.name.partition("-")
        assert int(due_ms) <= now_ms() + 60_000
        leased.rename(leased.with_name(f"0-{rest}"))  # as a minute later
    with served(dvr[0], tmp_path / "clips") as again:
        for clip_id in ids:
            assert again.wait_for(f"{CLIPS}/pier/{clip_id}")["status"] == "CLIP_AVAILABLE"
