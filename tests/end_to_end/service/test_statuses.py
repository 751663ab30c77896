"""Bodies in; objects, statuses, notifications and queued messages out. Seven ways to end."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from devtools.footage import Recording, assert_clip, read_clip, wanted
from devtools.local_aws.camera_api import fails, no_fault
from devtools.local_aws.http_server import Response
from domain.clip import ClipName
from domain.clip_label import ClipLabel
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from tests.support.said import said_by
from tests.support.service import CLIP_URL, Context, World, redelivered

FIRST = Recording(first_number=0, frames=300)
SECOND = Recording(first_number=300, frames=300, start_ms=10_000)
DAY_MS = 86_400_000
WIDTHS = [300, 640]


def test_a_clip_over_two_recordings_is_available(world: World, tmp_path: Path) -> None:
    """The clip, two thumbnails and the manifest are stored; one PUT and one SNS message say so."""
    world.record(FIRST)
    world.record(SECOND)
    assert world.handle(world.message(world.body(7_345, 12_678))) == []

    reading = read_clip(world.download(tmp_path))
    assert_clip(reading, wanted([FIRST, SECOND], 7_345, 12_678))

    stored = world.stored()
    name = f"{world.camera_id}/{world.clip_id}"
    assert set(stored) == {f"{name}.mp4", f"{name}.json", *(f"{name}_{w}.jpg" for w in WIDTHS)}
    assert stored[f"{name}.mp4"]["ContentType"] == "video/mp4"
    assert stored[f"{name}_300.jpg"]["ContentType"] == "image/jpeg"
    assert "immutable" in stored[f"{name}.mp4"]["CacheControl"]

    start_ms, end_ms = world.moment_ms + 7_345, world.moment_ms + 12_678
    label = ClipLabel(
        ClipName(world.camera_id, world.clip_id),
        TimeWindow(start_ms, end_ms),
        ZoneInfo("Europe/Madrid"),
    )
    assert label.file_name in stored[f"{name}.mp4"]["ContentDisposition"]
    assert said_by(world.download(tmp_path))["title"] == label.title
    report = {
        "clipId": world.clip_id,
        "cameraId": world.camera_id,
        "startTimestampInMs": start_ms,
        "endTimestampInMs": end_ms,
        "status": "CLIP_AVAILABLE",
        "retryTimestamps": [],
        "bucket": world.cloud.destination,
        "clip": {"key": f"/{name}.mp4", "url": f"{CLIP_URL}/{name}.mp4"},
        "thumbnail": {
            "key": f"/{name}_{{size}}.jpg",
            "url": f"{CLIP_URL}/{name}_{{size}}.jpg",
            "sizes": WIDTHS,
        },
        "coverage": {
            "complete": True,
            "deliveredInMs": 5_333,
            "gaps": [],
            "damaged": [],
            "held": [],
            "unused": [],
            "verified": "splices",
            "notes": [],
        },
    }
    assert world.reports() == [report]
    (note,) = world.published()
    assert note["Message"] == report
    attributes = {key: value["Value"] for key, value in note["MessageAttributes"].items()}
    manifest = json.loads(stored[f"{name}.json"]["Body"].read())
    assert attributes == {
        "status": "CLIP_AVAILABLE",
        "cameraId": world.camera_id,
        "eventId": manifest["eventId"],
    }


def test_a_clip_that_is_not_recorded_yet_is_pending_then_available(
    world: World, tmp_path: Path
) -> None:
    """The queued message, delivered again when the footage is there, becomes the clip."""
    world.record(FIRST)
    world.record(SECOND, stored=False)
    body = world.body(5_000, 12_000, note="carried along")
    assert world.handle(world.message(body)) == []
    (pending,) = world.reports()
    assert pending["status"] == "CLIP_PENDING"
    assert pending["thumbnail"] == {"sizes": []}
    assert "clip" not in pending
    assert world.published() == []
    assert world.queued() == []

    (again,) = world.queued(wait_s=5)
    assert json.loads(again["body"]) == {**body, "retryTimestamps": [world.now_ms]}
    world.record(SECOND, listed=False)
    assert world.handle(again) == []
    assert world.statuses() == ["CLIP_PENDING", "CLIP_AVAILABLE"]
    assert world.reports()[1]["retryTimestamps"] == [world.now_ms]
    assert len(world.published()) == 1
    reading = read_clip(world.download(tmp_path))
    assert_clip(reading, wanted([FIRST, SECOND], 5_000, 12_000))


REJECTIONS = {
    "CLIP_NOT_AVAILABLE": (-DAY_MS, -DAY_MS + 10_000, 0, []),
    "CLIP_OUT_OF_RANGE": (-4 * DAY_MS, -4 * DAY_MS + 10_000, 0, []),
    "CLIP_TOO_LONG": (0, 300_001, 0, []),
    "CLIP_RETRY_TIMEOUT": (0, 10_000, 910_000, [0]),
    "FATAL_ERROR": (10_000, 10_000, 0, []),
}


@pytest.mark.parametrize("status", REJECTIONS)
def test_a_rejection_is_reported_and_published(world: World, status: str) -> None:
    """One PUT and one SNS message with a reason, and no clip in either; nothing is queued."""
    start_ms, end_ms, sent_after_ms, retries = REJECTIONS[status]
    body = world.body(start_ms, end_ms, retryTimestamps=[world.now_ms + r for r in retries])
    assert world.handle(world.message(body, sent_at_ms=world.now_ms + sent_after_ms)) == []
    (report,) = world.reports()
    assert report["status"] == status
    assert report["reason"]
    assert not {"bucket", "clip"} & set(report)
    assert report["thumbnail"] == {"sizes": []}
    assert report["coverage"] == {
        "complete": False,
        "deliveredInMs": 0,
        "gaps": [],
        "damaged": [],
        "held": [],
        "unused": [],
        "notes": [],
    }
    assert [note["Message"] for note in world.published()] == [report]
    assert set(world.stored()) == {f"{world.camera_id}/{world.clip_id}.json"}
    assert world.queued(wait_s=2) == []


def test_a_clip_that_is_too_long_asks_the_camera_nothing(world: World) -> None:
    """The length alone decides."""
    world.cameras.requests.clear()
    world.handle(world.message(world.body(0, 300_001)))
    assert world.cameras.requests == [f"PUT /cameras/clips/{world.clip_id}"]


def test_an_unknown_camera_is_a_fatal_error(world: World) -> None:
    """The camera API answers 404."""
    world.handle(world.message(world.body(0, 10_000, cameraId="unknown")))
    (report,) = world.reports()
    assert report["status"] == "FATAL_ERROR"
    assert "unknown camera" in report["reason"].lower()


EVENT_OF_2018 = (
    "{'clipId': '1111111111111', 'retryTimestamps': [], 'cameraId': '1111111111111',"
    " 'startTimestampInMs': 1537119363000, 'endTimestampInMs': 1537119423000}"
)


def event_of_2018(body: str, sent_at_ms: int) -> dict[str, Any]:
    """The event in the README of the 2018 service."""
    return {
        "body": body,
        "receiptHandle": "MessageReceiptHandle",
        "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
        "eventSourceARN": "arn:aws:sqs:us-west-1:123456789012:MyQueue",
        "eventSource": "aws:sqs",
        "awsRegion": "us-west-1",
        "messageId": "19dd0b57-b21e-4ac1-bd88-01bbb068cb78",
        "attributes": {
            "ApproximateFirstReceiveTimestamp": "1523232000001",
            "SenderId": "123456789012",
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(sent_at_ms),
        },
        "messageAttributes": {"SentTimestamp": str(sent_at_ms)},
    }


def test_the_2018_event_to_the_letter_is_understood(world: World) -> None:
    """It asks, in April 2018, for a clip of September 2018: the reason says so."""
    assert world.handle(event_of_2018(EVENT_OF_2018, 1523232000000)) == []
    (report,) = world.reports("1111111111111")
    assert report["status"] == "FATAL_ERROR"
    assert report["startTimestampInMs"] == 1537119363000
    assert "after it was requested" in report["reason"]


def test_the_2018_event_with_its_times_moved_becomes_a_clip(world: World, tmp_path: Path) -> None:
    """Single quotes and all."""
    world.record(FIRST)
    body = (
        EVENT_OF_2018.replace("'clipId': '1111111111111'", f"'clipId': '{world.clip_id}'")
        .replace("'cameraId': '1111111111111'", f"'cameraId': '{world.camera_id}'")
        .replace("1537119363000", str(world.moment_ms + 2_000))
        .replace("1537119423000", str(world.moment_ms + 8_000))
    )
    assert world.handle(event_of_2018(body, world.now_ms)) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
    assert len(world.published()) == 1
    assert len(world.stored()) == 4
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST], 2_000, 8_000))


def test_a_batch_of_ten_with_one_bad_message(world: World) -> None:
    """Exactly the bad one is given back; the others are all handled."""
    messages = [
        world.message(world.body(0, 300_001, clipId=f"{world.clip_id}-{n}")) for n in range(10)
    ]
    messages[4]["body"] = "gibberish"
    assert world.handle(*messages) == [messages[4]["messageId"]]
    statuses = [world.reports(f"{world.clip_id}-{n}") for n in range(10)]
    assert [len(s) for s in statuses] == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1]


def test_a_batch_of_bad_messages_only(world: World) -> None:
    """All are given back, and the process lives on."""
    messages = [world.message(body) for body in ("[]", "null", "{" * 100_000, '{"clipId": "../x"}')]
    assert world.handle(*messages) == [m["messageId"] for m in messages]
    assert world.handle() == []


def test_a_bad_body_that_names_a_clip_is_a_fatal_error(world: World) -> None:
    """The reason says what is wrong with it."""
    assert world.handle(world.message(world.body(0, 1, startTimestampInMs="soon"))) == []
    (report,) = world.reports()
    assert report["status"] == "FATAL_ERROR"
    assert "startTimestampInMs" in report["reason"]
    assert "startTimestampInMs" not in report
    assert len(world.published()) == 1


@pytest.mark.parametrize("event", [{}, {"Records": None}, {"Records": [{"eventSource": "aws:s3"}]}])
def test_what_is_no_batch_raises(world: World, event: dict[str, Any]) -> None:
    """A wrong trigger is a mistake in the deployment, not a message."""
    with pytest.raises(ValueError, match=r"Record"):
        world.handler(event, Context())


def test_a_second_delivery_cuts_nothing(world: World) -> None:
    """One clip, one notification; the camera API gets its report once more."""
    world.record(FIRST)
    body = world.body(1_000, 3_000)
    world.handle(world.message(body))
    before = world.stored()[f"{world.camera_id}/{world.clip_id}.mp4"]["LastModified"]
    assert world.handle(world.message(body)) == []
    after = world.stored()[f"{world.camera_id}/{world.clip_id}.mp4"]["LastModified"]
    assert before == after
    assert world.statuses() == ["CLIP_AVAILABLE"] * 2
    assert len(world.published()) == 1


def test_a_clip_id_reused_for_another_window_is_given_back(world: World) -> None:
    """The clip stays, and so does its status, even on the last delivery."""
    world.record(FIRST)
    world.handle(world.message(world.body(1_000, 3_000)))
    other = world.message(world.body(1_000, 4_000), received=5)
    assert world.handle(other) == [other["messageId"]]
    assert world.statuses() == ["CLIP_AVAILABLE"]
    assert len(world.published()) == 1


@pytest.mark.parametrize("part", ["/recording/", "/cameras/cam"])
def test_a_failing_camera_api_decides_nothing(world: World, part: str) -> None:
    """500 is never read as "no recordings": the message goes back."""
    world.cameras.fault = fails(part)
    message = world.message(world.body(-DAY_MS, -DAY_MS + 1_000))
    assert world.handle(message) == [message["messageId"]]
    assert world.reports() == []
    assert world.published() == []


PAGE = Response(404, b"<html>404</html>", {"Content-Type": "text/html"})
JSON_404 = Response.json({"message": "Not Found"}, 404)


@pytest.mark.parametrize(
    ("part", "answer"),
    [("/cameras/", PAGE), ("/cameras/clips/", PAGE), ("/cameras/", JSON_404)],
    ids=["a gateway's page", "a gateway's page for the status", "a wrong path in the settings"],
)
def test_a_doubtful_404_decides_nothing(world: World, part: str, answer: Response) -> None:
    """Neither an unknown camera nor a deleted clip: the message is delivered again."""
    world.cameras.fault = lambda request: answer if part in request.target else None
    message = world.message(world.body(-DAY_MS, -DAY_MS + 1_000))
    assert world.handle(message) == [message["messageId"]]
    assert (world.reports(), world.published(), world.stored()) == ([], [], {})
    world.cameras.fault = no_fault
    assert world.handle(redelivered(message)) == []
    assert world.statuses() == ["CLIP_NOT_AVAILABLE"]


def test_a_bad_row_of_the_list_blocks_no_clip_and_is_named_in_the_reason_of_another(
    world: World,
) -> None:
    """A `.ts` file is left out wherever it may be the footage, and only there."""
    world.record(Recording(first_number=0, frames=90))
    other = TimeWindow(world.moment_ms - 60_000, world.moment_ms - 50_000)
    world.segments.append(RecordingSegment(other, "other.ts"))
    assert world.handle(world.message(world.body(0, 1_000))) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
    late = world.new_clip("late")
    far = {"sent_at_ms": world.now_ms + DAY_MS}
    assert late.handle(late.message(late.body(-58_000, -56_000), **far)) == []
    [report] = late.reports()
    assert report["status"] == "CLIP_NOT_AVAILABLE"
    assert "other.ts was left out: its name does not end with .mp4" in report["reason"]


@pytest.mark.parametrize(
    ("failing", "body", "received", "visible_after_s"),
    [
        ("/cameras/", None, 1, 60),
        ("/cameras/", None, 3, 960),
        ("/cameras/", None, 5, 0),
        ("nothing", "no clip is named here", 1, 0),
    ],
    ids=["the first time", "the third time", "the last time", "an unreadable body"],
)
def test_a_failed_message_gets_a_visibility_timeout(
    world: World, failing: str, body: str | None, received: int, visible_after_s: int
) -> None:
    """With backoff; none if only the dead-letter queue is left."""
    from entrypoints.aws_lambda import service  # noqa: PLC0415 - it reads the environment

    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(params)

    hook = "provide-client-params.sqs.ChangeMessageVisibility"
    service.sqs().meta.events.register(hook, note)
    world.cameras.fault = fails(failing)
    message = world.message(body or world.body(-2_000, -1_000), received=received)
    given_back = world.handle({**message, "receiptHandle": "a receipt that moto does not know"})
    service.sqs().meta.events.unregister(hook, note)
    # moto rejected it, which changes nothing: the queue's own timeout applies.
    assert given_back == [message["messageId"]]
    (call,) = asked
    assert call["QueueUrl"] == world.cloud.queue_url
    assert call["ReceiptHandle"] == "a receipt that moto does not know"
    assert call["VisibilityTimeout"] == visible_after_s


def test_a_failing_status_brings_the_message_back_and_keeps_the_bytes(world: World) -> None:
    """The next delivery of the message announces the clip that is there."""
    world.record(FIRST)
    world.cameras.fault = fails("/clips/")
    message = world.message(world.body(1_000, 3_000))
    assert world.handle(message) == [message["messageId"]]
    assert world.published() == []
    world.cameras.fault = no_fault
    message["attributes"]["ApproximateReceiveCount"] = "2"
    assert world.handle(message) == []
    assert world.statuses() == ["CLIP_AVAILABLE"]
    assert len(world.published()) == 1


@pytest.mark.parametrize("failing", ["the list of recordings", "the store of the recordings"])
def test_a_failure_of_the_last_delivery_is_reported_and_dead_lettered(
    world: World, failing: str
) -> None:
    """The message is dead-lettered, and the report says why."""
    name = world.record(FIRST)
    with ExitStack() as broken:
        if failing == "the list of recordings":
            world.cameras.fault = fails("/recording/")
            why = "500"
        else:
            broken.enter_context(denied_footage(world))
            why = name
        message = world.message(world.body(1_000, 3_000), received=4)
        assert world.handle(message) == [message["messageId"]]
        assert (world.reports(), world.published(), world.stored()) == ([], [], {})
        message["attributes"]["ApproximateReceiveCount"] = "5"
        assert world.handle(message) == [message["messageId"]]
    (report,) = world.reports()
    assert report["status"] == "FATAL_ERROR"
    assert why in report["reason"]
    assert [note["Message"] for note in world.published()] == [report]


@contextmanager
def denied_footage(world: World) -> Iterator[None]:
    """Deny access to every recording, in place of S3."""
    from entrypoints.aws_lambda import service  # noqa: PLC0415 - it reads the environment

    def deny(request: AWSPreparedRequest, **_: object) -> Any:  # noqa: ANN401 - a hook's
        if world.cloud.origin not in request.url:
            return None
        body = BytesIO(b"<Error><Code>AccessDenied</Code><Message>Denied</Message></Error>")
        raw = HTTPResponse(body, preload_content=False)
        return AWSResponse(request.url, 403, HTTPHeaders(), raw)

    events = service.s3().meta.events
    hooks = ("before-send.s3.GetObject", "before-send.s3.HeadObject")
    for hook in hooks:
        events.register(hook, deny)
    try:
        yield
    finally:
        for hook in hooks:
            events.unregister(hook, deny)


def test_footage_with_a_hole_is_an_honest_clip(world: World, tmp_path: Path) -> None:
    """The report names the gap; the clip's clock skips it."""
    late = evolve(SECOND, start_ms=14_000)
    world.record(FIRST)
    world.record(late)
    world.handle(world.message(world.body(8_000, 16_000)))
    (report,) = world.reports()
    assert report["coverage"] == {
        "complete": False,
        "deliveredInMs": 4_000,
        "damaged": [],
        "held": [],
        "unused": [],
        "verified": "splices",
        "notes": [],
        "gaps": [
            {
                "startTimestampInMs": world.moment_ms + 10_000,
                "endTimestampInMs": world.moment_ms + 14_000,
            }
        ],
    }
    assert report["reason"]
    assert_clip(read_clip(world.download(tmp_path)), wanted([FIRST, late], 8_000, 16_000))


def test_with_little_time_left_messages_are_given_back_unbegun(world: World) -> None:
    """Nothing is reported or stored."""
    world.record(FIRST)
    message = world.message(world.body(1_000, 3_000))
    assert world.handle(message, context=Context(left_ms=3_000)) == [message["messageId"]]
    assert world.reports() == []
    assert world.stored() == {}
