"""The pages about clips as the server makes them, and what their scripts ask for."""

import json
import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import evolve

from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Clock
from domain.manifest import Manifest
from domain.pace import Pace
from domain.window import TimeWindow
from entrypoints.serve.known_clip import Phase
from infrastructure.mp4.index import read_index
from tests.support.recorders import START_MS
from tests.support.served import Served, served

CLIPS = "/api/v1/clips"
CLIP = f"{CLIPS}/pier/c1"
PAGE = "/clips/pier/c1"
BOUNDS = START_MS + 8345, START_MS + 12_345
BODY = {
    "cameraId": "pier",
    "clipId": "c1",
    "startTimestampInMs": BOUNDS[0],
    "endTimestampInMs": BOUNDS[1],
}
CUT_AGAIN = f"/?camera=pier&from={BOUNDS[0]}&to={BOUNDS[1]}"
MAX_FIRST_PAINT_BYTES = 100_000
NAME = ClipName("pier", "c1")
GAPS = (TimeWindow(START_MS + 9000, START_MS + 10_000),)
NASTY = '<script>alert("pier")</script>'


class Html(HTMLParser):
    """The elements of a page: their attributes by id, and all attributes by tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.by_id: dict[str, dict[str, str]] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: text or "" for name, text in attrs}
        self.tags.append((tag, attributes))
        if "id" in attributes:
            assert attributes["id"] not in self.by_id, attributes
            self.by_id[attributes["id"]] = attributes

    def handle_data(self, data: str) -> None:
        self.text += data


def page(server: Served, path: str = PAGE, status: int = 200) -> Html:
    answer = server.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Html(answer.text)


def write_manifest(server: Served, manifest: Manifest) -> None:
    server.session.clips.write_manifest(NAME, manifest, time.monotonic() + 10, replace=True)


def stored_manifest(server: Served) -> Manifest:
    manifest = server.known.manifest(NAME)
    assert manifest
    return manifest


@pytest.fixture
def done(server: Served) -> Served:
    """Serve a clip that is done."""
    server.post(CLIPS, BODY)
    server.wait_for(CLIP)
    return server


class TestTheClipsPage:
    """A clip that is done."""

    def test_its_player_has_the_clip_in_its_own_shape(self, done: Served) -> None:
        """The size is known before the video is there, so that nothing moves."""
        video = page(done).by_id["video"]
        assert video["src"] == f"{CLIP}/video"
        assert video["poster"] == f"{CLIP}/thumbnails/160"
        media = done.get(f"{CLIP}/manifest").json()["footage"]
        assert (video["width"], video["height"]) == (str(media["width"]), str(media["height"]))
        assert "controls" in video

    def test_it_offers_what_can_be_done(self, done: Served) -> None:
        """To download it, to copy its address, to cut again with other ends, to delete it."""
        found = page(done)
        assert found.by_id["download"]["href"] == f"{CLIP}/video?download=true"
        assert found.by_id["cut-again"]["href"] == CUT_AGAIN
        assert {"copy-link", "copy-moment", "delete", "deletion"} <= found.by_id.keys()
        assert done.get(found.by_id["download"]["href"]).headers["content-disposition"] == (
            'attachment; filename="pier_2026-05-01_11-59-58.345Z.mp4"'
        )

    def test_it_shows_report_and_manifest(self, done: Served) -> None:
        """In words, and as JSON."""
        found = page(done)
        report, manifest = done.get(CLIP).json(), done.get(f"{CLIP}/manifest").json()
        assert json.dumps(report["status"]) in found.text
        for source in manifest["sources"]:
            assert source["name"] in found.text
        assert manifest["eventId"] in found.text
        assert f"{manifest['footage']['frames']}" in found.text
        assert "4.000 s" in found.text
        links = {attributes.get("href") for tag, attributes in found.tags if tag == "a"}
        assert {CLIP, f"{CLIP}/manifest", f"{CLIP}/thumbnails/160"} <= links

    def test_findings_can_be_jumped_to(self, done: Served) -> None:
        """A gap at what follows it; damage where it begins."""
        manifest = stored_manifest(done)
        gap = evolve(manifest.report, coverage=evolve(manifest.report.coverage, gaps=GAPS))
        write_manifest(done, evolve(manifest, report=gap))
        found = page(done)
        assert "Partial" in found.text
        assert "1.000 s" in found.text
        jumps = [a["data-seen"] for tag, a in found.tags if a.get("class") == "jump"]
        assert jumps == [str(GAPS[0].end_ms)]

    def test_a_clip_whose_file_is_gone_says_so(self, done: Served, tmp_path: Path) -> None:
        """And how to make it again."""
        (tmp_path / "clips/pier/c1.mp4").unlink()
        found = page(done)
        assert "The clip's file is gone." in found.text
        assert found.by_id["cut-again"]["href"] == CUT_AGAIN
        assert "video" not in found.by_id

    def test_nothing_in_it_is_refused_by_the_policy(self, done: Served) -> None:
        """No script or style is in the page itself, and nothing is loaded from elsewhere."""
        for path in (PAGE, "/clips"):
            text = done.get(path).text
            inline = r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|javascript:|//"
            assert not re.search(inline, text)

    def test_the_first_paint_is_small(self, done: Served) -> None:
        """Without the video: the page, its style sheets, scripts and pictures."""
        for path in (PAGE, "/clips"):
            needed = {path, "/static/camclip.svg"}
            for tag, attributes in page(done, path).tags:
                address = attributes.get("src") or attributes.get("href", "")
                if tag in {"link", "script", "img"} and attributes.get("loading") != "lazy":
                    needed.add(address)
                needed |= {attributes["poster"]} if "poster" in attributes else set()
            assert len(needed) > 5
            answers = {address: done.get(address) for address in needed}
            assert {answer.status_code for answer in answers.values()} == {200}
            assert sum(len(a.content) for a in answers.values()) < MAX_FIRST_PAINT_BYTES


class TestOtherStates:
    """Clips that cannot be watched, or not yet."""

    def test_a_clip_that_is_being_made_shows_how_far_it_is(self, server: Served) -> None:
        """Its phase, and how many frames are encoded."""
        server.post(CLIPS, BODY)
        server.wait_for(CLIP)
        known = server.known.find(NAME)
        assert known
        pending = ClipReport.of(ClipRequest("c1", "pier", *BOUNDS), ClipStatus.PENDING)
        making = evolve(known, report=pending, phase=Phase.ENCODING)
        server.known.at_work(evolve(making, encoded_frames=12, frames_to_encode=38))
        found = page(server)
        assert found.by_id["clip"]["data-state"] == "encoding"
        assert found.by_id["progress"]["value"] == "12"
        assert found.by_id["progress"]["max"] == "38"
        steps = [a["data-phase"] for _, a in found.tags if a.get("aria-current") == "step"]
        assert steps == ["encoding"]
        assert "hidden" in found.by_id["delete"]
        (row,) = (a for _, a in page(server, "/clips").tags if a.get("id") == "clip-pier-c1")
        assert row["data-state"] == "encoding"

    def test_a_clip_that_waits_says_why_and_until_when(self, server: Served) -> None:
        """And can be cancelled."""
        now_ms = time.time_ns() // 1_000_000
        window = {"startTimestampInMs": now_ms - 5000, "endTimestampInMs": now_ms - 1000}
        with server.events() as events:
            server.post(CLIPS, {**BODY, **window})
            assert [next(events)[0] for _ in range(3)] == ["waiting", "reading", "waiting"]
        found = page(server)
        assert "Some of the footage is not stored yet" in found.text
        due_ms = server.get(CLIP).json()["dueTimestampInMs"]
        assert any(a.get("data-instant") == str(due_ms) for _, a in found.tags)
        assert "hidden" not in found.by_id["due"]
        assert found.by_id["delete"]["data-done"] == "Cancel the request"

    @pytest.mark.parametrize(
        ("status", "remedy"),
        [
            (ClipStatus.NOT_AVAILABLE, "Choose a window in which the camera has footage."),
            (ClipStatus.OUT_OF_RANGE, "Choose a later window."),
            (ClipStatus.TOO_LONG, "Choose a shorter window, or several."),
            (ClipStatus.RETRY_TIMEOUT, "Choose the window again once its footage is stored."),
            (ClipStatus.FATAL_ERROR, "Correct what the reason names"),
        ],
    )
    def test_a_rejected_clip_says_why_and_what_helps(
        self, server: Served, status: ClipStatus, remedy: str
    ) -> None:
        """Whatever the reason says, it is text."""
        request = ClipRequest("c1", "pier", *BOUNDS)
        report = ClipReport.of(request, status, reason=f"unknown camera {NASTY}")
        write_manifest(server, Manifest(report, "m#1"))
        for path in (PAGE, "/clips"):
            found = page(server, path)
            assert f"unknown camera {NASTY}" in found.text
            assert [a for tag, a in found.tags if tag == "script" and "src" not in a] == []
        assert remedy in page(server).text
        assert page(server).by_id["cut-again"]["href"] == CUT_AGAIN
        assert server.get(f"{CLIP}/manifest").json()["report"]["status"] == status.value
        assert server.get(f"{CLIP}/clock").status_code == 404

    def test_a_malformed_request_has_a_page_without_a_window(self, server: Served) -> None:
        """Its reason is all that is known."""
        report = ClipReport("c1", ClipStatus.FATAL_ERROR, "pier", reason="no start")
        write_manifest(server, Manifest(report, "m#1"))
        found = page(server)
        assert "no start" in found.text
        assert found.by_id["cut-again"]["href"] == "/?camera=pier"
        assert "no start" in page(server, "/clips").text

    def test_a_request_whose_every_try_failed_says_so(
        self, dvr: tuple[Path, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It has no manifest."""
        broken = tmp_path / "ffmpeg"
        broken.write_text("#!/bin/sh\nexit 1\n")
        broken.chmod(0o755)
        monkeypatch.setenv("CAMCLIP_FFMPEG", str(broken))
        monkeypatch.setenv("MAX_RECEIVE_COUNT", "1")
        with served(dvr[0], tmp_path / "clips") as server:
            server.post(CLIPS, BODY)
            server.wait_for(CLIP)
            found = page(server)
            assert "Every try to make the clip failed" in found.text
            assert "Correct what the reason names" in found.text
            assert "manifest" not in found.by_id

    def test_a_deleted_clip_says_so(self, done: Served) -> None:
        """Its page is gone, and leads to its window."""
        done.delete(CLIP)
        found = page(done, status=410)
        assert "The clip was deleted." in found.text
        assert found.by_id["cut-again"]["href"] == CUT_AGAIN
        assert "clip-pier-c1" not in page(done, "/clips").by_id
        for path in (f"{CLIP}/manifest", f"{CLIP}/clock"):
            assert done.get(path).json()["type"] == "/api#deleted"

    def test_an_unknown_clip_has_a_page_that_says_so(self, server: Served) -> None:
        """404, and a way to the list."""
        found = page(server, "/clips/pier/none", 404)
        assert "There is no such clip." in found.text
        assert any(a.get("href") == "/clips" for tag, a in found.tags if tag == "a")
        for path in (f"{CLIP}/manifest", f"{CLIP}/clock"):
            assert server.get(path).json()["type"] == "/api#unknown-clip"


