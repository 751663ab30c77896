"""Requests, deliveries and reports."""

from typing import Any

import pytest
from attrs import evolve

from domain.clip import FORMAT_VERSION, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage
from domain.delivery import Delivery
from domain.options import ClipOptions
from domain.window import TimeWindow

REQUEST = ClipRequest("clip", "camera", 1_000, 11_000)
DELIVERY = Delivery(REQUEST, "message", 0, 0, 0, receive_count=2)


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "../../x",
        "a/b",
        ".",
        "..",
        "%2e%2e",
        "a?b",
        "#",
        "%d",
        "a\0b",
        "a\n",
        "a" * 65,
        "ａ",
        "\ud800",
    ],
)
def test_an_id_is_letters_digits_hyphens_and_underscores(hostile: str) -> None:
    """No text with a meaning in a path, key or address gets into a request."""
    with pytest.raises(ValueError, match="must match"):
        ClipRequest(hostile, "camera", 0, 1)
    with pytest.raises(ValueError, match="must match"):
        ClipRequest("clip", hostile, 0, 1)


@pytest.mark.parametrize(
    "other",
    [
        evolve(REQUEST, camera_id="other"),
        evolve(REQUEST, start_ms=1_001),
        evolve(REQUEST, end_ms=11_001),
    ],
)
def test_the_fingerprint_distinguishes_clips(other: ClipRequest) -> None:
    """Camera, start and end identify a clip."""
    assert other.fingerprint != REQUEST.fingerprint


def test_the_fingerprint_does_not_depend_on_the_delivery() -> None:
    """A requeued request is for the same clip."""
    assert REQUEST.retried(5).fingerprint == REQUEST.fingerprint
    assert REQUEST.retried(5).retries_ms == (5,)


@pytest.mark.parametrize(
    ("writer", "earlier"),
    [
        ("message#1", True),
        ("message#2", False),
        ("message#3", False),
        ("other#1", False),
        ("message", False),
        ("", False),
        ("message#x", False),
    ],
)
def test_a_delivery_recognizes_earlier_ones(writer: str, earlier: bool) -> None:
    """Only an earlier delivery of the same message counts."""
    assert DELIVERY.follows(writer) is earlier


def test_the_event_id_identifies_the_result() -> None:
    """The same status has the same id, whatever else a report says; another status has another."""
    first = ClipReport.of(REQUEST, ClipStatus.AVAILABLE)
    assert (
        ClipReport.of(REQUEST.retried(7), ClipStatus.AVAILABLE, reason="x").event_id
        == first.event_id
    )
    assert ClipReport.of(REQUEST, ClipStatus.FATAL_ERROR).event_id != first.event_id


def test_the_delivered_duration_excludes_the_gaps() -> None:
    """A report without a clip delivers nothing."""
    gaps = (TimeWindow(2_000, 3_000), TimeWindow(5_000, 5_500))
    assert (
        ClipReport.of(REQUEST, ClipStatus.AVAILABLE, coverage=Coverage(gaps)).delivered_ms == 8_500
    )
    assert ClipReport.of(REQUEST, ClipStatus.PENDING).delivered_ms == 0
    assert ClipReport("clip", ClipStatus.FATAL_ERROR).delivered_ms == 0


def test_a_clip_with_gaps_says_how_much_it_lacks() -> None:
    """The report of an incomplete clip has a reason, that of a complete one has none."""
    assert ClipReport.available(REQUEST, Coverage()).reason is None
    gaps = (TimeWindow(1_000, 3_500),)
    assert (
        ClipReport.available(REQUEST, Coverage(gaps)).reason
        == "There is no footage of 2.5 s of the clip."
    )


@pytest.mark.parametrize(
    ("request_", "fingerprint", "event_id"),
    [
        (
            ClipRequest("clip-1", "pier", 1_537_119_363_000, 1_537_119_423_000),
            "d9474215770554b3cb8922c0055a70ec",
            "d41efe12a041e4324ebe90fbdd587779",
        ),
        (
            ClipRequest("c" * 64, "A_-9" * 16, 0, 1),
            "68df903593fb645328098ea99d8c775e",
            "b49a9daf24246eb59680b1680551e38b",
        ),
        (
            ClipRequest("x", "cam", 5, -3),
            "7d75ca221e73ee0a2ccaae87cc4e1b90",
            "9c41ece51c654bd036e9abd895c92a76",
        ),
    ],
    ids=["usual", "long", "turned"],
)
def test_the_fingerprint_of_a_request_without_options_never_changes(
    request_: ClipRequest, fingerprint: str, event_id: str
) -> None:
    """Stored clips and sent notifications have it: another would make every clip a conflict."""
    assert request_.fingerprint == fingerprint
    assert ClipReport.of(request_, ClipStatus.AVAILABLE).event_id == event_id
    assert FORMAT_VERSION == 1


@pytest.mark.parametrize(
    ("gaps", "shown", "shown_ms"),
    [
        ("skip", "", 8_500),
        ("fail", "", 8_500),
        ("hold", ": it shows a picture next to it", 10_000),
        ("black", ": it shows black", 10_000),
        ("slate", ": it shows a slate", 10_000),
    ],
)
def test_a_report_says_with_what_gaps_are_filled(gaps: Any, shown: str, shown_ms: int) -> None:  # noqa: ANN401
    """What is delivered is footage alone."""
    request = evolve(REQUEST, options=ClipOptions(gaps=gaps))
    lacking = TimeWindow(REQUEST.start_ms, REQUEST.start_ms + 1_500)
    report = ClipReport.available(request, Coverage((lacking,)))
    assert report.reason == f"There is no footage of 1.5 s of the clip{shown}."
    assert (report.delivered_ms, report.shown_ms) == (8_500, shown_ms)
    assert not report.coverage.is_complete
    assert evolve(report, status=ClipStatus.PENDING).shown_ms == 0
