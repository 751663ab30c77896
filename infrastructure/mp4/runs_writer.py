"""Write runs of samples of a track, one after the other, as an MP4 of their own."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import BinaryIO

from infrastructure.mp4.index import Track
from infrastructure.mp4.writer import TrackToWrite, video_times, write_header


def write_runs(
    track: Track, runs: Sequence[range], payloads: Iterable[bytes], out: BinaryIO
) -> dict[int, int]:
    """Write runs of samples, in decode order; return when each sample is shown, in video ticks.

    Each run begins with a sample that decoding may begin at, and is shown after the one before it,
    whatever is between them in the track. *payloads* are the bytes of each run, in turn.
    """
    samples = [sample for run in runs for sample in run]
    shown, end = dict[int, int](), 0
    for run in runs:
        move = end - min(track.pts[sample] for sample in run)
        for sample in run:
            shown[sample] = track.pts[sample] + move
            end = max(end, shown[sample] + max(track.durations[sample], 1))
    dts, pts, media_time = video_times([shown[sample] for sample in samples])
    sizes = [track.sizes[sample] for sample in samples]
    written = TrackToWrite(
        kind="vide",
        sample_entry=track.sample_entry,
        timescale=track.timescale,
        offsets=[0, *accumulate(sizes)][:-1],
        sizes=sizes,
        dts=dts,
        pts=pts,
        sync=[track.sync[sample] for sample in samples],
        duration=end,
        last_duration=max(track.durations[samples[-1]], 1),
        media_time=media_time,
        width=track.width,
        height=track.height,
        matrix=track.matrix,
    )
    out.write(write_header([written], sum(sizes)))
    out.writelines(payloads)
    return shown