class TestTheHistory:
    """The page of all clips."""

    def test_the_newest_is_first(self, server: Served) -> None:
        """Each with its state, its reason and its thumbnail; of one camera, or of all."""
        for camera, clip in (("pier", "c1"), ("mole", "c2")):
            server.post(CLIPS, {**BODY, "cameraId": camera, "clipId": clip})
            server.wait_for(f"{CLIPS}/{camera}/{clip}")
        found = page(server, "/clips")
        rows = [a["data-clip"] for tag, a in found.tags if tag == "li"]
        assert rows == ["c2", "c1"]
        assert any(a.get("src") == f"{CLIP}/thumbnails/160" for _, a in found.tags)
        assert found.text.count("Available") == 2
        of_pier = page(server, "/clips?camera=pier")
        assert [a["data-clip"] for tag, a in of_pier.tags if tag == "li"] == ["c1"]
        every = page(server, "/clips?camera=")
        assert [a["data-clip"] for tag, a in every.tags if tag == "li"] == ["c2", "c1"]

    def test_the_address_above_a_clips_is_that_of_its_cameras_clips(self, done: Served) -> None:
        """As people shorten addresses; it takes them to the list, which has one address."""
        moved = done.get("/clips/pier", allow_redirects=False)
        assert (moved.status_code, moved.headers["location"]) == (307, "/clips?camera=pier")
        assert [a["data-clip"] for tag, a in page(done, "/clips/pier").tags if tag == "li"] == [
            "c1"
        ]
        assert done.get("/clips/pier?limit=1").status_code == 400
        assert done.get("/clips/pier/").status_code == 404

    def test_older_clips_are_a_link_away(self, done: Served) -> None:
        """Until all are shown."""
        assert "more" not in page(done, "/clips").by_id
        assert page(done, "/clips?camera=pier&limit=1").by_id["more"]["href"] == (
            "/clips?camera=pier&limit=4"
        )

    def test_an_empty_history_says_what_to_do(self, server: Served) -> None:
        """A way to the footage."""
        assert "hidden" not in page(server, "/clips").by_id["none"]


