"""Finished clips in S3, with their thumbnails and manifests."""

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from attrs import Factory, field, frozen

from application.ports import ClipStore, Rendition
from domain.clip import ClipName, ClipRequest
from domain.clip_label import ClipLabel
from domain.coverage import Coverage
from domain.errors import NotRecordedYet, Unavailable
from domain.manifest import Manifest, StoredClip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import call
from infrastructure.formats.coverage_box import with_box, without_box
from infrastructure.formats.manifests import Sign, manifest_json, read_manifest
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    sidecar_key,
    stored_clip,
    thumbnail_key,
)
from infrastructure.s3.bodies import BodyReader
from infrastructure.s3.claims import S3Claims, claimed
from infrastructure.s3.new_objects import NewObjects, SentObject
from infrastructure.s3.parts import AnyPiece, BytesPiece
from infrastructure.s3.reading import head_if_any, read_if_any
from infrastructure.s3.recordings import S3Recording, S3RecordingStore

SMALL_CONCURRENCY = 4
Name = TypeVar("Name")

CACHE_IMMUTABLE = "public, max-age=31536000, immutable"
"""A finished clip never changes."""
CACHE_ONE_HOUR = "public, max-age=3600"
"""Another delivery of the request may store the files next to the clip again."""
CONTENT_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "vtt": "text/vtt; charset=utf-8",
}
"""By the end of a key. WebVTT is always UTF-8 (W3C, "WebVTT", 4)."""


