"""Pages about clips of the deployed service, and what is stored of a clip besides its bytes."""

import pytest

from entrypoints.cli.units import size
from infrastructure.formats.messages import message_body
from infrastructure.mp4.index import read_index
from tests.integration.serve.test_clip_pages import page
from tests.integration.serve_aws.test_clips import request_in
from tests.support.served_aws import ServedAws
from tests.support.service import sqs_record, wait_until

CLIPS = "/api/v1/clips"
FILES = ("manifest", "clock")


def page_of(served: ServedAws) -> str:
    """Return the address of the page about the world's clip."""
    return f"/clips/{served.world.key}"


@pytest.fixture
def waiting(served: ServedAws) -> ServedAws:
    """Serve a clip that is requested."""
    served.server.post(CLIPS, served.body(1234, 3210))
    return served


@pytest.fixture
def done(waiting: ServedAws) -> ServedAws:
    """Serve a clip that is done, and listed so."""
    waiting.handle()
    wait_until(lambda: not waiting.clips.sent.waiting())
    return waiting


class TestTheClipsPage:
    """A clip, however far it is."""

    def test_its_player_has_links_by_the_same_addresses(self, done: ServedAws) -> None:
        """They lead to where the policy of the page admits media and images from."""
        server = done.server
        found = page(server, page_of(done))
        video = found.by_id["video"]
        assert (video["src"], video["poster"]) == (
            f"{done.name}/video",
            f"{done.name}/thumbnails/160",
        )
        policy = server.get(page_of(done)).headers["content-security-policy"]
        for address in (video["src"], video["poster"], found.by_id["download"]["href"]):
            moved = server.get(address, allow_redirects=False).headers["location"]
            assert moved.startswith(done.world.cloud.endpoint)
            assert server.get(address).status_code == 200
        assert f"media-src 'self' {done.world.cloud.endpoint};" in policy

    def test_it_shows_what_is_stored_and_offers_no_deletion(self, done: ServedAws) -> None:
        """The thumbnails with their sizes, and the recording that was used."""
        found = page(done.server, page_of(done))
        assert not {"delete", "deletion"} & found.by_id.keys()
        thumbnail = done.server.get(f"{done.name}/thumbnails/160").content
        assert size(len(thumbnail)) in found.text
        (source,) = done.server.get(f"{done.name}/manifest").json()["sources"]
        assert source["name"] in found.text

    def test_a_clip_that_waits_has_no_steps(self, waiting: ServedAws) -> None:
        """How far the function is, no port reports; nor can its request be taken back."""
        found = page(waiting.server, page_of(waiting))
        assert {"making", "progress"} <= found.by_id.keys()
        assert not {"steps", "delete", "deletion"} & found.by_id.keys()
        assert "in the queue, or the clip is being made" in found.text
        for file in FILES:
            answer = waiting.server.get(f"{waiting.name}/{file}")
            assert answer.json()["type"] == "/api#unknown-clip"
            assert answer.json()["detail"] == "It is not done."

    def test_a_clip_whose_object_is_gone_says_so(self, done: ServedAws) -> None:
        """Its clock cannot be read, either; its manifest can."""
        cloud = done.world.cloud
        cloud.s3.delete_object(Bucket=cloud.destination, Key=f"{done.world.key}.mp4")
        assert "The clip's file is gone." in page(done.server, page_of(done)).text
        statuses = [done.server.get(f"{done.name}/{file}").status_code for file in FILES]
        assert statuses == [200, 404]

    def test_an_unknown_clip_has_a_page_that_says_so(self, served: ServedAws) -> None:
        """Its files are problems."""
        assert "no such clip" in page(served.server, page_of(served), 404).text
        for file in FILES:
            answer = served.server.get(f"{served.name}/{file}")
            assert answer.json()["type"] == "/api#unknown-clip"
            assert "detail" not in answer.json()