class TestTheClock:
    """When each frame is shown, and when it was seen."""

    def test_it_has_every_frame_of_the_clip(self, done: Served, tmp_path: Path) -> None:
        """As the clip's own tables have them."""
        clock = done.get(f"{CLIP}/clock").json()
        data = (tmp_path / "clips/pier/c1.mp4").read_bytes()
        video = read_index(lambda at, length: data[at : at + length], len(data)).video
        assert video
        ticks = [clock["frames"]["firstInTicks"]]
        for count, interval in clock["frames"]["runs"]:
            ticks += [ticks[-1] + (n + 1) * interval for n in range(count)]
        first_ms = done.get(f"{CLIP}/manifest").json()["footage"]["firstInMs"]
        assert ticks[0] == round(first_ms * video.timescale / 1000)
        assert [each - ticks[0] for each in ticks] == sorted(video.pts)
        assert clock["frames"]["timescale"] == video.timescale
        assert len(clock["frames"]["runs"]) < 10

    def test_it_follows_the_wall_clock(self, done: Served) -> None:
        """From the requested start on, across recordings without a gap."""
        clock = done.get(f"{CLIP}/clock").json()
        assert clock["isExact"]
        assert clock["gaps"] == []
        assert clock["paces"][0] == {"clipInMs": 0, "seenTimestampInMs": BOUNDS[0], "rate": 1.0}

    def test_a_departing_clock_is_in_the_manifest(self, done: Served) -> None:
        """Without it, the clock is known to be inexact."""
        manifest = stored_manifest(done)
        departing = evolve(manifest.report.coverage, clock=Clock(1, 20))
        report = evolve(manifest.report, coverage=departing)
        paces = (Pace(0, BOUNDS[0]), Pace(2000, BOUNDS[0] + 1980))
        write_manifest(done, evolve(manifest, report=report, paces=paces))
        clock = done.get(f"{CLIP}/clock").json()
        assert [pace["clipInMs"] for pace in clock["paces"]] == [0, 2000]
        assert clock["isExact"]
        write_manifest(done, evolve(manifest, report=report, paces=()))
        assert not done.get(f"{CLIP}/clock").json()["isExact"]

    def test_a_clip_that_is_no_mp4_has_no_clock(self, done: Served, tmp_path: Path) -> None:
        """A problem says so."""
        (tmp_path / "clips/pier/c1.mp4").write_bytes(b"no video")
        answer = done.get(f"{CLIP}/clock")
        assert (answer.status_code, answer.json()["type"]) == (404, "/api#unknown-clip")
        (tmp_path / "clips/pier/c1.mp4").unlink()
        assert done.get(f"{CLIP}/clock").status_code == 404


def test_instants_are_shown_with_their_offset(done: Served) -> None:
    """In the server's zone, and as scripts read them."""
    assert (
        '<time datetime="2026-05-01T11:59:58.345Z" data-instant="1777636798345">'
        "2026-05-01 11:59:58.345 UTC</time>" in done.get(PAGE).text
    )