@frozen
class S3ClipStore(ClipStore):
    """The destination bucket."""

    objects: NewObjects
    delivery_timeout_ms: int = 300_000
    """The maximum duration of a delivery: a claim that is older belongs to none."""
    zone: tzinfo = UTC
    """The zone of the times in download names."""
    sign: Sign | None = None
    """Signs manifests."""

    _sent: dict[str, SentObject] = field(init=False, eq=False, repr=False, default=Factory(dict))
    """Clips on their way, by key."""

    def look(self, name: ClipName, deadline_s: float) -> tuple[StoredClip | None, Manifest | None]:
        """Ask for both at once."""
        with ThreadPoolExecutor(1) as another:
            manifest = another.submit(self.read_manifest, name, deadline_s)
            return self.find(name, deadline_s), manifest.result()

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Read the clip's metadata, and the box at its end if the metadata name one."""
        key = clip_key(name)
        head = head_if_any(self.objects.client, self.objects.bucket, key, deadline_s)
        if head is None:
            return None
        stored_at_ms = int(head["LastModified"].timestamp() * 1000)

        def read_last(length: int) -> bytes:
            size_bytes = head["ContentLength"]
            if not 0 < length <= size_bytes:
                raise ValueError(f"{length} of {size_bytes} bytes are no box")
            return self._read_last(key, head["ETag"], size_bytes, length, deadline_s)

        try:
            metadata = without_box(head["Metadata"], read_last)
        except ValueError:
            return stored_clip({}, stored_at_ms)
        return stored_clip(metadata, stored_at_ms)

    def _read_last(
        self, key: str, etag: str, size_bytes: int, length: int, deadline_s: float
    ) -> bytes:
        reader = BodyReader()

        def get() -> bytes:
            bounds = f"bytes={size_bytes - length}-{size_bytes - 1}"
            objects = self.objects
            answer = objects.client.get_object(
                Bucket=objects.bucket, Key=key, Range=bounds, IfMatch=etag
            )
            return reader.read(answer["Body"])

        data = call(f"S3, for {key},", deadline_s, get, abort=reader.abort)
        if len(data) != length:
            raise Unavailable(f"S3, for {key}, answered {len(data)} bytes instead of {length}.")
        return data

    def open(self, name: ClipName, deadline_s: float) -> S3Recording:
        """Open the clip's object."""
        key, start = clip_key(name), TimeWindow(0, 1)
        store = S3RecordingStore(self.objects.client, self.objects.bucket, tolerance_ms=0)
        try:
            return store.open(RecordingSegment(start, key), start, deadline_s)
        except NotRecordedYet as error:
            raise Unavailable(f"There is no clip {key}.") from error

    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> Mapping[int, str]:
        """Store each picture under its width, in the format that its file's name says."""
        keys = {
            width: thumbnail_key(name, width, path.suffix.removeprefix("."))
            for width, path in thumbnails.items()
        }
        return self._put_all(keys, thumbnails, deadline_s)

    def store_sidecars(
        self, name: ClipName, sidecars: Mapping[str, Path], deadline_s: float
    ) -> Mapping[str, str]:
        """Store each file under its name."""
        keys = {sidecar: sidecar_key(name, sidecar) for sidecar in sidecars}
        return self._put_all(keys, sidecars, deadline_s)

    def _put_all(
        self, keys: Mapping[Name, str], paths: Mapping[Name, Path], deadline_s: float
    ) -> dict[Name, str]:
        """Store small files under their keys, several at once; return the SHA-256 of each."""
        with ThreadPoolExecutor(SMALL_CONCURRENCY) as several:
            stored = {
                name: several.submit(self._put, key, paths[name], deadline_s)
                for name, key in keys.items()
            }
            return {name: hashed.result() for name, hashed in stored.items()}

    def _put(self, key: str, path: Path, deadline_s: float) -> str:
        """Store a small file, in place of any that was there; return its SHA-256."""
        data = path.read_bytes()
        kind = CONTENT_TYPES[key.rpartition(".")[2]]
        headers = {"ContentType": kind, "CacheControl": CACHE_ONE_HOUR}
        self.objects.put(key, data, headers, deadline_s)
        return hashlib.sha256(data).hexdigest()

    @contextmanager
    def sending(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> Iterator[None]:
        """Create and fill the multipart upload, if there will be one; `commit` completes it."""
        key, pieces, headers = self._object(request, rendition, writer, coverage)
        sent = self.objects.send(key, pieces, headers, deadline_s)
        if sent is None:
            yield
            return
        self._sent[key] = sent
        try:
            yield
        finally:
            self._sent.pop(key, None)
            sent.abort()

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> None:
        """Assemble the pieces inside S3, as far as they are ranges of its own recordings.

        All other bytes are uploaded: as parts of the same multipart upload, or in a single request
        if that is all, or less than 10 MiB. If the store does not copy, the ranges are uploaded,
        too.
        """
        key, pieces, headers = self._object(request, rendition, writer, coverage)
        with self._alone(request, writer, deadline_s):
            self.objects.store(key, pieces, headers, deadline_s, self._sent.get(key))

    def _object(
        self, request: ClipRequest, rendition: Rendition, writer: str, coverage: Coverage
    ) -> tuple[str, tuple[AnyPiece, ...], dict[str, Any]]:
        """Return the key, the bytes and the headers of a clip."""
        described, box = with_box(
            metadata(request, rendition.media, writer, coverage, rendition.evidence)
        )
        label = ClipLabel(request.name, request.window, self.zone)
        headers = {
            "ContentType": "video/mp4",
            "ContentDisposition": f'inline; filename="{label.file_name}"',
            "CacheControl": CACHE_IMMUTABLE,
            "Metadata": described,
        }
        pieces = (*rendition.pieces, BytesPiece(box, 0, len(box)))
        return clip_key(request.name), pieces, headers

    def _alone(
        self, request: ClipRequest, writer: str, deadline_s: float
    ) -> AbstractContextManager[None]:
        """Return a block in which no other delivery stores the clip, where a claim is needed."""
        conditions = self.objects.conditions(deadline_s)
        if conditions.on_complete or not conditions.on_put:
            return nullcontext()
        claims = S3Claims(self.objects.client, self.objects.bucket, request, writer, deadline_s)
        return claimed(claims, self.delivery_timeout_ms)

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Get the manifest's JSON."""
        key = manifest_key(name)
        text = read_if_any(self.objects.client, self.objects.bucket, key, deadline_s)
        if text is None:
            return None
        try:
            return read_manifest(text.decode())
        except ValueError as error:
            raise Unavailable(f"In {key}, {error}.") from error

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Put the manifest's JSON, under If-None-Match where it may not replace one."""
        key, text = manifest_key(name), manifest_json(manifest, self.sign).encode()
        headers = {"ContentType": "application/json", "CacheControl": "no-cache"}
        if replace:
            self.objects.put(key, text, headers, deadline_s)
        else:
            self.objects.store(key, [BytesPiece(text, 0, len(text))], headers, deadline_s)
