"""The use case: one delivery of a request, carried as far as it can go.

Look at what exists, gather the footage, decide by a pure function, act. The order of effects makes
crashes, duplicates and races harmless; docs/decisions/0003-order-of-effects.md explains it.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, tzinfo
from pathlib import Path

from attrs import Factory, evolve, frozen

from application.gather_footage import GatheredFootage, GatherFootage, WithoutPicture
from application.ports import (
    AlreadyExists,
    CameraService,
    ClipStore,
    Listing,
    Notifier,
    RecordingStore,
    Rendition,
    RetryQueue,
    ThumbnailSpec,
    Transcoder,
)
from application.provenance import coverage_of, with_checksums, with_held
from domain.clip import ClipReport, ClipStatus, InvalidRequest
from domain.clip_label import ClipLabel
from domain.delivery import Delivery
from domain.errors import (
    AlreadyInProgress,
    ClipDeleted,
    ClipError,
    Conflict,
    NoPicture,
    Rejected,
)
from domain.idempotency import (
    Absent,
    Announced,
    Deleted,
    Existing,
    InProgress,
    NameTaken,
    Unannounced,
    decide_existing,
)
from domain.manifest import Manifest, MediaInfo, StoredClip
from domain.retry import (
    Build,
    Reject,
    Requeue,
    RetryDecision,
    RetryPolicy,
    decide_from_request,
    decide_retry,
    reject_gaps,
)
from domain.window import TimeWindow

MAX_NAMED = 10
"""A rejection's reason names at most so many of the recordings left out."""


@frozen
class Situation:
    """What a delivery has to act on: by default, nothing is known of its request."""

    folder: Path
    """Scratch space."""
    rejection: ClipReport | None = None
    """How an earlier delivery rejected the request, if one did."""
    footage: GatheredFootage = Factory(GatheredFootage)


@frozen
class ClipResult:
    """How a delivery ended: the report, and facts for the log."""

    report: ClipReport
    notes: tuple[str, ...] = ()
    media: MediaInfo | None = None
    read_bytes: int = 0
    """How many bytes were read from the recordings."""
    is_some_unreadable: bool = False
    """Whether a recording listed for the window is damaged, cut off, or no recording."""


class _StatusStored(Exception):
    """A later step failed after a rejection's status was stored, which must stay as it is."""

    def __init__(self, error: ClipError) -> None:
        super().__init__(str(error))
        self.error = error


class _GapsFound(Exception):
    """A clip that its request wants without gaps has some: pictures cannot be decoded."""

    def __init__(self, reject: Reject) -> None:
        super().__init__(reject.reason)
        self.reject = reject


