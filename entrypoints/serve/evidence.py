"""What is stored of a clip in addition to its bytes: its manifest, and its clock."""

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clip import DELETED, ClipName
from domain.errors import UnusableFootage
from domain.manifest import Manifest
from entrypoints.cli.clip_page.clock import FrameInstants, clock_members
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.files import REVALIDATED
from entrypoints.serve.parameters import clip_name_in, query
from entrypoints.serve.ports import ClipFiles, Clips
from entrypoints.serve.problems import DELETED as DELETED_PROBLEM
from entrypoints.serve.problems import UNKNOWN_CLIP, Problem
from infrastructure.formats.manifests import manifest_json


@frozen
class EvidenceRoutes:
    """The addresses of a clip's manifest and clock."""

    known: Clips
    files: ClipFiles

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/v1/clips/{camera:identifier}/{clip:identifier}"
        return [
            Route(f"{one}/manifest", self.manifest, methods=["GET"]),
            Route(f"{one}/clock", self.clock, methods=["GET"]),
        ]

    def manifest(self, request: Request) -> Response:
        """Answer with a clip's manifest, as it is stored."""
        query(request, ())
        manifest = self._ended(clip_name_in(request))
        return Response(manifest_json(manifest), headers=REVALIDATED, media_type="application/json")

    async def clock(self, request: Request) -> Response:
        """Answer when each frame of a clip is shown, and when it was seen."""
        query(request, ())
        name = clip_name_in(request)
        members = await run_in_threadpool(self._clock, name)
        return JsonAnswer(members, headers=REVALIDATED)

    def _clock(self, name: ClipName) -> dict[str, object]:
        manifest = self._ended(name)
        if not manifest.report.has_clip:
            raise Problem(UNKNOWN_CLIP, "Its report says why.")
        try:
            return clock_members(manifest, FrameInstants.of(self.files.open(name), manifest))
        except UnusableFootage as error:
            raise Problem(UNKNOWN_CLIP, str(error)) from error

    def _ended(self, name: ClipName) -> Manifest:
        manifest = self.known.manifest(name)
        if manifest is None:
            raise Problem(UNKNOWN_CLIP, "It is not done." if self.known.find(name) else "")
        if manifest.report.status == DELETED:
            raise Problem(DELETED_PROBLEM)
        return manifest
