"""The recorder's files in S3."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import urllib3
from attrs import Factory, field, frozen
from botocore.exceptions import BotoCoreError

from application.ports import Opened, RecordingStore
from domain.errors import NotRecordedYet, RecordingChanged, Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.aws import call
from infrastructure.mp4.index import first_read_bytes
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.recording import Mp4Recording, open_mp4
from infrastructure.s3.bodies import BodyReader

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

OPEN_CONCURRENCY = 8
"""Each holds an index in memory, usually of a few MiB."""
CHECKSUMS = ("SHA256", "SHA1", "CRC64NVME", "CRC32C", "CRC32")
"""The algorithms that S3 knows, the strongest first."""
MAX_READS = 3
"""How often a range is requested whose stream breaks off."""


@frozen
class _Range:
    """Bytes of an object, with its size and ETag at that time."""

    data: bytes
    size_bytes: int
    etag: str
    version_id: str = ""


@frozen(eq=False)
class S3Recording(Mp4Recording):
    """A recording whose `version` is its ETag, and its place, for S3 to copy ranges of it."""

    bucket: str
    key: str
    version_id: str = ""
    _given: dict[str, str] = field(init=False, repr=False, default=Factory(dict))

    @property
    def checksum(self) -> str:  # type: ignore[override]
        """S3's own of the whole object, if `note_checksum` was called with one."""
        return self._given.get("checksum", "")

    def note_checksum(self, answer: "HeadObjectOutputTypeDef") -> None:
        """Keep the checksum in an answer about the object, if it is of the whole object.

        One of a multipart upload may be of its parts' checksums (S3 User Guide, "Checking object
        integrity"): these have a hyphen.
        """
        for algorithm in CHECKSUMS:
            value = str(answer.get(f"Checksum{algorithm}", ""))
            if value and "-" not in value and answer.get("ChecksumType") != "COMPOSITE":
                self._given["checksum"] = f"{algorithm}:{value}"
                return


@frozen
class S3RecordingStore(RecordingStore):
    """The recorder's bucket."""

    client: "S3Client"
    bucket: str
    folder: str = ""
    tolerance_ms: int = 1000

    def open(self, segment: RecordingSegment, window: TimeWindow, deadline_s: float) -> S3Recording:
        """Read the index; the first read, which it needs anyway, also returns size and ETag."""
        name = segment.name
        key = "/".join(filter(None, [self.folder.strip("/"), name]))
        reader = BodyReader()
        first = call(
            f"S3, for {name},",
            deadline_s,
            lambda: self._get(reader, key, 0, first_read_bytes(segment.window.duration_ms)),
            {
                "404": NotRecordedYet(f"{name} is not stored yet."),
                "416": NotRecordedYet(f"{name} is still empty."),
            },
            reader.abort,
        )
        if first.size_bytes == 0:
            raise NotRecordedYet(f"{name} is still empty.")
        changed = RecordingChanged(f"{name} was replaced while it was read.")

        def fetch(offset: int, length: int) -> bytes:
            reader = BodyReader()  # reads are concurrent
            found = call(
                f"S3, for {name},",
                deadline_s,
                lambda: self._get(reader, key, offset, length, IfMatch=first.etag),
                {"412": changed, "404": changed, "416": changed},
                reader.abort,
            )
            if found.etag != first.etag:  # some S3 clones ignore If-Match
                raise changed
            if len(found.data) != length:
                raise Unavailable(f"S3 returned {len(found.data)} of {length} bytes of {name}.")
            return found.data

        file = RangeCache(fetch, first.size_bytes)
        file.add(0, first.data)
        opened = open_mp4(segment, window, first.etag, file, self.tolerance_ms)
        place = self.bucket, key, first.version_id
        return S3Recording(opened.segment, opened.version, opened.index, file, *place)

    def open_all(
        self, segments: Sequence[RecordingSegment], window: TimeWindow, deadline_s: float
    ) -> list[Opened]:
        """Open several at once: most of the time passes until S3 answers."""
        openers = ThreadPoolExecutor(OPEN_CONCURRENCY)
        try:
            return list(
                openers.map(lambda segment: self._opened(segment, window, deadline_s), segments)
            )
        finally:
            openers.shutdown(wait=False, cancel_futures=True)

    def _get(
        self, reader: BodyReader, key: str, offset: int, length: int, **conditions: str
    ) -> _Range:
        """Get up to `length` bytes, again if the stream breaks off."""
        for read in range(1, MAX_READS + 1):
            answer = self.client.get_object(
                Bucket=self.bucket,
                Key=key,
                Range=f"bytes={offset}-{offset + length - 1}",
                **conditions,  # type: ignore[arg-type]
            )
            body = answer["Body"]
            with body:
                if answer["ContentLength"] == 0:
                    return _Range(b"", 0, answer["ETag"])
                size = answer.get("ContentRange", "").rpartition("/")[2]
                if not size.isdecimal():
                    raise Unavailable("S3 does not support range requests.")
                try:
                    data, version_id = reader.read(body), answer.get("VersionId", "")
                    return _Range(data, int(size), answer["ETag"], version_id)
                except (BotoCoreError, urllib3.exceptions.HTTPError):
                    if read == MAX_READS or reader.is_aborted:
                        raise
        raise AssertionError
