"""Everything world of the service as one value, and the oracle that watches it.

A port call is a step from one value to the next, made by the in-memory adapters. What must never
be, at any moment, is noted in `faults` as it happens; `verdict` adds what must hold in the end.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

from attrs import Factory, define, evolve, frozen

from application.ports import Recording, RecordingPiece, Rendition, ThumbnailSpec
from application.verify_clip import said_evidence
from domain.clip import ClipReport, ClipRequest, ClipStatus
from domain.coverage import Verification
from domain.errors import NoPicture
from domain.manifest import Manifest, StoredClip
from domain.options import ClipOptions
from domain.planning import ClipPlan
from domain.proof import OwnPart, SidecarHash, ThumbnailHash
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.in_memory import (
    FRAME_MS,
    InMemoryCameraService,
    InMemoryClipStore,
    InMemoryNotifier,
    InMemoryRecording,
    InMemoryRecordingStore,
    InMemoryRetryQueue,
    InMemoryTranscoder,
    StoredFile,
    piece_bytes,
)
from tests.model.sqs_model import Message, Queue

NOW = 1_600_000_000_000
FOREVER = float("inf")

RecordedFile = tuple[RecordingSegment, StoredFile]


def footage(name: str, start_ms: int, duration_ms: int) -> RecordedFile:
    """A recording that starts at NOW + `start_ms`, as listed and as stored."""
    window = TimeWindow(NOW + start_ms, NOW + start_ms + duration_ms)
    return RecordingSegment(window, name), StoredFile(name.encode(), duration_ms)


def unreadable(name: str, start_ms: int, duration_ms: int) -> RecordedFile:
    """A listed file that is no recording."""
    segment, file = footage(name, start_ms, duration_ms)
    return segment, evolve(file, readable=False)


@frozen(eq=False)
class Call:
    """A call of a port: an effect, or a look."""

    port: str
    method: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        """Name it as the order of effects does."""
        reports = [a for a in self.args if isinstance(a, ClipReport)]
        status_report = [report.status.value.removeprefix("CLIP_") for report in reports]
        return " ".join([f"{self.port}.{self.method}", *status_report])


@frozen
class Raised:
    """A reply that is an error."""

    kind: type[Exception]
    arguments: tuple[Any, ...]

    @classmethod
    def of(cls, error: Exception) -> "Raised":
        """Keep what makes the error again."""
        if isinstance(error, NoPicture):
            return cls(type(error), (str(error), error.name, error.windows))
        return cls(type(error), (str(error),))

    def again(self) -> Exception:
        """Make a new error: one that was raised before has the notes of that time."""
        return self.kind(*self.arguments)


@frozen(cache_hash=True)
class InFlightMessage:
    """A message in a receiver's hands."""

    message: Message
    began_ms: int
    hand: int = 0
    """Which receiver's, where one message reached two at once."""

    def __str__(self) -> str:
        """Name it as the writer of a clip is named."""
        return f"{self.message.name}#{self.message.received}" + "'" * self.hand


