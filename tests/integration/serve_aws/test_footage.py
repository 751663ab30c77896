"""Cameras of the deployed service, their footage and pictures: by the camera API, and by keys."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from devtools.footage import assert_clip, cached_recording, read_clip, wanted
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from tests.integration.serve.test_footage import number_in
from tests.integration.serve_aws.conftest import FOOTAGE
from tests.support.served_aws import ServedAws, served_aws
from tests.support.service import World

CAMERAS = "/api/v1/cameras"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FRAME_MS = 1000 / 30


def footage(served: ServedAws, before_ms: int = 10_000, after_ms: int = 10_000) -> dict[str, Any]:
    """Return the footage around the recording, in ms after the moment."""
    moment_ms, camera = served.world.moment_ms, served.world.camera_id
    bounds = f"from={moment_ms - before_ms}&to={moment_ms + after_ms}"
    found = served.server.get(f"{CAMERAS}/{camera}/footage?{bounds}").json()
    for kind in ("stretches", "gaps"):
        found[kind] = [
            (w["startTimestampInMs"] - moment_ms, w["endTimestampInMs"] - moment_ms)
            for w in found[kind]
        ]
    return dict(found)


def calls_of(served: ServedAws, operation: str) -> list[object]:
    """Return a list that grows with each such call of the server."""
    calls: list[object] = []
    events: Any = served.service.s3().meta.events
    events.register(f"before-call.s3.{operation}", lambda **_: calls.append(operation))
    return calls


class TestCameraApi:
    """Cameras that the command line names, and recordings that the camera API lists."""

    def test_the_named_cameras_are_listed(
        self, world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With their last start; one that the API does not know is logged."""
        named = (world.camera_id, "a-boat")
        with (
            served_aws(world, tmp_path / "state", *named) as served,
            caplog.at_level(logging.WARNING, "entrypoints.serve"),
        ):
            boat, camera = served.server.get(CAMERAS).json()["cameras"]
        assert camera == {
            "cameraId": world.camera_id,
            "name": world.camera_id,
            "recordings": None,
            "firstStartTimestampInMs": None,
            "lastStartTimestampInMs": world.moment_ms,
            "usualDurationInMs": None,
        }
        assert (boat["cameraId"], boat["lastStartTimestampInMs"]) == ("a-boat", None)
        (record,) = caplog.records
        assert "a-boat cannot be asked about: unknown camera" in record.getMessage()

    def test_stretches_and_gaps_are_those_of_the_opened_recordings(self, served: ServedAws) -> None:
        """Each is opened once, and not again for another window."""
        opened = calls_of(served, "GetObject")
        found = footage(served)
        assert found["isExact"]
        assert found["stretches"] == [(0, 4000)]
        assert found["gaps"] == [(-10_000, 0), (4000, 10_000)]
        assert opened
        opened.clear()
        assert footage(served, 20_000)["stretches"] == [(0, 4000)]
        assert opened == []

    def test_what_cannot_be_read_is_named(self, served: ServedAws) -> None:
        """A recording that is not stored yet is looked for again, one that is damaged is not."""
        world = served.world
        later = evolve(FOOTAGE, first_number=500, start_ms=6000)
        name = world.record(later, stored=False)
        damaged = world.record(evolve(FOOTAGE, start_ms=-5000), stored=False)
        world.put(damaged, b"\0" * 10_000)
        found = footage(served)
        assert found["stretches"] == [(0, 4000)]
        reasons = {left["name"]: left["reason"] for left in found["leftOut"]}
        assert reasons.keys() == {name, damaged}
        ends = {left["name"]: left["endTimestampInMs"] for left in found["leftOut"]}
        assert ends == {name: world.moment_ms + 10_000, damaged: world.moment_ms - 1000}
        assert "is not stored yet" in reasons[name]
        world.put(name, cached_recording(world.films, later).read_bytes())
        found = footage(served)
        assert found["stretches"] == [(0, 4000), (6000, 10_000)]
        assert [left["name"] for left in found["leftOut"]] == [damaged]

    def test_a_recording_that_is_left_out_of_the_list_has_no_start(self, served: ServedAws) -> None:
        """Its name is that of the list."""
        world = served.world
        window = TimeWindow(world.moment_ms + 5000, world.moment_ms + 6000)
        world.segments.append(RecordingSegment(window, "recording.avi"))
        (left_out,) = footage(served)["leftOut"]
        assert left_out["name"] == "recording.avi"
        assert left_out["startTimestampInMs"] is left_out["endTimestampInMs"] is None

    def test_many_recordings_are_not_opened(self, served: ServedAws) -> None:
        """The dates of the list are believed."""
        world = served.world
        for number in range(100):
            start_ms = world.moment_ms - 2000 * (number + 1)
            window = TimeWindow(start_ms, start_ms + 2000 - 1500 * (number == 50))
            world.segments.append(RecordingSegment(window, f"x.{number}.mp4"))
        opened = calls_of(served, "GetObject")
        found = footage(served, 300_000)
        assert not found["isExact"]
        assert found["stretches"] == [(-200_000, -101_500), (-100_000, 4000)]
        assert opened == []

    def test_a_window_may_be_eight_days_long(self, served: ServedAws) -> None:
        """A list of more would take too long."""
        camera, to_ms = served.world.camera_id, served.world.moment_ms
        for days, status in ((8, 200), (9, 400)):
            bounds = f"from={to_ms - days * 86_400_000}&to={to_ms}"
            found = served.server.get(f"{CAMERAS}/{camera}/footage?{bounds}")
            assert found.status_code == status

    @pytest.mark.parametrize("frame", [0, 59, 60, 119])
    def test_the_exact_picture_is_the_frame_on_screen(self, served: ServedAws, frame: int) -> None:
        """By ranges of the recording in S3."""
        world = served.world
        at_ms = world.moment_ms + int(frame * FRAME_MS) + 20
        path = f"{CAMERAS}/{world.camera_id}/frames?at={at_ms}&width=160&exact=true"
        shown = served.server.get(path)
        assert number_in(shown.content) == FOOTAGE.numbers[frame]
        seen_ms = int(shown.headers["camclip-seen-timestamp-in-ms"])
        assert seen_ms == world.moment_ms + int(frame * FRAME_MS + 1e-6)

    def test_the_last_picture_is_the_last_keyframe(self, served: ServedAws) -> None:
        """Of the last recording that can be read: not of one that is damaged or not stored."""
        world = served.world
        world.put(world.record(evolve(FOOTAGE, start_ms=5000), stored=False), b"\0" * 10_000)
        world.record(evolve(FOOTAGE, start_ms=10_000), stored=False)
        shown = served.server.get(f"{CAMERAS}/{world.camera_id}/frames/last?width=160")
        assert number_in(shown.content) == FOOTAGE.numbers[60]
        assert shown.headers["camclip-seen-timestamp-in-ms"] == str(world.moment_ms + 2000)
        assert shown.headers["cache-control"] == "private, max-age=10"

    def test_the_last_picture_is_of_the_last_hour(self, served: ServedAws) -> None:
        """The problem says where no recording was looked for."""
        served.world.segments.clear()
        none = served.server.get(f"{CAMERAS}/{served.world.camera_id}/frames/last")
        assert (none.status_code, none.json()["type"]) == (404, "/api#no-picture")
        assert "of the last hour" in none.json()["detail"]

    def test_the_times_of_frames_are_those_of_the_recordings(self, served: ServedAws) -> None:
        """To the millisecond; none where there is no footage."""
        camera, moment_ms = served.world.camera_id, served.world.moment_ms
        for from_ms, to_ms, expected in (
            (950, 1050, [966, 1000, 1033]),
            (-100, 10, [0]),
            (5000, 6000, []),
        ):
            bounds = f"from={moment_ms + from_ms}&to={moment_ms + to_ms}"
            found = served.server.get(f"{CAMERAS}/{camera}/frames/times?{bounds}").json()
            assert [at_ms - moment_ms for at_ms in found["frames"]] == expected

    def test_a_plan_is_what_the_clip_becomes(self, served: ServedAws) -> None:
        """And nothing is sent."""
        plan = served.server.post("/api/v1/plans", _without_id(served)).json()
        assert (plan["status"], plan["deliveredInMs"]) == ("CLIP_AVAILABLE", 2000)
        assert sum(cut["copiedFrames"] + cut["encodedFrames"] for cut in plan["cuts"]) == 60
        assert served.queued() == []

    def test_an_unknown_camera_is_a_problem(self, served: ServedAws) -> None:
        """Of each route that names one."""
        at_ms = served.world.moment_ms
        window = f"from={at_ms}&to={at_ms + 1}"
        paths = (f"footage?{window}", f"frames?at={at_ms}", "frames/last", f"frames/times?{window}")
        for path in paths:
            found = served.server.get(f"{CAMERAS}/boat/{path}")
            assert (found.status_code, found.json()["type"]) == (404, "/api#unknown-camera")
        plan = served.server.post("/api/v1/plans", {**_without_id(served), "cameraId": "boat"})
        assert plan.json()["type"] == "/api#unknown-camera"


