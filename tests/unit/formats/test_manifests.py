"""The manifest next to a clip."""

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipReport, ClipStatus, UnknownStatus
from domain.coverage import Coverage
from domain.manifest import Manifest, Source
from domain.window import TimeWindow
from infrastructure.formats.coverages import coverage_members
from infrastructure.formats.manifests import manifest_json, read_manifest
from tests.support.coverages import every_kind
from tests.unit.formats.values import (
    COVERAGES,
    END_MS,
    FOOTAGE,
    FOOTAGES,
    IDS,
    PROOFS,
    REQUEST,
    SOURCES,
    START_MS,
    TIMES,
    UNHURRIED,
)

REPORTS = st.builds(
    ClipReport,
    IDS,
    st.sampled_from(ClipStatus),
    st.none() | IDS,
    st.none() | TIMES,
    st.none() | TIMES,
    st.lists(TIMES).map(tuple),
    COVERAGES,
    st.none() | st.text(),
    st.text(),
)
MANIFESTS = st.builds(
    Manifest,
    REPORTS,
    st.text(),
    st.none() | FOOTAGES,
    SOURCES,
    st.none() | PROOFS,
)
MANIFEST = Manifest(
    ClipReport.available(REQUEST, Coverage()),
    "m#1",
    FOOTAGE,
    (Source("pier.mp4", "1", REQUEST.window),),
)


@UNHURRIED
@given(MANIFESTS)
def test_a_manifest_is_read_back(manifest: Manifest) -> None:
    """Every part of it."""
    assert read_manifest(manifest_json(manifest)) == manifest


def test_a_manifest_bears_the_event_id() -> None:
    """By which a subscriber finds what was published."""
    written = json.loads(manifest_json(MANIFEST))
    assert written["eventId"] == MANIFEST.report.event_id
    assert written["report"]["startTimestampInMs"] == START_MS
    assert written["footage"]["durationInMs"] == 5.0


def test_a_manifest_says_all_of_the_coverage() -> None:
    """In the report's form, and the gaps also where they were before there was more to say."""
    report = ClipReport.available(REQUEST, every_kind(START_MS))
    written = json.loads(manifest_json(Manifest(report, "m#1")))["report"]
    assert written["coverage"] == coverage_members(report.coverage)
    assert written["gaps"] == written["coverage"]["gaps"] != []


def test_a_manifest_of_before_is_read() -> None:
    """It says of the coverage only the gaps, and nothing of held frames."""
    gap = TimeWindow(START_MS, START_MS + 1000)
    manifest = evolve(MANIFEST, report=ClipReport.available(REQUEST, Coverage((gap,))))
    written = json.loads(manifest_json(manifest))
    del written["report"]["coverage"], written["footage"]["heldFrames"]
    assert read_manifest(json.dumps(written)) == manifest


def test_what_a_newer_version_says_is_written_as_it_was() -> None:
    """Members of the report and of its coverage that this version does not know, and words."""
    report = json.loads(manifest_json(MANIFEST))
    report["report"] |= {"status": "CLIP_GREAT", "poster": [7]}
    report["report"]["coverage"] |= {"verified": "most", "colour": {"primaries": 9}}
    manifest = read_manifest(json.dumps(report))
    assert manifest.report.status == UnknownStatus("CLIP_GREAT")
    assert not manifest.report.has_clip
    assert manifest.report.coverage.verified is None
    written = json.loads(manifest_json(manifest))
    assert written["report"] == report["report"]


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ('"frames": 5', '"frames": "5"'),
        ('"frames": 5', '"frames": 5.0'),
        ('"frames": 5', '"frames": true'),
        ('"writer": "m#1"', '"writer": 5'),
        ('"lastInMs": 4.0', '"lastInMs": "4.0"'),
        ('"lastInMs": 4.0', '"lastInMs": NaN'),
        ('"CLIP_AVAILABLE"', '"great"'),
        ('"CLIP_AVAILABLE"', '""'),
        ('"CLIP_AVAILABLE"', "5"),
        ('"retryTimestamps": []', '"retryTimestamps": ""'),
        ('"retryTimestamps": []', '"retryTimestamps": null'),
        ('"damaged": []', '"damaged": {}'),
        ('"held": []', '"held": [5]'),
        ('"unused": []', '"unused": [5]'),
        ('"unused": []', '"unused": [{"name": "a"}]'),
        ('"notes": []', '"notes": [5]'),
        ('"notes": []', '"notes": [], "clock": {"rate": "1"}'),
        ('"notes": []', '"notes": [], "verified": 5'),
        ('"report"', '"repute"'),
        (f'"startTimestampInMs": {START_MS}', f'"startTimestampInMs": {END_MS}'),
        ('"writer": "m#1",', ""),
        ("{", "[" * 10_000),
        ("}", ""),
        ('{\n "eventId"', '[{\n "eventId"'),
    ],
)
def test_a_manifest_that_is_not_one_is_an_error(found: str, instead: str) -> None:
    """No 5 is made of "5", nothing missing is made up."""
    text = manifest_json(MANIFEST)
    assert found in text
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(text.replace(found, instead))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" + "0" * 400, str(2**53), str(-(2**53))])
@pytest.mark.parametrize("member", ["durationInMs", "frames"])
def test_a_number_that_json_cannot_hold_exactly_is_no_manifest(member: str, number: str) -> None:
    """Else it would be found where it is used, as an overflow."""
    text = manifest_json(MANIFEST)
    members = json.loads(text)
    members["footage"][member] = "NUMBER"
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(json.dumps(members).replace('"NUMBER"', number))
