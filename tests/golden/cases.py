"""The cases of every golden, and what the present code writes for them."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from attrs import evolve

from application.ports import ThumbnailSpec
from domain.clip import DELETED, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.manifest import Evidence, Manifest, MediaInfo, Source
from domain.options import ClipOptions
from domain.pace import Pace
from domain.proof import (
    COPIED,
    ENCODED,
    FILLER,
    ByteRange,
    CopiedPart,
    FrameRun,
    OwnPart,
    Proof,
    SidecarHash,
    ThumbnailHash,
    Tool,
)
from domain.window import TimeWindow
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.formats.coverage_box import with_box
from infrastructure.formats.manifests import manifest_json
from infrastructure.formats.messages import message_body
from infrastructure.formats.object_keys import claim_key, metadata
from infrastructure.formats.reports import ReportFormat
from infrastructure.s3.claims import claim_text
from infrastructure.signing import signer_of
from tests.support.keys import SIGNING_KEY

Golden = dict[str, dict[str, Any]]
"""What one version wrote: clips, manifests, reports, bodies, names and claims, each by case."""

START_MS, END_MS = 1_537_119_363_000, 1_537_119_423_000
SENT_MS = START_MS + 200_000
RANDOM_DIGITS = "0a1b2c3d"
WRITER = "19dd0b57-b21e-4ac1-bd88-01bbb068cb78#2"
REQUEST = ClipRequest(
    "clip-1", "pier", START_MS, END_MS, retries_ms=(START_MS + 100_000, START_MS + 115_000)
)
CHOOSING = evolve(REQUEST, options=ClipOptions(hevc="h264"))
WITH_CLOCK = evolve(REQUEST, options=ClipOptions(wall_clock="Europe/Madrid"))
WITH_PREVIEWS = evolve(REQUEST, options=ClipOptions(previews=("sprite", "sheet")))
WITH_SLATES = evolve(REQUEST, options=ClipOptions(gaps="slate"))
UNKNOWN = {"requestedBy": {"user": 5, "tags": ["a", None]}, "note": "über  x"}
MEDIA = MediaInfo(1500, 0.0, 59_966.7, 60_000.0, "avc1", 1920, 1080, 1440)
HELD_MEDIA = evolve(MEDIA, held_frames=3)
SOURCE = Source(
    "pier.20180916T173557.mp4", '"9bb58f26192e4ba00f01e2e7b136bbd8"', TimeWindow(START_MS, END_MS)
)
REPORT_FORMAT = ReportFormat("clips", "https://clips.example", ThumbnailSpec((300, 640)))


def _window(from_ms: int, to_ms: int) -> TimeWindow:
    return TimeWindow(START_MS + from_ms, START_MS + to_ms)


WHOLE = Coverage()
GAPS = Coverage((_window(0, 1500), _window(40_000, 42_250)))
MANY_GAPS = Coverage(tuple(_window(at_ms, at_ms + 500) for at_ms in range(0, 60_000, 2000)))
FINDINGS = Coverage(
    (_window(0, 1500),),
    (_window(2000, 2333),),
    (_window(40_000, 40_500),),
    (Unused("pier.20180916T174000.mp4", _window(0, 60_000)),),
    Clock(0.986301, -820),
    Verification.ALL,
    ("The recorder's clock stepped back  (twice): „about 2 s“.",),
)
OTHER_SOURCE = Source(
    "pier.20180916T173657.mp4",
    '"0b58ad3c0e0d9d1d2a3e9f0dbb1b1a11-3"',
    _window(40_000, 60_000),
    (ByteRange(81_920, 3_000_000),),
    "recordings/pier.20180916T173657.mp4",
    "3HL4kqtJlcpXrof3vjVBH40Nrjfkd",
    24_000_000,
)
PROOF = Proof(
    (OwnPart(0, 40_000, "a1" * 32), OwnPart(40_000, 1 << 20, "b2" * 32)),
    (CopiedPart(40_000 + (1 << 20), 3_000_000, OTHER_SOURCE.name, 81_920),),
    (
        FrameRun(OTHER_SOURCE.name, ENCODED, 60, START_MS + 3, START_MS + 2363),
        FrameRun(OTHER_SOURCE.name, COPIED, 1440, START_MS + 2403, START_MS + 59_963),
    ),
    (Tool("camclip", "0.1.0"), Tool("ffmpeg", "7.0.2")),
)
FILLER_RUN = FrameRun(OTHER_SOURCE.name, FILLER, 2, START_MS + 57_750, START_MS + 58_750)
WITH_FILLER = evolve(PROOF, frames=(*PROOF.frames, FILLER_RUN))
EVIDENCE = Evidence((OTHER_SOURCE,), PROOF)
MANY_SOURCES = Evidence(
    tuple(evolve(OTHER_SOURCE, name=f"pier.{n}.mp4", version=f'"{n:032}"') for n in range(361)),
    evolve(
        PROOF,
        own=tuple(OwnPart(n << 20, 1 << 20, f"{n * n:064x}") for n in range(256)),
        copied=tuple(CopiedPart(n << 28, 1 << 27, f"pier.{n}.mp4", n) for n in range(1, 361)),
    ),
)
CLIPS = {
    "whole": (WHOLE, MEDIA, Evidence()),
    "gaps": (GAPS, MEDIA, Evidence()),
    "many gaps": (MANY_GAPS, MEDIA, Evidence()),
    "findings": (FINDINGS, HELD_MEDIA, Evidence()),
    "proof": (FINDINGS, HELD_MEDIA, EVIDENCE),
    "long proof": (MANY_GAPS, MEDIA, MANY_SOURCES),
}
"""The coverage, the media info and the evidence of each stored clip."""

REJECTIONS = {
    status.value: ClipReport.of(REQUEST, status, reason=reason)
    for status, reason in (
        (
            ClipStatus.NOT_AVAILABLE,
            "There is no footage of the clip. No recording of that time is listed.",
        ),
        (ClipStatus.OUT_OF_RANGE, "The clip starts more than 3 days before its request."),
        (ClipStatus.TOO_LONG, "The clip is longer than 5 minutes."),
        (ClipStatus.RETRY_TIMEOUT, "Some of the footage was not stored in time."),
        (ClipStatus.FATAL_ERROR, "unknown camera pier"),
    )
}
_RANGES = (ByteRange(4096, 7_000_000), ByteRange(7_010_000, 65_536))
PACES = Pace(0, START_MS + 1500), Pace(20_000, START_MS + 22_000, 0.986301)
MANIFESTS = {
    "whole": Manifest(ClipReport.available(REQUEST, WHOLE), WRITER, MEDIA, (SOURCE,)),
    "gaps": Manifest(ClipReport.available(REQUEST, GAPS), WRITER, MEDIA, (SOURCE,)),
    "resumed": Manifest(ClipReport.available(REQUEST, WHOLE), WRITER, MEDIA),
    "copied ranges": Manifest(
        ClipReport.available(REQUEST, WHOLE), WRITER, MEDIA, (evolve(SOURCE, ranges=_RANGES),)
    ),
    "findings": Manifest(ClipReport.available(REQUEST, FINDINGS), WRITER, HELD_MEDIA, (SOURCE,)),
    "paces": Manifest(
        ClipReport.available(REQUEST, FINDINGS), WRITER, HELD_MEDIA, (SOURCE,), paces=PACES
    ),
    "proof": Manifest(
        ClipReport.available(REQUEST, WHOLE),
        WRITER,
        MEDIA,
        (evolve(OTHER_SOURCE, checksum="CRC64NVME:AuUcyF784aU="),),
        evolve(PROOF, thumbnails=(ThumbnailHash(300, "c3" * 32), ThumbnailHash(640, "d4" * 32))),
    ),
    "previews": Manifest(
        ClipReport.available(WITH_PREVIEWS, WHOLE),
        WRITER,
        MEDIA,
        (OTHER_SOURCE,),
        evolve(
            PROOF,
            sidecars=tuple(
                SidecarHash(name, digit * 64)
                for name, digit in (("sheet.jpg", "e"), ("sprite.jpg", "f"), ("sprite.vtt", "0"))
            ),
        ),
    ),
    "filler": Manifest(
        ClipReport.available(WITH_SLATES, GAPS), WRITER, MEDIA, (OTHER_SOURCE,), WITH_FILLER
    ),
    **{status: Manifest(report, WRITER) for status, report in REJECTIONS.items()},
    "deleted": Manifest(
        evolve(ClipReport.available(REQUEST, WHOLE), status=DELETED, reason="It was deleted."),
        "deleted#1",
    ),
}
SIGNED = ("proof", "findings", "CLIP_TOO_LONG")
REPORTS = {
    "whole": ClipReport.available(REQUEST, WHOLE),
    "gaps": ClipReport.available(REQUEST, GAPS),
    "findings": ClipReport.available(REQUEST, FINDINGS),
    "options": ClipReport.available(CHOOSING, WHOLE),
    "wall clock": ClipReport.available(WITH_CLOCK, WHOLE),
    "previews": ClipReport.available(WITH_PREVIEWS, WHOLE),
    "filled gaps": ClipReport.available(WITH_SLATES, GAPS),
    **REJECTIONS,
    "CLIP_PENDING": ClipReport.of(
        REQUEST, ClipStatus.PENDING, reason="Some of the footage is not stored yet."
    ),
    "malformed message": ClipReport(
        "clip-1",
        ClipStatus.FATAL_ERROR,
        reason="cameraId is not 1 to 64 letters, digits, hyphens or underscores.",
    ),
}
BODIES = {
    "requeued": REQUEST,
    "unknown members": evolve(REQUEST, unknown_keys=UNKNOWN),
    "options": CHOOSING,
    "wall clock": WITH_CLOCK,
    "previews": WITH_PREVIEWS,
    "filled gaps": WITH_SLATES,
}


def _queue_names() -> dict[str, str]:
    """Return the names of a folder's message after each step."""
    clock = [SENT_MS]
    with tempfile.TemporaryDirectory() as root:
        queue = FolderRetryQueue(Path(root), now_ms=lambda: clock[0])
        queue.send(REQUEST, 60, time.monotonic() + 10)
        sent = _name_in(root)
        clock[0] += 60_000
        message = queue.receive()
        assert message
        received = _name_in(root)
        queue.release(message, 60)
        return {"sent": sent, "received": received, "released": _name_in(root)}


