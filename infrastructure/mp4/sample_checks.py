"""Whether the samples of a track can be: within their file, and apart from each other in time.

Files may be hostile. An excerpt of any samples that pass can be written, and a cut's memory and
time do not grow beyond what its duration explains.
"""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from operator import sub

from infrastructure.mp4.boxes import MAX_BOXES, fourcc
from infrastructure.mp4.errors import InvalidMp4, NoMoov
from infrastructure.mp4.range_cache import RangeCache
from infrastructure.mp4.sample_tables import (
    LONG_PACKETS_A_SECOND,
    StoredTrack,
    Times,
    TooManySamples,
    steps,
)

HEADER_READ_BYTES = 16 << 10
MAX_SAMPLE_DISTANCE, MAX_REORDERING = 1 << 31, 1 << 29
"""Ticks, between neighbours in presentation, and between a sample's place by decoding and by time:
the largest decode time and composition offset of an excerpt are then below 2^32."""
MAX_SAMPLES_A_SECOND = 1000
MAX_AUDIO_STEP_BACK_S = 5
"""A fragment's audio may begin before that of the last one ends, by the recorder's clock."""


def check_inside(file: RangeCache, track: StoredTrack) -> None:
    """Check the samples of a track, at least one.

    NoMoov if the file is cut off before one of them, InvalidMp4 if they cannot be.
    """
    _check_times(track)
    if track.kind == "vide" and 0 in track.sizes:
        raise InvalidMp4(f"video sample {track.sizes.index(0)} has no bytes")
    may_end_inside = file.size_bytes - max(track.sizes)
    late = [
        at + size
        for at, size in zip(track.offsets, track.sizes, strict=True)
        if at > may_end_inside
    ]
    if max(late, default=0) <= file.size_bytes:
        if sum(track.sizes) > file.size_bytes:
            raise InvalidMp4("the samples are larger than the file: they overlap")
        return
    _check_not_cut_off(file)
    raise InvalidMp4("samples are beyond the end of the file")


def _check_not_cut_off(file: RangeCache) -> None:
    at = 0
    for _ in range(MAX_BOXES):
        found = file.header(at, HEADER_READ_BYTES)
        if found is None:
            break
        at += found.size_bytes
        if at > file.size_bytes:
            raise NoMoov(f"the file is cut off inside its {fourcc(found.kind)}")


@contextmanager
def cut_off_first(file: RangeCache) -> Iterator[None]:
    """Report a file that is cut off as such, rather than as one with too many samples."""
    try:
        yield
    except TooManySamples:
        _check_not_cut_off(file)
        raise


def _ascending(track: StoredTrack) -> Times:
    """Return the times in the order in which frames are shown, and in which audio is played."""
    if isinstance(track.pts, range):
        return track.pts
    ascending = array("q", sorted(track.pts))
    if track.kind == "vide" or ascending == track.pts:
        return ascending
    return array("q", accumulate(track.pts, max))


def _check_times(track: StoredTrack) -> None:
    """Check that an excerpt of any of these samples can be written, and audio be found by time.

    An excerpt's tables have 32 bits. Gaps in the audio are filled with packets of its own duration.
    A cut's memory and time grow with its number of samples.
    """
    is_video = track.kind == "vide"
    ascending = _ascending(track)
    apart = steps(ascending)
    off = 0
    if ascending != track.pts:
        moves = [then - shown for then, shown in zip(ascending, track.pts, strict=True)]
        off = max(map(abs, moves))
    if max(apart, default=0) > MAX_SAMPLE_DISTANCE or off > MAX_REORDERING:
        raise InvalidMp4(
            f"samples ({track.kind}) are shown too long before or after their neighbours"
        )
    if min(apart, default=0) * MAX_SAMPLES_A_SECOND < track.timescale:
        crowd = map(sub, ascending[MAX_SAMPLES_A_SECOND:], ascending)
        if min(crowd, default=track.timescale) < track.timescale:
            raise InvalidMp4(f"more than {MAX_SAMPLES_A_SECOND} samples ({track.kind}) a second")
    if is_video:
        return
    if off > MAX_AUDIO_STEP_BACK_S * track.timescale:
        raise InvalidMp4("the audio goes back in time")
    usual = sorted(track.durations)[len(track.durations) // 2]
    if usual * LONG_PACKETS_A_SECOND < track.timescale:
        raise InvalidMp4(f"the audio is in packets of {usual} ticks, shorter than any codec's")
