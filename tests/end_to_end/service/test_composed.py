"""Clips large enough to be put together inside S3, through the deployed handler."""

import json
from pathlib import Path

from attrs import evolve

from devtools.footage import Recording, assert_clip, constant_bitrate, read_clip, wanted
from tests.support.service import World

FIRST = constant_bitrate(Recording(first_number=0, frames=120), 40_000)
SECOND = evolve(FIRST, first_number=120, start_ms=4_000)


def test_a_large_clip_is_put_together_inside_s3(world: World, tmp_path: Path) -> None:
    """It is exact, whole under its name, and its manifest names both sources by their ETags."""
    names = [world.record(FIRST), world.record(SECOND)]
    assert world.handle(world.message(world.body(1_234, 6_987))) == []
    stored = world.stored()[f"{world.key}.mp4"]
    assert stored["ContentLength"] > 20 << 20
    # An ETag with a hyphen is that of an upload in parts.
    assert "-" in stored["ETag"]
    assert "immutable" in stored["CacheControl"]
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST, SECOND], 1_234, 6_987))

    manifest = json.loads(world.stored()[f"{world.key}.json"]["Body"].read())
    heads = [
        world.s3.head_object(Bucket=world.cloud.origin, Key=f"rewinds/{name}") for name in names
    ]
    assert [source["version"] for source in manifest["sources"]] == [h["ETag"] for h in heads]
    assert manifest["footage"]["copiedFrames"] > 120
    ranges = [r["length"] for source in manifest["sources"] for r in source["ranges"]]
    assert 0.8 * stored["ContentLength"] < sum(ranges) < stored["ContentLength"]
    uploads = world.s3.list_multipart_uploads(Bucket=world.cloud.destination)
    assert "Uploads" not in uploads
