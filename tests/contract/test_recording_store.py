"""What every RecordingStore and Recording owe."""

import time

import pytest
from attrs import evolve

from application.ports import Recording
from domain.errors import DeadlineExceeded, NotRecordedYet, RecordingChanged, UnusableFootage
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from tests.contract.worlds import LENGTH_MS, START_MS, Footages, RecordingWorld

NAME = "pier.20180815T140019.mp4"
SEGMENT = RecordingSegment(TimeWindow(START_MS, START_MS + 600_000), NAME)
UNREAD = 1_200_000
"""Bytes from there on are not read to open the file, so they cannot be cached."""


def soon() -> float:
    return time.monotonic() + 10


def test_a_segment_is_as_long_as_its_media(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """The camera API's start holds, its end is corrected."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    assert opened.segment.name == NAME
    assert opened.segment.window == TimeWindow(START_MS, START_MS + LENGTH_MS)
    assert opened.size_bytes == len(footages.whole.data)


@pytest.mark.parametrize("window_ms", [(0, 2000), (300, 500), (1000, 1200), (1500, 1700)])
def test_its_stretches_are_those_that_its_frames_cover(
    recording_world: RecordingWorld, footages: Footages, window_ms: tuple[int, int]
) -> None:
    """Within the window for which it is opened."""
    recording_world.stores(NAME, footages.with_hole)
    window = TimeWindow(*window_ms).shifted(START_MS)
    opened = recording_world.recordings.open(SEGMENT, window, soon())
    within = [part for s in opened.segment.stretches if (part := s.intersection(window))]
    hole = TimeWindow(400, 1600).shifted(START_MS)
    assert within == window.without([hole])


def test_the_recorders_rounding_is_remembered(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """Where it says that it recorded for up to 1 s more, the last frame may be held."""
    recording_world.stores(NAME, footages.whole)
    rounded = evolve(SEGMENT, window=TimeWindow(START_MS, START_MS + LENGTH_MS + 700))
    hold_last_frame_until_ms = recording_world.recordings.open(
        rounded, rounded.window, soon()
    ).segment.hold_last_frame_until_ms
    assert hold_last_frame_until_ms == START_MS + LENGTH_MS + 700


@pytest.mark.parametrize(("offset", "length"), [(0, 1), (0, 64), (1000, 500), (700, 0)])
def test_a_range_is_read_exactly(
    recording_world: RecordingWorld, footages: Footages, offset: int, length: int
) -> None:
    """Neither a byte more nor a byte less, wherever it lies."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    assert opened.read(offset, length) == footages.whole.data[offset : offset + length]


def test_the_last_byte_can_be_read(recording_world: RecordingWorld, footages: Footages) -> None:
    """So can the whole file."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    assert opened.read(opened.size_bytes - 1, 1) == footages.whole.data[-1:]
    assert opened.read(0, opened.size_bytes) == footages.whole.data


def test_what_is_read_is_counted(recording_world: RecordingWorld, footages: Footages) -> None:
    """From the opening on, and whichever reader asks."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    before = opened.read_bytes
    assert 0 <= before <= 2 * opened.size_bytes
    opened.read(UNREAD, 500)
    opened.read(UNREAD + 1000, 28)
    assert opened.read_bytes == before + 500 + 28
    assert recording_world.recordings.open(SEGMENT, SEGMENT.window, soon()).read_bytes == before


def test_what_is_read_once_is_not_cached(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """The bytes are those that are read otherwise, and are fetched again."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    before = opened.read_bytes
    wanted = footages.whole.data[UNREAD : UNREAD + 500]
    assert [opened.read_once(UNREAD, 500) for _ in range(2)] == [wanted, wanted]
    assert opened.read_bytes == before + 1000
    with pytest.raises(ValueError, match="outside"):
        opened.read_once(opened.size_bytes, 1)


def test_a_range_beyond_the_file_is_refused_unread(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """It would be refused even if nothing could be read any more."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    recording_world.removes(NAME)
    for offset, length in ((0, opened.size_bytes + 1), (opened.size_bytes, 1), (-1, 1), (5, -1)):
        with pytest.raises(ValueError, match="outside"):
            opened.read(offset, length)


def test_the_version_changes_with_the_bytes(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """Even if the size stays; and it stays with the bytes."""
    recording_world.stores(NAME, footages.whole)
    versions = [
        recording_world.recordings.open(SEGMENT, SEGMENT.window, soon()).version for _ in range(2)
    ]
    recording_world.stores(NAME, footages.other)
    versions.append(recording_world.recordings.open(SEGMENT, SEGMENT.window, soon()).version)
    assert versions[0] == versions[1] != versions[2]


def test_a_recording_replaced_while_it_is_read_gives_no_more_bytes(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """Bytes of two versions never mix, even where they happen to be equal."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    opened.read(0, 10)
    recording_world.stores(NAME, footages.other)
    for offset in (UNREAD, UNREAD + 1000):
        with pytest.raises(RecordingChanged):
            opened.read(offset, 10)


def test_a_recording_removed_while_it_is_read_has_changed(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """It is not there in the version that was opened."""
    recording_world.stores(NAME, footages.whole)
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())
    recording_world.removes(NAME)
    with pytest.raises(RecordingChanged):
        opened.read(UNREAD, 10)


def test_an_absent_file_is_not_recorded_yet(recording_world: RecordingWorld) -> None:
    """The recorder may have listed it before it stored it."""
    with pytest.raises(NotRecordedYet):
        recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())


@pytest.mark.parametrize("state", ["empty", "unfinished"])
def test_a_file_without_a_moov_yet_is_not_recorded_yet(
    recording_world: RecordingWorld, footages: Footages, state: str
) -> None:
    """It has no bytes, or no sample table."""
    recording_world.stores(NAME, getattr(footages, state))
    with pytest.raises(NotRecordedYet):
        recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())


@pytest.mark.parametrize("state", ["text", "contradictory"])
def test_a_file_that_is_no_recording_or_contradicts_itself_is_unusable(
    recording_world: RecordingWorld, footages: Footages, state: str
) -> None:
    """A text by the name of a video stays one, and a wrong sample table wrong."""
    recording_world.stores(NAME, getattr(footages, state))
    with pytest.raises(UnusableFootage):
        recording_world.recordings.open(SEGMENT, SEGMENT.window, soon())


def test_nothing_is_opened_after_the_deadline(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """The attempt is over."""
    recording_world.stores(NAME, footages.whole)
    with pytest.raises(DeadlineExceeded):
        recording_world.recordings.open(SEGMENT, SEGMENT.window, time.monotonic())


def test_nothing_is_read_after_the_deadline_of_opening(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """A recording's reads are bound to the deadline that it was opened with."""
    recording_world.stores(NAME, footages.whole)
    deadline_s = time.monotonic() + 1
    opened = recording_world.recordings.open(SEGMENT, SEGMENT.window, deadline_s)
    time.sleep(max(0, deadline_s - time.monotonic()))
    with pytest.raises(DeadlineExceeded):
        opened.read(UNREAD, 10)


def test_several_are_opened_and_each_says_what_became_of_it(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    """In their order: a recording, or the error that opening it alone raises."""
    recording_world.stores("a.mp4", footages.whole)
    recording_world.stores("b.mp4", footages.text)
    recording_world.stores("c.mp4", footages.whole)
    segments = [evolve(SEGMENT, name=f"{letter}.mp4") for letter in "abdc"]
    first, unusable, absent, last = recording_world.recordings.open_all(
        segments, SEGMENT.window, soon()
    )
    assert isinstance(unusable, UnusableFootage)
    assert isinstance(absent, NotRecordedYet)
    for opened, segment in ((first, segments[0]), (last, segments[3])):
        assert isinstance(opened, Recording)
        assert (
            opened.segment
            == recording_world.recordings.open(segment, SEGMENT.window, soon()).segment
        )


def test_none_is_opened_after_the_deadline(
    recording_world: RecordingWorld, footages: Footages
) -> None:
    recording_world.stores(SEGMENT.name, footages.whole)
    with pytest.raises(DeadlineExceeded):
        recording_world.recordings.open_all([SEGMENT, SEGMENT], SEGMENT.window, time.monotonic())
