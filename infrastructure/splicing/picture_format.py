"""What the clip's pictures look like: one size for all of them, upright where sizes differ."""

from collections import defaultdict
from collections.abc import Sequence

from attrs import frozen

from infrastructure.mp4.boxes import child
from infrastructure.mp4.index import Track
from infrastructure.splicing.frames import CutSource

ENTRY_BYTES = 86
"""A video sample entry's own fields, header included: boxes follow (ISO/IEC 14496-12, 12.1.3)."""


UPRIGHT = (0x10000, 0, 0, 0x10000)
SQUARE = (b"", b"\0\0\0\1\0\0\0\1")


@frozen
class PictureFormat:
    """How decoded pictures become the clip's: ffmpeg has turned them upright already.

    `size`, in pixels, is what they are fitted into, or None to leave them as large as they are.
    """

    size: tuple[int, int] | None
    full_range: bool = False
    """Whether the samples use all 8 bits' values, as those that are taken over do."""

    def matches(self, video: Track) -> bool:
        """Tell whether stored pictures have this look already."""
        if _turn(video) != UPRIGHT or video.width % 2 or video.height % 2:
            return False
        return self.size is None or (
            self.size == (video.width, video.height) and _aspect(video) in SQUARE
        )

    @property
    def filters(self) -> str:
        """The ffmpeg filter chain: even sides, 4:2:0; square pixels where pictures must fit."""
        values, pixels = ("pc", "yuvj420p") if self.full_range else ("tv", "yuv420p")
        if self.size is None:
            return f"crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,scale=out_range={values},format={pixels}"
        size = f"{self.size[0]}:{self.size[1]}"
        return (
            "scale=iw*sar:ih,setsar=1,"
            f"scale={size}:force_original_aspect_ratio=decrease:out_range={values},"
            f"pad={size}:-1:-1,setsar=1,format={pixels}"
        )


def majority_format(sources: Sequence[CutSource]) -> PictureFormat:
    """Return the look of a clip of `sources`: their own, or the one of most of its time."""
    lengths_ms: dict[tuple[object, ...], int] = defaultdict(int)
    for source in sources:
        lengths_ms[geometry(source.video)] += source.cut.window.duration_ms
    if len(lengths_ms) == 1:
        return PictureFormat(None)
    longest = max(lengths_ms, key=lambda shape: lengths_ms[shape])
    video = next(source.video for source in sources if geometry(source.video) == longest)
    turned = abs(video.matrix[0]) < abs(video.matrix[1])
    sides = (video.height, video.width) if turned else (video.width, video.height)
    return PictureFormat((max(2, sides[0] // 2 * 2), max(2, sides[1] // 2 * 2)))


def geometry(video: Track) -> tuple[object, ...]:
    """Return what must be alike so that pictures can follow each other unscaled."""
    return video.width, video.height, _turn(video), _aspect(video)


def _turn(video: Track) -> tuple[int, ...]:
    return tuple(video.matrix[i] for i in (0, 1, 3, 4))


def _aspect(video: Track) -> bytes:
    return bytes(child(memoryview(video.sample_entry)[ENTRY_BYTES:], b"pasp") or b"")
