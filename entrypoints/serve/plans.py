"""What a request would become, without any effect."""

from attrs import frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.clip import ClipRequest
from entrypoints.cli.plan import as_members, foresee
from entrypoints.cli.times import now_ms
from entrypoints.serve.answers import JsonAnswer
from entrypoints.serve.parameters import body_of, query
from entrypoints.serve.ports import Cameras
from entrypoints.serve.requested import request_in


@frozen
class PlanRoutes:
    """The plans' address."""

    cameras: Cameras

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("/api/v1/plans", self.plan, methods=["POST"])]

    async def plan(self, request: Request) -> Response:
        """Answer with the cuts, gaps and frames of a request."""
        query(request, ())
        wanted = request_in(await body_of(request))
        return JsonAnswer(await run_in_threadpool(self._foresee, wanted))

    def _foresee(self, wanted: ClipRequest) -> dict[str, object]:
        self.cameras.require(wanted.camera_id, wanted.start_ms)
        return as_members(foresee(self.cameras, wanted, now_ms()))
