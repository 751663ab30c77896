"""The HTTP proxy between a pipeline and moto; `benchmarks.link` says what it does."""

import hashlib
import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote, urlsplit

from attrs import Factory, asdict, define

CHUNK_BYTES = 64 << 10
BURST_S = 0.005
COPIED_BYTES_PER_S = 250e6
"""What S3 is taken to copy inside, for each part: an assumption, not a measurement."""
RECORDINGS = "recordings"
PASSED = "/-/passed"
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "host", "te", "upgrade"}


@define
class Passed:
    """A request that passed the link, with its answer; times are of the monotonic clock."""

    method: str
    target: str
    """Path and query."""
    began_s: float
    ended_s: float
    up_bytes: int = 0
    down_bytes: int = 0
    copied_bytes: int = 0
    """How much S3 copied inside."""


class Pace:
    """Lets bytes pass, whoever's they are, at one rate."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s, self._lock, self._free_at = bytes_per_s, Lock(), 0.0

    def take(self, count: int) -> None:
        """Return when `count` more bytes have passed."""
        with self._lock:
            begins = max(self._free_at, time.monotonic() - BURST_S)
            self._free_at = until = begins + count / self._bytes_per_s
        time.sleep(max(0.0, until - time.monotonic()))


@define
class Upload:
    """An upload in parts, on its way."""

    path: str
    headers: dict[str, str]
    parts: dict[int, bytes] = Factory(dict)
    complete: bool = False

    def store(self, port: int) -> None:
        """Put the object to moto."""
        store = http.client.HTTPConnection("127.0.0.1", port)
        body = b"".join(data for _, data in sorted(self.parts.items()))
        store.request("PUT", self.path, body, self.headers)
        answer = store.getresponse()
        answer.read()
        store.close()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"moto answered {answer.status}")


class Server(ThreadingHTTPServer):
    """The proxy, in front of a folder of recordings and of moto."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, recordings: Path, store_port: int, bytes_per_s: float, latency_s: float
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recordings, self.store_port, self.latency_s = recordings, store_port, latency_s
        self.down, self.up = Pace(bytes_per_s), Pace(bytes_per_s)
        self.passed: list[Passed] = []
        """What passed since it was last asked for."""
        self.uploads: dict[str, Upload] = {}

    def settle(self) -> None:
        """Store the objects whose uploads are complete in moto."""
        for upload_id in [name for name, upload in self.uploads.items() if upload.complete]:
            self.uploads.pop(upload_id).store(self.store_port)


