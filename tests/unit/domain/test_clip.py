"""Requests, attempts and reports."""

import pytest
from attrs import evolve

from domain.clip import ClipReport, ClipRequest, ClipStatus, report_of
from domain.delivery import Delivery
from domain.window import TimeWindow

REQUEST = ClipRequest("clip", "camera", 1_000, 11_000)
ATTEMPT = Delivery("message", 0, 0, 0, receive_count=2)


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
def test_an_id_that_is_more_than_a_plain_word_is_no_id(hostile: str) -> None:
    """Nothing that means anything to a path, key or address gets into a request."""
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
def test_the_fingerprint_tells_clips_apart(other: ClipRequest) -> None:
    """Camera, start and end make the clip."""
    assert other.fingerprint != REQUEST.fingerprint


def test_the_fingerprint_does_not_depend_on_the_attempt() -> None:
    """A request that was queued again is still for the same clip."""
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
def test_an_attempt_knows_its_predecessors(writer: str, earlier: bool) -> None:
    """Only an earlier delivery of the same message counts."""
    assert ATTEMPT.wrote_earlier(writer) is earlier


def test_the_event_id_stands_for_the_ending() -> None:
    """The same ending has the same id whatever else a report says; another status another id."""
    first = report_of(REQUEST, ClipStatus.AVAILABLE)
    assert (
        report_of(REQUEST.retried(7), ClipStatus.AVAILABLE, reason="x").event_id == first.event_id
    )
    assert report_of(REQUEST, ClipStatus.FATAL_ERROR).event_id != first.event_id


def test_what_was_delivered_is_the_window_less_its_gaps() -> None:
    """A report without a clip delivers nothing."""
    gaps = (TimeWindow(2_000, 3_000), TimeWindow(5_000, 5_500))
    assert report_of(REQUEST, ClipStatus.AVAILABLE, gaps=gaps).delivered_ms == 8_500
    assert report_of(REQUEST, ClipStatus.PENDING).delivered_ms == 0
    assert ClipReport("clip", ClipStatus.FATAL_ERROR).delivered_ms == 0