@frozen(cache_hash=True)
class World:
    """The queue, the camera API, the stores, the topic, the clock, and what was noticed."""

    request: ClipRequest
    queue: Queue = Factory(Queue)
    rival: ClipRequest | None = None
    """A request for another window under the same name; the queue may hold it, too."""
    recorded: tuple[RecordedFile, ...] = ()
    to_come: tuple[RecordedFile, ...] = ()
    """What the recorder has not uploaded yet."""
    broken: bool = False
    """Whether the footage cannot be decoded."""
    without_picture: tuple[tuple[str, TimeWindow], ...] = ()
    """Parts of recordings that no decoder makes a picture of."""
    damaged: tuple[TimeWindow, ...] = ()
    """Where a decoder makes a picture, but not without a fault."""
    clip_text: str = ""
    """The right clip, where that is not each recorded frame once."""
    now_ms: int = NOW
    status_report: ClipReport | None = None
    """The status that the camera API stored last."""
    clip: tuple[StoredClip, bytes] | None = None
    thumbnails: bytes = b""
    """The one thumbnail of the clip."""
    sidecars: tuple[tuple[str, bytes], ...] = ()
    """The files next to the clip, by name."""
    claims: tuple[tuple[int, int], ...] = ()
    """Claims to the clip: their numbers, and when they were made."""
    manifest: Manifest | None = None
    published: tuple[tuple[str, ClipReport], ...] = ()
    """The published reports, and by which delivery."""
    faults: frozenset[str] = frozenset()

    in_flight: frozenset[str] = frozenset()
    met: frozenset[frozenset[str]] = frozenset()
    """Deliveries that were under way at the same time, in pairs."""
    looked: frozenset[tuple[str, str]] = frozenset()
    """Deliveries under way, each with a lookup that it has made."""
    late: frozenset[str] = frozenset()
    """Deliveries whose first lookup came after the clip was published."""
    too_late: frozenset[str] = frozenset()
    """Deliveries whose first lookup came after the rejection was published."""
    owing: frozenset[str] = frozenset()
    """Those that published and have not said so in the manifest."""
    died_owing: frozenset[str] = frozenset()

    def begun(self, by: InFlightMessage) -> "World":
        """Note that a delivery is under way."""
        pairs = {frozenset({other, str(by)}) for other in self.in_flight}
        return evolve(self, in_flight=self.in_flight | {str(by)}, met=self.met | pairs)

    def ended(self, by: InFlightMessage, how: str) -> "World":
        """End a delivery: `done` acknowledges the message, all else leaves it in the queue."""
        name = str(by)
        faults = self.faults
        if how == "AlreadyInProgress" and name in self.late:
            faults |= {"a finished clip was taken for an unfinished one"}
        gone = frozenset({name})
        published_nothing = name not in {publisher for publisher, _ in self.published}
        return evolve(
            self,
            queue=self.queue.deleted(by.message.name) if how == "done" else self.queue,
            faults=faults,
            in_flight=self.in_flight - gone,
            met=frozenset(p for p in self.met if name not in p) if published_nothing else self.met,
            looked=frozenset(row for row in self.looked if row[0] != name),
            late=self.late - gone,
            too_late=self.too_late - gone,
            owing=self.owing - gone,
            died_owing=self.died_owing | (self.owing & gone),
        )

    def uploaded(self) -> "World":
        """Upload the next recording, as the recorder does."""
        return evolve(self, recorded=(*self.recorded, self.to_come[0]), to_come=self.to_come[1:])

    def performed(self, by: InFlightMessage, call: Call) -> "tuple[World, object]":
        """Carry out a port call; its reply may be Raised."""
        if call.method == "acknowledge":  # no port's: for wrong orders
            return evolve(self, queue=self.queue.deleted(by.message.name)), None
        ports = _Ports.of(self)
        try:
            reply = ports.call(call)
        except Exception as error:  # noqa: BLE001 - it is handed on
            reply = Raised.of(error)
        return ports.world(self, by).watched(by, call, self), reply

    def watched(self, by: InFlightMessage, call: Call, before: "World") -> "World":
        """Note what of the step from `before` counts: looks, debts, and what must never be."""
        name = str(by)
        match call.port, call.method, call.args:
            case "clips", "find" | "read_manifest" as method, _ if (
                name,
                method,
            ) not in before.looked:
                looked = evolve(self, looked=self.looked | {(name, method)})
                if before.manifest is None:
                    return looked
                if before.manifest.report.has_clip:
                    is_late = method == "find"
                    return evolve(looked, late=self.late | {name}) if is_late else looked
                is_first = not any(earlier == name for earlier, _ in before.looked)
                return evolve(looked, too_late=self.too_late | {name}) if is_first else looked
            case "clips", "write_manifest", _:
                return evolve(self, owing=self.owing - {name})
            case "cameras", "update_clip", (report, *_):
                return evolve(self, faults=self.faults | self._false_reports(report))
            case "notifier", "publish", (report, *_):
                seen = self.faults | self._false_reports(report) | before.repetitions(by, report)
                return evolve(self, faults=seen, owing=self.owing | {name})
            case _:
                return self

    def _false_reports(self, report: ClipReport) -> set[str]:
        if not report.has_clip:
            return set()
        if not (self.clip and self._is_whole(*self.clip) and self.thumbnails):
            return {"AVAILABLE was reported before the clip was stored"}
        return self._foreign_thumbnails() | self._foreign_sidecars()

    def _is_whole(self, clip: StoredClip, data: bytes) -> bool:
        requests = filter(None, (self.request, self.rival))
        request = next(r for r in requests if r.fingerprint == clip.fingerprint)
        right = self.clip_text.encode() or planned(request, self.recorded, clip.coverage.gaps)
        return data == right

    def _foreign_proof(self, clip: StoredClip, data: bytes) -> set[str]:
        """Hold the manifest's proof, if it is written, against the bytes that are stored."""
        manifest = self.manifest
        if manifest is None or not manifest.report.has_clip:
            return set()
        proof = manifest.proof
        if proof is None or not manifest.sources or said_evidence(manifest) != clip.evidence:
            return {"the manifest does not prove what was committed"}
        picture = hashlib.sha256(self.thumbnails).hexdigest()
        (own,) = proof.own
        is_proven = own == OwnPart(0, len(data), hashlib.sha256(data).hexdigest())
        is_pictured = proof.thumbnails == (ThumbnailHash(WIDTH, picture),)
        stored = {
            SidecarHash(name, hashlib.sha256(data).hexdigest()) for name, data in self.sidecars
        }
        is_accompanied = set(proof.sidecars) == stored
        is_all = is_proven and is_pictured and is_accompanied
        return set() if is_all else {"the proof is another clip's"}

    def _foreign_thumbnails(self) -> set[str]:
        assert self.clip
        clip, data = self.clip
        assert clip.media
        right = pictured(data, round(clip.media.duration_ms))[WIDTH].read_bytes()
        return set() if self.thumbnails == right else {"the thumbnails are another clip's"}

    def _foreign_sidecars(self) -> set[str]:
        assert self.clip
        clip, data = self.clip
        requests = filter(None, (self.request, self.rival))
        request = next(r for r in requests if r.fingerprint == clip.fingerprint)
        manifest = Manifest(
            ClipReport.available(request, clip.coverage),
            clip.writer,
            clip.media,
            clip.evidence.sources,
            clip.evidence.proof,
        )
        made = accompanied(data, manifest, request.options)
        right = {name: path.read_bytes() for name, path in made.items()}
        return set() if dict(self.sidecars) == right else {"files next to the clip are not its own"}

    def repetitions(self, by: InFlightMessage, report: ClipReport) -> set[str]:
        """Return what is wrong with publishing that, after what was published before."""
        earlier = [(n, r) for n, r in self.published if r.status is report.status]
        found = set()
        if any(r.event_id != report.event_id for _, r in earlier):
            found.add("one outcome was published under two event ids")
        if not all(self._may_repeat(name, by, report) for name, _ in earlier):
            found.add("one outcome was published twice")
        if str(by) in self.late:
            found.add("a finished clip was taken for an unfinished one")
        if str(by) in self.too_late and not report.has_clip:
            found.add("a request that had ended was ended once more")
        if any(name == str(by) and r.status is not report.status for name, r in self.published):
            found.add("one delivery published two outcomes")
        return found

    def _may_repeat(self, earlier: str, by: InFlightMessage, report: ClipReport) -> bool:
        """Return whether `by` may publish again what `earlier` published: the known holes."""
        if earlier in self.died_owing:
            return True
        if frozenset({earlier, str(by)}) not in self.met:
            return False
        if earlier.partition("#")[0] == by.message.name:
            return True
        # Two at once, and no commit between them: a refusal, or an abandoned clip taken up twice.
        writer = self.clip[0].writer if self.clip else ""
        return not report.has_clip or writer not in {earlier, str(by)}

    @property
    def clip_reports(self) -> list[ClipReport]:
        """The reports of the clip: the last status, the manifest, and all that were published."""
        reports = [self.status_report, self.manifest and self.manifest.report]
        reports += [report for _, report in self.published]
        return [report for report in reports if report and report.has_clip]

    def verdict(self) -> frozenset[str]:
        """Name everything that is wrong once no delivery is under way."""
        faults = set(self.faults)
        if not self.queue.is_balanced:
            faults.add("a message was lost")
        if self.clip and not self._is_whole(*self.clip):
            faults.add("the clip does not hold the planned frames")
        if self.clip and any(r.coverage != self.clip[0].coverage for r in self.clip_reports):
            faults.add("a report does not say what the clip shows")
        if self.clip and any(report.has_clip for _, report in self.published):
            faults |= self._foreign_thumbnails() | self._foreign_proof(*self.clip)
            faults |= self._foreign_sidecars()
        if self.queue.held or self.queue.dead:
            return frozenset(faults)
        if self.status_report is None or self.status_report.status is ClipStatus.PENDING:
            faults.add("all is acknowledged and the request has not ended")
        elif self.status_report.has_clip != bool(self.clip):
            faults.add("the last status is wrong")
        elif self.status_report.status not in {report.status for _, report in self.published}:
            faults.add("the outcome was never published")
        elif not self.manifest or self.manifest.report.has_clip != self.status_report.has_clip:
            faults.add("the manifest does not say how it ended")
        return frozenset(faults)