def _describes(header: str) -> bool:
    """Return whether a header of a request describes the stored object."""
    return header.lower().startswith("x-amz-meta-") or header in {"Content-Type", "Cache-Control"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    passed: Passed

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""

    def _answer(self) -> None:
        if self.path == PASSED:
            self.server.settle()
            passed, self.server.passed = self.server.passed, []
            body = json.dumps([asdict(request) for request in passed]).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        now_s = time.monotonic()
        self.passed = Passed(self.command, self.path, now_s, now_s + self.server.latency_s)
        self.server.passed.append(self.passed)
        time.sleep(self.server.latency_s)
        found = re.fullmatch(rf"/{RECORDINGS}/([\w.-]+)(\?.*)?", self.path)
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if found and self.command in {"GET", "HEAD"}:
            self._from_file(self.server.recordings / found[1])
        elif "uploads" in query or "uploadId" in query:
            self._upload(query)
        else:
            self._from_store()
        self.passed.ended_s = time.monotonic()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names

    def _upload(self, query: dict[str, str]) -> None:
        uploads = self.server.uploads
        body = b""
        for chunk, _ in self._body():
            self._take(chunk)
            body += chunk
        if "uploads" in query:
            about = {name: value for name, value in self.headers.items() if _describes(name)}
            upload_id = f"upload-{len(uploads)}-{time.monotonic_ns()}"
            uploads[upload_id] = Upload(urlsplit(self.path).path, about)
            bucket, _, key = urlsplit(self.path).path.strip("/").partition("/")
            return self._reply(
                f"<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key>"
                f"<UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>"
            )
        upload = uploads[query["uploadId"]]
        source = self.headers.get("x-amz-copy-source")
        if source:
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers["x-amz-copy-source-range"])
            assert asked  # noqa: S101 - S3 takes no other form
            length = int(asked[2]) + 1 - int(asked[1])
            with (self.server.recordings / unquote(source).rpartition("/")[2]).open("rb") as file:
                file.seek(int(asked[1]))
                upload.parts[int(query["partNumber"])] = file.read(length)
            self.passed.copied_bytes = length
            time.sleep(length / COPIED_BYTES_PER_S)
            return self._reply('<CopyPartResult><ETag>"copied"</ETag></CopyPartResult>')
        if "partNumber" in query:
            upload.parts[int(query["partNumber"])] = body
            return self._reply("", ETag='"sent"')
        if self.command == "DELETE":
            del uploads[query["uploadId"]]
            return self._reply("")
        upload.complete = True
        return self._reply(
            "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>"
        )

    def _reply(self, xml: str, **headers: str) -> None:
        data = xml.encode()
        self.send_response(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self._write(data)

    def _from_file(self, path: Path) -> None:
        if not path.is_file():
            return self._refuse(HTTPStatus.NOT_FOUND, "NoSuchKey")
        stat = path.stat()
        etag = hashlib.sha256(f"{path} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:32]
        if self.headers.get("If-Match", etag).strip('"') != etag:
            return self._refuse(HTTPStatus.PRECONDITION_FAILED, "PreconditionFailed")
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        end = min(int(asked[2]) + 1, stat.st_size) if asked and asked[2] else stat.st_size
        if asked and first >= stat.st_size:
            return self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "InvalidRange")
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{stat.st_size}")
        self.send_header("Content-Length", str(end - first))
        self.send_header("Content-Type", "video/mp4")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("Last-Modified", self.date_time_string(int(stat.st_mtime)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "GET":
            with path.open("rb") as file:
                file.seek(first)
                self._send(file, end - first)
        return None

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        body = f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self._write(body)

    def _from_store(self) -> None:
        store = http.client.HTTPConnection("127.0.0.1", self.server.store_port)
        try:
            store.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP - {"host", "transfer-encoding"}:
                    store.putheader(name, value)
            store.endheaders()
            for chunk, framed in self._body():
                self._take(chunk)
                store.send(framed)
            answer = store.getresponse()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            if answer.length is None and self.command != "HEAD":
                self.close_connection = True
                self.send_header("Connection", "close")
            self.end_headers()
            while chunk := answer.read(CHUNK_BYTES):
                self._write(chunk)
        finally:
            store.close()

    def _body(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the request's body in pieces: what counts of it, and how it is passed on."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while length := int((line := self.rfile.readline()).split(b";")[0], 16):
                chunk = self.rfile.read(length)
                yield chunk, line + chunk + self.rfile.readline()
            yield b"", line + self.rfile.readline()
            return
        left = int(self.headers.get("Content-Length", 0))
        while left:
            chunk = self.rfile.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise ConnectionError("the request broke off")
            left -= len(chunk)
            yield chunk, chunk

    def _send(self, file: BinaryIO, length: int) -> None:
        while length and (chunk := file.read(min(length, CHUNK_BYTES))):
            self._write(chunk)
            length -= len(chunk)

    def _take(self, chunk: bytes) -> None:
        self.server.up.take(len(chunk))
        self.passed.up_bytes += len(chunk)

    def _write(self, chunk: bytes) -> None:
        self.server.down.take(len(chunk))
        self.passed.down_bytes += len(chunk)
        self.passed.ended_s = time.monotonic()
        self.wfile.write(chunk)
