"""The manifest stored next to a clip."""

import json
from collections.abc import Callable
from typing import Any

from attrs import evolve

from domain.manifest import Manifest, Signature
from infrastructure.formats.canonical import canonical
from infrastructure.formats.converter import CONVERTER
from infrastructure.formats.json_values import reject_constant, unique_keys

Sign = Callable[[bytes], Signature]
"""Signs the canonical form of a manifest without its signature."""
SIGNATURE = "signature"


def manifest_json(manifest: Manifest, sign: Sign | None = None) -> str:
    """Return the manifest as JSON, with the event id of its report, signed if `sign` is given.

    The report's gaps are also where they were before coverage had more members.
    """
    written: dict[str, Any] = CONVERTER.unstructure(manifest)
    written.pop(SIGNATURE, None)
    written["report"]["gaps"] = written["report"]["coverage"]["gaps"]
    written = {"eventId": manifest.report.event_id, **written}
    if sign:
        written[SIGNATURE] = CONVERTER.unstructure(sign(canonical(written)))
    return json.dumps(written, indent=1, allow_nan=False)


def read_manifest(text: str) -> Manifest:
    """Read what `manifest_json` wrote, now, before or in a newer version.

    ValueError if it is anything else. Unknown members of the report are kept: it is repeated.
    """
    try:
        written = _read(text)
        report = written["report"]
        report.setdefault("coverage", {"gaps": report.get("gaps", [])})
        return _with_sidecars(CONVERTER.structure(written, Manifest))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a manifest: {type(error).__name__}") from error


def _with_sidecars(manifest: Manifest) -> Manifest:
    """Return the manifest, whose report names the files next to the clip that its proof has."""
    if not manifest.proof or not manifest.report.has_clip:
        return manifest
    names = tuple(sidecar.name for sidecar in manifest.proof.sidecars)
    return evolve(manifest, report=evolve(manifest.report, sidecars=names))


def signed_bytes(text: str) -> bytes:
    """Return what the signature of a manifest is of: all of it, unknown members included."""
    try:
        members = {key: value for key, value in _read(text).items() if key != SIGNATURE}
        return canonical(members)
    except (ValueError, AttributeError, RecursionError) as error:
        raise ValueError(f"this is not a manifest: {type(error).__name__}") from error


def proof_members(manifest: Manifest) -> dict[str, Any]:
    """Return what proves the clip: `proof`, `sources` and `signature`, as far as it has them."""
    written: dict[str, Any] = CONVERTER.unstructure(manifest)
    return {name: written[name] for name in ("proof", "sources", SIGNATURE) if written.get(name)}


def _read(text: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(text, object_pairs_hook=unique_keys, parse_constant=reject_constant)