@frozen
class MakeClip:
    """Makes clips, or reports why not. Keeps no state between deliveries."""

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
    """The maximum duration of a delivery: the Lambda function's timeout."""
    zone: tzinfo = UTC
    """The zone of the times in a clip's title."""

    def __call__(self, delivery: Delivery, folder: Path) -> ClipResult:
        """Carry the delivery's request as far as it goes, with `folder` as scratch space.

        A result acknowledges the message; any error means redelivery. On the last delivery it is
        also reported and published as FATAL_ERROR, unless the request has an outcome already.
        """
        with self._reporting_last_failure(delivery, folder):
            listing = decide_from_request(self.policy, delivery) or self._list(delivery)
            match self._existing(delivery):
                case Announced(report):
                    return self._repeat(delivery, report, folder)
                case Unannounced(clip):
                    return self._resume(delivery, clip, folder)
                case InProgress():
                    raise AlreadyInProgress("Another delivery has just stored the clip.")
                case NameTaken():
                    raise Conflict(
                        "A clip of another window, or with other options, has this name."
                    )
                case Deleted():
                    raise ClipDeleted("The clip was deleted.")
                case Absent(rejection):  # pragma: no branch - the last kind
                    situation = Situation(folder, rejection)
                    situation, decision = self._decide(delivery, situation, listing)
            match decision:
                case Build():
                    return self._build(delivery, situation)
                case Requeue() | Reject():  # pragma: no branch - the other kinds
                    return self._requeue_or_reject(delivery, situation, decision)

    def reject_invalid(self, invalid: InvalidRequest, deadline_s: float) -> ClipResult:
        """Report and publish that the message is malformed, unless there is a clip of its name."""
        if invalid.name and self.clips.find(invalid.name, deadline_s):
            raise Conflict(f"A malformed message names a finished clip: {invalid.reason}")
        report = ClipReport(
            invalid.clip_id,
            ClipStatus.FATAL_ERROR,
            invalid.camera_id,
            invalid.start_ms,
            invalid.end_ms,
            reason=invalid.reason,
        )
        self.cameras.update_clip(report, deadline_s)
        self.notifier.publish(report, deadline_s)
        return ClipResult(report)

    def _existing(self, delivery: Delivery) -> Existing:
        """Find the clip and the manifest, whichever is read first.

        If only one of them is found, the other is read again: another delivery may have stored it
        between the two reads.
        """
        name, deadline_s = delivery.request.name, delivery.deadline_s
        clip, manifest = self.clips.look(name, deadline_s)
        is_announced = manifest is not None and manifest.report.has_clip
        if is_announced and not clip:
            clip = self.clips.find(name, deadline_s)
        elif clip and not is_announced:
            manifest = self.clips.read_manifest(name, deadline_s)
        return decide_existing(delivery, clip, manifest, self.delivery_timeout_ms)

    def _list(self, delivery: Delivery) -> Callable[[], Listing]:
        """Begin to list the request's recordings: nothing depends on it if there is a clip."""
        request = delivery.request
        window = request.window.widened(self.seam_tolerance_ms)
        return self.cameras.list_segments(request.camera_id, window, delivery.deadline_s)

    def _decide(
        self, delivery: Delivery, situation: Situation, listing: Reject | Callable[[], Listing]
    ) -> tuple[Situation, RetryDecision]:
        """Decide from the footage, if the request alone does not suffice."""
        if isinstance(listing, Reject):
            return situation, listing
        try:
            footage = self._gather(delivery, listing)
        except Rejected as error:
            return situation, _fatal(error)
        decision = decide_retry(self.policy, delivery, footage.found)
        return evolve(situation, footage=footage), _naming_left_out(decision, footage.left_out)

    def _gather(
        self,
        delivery: Delivery,
        listing: Callable[[], Listing],
        without_picture: WithoutPicture | None = None,
    ) -> GatheredFootage:
        gather = GatherFootage(self.cameras, self.recordings, self.seam_tolerance_ms)
        return gather(delivery.request, listing(), delivery.deadline_s, without_picture)

    def _build(self, delivery: Delivery, situation: Situation) -> ClipResult:
        request, deadline_s = delivery.request, delivery.deadline_s
        with ExitStack() as sending:
            try:
                footage, rendition = self._render(delivery, situation, sending)
            except _GapsFound as found:
                return self._requeue_or_reject(delivery, situation, found.reject)
            except Rejected as error:
                return self._requeue_or_reject(delivery, situation, _fatal(error))
            coverage = coverage_of(request.window, footage, rendition)
            try:
                self.clips.commit(request, rendition, delivery.id, coverage, deadline_s)
            except AlreadyExists:
                self._require_own_clip(delivery)
        manifest = Manifest(
            ClipReport.available(request, coverage),
            delivery.id,
            rendition.media,
            with_checksums(rendition.evidence.sources, footage),
            rendition.evidence.proof,
            paces=footage.paces,
        )
        notes = (*footage.left_out, *rendition.notes)
        result = self._announce(delivery, manifest, rendition.thumbnails, notes, situation.folder)
        return evolve(result, read_bytes=footage.read_bytes)

    def _resume(self, delivery: Delivery, clip: StoredClip, folder: Path) -> ClipResult:
        """Announce a stored clip, which may lack its thumbnails."""
        thumbnails = self._thumbnails_of_stored_clip(delivery, clip, folder)
        manifest = Manifest.of_stored(delivery.request, clip)
        notes = ("The clip was already stored.",)
        return self._announce(delivery, manifest, thumbnails, notes, folder)

    def _thumbnails_of_stored_clip(
        self, delivery: Delivery, clip: StoredClip, folder: Path
    ) -> Mapping[int, Path]:
        """Make the clip's thumbnails of its own bytes: its recordings may be gone."""
        deadline_s = delivery.deadline_s
        stored = self.clips.open(delivery.request.name, deadline_s)
        filler = clip.evidence.proof.filler if clip.evidence.proof else ()
        return self.transcoder.thumbnails(stored, self.thumbnails, folder, deadline_s, filler)

    def _render(
        self, delivery: Delivery, situation: Situation, sending: ExitStack
    ) -> tuple[GatheredFootage, Rendition]:
        """Render the plan; plan again without windows that no decoder makes a picture of.

        The assembled clip is sent while it is verified, until `sending` is closed.
        """
        footage, without_picture = situation.footage, dict[str, tuple[TimeWindow, ...]]()
        request, deadline_s = delivery.request, delivery.deadline_s

        def send(assembled: Rendition) -> None:
            sending.close()
            complete = with_held(footage, assembled, without_picture)
            coverage = coverage_of(request.window, *complete)
            sending.enter_context(
                self.clips.sending(request, complete[1], delivery.id, coverage, deadline_s)
            )

        while True:
            plan = footage.plan
            assert plan  # noqa: S101 - a clip is made only of planned footage
            try:
                rendition = self.transcoder.render_reporting(
                    plan,
                    footage.recordings,
                    self.thumbnails,
                    situation.folder,
                    deadline_s,
                    request.options,
                    ClipLabel(request.name, request.window, self.zone),
                    send,
                )
                return with_held(footage, rendition, without_picture)
            except NoPicture as error:
                sending.close()
                without_picture[error.name] = (*without_picture.get(error.name, ()), *error.windows)
                footage = self._gather(delivery, self._list(delivery), without_picture)
                if footage.plan == plan:
                    # Not even a picture can be held that was recorded before the window.
                    whole = footage.recordings[error.name].segment.window
                    without_picture[error.name] = (whole,)
                    footage = self._gather(delivery, self._list(delivery), without_picture)
                if footage.plan and (reject := reject_gaps(request, footage.plan.gaps)):
                    raise _GapsFound(reject) from error
                if footage.plan and not footage.plan.cuts:
                    raise Rejected(f"No picture of the clip can be decoded. {error}") from error

    def _require_own_clip(self, delivery: Delivery) -> None:
        """Raise unless this delivery stored the clip itself, and only the reply was lost."""
        clip = self._clip_stored_since(delivery)
        if clip is None or clip.writer != delivery.id:
            raise AlreadyInProgress("Another delivery stored the clip first.")

    def _announce(
        self,
        delivery: Delivery,
        manifest: Manifest,
        thumbnails: Mapping[int, Path],
        notes: tuple[str, ...],
        folder: Path,
    ) -> ClipResult:
        """Store the pictures, report the clip, publish it, store the manifest, in this order.

        Only the delivery whose clip is stored has pictures to store: a rival with another window
        leaves none. A manifest means that all of this is done.
        """
        deadline_s = delivery.deadline_s
        stored = self.clips.store_thumbnails(delivery.request.name, thumbnails, deadline_s)
        manifest = self._with_sidecars(delivery, manifest.with_thumbnails(stored), folder)
        self.cameras.update_clip(manifest.report, deadline_s)
        self.notifier.publish(manifest.report, deadline_s)
        self.clips.write_manifest(delivery.request.name, manifest, deadline_s, replace=True)
        return ClipResult(manifest.report, notes, manifest.media)

    def _with_sidecars(self, delivery: Delivery, manifest: Manifest, folder: Path) -> Manifest:
        """Store the files next to the clip that were chosen, made of its own bytes, if any were."""
        if not manifest.report.sidecars:
            return manifest
        name, deadline_s = delivery.request.name, delivery.deadline_s
        clip = self.clips.open(name, deadline_s)
        options = delivery.request.options
        made = self.transcoder.sidecars(clip, manifest, options, folder, deadline_s)
        return manifest.with_sidecars(self.clips.store_sidecars(name, made, deadline_s))

    def _requeue_or_reject(
        self, delivery: Delivery, situation: Situation, decision: Requeue | Reject
    ) -> ClipResult:
        """End the delivery without a clip; a request rejected earlier ends the same way again."""
        match decision:
            case Requeue() | Reject() if situation.rejection:
                result = self._repeat(delivery, situation.rejection, situation.folder)
            case Requeue(delay_s):
                result = self._requeue(delivery, situation, delay_s)
            case Reject():  # pragma: no branch - the last kind
                result = self._reject(delivery, situation, decision)
        return evolve(result, is_some_unreadable=situation.footage.is_some_unreadable)

    def _requeue(self, delivery: Delivery, situation: Situation, delay_s: int) -> ClipResult:
        request, deadline_s, notes = (
            delivery.request,
            delivery.deadline_s,
            situation.footage.left_out,
        )
        report = ClipReport.of(
            request, ClipStatus.PENDING, reason="Some of the footage is not stored yet."
        )
        try:
            self.cameras.update_clip(report, deadline_s)
        except ClipError as error:
            notes = (*notes, f"The clip's status could not be reported: {error}")
        self._yield_to_rival(delivery, situation.folder)
        dropped = self.queue.send(request.retried(delivery.sent_at_ms), delay_s, deadline_s)
        notes = (*notes, *_naming_dropped(dropped))
        return ClipResult(report, notes, read_bytes=situation.footage.read_bytes)

    def _reject(self, delivery: Delivery, situation: Situation, reject: Reject) -> ClipResult:
        request, deadline_s, notes = (
            delivery.request,
            delivery.deadline_s,
            situation.footage.left_out,
        )
        report = ClipReport.of(request, reject.status, reason=reject.reason)
        self.cameras.update_clip(report, deadline_s)
        self._yield_to_rival(delivery, situation.folder)
        try:
            self.notifier.publish(report, deadline_s)
            self.clips.write_manifest(
                request.name, Manifest(report, delivery.id), deadline_s, replace=False
            )
        except AlreadyExists:
            notes = (*notes, "Another delivery stored a manifest first.")
        except ClipError as error:
            raise _StatusStored(error) from error
        return ClipResult(report, notes, read_bytes=situation.footage.read_bytes)

    def _repeat(self, delivery: Delivery, report: ClipReport, folder: Path) -> ClipResult:
        """Report to the camera API again how the request ended; subscribers know already."""
        self.cameras.update_clip(report, delivery.deadline_s)
        if not report.has_clip:
            self._yield_to_rival(delivery, folder)
        note = "The clip was already available." if report.has_clip else "The request had ended."
        return ClipResult(report, (note,))

    def _yield_to_rival(self, delivery: Delivery, folder: Path) -> None:
        """Check that the status just stored, one without a clip, is still true.

        If another delivery has committed the clip since the first look, the status is corrected to
        AVAILABLE, and AlreadyInProgress is raised. That delivery may not have stored the pictures
        yet, so they are stored here, too.
        """
        clip = self._clip_stored_since(delivery)
        if clip is None:
            return
        thumbnails = self._thumbnails_of_stored_clip(delivery, clip, folder)
        self.clips.store_thumbnails(delivery.request.name, thumbnails, delivery.deadline_s)
        manifest = self._with_sidecars(delivery, Manifest.of_stored(delivery.request, clip), folder)
        self.cameras.update_clip(manifest.report, delivery.deadline_s)
        raise AlreadyInProgress("Another delivery has stored the clip.")

    def _clip_stored_since(self, delivery: Delivery) -> StoredClip | None:
        """Return the clip stored since the first look, perhaps by this delivery, else None.

        Conflict if it is a clip of another window, or with other options.
        """
        clip = self.clips.find(delivery.request.name, delivery.deadline_s)
        if clip and clip.fingerprint != delivery.request.fingerprint:
            raise Conflict("A clip of another window, or with other options, has this name now.")
        return clip

    @contextmanager
    def _reporting_last_failure(self, delivery: Delivery, folder: Path) -> Iterator[None]:
        """Report and publish an error of the last delivery, unless its request has ended."""
        try:
            yield
        except (Conflict, AlreadyInProgress):
            raise
        except _StatusStored as stored:
            raise stored.error from stored.error.__cause__
        except Exception as error:
            if delivery.deliveries_left == 0:
                self._report_failure(delivery, error, folder)
            raise

    def _report_failure(self, delivery: Delivery, error: Exception, folder: Path) -> None:
        """Report FATAL_ERROR; if that fails, add a note to `error`."""
        reason = str(error) if isinstance(error, ClipError) else "The service failed."
        report = ClipReport.of(delivery.request, ClipStatus.FATAL_ERROR, reason=reason)
        try:
            if self._existing(delivery) != Absent():
                return
            self.cameras.update_clip(report, delivery.deadline_s)
            self._yield_to_rival(delivery, folder)
            self.notifier.publish(report, delivery.deadline_s)
        except ClipError as unreported:
            error.add_note(f"Reporting the failure also failed: {unreported}")


def _naming_left_out(decision: RetryDecision, notes: tuple[str, ...]) -> RetryDecision:
    """Return the decision; a rejection's reason also names the recordings left out, and why."""
    if not isinstance(decision, Reject):
        return decision
    named = [f"{note.rstrip('.')}." for note in notes[:MAX_NAMED]]
    listed = named or ["No recording of that time is listed."]
    more = ["The log names more."] if len(notes) > MAX_NAMED else []
    return evolve(decision, reason=" ".join((decision.reason, *listed, *more)))


def _naming_dropped(keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the note that unknown keys were dropped from a requeued message, if any were."""
    if keys:
        more = f" and {len(keys) - MAX_NAMED} more" if len(keys) > MAX_NAMED else ""
        named = ", ".join(keys[:MAX_NAMED])
        yield f"Unknown keys too long for the queue were dropped: {named}{more}."


def _fatal(error: Rejected) -> Reject:
    return Reject(ClipStatus.FATAL_ERROR, str(error))
