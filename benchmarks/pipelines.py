"""Four ways from the recordings in S3 to a clip in S3.

`by_2018`, as service-2018 did it: whole files downloaded, each decoded from its beginning to the
cut's end (`-ss` after `-i`) and the cut encoded again with `-preset fast`, the parts joined by the
concat demuxer, one process for a thumbnail (at 25 %; its `-ss` stands before `-i` here, which is
the cheap way round) and one for each of four sizes of it.

`by_window`: only the bytes around the cuts are read, as one range each; every frame is encoded
again, as good as the service encodes those at the edges; one process for all thumbnails.

`by_camclip`: the service itself: the use case with its adapters for S3 and ffmpeg.

`by_copy`: the floor. As many bytes as the clip has, read by ranges and stored again.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from application.make_clip import MakeClip
from application.ports import ThumbnailSpec
from domain.clip import ClipName, ClipRequest
from domain.delivery import Delivery
from domain.planning import Cut, plan_clip
from domain.recording import RecordingSegment
from domain.retry import RetryPolicy
from domain.window import TimeWindow
from infrastructure.formats.object_keys import clip_key, thumbnail_key
from infrastructure.in_memory import InMemoryCameraService, InMemoryNotifier, InMemoryRetryQueue
from infrastructure.mp4.excerpt_writer import write_excerpt
from infrastructure.mp4.recording import Mp4Recording
from infrastructure.s3 import NewObjects, S3ClipStore, S3RecordingStore
from infrastructure.s3.conditions import BOTH
from infrastructure.s3.parts import MIN_PART_BYTES
from infrastructure.transcoder.transcoder import FfmpegTranscoder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RECORDINGS = "recordings"
CLIPS = "clips"
CAMERA = "pier"
THUMBNAILS = ThumbnailSpec((300, 640, 1500, 3000))
DEADLINE_S = 900.0
RANGE_BYTES = 8 << 20
AT_ONCE = 4


@frozen
class Job:
    """One clip to make by one pipeline. Recordings are (name, start_ms, end_ms)."""

    pipeline: str
    endpoint: str
    ffmpeg: str
    folder: str
    clip_id: str
    recordings: tuple[tuple[str, int, int], ...]
    start_ms: int
    end_ms: int
    clip_bytes: int = 0
    """How many bytes the floor copies."""

    @property
    def key(self) -> str:
        """Under which the clip is stored."""
        return clip_key(ClipName(CAMERA, self.clip_id))

    @property
    def path(self) -> Path:
        """The scratch folder."""
        return Path(self.folder)

    @property
    def window(self) -> TimeWindow:
        """What the clip shows."""
        return TimeWindow(self.start_ms, self.end_ms)

    @property
    def segments(self) -> list[RecordingSegment]:
        """The recordings, as the camera API lists them."""
        return [
            RecordingSegment(TimeWindow(start_ms, end_ms), name)
            for name, start_ms, end_ms in self.recordings
        ]


@frozen
class Frames:
    """How many of the clip's frames are the recording's own, and how many were encoded again."""

    copied: int
    encoded: int | None
    """None: not counted."""


def by_2018(job: Job, s3: "S3Client") -> Frames:
    """Make the clip as in 2018."""
    plan = plan_clip(job.window, job.segments, 0)
    parts = []
    for number, cut in enumerate(plan.cuts):
        source = job.path / cut.segment.name
        s3.download_file(RECORDINGS, cut.segment.name, str(source))
        starts_ms = cut.segment.window.start_ms
        parts.append(job.path / f"part-{number}.mp4")
        _run(
            job,
            *("-i", str(source), "-ss", _clock(cut.window.start_ms - starts_ms)),
            *("-to", _clock(cut.window.end_ms - starts_ms), "-preset", "fast", str(parts[-1])),
        )
    clip = _joined(job, parts)
    original = job.path / f"{job.clip_id}_original.jpg"
    _run(
        job,
        *("-ss", _clock(job.window.duration_ms // 4), "-i", str(clip)),
        *("-frames:v", "1", "-update", "1", str(original)),
    )
    pictures = [original]
    for width in THUMBNAILS.widths:
        pictures.append(job.path / f"{job.clip_id}_{width}.jpg")
        scale = f"scale={width}:-1"
        _run(job, "-i", str(original), "-vf", scale, "-update", "1", str(pictures[-1]))
    s3.upload_file(str(clip), CLIPS, job.key)
    for picture in pictures:
        s3.upload_file(str(picture), CLIPS, f"{CAMERA}/{picture.name}")
    return Frames(0, None)


def by_window(job: Job, s3: "S3Client") -> Frames:
    """Make the clip from windows of its recordings, with every frame encoded again."""
    deadline_s = time.monotonic() + DEADLINE_S
    store = S3RecordingStore(s3, RECORDINGS)
    opened = {s.name: store.open(s, job.window, deadline_s) for s in job.segments}
    plan = plan_clip(job.window, [r.segment for r in opened.values()], 0)
    encoded = [
        _encoded(job, cut, opened[cut.segment.name], job.path / f"part-{number}.mp4")
        for number, cut in enumerate(plan.cuts)
    ]
    clip = _joined(job, [path for path, _ in encoded])
    pictures = {width: job.path / f"{width}.jpg" for width in THUMBNAILS.widths}
    labels = [f"[s{width}]" for width in pictures]
    graph = f"[0:v]split={len(labels)}{''.join(labels)};" + ";".join(
        f"[s{width}]scale={width}:-2[o{width}]" for width in pictures
    )
    outputs = [
        argument
        for width, path in pictures.items()
        for argument in ("-map", f"[o{width}]", "-frames:v", "1", "-update", "1", str(path))
    ]
    quarter = ("-ss", _clock(job.window.duration_ms // 4), "-i", str(clip))
    _run(job, *quarter, "-filter_complex", graph, *outputs)
    for width, path in pictures.items():
        key = thumbnail_key(ClipName(CAMERA, job.clip_id), width, "jpg")
        s3.put_object(Bucket=CLIPS, Key=key, Body=path.read_bytes())
    with clip.open("rb") as body:
        s3.put_object(Bucket=CLIPS, Key=job.key, Body=body)
    return Frames(0, sum(frames for _, frames in encoded))


def by_camclip(job: Job, s3: "S3Client") -> Frames:
    """Make the clip as the service does."""
    make_clip = MakeClip(
        InMemoryCameraService({CAMERA: job.segments}),
        S3RecordingStore(s3, RECORDINGS),
        FfmpegTranscoder(Path(job.ffmpeg), uploaded_bytes=MIN_PART_BYTES),
        S3ClipStore(NewObjects(s3, CLIPS, known_conditions=BOTH)),
        InMemoryRetryQueue(),
        InMemoryNotifier(),
        RetryPolicy(max_duration_ms=3_600_000),
        THUMBNAILS,
    )
    request = ClipRequest(job.clip_id, CAMERA, job.start_ms, job.end_ms)
    deadline_s = time.monotonic() + DEADLINE_S
    result = make_clip(Delivery(request, job.clip_id, job.end_ms, job.end_ms, deadline_s), job.path)
    if result.media is None:
        raise RuntimeError(f"no clip: {result.report}")
    copied = result.media.copied_frames
    return Frames(copied, result.media.frames - copied)


def by_copy(job: Job, s3: "S3Client") -> Frames:
    """Read as many bytes as the clip has, of each recording alike, and store them."""
    share = -(-job.clip_bytes // len(job.recordings))
    ranges = [
        (name, first, min(first + RANGE_BYTES, end))
        for number, (name, _, _) in enumerate(job.recordings)
        for end in [min(share, job.clip_bytes - number * share)]
        for first in range(0, end, RANGE_BYTES)
    ]

    def read(span: tuple[str, int, int]) -> bytes:
        name, first, end = span
        answer = s3.get_object(Bucket=RECORDINGS, Key=name, Range=f"bytes={first}-{end - 1}")
        return answer["Body"].read()

    copy = job.path / "copy"
    with copy.open("wb") as file, ThreadPoolExecutor(AT_ONCE) as several:
        file.writelines(several.map(read, ranges))
    with copy.open("rb") as body:
        s3.put_object(Bucket=CLIPS, Key=job.key, Body=body)
    return Frames(0, None)


PIPELINES: dict[str, Callable[[Job, "S3Client"], Frames]] = {
    "2018": by_2018,
    "window": by_window,
    "camclip": by_camclip,
    "floor": by_copy,
}


def _encoded(job: Job, cut: Cut, recording: Mp4Recording, path: Path) -> tuple[Path, int]:
    """Encode the frames of a cut, and count them."""
    video, audio = recording.index.video, recording.index.audio
    if video is None or audio is None:
        raise ValueError(f"{cut.segment.name} has no picture, or no sound")
    starts_ms = cut.segment.window.start_ms
    first, end = (
        -(-(ms - starts_ms) * video.timescale // 1000)
        for ms in (cut.window.start_ms, cut.window.end_ms)
    )
    shown = [i for i, pts in enumerate(video.pts) if first <= pts < end]
    earliest = min(video.pts[i] for i in shown)
    key = max(i for i in range(min(shown) + 1) if video.sync[i] and video.pts[i] <= earliest)
    from_s, to_s = video.pts[key] / video.timescale, end / video.timescale
    heard = [i for i, pts in enumerate(audio.pts) if from_s <= pts / audio.timescale < to_s]
    window = path.with_suffix(".window.mp4")
    with window.open("wb") as out:
        write_excerpt(
            recording.index,
            recording.read,
            key,
            max(shown),
            out,
            range(heard[0], heard[-1] + 1),
        )
    half_a_frame_s = video.durations[key] / video.timescale / 2
    seek_s = (earliest - video.pts[key]) / video.timescale - half_a_frame_s
    _run(
        job,
        *("-ss", f"{max(0.0, seek_s):.6f}", "-i", str(window), "-t", f"{to_s - from_s:.6f}"),
        *("-frames:v", str(len(shown)), "-fps_mode", "passthrough"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-c:a", "aac", str(path)),
    )
    return path, len(shown)


def _joined(job: Job, parts: Sequence[Path]) -> Path:
    if len(parts) == 1:
        return parts[0]
    listed, clip = job.path / "parts.txt", job.path / "joined.mp4"
    listed.write_text("".join(f"file '{part}'\n" for part in parts))
    _run(job, "-f", "concat", "-safe", "0", "-i", str(listed), "-c", "copy", str(clip))
    return clip


def _run(job: Job, *arguments: str) -> None:
    argv = [job.ffmpeg, "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env={})


def _clock(offset_ms: int) -> str:
    return f"{offset_ms / 1000:.3f}"
