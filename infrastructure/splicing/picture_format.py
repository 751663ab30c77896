"""The clip's picture format.

Recordings of one size, rotation and pixel shape keep theirs. If they differ, all frames are scaled
to one size, upright and with square pixels.
"""

from collections import defaultdict
from collections.abc import Sequence

from attrs import frozen

from infrastructure.mp4.boxes import child
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.index import Track
from infrastructure.mp4.sample_entry import VIDEO_ENTRY_BYTES
from infrastructure.splicing.codecs import CODECS
from infrastructure.splicing.frames import CutSource

UPRIGHT = (0x10000, 0, 0, 0x10000)
SQUARE_PIXELS = (b"", b"\0\0\0\1\0\0\0\1")
"""The payload of pasp where pixels are square: absent, or 1:1."""


@frozen
class PictureFormat:
    """How encoded frames are scaled and stored; ffmpeg rotates them when it decodes them."""

    size: tuple[int, int] | None
    """Width and height in pixels that frames are fitted into; None keeps each frame's own."""
    full_range: bool = False
    """Whether encoded frames use all values of a sample, because the copied ones do."""
    sample_bits: int = 8
    """Of encoded frames, as of the copied ones."""

    def matches(self, video: Track) -> bool:
        """Return whether the track's frames have this format as they are stored."""
        if _rotation(video) != UPRIGHT or video.width % 2 or video.height % 2:
            return False
        return self.size is None or (
            self.size == (video.width, video.height) and _aspect_ratio(video) in SQUARE_PIXELS
        )

    @property
    def pixels(self) -> str:
        """The ffmpeg pixel format of encoded frames."""
        if self.sample_bits > 8:  # noqa: PLR2004 - of a byte
            return f"yuv420p{self.sample_bits}le"
        return "yuvj420p" if self.full_range else "yuv420p"

    def filters(self, video: Track) -> str:
        """Return the ffmpeg filters that make frames of `video` so.

        Even sides, 4:2:0, square pixels if frames are fitted. `scale` takes a twentieth of the time
        to encode 1080p even if it changes nothing, so it is left out where frames have the format.
        """
        values, pixels = ("pc" if self.full_range else "tv"), self.pixels
        if self.size is None:
            even = "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0"
            if _sample_format(video) == (self.full_range, self.sample_bits):
                return f"{even},format={pixels}"
            return f"{even},scale=out_range={values},format={pixels}"
        size = f"{self.size[0]}:{self.size[1]}"
        return (
            "scale=iw*sar:ih,setsar=1,"
            f"scale={size}:force_original_aspect_ratio=decrease:out_range={values},"
            f"pad={size}:-1:-1,setsar=1,format={pixels}"
        )


def majority_format(sources: Sequence[CutSource]) -> PictureFormat:
    """Return the format of a clip of `sources`: their own if they share one.

    Else frames are fitted into the size of the pictures that most of the clip's duration has.
    """
    durations_ms: dict[tuple[object, ...], int] = defaultdict(int)
    for source in sources:
        durations_ms[geometry(source.video)] += source.cut.window.duration_ms
    if len(durations_ms) == 1:
        return PictureFormat(None)
    most = max(durations_ms, key=lambda key: durations_ms[key])
    video = next(source.video for source in sources if geometry(source.video) == most)
    return PictureFormat(upright_size(video))


def upright_size(video: Track) -> tuple[int, int]:
    """Return the width and height, which are even, of the track's frames when they are upright."""
    is_sideways = abs(video.matrix[0]) < abs(video.matrix[1])
    sides = (video.height, video.width) if is_sideways else (video.width, video.height)
    return max(2, sides[0] // 2 * 2), max(2, sides[1] // 2 * 2)


def geometry(video: Track) -> tuple[object, ...]:
    """Return what two tracks must share so that their frames can follow each other unscaled."""
    return video.width, video.height, _rotation(video), _aspect_ratio(video)


def _sample_format(video: Track) -> tuple[bool, int] | None:
    """Return whether 4:2:0 samples have full range, and their bits; None if that is not known."""
    codec = CODECS.get(video.codec)
    try:
        if codec is None or codec.obstacle(video.config):
            return None
        return codec.sample_format(video.config)
    except InvalidMp4:
        return None


def _rotation(video: Track) -> tuple[int, ...]:
    return tuple(video.matrix[i] for i in (0, 1, 3, 4))


def _aspect_ratio(video: Track) -> bytes:
    return bytes(child(memoryview(video.sample_entry)[VIDEO_ENTRY_BYTES:], b"pasp") or b"")
