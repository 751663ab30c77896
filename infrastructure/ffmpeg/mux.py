"""Put encoded frames and sound packets together: one MP4, one sample entry a track."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from attrs import field, frozen

from application.ports import FilePiece
from domain.errors import Undecodable
from infrastructure.ffmpeg.aac import EncodedSound
from infrastructure.ffmpeg.encode import Piece
from infrastructure.ffmpeg.sound import SoundPlan
from infrastructure.ffmpeg.window import Stored, Window
from infrastructure.mp4.avc import avc1_entry, build_avcc, merge_avcc
from infrastructure.mp4.writer import OutTrack, video_times, write_header

CHUNKS_A_SECOND = 2
"""Sound and pictures take turns in the payload, so that a player need not jump."""


@frozen(eq=False)
class ClipTrack:
    """A track of the clip before its samples have their places; the rest is OutTrack's."""

    kind: str
    sample_entry: bytes = field(repr=False)
    timescale: int
    samples: Sequence[Stored] = field(repr=False)
    dts: Sequence[int] = field(repr=False)
    pts: Sequence[int] = field(repr=False)
    sync: Sequence[int] = field(repr=False)
    duration: int  # ticks, from media_time on
    media_time: int = 0
    delay: int = 0
    width: int = 0
    height: int = 0


def video_track(
    pieces: Sequence[Piece], times: Sequence[Sequence[int]], timescale: int, length_ms: int
) -> ClipTrack:
    """Line up the pieces' frames, each shown when `times` says; the last until the clip ends."""
    first = pieces[0].track
    if any(
        (piece.track.width, piece.track.height) != (first.width, first.height) for piece in pieces
    ):
        raise Undecodable("The recordings' pictures came out in unlike sizes.")
    try:
        avcc = build_avcc(merge_avcc([piece.config for piece in pieces]))
    except ValueError as error:
        raise Undecodable(f"The encoded pieces do not fit together: {error}") from error
    shown: list[int] = []
    for piece, own in zip(pieces, times, strict=True):
        ranks = sorted(range(len(own)), key=piece.track.pts.__getitem__)
        at = [0] * len(own)
        for time, sample in zip(own, ranks, strict=True):
            at[sample] = time
        shown += at
    # Until the first frame there is nothing to show. An empty edit says so; ffmpeg takes it back
    # where only composition offsets do.
    delay = min(shown)
    dts, pts, media_time = video_times([time - delay for time in shown])
    return ClipTrack(
        kind="vide",
        sample_entry=avc1_entry(first.sample_entry, avcc),
        timescale=timescale,
        samples=[
            Stored(piece.path, at, size)
            for piece in pieces
            for at, size in zip(piece.track.offsets, piece.track.sizes, strict=True)
        ],
        dts=dts,
        pts=pts,
        sync=list(chain.from_iterable(piece.track.sync for piece in pieces)),
        duration=max(max(shown) + 1, length_ms * timescale // 1000) - delay,
        media_time=media_time,
        delay=delay,
        width=first.width,
        height=first.height,
    )


def copied_sound(plan: SoundPlan, windows: Sequence[Window], silence: Stored | None) -> ClipTrack:
    """Line up the planned packets; `silence` is what sounds where no recording has any."""
    firsts = [plan.samples(number) for number in range(len(windows))]
    samples = []
    for packet in plan.packets:
        if packet.silent:
            assert silence is not None  # noqa: S101 - made where the plan asks for it
            samples.append(silence)
        else:
            own = windows[packet.take].sound
            samples.append(own[packet.sample - firsts[packet.take].start])
    starts = [packet.starts for packet in plan.packets]
    return _sound_track(plan.model.sample_entry, plan.model.timescale, samples, starts, plan.end)


def encoded_sound(sound: EncodedSound, length_ms: int) -> ClipTrack:
    """Line up the packets of a sound that was encoded whole."""
    track = sound.track
    samples = [
        Stored(sound.path, at, size) for at, size in zip(track.offsets, track.sizes, strict=True)
    ]
    end = -(-length_ms * track.timescale // 1000)
    return _sound_track(track.sample_entry, track.timescale, samples, track.pts, end)


def _sound_track(
    entry: bytes, timescale: int, samples: Sequence[Stored], starts: Sequence[int], end: int
) -> ClipTrack:
    times = [time - starts[0] for time in starts]
    return ClipTrack(
        "soun", entry, timescale, samples, times, times, [1] * len(samples), end, -starts[0]
    )


def write_clip(tracks: Sequence[ClipTrack], path: Path) -> tuple[FilePiece, FilePiece]:
    """Write the clip to `path`: its header, and its payload."""
    placed: list[list[int]] = [[] for _ in tracks]
    order: list[Stored] = []
    payload_bytes = 0
    for number, sample in _taking_turns(tracks):
        placed[number].append(payload_bytes)
        order.append(sample)
        payload_bytes += sample.length
    header = write_header(
        [
            OutTrack(
                kind=track.kind,
                sample_entry=track.sample_entry,
                timescale=track.timescale,
                offsets=offsets,
                sizes=[sample.length for sample in track.samples],
                dts=track.dts,
                pts=track.pts,
                sync=track.sync,
                duration=track.duration,
                last_duration=_last_duration(track),
                media_time=track.media_time,
                delay=track.delay,
                width=track.width,
                height=track.height,
            )
            for track, offsets in zip(tracks, placed, strict=True)
        ],
        payload_bytes,
    )
    with path.open("wb") as out:
        out.write(header)
        _copy(order, out)
    return FilePiece(path, 0, len(header)), FilePiece(path, len(header), payload_bytes)


def _last_duration(track: ClipTrack) -> int:
    """Let the last sample last until the clip ends, also where it is not the one shown last.

    By the usual reckoning (ffmpeg's, too) a track lasts as long as its durations add up to, however
    late its frames are shown after decoding.
    """
    lasts = track.duration - track.dts[-1]
    ends = track.duration + track.media_time
    if any(
        shown + after - before >= ends
        for shown, before, after in zip(track.pts, track.dts, track.dts[1:], strict=False)
    ):
        return max(1, lasts)
    return max(1, lasts, ends - track.pts[-1])


def _taking_turns(tracks: Sequence[ClipTrack]) -> Iterator[tuple[int, Stored]]:
    """Yield (track, sample) half a second of the first track, half a second of the next, ..."""
    done = [0] * len(tracks)
    turn = 0
    while any(at < len(track.samples) for at, track in zip(done, tracks, strict=True)):
        turn += 1
        for number, track in enumerate(tracks):
            until = turn * track.timescale / CHUNKS_A_SECOND + track.media_time - track.delay
            while done[number] < len(track.samples) and track.dts[done[number]] < until:
                yield number, track.samples[done[number]]
                done[number] += 1


def _copy(samples: Sequence[Stored], out: BinaryIO) -> None:
    files: dict[Path, BinaryIO] = {}
    try:
        for sample in samples:
            if sample.path not in files:
                files[sample.path] = sample.path.open("rb")
            file = files[sample.path]
            file.seek(sample.offset)
            out.write(file.read(sample.length))
    finally:
        for file in files.values():
            file.close()
