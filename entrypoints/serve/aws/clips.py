"""Clips of the deployed service: requested by its queue, known by their manifests."""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from attrs import Factory, frozen

from domain.clip import DELETED, ClipName, ClipRequest
from domain.manifest import Manifest
from entrypoints.cli.service import call_deadline_s
from entrypoints.cli.times import now_ms
from entrypoints.serve.aws.awaited import is_awaited, without_manifest
from entrypoints.serve.events import Events
from entrypoints.serve.known_clip import (
    KnownClip,
    Phase,
    clip_members,
    require_possible,
    require_same,
)
from entrypoints.serve.ports import Abilities, Cameras
from entrypoints.serve.problems import NO_DELETION, QUEUE_FULL, Problem
from infrastructure.folder.sent_requests import SentRequest, SentRequests
from infrastructure.s3.manifests import NoManifest, S3Manifests, StoredManifest
from infrastructure.sqs.queue import SqsRetryQueue

MAX_AWAITED = 200
"""So many clips are awaited at once: each is looked for again and again."""
MAX_READ = 100
"""So many manifests are read for one list of clips."""
READ_CONCURRENCY = 8

logger = logging.getLogger(__name__)


@frozen
class AwsClips:
    """The clips in the destination, and those that were requested from here."""

    cameras: Cameras
    manifests: S3Manifests
    queue: SqsRetryQueue
    sent: SentRequests
    events: Events
    _requesting: Lock = Factory(Lock)
    """Held from the look-up of a request's clip until it is noted as sent."""
    _publishing: Lock = Factory(Lock)
    """Held while what is noted and what is published change: no clip is done before it waits."""

    def find(self, name: ClipName) -> KnownClip | None:
        """Return the clip by its manifest, or else by the request that was sent for it."""
        found = self._manifested(name)
        if found is None and (sent := self.sent.find(name)):
            return self._without_manifest(sent)
        return found

    @property
    def abilities(self) -> Abilities:
        """Nothing is deleted or verified, and no port reports how far a function is."""
        return Abilities(
            can_delete=False, can_verify=False, is_progress_known=False, are_all_listed=False
        )

    @property
    def camera_ids(self) -> set[str]:
        """The cameras that are listed."""
        return {facts.camera_id for facts in self.cameras.known()}

    def manifest(self, name: ClipName) -> Manifest | None:
        """Return the manifest in the destination."""
        stored = self._stored(name)
        return stored.manifest if stored else None

    def newest(self, camera_id: str | None, limit: int) -> list[KnownClip]:
        """Return the clips that are awaited, and the newest of those that are done.

        The latter are those of a camera, or those that were requested from here.
        """
        limit = min(limit, MAX_READ)
        awaited = [s for s in self.sent.waiting() if camera_id in {None, s.request.camera_id}]
        if camera_id:
            names = self.manifests.newest(camera_id, limit, call_deadline_s())
        else:
            names = [sent.request.name for sent in self.sent.ended()[:limit]]
        found = [known for known in self._found(names) if known.report.status != DELETED]
        done = {known.name for known in found}
        waiting = [self._without_manifest(s) for s in awaited if s.request.name not in done]
        return [*waiting, *sorted(found, key=lambda known: -known.changed_at_ms)]

    def request(self, request: ClipRequest) -> KnownClip:
        """Send a request, unless its clip is there or awaited; then note that it was sent.

        A crash in between leaves a request that is carried out, but not listed: whoever asked for
        it got no answer, and asks again.
        """
        with self._requesting:
            if known := self._standing(request):
                require_same(known, request)
                return known
            require_possible(self.cameras.service.settings().policy, request, now_ms())
            self.cameras.require(request.camera_id, request.start_ms)
            if len(self.sent.waiting()) >= MAX_AWAITED:
                raise Problem(QUEUE_FULL, Retry_After="30")
            self.queue.add(request, call_deadline_s())
            with self._publishing:
                known = self._without_manifest(self.sent.add(request))
                self._publish(known)
        return known

    def delete(self, name: ClipName) -> None:  # noqa: ARG002 - of no clip
        """Raise a Problem: a message in the queue cannot be taken back, and nothing is removed."""
        raise Problem(NO_DELETION, Allow="GET, HEAD")

    def members(self, known: KnownClip) -> dict[str, object]:
        """Return the members of the JSON object."""
        thumbnails = self.cameras.service.settings().thumbnails
        return clip_members(known, self.manifests.bucket, thumbnails)

    def look_up(self, sent: SentRequest) -> bool:
        """Note and publish that a clip is done, if it is, or is no longer awaited; return whether.

        Its manifest is read first: a clip that comes late is not given up.
        """
        known = self._manifested(sent.request.name)
        if known is None and is_awaited(sent, now_ms()):
            return False
        with self._publishing:
            self.sent.end(sent.request.name)
            self._publish(known or self._without_manifest(sent))
        return True

    def _publish(self, known: KnownClip) -> None:
        self.events.publish(known.phase.value, self.members(known))

    def _standing(self, request: ClipRequest) -> KnownClip | None:
        """Return the clip of a request's name, unless its last request failed without a trace."""
        if known := self._manifested(request.name):
            return known
        sent = self.sent.find(request.name)
        return self._without_manifest(sent) if sent and is_awaited(sent, now_ms()) else None

    def _manifested(self, name: ClipName) -> KnownClip | None:
        stored = self._stored(name)
        return (
            KnownClip(stored.manifest.report, Phase.DONE, stored.changed_at_ms) if stored else None
        )

    def _stored(self, name: ClipName) -> StoredManifest | None:
        stored = self.manifests.read(name, call_deadline_s())
        return stored if stored and stored.manifest.report.camera_id == name.camera_id else None

    def _without_manifest(self, sent: SentRequest) -> KnownClip:
        retry_limit_ms = self.cameras.service.settings().policy.retry_limit_ms
        return without_manifest(sent, now_ms(), retry_limit_ms)

    def _found(self, names: Iterable[ClipName]) -> list[KnownClip]:
        """Return what is known of clips; an object that is no manifest is left out, and logged."""

        def find(name: ClipName) -> KnownClip | None:
            try:
                return self.find(name)
            except NoManifest as error:
                logger.warning("A clip is left out of the list: %s", error)
                return None

        with ThreadPoolExecutor(READ_CONCURRENCY) as readers:
            return [known for known in readers.map(find, names) if known]