@define
class _Ports:
    """The in-memory adapters, as the world stands."""

    cameras: InMemoryCameraService
    recordings: InMemoryRecordingStore
    transcoder: InMemoryTranscoder
    clips: InMemoryClipStore
    queue: InMemoryRetryQueue
    notifier: InMemoryNotifier
    without_picture: tuple[tuple[str, TimeWindow], ...]
    damaged: tuple[TimeWindow, ...]
    claims: dict[int, int]

    @classmethod
    def of(cls, world: World) -> "_Ports":
        name, clip, manifest = world.request.name, world.clip, world.manifest
        return cls(
            InMemoryCameraService({"pier": [segment for segment, _ in world.recorded]}),
            InMemoryRecordingStore({segment.name: file for segment, file in world.recorded}),
            InMemoryTranscoder(broken=world.broken),
            InMemoryClipStore(
                lambda: world.now_ms,
                {name: clip} if clip else {},
                {name: {WIDTH: world.thumbnails}} if world.thumbnails else {},
                {name: manifest} if manifest else {},
                {name: dict(world.sidecars)} if world.sidecars else {},
            ),
            InMemoryRetryQueue(),
            InMemoryNotifier(),
            world.without_picture,
            world.damaged,
            dict(world.claims),
        )

    def call(self, call: Call) -> object:
        """Return the adapter's answer; one that is returned twice is the same object."""
        if call.method == "render" and not self.transcoder.broken:
            plan, opened, *_ = call.args
            for name, window in self.without_picture:
                if any(c.segment.name == name and c.window.overlaps(window) for c in plan.cuts):
                    raise NoPicture("There is no picture.", name, (window,))
            return _rendered(plan, tuple(sorted(opened.items())), self.damaged)
        if call.method == "thumbnails":
            clip = call.args[0]
            return pictured(clip.file.data, clip.segment.window.duration_ms)
        if call.method == "sidecars":
            clip, manifest, options, *_ = call.args
            return accompanied(clip.file.data, manifest, options)
        if call.port == "claims":
            return self._claim(call.method, call.args[0])
        if call.method == "overwrite":  # as commit, by a store that ignores the condition
            self.clips.objects.pop(call.args[0].name, None)
            self.clips.commit(*call.args)
            return None
        adapter = getattr(self, call.port)
        reply: object = getattr(adapter, call.method)(*call.args, **dict(call.kwargs))
        if isinstance(reply, InMemoryRecording):
            return _OPENED.setdefault((reply.segment, reply.file), reply)
        return tuple(reply) if isinstance(reply, list) else reply

    def _claim(self, method: str, number: int) -> object:
        now_ms = self.clips.now_ms()
        if method == "create":
            return number not in self.claims and bool(self.claims.setdefault(number, now_ms))
        if method == "age_ms":
            return now_ms - self.claims.get(number, now_ms)
        self.claims.pop(number, None)
        return None

    def world(self, before: World, by: InFlightMessage) -> World:
        name, queue = before.request.name, before.queue
        for request, delay_s in self.queue.sent:
            queue = queue.sent(request, before.now_ms, delay_s * 1000)
        return evolve(
            before,
            queue=queue,
            status_report=self.cameras.reports[-1]
            if self.cameras.reports
            else before.status_report,
            clip=self.clips.objects.get(name),
            thumbnails=self.clips.thumbnails.get(name, {}).get(WIDTH, b""),
            sidecars=tuple(sorted(self.clips.sidecars.get(name, {}).items())),
            claims=tuple(sorted(self.claims.items())),
            manifest=self.clips.manifests.get(name),
            published=(*before.published, *((str(by), r) for r in self.notifier.published)),
        )


