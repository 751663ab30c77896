"""The camera API as it fails: what a server may do, and what must come of it."""

import gzip
import json
import time
from collections.abc import Callable

import pytest

from application.ports import Listing, ThumbnailSpec
from domain.clip import ClipReport, ClipStatus
from domain.errors import AccessDenied, ClipDeleted, DeadlineExceeded, Rejected, Unavailable
from domain.window import TimeWindow
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.formats.reports import ReportFormat
from tests.support.loopback import Script, answer, drip, head, loopback, stall

WINDOW = TimeWindow(1_534_341_619_000, 1_534_341_639_000)
REPORT = ClipReport("c1", ClipStatus.PENDING, "pier", WINDOW.start_ms, WINDOW.end_ms)
FORMAT = ReportFormat("clips", "https://clips.example", ThumbnailSpec((300,)))
ALIAS = answer("200 OK", b'{"alias": "the pier/..?#"}')
ROW = {
    "startDate": "2018-08-15T14:00:19.000Z",
    "endDate": "2018-08-15T14:10:19.000Z",
    "recordingUrl": "https://x.example/a.mp4",
}
LIST = answer("200 OK", json.dumps([ROW]).encode())
EMPTY = answer("200 OK", b"[]")
JSON = "Content-Type: application/json"
UNKNOWN = answer("404 Not Found", b'{"message": "Not Found"}', JSON)
PAGE = answer(
    "404 Not Found", b"<html><h1>404</h1> no such page </html>", "Content-Type: text/html"
)
BUSY = answer("503 Service Unavailable", b"busy")

Ask = Callable[[HttpCameraService, float], object]


def find(api: HttpCameraService, left_s: float = 10) -> list[str]:
    found = api.find_segments("pier", WINDOW, time.monotonic() + left_s)
    return [segment.name for segment in found.segments]


def record(api: HttpCameraService, left_s: float = 10) -> None:
    api.update_clip(REPORT, time.monotonic() + left_s)


ASKS = pytest.mark.parametrize("ask", [find, record])


def api_at(url: str, max_call_s: float = 30) -> HttpCameraService:
    return HttpCameraService(url + "/v1/", url, FORMAT, max_call_s=max_call_s)


def test_the_addresses_are_those_agreed_upon() -> None:
    """The alias cannot leave its place in the path, whatever it is."""
    with loopback(ALIAS, LIST, answer("200 OK", b"thanks")) as server:
        api = api_at(server.url)
        assert find(api) == ["a.mp4"]
        record(api)
    camera, listed, put = server.requests
    assert camera.startswith("GET /v1/cameras/pier HTTP/1.1\r\n")
    assert listed.startswith(
        "GET /cameras/recording/the%20pier%2F..%3F%23"
        "?startDate=1534341619000&endDate=1534341639000&allowPartialMatch=true HTTP/1.1\r\n"
    )
    assert "\r\nAccept-Encoding: identity\r\n" in listed
    assert put.startswith("PUT /v1/cameras/clips/c1 HTTP/1.1\r\n")
    assert "\r\nContent-Type: application/json\r\n" in put
    assert json.loads(put.partition("\r\n\r\n")[2]) == FORMAT.report(REPORT)


def test_what_is_listed_beyond_the_window_is_left_out() -> None:
    """The API's idea of an overlap need not be ours."""
    later = {**ROW, "startDate": WINDOW.end_ms, "recordingUrl": "later.mp4"}
    with loopback(ALIAS, answer("200 OK", json.dumps([later, ROW, ROW]).encode())) as server:
        assert find(api_at(server.url)) == ["a.mp4", "a.mp4"]


@pytest.mark.parametrize("status", ["429 Too Many", "500 Oops", "502 Bad", "503 Busy", "504 Slow"])
@ASKS
def test_a_passing_fault_is_retried_twice(ask: Ask, status: str) -> None:
    """A PUT too: storing a state twice is storing it once."""
    faults = [answer(status), answer(status)]
    with loopback(*faults, ALIAS, *faults, EMPTY) as server:
        ask(api_at(server.url), 10)
    assert len(server.requests) == (6 if ask is find else 3)


@pytest.mark.parametrize("fault", [BUSY, lambda line: line.close()], ids=["503", "hung up"])
@ASKS
def test_a_lasting_fault_is_unavailable(ask: Ask, fault: Script) -> None:
    """After three attempts, soon; it is never read as an empty list."""
    began_s = time.monotonic()
    with loopback(fault) as server, pytest.raises(Unavailable):
        ask(api_at(server.url), 10)
    assert len(server.requests) == 3
    assert time.monotonic() - began_s < 2


