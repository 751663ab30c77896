"""Whatever the camera API answers, there are segments that make sense, or the message goes back."""

import json
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports import Listing, ThumbnailSpec
from domain.errors import Rejected, Unavailable
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.answers import read_alias, read_segments
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.camera_api.names import SegmentNaming
from infrastructure.formats.reports import ReportFormat
from tests.support.loopback import answer, loopback

BEGAN_MS = 1_784_000_000_000
WINDOW = TimeWindow(BEGAN_MS, BEGAN_MS + 60_000)
NAMING = SegmentNaming()
FORMAT = ReportFormat("clips", "https://clips.example", ThumbnailSpec((300,)))
NAME = re.compile(r"[A-Za-z0-9_.-]{1,200}\.(?i:mp4|m4v|mov)")
NAMES = ("a.mp4", "pier.20260714T033320.mp4", "pier.stream.20260714T033320051.mp4", "a-b_c.d.mp4")
HOSTILE_URLS: tuple[object, ...] = (
    "http://169.254.169.254/latest/meta-data/a.mp4", "file:///etc/a.mp4", "a.mp4", "//x/a.mp4?b#c",
    "https://x/..%2fa.mp4",
    "https://x/%2e%2e/a.mp4", "../../a.mp4", "https://x/a.mp4/..", "..", ".mp4",
    "https://x/list.m3u8", "concat:a.mp4|b.mp4", "a\0.mp4", "a\n.mp4", "https://x/а.mp4", "-i.mp4",
    "%d.mp4", "\ud800.mp4", "x" * 300 + ".mp4", "https://[::1/a.mp4", "s3://other/a.mp4", "a.mp4;b",
    "\\\\host\\a.mp4", "https://x/a.mp4\r\nHost: y", "https://user:pw@x/a.mp4", "...mp4", "a.MP4",
    None, 5, True, [], {}, "",
)  # fmt: skip
DATES: tuple[object, ...] = (
    BEGAN_MS, str(BEGAN_MS), BEGAN_MS + 600_000, BEGAN_MS - 1000, "2026-07-14T03:33:20.000Z",
    "2026-07-14T03:43:20Z", "2026-07-14T05:33:20.000+02:00", "2026-07-14", "2026-07-14T03:33:20",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-23:59", "2026-W29-2T03:33:20Z", "yesterday",
    -1, 0, 1.5, 1e400, 10**15, 10**400, "1" * 20, True,
    None, [], {}, "", "\0", "٢٠٢٦-07-14T03:33:20Z",
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("startDate", "alias", "recordingUrl")), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def mostly(
    good: st.SearchStrategy[object], bad: st.SearchStrategy[object]
) -> st.SearchStrategy[object]:
    return st.one_of(good, good, good, good, good, bad)


URLS = mostly(
    st.sampled_from(NAMES).map(lambda name: f"https://x/y/{name}"),
    st.sampled_from(HOSTILE_URLS) | ANYTHING,
)
GOOD_DATES = st.integers(-60, 60).map(lambda s: BEGAN_MS + 10_000 * s)
ROWS = mostly(
    st.fixed_dictionaries(
        {
            "startDate": mostly(GOOD_DATES, st.sampled_from(DATES)),
            "endDate": mostly(
                st.sampled_from((None, BEGAN_MS + 700_000, BEGAN_MS + 10_700_000)),
                st.sampled_from(DATES) | ANYTHING,
            ),
            "recordingUrl": URLS,
        },
        optional={"alias": ANYTHING, "thumbLargeUrl": ANYTHING},
    ),
    ANYTHING,
)
LISTS = st.one_of(*[st.lists(ROWS, max_size=4)] * 6, st.lists(ROWS, max_size=1), ANYTHING)


def check(segments: list[RecordingSegment]) -> None:
    """The domain's own rules hold, and a plan of them tiles the window."""
    for segment in segments:
        assert 0 <= segment.window.start_ms < segment.window.end_ms < 10**16
        assert NAME.fullmatch(segment.name)
        assert segment.name not in (".mp4", "..mp4")
    plan = plan_clip(WINDOW, segments, 1000)
    tiles = sorted((t.start_ms, t.end_ms) for t in (*plan.seams, *plan.gaps, *_windows(plan.cuts)))
    assert [start for start, _ in tiles] == [WINDOW.start_ms, *(end for _, end in tiles[:-1])]
    assert tiles[-1][1] == WINDOW.end_ms
    for cut in plan.cuts:
        assert cut.segment in segments
        assert cut.segment.window.start_ms <= cut.window.start_ms
        assert cut.window.end_ms <= cut.segment.window.end_ms


