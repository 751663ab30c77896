"""Clips of the deployed service by HTTP: requested, awaited, linked; and what a restart keeps."""

import itertools
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve
from botocore.exceptions import EndpointConnectionError

from devtools.footage import assert_clip, read_clip, wanted
from domain.clip import DELETED, ClipReport, ClipRequest
from domain.manifest import Manifest
from entrypoints.serve.aws.awaited import MAX_AWAITED_MS
from entrypoints.serve.aws.clips import MAX_AWAITED
from entrypoints.serve.aws.watcher import Watcher
from infrastructure.folder.sent_requests import SentRequest, SentRequests
from infrastructure.formats.manifests import manifest_json
from infrastructure.formats.messages import message_body
from tests.integration.serve_aws.conftest import FOOTAGE
from tests.support.served_aws import ServedAws, served_aws
from tests.support.service import CREDENTIALS, World, sqs_record, wait_until

CLIPS = "/api/v1/clips"


def request_in(body: Mapping[str, Any]) -> ClipRequest:
    return ClipRequest(
        body["clipId"],
        body["cameraId"],
        body["startTimestampInMs"],
        body["endTimestampInMs"],
    )


PROVING = {"proof", "sources", "signature"}
"""The members of a clip's own address that events do without."""


class TestAClip:
    """From the request to the last byte."""

    def test_a_clip_that_was_requested_and_fetched_by_its_link_is_exact(
        self, served: ServedAws, tmp_path: Path
    ) -> None:
        """The function makes it; events say that it is done once its manifest is there."""
        server = served.server
        with server.events() as events:
            asked = server.post(CLIPS, served.body(1234, 3210))
            assert (asked.status_code, asked.headers["location"]) == (202, served.name)
            name, waiting = next(events)
            assert (name, waiting["state"], waiting["status"]) == ("waiting", name, "CLIP_PENDING")
            assert waiting == asked.json() == server.get(served.name).json()
            assert served.handle() == 1
            name, done = next(events)
            assert (name, done["state"], done["status"]) == ("done", name, "CLIP_AVAILABLE")
        shown = server.get(served.name).json()
        assert done == {key: value for key, value in shown.items() if key not in PROVING}
        assert shown.keys() - done.keys() == {"proof", "sources"}
        path = tmp_path / "fetched.mp4"
        path.write_bytes(server.get(done["clip"]["url"]).content)
        assert_clip(read_clip(path), wanted([FOOTAGE], 1234, 3210))

    def test_a_link_has_a_name_to_download_and_expires(self, served: ServedAws) -> None:
        """It is signed for no header but those that every browser sends."""
        server, video = served.server, f"{served.name}/video"
        server.post(CLIPS, served.body(0, 2000))
        served.handle()
        local = f"{served.world.camera_id}_"
        for query, kind in (("", "inline"), ("?download=true", "attachment")):
            moved = server.get(video + query, allow_redirects=False)
            assert (moved.status_code, moved.headers["cache-control"]) == (307, "no-store")
            link = urlsplit(moved.headers["location"])
            assert link.path == f"/{served.world.cloud.destination}/{served.world.key}.mp4"
            signed = parse_qs(link.query)
            assert (signed["X-Amz-Expires"], signed["X-Amz-SignedHeaders"]) == (["900"], ["host"])
            file = server.get(video + query)
            assert re.fullmatch(
                rf'{kind}; filename="{local}[\d_.-]+Z\.mp4"', file.headers["content-disposition"]
            )
            assert file.headers["content-type"] == "video/mp4"
        part = server.get(video, headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        head = server.client.head(server.url + video, allow_redirects=True, timeout=30)
        assert (head.status_code, int(head.headers["content-length"])) == (200, len(file.content))
        thumbnail = server.get(f"{served.name}/thumbnails/160")
        assert thumbnail.content[:2] == b"\xff\xd8"

    def test_pages_may_load_files_from_where_they_are(self, served: ServedAws) -> None:
        """Media and images alone: browsers apply the policy to redirections, too."""
        policy = served.server.get("/").headers["content-security-policy"]
        origin = served.world.cloud.endpoint
        assert f"media-src 'self' {origin};" in policy
        assert f"img-src 'self' blob: {origin};" in policy
        assert policy.count(origin) == 2

    def test_files_that_are_not_there_are_problems(self, served: ServedAws) -> None:
        """And not links to nothing."""
        server = served.server
        assert server.get(f"{served.name}/video").json()["type"] == "/api#unknown-clip"
        server.post(CLIPS, served.body(0, 2000))
        assert server.get(f"{served.name}/video").json()["type"] == "/api#unknown-clip"
        served.handle()
        heads: list[object] = []
        events: Any = served.service.s3().meta.events
        events.register("before-call.s3.HeadObject", lambda **_: heads.append(1))
        for width in ("161", "0", "9" * 5, "9" * 9000):
            found = server.get(f"{served.name}/thumbnails/{width}", allow_redirects=False)
            assert (found.status_code, found.json()["type"]) == (404, "/api#not-found")
        assert heads == []
        cloud = served.world.cloud
        cloud.s3.delete_object(Bucket=cloud.destination, Key=f"{served.world.key}.mp4")
        gone = server.get(f"{served.name}/video", allow_redirects=False)
        assert (gone.status_code, gone.json()["detail"]) == (404, "Its file is gone.")

    def test_the_same_request_is_one_message(self, served: ServedAws) -> None:
        """Until it is done, and afterwards; another window has no right to its id."""
        server, body = served.server, served.body(0, 2000)
        assert [server.post(CLIPS, body).status_code for _ in range(3)] == [202, 202, 202]
        other = {**body, "endTimestampInMs": body["endTimestampInMs"] + 1}
        assert server.post(CLIPS, other).json()["type"] == "/api#name-taken"
        assert served.handle() == 1
        again = server.post(CLIPS, body)
        assert (again.status_code, again.json()["status"]) == (200, "CLIP_AVAILABLE")
        assert server.post(CLIPS, other).json()["type"] == "/api#name-taken"
        assert served.queued() == []

    def test_a_request_that_is_rejected_is_done(self, served: ServedAws) -> None:
        """With the service's reason."""
        day_ms = 86_400_000
        with served.server.events() as events:
            served.server.post(CLIPS, served.body(-day_ms, 2000 - day_ms))
            assert next(events)[0] == "waiting"
            served.handle()
            name, done = next(events)
        assert (name, done["status"]) == ("done", "CLIP_NOT_AVAILABLE")
        assert "no footage" in done["reason"]
        assert served.server.get(f"{served.name}/video").status_code == 404

    def test_a_clip_is_not_deleted(self, served: ServedAws) -> None:
        """The problem says where that can be done."""
        served.server.post(CLIPS, served.body(0, 2000))
        served.handle()
        refused = served.server.delete(served.name)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
        assert refused.json()["type"] == "/api#no-deletion"
        assert "folders" in refused.json()["remedy"]
        assert served.server.get(f"{served.name}/video").status_code == 200


class TestRefusals:
    """Requests that are not sent."""

    def test_a_request_of_an_unknown_camera_is_not_sent(self, served: ServedAws) -> None:
        """By the camera API."""
        refused = served.server.post(CLIPS, served.body(0, 2000, cameraId="boat"))
        assert refused.json()["type"] == "/api#unknown-camera"
        assert served.queued() == []

    def test_a_request_that_is_too_long_is_not_sent(self, served: ServedAws) -> None:
        """By the service's own rule."""
        refused = served.server.post(CLIPS, served.body(0, 300_001))
        assert refused.json()["type"] == "/api#not-possible"
        assert served.queued() == []

    def test_a_request_that_the_queue_does_not_take_is_not_noted(
        self, served: ServedAws, tmp_path: Path
    ) -> None:
        """Whoever sent it gets an error, and sends it again."""
        faults = [EndpointConnectionError(endpoint_url="https://sqs.invalid")]

        def fail_once(**_: object) -> None:
            if faults:
                raise faults.pop()

        events: Any = served.service.sqs().meta.events
        events.register("before-parameter-build.sqs.SendMessage", fail_once)
        refused = served.server.post(CLIPS, served.body(0, 2000))
        assert (refused.status_code, refused.json()["type"]) == (503, "/api#unavailable")
        assert list((tmp_path / "state/waiting").iterdir()) == []
        assert served.server.get(served.name).status_code == 404
        assert served.server.post(CLIPS, served.body(0, 2000)).status_code == 202

    def test_more_than_are_awaited_are_not_sent(self, served: ServedAws) -> None:
        """Until some are done."""
        request = request_in(served.body(0, 2000))
        for number in range(MAX_AWAITED):
            served.clips.sent.add(evolve(request, clip_id=f"c{number}"))
        full = served.server.post(CLIPS, served.body(0, 2000))
        assert (full.status_code, full.json()["type"]) == (503, "/api#queue-full")
        assert full.headers["retry-after"] == "30"


class TestRestarts:
    """What another process knows of earlier requests."""

    def test_a_restart_forgets_no_request(self, world: World, tmp_path: Path) -> None:
        """It is still awaited, and its end is an event of the new process."""
        with served_aws(world, tmp_path / "state") as before:
            before.server.post(CLIPS, before.body(0, 2000))
        with served_aws(world, tmp_path / "state") as after:
            waiting = after.server.get(after.name).json()
            assert (waiting["state"], waiting["status"]) == ("waiting", "CLIP_PENDING")
            assert [c["clipId"] for c in after.server.get(CLIPS).json()["clips"]] == [world.clip_id]
            assert after.server.post(CLIPS, after.body(0, 2000)).status_code == 202
            with after.server.events() as events:
                assert after.handle() == 1
                name, done = next(events)
            assert (name, done["clipId"]) == ("done", world.clip_id)
        with served_aws(world, tmp_path / "state") as again:
            assert again.server.get(CLIPS).json()["clips"] == [done]
            assert again.clips.sent.waiting() == []

    def test_without_its_folder_the_bucket_knows_what_is_done(
        self, world: World, tmp_path: Path
    ) -> None:
        """Requests that were awaited are no longer known, but made all the same."""
        with served_aws(world, tmp_path / "one") as before:
            before.server.post(CLIPS, before.body(0, 2000))
        with served_aws(world, tmp_path / "other") as after:
            assert after.server.get(after.name).status_code == 404
            after.handle()
            assert after.server.get(after.name).json()["status"] == "CLIP_AVAILABLE"
            assert after.server.get(CLIPS).json() == {"clips": []}
            (clip,) = after.server.get(f"{CLIPS}?camera={world.camera_id}").json()["clips"]
            assert clip["clipId"] == world.clip_id

    def test_a_request_without_any_result_ends_and_may_be_sent_again(
        self, world: World, tmp_path: Path
    ) -> None:
        """After a day, when its message is a dead letter, or was lost."""
        at_ms = time.time_ns() // 1_000_000
        sent = SentRequests(tmp_path / "state", now_ms=lambda: at_ms - MAX_AWAITED_MS)
        with served_aws(world, tmp_path / "other") as any_server:
            body = any_server.body(0, 2000)
        sent.add(request_in(body))
        with served_aws(world, tmp_path / "state") as served:
            wait_until(lambda: not served.clips.sent.waiting())
            failed = served.server.get(served.name).json()
            assert (failed["state"], failed["status"]) == ("done", "FATAL_ERROR")
            assert "dead letter" in failed["reason"]
            (listed,) = served.server.get(CLIPS).json()["clips"]
            assert listed == failed
            assert served.server.post(CLIPS, body).status_code == 202
            assert served.handle() == 1
            assert served.server.wait_for(served.name)["status"] == "CLIP_AVAILABLE"


class TestTheList:
    """GET of the clips."""

    @pytest.fixture
    def filled(self, served: ServedAws) -> ServedAws:
        """Make a clip of this server's and one of another sender's."""
        served.server.post(CLIPS, served.body(0, 2000, clipId="mine"))
        served.handle()
        wait_until(lambda: not served.clips.sent.waiting())
        other = message_body(request_in(served.body(500, 2500, clipId="other")))
        record = sqs_record(other, served.world.now_ms)
        served.function.handle_batch()({"Records": [record]}, lambda: 120_000)
        return served

    def listed(self, served: ServedAws, query: str = "") -> list[str]:
        return [clip["clipId"] for clip in served.server.get(CLIPS + query).json()["clips"]]

    def test_all_that_was_requested_here_is_listed(self, filled: ServedAws) -> None:
        """What waits comes first; clips of other senders are those of a camera."""
        filled.server.post(CLIPS, filled.body(1000, 3000, clipId="later"))
        camera = f"?camera={filled.world.camera_id}"
        assert self.listed(filled) == ["later", "mine"]
        assert self.listed(filled, camera)[0] == "later"
        assert sorted(self.listed(filled, camera)) == ["later", "mine", "other"]
        assert self.listed(filled, "?camera=boat") == []
        assert len(self.listed(filled, f"{camera}&limit=1")) == 2

    def test_a_clip_is_listed_once(self, served: ServedAws) -> None:
        """As done, also before it is noted that it is."""
        served.server.serving.work.stop(30)
        served.server.post(CLIPS, served.body(0, 2000))
        served.handle()
        camera = f"?camera={served.world.camera_id}"
        (clip,) = served.server.get(CLIPS + camera).json()["clips"]
        assert (clip["clipId"], clip["state"]) == (served.world.clip_id, "done")

    def test_a_clip_that_was_deleted_is_not_listed(self, filled: ServedAws) -> None:
        """By a manifest that says so."""
        request = request_in(filled.body(0, 2000, clipId="gone"))
        report = ClipReport("gone", DELETED, request.camera_id, request.start_ms, request.end_ms)
        cloud = filled.world.cloud
        key = f"{request.camera_id}/gone.json"
        manifest = manifest_json(Manifest(report, "any"))
        cloud.s3.put_object(Bucket=cloud.destination, Key=key, Body=manifest.encode())
        listed = self.listed(filled, f"?camera={request.camera_id}")
        assert sorted(listed) == ["mine", "other"]
        assert filled.server.get(f"{CLIPS}/{request.camera_id}/gone").status_code == 410

    def test_an_object_that_is_no_manifest_is_left_out(
        self, filled: ServedAws, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And logged; so are objects whose names are none of a clip's."""
        cloud, camera = filled.world.cloud, filled.world.camera_id
        for key in (f"{camera}/alien.json", f"{camera}/a b.json", f"{camera}/x/y.json"):
            cloud.s3.put_object(Bucket=cloud.destination, Key=key, Body=b"[]")
        with caplog.at_level(logging.WARNING, "entrypoints.serve"):
            assert sorted(self.listed(filled, f"?camera={camera}")) == ["mine", "other"]
        (record,) = caplog.records
        assert f"In {camera}/alien.json, this is not a manifest" in record.getMessage()
        alien = filled.server.get(f"{CLIPS}/{camera}/alien")
        assert (alien.status_code, alien.json()["type"]) == (503, "/api#unavailable")

    def test_a_manifest_of_another_camera_is_no_clip(self, filled: ServedAws) -> None:
        """Its report names its camera."""
        cloud, camera = filled.world.cloud, filled.world.camera_id
        copied = cloud.s3.get_object(Bucket=cloud.destination, Key=f"{camera}/mine.json")["Body"]
        cloud.s3.put_object(Bucket=cloud.destination, Key="boat/mine.json", Body=copied.read())
        assert filled.server.get(f"{CLIPS}/boat/mine").status_code == 404
        assert self.listed(filled, "?camera=boat") == []


def test_a_manifest_that_cannot_be_read_holds_up_no_other_clip(
    world: World, tmp_path: Path
) -> None:
    """The watcher goes on to the next one."""
    ticks = itertools.count(time.time_ns() // 1_000_000 - 60_000)
    sent = SentRequests(tmp_path / "state", now_ms=lambda: next(ticks))
    cloud, camera = world.cloud, world.camera_id
    cloud.s3.put_object(Bucket=cloud.destination, Key=f"{camera}/alien.json", Body=b"{")
    with served_aws(world, tmp_path / "other") as served:
        body = served.body(0, 2000)
        served.server.post(CLIPS, body)
        served.handle()
    for clip_id in (world.clip_id, "alien"):  # The newest is looked for first.
        sent.add(evolve(request_in(body), clip_id=clip_id))
    with served_aws(world, tmp_path / "state") as served:
        wait_until(served.clips.sent.ended)
        assert [each.request.clip_id for each in served.clips.sent.waiting()] == ["alien"]


def test_the_watcher_of_nothing_rests(served: ServedAws, tmp_path: Path) -> None:
    """Until it is woken."""
    looks: list[None] = []

    class Counted(SentRequests):
        def waiting(self) -> list[SentRequest]:
            looks.append(None)
            return super().waiting()

    watcher = Watcher(evolve(served.clips, sent=Counted(tmp_path / "nothing")))
    watcher.start()
    wait_until(lambda: looks)
    time.sleep(0.2)
    assert len(looks) == 1
    watcher.wake()
    wait_until(lambda: len(looks) > 1)
    assert watcher.stop(5)
    assert len(looks) == 2


def test_the_watcher_goes_on_after_a_fault(
    served: ServedAws, caplog: pytest.LogCaptureFixture
) -> None:
    """Which is logged; a clip that is done by then is published."""
    faults = [EndpointConnectionError(endpoint_url="https://s3.invalid")]
    events: Any = served.service.s3().meta.events

    def fail_once(**_: object) -> None:
        if faults:
            raise faults.pop()

    with caplog.at_level(logging.WARNING, "entrypoints.serve"), served.server.events() as seen:
        served.server.post(CLIPS, served.body(0, 2000))
        assert next(seen)[0] == "waiting"
        events.register("before-parameter-build.s3.GetObject", fail_once)
        wait_until(lambda: caplog.records)
        served.handle()
        served.server.serving.work.wake()
        assert next(seen)[0] == "done"
    (record,) = caplog.records
    assert "Clips cannot be looked for: S3, for" in record.getMessage()


def test_no_secret_is_logged_or_printed(
    served: ServedAws, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither keys nor signatures, which are in links."""
    with caplog.at_level(logging.INFO):
        served.server.post(CLIPS, served.body(0, 2000))
        served.handle()
        moved = served.server.get(f"{served.name}/video", allow_redirects=False)
    signature = parse_qs(urlsplit(moved.headers["location"]).query)["X-Amz-Signature"][0]
    out, err = capfd.readouterr()
    own = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("urllib3"))
    for secret in (*CREDENTIALS.values(), signature):
        assert secret not in out + err + own
