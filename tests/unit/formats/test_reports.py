"""Reports, as the camera API and the subscribers get them."""

from application.ports import ThumbnailSpec
from domain.clip import ClipReport, ClipStatus
from domain.window import TimeWindow
from infrastructure.formats.reports import ReportFormat
from tests.unit.formats.values import END_MS, REQUEST, START_MS

FORMAT = ReportFormat("clips", "https://clips.example/", ThumbnailSpec((300, 640), "png"))


def test_a_report_of_a_clip_reads_as_agreed() -> None:
    """To the letter."""
    gap = TimeWindow(START_MS, START_MS + 1000)
    report = ClipReport(
        "c1", ClipStatus.AVAILABLE, "pier", START_MS, END_MS, (7, 8), (gap,), "1 s is missing."
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
        },
        "reason": "1 s is missing.",
    }


def test_a_whole_clip_needs_no_reason() -> None:
    """And is complete."""
    report = FORMAT.report(ClipReport.available(REQUEST, ()))
    assert "reason" not in report
    assert report["coverage"] == {"complete": True, "deliveredInMs": 60_000, "gaps": []}


def test_a_report_without_a_clip_names_no_place() -> None:
    """A report has no key for what is absent or unknown."""
    assert FORMAT.report(ClipReport("c1", ClipStatus.FATAL_ERROR, reason="Why.")) == {
        "clipId": "c1",
        "status": "FATAL_ERROR",
        "retryTimestamps": [],
        "thumbnail": {"sizes": []},
        "coverage": {"complete": False, "deliveredInMs": 0, "gaps": []},
        "reason": "Why.",
    }
