"""A requeued body is no longer than the queue accepts, and loses as little as possible."""

import json
import re
import time

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipRequest
from infrastructure.formats.messages import fitted_body, message_body, read_message
from tests.unit.formats.sample_options import SampleOptions
from tests.unit.formats.test_messages import JSON, MESSAGE
from tests.unit.formats.values import REQUEST, SENT_MS, UNHURRIED

LIMIT_BYTES = 262_144


def request_with(**unknown_keys: object) -> ClipRequest:
    return evolve(REQUEST, unknown_keys=unknown_keys)


def test_a_body_that_fits_is_left_as_it_is() -> None:
    """To the byte."""
    request = request_with(note="é", more=[1])
    body = message_body(request)
    assert fitted_body(request, len(body)).body == body
    assert fitted_body(request, len(body)).dropped == ()
    assert fitted_body(request, len(body) - 1).body != body


def test_characters_are_written_plain_before_a_key_is_dropped() -> None:
    """A sender's 200,000 bytes of text would be 400,000 if they were escaped."""
    note = "映像" * 30_000 + "\ud800\uffff\x00"
    fitted = fitted_body(request_with(note=note), LIMIT_BYTES)
    assert fitted.dropped == ()
    assert len(fitted.body.encode()) <= LIMIT_BYTES
    assert json.loads(fitted.body)["note"] == note
    # SQS, SendMessage: these characters are allowed.
    assert re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", fitted.body)


@pytest.mark.parametrize(
    ("room_bytes", "dropped"),
    [
        (len('"big":"' + "x" * 300 + '",') + len('"mid":"' + "x" * 200 + '","a":1,'), ()),
        (len('"big":"' + "x" * 300 + '",') + len('"mid":"' + "x" * 200 + '","a":1,') - 1, ("big",)),
        (len('"mid":"' + "x" * 200 + '","a":1,'), ("big",)),
        (len('"mid":"' + "x" * 200 + '","a":1,') - 1, ("big", "mid")),
        (len('"a":1,'), ("big", "mid")),
        (len('"a":1,') - 1, ("big", "mid", "a")),
        (0, ("big", "mid", "a")),
        (-1, ("big", "mid", "a")),
    ],
)
def test_the_largest_unknown_keys_are_dropped_first(
    room_bytes: int, dropped: tuple[str, ...]
) -> None:
    """And no more of them than need be; the request itself is always whole."""
    request = request_with(a=1, big="x" * 300, mid="x" * 200)
    fitted = fitted_body(request, len(message_body(REQUEST)) + room_bytes)
    assert fitted.dropped == dropped
    kept = json.loads(fitted.body)
    assert {**kept, **{key: request.unknown_keys[key] for key in dropped}} == {
        **request.unknown_keys,
        **json.loads(message_body(REQUEST)),
    }


def test_a_request_is_never_cut_down() -> None:
    """Not its hundred retries, nor its options, which are no unknown keys."""
    full = ClipRequest(
        "c" * 64,
        "d" * 64,
        10**15 - 2,
        10**15 - 1,
        tuple(range(SENT_MS - 99, SENT_MS + 1)),
        {"note": "x" * 5000},
        SampleOptions(codec="h264", max_height=720),
    )
    fitted = fitted_body(full, 1024)
    assert fitted.dropped == ("note",)
    assert read_message(fitted.body, SENT_MS, SampleOptions) == full
    assert len(fitted.body) < 2048


def test_dropped_keys_are_named_without_harm_to_a_log() -> None:
    """A name may be as long as a message, and hold anything; values are never named."""
    request = request_with(**{"k" * 5000: "private", "é\n\ud800": "private" * 100})
    fitted = fitted_body(request, 200)
    assert fitted.dropped == ("k" * 40 + "...", "\\xe9\\n\\ud800")


def test_a_message_of_many_keys_is_fitted_soon() -> None:
    """A mebibyte of the shortest."""
    request = request_with(**{f"k{number}": number for number in range(80_000)})
    began_s = time.monotonic()
    fitted = fitted_body(request, LIMIT_BYTES)
    assert time.monotonic() - began_s < 5
    assert LIMIT_BYTES - 20 < len(fitted.body) <= LIMIT_BYTES


@UNHURRIED
@given(
    st.dictionaries(st.text().filter(lambda key: key not in {*MESSAGE, "options"}), JSON),
    st.integers(0, 1000),
)
def test_any_request_fits(unknown_keys: dict[str, object], room_bytes: int) -> None:
    """Whatever it holds; what is kept is read back."""
    request = evolve(REQUEST, unknown_keys=unknown_keys)
    max_bytes = len(message_body(REQUEST)) + room_bytes
    fitted = fitted_body(request, max_bytes)
    assert len(fitted.body.encode()) <= max_bytes
    again = read_message(fitted.body, SENT_MS)
    assert isinstance(again, ClipRequest)
    assert again == REQUEST
    assert again.unknown_keys == {key: unknown_keys[key] for key in again.unknown_keys}
    assert len(again.unknown_keys) + len(fitted.dropped) == len(unknown_keys)
