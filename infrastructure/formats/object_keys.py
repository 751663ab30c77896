"""The names and the metadata of a clip's objects."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

import attrs

from domain.clip import ClipName, ClipRequest
from domain.coverage import Coverage
from domain.manifest import Evidence, MediaInfo, StoredClip
from domain.window import TimeWindow
from infrastructure.formats.coverages import coverage_text, read_coverage
from infrastructure.formats.evidence import evidence_text, read_evidence

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
COVERAGE = "coverage"
"""The metadata's member for the coverage, which has no limit."""
EVIDENCE = "proof"
"""The metadata's member for the proof and its sources, which has no limit either."""


def clip_key(name: ClipName) -> str:
    """Return the key of the clip."""
    return f"{name.camera_id}/{name.clip_id}.mp4"


def thumbnail_key(name: ClipName, width: int | str, image_format: str) -> str:
    """Return the key of the thumbnail of one width."""
    return f"{name.camera_id}/{name.clip_id}_{width}.{image_format}"


def sidecar_key(name: ClipName, sidecar: str) -> str:
    """Return the key of a file next to the clip, by the end of its name."""
    return f"{name.camera_id}/{name.clip_id}.{sidecar}"


def manifest_key(name: ClipName) -> str:
    """Return the key of the manifest."""
    return f"{name.camera_id}/{name.clip_id}.json"


def claim_key(name: ClipName, number: int) -> str:
    """Return the key of a claim to the clip."""
    return f"{name.camera_id}/{name.clip_id}.claim-{number}"


def metadata(
    request: ClipRequest,
    footage: MediaInfo,
    writer: str,
    coverage: Coverage,
    evidence: Evidence = Evidence(),  # noqa: B008 - it is frozen
) -> dict[str, str]:
    """Return what is stored with the clip: printable ASCII, as long as the last members need.

    The gaps are there twice: services of before coverage had more members read `gaps`.
    """
    bounds = (
        bound - request.start_ms for gap in coverage.gaps for bound in (gap.start_ms, gap.end_ms)
    )
    return {
        "fingerprint": request.fingerprint,
        "writer": writer,
        "start": str(request.start_ms),
        "end": str(request.end_ms),
        "gaps": " ".join(map(_base36, bounds)),
        "footage": " ".join(quote(str(value)) for value in attrs.astuple(footage)),
        COVERAGE: coverage_text(coverage),
        **({EVIDENCE: evidence_text(evidence)} if evidence.proof else {}),
    }


def stored_clip(metadata: Mapping[str, str], stored_at_ms: int) -> StoredClip:
    """Read what `metadata` wrote, now, before or in a newer version.

    Anything else describes a clip of others.
    """
    try:
        coverage = (
            read_coverage(metadata[COVERAGE])
            if COVERAGE in metadata
            else Coverage(_gaps(int(metadata["start"]), metadata.get("gaps", "")))
        )
        footage = _media_info(metadata.get("footage", ""))
        evidence = read_evidence(metadata[EVIDENCE]) if EVIDENCE in metadata else Evidence()
        return StoredClip(
            metadata["fingerprint"], metadata["writer"], stored_at_ms, coverage, footage, evidence
        )
    except (KeyError, ValueError):
        return StoredClip("", "", stored_at_ms)


def _gaps(start_ms: int, text: str) -> tuple[TimeWindow, ...]:
    bounds = [start_ms + int(bound, 36) for bound in text.split()]
    return tuple(map(TimeWindow, bounds[::2], bounds[1::2]))


def _media_info(text: str) -> MediaInfo | None:
    """Read the media info; None if it is not such. Newer versions append words."""
    fields = attrs.fields(attrs.resolve_types(MediaInfo))
    words = list(map(unquote, text.split(" ")))
    required = [field for field in fields if field.default is attrs.NOTHING]
    if len(words) < len(required):
        return None
    try:
        kinds = (field.type for field in fields)
        return MediaInfo(*(kind(word) for kind, word in zip(kinds, words, strict=False) if kind))
    except ValueError:
        return None


def _base36(number: int) -> str:
    if number < 0:
        return f"-{_base36(-number)}"
    rest, digit = divmod(number, 36)
    return (_base36(rest) if rest else "") + DIGITS[digit]
