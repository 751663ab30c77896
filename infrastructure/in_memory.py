"""All ports in memory: for tests, and as the shortest description of what an adapter must do.

The recordings are artificial: each has bytes, a duration, and a frame every 40 ms. A rendered clip
is a text that names each frame.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import ceil
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
from domain.manifest import Manifest, MediaInfo, StoredClip
from domain.options import USUAL, ClipOptions
from domain.planning import ClipPlan
from domain.recording import FrameTimes, RecordingSegment
from domain.window import TimeWindow

FRAME_MS = 40


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
    """Renders the names of the frames, a line each: clip time, segment, time in the segment."""

    broken: bool = False
    """Whether every recording is damaged."""

    def render(  # noqa: PLR0913, PLR0917
        self,
        plan: ClipPlan,
        recordings: Mapping[str, Recording],  # noqa: ARG002 - a frame is a name
        thumbnails: ThumbnailSpec,
        folder: Path,
        deadline_s: float,
        options: ClipOptions = USUAL,  # noqa: ARG002 - a frame's name has no codec
    ) -> Rendition:
        """Write one line per frame, and one file per thumbnail."""
        _check(deadline_s)
        if self.broken:
            raise UnusableFootage("the footage is damaged")
        times_ms: list[int] = []
        lines: list[str] = []
        for cut in plan.cuts:
            start_ms, end_ms = map(cut.segment.media_ms, cut.shown)
            frames_ms = range(ceil(start_ms / FRAME_MS) * FRAME_MS, ceil(end_ms), FRAME_MS)
            if not frames_ms and cut is plan.cuts[0]:  # the window is within one picture
                frames_ms = range(frames_ms.start - FRAME_MS, frames_ms.start, FRAME_MS)
            for media_ms in frames_ms:
                times_ms.append(round(cut.clip_ms + media_ms - start_ms) if times_ms else 0)
                lines.append(f"{times_ms[-1]} {cut.segment.name} {media_ms}\n")
        if not lines:
            raise Rejected("There is no frame in the clip's window.")
        clip = folder / "clip.txt"
        clip.write_text("".join(lines))
        images = _thumbnails(lines, plan.duration_ms, thumbnails, folder)
        size = clip.stat().st_size
        return Rendition(
            (FilePiece(clip, 0, size // 2), FilePiece(clip, size // 2, size - size // 2)),
            images,
            MediaInfo(len(lines), times_ms[0], times_ms[-1], plan.duration_ms, "text", 16, 9),
        )

    def thumbnails(
        self, clip: Recording, thumbnails: ThumbnailSpec, folder: Path, deadline_s: float
    ) -> Mapping[int, Path]:
        """Write one file per thumbnail."""
        _check(deadline_s)
        lines = clip.read(0, clip.size_bytes).decode().splitlines(keepends=True)
        return _thumbnails(lines, clip.segment.window.duration_ms, thumbnails, folder)


def _thumbnails(
    lines: Sequence[str], duration_ms: int, thumbnails: ThumbnailSpec, folder: Path
) -> dict[int, Path]:
    """Write the line of the frame that the clip shows at its quarter, and the picture's size."""
    shown = next(line for line in reversed(lines) if int(line.split()[0]) <= duration_ms / 4)
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
    """Clips, thumbnails and manifests by name."""

    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    objects: dict[ClipName, tuple[StoredClip, bytes]] = Factory(dict)
    thumbnails: dict[ClipName, dict[int, bytes]] = Factory(dict)
    manifests: dict[ClipName, Manifest] = Factory(dict)

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
    ) -> None:
        """Store the images' bytes."""
        _check(deadline_s)
        self.thumbnails[name] = {width: path.read_bytes() for width, path in thumbnails.items()}

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
        clip = StoredClip(request.fingerprint, writer, self.now_ms(), coverage, rendition.media)
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
        self.manifests[name] = manifest


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