@ASKS
def test_nobody_there_is_unavailable(ask: Ask) -> None:
    """A refused connection, and a name that does not exist."""
    with loopback(BUSY) as server:
        pass
    for url in (server.url, "http://nowhere.invalid", "http://a..b", "https://" + "a" * 70):
        with pytest.raises((Unavailable, DeadlineExceeded)):
            ask(api_at(url), 3)


@ASKS
def test_a_server_without_tls_is_unavailable(ask: Ask) -> None:
    """It answers a handshake with plain text."""
    with loopback(BUSY) as server, pytest.raises(Unavailable):
        ask(api_at(server.url.replace("http:", "https:")), 3)


@pytest.mark.parametrize("waits", ["1", "0"])
def test_a_short_retry_after_is_honoured(waits: str) -> None:
    """As long as it says."""
    began_s = time.monotonic()
    with loopback(answer("503 Busy", b"", f"Retry-After: {waits}"), ALIAS, EMPTY) as server:
        assert find(api_at(server.url)) == []
    assert int(waits) <= time.monotonic() - began_s < int(waits) + 1


def test_a_long_retry_after_is_cut_off_by_the_deadline() -> None:
    """An hour is no reason to sleep for it."""
    began_s = time.monotonic()
    fault = answer("503 Busy", b"", "Retry-After: 3600")
    with loopback(fault) as server, pytest.raises(DeadlineExceeded):
        find(api_at(server.url), 1)
    assert time.monotonic() - began_s < 2


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
@ASKS
def test_a_denial_is_unavailable_at_once(ask: Ask, status: str) -> None:
    """Asking again would be denied again; the text holds no secret of the address."""
    with loopback(answer(status)) as server:
        url = server.url.replace("//", "//user:secret@")
        with pytest.raises(AccessDenied, match=status[:3]) as caught:
            ask(api_at(url), 10)
        assert "secret" not in str(caught.value) + repr(api_at(url))
    assert len(server.requests) == 1


OWN = {
    "an object": UNKNOWN,
    "an object of another type": answer("404 Not Found", b'{"detail": "unknown"}'),
    "problem details": answer(
        "404 Not Found", b'{"status": 404}', "Content-Type: application/problem+json"
    ),
    "nothing, as JSON": answer("404 Not Found", b"", JSON),
    "a text, as JSON": answer("404 Not Found", b'"no such camera"', f"{JSON}; charset=utf-8"),
}
FOREIGN = {
    "a page": PAGE,
    "a page called JSON": answer("404 Not Found", b"<html>404</html>", JSON),
    "nothing": answer("404 Not Found"),
    "nothing, as a page": answer("404 Not Found", b"", "Content-Type: text/html"),
    "text": answer("404 Not Found", b"404 page not found\n", "Content-Type: text/plain"),
    "a number": answer("404 Not Found", b"404", "Content-Type: text/plain"),
    "endless JSON": answer("404 Not Found", b"{}" + b" " * (1 << 20), JSON),
    "deep JSON": answer("404 Not Found", b"[" * 100_000, JSON),
}


@pytest.mark.parametrize("kind", OWN)
def test_an_unknown_camera_is_refused_but_an_unknown_list_is_not(kind: str) -> None:
    """Only the camera's own address can say that there is no such camera."""
    with loopback(OWN[kind]) as server, pytest.raises(Rejected, match="unknown camera"):
        find(api_at(server.url))
    with loopback(ALIAS, OWN[kind]) as server, pytest.raises(Unavailable):
        find(api_at(server.url))


@pytest.mark.parametrize("kind", FOREIGN)
@ASKS
def test_a_gateways_404_says_nothing_of_a_camera_or_a_clip(ask: Ask, kind: str) -> None:
    """Neither that the camera is unknown nor that the clip was deleted: the message goes back."""
    with loopback(FOREIGN[kind], ALIAS) as server, pytest.raises(Unavailable):
        ask(api_at(server.url), 10)


@pytest.mark.parametrize("kind", OWN)
def test_a_deleted_clip_is_reported(kind: str) -> None:
    """By a 404 of an API that knows the clip's camera."""
    with loopback(OWN[kind], ALIAS) as server, pytest.raises(ClipDeleted):
        record(api_at(server.url))
    assert [request.partition(" HTTP")[0] for request in server.requests] == [
        "PUT /v1/cameras/clips/c1",
        "GET /v1/cameras/pier",
    ]
    with loopback(answer("410 Gone")) as server, pytest.raises(Unavailable):
        record(api_at(server.url))


