"""Errors as application/problem+json (RFC 9457), each with the remedy; as pages to browsers."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from attrs import frozen
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from domain.errors import ClipError, Rejected, UnusableFootage
from entrypoints.serve.answers import TEMPLATES, HtmlAnswer, JsonAnswer

MEDIA_TYPE = "application/problem+json"
FOR_PROGRAMS = re.compile(r"/(?:api/|static/|openapi\.json$)")
"""Addresses whose problems are never pages."""


@frozen
class ProblemKind:
    """A kind of error, described on the reference page."""

    slug: str
    status: int
    title: str
    remedy: str

    @property
    def type(self) -> str:
        """The address of its description."""
        return f"/api#{self.slug}"


INVALID = ProblemKind(
    "invalid-request",
    400,
    "The request is invalid.",
    "Correct what `detail` names; /api describes every parameter.",
)
NO_TOKEN = ProblemKind(
    "no-token",
    401,
    "The token is missing or wrong.",
    "Send the header `Authorization: Bearer TOKEN`, or open /?token=TOKEN once in a browser.",
)
OTHER_ORIGIN = ProblemKind(
    "other-origin",
    403,
    "The request comes from another site.",
    "Send it from a page of this server, or without a browser.",
)
NOT_FOUND = ProblemKind(
    "not-found", 404, "There is nothing at this address.", "/api lists the addresses."
)
UNKNOWN_CAMERA = ProblemKind(
    "unknown-camera", 404, "There is no such camera.", "GET /api/v1/cameras lists the cameras."
)
UNKNOWN_CLIP = ProblemKind(
    "unknown-clip", 404, "There is no such clip.", "GET /api/v1/clips lists the clips."
)
NO_PICTURE = ProblemKind(
    "no-picture",
    404,
    "There is no picture of that moment.",
    "GET /api/v1/cameras/{camera}/footage shows when there is footage.",
)
NO_PROOF = ProblemKind(
    "no-proof",
    404,
    "The clip has no proof.",
    "Nothing speaks against it. Request its window again under another clipId for a clip with one.",
)
WRONG_METHOD = ProblemKind(
    "wrong-method", 405, "The address has no such method.", "The header `Allow` lists its methods."
)
NO_DELETION = ProblemKind(
    "no-deletion",
    405,
    "Clips in a bucket are not deleted here.",
    "Delete the clip's objects in the bucket, the manifest included. Only a server of folders"
    " deletes clips.",
)
NAME_TAKEN = ProblemKind(
    "name-taken",
    409,
    "A request for another clip has this id.",
    "Choose another clipId, or request the same window and options.",
)
IN_PROGRESS = ProblemKind(
    "in-progress", 409, "The clip is being made.", "Delete it once its state is done."
)
DELETED = ProblemKind(
    "deleted", 410, "The clip was deleted.", "Request it again under another clipId."
)
TOO_LARGE = ProblemKind("too-large", 413, "The body is too large.", "Send at most 64 KiB.")
WRONG_TYPE = ProblemKind(
    "wrong-type", 415, "The body is not JSON.", "Send it with `Content-Type: application/json`."
)
NO_RANGE = ProblemKind(
    "no-range", 416, "The file has no such range.", "Ask for one range of bytes within the file."
)
WRONG_HOST = ProblemKind(
    "wrong-host",
    421,
    "The server is not known by this name.",
    "Use its IP address or localhost, or start it with --name NAME.",
)
NOT_POSSIBLE = ProblemKind(
    "not-possible", 422, "No clip can be made of this request.", "Change what `detail` names."
)
TOO_MANY = ProblemKind(
    "too-many-requests", 429, "There are too many requests.", "Send them again more slowly."
)
FAULT = ProblemKind(
    "fault", 500, "The server failed.", "Report the fault with what the server printed."
)
NO_VERIFICATION = ProblemKind(
    "no-verification",
    501,
    "Clips in a bucket are not verified here.",
    "Run `camclip verify CAMERA/ID --aws` where the recordings can be read.",
)
QUEUE_FULL = ProblemKind(
    "queue-full", 503, "Too many clips are waiting.", "Request the clip again once some are done."
)
UNAVAILABLE = ProblemKind(
    "unavailable",
    503,
    "The recordings or the clips cannot be reached now.",
    "Correct what `detail` names, and retry.",
)
KINDS = tuple(kind for kind in list(globals().values()) if isinstance(kind, ProblemKind))
"""All kinds, in the order of their statuses."""


class Problem(Exception):
    """An error that is answered as it is."""

    def __init__(self, kind: ProblemKind, detail: str = "", **headers: str) -> None:
        super().__init__(f"{kind.slug}: {detail}")
        self.kind = kind
        self.detail = detail
        self.headers = headers


class ProblemAnswer(JsonAnswer):
    """The answer that reports a problem: a page to a browser that opens one, else JSON."""

    def __init__(
        self, kind: ProblemKind, detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        members = {
            "type": kind.type,
            "title": kind.title,
            "status": kind.status,
            **({"detail": detail} if detail else {}),
            "remedy": kind.remedy,
        }
        super().__init__(members, kind.status, headers, MEDIA_TYPE)
        self.kind = kind
        self.detail = detail
        self.also = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if opens_a_page(scope):
            template = TEMPLATES.get_template("problem.html.jinja")
            text = template.render(kind=self.kind, detail=self.detail, here="")
            await HtmlAnswer(text, self.kind.status, self.also)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def opens_a_page(scope: Scope) -> bool:
    """Return whether a browser opens the address of a page: it prefers HTML to anything."""
    accepted = Headers(scope=scope).get("accept", "")
    is_html = accepted.partition(",")[0].partition(";")[0].strip().lower() == "text/html"
    return is_html and not FOR_PROGRAMS.match(str(scope["path"]))


def from_problem(_: Request, error: Exception) -> Response:
    """Answer with a problem that was raised."""
    assert isinstance(error, Problem)  # noqa: S101 - as it is registered
    names = {name.replace("_", "-"): text for name, text in error.headers.items()}
    return ProblemAnswer(error.kind, error.detail, names)


def from_clip_error(_: Request, error: Exception) -> Response:
    """Answer with an error of the domain that no route has translated."""
    kinds = {Rejected: NOT_POSSIBLE, UnusableFootage: NO_PICTURE}
    kind = next((kinds[each] for each in kinds if isinstance(error, each)), UNAVAILABLE)
    return ProblemAnswer(kind, str(error))


def from_routing(request: Request, error: Exception) -> Response:
    """Answer that there is no such address, or no such method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as it is registered
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return ProblemAnswer(WRONG_METHOD, "", {"Allow": ", ".join(_methods(request))})
    is_address = error.status_code != HTTPStatus.NOT_FOUND
    return ProblemAnswer(INVALID if is_address else NOT_FOUND, "", error.headers)


def _methods(request: Request) -> list[str]:
    """Return the methods of all routes to an address: Starlette names those of one."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})


def from_fault(_: Request, __: Exception) -> Response:
    """Answer that there is a fault; its text is printed, and not sent."""
    return ProblemAnswer(FAULT)


HANDLERS: Mapping[Any, Any] = {
    Problem: from_problem,
    ClipError: from_clip_error,
    HTTPException: from_routing,
    Exception: from_fault,
}
