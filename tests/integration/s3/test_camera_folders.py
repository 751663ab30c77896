"""Which cameras a bucket's folders name, and how many requests that takes."""

import time
from typing import Any

import pytest

from infrastructure.layouts.bucket_layout import bucket_layout
from infrastructure.s3 import BucketFolder
from infrastructure.s3.camera_folders import cameras_with_folders, has_camera_folders
from tests.contract.real import Aws

CASES: dict[str, tuple[str, list[str], list[str], int]] = {
    "a folder for each camera": (
        "mediamtx",
        [
            "pier/2026-05-01_12-00-00-000000.mp4",
            "mole/2026-05-01_12-00-00-000000.mp4",
            "not an id/2026-05-01_12-00-00-000000.mp4",
            ".hidden/2026-05-01_12-00-00-000000.mp4",
            "loose.mp4",
        ],
        ["mole", "pier"],
        1,
    ),
    "folders of cameras in those of hours": (
        "frigate",
        [
            "2026-04-30/11/gone/00.00.mp4",
            "2026-05-01/10/gone/00.00.mp4",
            "2026-05-01/11/pier/00.00.mp4",
            "2026-05-02/00/mole/00.00.mp4",
            "clips/00/boat/00.00.mp4",
        ],
        ["mole", "pier"],
        5,
    ),
    "two patterns": (
        "camclip",
        [
            "recordings/pier/pier.20260501T120000.mp4",
            "mole/mole.20260501T120000.mp4",
        ],
        ["mole", "pier"],
        2,
    ),
    "a camera in a longer name": (
        "cam-{camera}/%Y/%H%M%S_%m%d",
        ["cam-pier/2026/120000_0501.mp4", "pier/2026/120000_0501.mp4"],
        ["pier"],
        1,
    ),
    "cameras in the files' names": ("dashcam", ["20260501_120010_NF.mp4"], [], 0),
    "an empty bucket": ("mediamtx", [], [], 1),
}


@pytest.mark.parametrize(("pattern", "keys", "cameras", "requests"), CASES.values(), ids=CASES)
def test_cameras(
    aws: Aws, pattern: str, keys: list[str], cameras: list[str], requests: int
) -> None:
    """Below the folder of the recordings."""
    bucket = aws.bucket()
    for key in keys:
        aws.s3.put_object(Bucket=bucket, Key=f"nvr/{key}", Body=b"")
    calls: list[object] = []
    events: Any = aws.s3.meta.events
    events.register("before-call.s3.ListObjectsV2", lambda **_: calls.append(1), "count")
    layout = bucket_layout(pattern)
    there = BucketFolder(aws.s3, bucket, "nvr")
    assert cameras_with_folders(there, layout, time.monotonic() + 30) == cameras
    events.unregister("before-call.s3.ListObjectsV2", unique_id="count")
    assert len(calls) == requests
    assert has_camera_folders(layout) is (requests > 0)


def test_very_many_folders_are_listed_page_by_page(aws: Aws) -> None:
    """In the order of their names."""
    bucket = aws.bucket()
    for number in range(1100):
        aws.s3.put_object(Bucket=bucket, Key=f"c{number:04}/x.mp4", Body=b"")
    found = BucketFolder(aws.s3, bucket).folders("", time.monotonic() + 30)
    assert found == [f"c{number:04}" for number in range(1100)]
