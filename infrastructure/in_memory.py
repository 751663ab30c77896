"""All ports in memory: for tests, and as the shortest description of what an adapter must do.

The recordings are artificial: each has bytes, a duration, and a frame every 40 ms. A rendered clip
is a text that names each frame.
"""

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from functools import lru_cache
from itertools import chain
from math import ceil, floor
from pathlib import Path

from attrs import Factory, define, evolve, frozen

from application.ports import (
    AlreadyExists,
    CameraService,
    ClipStore,
    FilePiece,
    LeftOut,
    Listing,
    Notifier,
    Piece,
    Recording,
    RecordingStore,
    Rendition,
    RetryQueue,
    ThumbnailSpec,
    Transcoder,
)
from domain.clip import ClipName, ClipReport, ClipRequest
from domain.clip_label import ClipLabel
from domain.coverage import Coverage
from domain.errors import (
    ClipDeleted,
    DeadlineExceeded,
    NotRecordedYet,
    RecordingChanged,
    Rejected,
    Unavailable,
    UnusableFootage,
)
from domain.instants import instants_of
from domain.manifest import Evidence, Manifest, MediaInfo, StoredClip
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan
from domain.proof import ENCODED, FILLER, FrameRun, OwnPart, Proof
from domain.recording import FrameTimes, RecordingSegment
from domain.sidecars import SPRITE, SPRITE_INDEX
from domain.window import TimeWindow
from infrastructure.formats.manifests import Sign, manifest_json, read_manifest
from infrastructure.formats.sprite_index import SpritePicture, iso, sprite_index
from infrastructure.zones import wall_clock_zone

FRAME_MS = 40
LABEL = "label "
"""Begins the line of a clip's label."""


def _check(deadline_s: float) -> None:
    if time.monotonic() >= deadline_s:
        raise DeadlineExceeded("The deadline has passed.")


@define
class InMemoryCameraService(CameraService):
    """Cameras whose listed segments and reports are plain attributes."""

    segments: dict[str, list[RecordingSegment]] = Factory(dict)
    """By camera id; a camera that is not a key is unknown."""
    unusable: dict[str, list[tuple[TimeWindow, LeftOut]]] = Factory(dict)
    """Recordings to leave out, by camera id, each with the window that it may overlap."""
    remarks: dict[str, str] = Factory(dict)
    """What there is to remark on a camera's listings, by its id."""
    reports: list[ClipReport] = Factory(list)
    """All reports, in order."""
    deleted: set[str] = Factory(set)
    """The ids of clips that are no longer known."""

    def find_segments(self, camera_id: str, window: TimeWindow, deadline_s: float) -> Listing:
        """Return the listed segments that overlap `window`."""
        _check(deadline_s)
        if camera_id not in self.segments:
            raise Rejected(f"unknown camera {camera_id}")
        return Listing(
            tuple(s for s in self.segments[camera_id] if s.window.overlaps(window)),
            tuple(left for at, left in self.unusable.get(camera_id, ()) if at.overlaps(window)),
            self.remarks.get(camera_id, ""),
        )

    def update_clip(self, report: ClipReport, deadline_s: float) -> None:
        """Append the report."""
        _check(deadline_s)
        if report.clip_id in self.deleted:
            raise ClipDeleted(f"clip {report.clip_id} is not known")
        self.reports.append(report)

    def state(self, clip_id: str) -> ClipReport | None:
        """Return the latest report of the clip."""
        return next((r for r in reversed(self.reports) if r.clip_id == clip_id), None)


@frozen
class StoredFile:
    """A recording's bytes and the duration of its media, None while it has no sample table."""

    data: bytes
    duration_ms: int | None
    readable: bool = True
    hole_ms: tuple[int, int] = (0, 0)
    """From when to when it has no frames."""


