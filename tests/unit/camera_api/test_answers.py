"""The camera API's answers."""

import pytest

from domain.errors import Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.answers import read_alias, read_segments
from infrastructure.camera_api.names import SegmentNaming


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
