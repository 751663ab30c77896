"""Cameras, their footage, and the pictures of its moments."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from devtools.footage import Recording, picture
from devtools.footage.recording import FFMPEG
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.serve.found_footage import claimed_window
from tests.support.recorders import START_MS
from tests.support.served import Served
from tests.support.watched import watched

PIER = "/api/v1/cameras/pier"
FRAME_MS = 1000 / 30


def number_in(jpeg: bytes) -> int:
    """Return the frame number that a picture shows."""
    side = picture.SCALED_DOWN
    scaled = ("-vf", f"scale={side}:{side}:flags=area,format=gray", "-f", "rawvideo", "-")
    argv = [FFMPEG, "-v", "error", "-f", "mjpeg", "-i", "-", *scaled]
    done = subprocess.run(argv, input=jpeg, check=True, capture_output=True, timeout=60)
    return picture.read_number(done.stdout)


def test_cameras_have_their_first_and_last_start(server: Served) -> None:
    """By names alone."""
    mole, pier = server.get("/api/v1/cameras").json()["cameras"]
    assert mole["cameraId"] == "mole"
    assert pier == {
        "cameraId": "pier",
        "name": "pier",
        "recordings": None,
        "firstStartTimestampInMs": START_MS,
        "lastStartTimestampInMs": START_MS + 20_000,
        "usualDurationInMs": 10_000,
    }


def test_a_camera_whose_name_is_no_unicode_is_listed_with_the_others(
    server: Served, dvr: tuple[Path, list[Recording]]
) -> None:
    """Its name has the bytes that it has on the disk, as Python writes them."""
    hour = dvr[0] / "2026-05-01/12"
    shutil.copytree(hour / "pier", hour / os.fsdecode(b"bad\xff"))
    cameras = server.get("/api/v1/cameras").json()["cameras"]
    assert {"bad\udcff", "pier"} <= {each["name"] for each in cameras}


class TestFootage:
    """GET of a camera's footage."""

    def test_stretches_and_gaps_cover_the_window(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """Exactly, if there are few files; a gap shorter than a pixel is left out."""
        (dvr[0] / "2026-05-01/12/pier/00.00.mp4").unlink()
        bounds = f"from={START_MS - 10_000}&to={START_MS + 30_000}"
        fine = server.get(f"{PIER}/footage?{bounds}&width=100").json()
        assert (fine["isExact"], fine["resolutionInMs"]) == (True, 400)
        assert [(s["startTimestampInMs"] - START_MS, s["files"]) for s in fine["stretches"]] == [
            (0, 1),
            (20_000, 1),
        ]
        assert [gap["startTimestampInMs"] - START_MS for gap in fine["gaps"]] == [-10_000, 10_000]
        coarse = server.get(f"{PIER}/footage?{bounds}&width=3").json()
        assert [(s["startTimestampInMs"] - START_MS, s["files"]) for s in coarse["stretches"]] == [
            (0, 2)
        ]

    def test_what_cannot_be_read_is_named(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """With whether it is still being written; a file that changes is read again."""
        path = dvr[0] / "2026-05-01/12/pier/00.10.mp4"
        whole = path.read_bytes()
        path.write_bytes(whole[:100])
        address = f"{PIER}/footage?from={START_MS}&to={START_MS + 30_000}"
        found = server.get(address).json()
        (left_out,) = found["leftOut"]
        assert left_out["name"] == "2026-05-01/12/pier/00.10.mp4"
        assert left_out["isUnfinished"]
        assert left_out["startTimestampInMs"] == START_MS + 20_000
        assert left_out["endTimestampInMs"] == START_MS + 30_000
        path.write_bytes(whole)
        found = server.get(address).json()
        assert (found["leftOut"], found["gaps"]) == ([], [])


class TestFrames:
    """GET of a picture."""

    @pytest.mark.parametrize("frame", [0, 1, 59, 60, 299, 300, 450, 899])
    def test_the_exact_picture_is_the_frame_on_screen(
        self, server: Served, dvr: tuple[Path, list[Recording]], frame: int
    ) -> None:
        """Its number is that of the frame, and the header says when it was seen."""
        at_ms = START_MS + int(frame * FRAME_MS) + 20
        shown = server.get(f"{PIER}/frames?at={at_ms}&width=320&exact=true")
        assert shown.headers["content-type"] == "image/jpeg"
        numbers = [number for recording in dvr[1] for number in recording.numbers]
        assert number_in(shown.content) == numbers[frame]
        seen_ms = int(shown.headers["camclip-seen-timestamp-in-ms"])
        assert seen_ms == START_MS + int(frame * FRAME_MS + 1e-6)

    @pytest.mark.parametrize(("frame", "keyframe"), [(0, 0), (59, 0), (60, 60), (200, 180)])
    def test_the_quick_picture_is_the_keyframe_before(
        self, server: Served, dvr: tuple[Path, list[Recording]], frame: int, keyframe: int
    ) -> None:
        """All moments up to the next one share it, and it is drawn once."""
        at_ms = START_MS + int(frame * FRAME_MS) + 20
        shown = server.get(f"{PIER}/frames?at={at_ms}&width=320")
        assert number_in(shown.content) == dvr[1][0].numbers[keyframe]
        etag = shown.headers["etag"]
        again = server.get(f"{PIER}/frames?at={at_ms}&width=320", headers={"If-None-Match": etag})
        assert again.status_code == 304

    def test_a_quick_picture_opens_the_latest_recording_alone(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """Those before it, which might last until then, are opened only if it has no picture."""
        at_ms = START_MS + 10_020
        with watched(dvr[0]) as seen:
            assert server.get(f"{PIER}/frames?at={at_ms}&width=320").status_code == 200
        assert seen["open"] == {str(dvr[0] / "2026-05-01/12/pier/00.00.mp4")}
        (dvr[0] / "2026-05-01/12/pier/00.05.mp4").touch()
        at_ms = START_MS + 16_020
        shown = server.get(f"{PIER}/frames?at={at_ms}&width=320")
        assert number_in(shown.content) == dvr[1][1].numbers[180]

    def test_without_footage_there_is_no_picture(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """A problem says where to look; so it does for a file that was overwritten."""
        gone = server.get(f"{PIER}/frames?at={START_MS - 60_000}")
        assert (gone.status_code, gone.json()["type"]) == (404, "/api#no-picture")
        (dvr[0] / "2026-05-01/12/pier/00.10.mp4").write_bytes(b"\0" * 10_000)
        gone = server.get(f"{PIER}/frames?at={START_MS + 25_000}")
        assert (gone.status_code, gone.json()["type"]) == (404, "/api#no-picture")


class TestLastFrame:
    """GET of a camera's last picture."""

    def test_it_is_the_last_keyframe(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """Which a browser may keep for a little while."""
        shown = server.get(f"{PIER}/frames/last?width=320")
        assert number_in(shown.content) == dvr[1][-1].numbers[240]
        assert shown.headers["camclip-seen-timestamp-in-ms"] == str(START_MS + 28_000)
        assert shown.headers["cache-control"] == "private, max-age=10"

    def test_it_is_of_the_last_recording_that_can_be_read(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """The one being written has none yet; nor has one that is damaged."""
        folder = dvr[0] / "2026-05-01/12/pier"
        (folder / "00.10.mp4").write_bytes((folder / "00.10.mp4").read_bytes()[:100])
        (folder / "00.20.mp4").write_bytes(b"\0" * 10_000)
        shown = server.get(f"{PIER}/frames/last?width=320")
        assert number_in(shown.content) == dvr[1][1].numbers[240]

    def test_a_recording_whose_pictures_are_damaged_is_passed_over(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """Although it can be opened."""
        path = dvr[0] / "2026-05-01/12/pier/00.10.mp4"
        data = path.read_bytes()
        media = data.index(b"mdat") + 4
        path.write_bytes(data[:media] + bytes(len(data) - media))
        shown = server.get(f"{PIER}/frames/last?width=320")
        assert number_in(shown.content) == dvr[1][1].numbers[240]

    def test_a_camera_without_a_readable_recording_has_none(
        self, server: Served, dvr: tuple[Path, list[Recording]]
    ) -> None:
        """Nor has a camera that does not exist."""
        for path in dvr[0].glob("*/*/pier/*.mp4"):
            path.write_bytes(b"\0" * 10_000)
        none = server.get(f"{PIER}/frames/last")
        assert (none.status_code, none.json()["type"]) == (404, "/api#no-picture")
        unknown = server.get("/api/v1/cameras/boat/frames/last")
        assert (unknown.status_code, unknown.json()["type"]) == (404, "/api#unknown-camera")


class TestFrameTimes:
    """GET of when frames were seen."""

    def test_they_are_the_frames_of_the_window(self, server: Served) -> None:
        """Across files, to the millisecond, rounded down."""
        bounds = f"from={START_MS + 9950}&to={START_MS + 10_050}"
        times = server.get(f"{PIER}/frames/times?{bounds}").json()["frames"]
        assert [at_ms - START_MS for at_ms in times] == [9966, 10_000, 10_033]

    def test_a_clip_between_two_of_them_has_the_frames_between(self, server: Served) -> None:
        """Neither one more at an end, nor one fewer."""
        bounds = f"from={START_MS + 9000}&to={START_MS + 11_000}"
        times = server.get(f"{PIER}/frames/times?{bounds}").json()["frames"]
        body = {"cameraId": "pier", "startTimestampInMs": times[7], "endTimestampInMs": times[50]}
        cuts = server.post("/api/v1/plans", body).json()["cuts"]
        assert sum(cut["copiedFrames"] + cut["encodedFrames"] for cut in cuts) == 43

    def test_a_window_without_footage_has_none(self, server: Served) -> None:
        """A window between two frames has none, either; one of more than a minute is refused."""
        for from_ms, to_ms in ((-60_000, -50_000), (10_001, 10_030)):
            bounds = f"from={START_MS + from_ms}&to={START_MS + to_ms}"
            assert server.get(f"{PIER}/frames/times?{bounds}").json()["frames"] == []
        refused = server.get(f"{PIER}/frames/times?from={START_MS}&to={START_MS + 60_001}")
        assert refused.status_code == 400
        assert refused.json()["detail"] == "from and to may be 1 min apart at most."


@pytest.mark.parametrize(
    ("written_ms", "end_ms"),
    [(None, 10_000), (4000, 4000), (0, 10_000), (-5000, 10_000), (90_000, 10_000)],
    ids=["damaged", "growing", "empty", "copied without its time", "copied later"],
)
def test_an_unreadable_file_has_the_window_that_its_dates_claim(
    written_ms: int | None, end_ms: int
) -> None:
    """Until it was last written, if it may grow; else as long as the recording before."""
    segment = RecordingSegment(TimeWindow(0, 70_000), "pier.mp4", listed_ms=10_000)
    assert claimed_window(segment, written_ms) == TimeWindow(0, end_ms)


def test_a_plan_is_what_the_clip_becomes(server: Served) -> None:
    """The same numbers of frames, and nothing is made."""
    body = {"cameraId": "pier", "startTimestampInMs": START_MS + 8345}
    body["endTimestampInMs"] = START_MS + 12_345
    plan = server.post("/api/v1/plans", body).json()
    assert plan["status"] == "CLIP_AVAILABLE"
    assert plan["deliveredInMs"] == 4000
    assert sum(cut["copiedFrames"] + cut["encodedFrames"] for cut in plan["cuts"]) == 120
    assert server.get("/api/v1/clips").json() == {"clips": []}
    unknown = server.post("/api/v1/plans", {**body, "cameraId": "boat"})
    assert unknown.json()["type"] == "/api#unknown-camera"
