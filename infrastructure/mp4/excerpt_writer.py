"""Write excerpts: a few samples of a recording, as a small MP4 of their own."""

from collections.abc import Iterator
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
) -> int:
    """Write the video samples *first* to *last* (decode order, inclusive) as an MP4 of their own.

    Return the offset of its times, in video ticks: a time in it is the recording's pts - offset.

    The bytes and the sample entry are the recording's; the times are shifted so that *first* is
    shown at 0. The edit list ends with the last frame shown, so that none is dropped. Frames after
    *first* that are shown before it (an open GOP's leading frames, which need the previous GOP) are
    kept but hidden. *audio* are the audio samples to include, in step; those before 0 are hidden.
    *encoder_sei* are NAL units to put before those of *first*.
    Reads are in file order, one per run of bytes; holes under 64 KiB are read but not written.
    """
    video = index.video
    if video is None or not 0 <= first <= last < len(video.sizes):
        raise ValueError(f"the recording has no video samples {first} to {last}")
    wanted = range(first, last + 1)
    zero = video.pts[first]
    parts = [(video.offsets[i], video.sizes[i]) for i in wanted]
    audio_track = index.audio if audio else None
    if audio_track is not None:
        parts += [(audio_track.offsets[i], audio_track.sizes[i]) for i in audio]
    order = sorted(range(len(parts)), key=parts.__getitem__)
    sizes = [size for _, size in parts]
    sizes[0] += len(encoder_sei)
    offsets, payload_bytes = [0] * len(parts), 0
    for i in order:
        offsets[i] = payload_bytes
        payload_bytes += sizes[i]
    tracks = [_video(video, wanted, zero, offsets[: len(wanted)], sizes[: len(wanted)])]
    if audio_track is not None:
        move = rounded(zero * audio_track.timescale, video.timescale)
        tracks.append(_audio(audio_track, audio, move, offsets[len(wanted) :]))
    out.write(write_header(tracks, payload_bytes))
    for at, length, pieces in _runs([parts[i] for i in order]):
        data = memoryview(read(at, length))
        for piece in pieces:
            offset, size = piece
            out.write(encoder_sei if piece == parts[0] else b"")
            out.write(data[offset - at : offset - at + size])
    return zero


def _video(
    track: Track, wanted: range, zero: int, offsets: list[int], sizes: list[int]
) -> TrackToWrite:
    dts, pts, media_time = video_times([track.pts[i] - zero for i in wanted])
    end = max(track.pts[i] - zero + max(track.durations[i], 1) for i in wanted)
    return TrackToWrite(
        kind="vide",
        sample_entry=track.sample_entry,
        timescale=track.timescale,
        offsets=offsets,
        sizes=sizes,
        dts=dts,
        pts=pts,
        sync=track.sync[wanted.start : wanted.stop],
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


def _runs(parts: list[tuple[int, int]]) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
    """Join (offset, size) pairs, ascending, into reads: offset, length, and the pairs inside."""
    run: list[tuple[int, int]] = []
    end = 0
    for offset, size in parts:
        if run and offset - end >= MAX_HOLE_READ_BYTES:
            yield run[0][0], end - run[0][0], run
            run = []
        run.append((offset, size))
        end = max(end, offset + size)
    if run:
        yield run[0][0], end - run[0][0], run