def _windows(cuts: tuple[object, ...]) -> list[TimeWindow]:
    return [cut.window for cut in cuts]  # type: ignore[attr-defined]


def attempted(
    find: Callable[[], Listing],
) -> tuple[list[RecordingSegment] | None, str]:
    """Return what is found and left out, or None and what is said instead; no other error."""
    try:
        listing = find()
        said = " ".join(map(str, listing.left_out))
        return list(listing.segments), said
    except (Unavailable, Rejected) as error:
        return None, str(error)


@settings(max_examples=500, suppress_health_check=list(HealthCheck))
@given(LISTS)
def test_a_list_of_recordings_makes_sense_or_is_unavailable(payload: object) -> None:
    """Read as it comes over the line, in strict JSON or not; then planned on."""
    found, said = attempted(lambda: read_segments(json.loads(json.dumps(payload)), NAMING, WINDOW))
    assert not said or said.isprintable()
    if found is None:
        assert len(said) < 300
        return
    assert isinstance(payload, list)
    assert len(found) <= len(payload)
    assert all(segment.window.overlaps(WINDOW) for segment in found)
    check(found)


@settings(suppress_health_check=list(HealthCheck))
@given(st.fixed_dictionaries({}, optional={"alias": ANYTHING}) | ANYTHING)
def test_an_alias_is_a_text_or_unavailable(payload: object) -> None:
    """Whatever else the camera's answer is."""
    try:
        alias = read_alias(json.loads(json.dumps(payload)))
    except Unavailable:
        return
    assert isinstance(payload, dict)
    assert payload["alias"] == alias
    assert 1 <= len(alias) <= 200
    assert alias not in (".", "..")


BROKEN: tuple[Callable[[bytes], bytes], ...] = (
    lambda body: body,
    lambda body: body[: len(body) // 2],
    lambda body: body + b"]",
    lambda body: b"\xef\xbb\xbf" + body,
    lambda body: body.decode().encode("utf-16"),
    lambda body: body.replace(b'"', b"'"),
    lambda body: body.replace(b"17840", b"NaN"),
    lambda body: b"[" * 60_000 + body,
)


def test_over_the_line_it_is_the_same() -> None:
    """100 answers of a real server, whole or not: no other error, and no other address is asked."""
    asked: list[str] = []

    @settings(database=None, suppress_health_check=list(HealthCheck))
    @given(LISTS, st.sampled_from(BROKEN), st.sampled_from(("pier", "a/b", "..", "x?y#", 5, None)))
    def ask(payload: object, broken: Callable[[bytes], bytes], alias: object) -> None:
        camera = answer("200 OK", json.dumps({"alias": alias}).encode())
        with loopback(camera, answer("200 OK", broken(json.dumps(payload).encode()))) as server:
            api = HttpCameraService(server.url, server.url, FORMAT)
            found, _ = attempted(lambda: api.find_segments("pier", WINDOW, time.monotonic() + 10))
            check(found or [])
        asked.extend(request.split(" ")[1] for request in server.requests)
        assert len(server.requests) <= 2

    ask()
    paths = {path.partition("?")[0] for path in asked}
    assert paths == {
        "/cameras/pier",
        *(f"/cameras/recording/{alias}" for alias in ("pier", "a%2Fb", "x%3Fy%23")),
    }


@pytest.mark.parametrize("url", HOSTILE_URLS, ids=ascii)
def test_no_address_of_a_recording_is_asked(url: object) -> None:
    """Two requests, both to the camera API; what comes out is a plain file name or an error."""
    row = {"startDate": BEGAN_MS, "endDate": BEGAN_MS + 9_000, "recordingUrl": url}
    listed = answer("200 OK", json.dumps([row]).encode())
    with loopback(answer("200 OK", b'{"alias": "pier"}'), listed) as server:
        api = HttpCameraService(server.url, server.url, FORMAT)
        found, _ = attempted(lambda: api.find_segments("pier", WINDOW, time.monotonic() + 10))
    assert [request.split(" ")[1].partition("?")[0] for request in server.requests] == [
        "/cameras/pier",
        "/cameras/recording/pier",
    ]
    check(found or [])
