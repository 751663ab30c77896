"""Write excerpts: a few samples of a recording, as a small MP4 of their own."""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO

from infrastructure.mp4.boxes import Read
from infrastructure.mp4.edit_list import rounded
from infrastructure.mp4.index import SampleIndex, Track
from infrastructure.mp4.writer import TrackToWrite, video_times, write_header

MAX_HOLE_READ_BYTES = 64 << 10
"""Unneeded bytes between needed ones are read along up to this size: a request costs more."""


def write_excerpt(  # noqa: PLR0913, PLR0917
    index: SampleIndex,
    read: Read,
    first: int,
    last: int,
    out: BinaryIO,
    audio: range = range(0),
    encoder_sei: bytes = b"",
    is_left_out: Callable[[int, bytes], bool] = lambda _number, _sample: False,
) -> int:
    """Write the video samples *first* to *last* (decode order, inclusive) as an MP4 of their own.

    Return the offset of its times, in video ticks: a time in it is the recording's pts - offset.

    The bytes and the sample entry are the recording's; the times are shifted so that *first* is
    shown at 0. The edit list ends with the last frame shown, so that none is dropped. Frames after
    *first* that are shown before it (an open GOP's leading frames, which need the previous GOP) are
    kept but hidden. *audio* are the audio samples to include, in step; those before 0 are hidden.
    *encoder_sei* are NAL units to put before those of *first*. *is_left_out* returns for a video
    sample between *first* and *last* and its bytes whether it is not written.
    Reads are in file order, one per run of bytes; holes under 64 KiB are read but not written.
    """
    video = index.video
    if video is None or not 0 <= first <= last < len(video.sizes):
        raise ValueError(f"the recording has no video samples {first} to {last}")
    numbers = range(first, last + 1)
    parts = [(video.offsets[i], video.sizes[i]) for i in numbers]
    audio_track = index.audio if audio else None
    if audio_track is not None:
        parts += [(audio_track.offsets[i], audio_track.sizes[i]) for i in audio]
    samples = _read(parts, read)
    wanted = [
        i for i in numbers if not first < i < last or not is_left_out(i, bytes(samples[i - first]))
    ]
    order = [i - first for i in wanted] + [*range(len(numbers), len(parts))]
    order.sort(key=parts.__getitem__)
    samples[0] = memoryview(encoder_sei + samples[0])
    sizes = [*map(len, samples)]
    offsets = [0] * len(parts)
    payload_bytes = 0
    for part in order:
        offsets[part] = payload_bytes
        payload_bytes += sizes[part]
    tracks = [_video(video, first, wanted, offsets, sizes)]
    if audio_track is not None:
        move = rounded(video.pts[first] * audio_track.timescale, video.timescale)
        tracks.append(_audio(audio_track, audio, move, offsets[len(numbers) :]))
    out.write(write_header(tracks, payload_bytes))
    out.writelines(map(samples.__getitem__, order))
    return video.pts[first]


def _read(parts: Sequence[tuple[int, int]], read: Read) -> list[memoryview]:
    """Return the bytes of each (offset, size)."""
    samples = [memoryview(b"")] * len(parts)
    numbered = sorted((offset, size, number) for number, (offset, size) in enumerate(parts))
    for run in _runs(numbered):
        begin, end = run[0][0], max(offset + size for offset, size, _ in run)
        data = memoryview(read(begin, end - begin))
        for offset, size, number in run:
            samples[number] = data[offset - begin : offset - begin + size]
    return samples


def _runs(parts: Sequence[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    """Yield the parts, ascending, that are read at once."""
    run: list[tuple[int, int, int]] = []
    end = 0
    for part in parts:
        if run and part[0] - end >= MAX_HOLE_READ_BYTES:
            yield run
            run = []
        run.append(part)
        end = max(end, part[0] + part[1])
    if run:
        yield run


def _video(
    track: Track, first: int, wanted: Sequence[int], offsets: Sequence[int], sizes: Sequence[int]
) -> TrackToWrite:
    zero = track.pts[first]
    dts, pts, media_time = video_times([track.pts[i] - zero for i in wanted])
    end = max(track.pts[i] - zero + max(track.durations[i], 1) for i in wanted)
    return TrackToWrite(
        kind="vide",
        sample_entry=track.sample_entry,
        timescale=track.timescale,
        offsets=[offsets[i - first] for i in wanted],
        sizes=[sizes[i - first] for i in wanted],
        dts=dts,
        pts=pts,
        sync=[track.sync[i] for i in wanted],
        duration=end,
        last_duration=max(track.durations[wanted[-1]], 1),
        media_time=media_time,
        width=track.width,
        height=track.height,
        matrix=track.matrix,
    )


def _audio(track: Track, wanted: range, zero: int, offsets: list[int]) -> TrackToWrite:
    begin = track.pts[wanted[0]] - zero
    # A fragment's audio_track may begin before that of the last one ends, by the recorder's clock.
    dts = list(accumulate((track.pts[i] - zero - begin for i in wanted), max))
    media_time = max(0, -begin)
    return TrackToWrite(
        kind="soun",
        sample_entry=track.sample_entry,
        timescale=track.timescale,
        offsets=offsets,
        sizes=[track.sizes[i] for i in wanted],
        dts=dts,
        pts=dts,
        sync=[1] * len(wanted),
        duration=max(dts[-1] + track.durations[wanted[-1]] - media_time, 0),
        last_duration=track.durations[wanted[-1]],
        media_time=media_time,
        delay=max(0, begin),
    )
