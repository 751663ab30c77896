"""An S3 in memory that enforces the rules other stand-ins ignore, and fails on demand.

It checks the conditions of copies, the sizes of parts and sources, the size and checksums of a
completed upload, each uploaded part against its checksum, and the size of the metadata.

Its switches make it as lax, or as strict, as other stores are:

| switch | a store that | seen with |
|---|---|---|
| `compares_sources` off | ignores the condition on copies | Ceph RGW 16.2 |
| `conditions_on_put` off | ignores If-None-Match on PUT | s3rver, fauxqs |
| `knows_condition_on_put` off | answers 501 to it | OpenStack Swift 2.30 |
| `conditions_on_complete` off | ignores it on Complete | Ceph RGW 16.2, s3rver |
| `own_codes` | answers 404 and 412 with codes of its own | OpenStack Swift 2.30 |
| `checksums_copies` off | rejects copied parts if checksums are named | MinIO (documented) |
| `wants_equal_parts` | rejects parts of unlike size but for the last | R2 (documented) |
"""

import base64
import hashlib
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from threading import Event, Lock
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from attrs import Factory, define, frozen

from devtools.local_aws.http_server import Request, Response, serve

MIN_PART_BYTES = 5 << 20
MAX_METADATA_BYTES = 2048
"""Of names and values (User Guide); MinIO counts the names with their prefix."""
NO_BODY: dict[str, str] = {}


@frozen
class S3Request:
    """A request as S3 understands it."""

    operation: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes


@frozen
class Stored:
    """An object."""

    data: bytes
    etag: str
    headers: Mapping[str, str]


@define
class Upload:
    """A multipart upload."""

    key: str
    headers: Mapping[str, str]
    parts: dict[int, Stored] = Factory(dict)

    @property
    def has_checksums(self) -> bool:
        return "x-amz-checksum-algorithm" in self.headers


Fault = Callable[[Callable[[], Response]], Response | None]
"""Returns the answer, possibly the proper one; None closes the connection."""


def error(status: int, code: str) -> Response:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>"
    return Response(status, text.encode())


def fails(status: int, code: str) -> Fault:
    """Return a fault that answers an error and does nothing."""
    return lambda _: error(status, code)


def lost(proper: Callable[[], Response]) -> None:
    """Apply the request and lose the answer."""
    proper()


def properly(proper: Callable[[], Response]) -> Response:
    """Answer without a fault."""
    return proper()


