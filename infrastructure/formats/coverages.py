"""What a clip shows of its window, as JSON: in reports, manifests and with the clip itself."""

import json
from typing import Any

from domain.coverage import Coverage
from infrastructure.formats.converter import CONVERTER
from infrastructure.formats.json_values import reject_constant, unique_keys


def coverage_members(coverage: Coverage) -> dict[str, Any]:
    """Return the coverage's members; `clock` and `verified` only if there are any.

    What a newer version of the service wrote is returned as it is.
    """
    members: dict[str, Any] = CONVERTER.unstructure(coverage)
    return members


def coverage_text(coverage: Coverage) -> str:
    """Return the coverage as JSON that HTTP headers leave as it is: printable ASCII.

    Repeated blanks are escaped: signatures of requests collapse them.
    """
    text = json.dumps(coverage_members(coverage), separators=(",", ":"), allow_nan=False)
    return text.replace("  ", " \\u0020").replace("\x7f", "\\u007f")


def read_coverage(text: str) -> Coverage:
    """Read what `coverage_text` wrote; ValueError if it is anything else."""
    try:
        members = json.loads(text, object_pairs_hook=unique_keys, parse_constant=reject_constant)
        return CONVERTER.structure(members, Coverage)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"this is no coverage: {type(error).__name__}") from error
