"""Requests for clips, and how they end."""

from attrs import evolve, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clip import DELETED, ClipName, ClipRequest
from entrypoints.cli.requests import free_id
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.known_clip import KnownClip, Phase
from entrypoints.serve.parameters import body_of, clip_name_in, identifier, query, whole
from entrypoints.serve.ports import Clips, Work
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import UNKNOWN_CLIP, Problem
from entrypoints.serve.requested import CLIP_ID, request_in
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
        body = await body_of(request)
        wanted = request_in(body)
        take = self.known.request if CLIP_ID in body else self._request_undeleted
        known = await run_in_threadpool(take, wanted)
        self.work.wake()
        status = 200 if known.phase is Phase.DONE else 202
        headers = {"Location": address_of(known.name)}
        return JsonAnswer(self.known.members(known), status, headers)

    def _request_undeleted(self, wanted: ClipRequest) -> KnownClip:
        """Request a clip whose id was made of its window, or of the next id if it was deleted."""

        def is_deleted(clip_id: str) -> bool:
            known = self.known.find(ClipName(wanted.camera_id, clip_id))
            return known is not None and known.report.status == DELETED

        clip_id = wanted.clip_id
        if is_deleted(clip_id):
            clip_id = free_id(clip_id, is_deleted)
        return self.known.request(evolve(wanted, clip_id=clip_id))

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
