"""The clip's track of text: cues, as samples of a file of our own."""

from array import array
from collections.abc import Sequence
from itertools import accumulate

from application.ports import FilePiece
from domain.wall_clock import Cue
from infrastructure.mp4.timed_text import SUBTITLES, text_sample, text_sample_entry
from infrastructure.mp4.writer import TrackToWrite
from infrastructure.splicing.stored_samples import StoredSamples
from infrastructure.splicing.tracks import ClipTrack

TIMESCALE = 1000
"""Cues have times in whole milliseconds."""


def samples_of(cues: Sequence[Cue]) -> list[bytes]:
    """Return the sample of each cue."""
    return [text_sample(cue.text) for cue in cues]


def text_track(cues: Sequence[Cue], samples: Sequence[bytes], file: FilePiece) -> ClipTrack:
    """Return the track of cues that cover the clip; `file` has their samples, one after another."""
    sizes = array("Q", map(len, samples))
    offsets = array("q", accumulate(sizes, initial=0))
    offsets.pop()
    starts = [cue.start_ms for cue in cues]
    track = TrackToWrite(
        kind=SUBTITLES,
        sample_entry=text_sample_entry(),
        timescale=TIMESCALE,
        offsets=(),
        sizes=sizes,
        dts=starts,
        pts=starts,
        sync=[1] * len(starts),
        duration=cues[-1].end_ms,
        last_duration=cues[-1].end_ms - starts[-1],
    )
    return ClipTrack(track, [StoredSamples(file, offsets, sizes)])
