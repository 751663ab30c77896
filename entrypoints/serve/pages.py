"""Pages for people: the start page, and the reference of the API."""

import json
from pathlib import Path
from typing import Any

from attrs import field, frozen
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from entrypoints.cli.clip_page.templates import modules
from entrypoints.serve.answers import TEMPLATES, HtmlAnswer, JsonAnswer
from entrypoints.serve.parameters import query
from entrypoints.serve.problems import KINDS, NOT_FOUND, Problem

HERE = Path(__file__).parent
STATIC = {path.name: path for path in sorted((HERE / "static").iterdir())}
"""The files that pages refer to, by name: no other name reaches the file system."""
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def read_openapi() -> dict[str, Any]:
    """Return the API's description."""
    described: dict[str, Any] = json.loads((HERE / "openapi.json").read_bytes())
    return described


@frozen
class PageRoutes:
    """The pages' addresses."""

    openapi: dict[str, Any] = field(factory=read_openapi)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.start, methods=["GET"]),
            Route("/api", self.reference, methods=["GET"]),
            Route("/openapi.json", self.described, methods=["GET"]),
            Route("/static/{name}", self.static, methods=["GET"]),
        ]

    def start(self, _: Request) -> Response:
        """Answer with the page of footage; its script reads the address's query."""
        template = TEMPLATES.get_template("start.html.jinja")
        return HtmlAnswer(template.render(modules=modules("start.js")[1:]))

    def reference(self, request: Request) -> Response:
        """Answer with the reference of the API."""
        query(request, ())
        template = TEMPLATES.get_template("reference.html.jinja")
        return HtmlAnswer(template.render(openapi=self.openapi, kinds=KINDS))

    def described(self, request: Request) -> Response:
        """Answer with the API's description."""
        query(request, ())
        return JsonAnswer(self.openapi)

    def static(self, request: Request) -> Response:
        """Answer with a file that pages refer to, or that the client's copy is still the same."""
        query(request, ())
        path = STATIC.get(str(request.path_params["name"]))
        if path is None:
            raise Problem(NOT_FOUND)
        headers = {"Cache-Control": "private, no-cache"}
        media_type = MEDIA_TYPES.get(path.suffix, "application/octet-stream")
        file = FileResponse(path, headers=headers, media_type=media_type, stat_result=path.stat())
        if request.headers.get("if-none-match") == file.headers["etag"]:
            return Response(status_code=304, headers={**headers, "ETag": file.headers["etag"]})
        return file
