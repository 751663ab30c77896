"""The use case: one delivery of a request, carried as far as it can go.

Gather what there is, decide by a pure function, act. The order of effects is what makes crashes,
duplicates and races harmless; docs/decisions/0003-order-of-effects.md says why it is this one.
"""

from pathlib import Path

from attrs import evolve, frozen

from application.ports import (
    AlreadyStored,
    CameraService,
    ClipStore,
    Notifier,
    Piece,
    Recording,
    RecordingPiece,
    RecordingStore,
    RetryQueue,
    Stills,
    Transcoder,
)
from domain.clip import Attempt, BrokenRequest, ClipReport, ClipRequest, ClipStatus, report_of
from domain.errors import BeingMade, ClipError, Conflict, NotRecordedYet, Refused
from domain.planning import ClipPlan, Cut, plan_clip
from domain.retry import Build, Refuse, RetryPolicy, Wait, decide_retry, decide_unseen
from domain.standing import (
    Absent,
    ByteRange,
    Finished,
    Footage,
    InOtherHands,
    Manifest,
    Source,
    Standing,
    Taken,
    Unannounced,
    available,
    decide_standing,
)

MOST_CUTS = 200
MOST_GAPS = 100
"""So that the gaps fit into the clip's metadata, which S3 holds to 2 KB."""


@frozen
class Gathered:
    """What there is to make a clip of."""

    plan: ClipPlan
    opened: dict[str, Recording]
    notes: tuple[str, ...]


