"""The deployed function, between moto's queue and topic and the gateway's buckets."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import boto3
from attrs import evolve, frozen
from botocore.config import Config

from devtools.footage import Recording, assert_clip, read_clip, wanted
from devtools.local_aws.cloud import REGION
from tests.campaigns.ceph.gateway import Gateway
from tests.campaigns.kills.function_process import Answer, function
from tests.support.service import CREDENTIALS, World, deployed

WIDTHS = (300, 640)
THUMBNAILS = {f"_{width}.jpg" for width in WIDTHS}
FINISHED = {".mp4", ".json", *THUMBNAILS}
"""What is stored of a clip, by the ends of the keys."""


@frozen
class Stage:
    """A gateway, and the resources of a deployment."""

    world: World
    gateway: Gateway
    folder: Path

    def new_clip(self, *films: Recording) -> World:
        """Return another clip of a camera with these recordings, with its own scratch folder."""
        world = self.world.new_camera(Path(mkdtemp(prefix="scratch-", dir=self.folder)))
        for film in films:
            world.record(film)
        return world

    def environ(self, world: World, url: str, **other: str) -> dict[str, str]:
        """Return the settings of a function that reaches S3 at `url`."""
        return {
            **world.environ(),
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL_S3": url,
            "S3_CONDITIONS": "auto",
            "AWS_CA_BUNDLE": str(self.gateway.ca_bundle),
            "THUMBNAIL_SIZES": " ".join(map(str, WIDTHS)),
            **other,
        }

    def faults_of(
        self, world: World, films: Sequence[Recording], window_ms: tuple[int, int]
    ) -> Iterator[str]:
        """Yield what is wrong with a finished clip."""
        stored = ends_of(world)
        if stored != FINISHED:
            yield f"stored: {sorted(stored)}"
        if set(world.statuses()) != {"CLIP_AVAILABLE"}:
            yield f"reported: {world.statuses()}"
        yield from self.uploads()
        if ".mp4" in stored:
            yield from _inexact(world, films, window_ms)

    def uploads(self) -> Iterator[str]:
        """Yield the incomplete uploads."""
        listed = self.world.s3.list_multipart_uploads(Bucket=self.world.cloud.destination)
        yield from (f"incomplete upload: {upload['Key']}" for upload in listed.get("Uploads", []))


def ends_of(world: World) -> set[str]:
    """Return the ends of the keys of the clip's objects."""
    return {key.removeprefix(world.key) for key in world.stored()}


def _inexact(world: World, films: Sequence[Recording], window_ms: tuple[int, int]) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        try:
            assert_clip(read_clip(world.download(Path(folder))), wanted(films, *window_ms))
        except (AssertionError, ValueError) as error:
            yield f"not exact: {' '.join(str(error).split())[:300]}"


def deliver(environ: dict[str, str], message: dict[str, Any]) -> Answer:
    """Deliver a message to a new process."""
    with function(environ) as process:
        process.deliver(message)
        return process.answer()


@contextmanager
def stage(gateway: Gateway, folder: Path) -> Iterator[Stage]:
    """Create the deployment."""
    session = boto3.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], region_name=REGION
    )
    s3 = session.client("s3", endpoint_url=gateway.http_url, config=Config(max_pool_connections=20))
    with deployed("ceph", folder, folder / "films") as world:
        for bucket in (world.cloud.origin, world.cloud.destination):
            s3.create_bucket(Bucket=bucket)
        yield Stage(evolve(world, cloud=evolve(world.cloud, s3=s3)), gateway, folder)
