"""Measure the finished clip, and hold it against the plan. An exit code is no proof."""

from collections.abc import Sequence
from fractions import Fraction
from operator import add
from pathlib import Path

from domain.errors import UnusableFootage
from domain.manifest import MediaInfo
from infrastructure.ffmpeg.excerpt import index_file
from infrastructure.ffmpeg.runner import Ffmpeg, mp4_input
from infrastructure.mp4.index import SampleIndex
from infrastructure.splicing.layout import Layout
from infrastructure.splicing.tracks import ClipTrack


def verify_tables(
    layout: Layout, times: Sequence[int], planned: ClipTrack, copied: int
) -> MediaInfo:
    """Read the clip's own tables, and return what they say if that is the plan; else UnusableFootage.

    `times` is when each frame is shown, in ticks of the clip's clock; `copied` of them are taken
    over.
    """
    index = index_file(layout.path)
    video = index.video
    if video is None or video.timescale != planned.timescale:
        raise UnusableFootage("The clip has no video.")
    # The reader's zero is the first frame.
    if sorted(video.pts) != [time - times[0] for time in times]:
        raise UnusableFootage(f"The clip's tables have other frames than the {len(times)} planned.")
    # Frames last as long as they are decoded, not shown, so the one shown last may say less.
    ends = max(map(add, video.pts, video.durations))
    if not video.shown_until <= planned.duration <= ends:
        raise UnusableFootage("The clip does not end when it was planned to.")
    _check_tiling(index, layout)
    return MediaInfo(
        frames=len(video.pts),
        first_ms=times[0] * 1000 / video.timescale,
        last_ms=times[-1] * 1000 / video.timescale,
        duration_ms=(planned.delay + planned.duration) * 1000 / video.timescale,
        codec="h264",
        width=video.width,
        height=video.height,
        copied_frames=copied,
    )


def _check_tiling(index: SampleIndex, layout: Layout) -> None:
    """Every byte of the payload belongs to one sample, but those known to belong to none."""
    at, used = layout.header_bytes, 0
    tracks = [track for track in (index.video, index.audio) if track]
    for offset, size in sorted(
        place for track in tracks for place in zip(track.offsets, track.sizes, strict=True)
    ):
        if offset < at:
            raise UnusableFootage("Two of the clip's samples share their bytes.")
        at = offset + size
        used += size
    payload_bytes = layout.size_bytes - layout.header_bytes
    if at > layout.size_bytes or used != payload_bytes - layout.unused_bytes:
        raise UnusableFootage("The clip's samples do not fill its payload.")


def verify_frames(  # noqa: PLR0913
    ffmpeg: Ffmpeg,
    path: Path,
    times: Sequence[int],
    timescale: int,
    deadline_s: float,
    *,
    audio: bool,
) -> None:
    """Decode every frame, and the sound if asked to; UnusableFootage unless all come, each in time.

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
    if audio:
        arguments += ["-map", "0:a?", "-f", "null", "-"]
    said = ffmpeg.run(arguments, deadline_s, on_line=on_line)
    if said:
        raise UnusableFootage(f"The clip decodes with a message: {said.splitlines()[0]}")
    if shown != [Fraction(time, timescale) for time in times]:
        raise UnusableFootage(
            f"The clip decodes to {len(shown)} frames, not the {len(times)} planned."
        )
