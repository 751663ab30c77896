"""A request in the envelope of SNS or EventBridge is the request alone."""

import json
import time

import pytest

from domain.clip import ClipRequest, InvalidRequest
from domain.errors import NoClipId
from infrastructure.formats.messages import message_body, read_message
from tests.unit.formats.test_messages import MESSAGE, MIB, OLD_MESSAGE
from tests.unit.formats.values import REQUEST, SENT_MS

PLAIN = json.dumps({**MESSAGE, "note": "kept"})


def notification(text: object, **changes: object) -> str:
    """As SNS delivers it to a queue, without raw delivery."""
    envelope = {
        "Type": "Notification",
        "MessageId": "719a6bbf-f51b-5320-920f-3385b5e9aa56",
        "TopicArn": "arn:aws:sns:us-east-1:333333333333:requests",
        "Subject": "a clip",
        "Message": text,
        "Timestamp": "2026-11-26T23:48:02.032Z",
        "SignatureVersion": "1",
        "Signature": "x==",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/x.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
        "MessageAttributes": {"clipId": {"Type": "String", "Value": "another"}},
    }
    return json.dumps({**envelope, **changes})


def event(detail: object, **changes: object) -> str:
    """As EventBridge delivers it to a target."""
    envelope = {
        "version": "0",
        "id": "12345678-1234-1234-1234-111122223333",
        "detail-type": "Clip requested",
        "source": "com.example.guard",
        "account": "123456789012",
        "time": "2026-11-26T17:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:example"],
        "detail": detail,
    }
    return json.dumps({**envelope, **changes})


def request_of(body: str) -> ClipRequest:
    request = read_message(body, SENT_MS)
    assert isinstance(request, ClipRequest)
    return request


@pytest.mark.parametrize(
    "body",
    [
        PLAIN,
        notification(PLAIN),
        notification(repr(json.loads(PLAIN))),
        notification(f"\n {PLAIN} \n"),
        event(json.loads(PLAIN)),
        notification(event(json.loads(PLAIN))),
        json.dumps({"Type": "Notification", "Message": PLAIN}),
        json.dumps({"detail-type": "", "source": "", "detail": json.loads(PLAIN)}),
    ],
    ids=["plain", "SNS", "SNS of 2018", "SNS with blanks", "EventBridge", "both", "bare", "bare 2"],
)
def test_a_request_is_unwrapped(body: str) -> None:
    """Only its own unknown keys are kept, and it is queued again without an envelope."""
    request = request_of(body)
    assert request == REQUEST
    assert request.unknown_keys == {"note": "kept"}
    assert message_body(request) == message_body(request_of(PLAIN))


def test_a_fault_in_an_envelope_is_reported() -> None:
    """As it would be without one."""
    late = {**MESSAGE, "endTimestampInMs": "later"}
    reason = "endTimestampInMs is not a whole number of milliseconds."
    invalid = InvalidRequest("clip-1", reason, "pier", REQUEST.start_ms)
    for body in (notification(json.dumps(late)), event(late), notification(event(late))):
        assert read_message(body, SENT_MS) == invalid


def test_what_names_a_clip_is_no_envelope() -> None:
    """A request may have members that are called like those of an envelope: they are kept."""
    other = {**MESSAGE, "clipId": "other"}
    members = {
        "Type": "Notification",
        "Message": json.dumps(other),
        "detail-type": "x",
        "source": "y",
        "detail": other,
    }
    for body in (
        json.dumps({**MESSAGE, **members}),
        notification(json.dumps({**MESSAGE, **members})),
        event({**MESSAGE, **members}),
    ):
        assert request_of(body).clip_id == "clip-1"
        assert request_of(body).unknown_keys == members
    with pytest.raises(NoClipId):
        read_message(json.dumps({**members, "clipId": "../x"}), SENT_MS)


@pytest.mark.parametrize(
    "body",
    [
        notification(PLAIN, Type="SubscriptionConfirmation"),
        notification(PLAIN, Type="notification"),
        notification(json.loads(PLAIN)),
        notification([PLAIN]),
        notification(""),
        notification("a clip, please"),
        notification(json.dumps(PLAIN)),
        notification(notification(PLAIN)),
        notification(notification(event(json.loads(PLAIN)))),
        notification(event(json.loads(event(json.loads(PLAIN))))),
        event(json.loads(notification(PLAIN))),
        event(PLAIN),
        event([json.loads(PLAIN)]),
        event(json.loads(PLAIN), source=None),
        event(json.loads(PLAIN), **{"detail-type": 7}),
        event(json.loads(event(json.loads(PLAIN)))),
        json.dumps({"detail": MESSAGE}),
        json.dumps({"Message": PLAIN}),
        json.dumps({"message": PLAIN}),
        json.dumps({"body": PLAIN}),
        json.dumps({"Records": [{"body": PLAIN}]}),
        json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}),
        notification(PLAIN)[:-1] + ', "Message": "{}"}',
        notification(PLAIN[:-1] + ', "clipId": "other"}'),
        notification('{"clipId": "a", "x": NaN}'),
        notification('{"clipId": "a", "x": ' + "[" * 40 + "]" * 40 + "}"),
        notification(OLD_MESSAGE[:-1] + ", 'x': '" + "x" * (256 << 10) + "'}"),
        *(notification(text * (MIB // len(text))) for text in ("{", "[", '{"a":', "(", "-", "~")),
        event({"a": [[]] * 200_000}),
    ],
    ids=lambda body: f"{body[:20]!a} {len(body)}",
)
def test_no_other_envelope_is_guessed_at(body: str) -> None:
    """Nor more than one of each; reading any takes less than a second, and no error quotes it."""
    began_s = time.monotonic()
    with pytest.raises(NoClipId) as caught:
        read_message(body, SENT_MS)
    assert time.monotonic() - began_s < 1
    assert caught.value.__context__ is None
