"""One picture of a recording, exact: the frame that is on screen at an instant."""

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from application.ports import Recording, ThumbnailSpec
from domain.errors import Unavailable
from domain.planning import ClipPlan
from infrastructure.ffmpeg.excerpt import extract
from infrastructure.ffmpeg.runner import Ffmpeg
from infrastructure.ffmpeg.thumbnails import make_thumbnails
from infrastructure.mp4.boxes import child
from infrastructure.mp4.index import Track
from infrastructure.mp4.sample_entry import VIDEO_ENTRY_BYTES
from infrastructure.splicing.frames import CutSource, resolve_cuts
from infrastructure.splicing.picture_format import PictureFormat


@frozen
class Picture:
    """A picture, and where it is from."""

    path: Path
    name: str
    """Of the recording."""
    seen_ms: int
    """When its frame was first shown, in ms since the epoch, rounded down."""
    width: int
    """Pixels."""


@frozen(eq=False)
class FoundFrame:
    """A frame of a recording."""

    source: CutSource
    frame: int

    @property
    def key(self) -> tuple[str, str, int]:
        """Distinguishes it from all other frames: its recording, the version, its number."""
        return self.source.cut.segment.name, self.source.recording.version, self.frame

    @property
    def seen_ms(self) -> int:
        """When it was first shown, in ms since the epoch, rounded down."""
        return self.source.seen_ms(self.frame)


def take_picture(  # noqa: PLR0913, PLR0917
    ffmpeg: Path,
    plan: ClipPlan,
    recordings: Mapping[str, Recording],
    image_format: str,
    folder: Path,
    deadline_s: float,
    width: int = 0,
) -> Picture:
    """Make a picture of the first frame of a plan, which is on screen when its window begins.

    It is as wide as the frame, or `width` pixels, and upright. Rejected if the plan has no frame or
    there is no such format; UnusableFootage if the frame cannot be decoded.
    """
    found = find_frame(plan, recordings)
    path, width = draw_frame(ffmpeg, found, image_format, folder, deadline_s, width)
    return Picture(path, found.source.cut.segment.name, found.seen_ms, width)


def find_frame(
    plan: ClipPlan, recordings: Mapping[str, Recording], *, is_keyframe: bool = False
) -> FoundFrame:
    """Return the first frame of a plan, or else the keyframe that its decoding begins at.

    Rejected if the plan has no frame.
    """
    source = resolve_cuts(plan, recordings)[0]
    first, keyframe = source.frames[0], source.decode_start
    is_shown = 0 <= source.video.pts[keyframe] <= source.video.pts[first]
    return FoundFrame(source, keyframe if is_keyframe and is_shown else first)


def draw_frame(  # noqa: PLR0913, PLR0917
    ffmpeg: Path,
    found: FoundFrame,
    image_format: str,
    folder: Path,
    deadline_s: float,
    width: int = 0,
) -> tuple[Path, int]:
    """Make a picture of a frame; return its file in `folder`, and its width."""
    source, frame = found.source, found.frame
    width = width or shown_width(source.video)
    try:
        start = source.decode_start_of((frame,))
        excerpt = extract(source, (frame,), start, folder / "excerpt.mp4", is_whole=False)
        made = make_thumbnails(
            Ffmpeg(ffmpeg),
            excerpt,
            PictureFormat(None),
            ThumbnailSpec((width,), image_format),
            folder,
            deadline_s,
            is_urgent=True,  # A person waits for it.
        )
    except OSError as error:
        raise Unavailable(f"The scratch folder cannot be used: {error.strerror}") from error
    return made[width], width


def shown_height(video: Track) -> int:
    """Return how many pixels high a frame is shown, upright."""
    return max(2, video.width if _is_sideways(video) else video.height)


def shown_width(video: Track) -> int:
    """Return how many pixels wide a frame is shown: upright, and with square pixels."""
    pasp = child(memoryview(video.sample_entry)[VIDEO_ENTRY_BYTES:], b"pasp")
    across, down = (int.from_bytes(pasp[at : at + 4]) for at in (0, 4)) if pasp else (1, 1)
    if _is_sideways(video):
        return video.height
    return max(2, video.width // 2 * 2 * (across or 1) // (down or 1))


def _is_sideways(video: Track) -> bool:
    return abs(video.matrix[0]) < abs(video.matrix[1])
