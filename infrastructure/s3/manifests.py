"""The manifests in the clips' bucket, for those who only read them."""

import re
from itertools import islice
from typing import TYPE_CHECKING

import attrs
from attrs import frozen

from domain.clip import IDENTIFIER, ClipName
from domain.errors import Unavailable
from domain.manifest import Manifest
from infrastructure.formats.manifests import read_manifest
from infrastructure.formats.object_keys import manifest_key
from infrastructure.layouts.key_ranges import KeyRange
from infrastructure.s3.listing import BucketFolder
from infrastructure.s3.reading import head_if_any, read_dated_if_any, read_if_any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MAX_LISTED_KEYS = 6000
"""Of one camera: a thousand clips, each with its manifest and four thumbnails."""
MANIFEST = re.compile(rf"({IDENTIFIER})/({IDENTIFIER})\.json")


class NoManifest(Unavailable):
    """The object is no manifest."""


@frozen
class StoredManifest:
    """A manifest, and when it was stored, in ms since the epoch."""

    manifest: Manifest
    changed_at_ms: int


@frozen
class S3Manifests:
    """The manifests of a bucket."""

    client: "S3Client"
    bucket: str

    def read(self, name: ClipName, deadline_s: float) -> StoredManifest | None:
        """Return the manifest of a clip, None if there is none; NoManifest if it is none."""
        key = manifest_key(name)
        found = read_dated_if_any(self.client, self.bucket, key, deadline_s)
        if found is None:
            return None
        try:
            return StoredManifest(read_manifest(found.data.decode()), found.written_ms)
        except ValueError as error:
            raise NoManifest(f"In {key}, {error}.") from error

    def newest(self, camera_id: str, count: int, deadline_s: float) -> list[ClipName]:
        """Return which clips of a camera have manifests, those of the newest manifests first.

        The first MAX_LISTED_KEYS keys of the camera are looked through, in the order of their text.
        """
        prefix = f"{camera_id}/"
        there = BucketFolder(self.client, self.bucket, subject="clips")
        listed = there.keys_within(KeyRange(prefix, prefix, prefix), str, deadline_s)
        found = [
            (key.written_ms, ClipName(*match.groups()))
            for key in islice(listed, MAX_LISTED_KEYS)
            if (match := MANIFEST.fullmatch(key.path))
        ]
        found.sort(key=lambda entry: (-entry[0], attrs.astuple(entry[1])))
        return [name for _, name in found[:count]]

    def has(self, key: str, deadline_s: float) -> bool:
        """Return whether there is an object of that key."""
        return self.size_bytes(key, deadline_s) is not None

    def size_bytes(self, key: str, deadline_s: float) -> int | None:
        """Return the size of an object, None if there is none."""
        found = head_if_any(self.client, self.bucket, key, deadline_s)
        return found["ContentLength"] if found else None

    def bytes_of(self, key: str, deadline_s: float) -> bytes | None:
        """Return the bytes of a small object, None if there is none."""
        return read_if_any(self.client, self.bucket, key, deadline_s)
