"""Message bodies by a grammar, and the status of each by the tables: a second implementation.

A body is a request with one thing or another amiss, in JSON or in the 2018 service's notation.
"""

import json
from collections.abc import Sequence

from attrs import frozen
from hypothesis import strategies as st

NOW_MS = 4_000_000_000_000
"""When messages are sent: in 2096, so that it is the later of the queue's clock and ours."""
FOOTAGE_MS = (NOW_MS - 3_600_000, NOW_MS - 60_000)
"""What the camera `pier` has recorded, when it is NOW_MS."""
CANARY = "canary"
"""Stands in every value that is not a request's own: no log may hold it."""
LIMIT_MS, RANGE_MS, MAX_MS, RETRIES = 900_000, 259_200_000, 300_000, 100


@frozen
class Word:
    """A value in either notation, and its meaning; None if it has none."""

    json: str
    python: str
    means: object = None
    spoils: bool = False
    """Whether a body that holds it cannot be read at all."""


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


def word(value: object, means: object = None) -> Word:
    """Return a value in both notations."""
    return Word(json.dumps(value), repr(value), means)


BAD_IDS: Sequence[object] = (
    "../../x", "a/b", ".", "..", "%2e%2e", "a?b", "#", "%d", "a\0", "a\n", "\na",
    "a" * 65, "a" * 300, "", " a", "а", "\ud800", "１２", "a\u0301", "ﬁ", "a\u200b",
    "a\u202e", 7, 1.5, None, True, ["a"],
    {"a": "a"}, "a;b", "a b", "a'b", 'a"b', "${a}", "{a}", "a\\b", "é", "\u212a",
)  # fmt: skip
BAD_TIMES: Sequence[object] = (
    True, None, 1.7, 1e12, -1, -1.0, "1e12", "１２", "1_000", "", " 1", "+1", "-1",
    "0x10", 10**15, 10**400,
    "9" * 16, [], {}, "soon", [NOW_MS], "٣", float(NOW_MS),
)  # fmt: skip
SPOILERS = (
    Word("NaN", "nan", spoils=True),
    Word("-Infinity", "inf", spoils=True),
    Word("1e999", "1e999", spoils=True),
    Word("[" * 40 + "]" * 40, "[" * 40 + "]" * 40, spoils=True),
    Word("[" * 90_000, "[" * 90_000, spoils=True),
    Word('{"a": 1, "a": 2}', "{'a': 1, 'a': 2}", spoils=True),
    Word('"a', "'a", spoils=True),
    Word("--1", "b'a'", spoils=True),
    Word("01", "01", spoils=True),
    Word('"\n"', "{1: 2}", spoils=True),
    Word("open('/etc/passwd')", "open('/etc/passwd')", spoils=True),
    Word("__import__('os')", "f'{1}'", spoils=True),
)
HARMLESS = st.one_of(
    *map(st.just, (word(f"it's {CANARY}"), word({CANARY: [1, None, {"a": CANARY}]}), word([[[]]]))),
    *map(st.just, (word(1.5), word(-(10**30)), word(None), word("\ud800"), word("a\0b"))),
    st.text(max_size=8).map(lambda text: word(CANARY + text)),
)
KEYS = st.one_of(
    st.sampled_from(
        (
            "clipid",
            "clipId ",
            "ClipID",
            "__proto__",
            "",
            "status",
            "reason",
            "\0",
            "it's",
            "\ud800",
            "é",
        )
    ),
    st.text(max_size=4).map(lambda text: f"x{text}"),
)


def rarely(
    usual: st.SearchStrategy[Word], other: st.SearchStrategy[Word]
) -> st.SearchStrategy[Word]:
    """Choose the other one in sixteen times."""
    return st.integers(0, 15).flatmap(lambda chance: other if chance == 7 else usual)


def ids(good: Sequence[str]) -> st.SearchStrategy[Word]:
    """Return an id, usually one of `good`."""
    escaped = [Word('"' + "".join(f"\\u{ord(c):04x}" for c in g) + '"', repr(g), g) for g in good]
    fine = st.sampled_from([*(word(g, g) for g in good), *escaped])
    return rarely(fine, st.sampled_from(BAD_IDS).map(word))


