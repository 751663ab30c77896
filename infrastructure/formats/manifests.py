"""The manifest stored next to a clip."""

import json
from typing import Any

from domain.manifest import Manifest
from infrastructure.formats.converter import CONVERTER
from infrastructure.formats.json_values import reject_constant, unique_keys


def manifest_json(manifest: Manifest) -> str:
    """Return the manifest as JSON, with the event id of its report.

    The report's gaps are also where they were before coverage had more members.
    """
    written: dict[str, Any] = CONVERTER.unstructure(manifest)
    written["report"]["gaps"] = written["report"]["coverage"]["gaps"]
    return json.dumps({"eventId": manifest.report.event_id, **written}, indent=1, allow_nan=False)


def read_manifest(text: str) -> Manifest:
    """Read what `manifest_json` wrote, now, before or in a newer version.

    ValueError if it is anything else. Unknown members of the report are kept: it is repeated.
    """
    try:
        written = json.loads(text, object_pairs_hook=unique_keys, parse_constant=reject_constant)
        report = written["report"]
        report.setdefault("coverage", {"gaps": report.get("gaps", [])})
        return CONVERTER.structure(written, Manifest)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a manifest: {type(error).__name__}") from error