_OPENED: dict[tuple[RecordingSegment, StoredFile], InMemoryRecording] = {}


_SCRATCH = TemporaryDirectory()
WIDTH = 300
THUMBNAILS = ThumbnailSpec((WIDTH,))


@cache
def pictured(data: bytes, duration_ms: int) -> Mapping[int, Path]:
    """Make the thumbnails of a clip, and keep them."""
    file = StoredFile(data, duration_ms)
    segment = RecordingSegment(TimeWindow(0, duration_ms), "clip")
    clip = InMemoryRecording(segment, file, {"clip": file}, FOREVER)
    folder = Path(mkdtemp(dir=_SCRATCH.name))
    return InMemoryTranscoder().thumbnails(clip, THUMBNAILS, folder, FOREVER)


@cache
def accompanied(data: bytes, manifest: Manifest, options: ClipOptions) -> Mapping[str, Path]:
    """Make the sidecars of a clip, and keep them."""
    assert manifest.media
    duration_ms = round(manifest.media.duration_ms)
    segment = RecordingSegment(TimeWindow(0, duration_ms), "clip")
    file = StoredFile(data, duration_ms)
    clip = InMemoryRecording(segment, file, {"clip": file}, FOREVER)
    folder = Path(mkdtemp(dir=_SCRATCH.name))
    return InMemoryTranscoder().sidecars(clip, manifest, options, folder, FOREVER)


