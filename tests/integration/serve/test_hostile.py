"""Requests that mean harm: no route reads, writes or runs anything for them.

The routes are those of the table, so that a new one is tried, too.
"""

import http.client
import itertools
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
import requests
from starlette.routing import Route

from devtools.footage import Recording
from entrypoints.serve.guard import Access, Rate
from entrypoints.serve.server import PromptConnection
from tests.integration.hostile.bodies import BAD_IDS
from tests.support.recorders import START_MS
from tests.support.served import Served, served

HOSTILE = [str(bad) for bad in BAD_IDS if isinstance(bad, str) and bad not in {"", "\ud800"}]
GOOD = {"camera": "pier", "clip": "c1", "width": "160", "name": "reference.css"}
TOKEN = "a secret of enough characters"
FORM = "application/x-www-form-urlencoded"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
"""What Chromium sends for a page (and Firefox, much alike)."""
PAGES = ("/", "/api", "/clips", "/clips?camera=pier", "/clips/pier/none")
CLIP_PAGE = "/clips/a/b"
"""The address of a clip, which the address of a camera's clips becomes by the id a/b."""
QUERY = {
    "footage": f"?from={START_MS}&to={START_MS + 1000}",
    "frames": f"?at={START_MS}",
    "times": f"?from={START_MS}&to={START_MS + 1000}",
}


def parameters(route: Route) -> list[str]:
    return re.findall(r"{(\w+)", route.path)


def address(route: Route, **values: str) -> str:
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda found: {**GOOD, **values}[found[1]], route.path)
    return path + QUERY.get(path.rpartition("/")[2], "")


def methods(route: Route) -> list[str]:
    return sorted((route.methods or set()) - {"HEAD"})


def raw(server: Served, method: str, target: str, *headers: str, body: bytes = b"") -> int:
    """Send a request as it is, which clients would correct; return the answer's status."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    given = {header.partition(":")[0].lower() for header in headers}
    lines = [f"{method} {target} HTTP/1.1", *headers, "Connection: close"]
    lines += [] if "host" in given else [f"Host: {host}"]
    lines += [f"Content-Length: {len(body)}"] if body else []
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


@contextmanager
def watched() -> Iterator[list[str]]:
    """Yield the files that are opened in the block, and the programs that are run."""
    seen: list[str] = []
    is_on = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if is_on and event in {"open", "os.remove", "os.rename", "os.link", "subprocess.Popen"}:
            seen.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    try:
        yield seen
    finally:
        is_on = False


def test_every_route_is_of_the_table(server: Served) -> None:
    """No other kind of route, such as a mount of a folder, is served."""
    routes = server.serving.routes()
    assert all(isinstance(route, Route) for route in routes)
    assert all(set(parameters(route)) <= GOOD.keys() for route in routes)


def test_hostile_names_reach_nothing(server: Served, tmp_path: Path) -> None:
    """Whatever parameter of whatever route they are in: 404, and no file is opened."""
    server.serving.work.stop(10)
    with watched() as seen:
        for route in server.serving.routes():
            for parameter, bad in itertools.product(parameters(route), HOSTILE):
                for form in (quote(bad, safe=""), quote(bad, safe="/.")):
                    target = address(route, **{parameter: form})
                    if unquote(target) == CLIP_PAGE:
                        continue
                    for method in methods(route):
                        status = raw(server, method, target)
                        assert status in {400, 404, 405}, (method, target, status)
    assert [each for each in seen if str(tmp_path) in each or "Popen" in each] == []


def test_a_body_that_would_be_too_long_is_not_awaited(server: Served) -> None:
    """None of its bytes is sent here."""
    headers = ("Content-Type: application/json", "Content-Length: 99999999999")
    assert raw(server, "POST", "/api/v1/plans", *headers) == 413


def test_hostile_values_in_a_query_are_refused(server: Served) -> None:
    """Each parameter of each route's description."""
    paths = server.get("/openapi.json").json()["paths"]
    for path, item in paths.items():
        for parameter in item.get("get", {}).get("parameters", []):
            if parameter["in"] != "query":
                continue
            target = re.sub(r"{(\w+)}", lambda found: GOOD[found[1]], path)
            known = dict(
                pair.split("=")
                for pair in QUERY.get(path.rpartition("/")[2], "?").removeprefix("?").split("&")
                if pair
            )
            numbers = () if parameter["name"] == "camera" else ("-1", "1e3", "9" * 16, "NaN")
            for bad in (*HOSTILE, *numbers):
                answer = server.get(target, params={**known, parameter["name"]: bad})
                assert answer.status_code == 400, (answer.url, answer.status_code)
                assert answer.json()["type"] == "/api#invalid-request"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/static/../openapi.json", 404),
        ("/static/..%2fopenapi.json", 404),
        ("/static/%2e%2e/%2e%2e/pyproject.toml", 404),
        ("//etc/passwd", 404),
        ("http://evil.example/api/v1/cameras", 404),
        ("/api/v1/clips/pier/c1/", 404),
        ("/api/v1/clips/pier/c1%00", 400),
        (f"/api/v1/clips/pier/c1/thumbnails/{'9' * 9000}", 404),
        ("*", 404),
        ("/api/v1/cameras?a=1", 400),
    ],
)
def test_hostile_targets_reach_nothing(server: Served, target: str, status: int) -> None:
    """As they are written, without a client that corrects them."""
    assert raw(server, "GET", target) == status


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{" * 70_000, "application/json", 413),
        (b"[" * 50_000, "application/json", 400),
        (b'{"clipId":"a","clipId":"b"}', "application/json", 400),
        (b'{"startTimestampInMs":NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"cameraId=pier", "application/x-www-form-urlencoded", 415),
    ],
)
def test_hostile_bodies_are_refused(server: Served, body: bytes, kind: str, status: int) -> None:
    """By every route that has one in JSON."""
    for route in server.serving.routes():
        # A verification has no body, the token's is a form.
        if methods(route) == ["POST"] and not route.path.endswith(("/verification", "/token")):
            found = raw(server, "POST", route.path, f"Content-Type: {kind}", body=body)
            assert found == status


