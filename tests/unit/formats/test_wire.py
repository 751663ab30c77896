"""What is read and written: messages, reports, manifests, metadata, the camera API's answers."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from application.ports import ThumbnailSpec
from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus, InvalidRequest
from domain.errors import NoClipId, Unavailable
from domain.manifest import Manifest, MediaInfo, Source, StoredClip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.answers import read_alias, read_segments
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.formats.manifests import manifest_json, read_manifest
from infrastructure.formats.messages import message_body, read_message
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    stored_clip,
    thumbnail_key,
)
from infrastructure.formats.reports import ReportFormat

SENT_MS = 1_537_119_500_000
START_MS, END_MS = 1_537_119_363_000, 1_537_119_423_000
MESSAGE: dict[str, object] = {
    "clipId": "clip-1",
    "cameraId": "pier",
    "startTimestampInMs": START_MS,
    "endTimestampInMs": END_MS,
    "retryTimestamps": [],
}
REQUEST = ClipRequest("clip-1", "pier", START_MS, END_MS)
OLD_MESSAGE = (
    "{'clipId': '1111111111111', 'retryTimestamps': [], 'cameraId': '1111111111111',"
    " 'startTimestampInMs': 1537119363000, 'endTimestampInMs': 1537119423000}"
)
MIB = 1 << 20
UNHURRIED = settings(max_examples=60, deadline=None)


def read(**changes: object) -> ClipRequest | InvalidRequest:
    return read_message(json.dumps({**MESSAGE, **changes}), SENT_MS)


def without(key: str) -> Mapping[str, object]:
    return {k: v for k, v in MESSAGE.items() if k != key}


# Messages


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
    """There is no clip to report on; and no body delays the process or is logged."""
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
TIMES = st.integers(946_684_800_000, 10**15 - 1)
IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


@UNHURRIED
@given(
    st.builds(
        ClipRequest,
        IDS,
        IDS,
        TIMES,
        TIMES,
        st.lists(st.integers(0, SENT_MS), max_size=100).map(tuple),
        st.dictionaries(st.text().filter(lambda key: key not in MESSAGE), JSON),
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


# Reports

FORMAT = ReportFormat("clips", "https://clips.example/", ThumbnailSpec((300, 640), "png"))


def test_a_report_of_a_clip_reads_as_agreed() -> None:
    """To the letter."""
    gap = TimeWindow(START_MS, START_MS + 1000)
    report = ClipReport(
        "c1", ClipStatus.AVAILABLE, "pier", START_MS, END_MS, (7, 8), (gap,), "1 s is missing."
    )
    assert FORMAT.report(report) == {
        "clipId": "c1",
        "cameraId": "pier",
        "startTimestampInMs": START_MS,
        "endTimestampInMs": END_MS,
        "status": "CLIP_AVAILABLE",
        "retryTimestamps": [7, 8],
        "bucket": "clips",
        "clip": {"key": "/pier/c1.mp4", "url": "https://clips.example/pier/c1.mp4"},
        "thumbnail": {
            "key": "/pier/c1_{size}.png",
            "url": "https://clips.example/pier/c1_{size}.png",
            "sizes": [300, 640],
        },
        "coverage": {
            "complete": False,
            "deliveredInMs": 59_000,
            "gaps": [{"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 1000}],
        },
        "reason": "1 s is missing.",
    }


def test_a_whole_clip_needs_no_reason() -> None:
    """And is complete."""
    report = FORMAT.report(ClipReport.available(REQUEST, ()))
    assert "reason" not in report
    assert report["coverage"] == {"complete": True, "deliveredInMs": 60_000, "gaps": []}


def test_a_report_without_a_clip_names_no_place() -> None:
    """A report has no key for what is absent or unknown."""
    assert FORMAT.report(ClipReport("c1", ClipStatus.FATAL_ERROR, reason="Why.")) == {
        "clipId": "c1",
        "status": "FATAL_ERROR",
        "retryTimestamps": [],
        "thumbnail": {"sizes": []},
        "coverage": {"complete": False, "deliveredInMs": 0, "gaps": []},
        "reason": "Why.",
    }


def test_the_objects_are_named_after_camera_and_clip() -> None:
    """As the report says, without the slash."""
    name = ClipName("pier", "c1")
    keys = clip_key(name), thumbnail_key(name, 300, "jpg"), manifest_key(name)
    assert keys == ("pier/c1.mp4", "pier/c1_300.jpg", "pier/c1.json")


# Manifests and metadata

WINDOWS = st.tuples(TIMES, st.integers(1, 10**6)).map(lambda two: TimeWindow(two[0], sum(two)))
FLOATS = st.floats(0, 1e9)
COUNTS = st.integers(0, 10**9)
FOOTAGES = st.builds(
    MediaInfo, COUNTS, FLOATS, FLOATS, FLOATS, st.text(min_size=1), COUNTS, COUNTS, COUNTS
)
REPORTS = st.builds(
    ClipReport,
    IDS,
    st.sampled_from(ClipStatus),
    st.none() | IDS,
    st.none() | TIMES,
    st.none() | TIMES,
    st.lists(TIMES).map(tuple),
    st.lists(WINDOWS).map(tuple),
    st.none() | st.text(),
    st.text(),
)
MANIFESTS = st.builds(
    Manifest,
    REPORTS,
    st.text(),
    st.none() | FOOTAGES,
    st.lists(st.builds(Source, st.text(), st.text(), WINDOWS)).map(tuple),
)
FOOTAGE = MediaInfo(5, 0.0, 4.0, 5.0, "avc1", 1920, 1080)
MANIFEST = Manifest(
    ClipReport.available(REQUEST, ()),
    "m#1",
    FOOTAGE,
    (Source("pier.mp4", "1", REQUEST.window),),
)


@UNHURRIED
@given(MANIFESTS)
def test_a_manifest_is_read_back(manifest: Manifest) -> None:
    """Every part of it."""
    assert read_manifest(manifest_json(manifest)) == manifest


def test_a_manifest_bears_the_event_id() -> None:
    """By which a subscriber finds what was published."""
    written = json.loads(manifest_json(MANIFEST))
    assert written["eventId"] == MANIFEST.report.event_id
    assert written["report"]["startTimestampInMs"] == START_MS
    assert written["footage"]["durationInMs"] == 5.0


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ('"frames": 5', '"frames": "5"'),
        ('"frames": 5', '"frames": 5.0'),
        ('"frames": 5', '"frames": true'),
        ('"writer": "m#1"', '"writer": 5'),
        ('"lastInMs": 4.0', '"lastInMs": "4.0"'),
        ('"lastInMs": 4.0', '"lastInMs": NaN'),
        ('"CLIP_AVAILABLE"', '"CLIP_GREAT"'),
        ('"retryTimestamps": []', '"retryTimestamps": ""'),
        ('"retryTimestamps": []', '"retryTimestamps": null'),
        (f'"startTimestampInMs": {START_MS}', f'"startTimestampInMs": {END_MS}'),
        ('"writer": "m#1",', ""),
        ("{", "[" * 10_000),
        ("}", ""),
        ('{\n "eventId"', '[{\n "eventId"'),
    ],
)
def test_a_manifest_that_is_not_one_is_an_error(found: str, instead: str) -> None:
    """No 5 is made of "5", nothing missing is made up."""
    text = manifest_json(MANIFEST)
    assert found in text
    with pytest.raises(ValueError, match="not a manifest"):
        read_manifest(text.replace(found, instead))


@UNHURRIED
@given(FOOTAGES, st.lists(st.integers(1, 9999), max_size=100))
def test_metadata_is_read_back(footage: MediaInfo, lengths_ms: list[int]) -> None:
    """Fingerprint, writer, gaps and footage."""
    gaps = tuple(TimeWindow(START_MS + 9, START_MS + 9 + duration_ms) for duration_ms in lengths_ms)
    written = metadata(REQUEST, footage, "m#12", gaps)
    assert all(value.isascii() for value in written.values())
    expected = StoredClip(REQUEST.fingerprint, "m#12", 77, gaps, footage)
    assert stored_clip(written, 77) == expected


@pytest.mark.parametrize("window_ms", [300_000, 86_400_000])
def test_metadata_of_a_hundred_gaps_fits_into_2_kb(window_ms: int) -> None:
    """S3 counts the bytes of keys and values; more is refused (User Guide, object metadata)."""
    request = ClipRequest("c" * 64, "k" * 64, 10**15 - 1 - window_ms, 10**15 - 1)
    gaps = [
        TimeWindow(request.end_ms - 2 * number - 2, request.end_ms - 2 * number - 1)
        for number in range(100)
    ]
    footage = MediaInfo(10**7, 1 / 3e9, 1e8 / 3, 1e8 / 3, "hvc1", 7680, 4320, 10**7)
    written = metadata(request, footage, "19dd0b57-b21e-4ac1-bd88-01bbb068cb78#1000", gaps)
    assert sum(len(key) + len(value) for key, value in written.items()) <= 2048


@pytest.mark.parametrize(
    "changes",
    [{"start": "x"}, {"gaps": "1 !"}, {"gaps": "5 2"}, {"gaps": "2 2"}],
)
def test_metadata_of_others_is_another_clips(changes: dict[str, str]) -> None:
    """Whoever wrote it, it is not this service."""
    written = metadata(REQUEST, FOOTAGE, "m#1", ())
    assert stored_clip({**written, **changes}, 7) == StoredClip("", "", 7)
    assert stored_clip({}, 7) == StoredClip("", "", 7)
    assert stored_clip({"codec": "h264"}, 7) == StoredClip("", "", 7)


def test_measurements_of_another_version_are_no_obstacle() -> None:
    """The clip is still known by its fingerprint."""
    written = metadata(REQUEST, FOOTAGE, "m#1", ())
    known = stored_clip({**written, "footage": "1 2 3"}, 7)
    assert known == StoredClip(REQUEST.fingerprint, "m#1", 7)


# The camera API's answers


def row(**changes: object) -> dict[str, object]:
    return {
        "startDate": "2018-09-16T16:00:17.123Z",
        "endDate": "2018-09-16T16:10:17.000Z",
        "recordingUrl": "https://x.example/a/pier.stream.20180916T160017123.mp4?sig=/y.mp4",
        "alias": "pier",
        "thumbLargeUrl": None,
        **changes,
    }


STARTED_MS = 1_537_113_617_123
ENDED_MS = 1_537_114_217_000


def segments_of(payload: object) -> tuple[RecordingSegment, ...]:
    """Read a list for a window that its rows overlap."""
    return read_segments(payload, SegmentNaming(), TimeWindow(STARTED_MS, ENDED_MS)).segments


def test_segments_are_read() -> None:
    """In the order of the list, each as often as it is listed."""
    found = segments_of([row(), row(recordingUrl="b.mp4"), row()])
    assert [segment.name[0] for segment in found] == ["p", "b", "p"]
    assert found[0].window == TimeWindow(STARTED_MS, ENDED_MS)
    assert found[0].name == "pier.stream.20180916T160017123.mp4"


@pytest.mark.parametrize("start", [STARTED_MS, "2018-09-16T18:00:17.123999+02:00"])
def test_a_date_may_be_a_number_or_have_another_zone(start: object) -> None:
    """It is the same instant."""
    (found,) = segments_of([row(startDate=start)])
    assert found.window.start_ms == STARTED_MS


@pytest.mark.parametrize("start", [None, "", "yesterday", "2018-09-16T16:00:00", 1.5, {}])
def test_without_a_usable_date_the_name_tells_the_start(start: object) -> None:
    """To the millisecond."""
    (found,) = segments_of([row(startDate=start)])
    assert found.window.start_ms == STARTED_MS


def test_without_a_usable_end_ten_minutes_are_assumed() -> None:
    """The media's own length is found out later."""
    unended = {key: value for key, value in row().items() if key != "endDate"}
    (found,) = segments_of([unended])
    assert found.window == TimeWindow(STARTED_MS, STARTED_MS + 600_000)


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        "x",
        [None],
        [[]],
        [5, row(recordingUrl="a.ts")],
        [row(startDate=None, recordingUrl="pier.mp4")],
        *(
            [row(recordingUrl=url)]
            for url in (
                None,
                5,
                "",
                "file:///",
                "https://x.example/",
                "https://x.mp4",
                "https://x.example/..%2fetc.mp4",
                "https://x.example/.mp4",
                "https://x.example/a.mp4/",
                "https://x.example/ä.mp4",
                "https://x.example/a b.mp4",
                "https://x.example/a\n.mp4",
                "https://x.example/a.mp4\n",
                "https://x.example/" + "a" * 197 + ".mp4",
                "http://[x/a.mp4",
                "\ud800",
            )
        ),
    ],
    ids=lambda payload: ascii(payload)[-60:],
)
def test_nonsense_is_never_an_empty_list(payload: object) -> None:
    """The message goes back until the camera API makes sense again."""
    with pytest.raises(Unavailable):
        segments_of(payload)


