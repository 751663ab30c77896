"""Whether there is memory for pictures of a recording's size, before ffmpeg is started.

Where it is not, the kernel kills ffmpeg or the whole function without a reason. The bound is the
least that was measured, so it refuses nothing that can work: ffmpeg may still need more. Peak
memory of ffmpeg 9 on two processors, in bytes a pixel of the picture, about 30 MB apart:

    4:2:0, 8 bits               H.264 8K   H.264 4K   HEVC 4K
    decode, one thread                11         13        14
    decode, default threads           19         19        19
    encode 1 frame, one thread        16         21        21
    encode 4, one thread              46         46        32
    encode 12, one thread             63         66        58
    encode 40, one thread             64         66        67
    encode 40, default threads        95         94        98
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from domain.errors import Unavailable
from infrastructure.splicing.filler import encoded_pictures
from infrastructure.splicing.spans import EncodedSpan, Span

BASE_BYTES = 90_000_000
"""What ffmpeg takes whatever the pictures, 30 MB, and the service's own process, at least 60 MB."""
DECODED_BYTES_A_PIXEL = 11
ENCODED_BYTES_A_PIXEL_AND_FRAME = 4
MAX_HELD_FRAMES = 11
"""How many frames the encoder is counted to hold; from there on its memory hardly grows."""
CGROUPS = "sys/fs/cgroup"


def require_memory(spans: Sequence[Span], memory_bytes: float) -> None:
    """Unavailable unless pictures of every span can be decoded, and encoded where they must be."""
    for span in spans:
        video = span.source.video
        frames = encoded_pictures(span) if isinstance(span, EncodedSpan) else 0
        needed_bytes = least_bytes(video.width * video.height, frames)
        if needed_bytes > memory_bytes:
            work = f"encode {frames} frames of" if frames else "decode"
            raise Unavailable(
                f"The pictures of {span.source.cut.segment.name} are {video.width}x{video.height}:"
                f" to {work} them takes at least {needed_bytes / 1e6:.0f} MB of memory, and there"
                f" are {memory_bytes / 1e6:.0f} MB. Give the service more memory."
            )


def least_bytes(pixels: int, encoded_frames: int) -> int:
    """Return the least memory that decoding pictures of `pixels` takes, and encoding some."""
    held = min(encoded_frames, MAX_HELD_FRAMES)
    bytes_a_pixel = DECODED_BYTES_A_PIXEL + ENCODED_BYTES_A_PIXEL_AND_FRAME * held
    return BASE_BYTES + pixels * bytes_a_pixel


def available_memory_bytes(environ: Mapping[str, str], root: Path = Path("/")) -> int:
    """Return the memory that the service may use: the smallest of the limits that are set.

    They are Lambda's (Lambda developer guide, "Defined runtime environment variables", in MiB), the
    control groups' and those above them (Linux, cgroups(7)), and the machine's memory.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_group_limits(root)]
    if (lambda_mib := environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")).isdecimal():
        limits.append(int(lambda_mib) << 20)
    return min(limits)


def _group_limits(root: Path) -> Iterator[int]:
    """Yield the limits of the process's control groups, of either version."""
    for file in _limit_files(root):
        with suppress(OSError, ValueError):  # absent, or "max"
            yield int(file.read_text())


def _limit_files(root: Path) -> Iterator[Path]:
    groups = ""
    with suppress(OSError):
        groups = (root / "proc/self/cgroup").read_text()
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, name = root / CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path may be the host's, of which only the top is mounted.
        own = top / path.lstrip("/")
        yield from (folder / name for folder in (own, *own.parents) if folder.is_relative_to(top))
