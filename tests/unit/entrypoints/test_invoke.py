"""What `python -m entrypoints.invoke` prints of each message."""

import logging
from typing import Any

import pytest

from entrypoints.invoke import Statuses


@pytest.mark.parametrize(
    ("members", "line"),
    [
        (
            {"status": "CLIP_AVAILABLE", "clipId": "c1", "cameraId": "pier"},
            "c1: CLIP_AVAILABLE, s3://clips/pier/c1.mp4",
        ),
        (
            {
                "status": "CLIP_AVAILABLE",
                "clipId": "c1",
                "cameraId": "pier",
                "reason": "There is no footage of 1 s of the clip.",
            },
            "c1: CLIP_AVAILABLE, s3://clips/pier/c1.mp4, There is no footage of 1 s of the clip.",
        ),
        (
            {"status": "FATAL_ERROR", "clipId": "c1", "reason": "unknown camera pier"},
            "c1: FATAL_ERROR, unknown camera pier",
        ),
        (
            {"status": "GIVEN_BACK", "messageId": "m", "fault": "No clip id.", "error": "NoClipId"},
            "m: GIVEN_BACK, No clip id.",
        ),
    ],
)
def test_a_line_says_how_a_message_ended(members: dict[str, Any], line: str) -> None:
    """With the clip's place, or why there is none."""
    statuses = Statuses("clips")
    statuses.emit(logging.makeLogRecord(members))
    statuses.emit(logging.makeLogRecord({"msg": "another line of the log"}))
    assert statuses.found == [line]
