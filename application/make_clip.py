"""The use case: one delivery of a request, carried as far as it can go.

Gather what there is, decide by a pure function, act. The order of effects is what makes crashes,
duplicates and races harmless; docs/decisions/0003-order-of-effects.md says why it is this one.
"""

from pathlib import Path

from attrs import evolve, frozen

from application.ports import (
    AlreadyExists,
    CameraService,
    ClipStore,
    Notifier,
    Piece,
    Recording,
    RecordingPiece,
    RecordingStore,
    RetryQueue,
    ThumbnailSpec,
    Transcoder,
)
from domain.clip import ClipReport, ClipRequest, ClipStatus, InvalidRequest, report_of
from domain.delivery import Delivery
from domain.errors import AlreadyInProgress, ClipError, Conflict, NotRecordedYet, Rejected
from domain.idempotency import (
    Absent,
    Announced,
    Existing,
    InProgress,
    NameTaken,
    Unannounced,
    available,
    decide_existing,
)
from domain.manifest import ByteRange, Manifest, MediaInfo, Source
from domain.planning import ClipPlan, Cut, plan_clip
from domain.retry import Build, Reject, Requeue, RetryPolicy, decide_from_request, decide_retry

MAX_CUTS = 200
MAX_GAPS = 100
"""So that the gaps fit into the clip's metadata, which S3 holds to 2 KB."""


@frozen
class ClipInputs:
    """What there is to make a clip of."""

    plan: ClipPlan
    opened: dict[str, Recording]
    notes: tuple[str, ...]


@frozen
class ClipResult:
    """How a delivery ended: what was told, and what else is worth a line in the log."""

    report: ClipReport
    notes: tuple[str, ...] = ()
    media: MediaInfo | None = None
    read_bytes: int = 0
    """How much was read of the recordings."""


class _HalfTold(Exception):
    """A status without a clip was stored, but not all that follows: it is not to be replaced."""

    def __init__(self, error: ClipError) -> None:
        super().__init__(str(error))
        self.error = error


