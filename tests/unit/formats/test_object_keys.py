"""The names and the metadata of a clip's objects."""

import pytest
from hypothesis import given

from domain.clip import ClipName, ClipRequest
from domain.coverage import Coverage
from domain.manifest import MediaInfo, StoredClip
from domain.window import TimeWindow
from infrastructure.formats.coverage_box import with_box
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    stored_clip,
    thumbnail_key,
)
from tests.unit.formats.values import (
    COVERAGES,
    FOOTAGE,
    FOOTAGES,
    REQUEST,
    START_MS,
    UNHURRIED,
)


def test_the_objects_are_named_after_camera_and_clip() -> None:
    """As the report says, without the slash."""
    name = ClipName("pier", "c1")
    keys = clip_key(name), thumbnail_key(name, 300, "jpg"), manifest_key(name)
    assert keys == ("pier/c1.mp4", "pier/c1_300.jpg", "pier/c1.json")


@UNHURRIED
@given(FOOTAGES, COVERAGES)
def test_metadata_is_read_back(footage: MediaInfo, coverage: Coverage) -> None:
    """Fingerprint, writer, coverage and footage, as printable ASCII."""
    written = metadata(REQUEST, footage, "m#12", coverage)
    assert all(value.isascii() for value in written.values())
    assert all(value.isprintable() for value in written.values())
    expected = StoredClip(REQUEST.fingerprint, "m#12", 77, coverage, footage)
    assert stored_clip(written, 77) == expected


def test_metadata_of_before_is_read() -> None:
    """It has the gaps alone, in base 36, and a word less for the footage."""
    written = {
        "fingerprint": REQUEST.fingerprint,
        "writer": "m#1",
        "start": str(START_MS),
        "end": str(REQUEST.end_ms),
        "gaps": "0 rs 1jk 2bc",
        "footage": "5 0.0 4.0 5.0 avc1 1920 1080 3",
    }
    gaps = (
        TimeWindow(START_MS, START_MS + 1000),
        TimeWindow(START_MS + 2000, START_MS + 3000),
    )
    media = MediaInfo(5, 0.0, 4.0, 5.0, "avc1", 1920, 1080, 3, 0)
    expected = StoredClip(REQUEST.fingerprint, "m#1", 7, Coverage(gaps), media)
    assert stored_clip(written, 7) == expected


@pytest.mark.parametrize("window_ms", [300_000, 86_400_000])
def test_services_of_before_read_the_gaps(window_ms: int) -> None:
    """100 of them fit into S3's 2 KB (User Guide, object metadata), whatever else there is."""
    request = ClipRequest("c" * 64, "k" * 64, 10**15 - 1 - window_ms, 10**15 - 1)
    gaps = tuple(
        TimeWindow(request.end_ms - 2 * number - 2, request.end_ms - 2 * number - 1)
        for number in range(100)
    )
    footage = MediaInfo(10**7, 1 / 3e9, 1e8 / 3, 1e8 / 3, "hvc1", 7680, 4320, 10**7)
    writer = "19dd0b57-b21e-4ac1-bd88-01bbb068cb78#1000"
    written, box = with_box(metadata(request, footage, writer, Coverage(gaps)))
    assert box
    assert sum(len(key) + len(value) for key, value in written.items()) <= 2048
    assert stored_clip(written, 7) == StoredClip(
        request.fingerprint, writer, 7, Coverage(gaps), footage
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"coverage": "x"},
        {"coverage": '{"gaps": 5}'},
        {"coverage": None, "start": "x"},
        {"coverage": None, "gaps": "1 !"},
        {"coverage": None, "gaps": "5 2"},
        {"coverage": None, "gaps": "2 2"},
        {"fingerprint": None},
        {"writer": None},
    ],
)
def test_metadata_of_others_is_another_clips(changes: dict[str, str | None]) -> None:
    """Whoever wrote it, it is not this service."""
    written = {**metadata(REQUEST, FOOTAGE, "m#1", Coverage()), **changes}
    known = {name: text for name, text in written.items() if text is not None}
    assert stored_clip(known, 7) == StoredClip("", "", 7)
    assert stored_clip({}, 7) == StoredClip("", "", 7)
    assert stored_clip({"codec": "h264"}, 7) == StoredClip("", "", 7)


def test_measurements_of_a_newer_version_are_read() -> None:
    """It appends words."""
    written = metadata(REQUEST, FOOTAGE, "m#1", Coverage())
    newer = {**written, "footage": f"{written['footage']} hdr10 2"}
    assert stored_clip(newer, 7) == stored_clip(written, 7)


@pytest.mark.parametrize("words", ["1 2 3", "x 0.0 4.0 5.0 avc1 1920 1080 3"])
def test_measurements_of_another_version_are_no_obstacle(words: str) -> None:
    """The clip is still known by its fingerprint."""
    written = metadata(REQUEST, FOOTAGE, "m#1", Coverage())
    known = stored_clip({**written, "footage": words}, 7)
    assert known == StoredClip(REQUEST.fingerprint, "m#1", 7)
