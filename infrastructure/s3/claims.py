"""Claims: one delivery at a time stores a clip, where completing an upload has no condition.

A claim is a small object next to the clip, made by a conditional PUT. One that its delivery left
behind is never replaced, but followed by the claim of the next number, so that the conditional PUT
alone decides between two deliveries that find it.
"""

import json
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TYPE_CHECKING
from uuid import uuid4

from attrs import Factory, frozen

from application.ports import AlreadyExists
from domain.clip import ClipRequest
from domain.errors import AlreadyInProgress, ClipError, RecordingChanged
from infrastructure.aws import call
from infrastructure.formats.object_keys import claim_key
from infrastructure.s3.checksums import checksum
from infrastructure.s3.reading import head_if_any, read_if_any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOG = logging.getLogger(__name__)

STORED_NOTHING = (AlreadyExists, RecordingChanged)
"""Errors after which nothing can be stored any more; after others, a late effect is possible."""


class Claims(ABC):
    """The claims of one clip, by number."""

    @abstractmethod
    def create(self, number: int) -> bool:
        """Make the claim; return False if it exists."""

    @abstractmethod
    def age_ms(self, number: int) -> int:
        """Return for how long the claim has existed; 0 if it does not."""

    @abstractmethod
    def delete(self, number: int) -> None:
        """Delete the claim, if that is possible."""


@contextmanager
def claimed(claims: Claims, timeout_ms: int) -> Iterator[None]:
    """Hold a claim while the block looks for the clip and stores it.

    AlreadyInProgress if another delivery holds a claim: one that is younger than `timeout_ms`, the
    longest that a delivery takes. The claim is deleted when the block ends, unless the block may
    still store something.
    """
    number = _claim(claims, timeout_ms)
    try:
        yield
    except STORED_NOTHING:
        _delete_up_to(claims, number)
        raise
    _delete_up_to(claims, number)


def _claim(claims: Claims, timeout_ms: int) -> int:
    for number in count():
        if claims.create(number):
            return number
        if claims.age_ms(number) < timeout_ms:
            break
    raise AlreadyInProgress("Another delivery is storing the clip.")


def _delete_up_to(claims: Claims, number: int) -> None:
    """Delete the claim and those it followed: these first, or a new one could follow them."""
    for earlier in range(number + 1):
        claims.delete(earlier)


def claim_text(request: ClipRequest, writer: str, token: str) -> bytes:
    """Return what a claim says: whose it is, for people, and the token that no other has."""
    members = {"writer": writer, "fingerprint": request.fingerprint, "token": token}
    return json.dumps(members).encode()


@frozen
class S3Claims(Claims):
    """Claims to a request's clip, for one delivery of it."""

    client: "S3Client"
    bucket: str
    request: ClipRequest
    writer: str
    deadline_s: float
    token: str = Factory(lambda: uuid4().hex)
    """Distinguishes the claims of this delivery from all others."""

    def create(self, number: int) -> bool:
        """Put the claim under If-None-Match; if there is one, read whether it is this one."""
        key = claim_key(self.request.name, number)
        text = claim_text(self.request, self.writer, self.token)
        there_is_one = AlreadyExists(f"There is a claim {key} already.")
        try:
            call(
                f"S3, for {key},",
                self.deadline_s,
                lambda: self.client.put_object(
                    Bucket=self.bucket,
                    Key=key,
                    Body=text,
                    ContentType="application/json",
                    IfNoneMatch="*",
                    **checksum(self.client, text),
                ),
                {"412": there_is_one},
            )
        except AlreadyExists:
            # The library may have tried again after a lost answer.
            return read_if_any(self.client, self.bucket, key, self.deadline_s) == text
        return True

    def age_ms(self, number: int) -> int:
        """Compare the times of the store's answer, so that this machine's clock does not matter."""
        key = claim_key(self.request.name, number)
        head = head_if_any(self.client, self.bucket, key, self.deadline_s)
        if head is None:
            return 0
        date = head["ResponseMetadata"]["HTTPHeaders"].get("date")
        now_s = parsedate_to_datetime(date).timestamp() if date else time.time()
        return int(1000 * (now_s - head["LastModified"].timestamp()))

    def delete(self, number: int) -> None:
        """Delete the claim; if that fails, it is ignored once it is old enough."""
        key = claim_key(self.request.name, number)
        try:
            call(
                f"S3, for {key},",
                self.deadline_s,
                lambda: self.client.delete_object(Bucket=self.bucket, Key=key),
            )
        except ClipError as error:
            LOG.info("A claim is left behind: %s", error)
