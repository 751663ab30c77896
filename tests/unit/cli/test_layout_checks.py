"""The verdict on a bucket's first keys."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from entrypoints.cli.doctor.layout_checks import judge_keys
from infrastructure.layouts.bucket_layout import bucket_layout

MEDIAMTX = ["pier/2026-05-01_12-00-00-000000.mp4", "mole/2026-05-01_12-00-00-000000.mp4"]
FRIGATE = ["2026-05-01/12/pier/00.00.mp4", "2026-05-01/12/pier/00.10.mp4"]
FFMPEG = ["pier/2026-05-01_12-00-00.mp4"]
PATTERN = "{camera}/%Y-%m-%d_%H-%M-%S"
VERDICTS: dict[str, tuple[str, list[str], bool | None, str, str]] = {
    "all fit": (
        "mediamtx",
        [*MEDIAMTX, "pier/", "notes.txt"],
        True,
        (
            "2 of the first 2 recordings fit mediamtx ({camera}/%Y-%m-%d_%H-%M-%S-%f), with times"
            " in Europe/Madrid"
        ),
        "",
    ),
    "one does not": (
        "mediamtx",
        [*MEDIAMTX, "pier/holiday.MP4"],
        True,
        (
            "2 of the first 3 recordings fit mediamtx ({camera}/%Y-%m-%d_%H-%M-%S-%f), with times"
            " in Europe/Madrid; not 'pier/holiday.MP4'"
        ),
        "Recordings that do not fit are never found: check whether they are a camera's.",
    ),
    "none does: another preset": (
        "mediamtx",
        FRIGATE,
        False,
        (
            "0 of the first 2 recordings fit mediamtx ({camera}/%Y-%m-%d_%H-%M-%S-%f); not"
            " '2026-05-01/12/pier/00.00.mp4'"
        ),
        "RECORDING_PATTERN=frigate fits 2 of them.",
    ),
    "none does: a pattern of a preset that is none of a bucket": (
        "frigate",
        FFMPEG,
        False,
        (
            "0 of the first 1 recordings fit frigate (%Y-%m-%d/%H/{camera}/%M.%S); not"
            " 'pier/2026-05-01_12-00-00.mp4'"
        ),
        f"RECORDING_PATTERN={PATTERN} fits 1 of them.",
    ),
    "nothing is known that does": (
        "frigate",
        ["pier/\nholiday.mp4"],
        False,
        (
            "0 of the first 1 recordings fit frigate (%Y-%m-%d/%H/{camera}/%M.%S); not"
            " 'pier/\\nholiday.mp4'"
        ),
        f"Write RECORDING_PATTERN as the keys are, such as {PATTERN}.",
    ),
    "no recordings": (
        "mediamtx",
        ["pier/notes.txt"],
        None,
        "none of the first 1 keys ends with .mp4, .m4v or .mov",
        "Check S3_BUCKET_ORIGIN_DIR.",
    ),
}
"""By name: the pattern, the keys; whether it is right, what is said, and the fix."""


@pytest.mark.parametrize(
    ("pattern", "keys", "ok", "detail", "fix"), VERDICTS.values(), ids=VERDICTS
)
def test_the_pattern_is_tried_on_the_first_keys(
    pattern: str, keys: list[str], ok: bool | None, detail: str, fix: str
) -> None:
    """With an example of those that it does not fit."""
    found = judge_keys(bucket_layout(pattern), ZoneInfo("Europe/Madrid"), keys)
    assert (found.ok, found.detail, found.fix) == (ok, detail, fix)


@pytest.mark.parametrize("pattern", ["{camera}/%Y-%m-%d_%H-%M-%S", "frigate"])
def test_the_advice_is_a_pattern_that_can_be_set(pattern: str) -> None:
    """And fits."""
    advice = judge_keys(bucket_layout("dashcam"), UTC, FRIGATE if pattern == "frigate" else FFMPEG)
    assert advice.fix.startswith(f"RECORDING_PATTERN={pattern} fits")
    assert bucket_layout(pattern).patterns
