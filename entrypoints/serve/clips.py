"""Requests for clips, and how they end."""

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clip import DELETED, ClipName
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.known_clip import Phase
from entrypoints.serve.parameters import body_of, clip_name_in, identifier, query, whole
from entrypoints.serve.ports import Clips, Work
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import UNKNOWN_CLIP, Problem
from entrypoints.serve.requested import request_in
from infrastructure.formats.manifests import proof_members

MAX_LISTED, USUALLY_LISTED = 500, 50


@frozen
class ClipRoutes:
    """The clips' addresses."""

    known: Clips
    work: Work

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/v1/clips/{camera:identifier}/{clip:identifier}"
        return [
            Route("/api/v1/clips", self.list_clips, methods=["GET"]),
            Route("/api/v1/clips", self.request, methods=["POST"]),
            Route(one, self.report, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    def list_clips(self, request: Request) -> Response:
        """Answer with the clips that are not done, and the newest of those that are."""
        given = query(request, ("camera", "limit"))
        camera_id = identifier(given, "camera")
        limit = whole(given, "limit", 1, MAX_LISTED, USUALLY_LISTED)
        found = self.known.newest(camera_id, limit)
        return JsonAnswer({"clips": [self.known.members(each) for each in found]})

    async def request(self, request: Request) -> Response:
        """Queue a request; answer how far its clip is, and where to look for it."""
        query(request, ())
        wanted = request_in(await body_of(request))
        known = await run_in_threadpool(self.known.request, wanted)
        self.work.wake()
        status = 200 if known.phase is Phase.DONE else 202
        headers = {"Location": address_of(known.name)}
        return JsonAnswer(self.known.members(known), status, headers)

    def report(self, request: Request) -> Response:
        """Answer with the report of a clip, how far it is, and its proof."""
        query(request, ())
        name = clip_name_in(request)
        known = self.known.find(name)
        if known is None:
            raise Problem(UNKNOWN_CLIP)
        if known.report.status == DELETED:
            raise Problem(DELETED_PROBLEM)
        manifest = self.known.manifest(name) if known.report.has_clip else None
        proof = proof_members(manifest) if manifest else {}
        return JsonAnswer({**self.known.members(known), **proof})

    def delete(self, request: Request) -> Response:
        """Delete a clip, or cancel its request."""
        query(request, ())
        self.known.delete(clip_name_in(request))
        return Response(status_code=204)


def address_of(name: ClipName) -> str:
    """Return the path of a clip."""
    return f"/api/v1/clips/{name.camera_id}/{name.clip_id}"
