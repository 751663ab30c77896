"""Cameras whose recordings a bucket lists: how many requests it takes, and which times are read."""

import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest
from attrs import Factory, define

from application.ports import Listing
from domain.errors import DeadlineExceeded, Rejected, Unavailable
from domain.window import TimeWindow
from infrastructure.layouts.bucket_layout import bucket_layout
from infrastructure.layouts.wall_clock import EPOCH
from infrastructure.s3 import S3CameraService
from tests.contract.real import Aws, clients_of
from tests.support.loopback import answer, loopback

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

START = datetime(2026, 5, 1, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
FILE_MS = 10_000
COUNT = 60_000
"""Files of ten seconds: a week of them."""
MIDDLE_MS = START_MS + COUNT // 2 * FILE_MS
MADRID = ZoneInfo("Europe/Madrid")


@define
class ListedBucket:
    """The list of a bucket's keys as S3 gives it, and its requests."""

    keys: list[str]
    written_ms: Callable[[str], int] = lambda _: MIDDLE_MS + FILE_MS
    requests: list[Mapping[str, Any]] = Factory(list)

    def __attrs_post_init__(self) -> None:
        self.keys.sort()

    def list_objects_v2(self, **request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - boto3's
        self.requests.append(request)
        at = bisect_right(self.keys, max(request.get("StartAfter", ""), request["Prefix"][:-1]))
        found = []
        for key in self.keys[at:]:
            if key.startswith(request["Prefix"]):
                found.append(key)
            elif key > request["Prefix"]:
                break
            if len(found) > request["MaxKeys"]:
                break
        rows = [
            {"Key": key, "LastModified": EPOCH + timedelta(milliseconds=self.written_ms(key))}
            for key in found[: request["MaxKeys"]]
        ]
        return {"Contents": rows, "IsTruncated": len(found) > request["MaxKeys"]}

    def cameras(self, pattern: str, zone: tzinfo = UTC, folder: str = "") -> S3CameraService:
        client = cast("S3Client", self)
        return S3CameraService(client, "recordings", bucket_layout(pattern), zone, folder)


def soon() -> float:
    return time.monotonic() + 60


def names(pattern: str, zone: tzinfo = UTC, count: int = COUNT) -> list[str]:
    starts = (START + timedelta(milliseconds=FILE_MS * number) for number in range(count))
    return [f"{start.astimezone(zone):{pattern}}.mp4" for start in starts]


def listed(listing: Listing) -> list[int]:
    """Return the starts of the segments, in ms after the middle of the footage."""
    return sorted(segment.window.start_ms - MIDDLE_MS for segment in listing.segments)


LAYOUTS: dict[str, tuple[str, list[str], tzinfo, int]] = {
    "mediamtx": ("mediamtx", ["pier/%Y-%m-%d_%H-%M-%S-%f"], MADRID, 1),
    "frigate": ("frigate", ["%Y-%m-%d/%H/pier/%M.%S"], UTC, 2),
    "ffmpeg's segments": (
        "{camera}/%Y-%m-%d_%H-%M-%S",
        ["pier/%Y-%m-%d_%H-%M-%S", "mole/%Y-%m-%d_%H-%M-%S"],
        UTC,
        1,
    ),
    "seconds since the epoch": ("{camera}_%s", ["pier_%s"], UTC, 1),
    "a name before the time": ("camclip", ["pier/pier.%Y%m%dT%H%M%S"], UTC, 4),
    "names before the time": (
        "camclip",
        ["pier/pier.%Y%m%dT%H%M%S", "pier/pier.stream.%Y%m%dT%H%M%S%f"],
        UTC,
        6,
    ),
    "cameras after the time": (
        "dashcam",
        ["Record/%Y%m%d_%H%M%S_Npier", "Record/%Y%m%d_%H%M%S_NR"],
        UTC,
        5,
    ),
    "folders of days and cameras": ("%Y/%m/%d/{camera}/%H%M%S", ["%Y/%m/%d/pier/%H%M%S"], UTC, 1),
}
"""By name: the pattern, how 60,000 keys for each camera are named, their zone, and how many
requests list a window of 20 s in the middle of them."""


@pytest.mark.parametrize(("pattern", "forms", "zone", "requests"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_few_requests_list_a_window_of_60_000_recordings(
    pattern: str, forms: list[str], zone: tzinfo, requests: int
) -> None:
    """Of each camera; all of the window's recordings are found, and no other."""
    keys = [key for form in forms if "%s" not in form for key in names(f"rewinds/{form}", zone)]
    if not keys:
        keys = [f"rewinds/pier_{(START_MS + FILE_MS * n) // 1000}.mp4" for n in range(COUNT)]
    bucket = ListedBucket(keys)
    window = TimeWindow(MIDDLE_MS + 2500, MIDDLE_MS + 22_500)
    listing = bucket.cameras(pattern, zone, "rewinds").find_segments("pier", window, soon())
    per_time = sum("pier" in form for form in forms)
    assert listed(listing) == sorted([0, 10_000, 20_000] * per_time)
    assert all(not segment.name.startswith("rewinds/") for segment in listing.segments)
    assert len(bucket.requests) == requests


@pytest.mark.parametrize(
    ("gap_ms", "requests"), [(0, 1), (1_800_000, 1), (2 * 3_600_000, 2), (20 * 3_600_000, 4)]
)
def test_the_last_recording_before_a_window_is_found(gap_ms: int, requests: int) -> None:
    """However long ago it started, up to a day, and was stored: it may have been streamed."""
    before = names("pier/%Y-%m-%d_%H-%M-%S-%f")[: COUNT // 2 + 1]
    bucket = ListedBucket(before)
    window = TimeWindow(MIDDLE_MS + gap_ms, MIDDLE_MS + gap_ms + 1000)
    listing = bucket.cameras("mediamtx").find_segments("pier", window, soon())
    assert listed(listing) == [0]
    assert listing.segments[0].window.end_ms == MIDDLE_MS + 86_400_000
    assert len(bucket.requests) == requests


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Madrid", "2026-03-29T01:00Z"),
        ("Europe/Madrid", "2026-10-25T01:00Z"),
        ("America/New_York", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-11-01T06:00Z"),
    ],
)
def test_every_start_around_a_clock_change_is_exact(zone: str, change: str) -> None:
    """By the times at which the objects were stored."""
    clock = ZoneInfo(zone)
    change_ms = int(datetime.fromisoformat(change).timestamp() * 1000)
    stored: dict[str, int] = {}
    for start_ms in range(change_ms - 4 * 3_600_000, change_ms + 4 * 3_600_000, 600_000):
        local = (EPOCH + timedelta(milliseconds=start_ms)).astimezone(clock)
        stored[f"pier/{local:%Y-%m-%d_%H-%M-%S}-{start_ms // 600_000 % 10**6:06}.mp4"] = start_ms
    bucket = ListedBucket(list(stored), written_ms=lambda key: stored[key] + 600_500)
    cameras = bucket.cameras("mediamtx", clock)
    for start_ms in range(change_ms - 7_200_000, change_ms + 7_200_000, 600_000):
        window = TimeWindow(start_ms + 1000, start_ms + 2000)
        [segment] = cameras.find_segments("pier", window, soon()).segments
        assert stored[segment.name] == start_ms
        assert segment.window.start_ms // 1000 == start_ms // 1000


def test_a_doubtful_start_is_a_note_of_the_segment() -> None:
    """So that the report says it."""
    bucket = ListedBucket(["pier/2026-10-25_02-30-00-000000.mp4"], written_ms=lambda _: 10**13)
    window = TimeWindow(1_792_888_200_000, 1_792_888_201_000)
    [segment] = bucket.cameras("mediamtx", MADRID).find_segments("pier", window, soon()).segments
    assert "which a change of the clock repeats in Europe/Madrid" in segment.notes[0]


HOSTILE = {
    "another camera's prefix": "pier2/2026-05-01_00-00-00-000000.mp4",
    "a folder of a camera of that name": "pier/2/2026-05-01_00-00-00-000000.mp4",
    "a hidden file": "pier/.2026-05-01_00-00-00-000000.mp4",
    "a line break": "pier/2026-05-01_00-00-00-000000\n.mp4",
    "no time of day": "pier/2026-05-01_25-00-00-000000.mp4",
    "other digits": "pier/２０２６-05-01_00-00-00-000000.mp4",
    "above the folder": "pier/../2026-05-01_00-00-00-000000.mp4",
}


@pytest.mark.parametrize("key", ["pier/.x_20260501000000.mp4", "pier/\n_20260501000000.mp4"])
def test_hidden_and_unprintable_keys_are_none_of_any_characters(key: str) -> None:
    """Recorders write to hidden files, and no message could show the others."""
    bucket = ListedBucket([key, "pier/x_20260501000000.mp4"])
    cameras = bucket.cameras("{camera}/*_%Y%m%d%H%M%S")
    [found] = cameras.find_segments("pier", TimeWindow(START_MS, START_MS + 1000), soon()).segments
    assert found.name == "pier/x_20260501000000.mp4"


@pytest.mark.parametrize("key", HOSTILE.values(), ids=HOSTILE)
def test_keys_that_only_look_like_a_cameras_are_not(key: str) -> None:
    """Neither an error nor a segment."""
    bucket = ListedBucket([key])
    window = TimeWindow(START_MS, START_MS + 1000)
    listing = bucket.cameras("mediamtx").find_segments("pier", window, soon())
    assert (listing.segments, listing.left_out) == ((), ())


@pytest.mark.parametrize("camera", ["", "../pier", "pier/", "*", "{camera}", "%Y", "a" * 65, "é"])
def test_ids_that_no_request_can_have_are_unknown(camera: str) -> None:
    """Nothing is listed for them."""
    bucket = ListedBucket([])
    with pytest.raises(Rejected, match="unknown camera"):
        bucket.cameras("mediamtx").find_segments(camera, TimeWindow(0, 1), soon())
    assert bucket.requests == []


@pytest.mark.parametrize("camera", ["pier", "a.b", "x"])
def test_no_id_is_a_pattern(camera: str) -> None:
    """Its characters are text."""
    bucket = ListedBucket(["axb/2026-05-01_00-00-00-000000.mp4"])
    window = TimeWindow(START_MS, START_MS + 1000)
    if camera == "a.b":
        with pytest.raises(Rejected):
            bucket.cameras("mediamtx").find_segments(camera, window, soon())
        return
    assert bucket.cameras("mediamtx").find_segments(camera, window, soon()).segments == ()


def test_more_keys_than_are_listed_is_an_error_with_its_remedy() -> None:
    """No listing is cut off in silence."""
    keys = [f"rewinds/{n:06}/pier/20260501120000.mp4" for n in range(100_001)]
    window = TimeWindow(START_MS, START_MS + 1000)
    cameras = ListedBucket(keys).cameras("*/{camera}/%Y%m%d%H%M%S", folder="rewinds")
    with pytest.raises(Unavailable, match=r"More than 100000 keys .* write RECORDING_PATTERN so"):
        cameras.find_segments("pier", window, soon())


def test_a_listing_that_is_denied_decides_nothing() -> None:
    """Nor one that does not come in time."""
    layout, window = bucket_layout("mediamtx"), TimeWindow(START_MS, START_MS + 1000)
    denied = answer("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
    with loopback(denied) as server, pytest.raises(Unavailable, match="list of recordings"):
        S3CameraService(clients_of(server.url).s3, "recordings", layout).find_segments(
            "pier", window, soon()
        )
    with loopback(lambda _: time.sleep(3)) as server, pytest.raises(DeadlineExceeded):
        S3CameraService(clients_of(server.url).s3, "recordings", layout).find_segments(
            "pier", window, time.monotonic() + 0.5
        )


def test_keys_are_read_as_the_store_has_them(aws: Aws) -> None:
    """With spaces, plus signs and letters of any script, over several pages."""
    bucket = aws.bucket()
    for number in range(1003):
        at = START + timedelta(seconds=number)
        key = f"Küste + Hafen/pier {at:%Y%m%dT%H%M%S}.mp4"
        aws.s3.put_object(Bucket=bucket, Key=key)
    pattern = bucket_layout("Küste + Hafen/{camera} %Y%m%dT%H%M%S")
    cameras = S3CameraService(aws.s3, bucket, pattern)
    window = TimeWindow(START_MS, START_MS + 2_000_000)
    found = cameras.find_segments("pier", window, soon()).segments
    assert len(found) == 1003
    assert min(found).name == "Küste + Hafen/pier 20260501T000000.mp4"
