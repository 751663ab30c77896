"""Faults during a multipart upload that copies inside S3, through the whole handler.

The S3 here enforces the rules of copying, which moto does not, and allows small parts.
"""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from attrs import evolve, frozen
from dependency_injector import providers

from devtools.footage import Recording, wanted
from devtools.local_aws.http_server import Response
from entrypoints.container import AwsService, aws_service
from infrastructure.aws import CONFIG
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.transcoder.transcoder import FfmpegTranscoder
from tests.end_to_end.service.tripwire import Crash, hung
from tests.support.clip_store import clip_store
from tests.support.exact_clip import ExactClip
from tests.support.service import Context, World
from tests.support.strict_s3 import StrictS3, fails, lost, properly, strict_s3

FIRST = Recording(first_number=0, frames=90, gop_frames=30, size=(160, 90))
SECOND = evolve(FIRST, first_number=90, start_ms=3000)
MIN_PART_BYTES = 12 << 10
"""So that the clip has parts of either kind, but not too many to be killed between any two."""
FROM_MS, TO_MS = 300, 5_567
EXACT = ExactClip(wanted([FIRST, SECOND], FROM_MS, TO_MS))


@frozen
class Composing:
    """The service with a strict S3, and a request for a clip of two recordings."""

    world: World
    server: StrictS3
    service: AwsService

    def deliver(self, world: World | None = None, received: int = 1) -> list[str]:
        """Deliver the request, always as the same message; return the ids of those that failed."""
        clip = world or self.world
        message = clip.message(clip.body(FROM_MS, TO_MS), received=received)
        return clip.handle({**message, "messageId": clip.clip_id})

    def objects(self, world: World | None = None) -> dict[str, bytes]:
        """Return the clip's objects by the ends of their keys."""
        clip = world or self.world
        prefix = f"{clip.cloud.destination}/{clip.key}"
        return {
            key.removeprefix(prefix): stored.data
            for key, stored in self.server.objects.items()
            if key.startswith(prefix)
        }

    def check(self, folder: Path, world: World | None = None) -> None:
        """Assert that the clip is exact, reported only as available, and published."""
        path = folder / "clip.mp4"
        path.write_bytes(self.objects(world)[".mp4"])
        EXACT.check(path)
        clip = world or self.world
        assert set(clip.statuses()) == {"CLIP_AVAILABLE"}
        assert {note["Message"]["status"] for note in clip.published()} == {"CLIP_AVAILABLE"}
        assert set(self.objects(world)) > {".mp4", ".json"}

    def check_unreported(self) -> None:
        """Assert that no clip is stored, reported or published."""
        assert ".mp4" not in self.objects()
        assert not self.world.reports()
        assert not self.world.published()


@pytest.fixture
def composing(world: World) -> Iterator[Composing]:
    """Wire another service as deployed, but for S3."""
    with strict_s3() as server:
        server.min_part_bytes = MIN_PART_BYTES
        client = boto3.client("s3", endpoint_url=server.url, config=CONFIG)
        service = aws_service(os.environ, lambda _: None)
        bucket = world.cloud.destination
        service.s3.override(providers.Object(client))
        service.clips.override(
            providers.Singleton(clip_store, client, bucket, min_part_bytes=MIN_PART_BYTES)
        )
        service.transcoder.override(
            providers.Singleton(
                FfmpegTranscoder, find_ffmpeg({}), min_copied_range_bytes=MIN_PART_BYTES
            )
        )

        def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
            answer: dict[str, Any] = service.handle_batch()(
                event, context.get_remaining_time_in_millis
            )
            return answer

        clip = evolve(world, cloud=evolve(world.cloud, s3=client), handler=handler)
        for recording in (FIRST, SECOND):
            clip.record(recording)
        server.requests.clear()
        yield Composing(clip, server, service)
        client.close()


