"""Thumbnails of one frame, all widths by one process."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from application.ports import ThumbnailSpec
from domain.errors import Rejected, UnusableFootage
from infrastructure.ffmpeg.decode import LENIENTLY, decoder_threads
from infrastructure.ffmpeg.excerpt import Excerpt, with_fewest_samples
from infrastructure.ffmpeg.runner import Ffmpeg, file_url, mp4_input
from infrastructure.splicing.picture_format import PictureFormat

# JPEG and WebP imply BT.601 colours; JPEG implies full range, too.
FORMATS: Mapping[str, tuple[str, Sequence[str]]] = {
    "jpg": (
        "out_color_matrix=bt601:out_range=pc,format=yuvj420p",
        ("-c:v", "mjpeg", "-q:v", "2"),
    ),
    "png": ("out_range=pc,format=rgb24", ("-c:v", "png")),
    "webp": (
        "out_color_matrix=bt601:out_range=tv,format=yuv420p",
        ("-c:v", "libwebp", "-quality", "90"),
    ),
}

UNPROBED = ("-nofind_stream_info",)
"""By default ffmpeg decodes the first frame once more, to find the order of frames. For a single
one there is none to find: a keyframe of 1080p takes 37 ms of processor time instead of 56."""
ONE_THREAD = ("-filter_complex_threads", "1")
"""For a single width, threads of the filters take longer to start than they save: 3 ms."""


def make_thumbnails(  # noqa: PLR0913, PLR0917
    ffmpeg: Ffmpeg,
    excerpt: Excerpt,
    picture_format: PictureFormat,
    thumbnails: ThumbnailSpec,
    folder: Path,
    deadline_s: float,
    *,
    is_urgent: bool = False,
) -> dict[int, Path]:
    """Make an image of the excerpt's first shown frame for each width, with an even height.

    Unless they are urgent, other work goes first. ffmpeg's scale filter guarantees the sizes.
    UnusableFootage if an image is missing, Rejected for an unknown format.
    """
    if thumbnails.format not in FORMATS:
        known = ", ".join(FORMATS)
        raise Rejected(f"Thumbnails can be {known}, not {thumbnails.format}.")
    paths = {
        width: folder / f"thumbnail-{width}.{thumbnails.format}" for width in thumbnails.widths
    }
    if not paths:
        return {}
    colours, coding = FORMATS[thumbnails.format]
    labels = [f"[s{number}]" for number in range(len(paths))]
    first = excerpt.first_shown
    filters = picture_format.filters(excerpt.source.video)
    frame = f"[0:v:0]trim=start_pts={first}:end_pts={first + 1},{filters}"
    graph = [f"{frame},scale=iw*sar:ih,setsar=1,split={len(paths)}{''.join(labels)}"]
    outputs: list[str] = []
    for width, label in zip(paths, labels, strict=True):
        out = label.replace("s", "o")
        graph.append(f"{label}scale={width}:-2:flags=lanczos:{colours}{out}")
        outputs += ["-map", out, "-frames:v", "1", *coding, "-f", "image2pipe"]
        outputs.append(file_url(paths[width]))

    def draw(fewest: Excerpt) -> dict[int, Path]:
        # Damage does not matter here, but the decoder must conceal it.
        lenient = LENIENTLY if fewest.is_damaged else decoder_threads(fewest.decoded_frames)
        probing = UNPROBED if fewest.decoded_frames == 1 else ()
        source = ["-y", "-copyts", *lenient, *probing, *mp4_input(fewest.path)]
        threads = ONE_THREAD if len(paths) == 1 else ()
        graphs = [*threads, "-filter_complex", ";".join(graph)]
        ffmpeg.run([*source, *graphs, *outputs], deadline_s, is_urgent=is_urgent)
        for width, path in paths.items():
            if not path.exists() or not path.stat().st_size:
                raise UnusableFootage(f"ffmpeg made no thumbnail of {width} pixels.")
        return paths

    return with_fewest_samples(excerpt, draw)