@define
class StrictS3:
    """The server: its objects, the requests so far, and the faults to come."""

    url: str = ""
    objects: dict[str, Stored] = Factory(dict)
    """By `bucket/key`."""
    uploads: dict[str, Upload] = Factory(dict)
    requests: list[S3Request] = Factory(list)
    numbers: Iterator[int] = Factory(count)
    """Of the uploads: an id is never used again."""
    faults: dict[str, list[Fault]] = Factory(dict)
    """By operation; the last one stays."""
    min_part_bytes: int = MIN_PART_BYTES
    """The smallest part; the source of a copy must be larger."""
    compares_sources: bool = True
    conditions_on_put: bool = True
    knows_condition_on_put: bool = True
    conditions_on_complete: bool = True
    own_codes: bool = False
    checksums_copies: bool = True
    wants_equal_parts: bool = False
    age_s: int = 0
    """How old every object says that it is."""
    over: Event = Factory(Event)
    lock: Any = Factory(Lock)

    def put(self, key: str, data: bytes, headers: dict[str, str] = NO_BODY) -> Stored:
        self.objects[key] = stored = Stored(data, _etag(data), headers)
        return stored

    def asked(self, operation: str) -> list[S3Request]:
        return [request for request in self.requests if request.operation == operation]

    def sent(self) -> list[S3Request]:
        """Return the parts that were sent to the uploads in progress, not to aborted ones."""
        return [part for part in self.asked("send") if part.query["uploadId"] in self.uploads]

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    def stalls(self, _: Callable[[], Response]) -> None:
        """Answer nothing until the test is over."""
        self.over.wait()

    def answer(self, request: S3Request) -> Response | None:
        with self.lock:
            self.requests.append(request)
            faults = self.faults.get(request.operation, [properly])
            fault = faults.pop(0) if len(faults) > 1 else faults[0]
        return fault(lambda: self._properly(request))

    def _properly(self, request: S3Request) -> Response:
        with self.lock:
            response: Response = getattr(self, "_" + request.operation)(request)
        if self.own_codes and response.status in {404, 412}:
            return error(response.status, "InvalidRequest")
        return response

    def _get(self, request: S3Request) -> Response:
        found = self.objects.get(request.key)
        if found is None:
            return error(404, "NoSuchKey")
        if request.headers.get("if-match", found.etag) != found.etag:
            return error(412, "PreconditionFailed")
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        headers = {"ETag": found.etag, **found.headers}
        if not span:
            return Response(200, found.data, headers)
        start, last = int(span[1]), int(span[2])
        headers["Content-Range"] = f"bytes {start}-{last}/{len(found.data)}"
        return Response(206, found.data[start : last + 1], headers)

    def _head(self, request: S3Request) -> Response:
        found = self.objects.get(request.key)
        if found is None:
            return Response(404)
        stored = time.gmtime(time.time() - self.age_s)
        then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", stored)
        headers = {"Last-Modified": then, "Content-Length": str(len(found.data)), **found.headers}
        return Response(200, b"", {"ETag": found.etag, **headers})

    def _put(self, request: S3Request) -> Response:
        if _metadata_bytes(request) > MAX_METADATA_BYTES:
            return error(400, "MetadataTooLarge")
        if "if-none-match" in request.headers:
            if not self.knows_condition_on_put:
                return error(501, "NotImplemented")
            if self.conditions_on_put and request.key in self.objects:
                return error(412, "PreconditionFailed")
        if _crc32(request.body) != request.headers.get(
            "x-amz-checksum-crc32", _crc32(request.body)
        ):
            return error(400, "BadDigest")
        return Response(
            200, b"", {"ETag": self.put(request.key, request.body, _kept(request)).etag}
        )

    def _create(self, request: S3Request) -> Response:
        if _metadata_bytes(request) > MAX_METADATA_BYTES:
            return error(400, "MetadataTooLarge")
        upload_id = f"upload-{next(self.numbers)}"
        self.uploads[upload_id] = Upload(request.key, request.headers)
        return _xml("InitiateMultipartUploadResult", UploadId=upload_id)

    def _send(self, request: S3Request) -> Response:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        checksum = _crc32(request.body)
        if request.headers.get("x-amz-checksum-crc32", checksum) != checksum:
            return error(400, "BadDigest")
        part = Stored(request.body, _etag(request.body), NO_BODY)
        upload.parts[int(request.query["partNumber"])] = part
        sent = {"x-amz-checksum-crc32": checksum} if upload.has_checksums else {}
        return Response(200, b"", {"ETag": part.etag, **sent})

    def _copy(self, request: S3Request) -> Response:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        source = self.objects.get(unquote(request.headers["x-amz-copy-source"]))
        if source is None:
            return error(404, "NoSuchKey")
        if self.compares_sources and (request.headers["x-amz-copy-source-if-match"] != source.etag):
            return error(412, "PreconditionFailed")
        if len(source.data) <= self.min_part_bytes:
            return error(400, "InvalidRequest")
        start, last = map(int, request.headers["x-amz-copy-source-range"][6:].split("-"))
        if last >= len(source.data):
            return error(400, "InvalidArgument")
        data = source.data[start : last + 1]
        part = Stored(data, _etag(data), NO_BODY)
        upload.parts[int(request.query["partNumber"])] = part
        if not upload.has_checksums or not self.checksums_copies:
            return _xml("CopyPartResult", ETag=part.etag)
        return _xml("CopyPartResult", ETag=part.etag, ChecksumCRC32=_crc32(data))

    def _complete(self, request: S3Request) -> Response:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        is_conditional = self.conditions_on_complete and "if-none-match" in request.headers
        if is_conditional and request.key in self.objects:
            return error(412, "PreconditionFailed")
        listed = re.findall(r"<Part>(.*?)</Part>", request.body.decode(), re.DOTALL)
        parts = [upload.parts[int(_tag(text, "PartNumber"))] for text in listed]
        if len(parts) != len(upload.parts):
            return error(400, "InvalidPart")
        for part, text in zip(parts, listed, strict=True):
            if _tag(text, "ETag").replace("&quot;", '"') != part.etag:
                return error(400, "InvalidPart")
            if upload.has_checksums and _tag(text, "ChecksumCRC32") != _crc32(part.data):
                return error(400, "InvalidPart")
        if self.wants_equal_parts and len({len(part.data) for part in parts[:-1]}) > 1:
            return error(400, "InvalidPart")
        if any(len(part.data) < self.min_part_bytes for part in parts[:-1]):
            return error(400, "EntityTooSmall")
        data = b"".join(part.data for part in parts)
        if int(request.headers["x-amz-mp-object-size"]) != len(data):
            return error(400, "InvalidRequest")
        del self.uploads[request.query["uploadId"]]
        stored = self.put(upload.key, data, _kept(upload))
        return _xml("CompleteMultipartUploadResult", ETag=stored.etag)

    def _delete(self, request: S3Request) -> Response:
        self.objects.pop(request.key, None)
        return Response(204)

    def _abort(self, request: S3Request) -> Response:
        if self.uploads.pop(request.query["uploadId"], None) is None:
            return error(404, "NoSuchUpload")
        return Response(204)


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def _kept(about: S3Request | Upload) -> dict[str, str]:
    kept = r"content-type|cache-control|x-amz-meta-.*"
    return {name: text for name, text in about.headers.items() if re.fullmatch(kept, name)}


def _metadata_bytes(request: S3Request) -> int:
    own = (item for item in request.headers.items() if item[0].startswith("x-amz-meta-"))
    return sum(len(name) + len(text) for name, text in own)


def _xml(name: str, **fields: str) -> Response:
    inside = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items())
    return Response(200, f"<?xml version='1.0'?><{name}>{inside}</{name}>".encode())


def _tag(text: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    return found[1] if found else ""


def _operation(method: str, query: dict[str, str], headers: Mapping[str, str]) -> str:
    if method == "PUT" and "partNumber" in query:
        return "copy" if "x-amz-copy-source" in headers else "send"
    if method == "POST":
        return "create" if "uploads" in query else "complete"
    return "abort" if method == "DELETE" and "uploadId" in query else method.lower()


@contextmanager
def strict_s3() -> Iterator[StrictS3]:
    """Serve on a free loopback port."""
    served = StrictS3()

    def answer(request: Request) -> Response | None:
        url = urlsplit(request.target)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        operation = _operation(request.method, query, request.headers)
        key = unquote(url.path).lstrip("/")
        return served.answer(S3Request(operation, key, query, dict(request.headers), request.body))

    with serve(answer) as served.url:
        yield served
        served.over.set()