@define
class InMemoryRecordingStore(RecordingStore):
    """Recordings by file name."""

    files: dict[str, StoredFile] = Factory(dict)
    tolerance_ms: int = 1000

    def open(
        self,
        segment: RecordingSegment,
        window: TimeWindow,  # noqa: ARG002 - all stretches are known
        deadline_s: float,
    ) -> "InMemoryRecording":
        """Open the file of the segment's name."""
        _check(deadline_s)
        file = self.files.get(segment.name)
        if file is None or not file.data or file.duration_ms is None:
            raise NotRecordedYet(f"{segment.name} is not recorded yet")
        if not file.readable:
            raise UnusableFootage(f"{segment.name} is no recording")
        measured = _measured(segment, file.duration_ms, file.hole_ms, self.tolerance_ms)
        return InMemoryRecording(measured, file, self.files, deadline_s)


@lru_cache
def _measured(
    segment: RecordingSegment, duration_ms: int, hole_ms: tuple[int, int], tolerance_ms: int
) -> RecordingSegment:
    hole = range(*hole_ms)
    frames_ms = [ms for ms in range(0, duration_ms, FRAME_MS) if ms not in hole]
    return segment.opened(FrameTimes(0, frames_ms[-1], duration_ms, frames_ms), tolerance_ms)