@pytest.mark.parametrize(
    ("name", "start_ms"),
    [
        ("pier.20180815T140019.mp4", 1_534_341_619_000),
        ("pier.stream.20181031T025200051.mp4", 1_540_954_320_051),
        ("20181031T025200951.mp4", 1_540_954_320_951),
        ("pier.mp4", None),
        ("pier.20181331T025200.mp4", None),
        ("pier.20181031T0252.mp4", None),
        ("pier.19691231T235959.mp4", None),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_both_of_the_recorders_names_tell_the_start(
    name: str,
    start_ms: int | None,
    old: bool,
) -> None:
    """Whatever the settings say; milliseconds count, and seconds are not taken for them."""
    assert SegmentNaming(old_file_format=old).start_ms(name) == start_ms


def test_other_names_are_read_as_the_setting_says() -> None:
    """The old form of it is the one without a fraction."""
    naming = SegmentNaming("%d-%m-%Y_%H-%M-%S-%f", old_file_format=False)
    assert naming.start_ms("pier.31-10-2018_02-52-00-051.mp4") == 1_540_954_320_051
    assert SegmentNaming("%Y%m%d%H%M%S%f", True).start_ms("a.20181031025200.mp4") == (
        1_540_954_320_000
    )


def test_a_format_that_cannot_be_read_is_an_error_at_once() -> None:
    """Not when the first recording comes."""
    with pytest.raises(ValueError, match="bad directive"):
        SegmentNaming("%Y%Q")


def test_an_alias_is_a_text_that_an_address_can_hold() -> None:
    """Anything else is nonsense."""
    assert read_alias({"alias": "pier ä/.."}) == "pier ä/.."
    for bad in (None, "", ".", "..", "a" * 201, "a\n", "\ud800", 5, ["a"]):
        with pytest.raises(Unavailable):
            read_alias({"alias": bad})
    payloads: list[object] = [[], "alias", None, {}]
    for payload in payloads:
        with pytest.raises(Unavailable):
            read_alias(payload)