def _without_id(served: ServedAws) -> dict[str, Any]:
    body = served.body(0, 2000)
    del body["clipId"]
    return body


class TestBucket:
    """A service without a camera API: cameras and recordings are what keys say."""

    @pytest.fixture
    def listed(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[ServedAws]:
        monkeypatch.setenv("CAMERAS", "bucket")
        monkeypatch.setenv("RECORDING_PATTERN", "{camera}/%Y-%m-%d_%H-%M-%S")
        for start_ms in (world.moment_ms, world.moment_ms + 4000):
            film = evolve(FOOTAGE, first_number=(start_ms - world.moment_ms) // 4)
            data = cached_recording(world.films, film).read_bytes()
            world.put(_key(world.camera_id, start_ms), data)
        world.put(f"{world.camera_id}/index.txt", b"")
        with served_aws(world, tmp_path / "state", "elsewhere") as served:
            yield served

    def test_cameras_are_the_folders_and_those_that_are_named(self, listed: ServedAws) -> None:
        """With the last start of what is there."""
        cameras = listed.server.get(CAMERAS).json()["cameras"]
        assert [(c["cameraId"], c["lastStartTimestampInMs"]) for c in cameras] == [
            (listed.world.camera_id, listed.world.moment_ms + 4000),
            ("elsewhere", None),
        ]

    def test_footage_is_that_of_the_keys(self, listed: ServedAws) -> None:
        """Opened if there are few."""
        found = footage(listed)
        assert (found["isExact"], found["stretches"]) == (True, [(0, 8000)])

    def test_the_starts_of_many_keys_are_believed(self, listed: ServedAws) -> None:
        """Each recording is taken to last until the next one starts."""
        world = listed.world
        for number in range(1, 101):
            world.put(_key(world.camera_id, world.moment_ms - 4000 * number), b"")
        found = footage(listed, 600_000)
        assert (found["isExact"], found["stretches"]) == (False, [(-400_000, 8000)])

    def test_a_camera_without_any_key_is_unknown(self, listed: ServedAws) -> None:
        """The problem says what no key begins with."""
        refused = listed.server.post("/api/v1/clips", listed.body(0, 2000, cameraId="boat"))
        assert refused.json()["type"] == "/api#unknown-camera"
        assert "begins with boat/" in refused.json()["detail"]
        assert listed.queued() == []

    def test_a_clip_is_exact(self, listed: ServedAws, tmp_path: Path) -> None:
        """Across both recordings."""
        listed.server.post("/api/v1/clips", listed.body(3000, 5000))
        listed.handle()
        done = listed.server.wait_for(listed.name)
        path = tmp_path / "fetched.mp4"
        path.write_bytes(listed.server.get(done["clip"]["url"]).content)
        both = [evolve(FOOTAGE, start_ms=0), evolve(FOOTAGE, first_number=1000, start_ms=4000)]
        assert_clip(read_clip(path), wanted(both, 3000, 5000))


def _key(camera_id: str, start_ms: int) -> str:
    start = EPOCH + timedelta(milliseconds=start_ms)
    return f"{camera_id}/{start:%Y-%m-%d_%H-%M-%S}.mp4"
