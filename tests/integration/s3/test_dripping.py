"""Bodies that arrive byte by byte: given up at the deadline, without a thread or socket left."""

import threading
import time
from collections.abc import Callable, Mapping

import pytest

from domain.clip import ClipName
from domain.errors import DeadlineExceeded
from infrastructure.s3 import S3RecordingStore
from tests.contract.real import clients_of
from tests.contract.worlds import Footages
from tests.integration.s3.test_s3 import ETAG, SEGMENT, UNREAD, part
from tests.support.clip_store import clip_store
from tests.support.loopback import Loopback, Script, drip, head, loopback

LEFT_S = 0.5
RANGE = head("206 Partial Content", 1000, f"ETag: {ETAG}", "Content-Range: bytes 0-999/1000")
WHOLE = head("200 OK", 1000, f"ETag: {ETAG}")
BOXED = head(
    "200 OK",
    1000,
    f"ETag: {ETAG}",
    "Last-Modified: Wed, 15 Jul 2026 10:00:00 GMT",
    "x-amz-meta-coverage-bytes: 100",
)
NAME = ClipName("pier", "c1")


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    ends_s = time.monotonic() + seconds
    while not condition() and time.monotonic() < ends_s:
        time.sleep(0.02)
    return condition()


def open_recording(server: Loopback) -> None:
    recordings = S3RecordingStore(clients_of(server.url).s3, "bucket")
    recordings.open(SEGMENT, SEGMENT.window, time.monotonic() + LEFT_S)


def read_manifest(server: Loopback) -> None:
    clip_store(clients_of(server.url).s3, "bucket").read_manifest(NAME, time.monotonic() + LEFT_S)


def find_clip(server: Loopback) -> None:
    clip_store(clients_of(server.url).s3, "bucket").find(NAME, time.monotonic() + LEFT_S)


Action = Callable[[Loopback], None]
DRIPPED: Mapping[str, tuple[Action, tuple[Script, ...]]] = {
    "a recording's index": (open_recording, (drip(RANGE, b"x"),)),
    "a manifest": (read_manifest, (drip(WHOLE, b"x"),)),
    "a clip's last bytes": (
        find_clip,
        (lambda line: line.sendall(BOXED), drip(RANGE, b"x")),
    ),
}


@pytest.mark.parametrize("name", DRIPPED)
def test_a_dripped_body_is_given_up_at_the_deadline(name: str) -> None:
    """Its connection is closed and its thread ends; it is not requested again."""
    action, scripts = DRIPPED[name]
    threads = set(threading.enumerate())
    with loopback(*scripts) as server:
        began_s = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            action(server)
        assert time.monotonic() - began_s < LEFT_S + 1
        assert wait_for(lambda: server.closed_by_client == 1, 2)
        assert wait_for(lambda: not callers(threads), 2)
        assert len(server.requests) == len(scripts)


def test_a_dripped_range_is_given_up_at_the_deadline(footages: Footages) -> None:
    """Of a recording that is open: reads have its deadline."""
    data = footages.whole.data
    body = head(
        "206 Partial Content", 50, f"ETag: {ETAG}", f"Content-Range: bytes 0-49/{len(data)}"
    )
    with loopback(part(data), drip(body, b"x")) as server:
        store = S3RecordingStore(clients_of(server.url).s3, "bucket")
        recording = store.open(SEGMENT, SEGMENT.window, time.monotonic() + 3)
        threads = set(threading.enumerate())
        began_s = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            recording.read(UNREAD, 50)
        assert time.monotonic() - began_s < 4
        assert wait_for(lambda: not callers(threads) and server.closed_by_client == 1, 2)


def callers(before: set[threading.Thread]) -> list[threading.Thread]:
    """Return the threads since then that call S3, and not the server's."""
    return [
        thread
        for thread in set(threading.enumerate()) - before
        if type(thread).__module__ == "infrastructure.deadline"
    ]
