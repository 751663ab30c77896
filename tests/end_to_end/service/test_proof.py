"""Clips of the deployed handler, verified in S3."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from typer.testing import CliRunner

from devtools.footage import Recording, constant_bitrate
from entrypoints.cli.app import app
from infrastructure.formats.coverage_box import PROOF_BOX_BYTES
from tests.support.keys import SIGNING_KEY, public_key
from tests.support.service import World, redelivered

FIRST = constant_bitrate(Recording(first_number=0, frames=120), 40_000)
SECOND = evolve(FIRST, first_number=120, start_ms=4_000)


@pytest.fixture
def made(world: World) -> World:
    """Make a clip of two recordings, copied inside S3."""
    world.record(FIRST)
    world.record(SECOND)
    assert world.handle(world.message(world.body(1_234, 6_987))) == []
    assert "-" in world.stored()[f"{world.key}.mp4"]["ETag"]
    return world


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pub"
    path.write_text(public_key(SIGNING_KEY))
    return path


def verify(world: World, key: Path, *options: str) -> list[dict[str, Any]]:
    """Verify the clip in its bucket; return what was changed."""
    arguments = ("verify", world.key, "--aws", "--json", "--public-key", str(key), *options)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code in {0, 1}, done.output
    found = json.loads(done.stdout)["findings"]
    changed = [each for each in found if each["judgement"] == "changed"]
    assert done.exit_code == bool(changed)
    return changed


def manifest(world: World) -> dict[str, Any]:
    members: dict[str, Any] = json.loads(world.stored()[f"{world.key}.json"]["Body"].read())
    return members


def changing(world: World, suffix: str, change: Callable[[bytes], bytes]) -> None:
    """Store an object of the clip again, with other bytes."""
    bucket, object_key = world.cloud.destination, world.key + suffix
    found = world.s3.get_object(Bucket=bucket, Key=object_key)
    world.s3.put_object(
        Bucket=bucket,
        Key=object_key,
        Body=change(found["Body"].read()),
        Metadata=found["Metadata"],
    )


def flipping(at: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_the_manifest_has_the_proof_of_each_byte_and_source(made: World, key: Path) -> None:
    """With keys, ETags, sizes, and the store's checksums where it gives them; it is signed."""
    written = manifest(made)
    origin, size = made.cloud.origin, made.stored()[f"{made.key}.mp4"]["ContentLength"]
    for source in written["sources"]:
        head = made.s3.head_object(Bucket=origin, Key=source["key"], ChecksumMode="ENABLED")
        assert source["version"] == head["ETag"]
        assert source["sizeInBytes"] == head["ContentLength"]
    # Most of the second recording is copied inside S3; the first one's range is too short for that.
    assert "checksum" not in written["sources"][0]
    assert written["sources"][1]["checksum"] == f"CRC32:{head['ChecksumCRC32']}"
    parts = [
        (p["offset"], p["length"]) for kind in ("own", "copied") for p in written["proof"][kind]
    ]
    assert sum(length for _, length in parts) == size
    assert {tool["name"] for tool in written["proof"]["tools"]} == {"camclip", "ffmpeg", "Python"}
    assert verify(made, key) == []


def test_a_crash_before_the_manifest_loses_no_proof(world: World, key: Path) -> None:
    """The delivery that resumes finds it with the clip."""
    world.record(FIRST)
    world.record(SECOND)
    message = world.message(world.body(1_234, 6_987))
    assert world.handle(message) == []
    before = manifest(world)
    world.s3.delete_object(Bucket=world.cloud.destination, Key=f"{world.key}.json")
    assert world.handle(redelivered(message)) == []
    after = manifest(world)
    assert before["sources"][1].pop("checksum")
    assert after["sources"] == before["sources"]
    assert {**after["proof"], "thumbnails": 0} == {**before["proof"], "thumbnails": 0}
    assert verify(world, key) == []


@pytest.mark.parametrize("kind", ["own", "copied"])
def test_a_changed_byte_is_named(made: World, key: Path, kind: str) -> None:
    """Of an encoded part by the part, of a copied one exactly."""
    part = manifest(made)["proof"][kind][-1]
    changing(made, ".mp4", flipping(part["offset"] + 7))
    (changed,) = verify(made, key)
    at = changed["range"]["offset"]
    assert at == part["offset"] + (7 if kind == "copied" else 0)
    assert changed["frames"] or kind == "own"
    assert ("copied" in changed["subject"]) == (kind == "copied")
    assert len(verify(made, key, "--offline")) == (kind == "own")


def test_changed_thumbnails_and_manifests_are_named(made: World, key: Path) -> None:
    """Each by itself."""
    changing(made, "_300.jpg", flipping(200))
    assert [each["subject"] for each in verify(made, key)] == ["thumbnail"]
    changing(made, ".json", lambda data: data.replace(b'"camclip"', b'"camclop"'))
    assert [each["subject"] for each in verify(made, key)] == ["signature", "thumbnail"]


def test_a_replaced_recording_is_named(made: World, key: Path) -> None:
    """By its ETag, whatever was changed."""
    source = manifest(made)["sources"][1]
    origin = made.cloud.origin
    data = made.s3.get_object(Bucket=origin, Key=source["key"])["Body"].read()
    made.put(source["name"], data[:-1] + bytes([data[-1] ^ 1]))
    changed = verify(made, key)
    assert ("source", source["name"]) in [(each["subject"], each["source"]) for each in changed]


def test_a_proof_too_long_for_the_metadata_is_at_the_end_of_the_clip(
    world: World, key: Path
) -> None:
    """Twenty recordings' proof is; a delivery that resumes finds it there."""
    small = Recording(first_number=0, frames=15, gop_frames=15)
    for number in range(20):
        world.record(evolve(small, first_number=15 * number, start_ms=500 * number))
    message = world.message(world.body(100, 9_900))
    assert world.handle(message) == []
    stored = world.stored()[f"{world.key}.mp4"]
    assert int(stored["Metadata"][PROOF_BOX_BYTES]) > 100
    assert verify(world, key) == []
    before = manifest(world)["proof"]["own"]
    world.s3.delete_object(Bucket=world.cloud.destination, Key=f"{world.key}.json")
    assert world.handle(redelivered(message)) == []
    assert manifest(world)["proof"]["own"] == before
    changing(world, ".mp4", flipping(stored["ContentLength"] - 20))
    assert [each["subject"] for each in verify(world, key)] == ["size"]


def test_what_is_not_there_is_no_clip(world: World, key: Path) -> None:
    """Nor does a rejected request have one to verify."""
    arguments = ("verify", world.key, "--aws", "--public-key", str(key))
    assert CliRunner().invoke(app, arguments).exit_code == 4
    assert world.handle(world.message(world.body(0, 10**6))) == []
    assert world.statuses() == ["CLIP_TOO_LONG"]
    assert CliRunner().invoke(app, arguments).exit_code == 4