@frozen(eq=False)
class InMemoryRecording(Recording):
    """A file as it was when it was opened."""

    segment: RecordingSegment
    file: StoredFile
    files: Mapping[str, StoredFile]
    deadline_s: float
    lengths: list[int] = Factory(list)
    """The length of each read."""

    @property
    def read_bytes(self) -> int:  # type: ignore[override]
        """The sum of the reads; opening the file reads nothing."""
        return sum(self.lengths)

    @property
    def size_bytes(self) -> int:  # type: ignore[override]
        """The length of the bytes."""
        return len(self.file.data)

    @property
    def version(self) -> str:  # type: ignore[override]
        """A hash of the bytes."""
        return f"{hash(self.file.data):x}"

    def read(self, offset: int, length: int) -> bytes:
        """Slice the bytes, unless others have replaced them."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"bytes {offset}+{length} lie outside of {self.size_bytes}")
        _check(self.deadline_s)
        if self.files.get(self.segment.name) != self.file:
            raise RecordingChanged(f"{self.segment.name} was replaced while it was read")
        self.lengths.append(length)
        return self.file.data[offset : offset + length]


@define
class InMemoryTranscoder(Transcoder):
    """Renders the names of the frames, a line each: clip time, segment, time in the segment.

    Filler is a line for each second of a gap: clip time, the kind of filler, the gap's start.
    A label is the last line: when the first frame was seen, in s since the epoch, id, title.
    """

    broken: bool = False
    """Whether every recording is damaged."""

    def render(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],  # noqa: ARG002 - a frame is a name
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions = USUAL,
        label: ClipLabel | None = None,
    ) -> Rendition:
        """Write one line per frame, and one file per thumbnail."""
        _check(deadline_s)
        wall_clock_zone(options)
        if self.broken:
            raise UnusableFootage("the footage is damaged")
        times_ms: list[int] = []
        seen_ms: list[int] = []
        lines: list[str] = []
        runs: list[FrameRun] = []
        filled = deque(plan.filled if options.filler else ())

        def fill(until_ms: int) -> None:
            while filled and filled[0].window.start_ms < until_ms:
                gap = filled.popleft()
                shown_ms = range(gap.start_ms, gap.end_ms, 1000)
                times_ms.extend(shown_ms)
                first_ms = gap.window.start_ms
                lines.extend(f"{time_ms} {options.filler} {first_ms}\n" for time_ms in shown_ms)
                seen_ms.extend(first_ms + number * 1000 for number in range(len(shown_ms)))
                bounds_ms = first_ms, seen_ms[-1]
                name = plan.cuts[0].segment.name
                runs.append(FrameRun(name, FILLER, len(shown_ms), *bounds_ms))

        for cut in plan.cuts:
            fill(cut.window.start_ms)
            start_ms, end_ms = map(cut.segment.media_ms, cut.shown)
            frames_ms = range(ceil(start_ms / FRAME_MS) * FRAME_MS, ceil(end_ms), FRAME_MS)
            if not frames_ms and cut is plan.cuts[0]:  # the window is within one picture
                frames_ms = range(frames_ms.start - FRAME_MS, frames_ms.start, FRAME_MS)
            for media_ms in frames_ms:
                times_ms.append(round(cut.clip_ms + media_ms - start_ms) if times_ms else 0)
                lines.append(f"{times_ms[-1]} {cut.segment.name} {media_ms}\n")
                seen_ms.append(floor(cut.segment.origin_ms + media_ms / cut.segment.rate))
            if count := len(frames_ms):
                bounds_ms = seen_ms[-count], seen_ms[-1]
                runs.append(FrameRun(cut.segment.name, ENCODED, count, *bounds_ms))
        if all(run.origin == FILLER for run in runs):
            raise Rejected("There is no frame in the clip's window.")
        fill(plan.window.end_ms)
        clip = folder / "clip.txt"
        said = f"{LABEL}{seen_ms[0] // 1000} {label.name.clip_id} {label.title}\n" if label else ""
        clip.write_text("".join(lines) + said)
        filler = Proof(frames=tuple(runs)).filler
        images = _thumbnails(lines, plan.duration_ms, thumbnails, folder, filler)
        data = clip.read_bytes()
        size = len(data)
        own = OwnPart(0, size, hashlib.sha256(data).hexdigest())
        return Rendition(
            (FilePiece(clip, 0, size // 2), FilePiece(clip, size // 2, size - size // 2)),
            images,
            MediaInfo(len(lines), times_ms[0], times_ms[-1], plan.duration_ms, "text", 16, 9),
            evidence=Evidence(proof=Proof((own,), frames=tuple(runs))),
        )

    def thumbnails(
        self,
        clip: Recording,
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        filler: Sequence[range] = (),
    ) -> Mapping[int, Path]:
        """Write one file per thumbnail."""
        _check(deadline_s)
        text = clip.read(0, clip.size_bytes).decode().partition(LABEL)[0]
        lines = text.splitlines(keepends=True)
        return _thumbnails(lines, clip.segment.window.duration_ms, thumbnails, folder, filler)

    def sidecars(
        self,
        clip: Recording,
        manifest: Manifest,
        options: ClipOptions,
        folder: Path,
        deadline_s: float,
    ) -> Mapping[str, Path]:
        """Write one file per sidecar: a line for each second's frame, with its instant."""
        _check(deadline_s)
        text = clip.read(0, clip.size_bytes).decode().partition(LABEL)[0]
        lines = text.splitlines()
        times_ms = [int(line.split()[0]) for line in lines]
        instant_ms = instants_of(manifest, times_ms, 1000)
        zone = wall_clock_zone(options) or UTC
        numbers = [n for n, ms in enumerate(times_ms) if n == 0 or ms % 1000 < FRAME_MS]
        duration_ms = round(manifest.media.duration_ms) if manifest.media else times_ms[-1] + 1
        ends_ms = [*(times_ms[n] for n in numbers[1:]), duration_ms]
        pictures = [
            SpritePicture(times_ms[n], end_ms, instant_ms(n), 16 * at, 0, 16, 9)
            for at, (n, end_ms) in enumerate(zip(numbers, ends_ms, strict=True))
        ]
        drawn = "\n".join(f"{iso(instant_ms(n), zone)} {lines[n]}" for n in numbers)
        image = f"{manifest.report.clip_id}.{SPRITE}"
        texts = {SPRITE_INDEX: sprite_index(pictures, image, zone)}
        made = {name: folder / name for name in manifest.report.sidecars}
        for name, path in made.items():
            path.write_text(texts.get(name, drawn))
        return made


def _thumbnails(
    lines: Sequence[str],
    duration_ms: int,
    thumbnails: ThumbnailSpec,
    folder: Path,
    filler: Sequence[range],
) -> dict[int, Path]:
    """Write the line of the frame that the clip shows at its quarter, and the picture's size."""
    left_out = {*chain.from_iterable(filler)}
    frames = [line for number, line in enumerate(lines) if number not in left_out]
    on = [line for line in frames if int(line.split()[0]) <= duration_ms / 4]
    shown = [*frames[:1], *on][-1]
    images = {width: folder / f"{width}.{thumbnails.format}" for width in thumbnails.widths}
    for width, path in images.items():
        path.write_text(f"{shown.strip()} {width}x{width * 9 // 32 * 2}")
    return images