class TestBrowsers:
    """Pages of other sites."""

    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (("Host: evil.example",), 421),
            (("Host: localhost.evil.example:80",), 421),
            (("Host: 127.0.0.1.evil.example",), 421),
            (("Host: evil.example@127.0.0.1",), 421),
            (("Host: ",), 421),
            (("Host: 127.0.0.1", "Origin: http://evil.example"), 403),
            (("Host: 127.0.0.1", "Origin: null"), 403),
            (("Host: 127.0.0.1", "Origin: http://127.0.0.1:1"), 403),
            (("Host: 127.0.0.1", "Sec-Fetch-Site: cross-site"), 403),
            (("Host: 127.0.0.1", "Sec-Fetch-Site: same-site"), 403),
        ],
    )
    def test_every_route_refuses_them(
        self, server: Served, headers: tuple[str, ...], status: int
    ) -> None:
        """By a name that is not the server's (DNS rebinding), or from another origin (CSRF)."""
        for route in server.serving.routes():
            for method in methods(route):
                assert raw(server, method, address(route), *headers) == status, route.path

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8474", "[::1]:8474", "LOCALHOST:1"])
    def test_own_names_are_answered(self, server: Served, host: str) -> None:
        """With any port: a tunnel may change it."""
        assert raw(server, "GET", "/api/v1/cameras", f"Host: {host}") == 200

    def test_a_link_from_another_site_may_be_followed(self, server: Served) -> None:
        """A page is shown, and nothing else happens."""
        site, mode = "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"
        assert raw(server, "GET", "/", site, mode) == 200
        assert raw(server, "DELETE", "/api/v1/clips/pier/c1", site, mode) == 403

    def test_every_answer_has_the_headers_that_protect(self, server: Served) -> None:
        """Also errors; no script in a page runs, and no other page can frame it."""
        for path in (*PAGES, "/nothing", "/api/v1/cameras", "/static/reference.css"):
            headers = server.get(path).headers
            assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "access-control-allow-origin" not in headers
            assert "server" not in headers
        for page in PAGES:
            text = server.get(page).text
            assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|javascript:|//", text)


