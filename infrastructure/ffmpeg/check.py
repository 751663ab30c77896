"""Measure the finished clip, and hold it against the plan. An exit code is no proof."""

from collections.abc import Sequence
from fractions import Fraction
from operator import add
from pathlib import Path

from domain.errors import Undecodable
from domain.standing import Footage
from infrastructure.ffmpeg.clip_tracks import ClipTrack
from infrastructure.ffmpeg.layout import Layout
from infrastructure.ffmpeg.runner import Ffmpeg, mp4_input
from infrastructure.ffmpeg.window import index_file
from infrastructure.mp4.index import Index


def measure(layout: Layout, times: Sequence[int], planned: ClipTrack, copied: int) -> Footage:
    """Read the clip's own tables, and return what they say if that is the plan; else Undecodable.

    `times` is when each frame is shown, in ticks of the clip's clock; `copied` of them are taken
    over.
    """
    index = index_file(layout.path)
    video = index.video
    if video is None or video.timescale != planned.timescale:
        raise Undecodable("The clip has no video.")
    # The reader's zero is the first frame.
    if sorted(video.pts) != [time - times[0] for time in times]:
        raise Undecodable(f"The clip's tables have other frames than the {len(times)} planned.")
    # Frames last as long as they are decoded, not shown, so the one shown last may say less.
    ends = max(map(add, video.pts, video.durations))
    if not video.shown_until <= planned.duration <= ends:
        raise Undecodable("The clip does not end when it was planned to.")
    _check_tiling(index, layout)
    return Footage(
        frames=len(video.pts),
        first_ms=times[0] * 1000 / video.timescale,
        last_ms=times[-1] * 1000 / video.timescale,
        duration_ms=(planned.delay + planned.duration) * 1000 / video.timescale,
        codec="h264",
        width=video.width,
        height=video.height,
        copied_frames=copied,
    )


def _check_tiling(index: Index, layout: Layout) -> None:
    """Every byte of the payload belongs to one sample, but those known to belong to none."""
    at, used = layout.header_bytes, 0
    tracks = [track for track in (index.video, index.sound) if track]
    for offset, size in sorted(
        place for track in tracks for place in zip(track.offsets, track.sizes, strict=True)
    ):
        if offset < at:
            raise Undecodable("Two of the clip's samples share their bytes.")
        at = offset + size
        used += size
    payload_bytes = layout.size_bytes - layout.header_bytes
    if at > layout.size_bytes or used != payload_bytes - layout.unused_bytes:
        raise Undecodable("The clip's samples do not fill its payload.")


def decode(  # noqa: PLR0913
    ffmpeg: Ffmpeg,
    path: Path,
    times: Sequence[int],
    timescale: int,
    deadline_s: float,
    *,
    sound: bool,
) -> None:
    """Decode every frame, and the sound if asked to; Undecodable unless all come, each in time.

    Any message of the decoder counts as a failure.
    """
    shown: list[Fraction] = []
    base = Fraction(1, timescale)

    def on_line(line: str) -> None:
        nonlocal base
        if line.startswith("#tb 0:"):
            base = Fraction(line.partition(":")[2].strip())
        elif line[:1] == "0":
            shown.append(int(line.split(",")[2]) * base)

    arguments = ["-xerror", "-copyts", *mp4_input(path), "-map", "0:v:0"]
    arguments += ["-fps_mode", "passthrough", "-enc_time_base", "demux"]
    arguments += ["-c:v", "wrapped_avframe", "-f", "framecrc", "pipe:1"]
    if sound:
        arguments += ["-map", "0:a?", "-f", "null", "-"]
    said = ffmpeg.run(arguments, deadline_s, on_line=on_line)
    if said:
        raise Undecodable(f"The clip decodes with a message: {said.splitlines()[0]}")
    if shown != [Fraction(time, timescale) for time in times]:
        raise Undecodable(f"The clip decodes to {len(shown)} frames, not the {len(times)} planned.")
