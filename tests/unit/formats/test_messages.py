"""What is read of a message, and how a request is queued again."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipRequest, InvalidRequest
from domain.errors import NoClipId
from infrastructure.formats.messages import message_body, read_message
from tests.unit.formats.values import (
    END_MS,
    IDS,
    REQUEST,
    SENT_MS,
    START_MS,
    TIMES,
    UNHURRIED,
)

MESSAGE: dict[str, object] = {
    "clipId": "clip-1",
    "cameraId": "pier",
    "startTimestampInMs": START_MS,
    "endTimestampInMs": END_MS,
    "retryTimestamps": [],
}
OLD_MESSAGE = (
    "{'clipId': '1111111111111', 'retryTimestamps': [], 'cameraId': '1111111111111',"
    " 'startTimestampInMs': 1537119363000, 'endTimestampInMs': 1537119423000}"
)
MIB = 1 << 20


def read(**changes: object) -> ClipRequest | InvalidRequest:
    return read_message(json.dumps({**MESSAGE, **changes}), SENT_MS)


def without(key: str) -> Mapping[str, object]:
    return {k: v for k, v in MESSAGE.items() if k != key}


def test_a_message_is_read() -> None:
    """JSON, with every key."""
    assert read(retryTimestamps=[SENT_MS - 5]) == evolve(REQUEST, retries_ms=(SENT_MS - 5,))


def test_the_2018_services_message_is_read() -> None:
    """Single quotes, as its README has it."""
    assert read_message(OLD_MESSAGE, SENT_MS) == ClipRequest(
        "1111111111111", "1111111111111", START_MS, END_MS
    )


def test_an_apostrophe_in_json_is_no_quote() -> None:
    """Replacing quotes broke the 2018 service on it."""
    request = read(title="it's Zoë's")
    assert isinstance(request, ClipRequest)
    assert request.unknown_keys == {"title": "it's Zoë's"}


def test_times_may_be_strings_of_digits() -> None:
    """Some senders quote everything."""
    changes = {"startTimestampInMs": str(START_MS), "endTimestampInMs": str(END_MS)}
    assert read(**changes, retryTimestamps=["17"]) == evolve(REQUEST, retries_ms=(17,))


@pytest.mark.parametrize("body", [without("retryTimestamps"), {**MESSAGE, "retryTimestamps": None}])
def test_retries_may_be_missing(body: Mapping[str, object]) -> None:
    """The first message of a request need not have any."""
    assert read_message(json.dumps(body), SENT_MS) == REQUEST


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "7",
        "not JSON",
        "{}",
        '{"clipId": "a", "clipId": "b"}',
        "{'clipId': 'a', 'clipId': 'b'}",
        '{"clipId": "a", "x": NaN}',
        '{"clipId": "a", "x": -Infinity}',
        '{"clipId": "a", "x": 1e999}',
        "{'clipId': 'a', 'x': 1e999}",
        "{'clipId': 'a', 'x': b'bytes'}",
        "{'clipId': 'a', 'x': {1, 2}}",
        "{'clipId': 'a', 1: 2}",
        "{'clipId': 'a', **{}}",
        "{'clipId': open('/etc/passwd').read()}",
        OLD_MESSAGE[:-1] + ", 'x': '" + "x" * (256 << 10) + "'}",
        "\0",
        "\ud800",
        '{"clipId": "a", "x": ' + "[" * 40 + "]" * 40 + "}",
        *(text * (MIB // len(text)) for text in ("{", "(", "-", "[", '{"a":', "1+", "'' ")),
        *(
            text * (200_000 // len(text))
            for text in ("{", "(", "-", "[", "{'a':", "~", "f'{", "a.")
        ),
    ],
    ids=lambda body: f"{body[:40]!a} {len(body)}",
)
def test_a_message_without_a_clip_id_is_rejected(body: str) -> None:
    """Its clip is unknown; reading it takes less than a second, and no error quotes it."""
    began_s = time.monotonic()
    with pytest.raises(NoClipId) as caught:
        read_message(body, SENT_MS)
    assert time.monotonic() - began_s < 1
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


BAD_IDS = [
    "../../x",
    "a/b",
    ".",
    "..",
    "%2e%2e",
    "a?b",
    "#",
    "%d",
    "a\0",
    "a\n",
    "a" * 65,
    "",
    "а",
    "\ud800",
    "１２",
    7,
    None,
    True,
    ["a"],
]


@pytest.mark.parametrize("bad", BAD_IDS, ids=ascii)
def test_an_id_is_taken_whole_or_not_at_all(bad: object) -> None:
    """No part of it, no text made of a number; it never reaches a path or an address."""
    with pytest.raises(NoClipId):
        read(clipId=bad)
    broken = read(cameraId=bad)
    assert isinstance(broken, InvalidRequest)
    assert broken == InvalidRequest("clip-1", broken.reason, None, START_MS, END_MS)
    assert "cameraId" in broken.reason


def test_a_hyphen_may_come_first_and_64_characters_are_allowed() -> None:
    """What the pattern allows is allowed."""
    assert isinstance(read(clipId="-i", cameraId="a" * 64), ClipRequest)


BAD_TIMES = [
    True,
    1.7,
    1e12,
    "1e12",
    "１２",
    "1_000",
    -1,
    "-1",
    "+1",
    " 1",
    "",
    10**400,
    10**15,
    [],
]


@pytest.mark.parametrize("bad", BAD_TIMES, ids=lambda bad: ascii(bad)[:20])
def test_a_time_is_a_whole_number_of_milliseconds(bad: object) -> None:
    """Anything else is reported with the key's name, and with what else could be read."""
    broken = read(endTimestampInMs=bad)
    reason = "endTimestampInMs is not a whole number of milliseconds."
    assert broken == InvalidRequest("clip-1", reason, "pier", START_MS, None)