def _name_in(root: str) -> str:
    (path,) = Path(root, "queue").iterdir()
    due, sent, rest = path.name.split("-")
    return f"{due}-{sent}-{RANDOM_DIGITS}{rest[len(RANDOM_DIGITS) :]}"


def present() -> Golden:
    """Return what the present code writes."""
    return {
        "clips": {name: clip_as_written(*clip) for name, clip in CLIPS.items()},
        "manifests": {name: json.loads(manifest_json(it)) for name, it in MANIFESTS.items()},
        "signed manifests": {
            name: json.loads(manifest_json(it, signer_of(SIGNING_KEY)))
            for name, it in MANIFESTS.items()
            if name in SIGNED
        },
        "reports": {name: _plain(REPORT_FORMAT.report(it)) for name, it in REPORTS.items()},
        "bodies": {name: message_body(request) for name, request in BODIES.items()},
        "folder": _queue_names(),
        "claims": {claim_key(REQUEST.name, 0): claim_text(REQUEST, WRITER, RANDOM_DIGITS).decode()},
    }


def clip_as_written(coverage: Coverage, media: MediaInfo, evidence: Evidence) -> dict[str, Any]:
    """Return the metadata, and the boxes at the end of the bytes if there are any."""
    described, box = with_box(metadata(REQUEST, media, WRITER, coverage, evidence))
    return {"metadata": described, **({"box": box.decode("latin-1")} if box else {})}


def _plain(value: object) -> Any:  # noqa: ANN401 - JSON
    return json.loads(json.dumps(value))