@cache
def _rendered(
    plan: ClipPlan,
    opened: tuple[tuple[str, Recording], ...],
    damaged: tuple[TimeWindow, ...],
) -> Rendition:
    """Render a recipe, and keep it in memory."""
    folder = Path(mkdtemp(dir=_SCRATCH.name))
    made = InMemoryTranscoder().render(plan, dict(opened), THUMBNAILS, folder, FOREVER)
    data = b"".join(map(piece_bytes, made.pieces))
    file = StoredFile(data, plan.delivered_ms)
    segment = RecordingSegment(plan.window, "rendered")
    piece = RecordingPiece(
        InMemoryRecording(segment, file, {"rendered": file}, FOREVER), 0, len(data)
    )
    return evolve(made, pieces=(piece,), verified=Verification.ALL, damaged=damaged)


@cache
def planned(
    request: ClipRequest, recorded: tuple[RecordedFile, ...], gaps: tuple[TimeWindow, ...]
) -> bytes:
    """List the frames of the window world of the gaps, without the planner's help."""
    frames = sorted(
        (segment.window.start_ms + media_ms, segment.name, media_ms)
        for segment, file in recorded
        for media_ms in range(0, file.duration_ms or 0, FRAME_MS)
    )
    lines = []
    for seen_ms, name, media_ms in frames:
        in_a_gap = any(gap.start_ms <= seen_ms < gap.end_ms for gap in gaps)
        if request.start_ms <= seen_ms < request.end_ms and not in_a_gap:
            skipped_ms = sum(gap.duration_ms for gap in gaps if gap.end_ms <= seen_ms)
            lines.append(f"{seen_ms - request.start_ms - skipped_ms} {name} {media_ms}\n")
    if not lines:  # the picture that is on screen
        _, name, media_ms = max(frame for frame in frames if frame[0] < request.start_ms)
        lines.append(f"0 {name} {media_ms}\n")
    return "".join(lines).encode()
