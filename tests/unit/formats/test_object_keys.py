"""The names and the metadata of a clip's objects."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clip import ClipName, ClipRequest
from domain.manifest import MediaInfo, StoredClip
from domain.window import TimeWindow
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    stored_clip,
    thumbnail_key,
)
from tests.unit.formats.values import FOOTAGE, FOOTAGES, REQUEST, START_MS, UNHURRIED


def test_the_objects_are_named_after_camera_and_clip() -> None:
    """As the report says, without the slash."""
    name = ClipName("pier", "c1")
    keys = clip_key(name), thumbnail_key(name, 300, "jpg"), manifest_key(name)
    assert keys == ("pier/c1.mp4", "pier/c1_300.jpg", "pier/c1.json")


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
    """S3 counts the bytes of keys and values; more is rejected (User Guide, object metadata)."""
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