def piece_bytes(piece: Piece) -> bytes:
    """Return the bytes of a piece; Unavailable if its file was cut off."""
    if isinstance(piece, FilePiece):
        with piece.path.open("rb") as file:
            file.seek(piece.offset)
            data = file.read(piece.length)
        if len(data) < piece.length:
            raise Unavailable(f"{piece.path.name} is shorter than it was.")
        return data
    return piece.recording.read(piece.offset, piece.length)


@define
class InMemoryClipStore(ClipStore):
    """Clips, the files next to them, and manifests, by name."""

    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    objects: dict[ClipName, tuple[StoredClip, bytes]] = Factory(dict)
    thumbnails: dict[ClipName, dict[int, bytes]] = Factory(dict)
    manifests: dict[ClipName, Manifest] = Factory(dict)
    sidecars: dict[ClipName, dict[str, bytes]] = Factory(dict)
    sign: Sign | None = None
    """Signs manifests."""

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Return the stored clip."""
        _check(deadline_s)
        return self.objects[name][0] if name in self.objects else None

    def open(self, name: ClipName, deadline_s: float) -> InMemoryRecording:
        """Open the clip's bytes."""
        _check(deadline_s)
        if name not in self.objects:
            raise Unavailable(f"there is no clip {name.clip_id}")
        clip, data = self.objects[name]
        duration_ms = round(clip.media.duration_ms) if clip.media else 1
        segment = RecordingSegment(TimeWindow(0, duration_ms), name.clip_id)
        file = StoredFile(data, duration_ms)
        return InMemoryRecording(segment, file, {name.clip_id: file}, deadline_s)

    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> Mapping[int, str]:
        """Store the images' bytes."""
        _check(deadline_s)
        images = {width: path.read_bytes() for width, path in thumbnails.items()}
        self.thumbnails[name] = images
        return {width: hashlib.sha256(image).hexdigest() for width, image in images.items()}

    def store_sidecars(
        self, name: ClipName, sidecars: Mapping[str, Path], deadline_s: float
    ) -> Mapping[str, str]:
        """Store the files' bytes."""
        _check(deadline_s)
        files = {sidecar: path.read_bytes() for sidecar, path in sidecars.items()}
        self.sidecars[name] = files
        return {sidecar: hashlib.sha256(data).hexdigest() for sidecar, data in files.items()}

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> None:
        """Store the pieces' bytes as one object."""
        _check(deadline_s)
        data = b"".join(map(piece_bytes, rendition.pieces))
        clip = StoredClip(
            request.fingerprint,
            writer,
            self.now_ms(),
            coverage,
            rendition.media,
            rendition.evidence,
        )
        if self.objects.setdefault(request.name, (clip, data))[0] is not clip:
            raise AlreadyExists(f"there is a clip {request.clip_id} already")

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Return the stored manifest."""
        _check(deadline_s)
        return self.manifests.get(name)

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Store the manifest."""
        _check(deadline_s)
        if not replace and name in self.manifests:
            raise AlreadyExists(f"there is a manifest of {name.clip_id} already")
        signed = manifest_json(manifest, self.sign) if self.sign else None
        self.manifests[name] = read_manifest(signed) if signed else manifest


@define
class InMemoryRetryQueue(RetryQueue):
    """The queued requests, with their delays in seconds."""

    sent: list[tuple[ClipRequest, int]] = Factory(list)
    drops: tuple[str, ...] = ()
    """The unknown keys that it says it dropped."""

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> tuple[str, ...]:
        """Append the request."""
        if not 1 <= delay_s <= 900:  # noqa: PLR2004
            raise ValueError(f"a delay of {delay_s} s is not within 1..900")
        _check(deadline_s)
        self.sent.append((evolve(request), delay_s))
        return self.drops


@define
class InMemoryNotifier(Notifier):
    """The published reports."""

    published: list[ClipReport] = Factory(list)

    def publish(self, report: ClipReport, deadline_s: float) -> None:
        """Append the report."""
        _check(deadline_s)
        self.published.append(report)
