"""What every Notifier owes."""

import time

import pytest

from domain.clip import ClipReport, ClipStatus
from domain.coverage import Coverage
from domain.errors import DeadlineExceeded
from domain.window import TimeWindow
from tests.contract.worlds import FORMAT, START_MS, NotifierWorld

GAP = TimeWindow(START_MS + 5, START_MS + 1000)
AVAILABLE = ClipReport(
    "clip-1",
    ClipStatus.AVAILABLE,
    "pier",
    START_MS,
    START_MS + 1000,
    (START_MS,),
    Coverage((GAP,)),
    "Zoë's lacks 0.995 s",
    "f" * 32,
)
BROKEN = ClipReport("clip-2", ClipStatus.FATAL_ERROR, reason="cameraId is missing")


def soon() -> float:
    return time.monotonic() + 10


@pytest.mark.parametrize("report", [AVAILABLE, BROKEN], ids=["available", "broken"])
def test_subscribers_hear_the_report_and_its_event_id(
    notifier_world: NotifierWorld, report: ClipReport
) -> None:
    """However little is known of it."""
    notifier_world.notifier.publish(report, soon())
    assert notifier_world.heard() == [(report.event_id, FORMAT.report(report))]


def test_a_repetition_bears_the_same_event_id(notifier_world: NotifierWorld) -> None:
    """By which subscribers drop it; another ending bears another."""
    for report in (AVAILABLE, BROKEN, AVAILABLE):
        notifier_world.notifier.publish(report, soon())
    ids = sorted(event_id for event_id, _ in notifier_world.heard())
    assert ids == sorted([AVAILABLE.event_id, BROKEN.event_id, AVAILABLE.event_id])
    assert len(set(ids)) == 2


def test_nothing_is_published_after_the_deadline(notifier_world: NotifierWorld) -> None:
    """The attempt is over."""
    with pytest.raises(DeadlineExceeded):
        notifier_world.notifier.publish(AVAILABLE, time.monotonic())
    notifier_world.notifier.publish(BROKEN, soon())
    assert [event_id for event_id, _ in notifier_world.heard()] == [BROKEN.event_id]
