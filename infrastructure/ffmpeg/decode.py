"""Decode clips to verify them, and excerpts to find damage: an exit code is no proof.

Measured on ffmpeg 9: `-xerror` ends with an error at a picture that the decoder had to conceal, or
could not begin; `-err_detect explode` also where it would only have said so; and some faults (a
reference that is not there) are only said. Changed bytes that make another valid picture are not
noticed at all, which is why slices are searched for bytes that none has.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from domain.errors import UnusableFootage
from infrastructure.ffmpeg.excerpt import Excerpt, require_possible_slices
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input

STRICTLY = ("-xerror", "-err_detect", "explode")
ALL_BUT_MESSAGES = ("-xerror",)
LENIENTLY = ("-threads", "1", "-max_error_rate", "1")
"""One thread, so that a decoder conceals the same damage in the same way each time. By default
ffmpeg fails if two thirds of the packets do not decode."""

PASSED = ("-fps_mode", "passthrough", "-enc_time_base", "demux")
"""No frame is repeated or dropped, and each has its time."""

MAX_FRAMES_OF_ONE_THREAD = 120
"""Up to so many frames, a decoder with one thread takes about as long as with several, and a third
less processor time (46 frames of 1080p: 0.14 s and 0.21 s of an EPYC's)."""

PICTURE_SIDE = 16


def decoder_threads(frames: int) -> Sequence[str]:
    """Return the options with which so many frames are decoded."""
    return ("-threads", "1") if frames <= MAX_FRAMES_OF_ONE_THREAD else ()


def decoding(excerpt: Excerpt) -> Sequence[str]:
    """Return the options to decode an excerpt: strictly, unless its damage is known."""
    if excerpt.is_damaged:
        return LENIENTLY
    return STRICTLY if is_fault_reported(excerpt) else ALL_BUT_MESSAGES


def is_fault_reported(excerpt: Excerpt) -> bool:
    """Return whether a message of the decoder means that a requested frame has a fault."""
    return not excerpt.is_damaged and not excerpt.has_hidden_frames


def decodes_without_fault(ffmpeg: Ffmpeg, excerpt: Excerpt, deadline_s: float) -> bool:
    """Return whether each of the excerpt's frames is decoded, at its time and without a fault."""
    try:
        require_possible_slices(excerpt.path, "the excerpt")
        times, messages = _decode(ffmpeg, decoding(excerpt), excerpt.path, deadline_s)
    except UnusableFootage:
        return False
    if messages and is_fault_reported(excerpt):
        return False
    return _times_of(excerpt) <= set(times)


def frames_with_picture(ffmpeg: Ffmpeg, excerpt: Excerpt, deadline_s: float) -> set[int]:
    """Return the excerpt's frames of which the decoder makes a picture, however damaged."""
    try:
        times, _ = _decode(ffmpeg, LENIENTLY, excerpt.path, deadline_s)
    except UnusableFootage:
        return set()
    timescale = excerpt.source.video.timescale
    decoded = set(times)
    return {i for i in excerpt.frames if Fraction(excerpt.shows(i), timescale) in decoded}


def require_decoder(ffmpeg: Ffmpeg, path: Path, deadline_s: float) -> None:
    """Encode a picture to `path` and decode it; UnusableFootage if ffmpeg cannot do that.

    Else a tool that is broken would pass for footage that is.
    """
    size = f"{PICTURE_SIDE}x{PICTURE_SIDE}"
    raw = ["-y", "-f", "rawvideo", "-pixel_format", "gray", "-video_size", size, "-i", "pipe:0"]
    coded = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-f", "mp4", file_url(path)]
    ffmpeg.run([*raw, *coded], deadline_s, stdin=bytes(PICTURE_SIDE**2))
    times, _ = _decode(ffmpeg, STRICTLY, path, deadline_s)
    if not times:
        raise UnusableFootage("ffmpeg decodes nothing, not even what it has just encoded.")


def decode_all_frames(  # noqa: PLR0913
    ffmpeg: Ffmpeg,
    path: Path,
    times: Sequence[int],
    timescale: int,
    deadline_s: float,
    *,
    audio: bool,
) -> None:
    """Decode every frame, and optionally the audio; UnusableFootage unless each is at its time.

    `times` are in ticks of `timescale` per second. Any message of the decoder is a failure.
    """
    options = ("-xerror", *decoder_threads(len(times)))
    decoded, messages = _decode(ffmpeg, options, path, deadline_s, audio=audio)
    if messages:
        raise UnusableFootage(f"The clip decodes with a message: {messages.splitlines()[0]}")
    if decoded != [Fraction(time, timescale) for time in times]:
        raise UnusableFootage(
            f"The clip decodes to {len(decoded)} frames, not the {len(times)} planned."
        )


def _decode(
    ffmpeg: Ffmpeg, options: Sequence[str], path: Path, deadline_s: float, *, audio: bool = False
) -> tuple[list[Fraction], str]:
    """Return when each decoded frame is shown, in seconds, and the decoder's messages."""
    decoded: list[Fraction] = []
    arguments = [*options, "-copyts", *mp4_input(path), "-map", "0:v:0", *PASSED]
    arguments += ["-c:v", "wrapped_avframe", "-f", "framecrc", "pipe:1"]
    if audio:
        # A clip without audio gives this output its video: two of its frames may be close.
        times = ["-fps_mode", "passthrough", "-enc_time_base:v", "demux"]
        arguments += ["-map", "0:a?", *times, "-f", "null", "-"]
    messages = ffmpeg.run(arguments, deadline_s, on_line=reading_times(decoded.append))
    return decoded, messages


def reading_times(on_time: Callable[[Fraction], None]) -> Callable[[str], None]:
    """Return what reads the lines of ffmpeg's framecrc, and passes on each time, in seconds.

    The times are those of the first output stream's packets.
    """
    base = Fraction(1)

    def on_line(line: str) -> None:
        nonlocal base
        if line.startswith("#tb 0:"):
            base = Fraction(line.partition(":")[2].strip())
        elif line[:1] == "0":
            on_time(int(line.split(",")[2]) * base)

    return on_line


def _times_of(excerpt: Excerpt) -> set[Fraction]:
    timescale = excerpt.source.video.timescale
    return {Fraction(excerpt.shows(i), timescale) for i in excerpt.frames}