@frozen
class MakeClip:
    """Makes clips, or says why not. Holds no state between deliveries."""

    cameras: CameraService
    recordings: RecordingStore
    transcoder: Transcoder
    clips: ClipStore
    queue: RetryQueue
    notifier: Notifier
    policy: RetryPolicy
    thumbnails: ThumbnailSpec
    seam_tolerance_ms: int = 1000
    delivery_timeout_ms: int = 300_000
    """The longest that a delivery can take: the function's timeout."""

    def __call__(self, request: ClipRequest, delivery: Delivery, folder: Path) -> ClipResult:
        """Carry `request` as far as it goes, with `folder` for scratch.

        Returning means that the message is done with; any error means that it must be delivered
        again. On its last delivery the camera API and the subscribers hear of the error too.
        """
        try:
            return self._make(request, delivery, folder)
        except (Conflict, AlreadyInProgress):
            raise
        except _HalfTold as half_told:
            raise half_told.error from half_told.error.__cause__
        except Exception as error:
            if delivery.deliveries_left == 0:
                self._tell_failure(request, delivery, error)
            raise

    def reject_invalid(self, broken: InvalidRequest, delivery: Delivery) -> ClipResult:
        """Tell that the message cannot be understood, unless there is a clip of that name."""
        if broken.name and self.clips.find(broken.name, delivery.deadline_s):
            raise Conflict(
                f"A message that cannot be understood names a finished clip: {broken.reason}"
            )
        report = ClipReport(
            broken.clip_id,
            ClipStatus.FATAL_ERROR,
            broken.camera_id,
            broken.start_ms,
            broken.end_ms,
            reason=broken.reason,
        )
        self.cameras.update_clip(report, delivery.deadline_s)
        self.notifier.publish(report, delivery.deadline_s)
        return ClipResult(report)

    def _make(self, request: ClipRequest, delivery: Delivery, folder: Path) -> ClipResult:
        refused = decide_from_request(self.policy, request, delivery)
        if refused:
            return self._refuse(request, delivery, refused)
        standing = self._standing(request, delivery)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, delivery)
        try:
            gathered = self._gather(request, delivery)
            result = self._settle(request, delivery, folder, gathered)
            read_bytes = sum(recording.read_bytes for recording in gathered.opened.values())
            return evolve(result, read_bytes=read_bytes)
        except Rejected as error:
            return self._refuse(request, delivery, Reject(ClipStatus.FATAL_ERROR, str(error)))

    def _settle(
        self, request: ClipRequest, delivery: Delivery, folder: Path, gathered: ClipInputs
    ) -> ClipResult:
        match decide_retry(self.policy, request, delivery, gathered.plan.coverage):
            case Build():
                return self._build(request, delivery, folder, gathered)
            case Requeue(delay_s):
                return self._wait(request, delivery, delay_s, gathered.notes)
            case Reject() as refused:
                return self._refuse(request, delivery, refused, gathered.notes)

    def _standing(self, request: ClipRequest, delivery: Delivery) -> Existing:
        clip = self.clips.find(request.name, delivery.deadline_s)
        manifest = self.clips.read_manifest(request.name, delivery.deadline_s)
        if clip is None and manifest and manifest.report.has_clip:
            clip = self.clips.find(request.name, delivery.deadline_s)
        return decide_existing(request, delivery, clip, manifest, self.delivery_timeout_ms)

    def _go_on_from(
        self,
        standing: Announced | Unannounced | InProgress | NameTaken,
        request: ClipRequest,
        delivery: Delivery,
    ) -> ClipResult:
        match standing:
            case Announced(report):
                self.cameras.update_clip(report, delivery.deadline_s)
                return ClipResult(report, ("The clip was there already.",))
            case Unannounced(clip):
                return self._announce(
                    request,
                    delivery,
                    Manifest(available(request, clip.gaps), clip.writer, clip.media),
                    ("The clip was there already, unannounced.",),
                )
            case InProgress():
                raise AlreadyInProgress("Another delivery has just stored the clip.")
            case NameTaken():
                raise Conflict("There is a clip of that name already, of another window.")

    def _gather(self, request: ClipRequest, delivery: Delivery) -> ClipInputs:
        """Plan on what the recordings really hold: open what the plan needs until it stands."""
        listed = self.cameras.find_segments(request.camera_id, request.window, delivery.deadline_s)
        segments = {segment.name: segment for segment in sorted(listed, reverse=True)}
        opened: dict[str, Recording] = {}
        notes: tuple[str, ...] = ()
        while True:
            plan = plan_clip(request.window, segments.values(), self.seam_tolerance_ms)
            if len(plan.cuts) > MAX_CUTS or len(plan.gaps) > MAX_GAPS:
                raise Rejected(
                    f"The footage is in too many parts: {len(plan.cuts)} recordings and"
                    f" {len(plan.gaps)} gaps; {MAX_CUTS} and {MAX_GAPS} are allowed."
                )
            unopened = [c.segment for c in plan.cuts if c.segment.name not in opened]
            if not unopened:
                return ClipInputs(plan, opened, notes)
            for segment in unopened:
                try:
                    recording = self.recordings.open(segment, delivery.deadline_s)
                except NotRecordedYet as error:
                    del segments[segment.name]
                    notes = (*notes, str(error))
                else:
                    opened[segment.name] = recording
                    segments[segment.name] = recording.segment

    def _build(
        self, request: ClipRequest, delivery: Delivery, folder: Path, gathered: ClipInputs
    ) -> ClipResult:
        plan, opened = gathered.plan, gathered.opened
        rendition = self.transcoder.render(
            plan, opened, self.thumbnails, folder, delivery.deadline_s
        )
        self.clips.store_thumbnails(request.name, rendition.thumbnails, delivery.deadline_s)
        try:
            self.clips.commit(request, rendition, delivery.writer, plan.gaps, delivery.deadline_s)
        except AlreadyExists:
            self._check_ours(request, delivery)
        manifest = Manifest(
            available(request, plan.gaps),
            delivery.writer,
            rendition.media,
            tuple(_source(cut, opened[cut.segment.name], rendition.pieces) for cut in plan.cuts),
        )
        return self._announce(request, delivery, manifest, gathered.notes)

    def _check_ours(self, request: ClipRequest, delivery: Delivery) -> None:
        """Go on only if the object is this delivery's own: stored, and the reply lost."""
        clip = self.clips.find(request.name, delivery.deadline_s)
        if clip and clip.fingerprint != request.fingerprint:
            raise Conflict("There is a clip of that name now, of another window.")
        if clip is None or clip.writer != delivery.writer:
            raise AlreadyInProgress("Another delivery stored the clip first.")

    def _announce(
        self, request: ClipRequest, delivery: Delivery, manifest: Manifest, notes: tuple[str, ...]
    ) -> ClipResult:
        self.cameras.update_clip(manifest.report, delivery.deadline_s)
        self.notifier.publish(manifest.report, delivery.deadline_s)
        self.clips.write_manifest(request.name, manifest, delivery.deadline_s, replace=True)
        return ClipResult(manifest.report, notes, manifest.media)

    def _wait(
        self, request: ClipRequest, delivery: Delivery, delay_s: int, notes: tuple[str, ...]
    ) -> ClipResult:
        standing = self._standing(request, delivery)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, delivery)
        if standing.ended:
            return self._repeat(standing.ended, request, delivery)
        report = report_of(request, ClipStatus.PENDING, reason="The footage is not all there yet.")
        try:
            self.cameras.update_clip(report, delivery.deadline_s)
        except ClipError as error:
            notes = (*notes, f"The clip's state could not be stored: {error}")
        self._look_again(request, delivery)
        self.queue.send(request.retried(delivery.sent_at_ms), delay_s, delivery.deadline_s)
        return ClipResult(report, notes)

    def _refuse(
        self,
        request: ClipRequest,
        delivery: Delivery,
        refused: Reject,
        notes: tuple[str, ...] = (),
    ) -> ClipResult:
        standing = self._standing(request, delivery)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, delivery)
        if standing.ended:
            return self._repeat(standing.ended, request, delivery)
        report = report_of(request, refused.status, reason=refused.reason)
        self.cameras.update_clip(report, delivery.deadline_s)
        self._look_again(request, delivery)
        try:
            self.notifier.publish(report, delivery.deadline_s)
            self.clips.write_manifest(
                request.name, Manifest(report, delivery.writer), delivery.deadline_s, replace=False
            )
        except AlreadyExists:
            notes = (*notes, "Another delivery stored a manifest first.")
        except ClipError as error:
            raise _HalfTold(error) from error
        return ClipResult(report, notes)

    def _repeat(self, ended: ClipReport, request: ClipRequest, delivery: Delivery) -> ClipResult:
        """Tell the camera API once more how the request ended without a clip."""
        self.cameras.update_clip(ended, delivery.deadline_s)
        self._look_again(request, delivery)
        return ClipResult(ended, ("The request had ended already.",))

    def _look_again(self, request: ClipRequest, delivery: Delivery) -> None:
        """After a state without a clip was stored: put it right if the clip came meanwhile."""
        clip = self.clips.find(request.name, delivery.deadline_s)
        if clip is None:
            return
        if clip.fingerprint != request.fingerprint:
            raise Conflict("There is a clip of that name now, of another window.")
        self.cameras.update_clip(available(request, clip.gaps), delivery.deadline_s)
        raise AlreadyInProgress("Another delivery stored the clip meanwhile.")

    def _tell_failure(self, request: ClipRequest, delivery: Delivery, error: Exception) -> None:
        """Tell FATAL_ERROR, unless the request has ended; `error` notes it if that fails."""
        reason = str(error) if isinstance(error, ClipError) else "The service failed."
        report = report_of(request, ClipStatus.FATAL_ERROR, reason=reason)
        try:
            standing = self._standing(request, delivery)
            if not isinstance(standing, Absent) or standing.ended:
                return
            self.cameras.update_clip(report, delivery.deadline_s)
            self._look_again(request, delivery)
            self.notifier.publish(report, delivery.deadline_s)
        except ClipError as untold:
            error.add_note(f"Nor could that be told: {untold}")


def _source(cut: Cut, recording: Recording, pieces: tuple[Piece, ...]) -> Source:
    ranges = tuple(
        ByteRange(piece.offset, piece.length)
        for piece in pieces
        if isinstance(piece, RecordingPiece) and piece.recording is recording
    )
    return Source(cut.segment.name, recording.version, cut.window, ranges)
