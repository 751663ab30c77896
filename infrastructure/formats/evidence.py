"""What is committed with a clip in addition to its coverage, as text that HTTP headers carry."""

import base64
import json
import zlib
from typing import Any

from domain.manifest import Evidence
from infrastructure.formats.converter import CONVERTER
from infrastructure.formats.json_values import reject_constant, unique_keys

MAX_JSON_BYTES = 64 << 20
"""A clip of 720 recordings has a thousandth of it."""
LEVEL = 9


def evidence_text(evidence: Evidence) -> str:
    """Return the evidence as compressed JSON in base64: that of ten recordings fits in metadata."""
    members: dict[str, Any] = CONVERTER.unstructure(evidence)
    text = json.dumps(members, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), LEVEL)).decode()


def read_evidence(text: str) -> Evidence:
    """Read what `evidence_text` wrote, now or in a newer version; ValueError if it is none."""
    try:
        members = json.loads(
            _inflated(text), object_pairs_hook=unique_keys, parse_constant=reject_constant
        )
        return CONVERTER.structure(members, Evidence)
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error) as error:
        raise ValueError(f"this is no evidence: {type(error).__name__}") from error


def _inflated(text: str) -> bytes:
    inflater = zlib.decompressobj()
    data = inflater.decompress(base64.b64decode(text, validate=True), MAX_JSON_BYTES)
    if not inflater.eof:
        raise ValueError("it is cut off, or too long")
    return data
