"""Message bodies by a grammar, and the status of each by the tables: a second implementation.

A body is a request with one thing or another amiss, in JSON or in the 2018 service's notation.
"""

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

NOW_MS = 4_000_000_000_000
"""When messages are sent: in 2096, so that it is the later of the queue's clock and ours."""
FOOTAGE_MS = (NOW_MS - 3_600_000, NOW_MS - 60_000)
"""What the camera `pier` has recorded, when it is NOW_MS."""
CANARY = "canary"
"""Stands in every value that is not a request's own: no log may hold it."""
LIMIT_MS, RANGE_MS, MAX_MS, RETRIES = 900_000, 259_200_000, 300_000, 100


@frozen(repr=False)
class Raw:
    """A value written as it is in either notation; one that spoils makes the body unreadable."""

    json: str
    python: str
    spoils: bool = True

    def __repr__(self) -> str:
        return self.python


@frozen
class Body:
    """A message's body and its expected outcome."""

    written: str
    clip_id: str | None
    status: str | None
    """The status reported of the clip; None if the message fails without a report."""
    stuffed: bool = False
    """Whether one more value makes it a megabyte long."""

    @property
    def text(self) -> str:
        stuffing = f'{{"x{CANARY}": "{"y" * (1 << 20)}",'
        return self.written.replace("{", stuffing, 1) if self.stuffed else self.written


BAD_IDS: Sequence[object] = (
    "../../x", "a/b", ".", "..", "%2e%2e", "a?b", "#", "%d", "a\0", "a\n", "\na",
    "a" * 65, "a" * 300, "", " a", "а", "\ud800", "１２", "a\u0301", "ﬁ", "a\u200b",
    "a\u202e", 7, 1.5, None, True, ["a"],
    {"a": "a"}, "a;b", "a b", "a'b", 'a"b', "${a}", "{a}", "a\\b", "é", "\u212a",
)  # fmt: skip
BAD_TIMES: Sequence[object] = (
    True, None, 1.7, 1e12, -1, -1.0, "1e12", "１２", "1_000", "", " 1", "+1", "-1",
    "0x10", 10**15, 10**400, NOW_MS // 1000,
    "9" * 16, [], {}, "soon", [NOW_MS], "٣", float(NOW_MS),
    Raw("1" * 5000, "1_0", spoils=False),  # int() refuses it; an underscore is Python's alone
)  # fmt: skip
BAD_RETRIES: Sequence[object] = (None, 7, "x", {}, [1, "x"], [None], [True], [[1]], [1.5])
SPOILERS = (
    Raw("NaN", "nan"), Raw("-Infinity", "inf"), Raw("1e999", "1e999"), Raw('"\n"', "{1: 2}"),
    Raw("[" * 40 + "]" * 40, "[" * 40 + "]" * 40), Raw("[" * 90_000, "[" * 90_000),
    Raw('{"a": 1, "a": 2}', "{'a': 1, 'a': 2}"), Raw('"a', "'a"), Raw("--1", "b'a'"),
    Raw("01", "01"), Raw("open('/etc/passwd')", "open('/etc/passwd')"),
    Raw("__import__('os')", "f'{1}'"),
)  # fmt: skip
HARMLESS: st.SearchStrategy[object] = st.sampled_from((
    f"it's {CANARY}", {CANARY: [1, None, {"a": CANARY}]}, [[[]]], 1.5, -(10**30), None, "\ud800",
    "a\0b",
)) | st.text(max_size=8).map(lambda text: CANARY + text)  # fmt: skip
KEYS = st.sampled_from((
    "clipid", "clipId ", "ClipID", "__proto__", "", "status", "reason", "\0", "it's", "\ud800", "é",
)) | st.text(max_size=4).map(lambda text: f"x{text}")  # fmt: skip
WINDOWS_S = (
    (-600, -595), (-3000, -2990), (-3610, -3590), (-70, -50), (-40, -30), (-30, 30), (100, 110),
    (880, 890), (895, 905), (5000, 5010), (-3000, -2700), (-3000, -2690), (-90_000, -89_990),
    (-300_000, -299_990), (-4200, -4190), (-4000, -3990), (-3900, -3890), (-10, -10), (-10, -20),
    (-400, 10_000),
)  # fmt: skip
"""Seconds before or after the message was sent."""


def rarely(usual: Sequence[object], other: Sequence[object]) -> st.SearchStrategy[Any]:
    """Choose the other one in sixteen times."""
    either = st.sampled_from(usual), st.sampled_from(other)
    return st.integers(0, 15).flatmap(lambda chance: either[chance == 7])


def times(instant_ms: int) -> st.SearchStrategy[Any]:
    return rarely((instant_ms, str(instant_ms)), BAD_TIMES)


SENT_MS = st.lists(st.sampled_from((-3_500_000, -950_000, -60_000, 0, 60_000)), max_size=3).flatmap(
    lambda some: rarely([[NOW_MS + ms for ms in some] * n for n in (1, 1, 1, 110)], BAD_RETRIES)
)