def test_a_number_too_long_for_int_is_no_time() -> None:
    """int() raises on 5000 digits; the message still names its clip."""
    body = json.dumps(MESSAGE).replace(str(START_MS), "1" * 5000)
    broken = read_message(body, SENT_MS)
    assert isinstance(broken, InvalidRequest)
    assert (broken.clip_id, broken.start_ms) == ("clip-1", None)


@pytest.mark.parametrize("key", ["startTimestampInMs", "endTimestampInMs"])
def test_a_missing_bound_is_reported(key: str) -> None:
    """By its name."""
    broken = read_message(json.dumps(without(key)), SENT_MS)
    assert isinstance(broken, InvalidRequest)
    assert key in broken.reason


def test_seconds_are_distinguished_from_milliseconds() -> None:
    """No camera recorded in January 1970."""
    broken = read(startTimestampInMs=START_MS // 1000)
    assert isinstance(broken, InvalidRequest)
    assert "looks like seconds" in broken.reason


def test_bounds_in_the_wrong_order_are_left_to_the_policy() -> None:
    """It refuses them with a reason of its own."""
    turned = read(startTimestampInMs=END_MS, endTimestampInMs=START_MS)
    assert turned == evolve(REQUEST, start_ms=END_MS, end_ms=START_MS)


@pytest.mark.parametrize("bad", [7, "x", {}, [1, "x"], [None], [True], [[1]]], ids=ascii)
def test_invalid_retries_are_reported(bad: object) -> None:
    """A request must not wait for longer because of it."""
    broken = read(retryTimestamps=bad)
    assert isinstance(broken, InvalidRequest)
    assert "retryTimestamps" in broken.reason


def test_retries_later_than_the_message_are_ignored() -> None:
    """No message of this request can have been sent after this one."""
    request = read(retryTimestamps=[SENT_MS + 1, SENT_MS, 5, SENT_MS + 9])
    assert request == evolve(REQUEST, retries_ms=(SENT_MS, 5))


def test_ten_thousand_retries_are_capped() -> None:
    """To the first and the last 99."""
    request = read(retryTimestamps=list(range(10_000)))
    assert request == evolve(REQUEST, retries_ms=(0, *range(9901, 10_000)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)  # fmt: skip


@UNHURRIED
@given(
    st.builds(
        ClipRequest,
        IDS,
        IDS,
        TIMES,
        TIMES,
        st.lists(st.integers(0, SENT_MS), max_size=100).map(tuple),
        st.dictionaries(st.text().filter(lambda key: key not in {*MESSAGE, "options"}), JSON),
    )
)
def test_a_queued_request_is_read_back(request: ClipRequest) -> None:
    """Unknown keys included."""
    again = read_message(message_body(request), SENT_MS)
    assert again == request
    assert isinstance(again, ClipRequest)
    assert again.unknown_keys == request.unknown_keys


@UNHURRIED
@given(st.text() | JSON.map(json.dumps) | JSON.map(repr))
def test_any_message_is_read_or_has_no_clip_id(body: str) -> None:
    """Nothing else is ever raised."""
    with suppress(NoClipId):
        read_message(body, SENT_MS)