@pytest.mark.parametrize(
    "camera",
    [UNKNOWN, PAGE, BUSY, answer("200 OK", b"{}"), answer("200 OK", b"<html>"), answer("403 No")],
    ids=["unknown", "a page", "busy", "no alias", "a page with 200", "denied"],
)
def test_a_clip_is_not_deleted_if_its_camera_is_unknown_too(camera: Script) -> None:
    """A wrong path in CAM_SERVICES_URL is answered with 404 whatever is requested."""
    with loopback(UNKNOWN, camera) as server, pytest.raises(Unavailable):
        record(api_at(server.url))


def test_a_clip_without_a_known_camera_is_never_taken_for_deleted() -> None:
    """A malformed message may name no camera; nothing then tells a deletion from a wrong path."""
    report = ClipReport("c1", ClipStatus.FATAL_ERROR, reason="cameraId is missing")
    with loopback(UNKNOWN, ALIAS) as server, pytest.raises(Unavailable, match="CAM_SERVICES_URL"):
        api_at(server.url).update_clip(report, time.monotonic() + 10)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("camera", "path", "alike"),
    [
        (b'{"message": "Not Found"}', b'{"message": "Not Found"}', True),
        (b'{"path": "/v1/cameras/x7", "at": 1}', b'{"path": "/v1/no-such-path/x7", "at": 2}', True),
        (b'{"detail": "unknown camera"}', b'{"detail": "Not Found"}', False),
    ],
    ids=["the same", "the same but for path and time", "another"],
)
def test_an_unknown_path_may_be_answered_like_an_unknown_camera(
    camera: bytes, path: bytes, alike: bool
) -> None:
    """Then the doctor cannot take the 404 as a sign that the path is right."""
    with loopback(answer("404 No", camera), answer("404 No", path)) as server:
        assert api_at(server.url).answers_alike("x7", time.monotonic() + 10) is alike


BAD_ROWS: dict[str, object] = {
    "a null URL": {**ROW, "recordingUrl": None},
    "no URL": {"startDate": ROW["startDate"], "endDate": ROW["endDate"]},
    "a URL of another type": {**ROW, "recordingUrl": 5},
    "a directory": {**ROW, "recordingUrl": "https://x.example/a/"},
    "a transport stream": {**ROW, "recordingUrl": "https://x.example/b.ts"},
    "a playlist": {**ROW, "recordingUrl": "https://x.example/b.m3u8?token=secret"},
    "a thumbnail": {**ROW, "recordingUrl": "https://x.example/a.jpg"},
    "no dates": {"recordingUrl": "https://x.example/b.mp4"},
    "dates of other types": {"startDate": [], "endDate": {}, "recordingUrl": "b.mp4"},
    "no object": 5,
    "null": None,
    "a list": [],
}


@pytest.mark.parametrize("kind", BAD_ROWS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "last"])
def test_a_bad_row_is_left_out_by_name_and_the_others_are_used(kind: str, first: bool) -> None:
    """Whatever is wrong with it, and without a word of a query."""
    rows = [BAD_ROWS[kind], ROW] if first else [ROW, BAD_ROWS[kind]]
    with loopback(ALIAS, answer("200 OK", json.dumps(rows).encode())) as server:
        listing = api_at(server.url).find_segments("pier", WINDOW, time.monotonic() + 10)
    assert [segment.name for segment in listing.segments] == ["a.mp4"]
    [left] = listing.left_out
    assert left.name in {"b.ts", "b.m3u8", "a.jpg", "b.mp4", f"Row {1 if first else 2} of the list"}
    assert left.reason
    assert "secret" not in str(left)


@pytest.mark.parametrize("end", [ROW["startDate"], "2018-08-15T13:00:00.000Z", "later", 0, None])
def test_an_end_that_is_not_after_the_start_is_not_believed(end: object) -> None:
    """A recording of zero length is the one being written: its media's duration is found later."""
    rows = [{**ROW, "endDate": end}]
    with loopback(ALIAS, answer("200 OK", json.dumps(rows).encode())) as server:
        assert find(api_at(server.url)) == ["a.mp4"]


@pytest.mark.parametrize(
    "row",
    [
        {"startDate": WINDOW.end_ms, "endDate": WINDOW.end_ms, "recordingUrl": None},
        {"startDate": WINDOW.start_ms - 9000, "endDate": WINDOW.start_ms, "recordingUrl": "b.ts"},
    ],
    ids=["a null URL", "another suffix"],
)
def test_a_bad_row_that_cannot_overlap_the_window_is_ignored(row: object) -> None:
    """It blocks no clip that it does not touch, not even one without footage."""
    with loopback(ALIAS, answer("200 OK", json.dumps([row]).encode())) as server:
        listing = api_at(server.url).find_segments("pier", WINDOW, time.monotonic() + 10)
    assert listing == Listing()


