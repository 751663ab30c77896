"""Whether a clip is what was cut: the check of `camclip verify`, in a folder."""

from collections.abc import Callable, Sequence
from threading import Lock

from attrs import Factory, frozen
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from domain.clip import ClipName
from domain.errors import Rejected
from domain.findings import Finding, judgement_of
from entrypoints.cli.session import Session
from entrypoints.cli.verified_clip import clip_in_folder
from entrypoints.cli.verify import finding_members, findings_of
from entrypoints.serve.files import available
from entrypoints.serve.parameters import clip_name_in, query
from entrypoints.serve.ports import Clips
from entrypoints.serve.problems import (
    NO_PROOF,
    NO_VERIFICATION,
    TOO_MANY,
    UNKNOWN_CLIP,
    Problem,
)

FindingsOf = Callable[[ClipName], Sequence[Finding]]
"""Checks a clip that is available by its report; Problem if it or its proof is gone."""


@frozen
class VerificationRoutes:
    """The address of a clip's verification."""

    known: Clips
    findings_of: FindingsOf | None
    """None: clips are not verified here."""
    _verifying: Lock = Factory(Lock)
    """One clip at a time: all its bytes are read, and those of its recordings."""

    def routes(self) -> list[Route]:
        """Return the routes."""
        one = "/api/v1/clips/{camera:identifier}/{clip:identifier}/verification"
        return [Route(one, self.verify, methods=["POST"])]

    async def verify(self, request: Request) -> Response:
        """Check a clip against its proof and its recordings, and answer what was found."""
        query(request, ())
        name = clip_name_in(request)
        return JSONResponse(await run_in_threadpool(self._verify, name))

    def _verify(self, name: ClipName) -> dict[str, object]:
        if self.findings_of is None:
            raise Problem(NO_VERIFICATION)
        available(self.known, name)
        if not self._verifying.acquire(blocking=False):
            raise Problem(TOO_MANY, "Another clip is being verified.", Retry_After="5")
        try:
            found = self.findings_of(name)
        finally:
            self._verifying.release()
        return {
            "cameraId": name.camera_id,
            "clipId": name.clip_id,
            "judgement": judgement_of(found).value,
            "findings": [finding_members(each) for each in found],
        }


def findings_in_folder(session: Session) -> FindingsOf:
    """Return what checks the clips of a folder, and their signatures if there is a key."""
    signer = session.service.settings().sign
    key = signer.key.public_key() if signer else None

    def findings(name: ClipName) -> Sequence[Finding]:
        if not session.clips.path(name).is_file():
            raise Problem(UNKNOWN_CLIP, "Its file is gone.")
        try:
            found = clip_in_folder(session, f"{name.camera_id}/{name.clip_id}", None)
            return list(findings_of(found, key, found.recordings))
        except Rejected as error:
            raise Problem(NO_PROOF) from error

    return findings
