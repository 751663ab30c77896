"""Which requests are answered at all, and what every answer says to browsers.

A page of another site may send requests to this server from its visitor's browser. It can read no
answer, because none allows it, but a request may have effects: those of other origins are refused
(CSRF). A name that its owner points at this machine would make that site the same origin (DNS
rebinding): hosts are refused by any name that is not known. An address cannot be pointed elsewhere.
"""

import hmac
import re
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from threading import Lock
from urllib.parse import parse_qsl, urlencode, urlsplit

from attrs import Factory, define, field, frozen
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrypoints.serve.problems import (
    INVALID,
    OTHER_ORIGIN,
    TOO_MANY,
    WRONG_HOST,
    ProblemAnswer,
    ProblemKind,
)
from entrypoints.serve.token_page import ADDRESS, COOKIE, TokenNeeded, opened

MIN_TOKEN_CHARS = 16
READING = frozenset({"GET", "HEAD"})
PUBLIC = "/static/"
"""What needs no token: how pages look, also the one that asks for it, is no secret."""
NO_PART_OF_A_NAME = frozenset("@/?#")
"""What begins or ends other parts of an address: no name has it."""
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
"""A route's pattern would also match an address that ends with a line break."""
ANSWER_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def content_policy(files: str = "") -> str:
    """Return what pages may load: from this server, and media and images from the origin `files`.

    A browser holds the places that it is redirected to against it, too.
    """
    also = f" {files}" if files else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:{also};"
        f" media-src 'self'{also}; connect-src 'self'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


@frozen
class Rate:
    """How many requests are answered: `per_s` in the long run, and `burst` at once."""

    per_s: float
    burst: int


READS, WRITES = Rate(1000, 5000), Rate(20, 100)
"""Of all clients together: fifty viewers that hover, with twenty pictures a second each; plans and
requests of ten."""


@define
class Bucket:
    """How many requests are left at an instant: a token bucket."""

    rate: Rate
    now_s: Callable[[], float] = time.monotonic
    _left: float = field(default=Factory(lambda self: float(self.rate.burst), takes_self=True))
    _since_s: float = field(default=Factory(lambda self: self.now_s(), takes_self=True))
    _lock: Lock = field(factory=Lock)

    def take(self) -> bool:
        """Return whether one more request is answered."""
        with self._lock:
            now_s = self.now_s()
            refilled = self._left + (now_s - self._since_s) * self.rate.per_s
            self._left, self._since_s = min(refilled, self.rate.burst), now_s
            if self._left < 1:
                return False
            self._left -= 1
            return True


@frozen
class Access:
    """Who may send requests."""

    names: frozenset[str] = frozenset()
    """Names of the server, besides `localhost` and any IP address."""
    token: str = ""
    """Empty: none is needed."""

    def refusal(self, method: str, headers: Headers) -> ProblemKind | None:
        """Return why a request is refused whoever sends it, None if it is not."""
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or not self.is_own(host):
            return WRONG_HOST
        if is_of_other_origin(method, host, headers):
            return OTHER_ORIGIN
        return None

    def is_own(self, host: str) -> bool:
        """Return whether the server goes by what a header `Host` says."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not NO_PART_OF_A_NAME.isdisjoint(host) or port == 0:
            return False
        return name == "localhost" or name in self.names or _is_address(name)

    def admits(self, headers: Headers) -> bool:
        """Return whether a request has the token, if one is needed."""
        return not self.token or any(map(self.is_token, _tokens(headers)))

    def is_token(self, text: str) -> bool:
        """Return whether a text is the token, in a time that says nothing about it."""
        return hmac.compare_digest(text.encode(), self.token.encode())


def is_of_other_origin(method: str, host: str, headers: Headers) -> bool:
    """Return whether a browser sends the request for a page of another site.

    A link from another site may be followed.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    if origin is not None and origin.lower() not in {f"http://{host}", f"https://{host}"}:
        return True
    is_followed = method in READING and headers.get("sec-fetch-mode") == "navigate"
    return site not in {"same-origin", "none"} and not is_followed


def _tokens(headers: Headers) -> list[str]:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    tokens = [given.strip()] if scheme.lower() == "bearer" else []
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return tokens
    return [*tokens, cookie.value] if cookie else tokens


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@frozen
class Guard:
    """Refuses requests before any route sees them, and adds headers to all answers."""

    app: ASGIApp
    access: Access
    reads: Bucket = Factory(lambda: Bucket(READS))
    writes: Bucket = Factory(lambda: Bucket(WRITES))
    files: str = ""
    """The origin to which requests for files are redirected, if they are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # No route is a WebSocket.

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in ANSWER_HEADERS.items():
                    headers.setdefault(name, text)
                headers.setdefault("Content-Security-Policy", content_policy(self.files))
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refused(scope)
        await (refused or self.app)(scope, receive, guarded_send)

    def _refused(self, scope: Scope) -> Response | None:
        method, headers = str(scope["method"]), Headers(scope=scope)
        if kind := self.access.refusal(method, headers):
            return ProblemAnswer(kind)
        if CONTROL.search(str(scope["path"])):
            return ProblemAnswer(INVALID, "The address has control characters.")
        bucket = self.reads if method in READING else self.writes
        if not bucket.take():  # Guesses of the token count, requests of other sites do not.
            return ProblemAnswer(TOO_MANY, "", {"Retry-After": "1"})
        if moved := self._without_token(scope):
            return moved
        path = str(scope["path"])
        is_open = path.startswith(PUBLIC) or (method, path) == ("POST", ADDRESS)
        return None if is_open or self.access.admits(headers) else TokenNeeded()

    def _without_token(self, scope: Scope) -> Response | None:
        """Return the answer to /?token=TOKEN: the same page, whose address has no token.

        A browser gets the cookie if the token is right.
        """
        query = parse_qsl(bytes(scope["query_string"]).decode("latin-1"), keep_blank_values=True)
        tokens = [text.strip() for name, text in query if name == "token"]
        if scope["path"] != "/" or not tokens:
            return None
        rest = urlencode([pair for pair in query if pair[0] != "token"], safe="/")
        page = f"/?{rest}" if rest else "/"
        return opened(page, tokens[-1] if self.access.is_token(tokens[-1]) else "")
