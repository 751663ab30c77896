"""What is known of a clip: from the queue, the manifests, and the maker at work."""

import time
from collections.abc import Iterator
from threading import RLock

from attrs import Factory, define, evolve, field

from domain.clip import DELETED, ClipName, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.errors import NoClipId
from domain.manifest import Manifest
from entrypoints.cli.session import Session
from entrypoints.cli.times import now_ms
from entrypoints.serve.events import Events
from entrypoints.serve.known_clip import (
    KnownClip,
    Phase,
    clip_members,
    require_possible,
    require_same,
)
from entrypoints.serve.ports import Abilities, Cameras
from entrypoints.serve.problems import IN_PROGRESS, QUEUE_FULL, UNKNOWN_CLIP, Problem
from infrastructure.folder.queue import WaitingMessage
from infrastructure.formats.messages import message_body, read_message

MAX_QUEUED = 100
CALL_S = 20
WRITER = "deleted#1"


@define
class KnownClips:
    """The clips of a session, and the requests for more."""

    session: Session
    cameras: Cameras
    events: Events
    _at_work: dict[ClipName, KnownClip] = field(factory=dict)
    """Those that the maker is making."""
    lock: RLock = Factory(RLock)
    """Held while a request moves: from the queue to the maker, and back or to its manifest."""

    def find(self, name: ClipName) -> KnownClip | None:
        """Return what is known of a clip, None if nothing is."""
        with self.lock:
            if at_work := self._at_work.get(name):
                return at_work
            return self._manifested(name) or next(self._queued(name), None)

    @property
    def abilities(self) -> Abilities:
        """A clip that is not being made can be deleted, and all is known."""
        return Abilities()

    @property
    def camera_ids(self) -> set[str]:
        """The cameras whose clips have manifests."""
        return {name.camera_id for _, name in self.session.clips.manifests()}

    def newest(self, camera_id: str | None, limit: int) -> list[KnownClip]:
        """Return the clips that are not done, and the newest of those that are."""
        with self.lock:
            found = {known.name: known for known in self._queued(None)} | self._at_work
            waiting = [
                known
                for known in found.values()
                if camera_id in {None, known.report.camera_id}
                and not self._is_deleted(known.name, known.report.fingerprint)
            ]
            done: list[KnownClip] = []
            for changed_at_ms, name in self.session.clips.manifests():
                if len(done) >= limit:
                    break
                if name in found or camera_id not in {None, name.camera_id}:
                    continue
                known = self._manifested(name)
                if known and known.report.status != DELETED:
                    done.append(evolve(known, changed_at_ms=changed_at_ms))
        return [*sorted(waiting, key=lambda known: -known.changed_at_ms), *done]

    def request(self, request: ClipRequest) -> KnownClip:
        """Queue a request, unless it is known already; Problem if it cannot be made."""
        with self.lock:
            if known := self.find(request.name):
                require_same(known, request)
                return known
            at_ms = now_ms()
            require_possible(self.session.service.settings().policy, request, at_ms)
            self.cameras.require(request.camera_id, request.start_ms)
            if self.session.queue.count() >= MAX_QUEUED:
                raise Problem(QUEUE_FULL, Retry_After="30")
            self.session.queue.add(message_body(request))
            known = KnownClip(_pending(request, 0), Phase.WAITING, at_ms, at_ms)
            self._publish(known)
        return known

    def delete(self, name: ClipName) -> None:
        """Delete a clip, or cancel its request; Problem if it is not known, or being made.

        The manifest is replaced first: it answers late duplicates of the request.
        """
        deadline_s = time.monotonic() + CALL_S
        with self.lock:
            known = self.find(name)
            if known is None:
                raise Problem(UNKNOWN_CLIP)
            if known.phase not in {Phase.WAITING, Phase.DONE}:
                raise Problem(IN_PROGRESS)
            if known.report.status != DELETED:
                report = evolve(
                    known.report, status=DELETED, coverage=Coverage(), reason="It was deleted."
                )
                manifest = Manifest(report, WRITER)
                self.session.clips.write_manifest(name, manifest, deadline_s, replace=True)
                self._publish(KnownClip(report, Phase.DONE, now_ms()))
            self.session.clips.remove(name, deadline_s)

    def at_work(self, known: KnownClip) -> None:
        """Note and publish how far the maker is with a clip."""
        with self.lock:
            self._at_work[known.name] = known
            self._publish(known)

    def ended(self, known: KnownClip) -> None:
        """Note and publish that the maker has ended with a clip, done or to be tried again."""
        with self.lock:
            self._at_work.pop(known.name, None)
            queued = next(self._queued(known.name), None) if known.phase is Phase.WAITING else None
            self._publish(evolve(known, due_ms=queued.due_ms) if queued else known)

    def is_deleted(self, request: ClipRequest) -> bool:
        """Return whether the clip of a request was deleted: it will not be made again."""
        with self.lock:
            return self._is_deleted(request.name, request.fingerprint)

    def forget(self, name: ClipName) -> None:
        """Note that the maker has ended with a clip that turned out to be deleted."""
        with self.lock:
            if self._at_work.pop(name, None) and (known := self.find(name)):
                self._publish(known)

    def _publish(self, known: KnownClip) -> None:
        self.events.publish(known.phase.value, self.members(known))

    def members(self, known: KnownClip) -> dict[str, object]:
        """Return the members of the JSON object; the bucket of a folder is called clips."""
        return clip_members(known, "clips", self.session.service.settings().thumbnails)

    def manifest(self, name: ClipName) -> Manifest | None:
        """Return the manifest of a request that has ended, None if there is none."""
        manifest = self.session.clips.read_manifest(name, time.monotonic() + CALL_S)
        return manifest if manifest and manifest.report.camera_id == name.camera_id else None

    def _is_deleted(self, name: ClipName, fingerprint: str) -> bool:
        manifest = self.manifest(name)
        return (
            manifest is not None
            and manifest.report.status == DELETED
            and manifest.report.fingerprint == fingerprint
        )

    def _manifested(self, name: ClipName) -> KnownClip | None:
        manifest = self.manifest(name)
        if manifest is None:
            return None
        changed_at_ms = self.session.clips.manifest_changed_ms(name)
        return KnownClip(manifest.report, Phase.DONE, changed_at_ms)

    def _queued(self, name: ClipName | None) -> Iterator[KnownClip]:
        """Yield the requests in the queue, and then the dead letters, of one clip or of all."""
        queue = self.session.queue
        for message in queue.waiting():
            if request := request_in(message, name):
                report = _pending(request, message.receive_count)
                yield KnownClip(report, Phase.WAITING, message.sent_at_ms, message.due_ms)
        for message in queue.dead()[-MAX_QUEUED:]:
            if request := request_in(message, name):
                yield KnownClip(failed(request), Phase.DONE, message.sent_at_ms)


def request_in(message: WaitingMessage, name: ClipName | None) -> ClipRequest | None:
    """Return the request in a message, if it is one of that clip, or of any if that is None."""
    try:
        request = read_message(message.body, message.sent_at_ms)
    except NoClipId:
        return None
    is_meant = isinstance(request, ClipRequest) and name in {None, request.name}
    return request if isinstance(request, ClipRequest) and is_meant else None


def failed(request: ClipRequest) -> ClipReport:
    """Return the report of a request whose every delivery has failed."""
    return ClipReport.of(
        request,
        ClipStatus.FATAL_ERROR,
        reason="Every try to make the clip failed; the server has printed why.",
    )


def _pending(request: ClipRequest, receive_count: int) -> ClipReport:
    reason = "The request is in the queue."
    if request.retries_ms:
        reason = "Some of the footage is not stored yet: it is looked for again."
    if receive_count:
        reason = "An earlier try failed or was interrupted, or another process makes the clip."
    return ClipReport.of(request, ClipStatus.PENDING, reason=reason)