class TestTheHistory:
    """The page of all clips."""

    def test_clips_that_wait_and_clips_that_are_done(self, done: ServedAws) -> None:
        """With thumbnails and downloads, and without a button to delete."""
        done.server.post(CLIPS, done.body(0, 1000, clipId="next"))
        found = page(done.server, "/clips")
        rows = [a["data-clip"] for tag, a in found.tags if tag == "li"]
        assert rows == ["next", done.world.clip_id]
        links = {a.get("src") or a.get("href") for _, a in found.tags}
        assert {f"{done.name}/thumbnails/160", f"{done.name}/video?download=true"} <= links
        assert "deletion" not in found.by_id
        assert not [a for _, a in found.tags if "delete" in a.get("class", "")]

    def test_the_clips_of_others_are_those_of_a_camera(self, done: ServedAws) -> None:
        """The page says so; the cameras can be chosen before any clip is."""
        other = message_body(request_in(done.body(0, 1000, clipId="other")))
        record = sqs_record(other, done.world.now_ms)
        done.function.handle_batch()({"Records": [record]}, lambda: 120_000)
        camera = done.world.camera_id
        every = page(done.server, "/clips")
        assert "requested on this server" in every.text
        assert camera in every.text
        chosen = page(done.server, f"/clips?camera={camera}")
        assert "requested on this server" not in chosen.text
        rows = {a["data-clip"] for tag, a in chosen.tags if tag == "li"}
        assert rows == {done.world.clip_id, "other"}

    def test_it_is_there_before_any_clip(self, served: ServedAws) -> None:
        """Without a request for each camera's clips."""
        assert "There are no clips" in page(served.server, "/clips").text


class TestEvidence:
    """A clip's manifest and clock."""

    def test_the_manifest_is_that_of_the_bucket(self, done: ServedAws) -> None:
        """As the function wrote it."""
        cloud = done.world.cloud
        key = f"{done.world.key}.json"
        stored = cloud.s3.get_object(Bucket=cloud.destination, Key=key)["Body"].read()
        assert done.server.get(f"{done.name}/manifest").content == stored

    def test_the_clock_has_every_frame(self, done: ServedAws) -> None:
        """It is read from the clip's own tables by ranges, and follows the wall clock."""
        clock = done.server.get(f"{done.name}/clock").json()
        data = done.server.get(f"{done.name}/video").content
        video = read_index(lambda at, length: data[at : at + length], len(data)).video
        assert video
        frames = 1 + sum(count for count, _ in clock["frames"]["runs"])
        assert (frames, clock["frames"]["timescale"]) == (len(video.pts), video.timescale)
        start_ms = done.body(1234, 3210)["startTimestampInMs"]
        assert clock["paces"][0] == {"clipInMs": 0, "seenTimestampInMs": start_ms, "rate": 1.0}

    def test_a_manifest_of_another_camera_is_no_manifest(self, done: ServedAws) -> None:
        """Of an object that was copied."""
        cloud = done.world.cloud
        source = f"{cloud.destination}/{done.world.key}.json"
        cloud.s3.copy_object(Bucket=cloud.destination, Key="boat/copied.json", CopySource=source)
        for file in FILES:
            assert done.server.get(f"{CLIPS}/boat/copied/{file}").status_code == 404


def test_the_list_of_cameras_says_how_long_a_window_of_footage_may_be(served: ServedAws) -> None:
    """Not a millisecond longer."""
    listed = served.server.get("/api/v1/cameras").json()
    camera, to_ms = served.world.camera_id, served.world.moment_ms
    for more_ms, status in ((0, 200), (1, 400)):
        bounds = f"from={to_ms - listed['maxFootageInMs'] - more_ms}&to={to_ms}"
        assert served.server.get(f"/api/v1/cameras/{camera}/footage?{bounds}").status_code == status


def test_a_clip_in_a_bucket_is_verified_by_the_command(done: ServedAws) -> None:
    """The page names it, and has no button; the address says so, too."""
    found = page(done.server, page_of(done))
    assert "verify" not in found.by_id
    assert f"camclip verify {done.world.key} --aws" in found.text
    answer = done.server.post(f"{done.name}/verification", None)
    assert (answer.status_code, answer.json()["type"]) == (501, "/api#no-verification")
