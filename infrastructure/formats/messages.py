"""The body of an SQS message <-> a request.

A request may come in an envelope: a notification of SNS (its documentation, "Amazon SNS raw message
delivery": `Type` and `Message`, when raw delivery is off), an event of EventBridge ("Event
structure": `detail-type`, `source` and `detail`), or such an event in such a notification. No other
envelope is guessed at.
"""

import ast
import json
import math
import re

from attrs import frozen

from domain.clip import IDENTIFIER, ClipRequest, InvalidRequest
from domain.errors import NoClipId
from domain.options import ClipOptions
from domain.retry import MAX_RETRIES
from infrastructure.formats.json_keys import END, START
from infrastructure.formats.json_values import reject_constant, shown_key, unique_keys, whole_ms
from infrastructure.formats.options import read_options

YEAR_2000_MS = 946_684_800_000


MAX_LITERAL_CHARS = 256 << 10
"""SQS's message limit in 2018, in bytes."""


DEEPEST_NESTING = 32


MAX_INT_DIGITS = 4000
"""int() raises ValueError beyond 4300 digits."""


OPTIONS = "options"


# The queue's message
def read_message(
    body: str, sent_at_ms: int, kind: type[ClipOptions] = ClipOptions
) -> ClipRequest | InvalidRequest:
    """Read the request of a message that was sent at `sent_at_ms`; NoClipId if it names no clip.

    The body is JSON, or the single-quoted dict that the 2018 service sends, alone or in an
    envelope. Retry timestamps after `sent_at_ms` are ignored; if there are more than 100, the first
    and the last 99 count. `kind` declares the options.
    """
    message = _opened(_parsed(body))
    if not isinstance(message, dict):
        raise NoClipId("The message is not a JSON object.")
    clip_id = _identifier(message.pop("clipId", None))
    if clip_id is None:
        raise NoClipId("The message has no valid clipId.")
    camera_id = _identifier(message.pop("cameraId", None))
    start_ms = whole_ms(message.pop(START, None))
    end_ms = whole_ms(message.pop(END, None))
    retries_ms = _retries(message.pop("retryTimestamps", None))
    reason = _bound_fault("startTimestampInMs", start_ms) or _bound_fault(
        "endTimestampInMs", end_ms
    )
    if camera_id is None:
        reason = "cameraId is not 1 to 64 letters, digits, hyphens or underscores."
    if retries_ms is None:
        reason = reason or "retryTimestamps is not a list of whole milliseconds."
    options = kind()
    try:
        options = read_options(message.pop(OPTIONS, None), kind)
    except ValueError as error:
        reason = reason or str(error)
    if reason or camera_id is None or start_ms is None or end_ms is None or retries_ms is None:
        return InvalidRequest(clip_id, str(reason), camera_id, start_ms, end_ms)
    earlier = tuple(retry_ms for retry_ms in retries_ms if retry_ms <= sent_at_ms)
    if len(earlier) > MAX_RETRIES:
        earlier = (min(earlier), *earlier[1 - MAX_RETRIES :])
    return ClipRequest(clip_id, camera_id, start_ms, end_ms, earlier, message, options)


def message_body(request: ClipRequest) -> str:
    """Return the body that requeues the request, without an envelope."""
    return _compact({**request.unknown_keys, **_members(request)})


@frozen
class FittedBody:
    """A body that is no longer than the queue accepts."""

    body: str
    dropped: tuple[str, ...] = ()
    """The names of the unknown keys that it lacks, the largest first, for people and logs."""


def fitted_body(request: ClipRequest, max_bytes: int) -> FittedBody:
    """Return the body that requeues the request in at most `max_bytes`, if that is possible.

    What does not fit is first written in plain characters, since an escaped one takes up to four
    times as many bytes. Unknown keys are then left out, the largest first. All else is always
    there, 2 KiB and the options.
    """
    body = message_body(request)
    if len(body) <= max_bytes:
        return FittedBody(body)
    kept = dict(request.unknown_keys)
    # Of an object with one member, the braces take one byte more than the member's comma would.
    sizes = {key: _utf8_bytes(_plain({key: value})) - 1 for key, value in kept.items()}
    excess = _utf8_bytes(_plain(_members(request))) + sum(sizes.values()) - max_bytes
    dropped = []
    for key in sorted(sizes, key=lambda key: -sizes[key]):
        if excess <= 0:
            break
        excess -= sizes[key]
        dropped.append(shown_key(key))
        del kept[key]
    return FittedBody(_plain({**kept, **_members(request)}), tuple(dropped))


def _plain(value: object) -> str:
    """Return JSON that escapes only what SQS refuses (SendMessage) or UTF-8 has no bytes for."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return re.sub("[\ud800-\udfff\ufffe\uffff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _utf8_bytes(text: str) -> int:
    return len(text.encode())


def _members(request: ClipRequest) -> dict[str, object]:
    chosen = request.options.chosen
    return {
        "clipId": request.clip_id,
        "cameraId": request.camera_id,
        START: request.start_ms,
        END: request.end_ms,
        "retryTimestamps": request.retries_ms,
        **({OPTIONS: chosen} if chosen else {}),
    }


def _opened(message: object) -> object:
    """Return what the message's envelopes hold, or the message if it is in none.

    What names a clip is no envelope, whatever else it has.
    """
    match message:
        case {"clipId": _}:
            return message
        case {"Type": "Notification", "Message": str(text)}:
            return _event_detail(_parsed(text))
        case _:
            return _event_detail(message)


def _event_detail(message: object) -> object:
    match message:
        case {"clipId": _}:
            return message
        case {"detail-type": str(), "source": str(), "detail": dict(detail)}:
            return detail
        case _:
            return message


def _parsed(body: str) -> object:
    for parse in (_json, _literal):
        try:
            value = parse(body)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            # Their messages quote the body, which must not be logged.
            continue
        return value if _is_shallow(value, DEEPEST_NESTING) else None
    return None


def _json(body: str) -> object:
    return json.loads(
        body,
        object_pairs_hook=unique_keys,
        parse_constant=reject_constant,
        parse_float=_finite,
        parse_int=lambda digits: int(digits) if len(digits) <= MAX_INT_DIGITS else digits,
    )


def _literal(body: str) -> object:
    if len(body) > MAX_LITERAL_CHARS:
        raise ValueError("too long")
    tree = ast.parse(body.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            unique_keys([(ast.literal_eval(key) if key else "**", None) for key in node.keys])
    return json.loads(json.dumps(ast.literal_eval(tree), allow_nan=False))


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in inner)


def _identifier(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(IDENTIFIER, value) else None


def _retries(value: object) -> list[int] | None:
    entries = [] if value is None else value
    if not isinstance(entries, list):
        return None
    times = [whole_ms(entry) for entry in entries]
    return [time for time in times if time is not None] if None not in times else None


def _bound_fault(key: str, bound_ms: int | None) -> str | None:
    if bound_ms is None:
        return f"{key} is not a whole number of milliseconds."
    if bound_ms < YEAR_2000_MS:
        return f"{key} is before the year 2000: it looks like seconds, not milliseconds."
    return None


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