def test_two_recordings_are_copied_into_one_clip(composing: Composing, tmp_path: Path) -> None:
    """In one upload, of which nothing is left; the manifest names what was copied."""
    assert composing.deliver() == []
    composing.check(tmp_path)
    assert len(composing.server.asked("copy")) >= 2
    assert not composing.server.uploads
    sources = json.loads(composing.objects()[".json"])["sources"]
    assert all(source["ranges"] for source in sources)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_the_next_delivery_ends_right(
    composing: Composing, tmp_path: Path, after: bool
) -> None:
    """Between any two parts too: the abandoned upload does not matter.

    test_crashes.py covers the calls before the upload.
    """
    with hung(composing.service) as tripwire:
        whole = composing.world.new_clip("whole")
        assert composing.deliver(whole) == []
        begins = tripwire.calls.index("CreateMultipartUpload mp4")
        lefts: list[int] = []
        for at in count(begins):
            clip = composing.world.new_clip(f"{at:03}")
            composing.server.uploads.clear()
            tripwire.set(at, after=after)
            try:
                assert composing.deliver(clip) == []
                break
            except Crash:
                died = f"{tripwire.calls[at]}, the call no. {at}"
            assert ".mp4" in composing.objects(clip) or not clip.reports(), died
            left = len(composing.server.uploads)

            tripwire.set()
            assert composing.deliver(clip, received=2) == [], died
            composing.check(tmp_path, clip)
            assert len(composing.server.uploads) == left, died
            lefts.append(left)
    assert lefts[0] == after
    assert 1 in lefts
    assert lefts[-1] == 0
    made = [call.split()[0] for call in tripwire.calls]
    assert made.count("UploadPartCopy") >= 2
    assert made.count("UploadPart") >= 2
    assert {"CreateMultipartUpload", "CompleteMultipartUpload"} < set(made)


def test_a_completion_whose_answer_is_lost_is_our_own(composing: Composing, tmp_path: Path) -> None:
    """The SDK repeats the call and gets 412: this delivery is the writer, so it goes on."""
    composing.server.faults["complete"] = [lost, properly]
    assert composing.deliver() == []
    composing.check(tmp_path)
    assert len(composing.world.published()) == 1
    assert len(composing.server.asked("complete")) == 2


def test_a_recording_replaced_before_it_is_copied_makes_no_clip(
    composing: Composing, tmp_path: Path
) -> None:
    """Nothing is published of a mixture; the next delivery takes the new one."""
    key = next(
        key for key in composing.server.objects if key.startswith(composing.world.cloud.origin)
    )
    film = composing.server.objects[key].data

    def replaced(proper: Callable[[], Response]) -> Response:
        composing.server.put(key, film + (8).to_bytes(4, "big") + b"free")
        return proper()

    composing.server.faults["create"] = [replaced, properly]
    assert len(composing.deliver()) == 1
    composing.check_unreported()
    assert not composing.server.uploads
    assert composing.deliver(received=2) == []
    composing.check(tmp_path)


@pytest.mark.parametrize("operation", ["send", "copy", "complete"])
def test_an_upload_that_expired_is_started_again(
    composing: Composing, tmp_path: Path, operation: str
) -> None:
    """The lifecycle rule, or a person, aborted it while the clip was made."""

    def expired(proper: Callable[[], Response]) -> Response:
        composing.server.uploads.clear()
        return proper()

    composing.server.faults[operation] = [expired, properly]
    assert len(composing.deliver()) == 1
    composing.check_unreported()
    assert composing.deliver(received=2) == []
    composing.check(tmp_path)


def test_another_delivery_s_clip_is_left_alone(composing: Composing, tmp_path: Path) -> None:
    """The second delivery fails, and finds the clip announced when it is repeated."""
    first = composing.world.message(composing.world.body(FROM_MS, TO_MS))

    def overtaken(proper: Callable[[], Response]) -> Response:
        assert composing.world.handle(first) == []
        return proper()

    composing.server.faults["complete"] = [overtaken, properly]
    assert len(composing.deliver()) == 1
    composing.check(tmp_path)
    assert len(composing.world.published()) == 1
    assert not composing.server.uploads


def test_a_store_that_does_not_copy_gets_every_byte(composing: Composing, tmp_path: Path) -> None:
    """The clip is the same."""
    composing.server.faults["copy"] = [fails(501, "NotImplemented")]
    assert composing.deliver() == []
    composing.check(tmp_path)
