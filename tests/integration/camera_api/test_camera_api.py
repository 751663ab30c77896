"""The camera API as it fails: what a server may do, and what must come of it."""

import gzip
import json
import time
from collections.abc import Callable

import pytest

from application.ports import ThumbnailSpec
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
BUSY = answer("503 Service Unavailable", b"busy")

Ask = Callable[[HttpCameraService, float], object]


def find(api: HttpCameraService, left_s: float = 10) -> list[str]:
    found = api.find_segments("pier", WINDOW, time.monotonic() + left_s)
    return [segment.name for segment in found]


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


def test_an_unknown_camera_is_refused_but_an_unknown_list_is_not() -> None:
    """Only the camera's own address can say that there is no such camera."""
    with (
        loopback(answer("404 Not Found")) as server,
        pytest.raises(Rejected, match="unknown camera"),
    ):
        find(api_at(server.url))
    with loopback(ALIAS, answer("404 Not Found")) as server, pytest.raises(Unavailable):
        find(api_at(server.url))


def test_a_deleted_clip_is_reported() -> None:
    """By 404 alone."""
    with loopback(answer("404 Not Found")) as server, pytest.raises(ClipDeleted):
        record(api_at(server.url))
    with loopback(answer("410 Gone")) as server, pytest.raises(Unavailable):
        record(api_at(server.url))


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


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a .netrc read: the addresses are the service's own settings."""
    with loopback(BUSY) as proxy, loopback(ALIAS, EMPTY) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert find(api_at(server.url)) == []
    assert proxy.requests == []


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
