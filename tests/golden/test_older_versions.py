"""The present code reads what older versions wrote, and writes all that they read."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from domain.clip import ClipRequest
from domain.manifest import StoredClip
from infrastructure.folder.queue import FolderRetryQueue
from infrastructure.formats.coverage_box import without_box
from infrastructure.formats.manifests import read_manifest, signed_bytes
from infrastructure.formats.messages import read_message
from infrastructure.formats.object_keys import stored_clip
from infrastructure.signing import is_signature, public_key_of
from tests.golden import cases
from tests.golden.cases import Golden
from tests.golden.write import VERSIONS, goldens
from tests.support.keys import SIGNING_KEY, public_key

OF_2018: dict[str, Any] = json.loads((VERSIONS.parent / "2018.json").read_text())
GOLDENS = goldens()


def cases_of(kind: str) -> list[Any]:
    return [
        pytest.param(case, written, id=f"{version} {case}")
        for version, golden in GOLDENS.items()
        for case, written in golden.get(kind, {}).items()
    ]


def read_clip(written: dict[str, Any]) -> StoredClip:
    box = written.get("box", "").encode("latin-1")
    return stored_clip(without_box(written["metadata"], lambda size: box[-size:]), 7)


def test_a_change_of_a_format_has_a_golden() -> None:
    """`python -m tests.golden.write NAME` writes one; goldens themselves never change."""
    assert inflated(cases.present()) in map(inflated, GOLDENS.values())


def inflated(golden: Golden) -> Golden:
    """Replace compressed proofs by what they say: releases of zlib compress differently."""
    return {**golden, "clips": {case: _plain_clip(it) for case, it in golden["clips"].items()}}


def _plain_clip(written: dict[str, Any]) -> dict[str, Any]:
    metadata, box = written["metadata"], written.get("box", "").encode("latin-1")
    if "proof" not in metadata and "proof-bytes" not in metadata:
        return written
    whole: dict[str, Any] = without_box(metadata, lambda size: box[-size:])
    sizes = {"coverage-bytes": metadata["coverage-bytes"]} if "coverage-bytes" in metadata else {}
    proof = json.loads(zlib.decompress(base64.b64decode(whole["proof"])))
    return {"metadata": {**whole, **sizes, "proof": proof}, "boxed": "proof-bytes" in metadata}


@pytest.mark.parametrize(("case", "written"), cases_of("clips"))
def test_the_metadata_of_every_version_is_read(case: str, written: dict[str, Any]) -> None:
    """Fingerprint, writer, coverage and media info, each with its meaning."""
    coverage, media, evidence = cases.CLIPS[case]
    expected = StoredClip(cases.REQUEST.fingerprint, cases.WRITER, 7, coverage, media, evidence)
    assert read_clip(written) == expected


@pytest.mark.parametrize(("case", "written"), cases_of("manifests"))
def test_the_manifest_of_every_version_is_read(case: str, written: dict[str, Any]) -> None:
    """The report, its status and fingerprint included; the writer, the media and the sources."""
    manifest = cases.MANIFESTS[case]
    assert read_manifest(json.dumps(written)) == manifest
    assert manifest.report.event_id == written["eventId"]


@pytest.mark.parametrize(("case", "written"), cases_of("signed manifests"))
def test_the_signature_of_every_version_is_valid(case: str, written: dict[str, Any]) -> None:
    """It is of the manifest without it, unknown members included, in their canonical form."""
    key, text = public_key_of(public_key(SIGNING_KEY)), json.dumps(written)
    found = read_manifest(text)
    assert found.signature
    assert evolve(found, signature=None) == cases.MANIFESTS[case]
    assert is_signature(found.signature, signed_bytes(text), key)
    newer = json.dumps({**written, "added": 1})
    assert not is_signature(found.signature, signed_bytes(newer), key)


@pytest.mark.parametrize(("case", "written"), cases_of("bodies"))
def test_the_body_of_every_version_is_read(case: str, written: str) -> None:
    """The request, with its retries and its unknown members."""
    request = read_message(written, cases.SENT_MS)
    expected = cases.BODIES[case]
    assert isinstance(request, ClipRequest)
    assert request == expected
    assert request.unknown_keys == expected.unknown_keys


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            "event",
            ClipRequest("1111111111111", "1111111111111", 1_537_119_363_000, 1_537_119_423_000),
        ),
        (
            "by hand",
            ClipRequest("111111111111", "111111111111", 1_538_412_898_000, 1_538_413_498_000),
        ),
    ],
)
def test_the_bodies_of_2018_are_read(case: str, expected: ClipRequest) -> None:
    """They are Python, not JSON."""
    assert read_message(OF_2018["bodies"][case], 1_540_000_000_000) == expected


@pytest.mark.parametrize(("case", "name"), cases_of("folder"))
def test_the_queued_file_of_every_version_is_received(case: str, name: str, tmp_path: Path) -> None:
    """With its message id, the time it was sent and how often it was received."""
    path = tmp_path / "queue" / name
    path.parent.mkdir()
    path.write_text(cases.present()["bodies"]["requeued"])
    message = FolderRetryQueue(tmp_path, now_ms=lambda: cases.SENT_MS + 10**8).receive()
    assert message
    assert message.message_id == f"{cases.SENT_MS}-{cases.RANDOM_DIGITS}"
    assert message.sent_at_ms == cases.SENT_MS
    assert message.receive_count == {"sent": 1, "received": 2, "released": 2}[case]
    assert read_message(message.body, message.sent_at_ms) == cases.REQUEST


@pytest.mark.parametrize(
    ("version", "kind"), [(version, kind) for version, golden in GOLDENS.items() for kind in golden]
)
def test_nothing_that_a_version_wrote_is_missing_today(version: str, kind: str) -> None:
    """Members are added, never renamed, moved or given another meaning: old code reads them."""
    today = inflated(cases.present())[kind]
    for case, written in inflated(GOLDENS[version])[kind].items():
        assert _missing(written, today[case], case) == []


def test_the_notification_of_2018_is_part_of_the_present_one() -> None:
    """To the names of its members; where clips and thumbnails are has changed."""
    today = cases.present()["reports"]["whole"]
    assert _missing(_names(OF_2018["notification"]), _names(today), "") == []


def _missing(old: object, new: object, where: str) -> list[str]:
    """Return the places of what is in `old` but not the same in `new`."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            place
            for key in old
            for place in _missing(old[key], new.get(key, "absent"), f"{where}/{key}")
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = zip(old, new, strict=True)
        return [place for pair in pairs for place in _missing(*pair, f"{where}[]")]
    if where.endswith("/metadata/footage"):  # newer versions append words
        return [] if f"{new} ".startswith(f"{old} ") else [where]
    return [] if old == new else [f"{where}: {old} is now {new}"]


def _names(value: object) -> object:
    return {key: _names(value[key]) for key in value} if isinstance(value, dict) else ""


def test_a_missing_member_would_be_found() -> None:
    """At every level."""
    whole = {"a": [{"b": 1, "c": None}]}
    assert _missing({"a": [{"b": 1}]}, whole, "") == []
    assert _missing({"a": [{"b": 2}]}, whole, "") == ["/a[]/b: 2 is now 1"]
    assert _missing({"a": [{"d": 1}]}, whole, "") == ["/a[]/d: 1 is now absent"]


def test_the_fingerprint_of_a_request_never_changes() -> None:
    """With another one, every stored clip would be another request's."""
    found = {
        clip["metadata"]["fingerprint"]
        for golden in GOLDENS.values()
        for clip in golden["clips"].values()
    }
    assert found == {cases.REQUEST.fingerprint} == {"d9474215770554b3cb8922c0055a70ec"}
    assert evolve(cases.REQUEST, unknown_keys={"a": 1}).fingerprint in found
