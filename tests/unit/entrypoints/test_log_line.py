"""The log line: its members, and the metrics among them."""

from abc import ABCMeta

import pytest
from attrs import evolve

from application.make_clip import ClipResult
from application.ports import (
    CameraService,
    ClipStore,
    Notifier,
    RecordingStore,
    RetryQueue,
    Transcoder,
)
from domain.clip import ClipReport, ClipRequest, ClipStatus, InvalidRequest
from domain.coverage import Clock, Coverage, Unused, Verification
from domain.delivery import Delivery
from domain.errors import ClipDeleted, Unavailable
from domain.manifest import MediaInfo
from domain.window import TimeWindow
from entrypoints.log_line import CALL_MEMBERS, METRIC_UNITS, DeliveryOutcome, with_metrics
from entrypoints.timing import is_method

REQUEST = ClipRequest("clip", "pier", 1_000, 11_000, (12_000,))
DELIVERY = Delivery(REQUEST, "m", 72_000, 73_000, 0.0, 2, 3)
COVERAGE = Coverage(
    gaps=(TimeWindow(9_000, 11_000),),
    damaged=(TimeWindow(1_000, 2_000), TimeWindow(3_000, 3_500)),
    held=(TimeWindow(4_000, 4_400),),
    unused=(Unused("pier.mp4", TimeWindow(5_000, 6_000)),),
    clock=Clock(1.25, 2_000),
    verified=Verification.SPLICES,
    notes=("a note", "a doubt"),
)
MEDIA = MediaInfo(200, 0, 7_960, 8_000, "h264", 16, 9, copied_frames=150, held_frames=1)
RESULT = ClipResult(ClipReport.available(REQUEST, COVERAGE), ("a note",), MEDIA, 4_711)
OUTCOME = DeliveryOutcome("m", 500, {"update_clip": 7}, 2, REQUEST, DELIVERY, RESULT)


@pytest.mark.parametrize(
    "port", [CameraService, RecordingStore, Transcoder, ClipStore, RetryQueue, Notifier]
)
def test_every_method_of_a_port_has_a_member(port: ABCMeta) -> None:
    """Otherwise the first call of a new method would fail the log line."""
    assert {name for name in vars(port) if is_method(port, name)} <= CALL_MEMBERS.keys()


def test_methods_of_one_member_are_added_up() -> None:
    """Recordings are opened one by one or all at once, stored clips too."""
    outcome = evolve(OUTCOME, calls_ms={"open": 20, "open_all": 300})
    assert outcome.line()["openInMs"] == 320


def test_the_members_of_calls_keep_their_names() -> None:
    """Dashboards and alarms read them."""
    assert set(CALL_MEMBERS.values()) == {
        "findSegmentsInMs",
        "recordInMs",
        "openInMs",
        "renderInMs",
        "thumbnailsInMs",
        "sidecarsInMs",
        "findInMs",
        "storeStillsInMs",
        "commitInMs",
        "readManifestInMs",
        "writeManifestInMs",
        "sendInMs",
        "publishInMs",
    }
    assert CALL_MEMBERS["update_clip"] == "recordInMs"
    assert CALL_MEMBERS["store_thumbnails"] == "storeStillsInMs"


def test_a_clips_line_has_every_fact() -> None:
    """The wait counts from the request, since that is later than the clip's end."""
    assert OUTCOME.line() == {
        "messageId": "m",
        "clipId": "clip",
        "cameraId": "pier",
        "status": "CLIP_AVAILABLE",
        "reason": (
            "There is no footage of 2 s of the clip. The footage of 1.5 s of the clip is damaged."
        ),
        "deliveredInMs": 8_000,
        "complete": False,
        "gaps": 1,
        "damagedInMs": 1_500,
        "heldInMs": 400,
        "unused": 1,
        "clockRate": 1.25,
        "clockDifferenceInMs": 2_000,
        "verified": "splices",
        "eventId": RESULT.report.event_id,
        "frames": 200,
        "copiedFrames": 150,
        "encodedFrames": 50,
        "heldFrames": 1,
        "readBytes": 4_711,
        "waitedInMs": 61_500,
        "attempt": 2,
        "retries": 1,
        "elapsedInMs": 500,
        "recordInMs": 7,
        "notes": ["a note", "a doubt"],
    }


