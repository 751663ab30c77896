"""A bucket's own list of its keys."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypedDict

from attrs import frozen

from domain.errors import Unavailable
from infrastructure.aws import call
from infrastructure.layouts.key_ranges import KeyRange
from infrastructure.s3.reading import written_ms

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef, ObjectTypeDef


class Start(TypedDict, total=False):
    """After which key a listing begins, if not at the first."""

    StartAfter: str


class Continued(TypedDict, total=False):
    """From where a listing goes on, if not from the beginning."""

    ContinuationToken: str


LISTED_AT_ONCE = 1000
"""S3 returns no more (S3 API reference, ListObjectsV2, `MaxKeys`)."""
MAX_REQUESTS = 100
"""For one range of keys."""
MAX_FOLDER_REQUESTS = 5
"""For the folders of one folder."""


@frozen
class ListedKey:
    """A key, and when its object was stored."""

    path: str
    """The key without the folder's prefix."""
    written_ms: int


@frozen
class BucketFolder:
    """The keys of a bucket that begin with a folder's name; of the whole bucket if it is empty."""

    client: "S3Client"
    bucket: str
    folder: str = ""
    subject: str = "recordings"
    """What it holds, for messages."""

    def keys_within(
        self, keys: KeyRange, next_place: Callable[[str], str], deadline_s: float
    ) -> Iterator[ListedKey]:
        """Yield the keys within a range, in order; keys that `next_place` skips may be missing."""
        after = keys.first
        for _ in range(MAX_REQUESTS):
            page = self._list(keys.prefix, after, LISTED_AT_ONCE, deadline_s)
            listed = [self._listed(row) for row in page.get("Contents", [])]
            for key in listed:
                if key.path in keys:
                    yield key
            if not page.get("IsTruncated") or not listed:
                return
            after = max(listed[-1].path, next_place(listed[-1].path))
            if after[: len(keys.last)] > keys.last:
                return
        raise Unavailable(
            f"More than {MAX_REQUESTS * LISTED_AT_ONCE} keys of {self.bucket} begin with"
            f" {self._prefix}{keys.prefix}: write RECORDING_PATTERN so that the camera's name and"
            " the time are at the beginning of the keys."
        )

    def first_keys(self, prefix: str, count: int, deadline_s: float) -> list[str]:
        """Return the first keys that begin so, without the folder's prefix."""
        page = self._list(prefix, "", count, deadline_s)
        return [self._listed(row).path for row in page.get("Contents", [])]

    def folders(self, within: str, deadline_s: float) -> list[str]:
        """Return the names of the folders in the folder `within`, which ends with a slash, if any.

        In the order of their text; where a bucket has very many, the first ones.
        """
        found: list[str] = []
        more: Continued = {}
        for _ in range(MAX_FOLDER_REQUESTS):
            page = self._folders_page(self._prefix + within, more, deadline_s)
            found += [
                row["Prefix"].removeprefix(self._prefix + within).rstrip("/")
                for row in page.get("CommonPrefixes", [])
            ]
            if not page.get("IsTruncated"):
                break
            more = {"ContinuationToken": page["NextContinuationToken"]}
        return found

    def _folders_page(
        self, prefix: str, more: Continued, deadline_s: float
    ) -> "ListObjectsV2OutputTypeDef":
        return call(
            f"S3, for the folders of {self.bucket},",
            deadline_s,
            lambda: self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=prefix, Delimiter="/", **more
            ),
        )

    @property
    def _prefix(self) -> str:
        return f"{self.folder}/" if self.folder else ""

    def _list(
        self, prefix: str, after: str, count: int, deadline_s: float
    ) -> "ListObjectsV2OutputTypeDef":
        start: Start = {"StartAfter": self._prefix + after} if after else {}
        return call(
            f"S3, for the list of {self.subject},",
            deadline_s,
            lambda: self.client.list_objects_v2(
                Bucket=self.bucket, Prefix=self._prefix + prefix, MaxKeys=count, **start
            ),
        )

    def _listed(self, row: "ObjectTypeDef") -> ListedKey:
        path = row["Key"].removeprefix(self._prefix)
        return ListedKey(path, written_ms(row["LastModified"]))
