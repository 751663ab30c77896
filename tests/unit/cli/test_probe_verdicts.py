"""The verdicts on a test upload: what each kind of store needs, and what is said of it."""

from collections.abc import Mapping

import pytest
from attrs import evolve, frozen

from domain.errors import DeadlineExceeded, RecordingChanged, Unavailable
from entrypoints.cli.doctor.doctor import lines
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.doctor.multipart_probe import ProbeResult, UploadResult
from entrypoints.cli.doctor.probe_verdicts import (
    CHECKSUMS,
    COMPOSE,
    CONDITIONS,
    REQUIRED,
    SUPPORTED,
    judge_probe,
    settings_for,
)
from infrastructure.s3.conditions import NAMED
from infrastructure.s3.multipart import NO_CHECKSUMS, NO_COPIES, UploadRejected

GOOD = UploadResult(None, None, None, None, 0.5)
INVALID_PART = UploadRejected("InvalidPart", NO_CHECKSUMS, permanent=True)
NO_COPY = UploadRejected("NotImplemented", NO_COPIES, permanent=True)
DENIED = UploadRejected("AccessDenied", NO_COPIES, permanent=False)
REJECTED = Unavailable("S3 answered MissingContentLength.")


def composing_none(error: Exception) -> UploadResult:
    return evolve(GOOD, composed=error, compared=error)


AWS = ProbeResult(
    10_000_000,
    {SUPPORTED: GOOD},
    NAMED["both"],
    RecordingChanged(),
    owner_compared=True,
    checksum_compared=True,
)
NO_TRAILERS = evolve(composing_none(REJECTED), stored=REJECTED)


@frozen
class Case:
    """A store, the values it needs (COMPOSE, S3_CONDITIONS, checksums), and what is not ok."""

    probe: ProbeResult
    needed: tuple[str, str, str]
    not_ok: Mapping[str, str] = {}


STORES = {
    "AWS": Case(AWS, ("auto", "both", SUPPORTED)),
    "Ceph: only PUT has a condition, copies and owners have none": Case(
        evolve(
            AWS,
            conditions=NAMED["put"],
            source_compared=None,
            owner_compared=False,
            checksum_compared=False,
        ),
        ("auto", "put", SUPPORTED),
    ),
    "Swift: only Complete has a condition": Case(
        evolve(AWS, conditions=NAMED["complete"]), ("auto", "complete", SUPPORTED)
    ),
    "MinIO: copied parts have no checksums": Case(
        evolve(AWS, uploads={SUPPORTED: composing_none(INVALID_PART), REQUIRED: GOOD}),
        ("auto", "both", REQUIRED),
    ),
    "R2: parts of unlike size are rejected": Case(
        evolve(
            AWS,
            uploads={
                SUPPORTED: composing_none(INVALID_PART),
                REQUIRED: composing_none(INVALID_PART),
            },
        ),
        ("off", "both", SUPPORTED),
        {"copies": "fault"},
    ),
    "nothing but plain PUTs without checksums": Case(
        evolve(
            AWS,
            uploads={SUPPORTED: NO_TRAILERS, REQUIRED: composing_none(NO_COPY)},
            conditions=NAMED["none"],
            source_compared=Unavailable("S3 answered NotImplemented."),
            owner_compared=False,
        ),
        ("off", "none", REQUIRED),
        {"copies": "fault", "If-None-Match": "fault", "store settings": "fault"},
    ),
    "uploads are accepted only without checksums": Case(
        evolve(AWS, uploads={SUPPORTED: NO_TRAILERS, REQUIRED: GOOD}),
        ("auto", "both", REQUIRED),
        {"store settings": "fault"},
    ),
    "copies of other bytes": Case(
        evolve(
            AWS,
            uploads=dict.fromkeys(
                (SUPPORTED, REQUIRED), evolve(GOOD, compared=Unavailable("Other bytes."))
            ),
        ),
        ("off", "both", SUPPORTED),
        {"copies": "fault"},
    ),
    "copies are denied": Case(
        evolve(AWS, uploads=dict.fromkeys((SUPPORTED, REQUIRED), composing_none(DENIED))),
        ("off", "both", SUPPORTED),
        {"copies": "fault"},
    ),
    "metadata are dropped": Case(
        evolve(
            AWS, uploads={SUPPORTED: evolve(GOOD, described=Unavailable("Metadata are not kept."))}
        ),
        ("auto", "both", SUPPORTED),
        {"metadata": "fault"},
    ),
    "the copy condition fails in another way": Case(
        evolve(AWS, source_compared=DeadlineExceeded("late")),
        ("auto", "both", SUPPORTED),
        {"copy condition": "skipped"},
    ),
    "test objects that stay": Case(
        evolve(AWS, undeleted=((".camclip-doctor/x", Unavailable("S3 answered AccessDenied.")),)),
        ("auto", "both", SUPPORTED),
        {"cleaning up": "skipped"},
    ),
}

