"""What every CameraService owes."""

import time

import pytest

from application.ports import Listing
from domain.clip import ClipReport, ClipStatus
from domain.coverage import Coverage
from domain.errors import ClipDeleted, DeadlineExceeded, Rejected
from domain.window import TimeWindow
from tests.contract.worlds import (
    FORMAT,
    LENGTH_MS,
    START_MS,
    BucketCameraWorld,
    CameraWorld,
    StatusWorld,
)

WINDOW = TimeWindow(START_MS, START_MS + 60_000)


def soon() -> float:
    return time.monotonic() + 10


def test_every_segment_that_overlaps_the_window_is_found(camera_world: CameraWorld) -> None:
    """Those that begin before it and those that end after it are among them."""
    starts = (START_MS - 1000, START_MS + 1000, START_MS + 59_000)
    expected = {camera_world.has_segment("pier", start_ms) for start_ms in starts}
    found = camera_world.cameras.find_segments("pier", WINDOW, soon()).segments
    by_name = {segment.name: segment.window for segment in found}
    assert by_name.keys() == {segment.name for segment in expected}
    for segment in expected:
        assert by_name[segment.name].start_ms == segment.window.start_ms
        assert by_name[segment.name].end_ms >= segment.window.end_ms


def test_segments_are_found_with_their_windows(status_world: StatusWorld) -> None:
    """Where something says when they end."""
    starts = (START_MS - 1000, START_MS + 1000, START_MS + 59_000)
    expected = {status_world.has_segment("pier", start_ms) for start_ms in starts}
    found = status_world.cameras.find_segments("pier", WINDOW, soon()).segments
    assert {(s.name, s.window) for s in found} == {(s.name, s.window) for s in expected}


def test_segments_without_an_end_last_until_the_next_one_starts(
    bucket_cameras: BucketCameraWorld,
) -> None:
    """The last one for as long as a recording may be."""
    starts = (START_MS - 5000, START_MS - 1000, START_MS + 1000, START_MS + 59_000)
    for start_ms in starts:
        bucket_cameras.has_segment("pier", start_ms)
    found = sorted(bucket_cameras.cameras.find_segments("pier", WINDOW, soon()).segments)
    assert [segment.window.start_ms for segment in found] == list(starts[1:])
    assert [segment.window.end_ms for segment in found[:-1]] == list(starts[2:])
    assert found[-1].window.end_ms > WINDOW.end_ms


def test_segments_that_only_touch_the_window_are_not_found(status_world: StatusWorld) -> None:
    """A window is half-open: what ends at its start and what starts at its end is outside."""
    for start_ms in (START_MS - LENGTH_MS, START_MS + 60_000):
        status_world.has_segment("pier", start_ms)
    assert status_world.cameras.find_segments("pier", WINDOW, soon()) == Listing()


def test_segments_that_start_when_the_window_ends_are_not_found(camera_world: CameraWorld) -> None:
    """Nor those that end when it starts, because the next one does."""
    for start_ms in (START_MS - LENGTH_MS, START_MS, START_MS + 60_000):
        camera_world.has_segment("pier", start_ms)
    [found] = camera_world.cameras.find_segments("pier", WINDOW, soon()).segments
    assert found.window.start_ms == START_MS


def test_a_window_without_footage_gives_an_empty_answer(camera_world: CameraWorld) -> None:
    """A camera that never recorded is no error."""
    camera_world.has_camera("pier")
    assert camera_world.cameras.find_segments("pier", WINDOW, soon()) == Listing()


def test_another_cameras_segments_are_not_found(camera_world: CameraWorld) -> None:
    """Each camera has its own recordings."""
    camera_world.has_segment("mole", START_MS)
    camera_world.has_camera("pier")
    assert camera_world.cameras.find_segments("pier", WINDOW, soon()) == Listing()


def test_a_recording_that_cannot_be_used_is_left_out_by_name(camera_world: CameraWorld) -> None:
    """It may overlap the window; the others are found as ever."""
    wanted = camera_world.has_segment("pier", START_MS)
    name = camera_world.has_unusable("pier", START_MS + 10_000)
    listing = camera_world.cameras.find_segments("pier", WINDOW, soon())
    assert [segment.name for segment in listing.segments] == [wanted.name]
    [left] = listing.left_out
    assert left.name == name
    assert "does not end with .mp4" in str(left)


def test_a_window_without_any_other_recording_names_those_left_out(
    camera_world: CameraWorld,
) -> None:
    """Nothing that can be used is not the same as nothing."""
    name = camera_world.has_unusable("pier", START_MS)
    listing = camera_world.cameras.find_segments("pier", WINDOW, soon())
    assert (listing.segments, [left.name for left in listing.left_out]) == ((), [name])


