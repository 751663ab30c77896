"""The application: the table of routes, inside the guard."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import boto3
from attrs import define
from starlette.applications import Starlette
from starlette.routing import Route

from entrypoints.cli.session import Session
from entrypoints.container import AwsService, prepare, report_progress
from entrypoints.serve.aws.cameras import AwsCameras, OpenedRecordings
from entrypoints.serve.aws.clips import AwsClips
from entrypoints.serve.aws.files import AwsFiles
from entrypoints.serve.aws.watcher import Watcher
from entrypoints.serve.cameras import CameraRoutes
from entrypoints.serve.clip_pages import ClipPageRoutes
from entrypoints.serve.clips import ClipRoutes
from entrypoints.serve.events import EventRoutes, Events
from entrypoints.serve.evidence import EvidenceRoutes
from entrypoints.serve.files import FileRoutes
from entrypoints.serve.folder_cameras import FolderCameras, OpenedFiles
from entrypoints.serve.folder_files import FolderFiles
from entrypoints.serve.frames import FrameRoutes
from entrypoints.serve.guard import READS, WRITES, Access, Bucket, Guard, Rate
from entrypoints.serve.known_clips import KnownClips
from entrypoints.serve.maker import Maker
from entrypoints.serve.pages import PageRoutes
from entrypoints.serve.plans import PlanRoutes
from entrypoints.serve.ports import Cameras, ClipFiles, Clips, Work
from entrypoints.serve.problems import HANDLERS
from entrypoints.serve.sidecars import SidecarRoutes
from entrypoints.serve.sign_in import SignInRoutes
from entrypoints.serve.verification import FindingsOf, VerificationRoutes, findings_in_folder
from infrastructure.folder.sent_requests import SentRequests
from infrastructure.s3.links import S3Links, link_config
from infrastructure.s3.manifests import S3Manifests
from infrastructure.sqs.queue import SqsRetryQueue

GRACE_S = 10.0
"""How long a clip may still take when the server ends; after that, it is made at the next start."""


@define
class Serving:
    """What is served, and what goes on while it is."""

    access: Access
    events: Events
    cameras: Cameras
    known: Clips
    files: ClipFiles
    work: Work
    reads: Rate = READS
    writes: Rate = WRITES
    verify: FindingsOf | None = None
    """None: clips are not verified here."""
    files_origin: str = ""
    """Where files are, if not here."""

    def routes(self) -> list[Route]:
        """Return the table of routes."""
        parts = (
            PageRoutes(),
            SignInRoutes(self.access),
            CameraRoutes(self.cameras),
            FrameRoutes(self.cameras),
            PlanRoutes(self.cameras),
            ClipRoutes(self.known, self.work),
            FileRoutes(self.known, self.files, self.cameras.zone),
            EvidenceRoutes(self.known, self.files),
            VerificationRoutes(self.known, self.verify),
            SidecarRoutes(self.known, self.files),
            EventRoutes(self.events),
            ClipPageRoutes(self.known, self.files, self.cameras.zone),
        )
        return [route for part in parts for route in part.routes()]

    def application(self) -> Guard:
        """Return the application; the work goes on while it runs."""
        routed = Starlette(
            routes=self.routes(), exception_handlers=HANDLERS, lifespan=self._working
        )
        routed.router.redirect_slashes = False  # An address has one form.
        reads, writes = Bucket(self.reads), Bucket(self.writes)
        return Guard(routed, self.access, reads, writes, self.files_origin)

    @asynccontextmanager
    async def _working(self, _: Starlette) -> AsyncIterator[None]:
        self.work.start()
        try:
            yield
        finally:
            self.events.close()
            self.work.stop(GRACE_S)


def serving(session: Session, access: Access) -> Serving:
    """Return what is served of a folder; all that its threads share is made now."""
    events = Events()
    cameras = FolderCameras(session, OpenedFiles(session))
    known = KnownClips(session, cameras, events)
    maker = Maker(session, known)
    report_progress(session.service, maker.on_progress)
    session.service.handle_batch()
    files = FolderFiles(session.clips, session.service.settings().thumbnails)
    verify = findings_in_folder(session)
    return Serving(access, events, cameras, known, files, maker, verify=verify)


def aws_serving(service: AwsService, named: Sequence[str], state: Path, access: Access) -> Serving:
    """Return what is served of the deployed service; Unavailable if `state` cannot be used.

    `named` are ids of cameras; `state` is the folder where requests that were sent are noted.
    """
    prepare(service)
    events = Events()
    s3, bucket, queue = service.s3(), service.aws().destination_bucket, service.queue()
    assert isinstance(queue, SqsRetryQueue)  # noqa: S101 - a service in AWS
    cameras = AwsCameras(service, named, OpenedRecordings(service))
    manifests = S3Manifests(s3, bucket)
    clips = AwsClips(cameras, manifests, queue, SentRequests(state), events)
    links = S3Links(boto3.client("s3", config=link_config(s3)), bucket)
    files = AwsFiles(manifests, links, service.settings().thumbnails)
    return Serving(access, events, cameras, clips, files, Watcher(clips), files_origin=links.origin)
