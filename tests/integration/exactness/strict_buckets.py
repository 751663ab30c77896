"""Clips copied inside a strict S3 whose parts may be as small as 4 KiB."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen

from application.ports import RecordingPiece, Rendition
from domain.clip import ClipRequest
from domain.coverage import Coverage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import CONFIG
from infrastructure.s3 import S3Recording, S3RecordingStore
from tests.contract.real import aws_session
from tests.integration.exactness.camera import DEADLINE_S, TOLERANCE_MS, Buckets
from tests.support.clip_store import clip_store
from tests.support.strict_s3 import StrictS3, strict_s3

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIN_PART_BYTES = 4096
REQUEST = ClipRequest("composed", "pier", 0, 1000)


@frozen
class StrictBuckets(Buckets):
    """Two buckets of an S3 that enforces every rule of copying."""

    server: StrictS3
    client: "S3Client"

    def open(
        self, segment: RecordingSegment, data: bytes, window: TimeWindow | None = None
    ) -> S3Recording:
        """Store the bytes, and open them with the service's own store."""
        self.server.put(f"recordings/{segment.name}", data)
        deadline_s = time.monotonic() + DEADLINE_S
        return S3RecordingStore(self.client, "recordings", tolerance_ms=TOLERANCE_MS).open(
            segment, window or segment.window, deadline_s
        )

    def join(self, rendition: Rendition) -> bytes:
        """Commit the clip with the service's own store; long ranges must be copied, not read."""
        self.server.objects.pop("clips/pier/composed.mp4", None)
        self.server.requests.clear()
        clips = clip_store(self.client, "clips", min_part_bytes=MIN_PART_BYTES)
        clips.commit(REQUEST, rendition, "m#1", Coverage(), time.monotonic() + DEADLINE_S)
        clip = self.server.objects["clips/pier/composed.mp4"].data
        assert clip == super().join(rendition)
        assert not self.server.uploads
        lengths = [p.length for p in rendition.pieces if isinstance(p, RecordingPiece)]
        # Up to a part of a range is uploaded, to pad our own bytes before it.
        assert self.server.asked("copy") or max(lengths, default=0) < 2 * MIN_PART_BYTES
        return clip


@contextmanager
def strict_buckets() -> Iterator[StrictBuckets]:
    """Serve two empty buckets."""
    with strict_s3() as server:
        server.min_part_bytes = MIN_PART_BYTES
        client = aws_session().client("s3", endpoint_url=server.url, config=CONFIG)
        yield StrictBuckets(server, client)
        client.close()