DEFAULTS = {COMPOSE: "auto", CONDITIONS: "auto", CHECKSUMS: SUPPORTED}


@pytest.mark.parametrize("case", STORES.values(), ids=STORES)
def test_each_kind_of_store_has_its_settings(case: Case) -> None:
    """They are printed as lines to copy; with the defaults, only what is named is not ok."""
    needed = dict(zip((COMPOSE, CONDITIONS, CHECKSUMS), case.needed, strict=True))
    assert settings_for(case.probe) == needed
    findings = judge_probe(case.probe, DEFAULTS)
    assert {f.name: f.word for f in findings if f.word != "ok"} == case.not_ok
    printed = [line for finding in findings for line in lines(finding)]
    assert set(printed) >= {f"{name}={value}" for name, value in needed.items()}


def finding_of(probe: ProbeResult, name: str, **configured: str) -> Finding:
    findings = judge_probe(probe, {**DEFAULTS, **configured})
    (found,) = [finding for finding in findings if finding.name == name]
    return found


@pytest.mark.parametrize(
    ("store", "configured", "word", "text"),
    [
        ("AWS", {}, "ok", "they fit"),
        ("AWS", {CONDITIONS: "both"}, "ok", "they fit"),
        ("AWS", {COMPOSE: "off"}, "ok", "COMPOSE=off is not the best"),
        (
            "Ceph: only PUT has a condition, copies and owners have none",
            {CONDITIONS: "both"},
            "fault",
            "S3_CONDITIONS=both is wrong",
        ),
        (
            "MinIO: copied parts have no checksums",
            {},
            "ok",
            f"{CHECKSUMS}={SUPPORTED} is not the best",
        ),
        ("uploads are accepted only without checksums", {CHECKSUMS: REQUIRED}, "ok", "they fit"),
    ],
)
def test_configured_settings(store: str, configured: dict[str, str], word: str, text: str) -> None:
    """Wrong ones are a fault; those that only cost an attempt are not."""
    finding = finding_of(STORES[store].probe, "store settings", **configured)
    assert finding.word == word
    assert text in finding.detail


def test_conditions_that_could_not_be_tried_have_no_setting() -> None:
    """The error is printed."""
    probe = evolve(AWS, conditions=Unavailable("S3 answered SlowDown."))
    assert CONDITIONS not in settings_for(probe)
    finding = finding_of(probe, "If-None-Match")
    assert finding.word == "fault"
    assert "SlowDown" in finding.detail


def test_what_is_said_of_ceph() -> None:
    """What it ignores is said where it makes no fault."""
    probe = STORES["Ceph: only PUT has a condition, copies and owners have none"].probe
    assert "compared after the copies" in finding_of(probe, "copy condition").detail
    assert "a claim precedes" in finding_of(probe, "If-None-Match").detail
    assert "not verified" in finding_of(probe, "checksums").detail
    assert "S3_BUCKET_DESTINATION_OWNER have no effect" in finding_of(probe, "bucket owner").fix


def test_compose_off_makes_missing_copies_no_fault() -> None:
    """It is the right setting for them."""
    probe = STORES["nothing but plain PUTs without checksums"].probe
    assert finding_of(probe, "copies", COMPOSE="off").word == "skipped"
    assert "kms:Decrypt" in finding_of(STORES["copies are denied"].probe, "copies").fix