def test_an_unusable_recording_elsewhere_is_ignored(camera_world: CameraWorld) -> None:
    """It cannot overlap the window."""
    camera_world.has_segment("pier", START_MS)
    for start_ms in (START_MS - 3_600_000, START_MS + 60_000):
        camera_world.has_unusable("pier", start_ms)
    listing = camera_world.cameras.find_segments("pier", WINDOW, soon())
    assert (len(listing.segments), listing.left_out) == (1, ())


@pytest.mark.parametrize("suffix", ["MP4", "Mp4", "m4v", "mov"])
def test_a_suffix_of_recordings_may_be_another_or_in_capitals(
    camera_world: CameraWorld, suffix: str
) -> None:
    """Recorders and file systems differ."""
    wanted = camera_world.has_segment("pier", START_MS, suffix)
    assert wanted.name.endswith(f".{suffix}")
    [found] = camera_world.cameras.find_segments("pier", WINDOW, soon()).segments
    assert found.name == wanted.name


def test_an_unknown_camera_is_refused(status_world: StatusWorld) -> None:
    """No delivery can make a clip of it, and the reason says so."""
    status_world.has_camera("pier")
    with pytest.raises(Rejected, match="unknown camera"):
        status_world.cameras.find_segments("mole", WINDOW, soon())


def test_what_is_listed_ahead_is_what_is_found(status_world: StatusWorld) -> None:
    """And an error is raised where the listing is used, not where it begins."""
    status_world.has_segment("pier", START_MS)
    listing = status_world.cameras.list_segments("pier", WINDOW, soon())
    assert listing() == status_world.cameras.find_segments("pier", WINDOW, soon())
    unknown = status_world.cameras.list_segments("nowhere", WINDOW, soon())
    with pytest.raises(Rejected, match="nowhere"):
        unknown()


def test_a_camera_that_only_recordings_would_show_has_none(
    bucket_cameras: BucketCameraWorld,
) -> None:
    """It may record later; the remark names it, so that a mistyped id shows."""
    bucket_cameras.has_segment("pier", START_MS)
    listing = bucket_cameras.cameras.find_segments("mole", WINDOW, soon())
    assert (listing.segments, listing.left_out) == ((), ())
    assert "begins with mole/: either the camera mole has not recorded yet" in listing.remark


def test_the_state_last_recorded_stands(status_world: StatusWorld) -> None:
    """A later report takes the place of an earlier one, of that clip alone."""
    pending = ClipReport("c1", ClipStatus.PENDING, "pier", *_bounds(), reason="not yet")
    available = ClipReport("c1", ClipStatus.AVAILABLE, "pier", *_bounds())
    other = ClipReport(
        "c2", ClipStatus.TOO_LONG, "pier", *_bounds(), (1, 2), Coverage(), "too long"
    )
    for report in (pending, other, available):
        status_world.cameras.update_clip(report, soon())
    assert status_world.state("c1") == FORMAT.report(available)
    assert status_world.state("c2") == FORMAT.report(other)


def test_a_report_of_hardly_anything_is_recorded(status_world: StatusWorld) -> None:
    """Of a message that cannot be understood there may be no more than the clip's id."""
    broken = ClipReport("c1", ClipStatus.FATAL_ERROR, reason="cameraId is missing")
    status_world.cameras.update_clip(broken, soon())
    assert status_world.state("c1") == FORMAT.report(broken)


def test_a_report_on_a_deleted_clip_says_so(status_world: StatusWorld) -> None:
    """It was deleted while it was made; nothing is stored of it."""
    status_world.has_camera("pier")
    status_world.forgets_clip("c1")
    with pytest.raises(ClipDeleted):
        status_world.cameras.update_clip(
            ClipReport("c1", ClipStatus.AVAILABLE, "pier", *_bounds()), soon()
        )
    assert status_world.state("c1") is None


def test_a_service_without_clips_does_nothing_with_a_report(
    bucket_cameras: BucketCameraWorld,
) -> None:
    """Neither an error nor an object comes of it."""
    for status in (ClipStatus.PENDING, ClipStatus.AVAILABLE):
        bucket_cameras.cameras.update_clip(ClipReport("c1", status, "pier", *_bounds()), soon())
    listed = bucket_cameras.aws.s3.list_objects_v2(Bucket=bucket_cameras.bucket)
    assert listed["KeyCount"] == 0


def test_nothing_is_requested_after_the_deadline(camera_world: CameraWorld) -> None:
    """The attempt is over."""
    camera_world.has_camera("pier")
    with pytest.raises(DeadlineExceeded):
        camera_world.cameras.find_segments("pier", WINDOW, time.monotonic())


def test_nothing_is_reported_after_the_deadline(status_world: StatusWorld) -> None:
    """Nor stored."""
    status_world.has_camera("pier")
    with pytest.raises(DeadlineExceeded):
        status_world.cameras.update_clip(ClipReport("c1", ClipStatus.PENDING), time.monotonic())
    assert status_world.state("c1") is None


def _bounds() -> tuple[int, int]:
    return WINDOW.start_ms, WINDOW.end_ms