def test_a_clips_line_has_no_member_for_what_there_is_not() -> None:
    """No clock that is right; what is zero is zero."""
    complete = ClipResult(ClipReport.available(REQUEST, Coverage()))
    line = evolve(OUTCOME, result=complete).line()
    assert (line["complete"], line["damagedInMs"], line["heldInMs"], line["unused"]) == (
        True,
        *(0, 0, 0),
    )
    assert not {"clockRate", "clockDifferenceInMs", "verified", "notes", "reason"} & line.keys()


def test_the_wait_counts_from_the_end_of_a_clip_that_was_requested_before_it_ended() -> None:
    """No clip can be delivered before it ends."""
    early = evolve(DELIVERY, request=evolve(REQUEST, end_ms=70_000))
    assert evolve(OUTCOME, delivery=early).line()["waitedInMs"] == 3_500
    assert "waitedInMs" not in evolve(OUTCOME, delivery=None).line()


def test_a_status_without_a_clip_has_no_member_of_a_clip() -> None:
    """Neither frames nor completeness nor a wait."""
    pending = ClipResult(ClipReport.of(REQUEST, ClipStatus.PENDING))
    line = evolve(OUTCOME, result=pending).line()
    assert line["status"] == "CLIP_PENDING"
    assert not {"complete", "frames", "copiedFrames", "encodedFrames", "waitedInMs"} & line.keys()
    assert not {"damagedInMs", "heldInMs", "unused", "heldFrames", "verified"} & line.keys()


@pytest.mark.parametrize(
    ("error", "status", "fault"),
    [
        (Unavailable("S3 answered 503."), "GIVEN_BACK", "S3 answered 503."),
        (ClipDeleted("The clip is not known."), "CLIP_DELETED", "The clip is not known."),
        (KeyError("secret"), "GIVEN_BACK", None),
    ],
)
def test_an_errors_line_names_it(error: Exception, status: str, fault: str | None) -> None:
    """The text of a bug's exception may contain anything, and stays out of the line."""
    error.add_note("and another")
    line = evolve(OUTCOME, result=None, error=error).line()
    assert line["status"] == status
    assert line["error"] == type(error).__name__
    assert line.get("fault") == fault
    assert line["notes"] == ["and another"]
    assert "secret" not in str(line)


def test_a_malformed_messages_line_has_what_could_be_read() -> None:
    """A message that names nothing has its own id alone."""
    invalid = InvalidRequest("clip", "startTimestampInMs is no number")
    line = DeliveryOutcome("m", 1, {}, 1, invalid).line()
    assert line["clipId"] == "clip"
    assert not {"cameraId", "retries"} & line.keys()
    unread = DeliveryOutcome("m", 1, {}).line()
    assert unread == {"messageId": "m", "status": "GIVEN_BACK", "elapsedInMs": 1}


def test_metrics_are_declared_of_the_members_there_are() -> None:
    """A count of messages by status, and figures without a dimension."""
    line = OUTCOME.line()
    logged = with_metrics(line, "camclip-test", 1_600_000_000_000)
    metadata = logged.pop("_aws")
    assert logged == {**line, "clips": 1}
    assert isinstance(metadata, dict)
    assert metadata["Timestamp"] == 1_600_000_000_000
    counter, figures = metadata["CloudWatchMetrics"]
    assert counter == {
        "Namespace": "camclip-test",
        "Dimensions": [["status"]],
        "Metrics": [{"Name": "clips", "Unit": "Count"}],
    }
    assert figures["Namespace"] == "camclip-test"
    assert figures["Dimensions"] == [[]]
    declared = {metric["Name"]: metric["Unit"] for metric in figures["Metrics"]}
    assert declared == {name: unit for name, unit in METRIC_UNITS.items() if name in line}
    assert declared["readBytes"] == "Bytes"
    assert declared["recordInMs"] == "Milliseconds"
