"""A stored clip with its manifest and thumbnails, fetched to be verified."""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from application.ports import ThumbnailSpec
from domain.clip import ClipName
from domain.errors import Unavailable
from infrastructure.aws import call
from infrastructure.formats.object_keys import clip_key, manifest_key, sidecar_key, thumbnail_key
from infrastructure.s3.bodies import BodyReader
from infrastructure.s3.reading import head_if_any, read_if_any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READ_BYTES = 8 << 20
READ_S = 60
"""How long one read may take."""


def fetch_manifest(
    client: "S3Client", bucket: str, name: ClipName, deadline_s: float
) -> str | None:
    """Return the text of a clip's manifest; None if there is none."""
    data = read_if_any(client, bucket, manifest_key(name), deadline_s)
    try:
        return None if data is None else data.decode()
    except UnicodeDecodeError as error:
        raise Unavailable(f"{manifest_key(name)} is no text in UTF-8.") from error


def fetch_clip(client: "S3Client", bucket: str, name: ClipName, folder: Path) -> Path | None:
    """Write the clip to `folder`, whatever it is; None if there is none."""
    key = clip_key(name)
    head = head_if_any(client, bucket, key, time.monotonic() + READ_S)
    if head is None:
        return None
    path, size_bytes = folder / "clip.mp4", head["ContentLength"]
    with path.open("wb") as file:
        for at in range(0, size_bytes, READ_BYTES):
            last = min(at + READ_BYTES, size_bytes) - 1
            file.write(_read(client, bucket, key, f"bytes={at}-{last}", head["ETag"]))
    return path


def fetch_thumbnails(
    client: "S3Client", bucket: str, name: ClipName, spec: ThumbnailSpec, folder: Path
) -> dict[int, Path]:
    """Write the thumbnails that are there to `folder`; return them by width."""
    found: dict[int, Path] = {}
    for width in spec.widths:
        key = thumbnail_key(name, width, spec.format)
        data = read_if_any(client, bucket, key, time.monotonic() + READ_S)
        if data is not None:
            found[width] = folder / f"{width}.{spec.format}"
            found[width].write_bytes(data)
    return found


def fetch_sidecars(
    client: "S3Client", bucket: str, name: ClipName, names: Iterable[str], folder: Path
) -> dict[str, Path]:
    """Write the sidecars of these names that are there to `folder`; return them by name."""
    found: dict[str, Path] = {}
    for sidecar in names:
        key = sidecar_key(name, sidecar)
        data = read_if_any(client, bucket, key, time.monotonic() + READ_S)
        if data is not None:
            found[sidecar] = folder / f"sidecar.{sidecar}"
            found[sidecar].write_bytes(data)
    return found


def _read(client: "S3Client", bucket: str, key: str, bounds: str, etag: str) -> bytes:
    reader = BodyReader()

    def get() -> bytes:
        answer = client.get_object(Bucket=bucket, Key=key, Range=bounds, IfMatch=etag)
        return reader.read(answer["Body"])

    return call(f"S3, for {key},", time.monotonic() + READ_S, get, abort=reader.abort)