class TestTokens:
    """A server that others can reach."""

    @pytest.fixture
    def closed(self, dvr: tuple[Path, list[Recording]], tmp_path: Path) -> Iterator[Served]:
        access = Access(frozenset({"camera.example"}), TOKEN)
        with served(dvr[0], tmp_path / "clips", access) as running:
            yield running

    def test_no_route_is_answered_without_the_token(self, closed: Served) -> None:
        """Nor with another one; but how pages look is no secret."""
        for route in closed.serving.routes():
            if route.path == "/static/{name}":
                assert raw(closed, "GET", address(route)) == 200
                continue
            for method in methods(route):
                for headers in ((), ("Authorization: Bearer x",), ("Cookie: camclip-token=x",)):
                    assert raw(closed, method, address(route), *headers) == 401, route.path

    def test_the_token_is_a_header_or_a_cookie_that_the_address_sets(self, closed: Served) -> None:
        """The cookie is not for scripts, nor for other sites."""
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert closed.get("/api/v1/cameras", headers=bearer).status_code == 200
        named = {**bearer, "Host": "camera.example"}
        assert closed.get("/api/v1/cameras", headers=named).status_code == 200
        opened = closed.get("/", params={"token": TOKEN}, allow_redirects=False)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        pasted = requests.get(
            closed.url, params={"token": f" {TOKEN}\n"}, allow_redirects=False, timeout=30
        )
        assert pasted.status_code == 303
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert closed.get("/api/v1/cameras").status_code == 200

    @pytest.mark.parametrize("token", ["x", TOKEN])
    def test_a_token_does_not_stay_in_the_address(self, closed: Served, token: str) -> None:
        """The rest of it does; a wrong token gives no cookie."""
        query = {"camera": "pier", "token": token, "zone": "Europe/Madrid"}
        moved = requests.get(closed.url, params=query, allow_redirects=False, timeout=30)
        assert (moved.status_code, moved.headers["location"]) == (
            303,
            "/?camera=pier&zone=Europe/Madrid",
        )
        assert ("set-cookie" in moved.headers) == (token == TOKEN)
        answer = requests.get(closed.url, params=query, timeout=30)
        assert answer.status_code == (200 if token == TOKEN else 401)

    @pytest.mark.parametrize(
        "path", ["/", "/?token=wrong", "/clips", "/clips/pier/c1", "/nothing", "/token"]
    )
    def test_a_browser_without_the_token_gets_a_page_that_takes_it(
        self, closed: Served, path: str
    ) -> None:
        """Whatever page it opens; what is served is not in it, only the address."""
        page = requests.get(closed.url + path, timeout=30, headers=BROWSER)
        assert page.status_code == 401
        assert page.headers["www-authenticate"] == "Bearer"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert 'action="/token" method="post"' in page.text
        assert 'name="token" type="password"' in page.text
        asked = "/" if "token" in path else path
        assert f'name="page" value="{asked}"' in page.text
        assert page.text.count("pier") == path.count("pier")
        assert "wrong" not in page.text.replace("missing or wrong", "")

    @pytest.mark.parametrize(
        ("page", "location"),
        [
            ("/clips/pier/c1", "/clips/pier/c1"),
            ("/?camera=pier&zone=Europe/Madrid", "/?camera=pier&zone=Europe/Madrid"),
            ("/clips?camera=%22&a=//b", "/clips?camera=%22&a=//b"),
            ("", "/"),
            ("clips", "/"),
            ("/token", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("\\\\evil.example", "/"),
            ("/\t/evil.example", "/"),
            ("/\n//evil.example", "/"),
            (" //evil.example", "/"),
            ("https://evil.example", "/"),
            ("https:evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("/clips\r\nSet-Cookie: a=b", "/"),
            ("/é", "/"),
        ],
    )
    def test_the_form_leads_to_a_page_of_this_server_and_to_nothing_else(
        self, closed: Served, page: str, location: str
    ) -> None:
        """With the cookie."""
        moved = signed_in(closed, {"token": f" {TOKEN} ", "page": page})
        assert (moved.status_code, moved.headers["location"]) == (303, location)
        cookie = moved.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert closed.get("/token", cookies=moved.cookies).url == f"{closed.url}/"

    def test_a_wrong_token_is_asked_for_again(self, closed: Served) -> None:
        """The page says so, and still leads to the page that was opened; programs get JSON."""
        wrong = {"token": "wrong one", "page": '/clips?camera=pier&a="><b>'}
        page = signed_in(closed, wrong, **BROWSER)
        assert page.status_code == 401
        assert "set-cookie" not in page.headers
        assert "The token that was typed is wrong." in page.text
        assert 'value="/clips?camera=pier&amp;a=&#34;&gt;&lt;b&gt;"' in page.text
        assert "wrong one" not in page.text
        away = signed_in(closed, {"token": "x", "page": "//evil.example"}, **BROWSER)
        assert 'name="page" value="/"' in away.text
        answer = signed_in(closed, wrong)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "The token that was typed is wrong."
        none = signed_in(closed, {"page": "/clips"}, **BROWSER)
        assert (none.status_code, "typed is wrong" in none.text) == (401, False)

    @pytest.mark.parametrize(
        ("body", "headers", "status"),
        [
            (f"token={TOKEN}".encode(), ("Content-Type: text/plain",), 401),
            (b'{"token":"' + TOKEN.encode() + b'"}', ("Content-Type: application/json",), 401),
            (b"\xff%ff=&&;token", (f"Content-Type: {FORM}",), 401),
            (b"token=" + b"x" * 70_000, (f"Content-Type: {FORM}",), 413),
            (f"token={TOKEN}".encode(), (f"Content-Type: {FORM}", "Origin: null"), 403),
            (
                f"token={TOKEN}".encode(),
                (f"Content-Type: {FORM}", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"),
                403,
            ),
            (b"", (f"Content-Type: {FORM}", "Content-Length: 99999999999"), 413),
        ],
        ids=["text", "JSON", "nonsense", "long", "sandboxed", "another site's", "never sent"],
    )
    def test_what_is_no_form_of_this_server_gives_no_cookie(
        self, closed: Served, body: bytes, headers: tuple[str, ...], status: int
    ) -> None:
        """Nor is more of it read than a form may have."""
        assert raw(closed, "POST", "/token", *headers, body=body) == status

    def test_guesses_are_limited(self, dvr: tuple[Path, list[Recording]], tmp_path: Path) -> None:
        """By the rate of all that is sent, right or wrong."""
        access = Access(token=TOKEN)
        with served(dvr[0], tmp_path / "clips", access, Rate(0.001, 3)) as server:
            found = [signed_in(server, {"token": "x"}).status_code for _ in range(3)]
            assert found == [401, 401, 401]
            assert signed_in(server, {"token": TOKEN}).status_code == 429

    def test_a_server_without_a_token_gives_no_cookie(self, server: Served) -> None:
        """Its pages are open."""
        moved = signed_in(server, {"token": TOKEN, "page": "/clips"})
        assert (moved.status_code, moved.headers["location"]) == (303, "/clips")
        assert "set-cookie" not in moved.headers
        shown = server.get("/?token=x")
        assert (shown.status_code, shown.url) == (200, f"{server.url}/")


def signed_in(server: Served, form: dict[str, str], **headers: str) -> requests.Response:
    """Return the answer to the form of the page that asks for the token."""
    return requests.post(
        f"{server.url}/token", data=form, headers=headers, allow_redirects=False, timeout=30
    )


def test_a_flood_is_answered_with_too_many(
    dvr: tuple[Path, list[Recording]], tmp_path: Path
) -> None:
    """And the server goes on."""
    with served(dvr[0], tmp_path / "clips", writes=Rate(0.001, 3)) as server:
        answers = [server.delete("/api/v1/clips/pier/none") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
        assert answers[-1].headers["retry-after"] == "1"
        assert server.get("/api/v1/cameras").status_code == 200


class Hasty(PromptConnection):
    request_s = 0.5


class TestSlowClients:
    """Clients that never end their requests do not use up the connections."""

    @pytest.fixture
    def hasty(self, dvr: tuple[Path, list[Recording]], tmp_path: Path) -> Iterator[Served]:
        with served(dvr[0], tmp_path / "clips", connection=Hasty) as running:
            yield running

    @pytest.mark.parametrize(
        "sent",
        [
            b"",
            b"GET /clips HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
            b"POST /api/v1/plans HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
            b"GET /static/base.css HTTP/1.1\r\nHost: localhost\r\n\r\nGET ",
        ],
        ids=["nothing", "a head", "a body", "a second head"],
    )
    def test_a_request_that_does_not_end_is_closed(self, hasty: Served, sent: bytes) -> None:
        """Even if a byte of it arrives now and then."""
        with connected(hasty) as connection:
            connection.sendall(sent)
            received = b""
            until_s = time.monotonic() + 20
            with suppress(ConnectionError):
                while more := connection.recv(65_536) if is_readable(connection) else b"-":
                    received += more
                    connection.sendall(sent and b"x")
                    assert time.monotonic() < until_s
        assert received.count(b"HTTP/1.1 200") == sent.count(b"base.css")
        assert hasty.get("/api/v1/cameras").status_code == 200

    def test_a_client_may_rest_between_requests(self, hasty: Served) -> None:
        """The time counts from the first byte of the next."""
        with connected(hasty) as connection:
            for _ in range(2):
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n")
                connection.sendall(b"Connection: keep-alive\r\n\r\n")
                answer = http.client.HTTPResponse(connection)
                answer.begin()
                assert answer.status == 200
                assert answer.read().startswith(b'{"openapi"')
                time.sleep(3 * Hasty.request_s)


@contextmanager
def connected(server: Served) -> Iterator[socket.socket]:
    """Yield a connection to a server."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        yield connection


def is_readable(connection: socket.socket) -> bool:
    """Return whether there is something to receive, or the end, within a tenth of a second."""
    return bool(select.select([connection], [], [], 0.1)[0])
