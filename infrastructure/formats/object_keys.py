"""The names and the metadata of a clip's objects."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import attrs

from domain.clip import ClipName, ClipRequest
from domain.manifest import MediaInfo, StoredClip
from domain.window import TimeWindow

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def clip_key(name: ClipName) -> str:
    """Return the key of the clip."""
    return f"{name.camera_id}/{name.clip_id}.mp4"


def thumbnail_key(name: ClipName, width: int | str, image_format: str) -> str:
    """Return the key of the thumbnail of one width."""
    return f"{name.camera_id}/{name.clip_id}_{width}.{image_format}"


def manifest_key(name: ClipName) -> str:
    """Return the key of the manifest."""
    return f"{name.camera_id}/{name.clip_id}.json"


def metadata(
    request: ClipRequest, footage: MediaInfo, writer: str, gaps: Sequence[TimeWindow]
) -> dict[str, str]:
    """Return the clip's object metadata; S3's 2 KB hold 100 gaps in a clip of a day."""
    bounds = (bound - request.start_ms for gap in gaps for bound in (gap.start_ms, gap.end_ms))
    return {
        "fingerprint": request.fingerprint,
        "writer": writer,
        "start": str(request.start_ms),
        "end": str(request.end_ms),
        "gaps": " ".join(map(_base36, bounds)),
        "footage": " ".join(quote(str(value)) for value in attrs.astuple(footage)),
    }


def stored_clip(metadata: Mapping[str, str], stored_at_ms: int) -> StoredClip:
    """Read what `metadata` wrote; anything else describes a clip that is not the service's own."""
    try:
        start_ms = int(metadata["start"])
        bounds = [start_ms + int(bound, 36) for bound in metadata.get("gaps", "").split()]
        gaps = tuple(map(TimeWindow, bounds[::2], bounds[1::2]))
        footage = _media_info(metadata.get("footage", ""))
        return StoredClip(metadata["fingerprint"], metadata["writer"], stored_at_ms, gaps, footage)
    except (KeyError, ValueError):
        return StoredClip("", "", stored_at_ms)


def _media_info(text: str) -> MediaInfo | None:
    """Read the media info, or None if another version of the service wrote it."""
    kinds = [field.type for field in attrs.fields(attrs.resolve_types(MediaInfo))]
    words = map(unquote, text.split(" "))
    try:
        return MediaInfo(*(kind(word) for kind, word in zip(kinds, words, strict=True) if kind))
    except ValueError:
        return None


def _base36(number: int) -> str:
    rest, digit = divmod(number, 36)
    return (_base36(rest) if rest else "") + DIGITS[digit]