@frozen
class Ending:
    """How a delivery ended: what was told, and what else is worth a line in the log."""

    report: ClipReport
    notes: tuple[str, ...] = ()
    footage: Footage | None = None
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
    stills: Stills
    seam_tolerance_ms: int = 1000
    patience_ms: int = 300_000
    """The longest that a delivery can take: the function's timeout."""

    def __call__(self, request: ClipRequest, attempt: Attempt, folder: Path) -> Ending:
        """Carry `request` as far as it goes, with `folder` for scratch.

        Returning means that the message is done with; any error means that it must be delivered
        again. On its last delivery the camera API and the subscribers hear of the error too.
        """
        try:
            return self._make(request, attempt, folder)
        except (Conflict, BeingMade):
            raise
        except _HalfTold as half_told:
            raise half_told.error from half_told.error.__cause__
        except Exception as error:
            if attempt.receives_left == 0:
                self._tell_failure(request, attempt, error)
            raise

    def refuse_broken(self, broken: BrokenRequest, attempt: Attempt) -> Ending:
        """Tell that the message cannot be understood, unless there is a clip of that name."""
        if broken.name and self.clips.find(broken.name, attempt.deadline_s):
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
        self.cameras.record(report, attempt.deadline_s)
        self.notifier.publish(report, attempt.deadline_s)
        return Ending(report)

    def _make(self, request: ClipRequest, attempt: Attempt, folder: Path) -> Ending:
        refused = decide_unseen(self.policy, request, attempt)
        if refused:
            return self._refuse(request, attempt, refused)
        standing = self._standing(request, attempt)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, attempt)
        try:
            gathered = self._gather(request, attempt)
            ending = self._settle(request, attempt, folder, gathered)
            read_bytes = sum(recording.read_bytes for recording in gathered.opened.values())
            return evolve(ending, read_bytes=read_bytes)
        except Refused as error:
            return self._refuse(request, attempt, Refuse(ClipStatus.FATAL_ERROR, str(error)))

    def _settle(
        self, request: ClipRequest, attempt: Attempt, folder: Path, gathered: Gathered
    ) -> Ending:
        match decide_retry(self.policy, request, attempt, gathered.plan.coverage):
            case Build():
                return self._build(request, attempt, folder, gathered)
            case Wait(delay_s):
                return self._wait(request, attempt, delay_s, gathered.notes)
            case Refuse() as refused:
                return self._refuse(request, attempt, refused, gathered.notes)

    def _standing(self, request: ClipRequest, attempt: Attempt) -> Standing:
        clip = self.clips.find(request.name, attempt.deadline_s)
        manifest = self.clips.read_manifest(request.name, attempt.deadline_s)
        if clip is None and manifest and manifest.report.has_clip:
            clip = self.clips.find(request.name, attempt.deadline_s)
        return decide_standing(request, attempt, clip, manifest, self.patience_ms)

    def _go_on_from(
        self,
        standing: Finished | Unannounced | InOtherHands | Taken,
        request: ClipRequest,
        attempt: Attempt,
    ) -> Ending:
        match standing:
            case Finished(report):
                self.cameras.record(report, attempt.deadline_s)
                return Ending(report, ("The clip was there already.",))
            case Unannounced(clip):
                return self._announce(
                    request,
                    attempt,
                    Manifest(available(request, clip.gaps), clip.writer, clip.footage),
                    ("The clip was there already, unannounced.",),
                )
            case InOtherHands():
                raise BeingMade("Another delivery has just stored the clip.")
            case Taken():
                raise Conflict("There is a clip of that name already, of another window.")

    def _gather(self, request: ClipRequest, attempt: Attempt) -> Gathered:
        """Plan on what the recordings really hold: open what the plan needs until it stands."""
        listed = self.cameras.find_segments(request.camera_id, request.window, attempt.deadline_s)
        segments = {segment.name: segment for segment in sorted(listed, reverse=True)}
        opened: dict[str, Recording] = {}
        notes: tuple[str, ...] = ()
        while True:
            plan = plan_clip(request.window, segments.values(), self.seam_tolerance_ms)
            if len(plan.cuts) > MOST_CUTS or len(plan.gaps) > MOST_GAPS:
                raise Refused(
                    f"The footage is in too many parts: {len(plan.cuts)} recordings and"
                    f" {len(plan.gaps)} gaps; {MOST_CUTS} and {MOST_GAPS} are allowed."
                )
            unopened = [c.segment for c in plan.cuts if c.segment.name not in opened]
            if not unopened:
                return Gathered(plan, opened, notes)
            for segment in unopened:
                try:
                    recording = self.recordings.open(segment, attempt.deadline_s)
                except NotRecordedYet as error:
                    del segments[segment.name]
                    notes = (*notes, str(error))
                else:
                    opened[segment.name] = recording
                    segments[segment.name] = recording.segment

    def _build(
        self, request: ClipRequest, attempt: Attempt, folder: Path, gathered: Gathered
    ) -> Ending:
        plan, opened = gathered.plan, gathered.opened
        rendition = self.transcoder.render(plan, opened, self.stills, folder, attempt.deadline_s)
        self.clips.store_stills(request.name, rendition.stills, attempt.deadline_s)
        try:
            self.clips.commit(request, rendition, attempt.writer, plan.gaps, attempt.deadline_s)
        except AlreadyStored:
            self._check_ours(request, attempt)
        manifest = Manifest(
            available(request, plan.gaps),
            attempt.writer,
            rendition.footage,
            tuple(_source(cut, opened[cut.segment.name], rendition.pieces) for cut in plan.cuts),
        )
        return self._announce(request, attempt, manifest, gathered.notes)

    def _check_ours(self, request: ClipRequest, attempt: Attempt) -> None:
        """Go on only if the object is this delivery's own: stored, and the reply lost."""
        clip = self.clips.find(request.name, attempt.deadline_s)
        if clip and clip.fingerprint != request.fingerprint:
            raise Conflict("There is a clip of that name now, of another window.")
        if clip is None or clip.writer != attempt.writer:
            raise BeingMade("Another delivery stored the clip first.")

    def _announce(
        self, request: ClipRequest, attempt: Attempt, manifest: Manifest, notes: tuple[str, ...]
    ) -> Ending:
        self.cameras.record(manifest.report, attempt.deadline_s)
        self.notifier.publish(manifest.report, attempt.deadline_s)
        self.clips.write_manifest(request.name, manifest, attempt.deadline_s, replace=True)
        return Ending(manifest.report, notes, manifest.footage)

    def _wait(
        self, request: ClipRequest, attempt: Attempt, delay_s: int, notes: tuple[str, ...]
    ) -> Ending:
        standing = self._standing(request, attempt)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, attempt)
        if standing.ended:
            return self._repeat(standing.ended, request, attempt)
        report = report_of(request, ClipStatus.PENDING, reason="The footage is not all there yet.")
        try:
            self.cameras.record(report, attempt.deadline_s)
        except ClipError as error:
            notes = (*notes, f"The clip's state could not be stored: {error}")
        self._look_again(request, attempt)
        self.queue.send(request.retried(attempt.sent_ms), delay_s, attempt.deadline_s)
        return Ending(report, notes)

    def _refuse(
        self,
        request: ClipRequest,
        attempt: Attempt,
        refused: Refuse,
        notes: tuple[str, ...] = (),
    ) -> Ending:
        standing = self._standing(request, attempt)
        if not isinstance(standing, Absent):
            return self._go_on_from(standing, request, attempt)
        if standing.ended:
            return self._repeat(standing.ended, request, attempt)
        report = report_of(request, refused.status, reason=refused.reason)
        self.cameras.record(report, attempt.deadline_s)
        self._look_again(request, attempt)
        try:
            self.notifier.publish(report, attempt.deadline_s)
            self.clips.write_manifest(
                request.name, Manifest(report, attempt.writer), attempt.deadline_s, replace=False
            )
        except AlreadyStored:
            notes = (*notes, "Another delivery stored a manifest first.")
        except ClipError as error:
            raise _HalfTold(error) from error
        return Ending(report, notes)

    def _repeat(self, ended: ClipReport, request: ClipRequest, attempt: Attempt) -> Ending:
        """Tell the camera API once more how the request ended without a clip."""
        self.cameras.record(ended, attempt.deadline_s)
        self._look_again(request, attempt)
        return Ending(ended, ("The request had ended already.",))

    def _look_again(self, request: ClipRequest, attempt: Attempt) -> None:
        """After a state without a clip was stored: put it right if the clip came meanwhile."""
        clip = self.clips.find(request.name, attempt.deadline_s)
        if clip is None:
            return
        if clip.fingerprint != request.fingerprint:
            raise Conflict("There is a clip of that name now, of another window.")
        self.cameras.record(available(request, clip.gaps), attempt.deadline_s)
        raise BeingMade("Another delivery stored the clip meanwhile.")

    def _tell_failure(self, request: ClipRequest, attempt: Attempt, error: Exception) -> None:
        """Tell FATAL_ERROR, unless the request has ended; `error` notes it if that fails."""
        reason = str(error) if isinstance(error, ClipError) else "The service failed."
        report = report_of(request, ClipStatus.FATAL_ERROR, reason=reason)
        try:
            standing = self._standing(request, attempt)
            if not isinstance(standing, Absent) or standing.ended:
                return
            self.cameras.record(report, attempt.deadline_s)
            self._look_again(request, attempt)
            self.notifier.publish(report, attempt.deadline_s)
        except ClipError as untold:
            error.add_note(f"Nor could that be told: {untold}")


def _source(cut: Cut, recording: Recording, pieces: tuple[Piece, ...]) -> Source:
    ranges = tuple(
        ByteRange(piece.offset, piece.length)
        for piece in pieces
        if isinstance(piece, RecordingPiece) and piece.recording is recording
    )
    return Source(cut.segment.name, recording.version, cut.window, ranges)
