"""What would become of a request: as the use case decides, without an effect."""

import pytest
from attrs import evolve

from application.preview_clip import PreviewClip
from domain.clip import ClipRequest, ClipStatus
from domain.delivery import Delivery
from domain.errors import Rejected
from domain.recording import RecordingSegment
from domain.retry import Build, Reject, Requeue, RetryPolicy
from domain.window import TimeWindow
from infrastructure.in_memory import InMemoryCameraService, InMemoryRecordingStore, StoredFile

NOW = 1_600_000_000_000
REQUEST = ClipRequest("clip", "pier", NOW - 60_000, NOW - 50_000)
DELIVERY = Delivery(REQUEST, "m1", NOW, NOW, float("inf"))


def preview(start_ms: int | None, duration_ms: int = 30_000) -> PreviewClip:
    """Return the use case, with a recording that starts at NOW + `start_ms`, if any does."""
    cameras, recordings = InMemoryCameraService({"pier": []}), InMemoryRecordingStore()
    if start_ms is not None:
        window = TimeWindow(NOW + start_ms, NOW + start_ms + duration_ms)
        cameras.segments["pier"].append(RecordingSegment(window, "a"))
        recordings.files["a"] = StoredFile(b"a", duration_ms)
    return PreviewClip(cameras, recordings, RetryPolicy())


def test_footage_is_built_from() -> None:
    """The plan and the opened recordings are returned."""
    found = preview(-70_000)(DELIVERY)
    assert found.decision == Build()
    assert found.footage.plan
    assert [cut.window for cut in found.footage.plan.cuts] == [REQUEST.window]
    assert set(found.footage.recordings) == {"a"}


def test_missing_footage_is_waited_for() -> None:
    """As the retry policy has it."""
    assert isinstance(preview(None)(DELIVERY).decision, Requeue)


def test_a_request_that_no_footage_could_help_is_rejected_without_looking() -> None:
    """There is no plan then."""
    long = evolve(REQUEST, start_ms=NOW - 1_000_000)
    found = preview(-70_000)(evolve(DELIVERY, request=long))
    assert isinstance(found.decision, Reject)
    assert found.decision.status is ClipStatus.TOO_LONG
    assert found.footage.plan is None


def test_an_unknown_camera_is_rejected() -> None:
    """With the reason of the camera service."""
    with pytest.raises(Rejected):
        preview(None)(evolve(DELIVERY, request=evolve(REQUEST, camera_id="boat")))


def test_footage_of_any_age_and_duration_can_be_gathered() -> None:
    """Without the policy."""
    found = preview(-900_000, 800_000).gather(
        evolve(REQUEST, start_ms=NOW - 900_000, end_ms=NOW - 100_000), float("inf")
    )
    assert found.plan
    assert not found.plan.gaps
