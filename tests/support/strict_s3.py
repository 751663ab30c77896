"""An S3 in memory that keeps the rules which other stand-ins do not, and fails on demand.

It checks the conditions of copies, the sizes of parts and sources, the size and the checksums of an
upload that is completed, and what was sent against its checksum.
"""

import base64
import hashlib
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

from attrs import Factory, define, frozen

MIN_PART_BYTES = 5 << 20
NO_BODY: dict[str, str] = {}


@frozen
class Reply:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = NO_BODY


@frozen
class Request:
    """What was asked."""

    operation: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes


@frozen
class Stored:
    """An object."""

    data: bytes
    etag: str
    headers: dict[str, str]


@define
class Upload:
    """A multipart upload."""

    key: str
    headers: dict[str, str]
    parts: dict[int, Stored] = Factory(dict)


Fault = Callable[[Callable[[], Reply]], Reply | None]
"""Makes the reply, perhaps by the proper one; None closes the connection."""


def error(status: int, code: str) -> Reply:
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>"
    return Reply(status, text.encode())


def fails(status: int, code: str) -> Fault:
    """Answer an error, and do nothing."""
    return lambda _: error(status, code)


def lost(proper: Callable[[], Reply]) -> None:
    """Do what was asked, and never say so."""
    proper()


def properly(proper: Callable[[], Reply]) -> Reply:
    """Fail not."""
    return proper()


@define
class StrictS3:
    """The server: what it stores, what it was asked, and how it shall fail."""

    url: str = ""
    objects: dict[str, Stored] = Factory(dict)
    """By `bucket/key`."""
    uploads: dict[str, Upload] = Factory(dict)
    requests: list[Request] = Factory(list)
    faults: dict[str, list[Fault]] = Factory(dict)
    """By operation; the last one stays."""
    min_part_bytes: int = MIN_PART_BYTES
    """What a part must have at least, and a source more than."""
    over: Event = Factory(Event)
    lock: Any = Factory(Lock)

    def put(self, key: str, data: bytes, headers: dict[str, str] = NO_BODY) -> Stored:
        self.objects[key] = stored = Stored(data, _etag(data), headers)
        return stored

    def asked(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation == operation]

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    def stalls(self, _: Callable[[], Reply]) -> None:
        """Answer nothing until the test is over, and do nothing."""
        self.over.wait()

    def answer(self, request: Request) -> Reply | None:
        with self.lock:
            self.requests.append(request)
            faults = self.faults.get(request.operation, [properly])
            fault = faults.pop(0) if len(faults) > 1 else faults[0]
        return fault(lambda: self._properly(request))

    def _properly(self, request: Request) -> Reply:
        with self.lock:
            reply: Reply = getattr(self, "_" + request.operation)(request)
            return reply

    def _get(self, request: Request) -> Reply:
        found = self.objects.get(request.key)
        if found is None:
            return error(404, "NoSuchKey")
        if request.headers.get("if-match", found.etag) != found.etag:
            return error(412, "PreconditionFailed")
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        headers = {"ETag": found.etag, **found.headers}
        if not span:
            return Reply(200, found.data, headers)
        start, last = int(span[1]), int(span[2])
        headers["Content-Range"] = f"bytes {start}-{last}/{len(found.data)}"
        return Reply(206, found.data[start : last + 1], headers)

    def _head(self, request: Request) -> Reply:
        found = self.objects.get(request.key)
        if found is None:
            return Reply(404)
        now = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        return Reply(200, b"", {"ETag": found.etag, "Last-Modified": now, **found.headers})

    def _put(self, request: Request) -> Reply:
        if "if-none-match" in request.headers and request.key in self.objects:
            return error(412, "PreconditionFailed")
        return Reply(200, b"", {"ETag": self.put(request.key, request.body, _kept(request)).etag})

    def _create(self, request: Request) -> Reply:
        upload_id = f"upload-{len(self.requests)}"
        self.uploads[upload_id] = Upload(request.key, request.headers)
        return _xml("InitiateMultipartUploadResult", UploadId=upload_id)

    def _send(self, request: Request) -> Reply:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        checksum = _crc32(request.body)
        if request.headers.get("x-amz-checksum-crc32", checksum) != checksum:
            return error(400, "BadDigest")
        part = Stored(request.body, _etag(request.body), NO_BODY)
        upload.parts[int(request.query["partNumber"])] = part
        return Reply(200, b"", {"ETag": part.etag, "x-amz-checksum-crc32": checksum})

    def _copy(self, request: Request) -> Reply:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        source = self.objects.get(unquote(request.headers["x-amz-copy-source"]))
        if source is None:
            return error(404, "NoSuchKey")
        if request.headers["x-amz-copy-source-if-match"] != source.etag:
            return error(412, "PreconditionFailed")
        if len(source.data) <= self.min_part_bytes:
            return error(400, "InvalidRequest")
        start, last = map(int, request.headers["x-amz-copy-source-range"][6:].split("-"))
        if last >= len(source.data):
            return error(400, "InvalidArgument")
        data = source.data[start : last + 1]
        part = Stored(data, _etag(data), NO_BODY)
        upload.parts[int(request.query["partNumber"])] = part
        return _xml("CopyPartResult", ETag=part.etag, ChecksumCRC32=_crc32(data))

    def _complete(self, request: Request) -> Reply:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None:
            return error(404, "NoSuchUpload")
        if "if-none-match" in request.headers and request.key in self.objects:
            return error(412, "PreconditionFailed")
        listed = re.findall(r"<Part>(.*?)</Part>", request.body.decode(), re.DOTALL)
        parts = [upload.parts[int(_tag(text, "PartNumber"))] for text in listed]
        if len(parts) != len(upload.parts):
            return error(400, "InvalidPart")
        for part, text in zip(parts, listed, strict=True):
            if _tag(text, "ETag").replace("&quot;", '"') != part.etag:
                return error(400, "InvalidPart")
            if _tag(text, "ChecksumCRC32") != _crc32(part.data):
                return error(400, "InvalidRequest")
        if any(len(part.data) < self.min_part_bytes for part in parts[:-1]):
            return error(400, "EntityTooSmall")
        data = b"".join(part.data for part in parts)
        if int(request.headers["x-amz-mp-object-size"]) != len(data):
            return error(400, "InvalidRequest")
        del self.uploads[request.query["uploadId"]]
        stored = self.put(upload.key, data, _kept(upload))
        return _xml("CompleteMultipartUploadResult", ETag=stored.etag)

    def _delete(self, request: Request) -> Reply:
        self.objects.pop(request.key, None)
        return Reply(204)

    def _abort(self, request: Request) -> Reply:
        if self.uploads.pop(request.query["uploadId"], None) is None:
            return error(404, "NoSuchUpload")
        return Reply(204)


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def _crc32(data: bytes) -> str:
    return base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()