def times(instant_ms: int) -> st.SearchStrategy[Word]:
    """Return a timestamp, usually this one."""
    fine = st.sampled_from((word(instant_ms, instant_ms), word(str(instant_ms), instant_ms)))
    seconds = word(instant_ms // 1000)
    long = Word("1" * 5000, "1_0", None)  # int() refuses it; an underscore is Python's alone
    bad = st.sampled_from((*map(word, BAD_TIMES), seconds, long))
    return rarely(fine, bad)


@st.composite
def retries(draw: st.DrawFn) -> Word:
    """Return the retry timestamps of a request."""
    choice = draw(st.integers(0, 20))
    if choice == 7:
        return word(draw(st.sampled_from((7, "x", {}, [1, "x"], [None], [True], [[1]], [1.5]))))
    if choice == 8:
        return word(None, [])
    some = draw(st.lists(st.sampled_from((-950_000, -60_000, -1000, 0, 60_000)), max_size=3))
    count = draw(st.sampled_from((1, 1, 1, 110)))
    sent_at_ms = [NOW_MS + ms for ms in some] * count
    return word(sent_at_ms, sent_at_ms)


WINDOWS_S = (
    (-600, -595), (-3000, -2990), (-3610, -3590), (-70, -50), (-40, -30), (-30, 30), (100, 110),
    (880, 890), (895, 905), (5000, 5010), (-3000, -2700), (-3000, -2690), (-90_000, -89_990),
    (-300_000, -299_990), (-4000, -3990), (-10, -10), (-10, -20), (-400, 10_000),
)  # fmt: skip
"""Seconds before or after the message was sent."""


@st.composite
def bodies(draw: st.DrawFn, number: int) -> Body:
    """Write the body of a message; those of unlike numbers name unlike clips."""
    start_s, end_s = draw(st.sampled_from(WINDOWS_S))
    clip = draw(ids((f"c{number}", f"-{number}", f"_{number}".ljust(64, "Z"))))
    camera = draw(ids(("pier", "pier", "pier", "nowhere")))
    start, end = draw(times(NOW_MS + 1000 * start_s)), draw(times(NOW_MS + 1000 * end_s))
    sent = draw(retries())
    parts = {"clipId": clip, "cameraId": camera, "startTimestampInMs": start}
    parts |= {"endTimestampInMs": end, "retryTimestamps": sent}
    if draw(st.integers(0, 20)) == 7:
        lost = draw(st.sampled_from(list(parts)))
        parts[lost] = word(None, [] if lost == "retryTimestamps" else None)
        rows = [(key, value) for key, value in parts.items() if key != lost]
    else:
        rows = list(parts.items())
    rows += [(key, draw(HARMLESS)) for key in draw(st.lists(KEYS, max_size=3, unique=True))]
    spoiled = draw(st.integers(0, 9)) == 7
    if spoiled:
        again = draw(st.sampled_from([*rows, ("clip\x49d", word("a/b"))]))
        worse = ("spoiler", draw(st.sampled_from(SPOILERS)))
        rows.append(draw(st.sampled_from((again, worse, worse))))
        spoiled = rows[-1][1].spoils or len({key for key, _ in rows}) < len(rows)
    rows = draw(st.permutations(rows))
    text = draw(st.sampled_from((_json, _json, _python, _lenient)))(rows)
    space = draw(st.sampled_from(("", "", " ", "\n")))
    stuffed = draw(st.integers(0, 60)) == 7
    if stuffed and not _reads_as_json(text):
        spoiled = True  # longer than the 2018 service's queue could hold
    if spoiled or parts["clipId"].means is None:
        return Body(space + text, None, None, stuffed)
    known = [part.means for part in parts.values()]
    status = "FATAL_ERROR" if None in known else _status(*known[1:])  # type: ignore[arg-type]
    return Body(space + text, str(parts["clipId"].means), status, stuffed)


def _reads_as_json(text: str) -> bool:
    try:
        json.loads(text, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _json(rows: Sequence[tuple[str, Word]]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {value.json}" for key, value in rows) + "}"


def _python(rows: Sequence[tuple[str, Word]]) -> str:
    return "{" + ", ".join(f"{key!r}: {value.python}" for key, value in rows) + "}"


def _lenient(rows: Sequence[tuple[str, Word]]) -> str:
    """Write what only Python reads, for all its double quotes."""
    inner = ", ".join(f"{json.dumps(key)}: {value.python}" for key, value in rows)
    return "{" + inner + ", }"


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