@pytest.mark.parametrize("kind", ["a null URL", "no dates", "no object"])
def test_a_malformed_row_alone_is_not_the_same_as_no_recording(kind: str) -> None:
    """It may be the footage of the window: the message goes back, and the error names the row."""
    rows = [BAD_ROWS[kind]]
    with (
        loopback(ALIAS, answer("200 OK", json.dumps(rows).encode())) as server,
        pytest.raises(
            Unavailable, match=r"malformed recording: (Row 1 of the list|b\.mp4) was left"
        ),
    ):
        find(api_at(server.url))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
@ASKS
def test_a_redirect_is_not_followed(ask: Ask, status: str) -> None:
    """It may lead to the metadata address, or to a file."""
    with loopback(EMPTY) as elsewhere:
        fault = answer(status, b"[]", f"Location: {elsewhere.url}/")
        with loopback(fault) as server, pytest.raises(Unavailable):
            ask(api_at(server.url), 10)
    assert elsewhere.requests == []


NONSENSE = [
    b"",
    b"<html>Welcome</html>",
    b'[{"startDate": ',
    b"null",
    b"{}",
    b"\xff\xfe\xff",
    b"[" * 100_000,
    b"[]" + b" " * (1 << 20),
]


@pytest.mark.parametrize("body", NONSENSE, ids=lambda body: ascii(body[:20]))
def test_nonsense_is_never_an_empty_list(body: bytes) -> None:
    """Neither as the camera nor as its recordings."""
    with loopback(answer("200 OK", body)) as server, pytest.raises(Unavailable):
        find(api_at(server.url))
    with loopback(ALIAS, answer("200 OK", body)) as server, pytest.raises(Unavailable):
        find(api_at(server.url))


@pytest.mark.parametrize(
    "fault",
    [
        answer("204 No Content"),
        answer("200 OK", gzip.compress(b"[]"), "Content-Encoding: gzip"),
        lambda line: line.sendall(head("200 OK", 1000) + b"[]"),
        lambda line: line.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]"),
        lambda line: line.sendall(b"[]"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n[", b" " * 500_000),
    ],
    ids=["no content", "gzip", "cut off", "cut chunk", "no head", "endless"],
)
def test_an_answer_that_is_not_whole_is_unavailable(fault: Script) -> None:
    """An answer that breaks off after `[]` is not empty, and an endless one is not read on."""
    with loopback(ALIAS, fault) as server, pytest.raises(Unavailable):
        find(api_at(server.url))


DRIPS = {
    "a stall": stall(),
    "a stall in the head": stall(b"HTTP/1.1 200 OK\r\n"),
    "a dripped status": drip(b"", b"H"),
    "a dripped header": drip(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
    "dripped headers": drip(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "dripped 100s": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a dripped error": drip(head("503 Busy", 1000), b"x"),
}
BODY_DRIPS = {
    "a stall in the body": stall(head("200 OK", 1000)),
    "a dripped body": drip(head("200 OK", 1000), b" "),
}


@pytest.mark.parametrize("name", [*DRIPS, *BODY_DRIPS])
def test_the_deadline_holds_whatever_trickles_in(name: str) -> None:
    """A timeout per read would never end it. An abandoned request is disconnected, not retried."""
    began_s = time.monotonic()
    with loopback({**DRIPS, **BODY_DRIPS}[name]) as server:
        with pytest.raises(DeadlineExceeded):
            find(api_at(server.url), 0.7)
        assert time.monotonic() - began_s < 1.7
        while not server.closed_by_client and time.monotonic() - began_s < 5:
            time.sleep(0.1)
        time.sleep(0.3)
        assert (len(server.requests), server.closed_by_client) == (1, 1)


@pytest.mark.parametrize("name", DRIPS)
def test_the_deadline_of_telling_holds_too(name: str) -> None:
    """Nothing is known of the effect then."""
    began_s = time.monotonic()
    with loopback(DRIPS[name]) as server, pytest.raises(DeadlineExceeded):
        record(api_at(server.url), 0.7)
    assert time.monotonic() - began_s < 1.7


@ASKS
def test_one_call_has_a_limit_of_its_own(ask: Ask) -> None:
    """However long the attempt may still last."""
    with loopback(drip(b"", b"H")) as server, pytest.raises(Unavailable, match=r"within 0\.5 s"):
        ask(api_at(server.url, max_call_s=0.5), 100)


def test_connections_are_kept() -> None:
    """The second question need not wait for another handshake."""

    def both(line: object) -> None:
        alias = b'{"alias": "pier"}'
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(alias) + alias)  # type: ignore[attr-defined]
        line.recv(65536)  # type: ignore[attr-defined]
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")  # type: ignore[attr-defined]

    with loopback(both, BUSY) as server:
        assert find(api_at(server.url)) == []
    assert len(server.requests) == 1