def _kept(about: Request | Upload) -> dict[str, str]:
    kept = r"content-type|cache-control|x-amz-meta-.*"
    return {name: text for name, text in about.headers.items() if re.fullmatch(kept, name)}


def _xml(name: str, **fields: str) -> Reply:
    inside = "".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in fields.items())
    return Reply(200, f"<?xml version='1.0'?><{name}>{inside}</{name}>".encode())


def _tag(text: str, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", text)
    return found[1] if found else ""


def _operation(method: str, query: dict[str, str], headers: dict[str, str]) -> str:
    if method == "PUT" and "partNumber" in query:
        return "copy" if "x-amz-copy-source" in headers else "send"
    if method == "POST":
        return "create" if "uploads" in query else "complete"
    return "abort" if method == "DELETE" and "uploadId" in query else method.lower()


@contextmanager
def strict_s3() -> Iterator[StrictS3]:
    """Serve on a free port of this machine."""
    served = StrictS3()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer waits 40 ms for an acknowledgement

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            parts = urlsplit(self.path)
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            headers = {name.lower(): text for name, text in self.headers.items()}
            if headers.get("expect") == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self.rfile.read(int(headers.get("content-length", 0)))
            operation = _operation(self.command, query, headers)
            key = unquote(parts.path).lstrip("/")
            reply = served.answer(Request(operation, key, query, headers, body))
            self.close_connection = reply is None
            if reply is None:
                return
            self.send_response_only(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Let a client go away."""

    server = Server(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield served
    served.over.set()
    server.shutdown()
    server.server_close()
