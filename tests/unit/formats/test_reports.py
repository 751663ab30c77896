"""Reports, as the camera API and the subscribers get them."""

import json
from typing import Any

import pytest
from attrs import evolve

from application.ports import ThumbnailSpec
from domain.clip import ClipReport, ClipStatus
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.window import TimeWindow
from infrastructure.formats.reports import ReportFormat
from tests.unit.formats.values import END_MS, REQUEST, START_MS

FORMAT = ReportFormat("clips", "https://clips.example/", ThumbnailSpec((300, 640), "png"))
NOTHING: dict[str, object] = {"gaps": [], "damaged": [], "held": [], "unused": [], "notes": []}
MINUTE = (TimeWindow(START_MS, END_MS),)


def test_a_report_of_a_clip_reads_as_agreed() -> None:
    """To the letter."""
    gap = TimeWindow(START_MS, START_MS + 1000)
    report = ClipReport(
        "c1",
        ClipStatus.AVAILABLE,
        "pier",
        START_MS,
        END_MS,
        (7, 8),
        Coverage((gap,), verified=Verification.SPLICES),
        "1 s is missing.",
    )
    assert FORMAT.report(report) == {
        "clipId": "c1",
        "cameraId": "pier",
        "startTimestampInMs": START_MS,
        "endTimestampInMs": END_MS,
        "status": "CLIP_AVAILABLE",
        "retryTimestamps": [7, 8],
        "bucket": "clips",
        "clip": {"key": "/pier/c1.mp4", "url": "https://clips.example/pier/c1.mp4"},
        "thumbnail": {
            "key": "/pier/c1_{size}.png",
            "url": "https://clips.example/pier/c1_{size}.png",
            "sizes": [300, 640],
        },
        "coverage": {
            "complete": False,
            "deliveredInMs": 59_000,
            "gaps": [{"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 1000}],
            "damaged": [],
            "held": [],
            "unused": [],
            "verified": "splices",
            "notes": [],
        },
        "reason": "1 s is missing.",
    }


def test_a_whole_clip_needs_no_reason() -> None:
    """And is complete."""
    report = FORMAT.report(ClipReport.available(REQUEST, Coverage()))
    assert "reason" not in report
    assert report["coverage"] == {"complete": True, "deliveredInMs": 60_000, **NOTHING}


@pytest.mark.parametrize(
    ("changes", "complete", "delivered_ms", "reason"),
    [
        ({"gaps": MINUTE}, False, 0, "There is no footage of 60 s of the clip."),
        ({"damaged": MINUTE}, False, 60_000, "The footage of 60 s of the clip is damaged."),
        ({"held": MINUTE}, True, 60_000, None),
        ({"unused": (Unused("pier.mp4", MINUTE[0]),)}, True, 60_000, None),
        ({"clock": Clock(1.25, 15_000)}, True, 60_000, None),
        ({"notes": ("A note.",)}, True, 60_000, None),
        ({"verified": Verification.ALL}, True, 60_000, None),
    ],
)
def test_only_gaps_and_damage_make_a_clip_incomplete(
    changes: dict[str, Any], complete: bool, delivered_ms: int, reason: str | None
) -> None:
    """And only gaps shorten what is delivered."""
    report = FORMAT.report(ClipReport.available(REQUEST, evolve(Coverage(), **changes)))
    coverage = report["coverage"]
    assert isinstance(coverage, dict)
    assert (coverage["complete"], coverage["deliveredInMs"]) == (complete, delivered_ms)
    assert report.get("reason") == reason
    json.dumps(report)


def test_the_reason_states_both_durations() -> None:
    """To the millisecond, however long."""
    gaps, damaged = (TimeWindow(0, 86_399_999),), (TimeWindow(86_400_000, 86_400_040),)
    report = ClipReport.available(evolve(REQUEST, start_ms=0), Coverage(gaps, damaged))
    assert report.reason == (
        "There is no footage of 86399.999 s of the clip."
        " The footage of 0.04 s of the clip is damaged."
    )


def test_a_report_without_a_clip_names_no_place() -> None:
    """A report has no key for what is absent or unknown."""
    assert FORMAT.report(ClipReport("c1", ClipStatus.FATAL_ERROR, reason="Why.")) == {
        "clipId": "c1",
        "status": "FATAL_ERROR",
        "retryTimestamps": [],
        "thumbnail": {"sizes": []},
        "coverage": {"complete": False, "deliveredInMs": 0, **NOTHING},
        "reason": "Why.",
    }