@st.composite
def bodies(draw: st.DrawFn, number: int) -> Body:
    """Write the body of a message; those of unlike numbers name unlike clips."""
    start_s, end_s = draw(st.sampled_from(WINDOWS_S))
    rows: list[tuple[str, Any]] = [
        (
            "clipId",
            draw(rarely((f"c{number}", f"-{number}", f"_{number}".ljust(64, "Z")), BAD_IDS)),
        ),
        ("cameraId", draw(rarely(("pier", "pier", "pier", "nowhere"), BAD_IDS))),
        ("startTimestampInMs", draw(times(NOW_MS + 1000 * start_s))),
        ("endTimestampInMs", draw(times(NOW_MS + 1000 * end_s))),
        ("retryTimestamps", draw(SENT_MS)),
    ]
    if draw(st.integers(0, 20)) == 7:
        rows.remove(draw(st.sampled_from(rows)))
    given = dict(rows)
    rows += [(key, draw(HARMLESS)) for key in draw(st.lists(KEYS, max_size=3, unique=True))]
    if draw(st.integers(0, 9)) == 7:
        again = draw(st.sampled_from([*rows, ("clip\x49d", "a/b")]))
        worse = ("spoiler", draw(st.sampled_from(SPOILERS)))
        rows.append(draw(st.sampled_from((again, worse, worse))))
    spoiled = len(dict(rows)) < len(rows) or any(
        isinstance(value, Raw) and value.spoils for _, value in rows
    )
    rows = draw(st.permutations(rows))
    text = draw(st.sampled_from(WRITERS))(rows)
    stuffed = draw(st.integers(0, 60)) == 7
    if stuffed and not _reads_as_json(text):
        spoiled = True  # longer than the 2018 service's queue could hold
    text = draw(st.sampled_from(("", "", " ", "\n"))) + text
    clip_id = _id(given.get("clipId"))
    if spoiled or clip_id is None:
        return Body(text, None, None, stuffed)
    bounds = [_time(given.get(f"{name}TimestampInMs")) for name in ("start", "end")]
    known = [_id(given.get("cameraId")), *bounds, _sendings(given.get("retryTimestamps"))]
    status = "FATAL_ERROR" if None in known else _status(*known)  # type: ignore[arg-type]
    return Body(text, clip_id, status, stuffed)


def _id(value: object) -> str | None:
    is_id = isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value)
    return str(value) if is_id else None


def _time(value: object) -> int | None:
    if type(value) is int or (isinstance(value, str) and re.fullmatch(r"[0-9]{1,15}", value)):
        return int(value) if 946_684_800_000 <= int(value) < 10**15 else None
    return None


def _sendings(value: object) -> list[int] | None:
    values = [] if value is None else value
    if isinstance(values, list) and all(type(ms) is int for ms in values):
        return values
    return None


def _reads_as_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _write(
    key: Callable[[str], str], value: Callable[[object], str], rows: Sequence[tuple[str, object]]
) -> str:
    return "{" + ", ".join(f"{key(name)}: {value(content)}" for name, content in rows) + "}"


def _json(value: object) -> str:
    return value.json if isinstance(value, Raw) else json.dumps(value)


def _escaped(value: object) -> str:
    """Write each letter of a name as an escape."""
    if isinstance(value, str) and _id(value):
        return '"' + "".join(f"\\u{ord(c):04x}" for c in value) + '"'
    return _json(value)


WRITERS: Sequence[Callable[[Sequence[tuple[str, object]]], str]] = (
    partial(_write, json.dumps, _json),
    partial(_write, json.dumps, _escaped),
    partial(_write, repr, repr),
    partial(_write, json.dumps, repr),  # double quotes, and what only Python reads
)


def _status(camera: str, start_ms: int, end_ms: int, sent_at_ms: Sequence[int]) -> str:
    """Return a request's status, by the table of the retry policy."""
    earlier = [ms for ms in sent_at_ms if ms <= NOW_MS]
    first_ms = min([*earlier, NOW_MS])
    if start_ms >= end_ms or end_ms - first_ms > LIMIT_MS:
        return "FATAL_ERROR"
    if end_ms - start_ms > MAX_MS:
        return "CLIP_TOO_LONG"
    if camera != "pier":
        return "FATAL_ERROR"
    begins_ms, ends_ms = FOOTAGE_MS
    some = start_ms < ends_ms and begins_ms < end_ms
    if begins_ms <= start_ms and end_ms <= ends_ms:
        return "CLIP_AVAILABLE"
    tail_only = some and begins_ms <= start_ms
    may_come = (tail_only or not some) and first_ms - end_ms <= LIMIT_MS
    in_time = max(first_ms, end_ms) + LIMIT_MS >= NOW_MS and len(earlier) < RETRIES
    if may_come and in_time:
        return "CLIP_PENDING"
    if some:
        return "CLIP_AVAILABLE"
    if first_ms - start_ms > RANGE_MS:
        return "CLIP_OUT_OF_RANGE"
    return "CLIP_RETRY_TIMEOUT" if may_come else "CLIP_NOT_AVAILABLE"
