"""Which clips are made by which pipelines how often, and the proof that each is right."""

import statistics
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from time import perf_counter

from attrs import field, frozen

from benchmarks.footage import Recorded, Size, read_numbers, recordings
from benchmarks.link import Link
from benchmarks.measuring import Run, measure, s3_client
from benchmarks.pipelines import CLIPS, PIPELINES, Job
from infrastructure.mp4.index import read_index

USUAL_FILE_S = 600
AFTER_KEYFRAME_MS = 730
"""Where in its GOP of 2 s a clip starts: most of the GOP is then a head that must be encoded."""


@frozen
class Clip:
    """A clip of the middle of a recording, or of several."""

    size: Size
    length_s: int
    files: int
    file_s: int = USUAL_FILE_S
    """How long each of its recordings is, in seconds."""

    @property
    def name(self) -> str:
        """Its name for people."""
        count = {1: "one file", 2: "two files"}.get(self.files, f"{self.files} files")
        each = "" if self.file_s == USUAL_FILE_S else f" of {self.file_s} s"
        return f"{self.length_s} s of {self.size.name}, {count}{each}"

    def window_ms(self, made: Sequence[Recorded]) -> tuple[int, int]:
        """Return start and end in ms since the epoch."""
        centre_ms = (made[0].start_ms + made[self.files - 1].end_ms) // 2
        start_ms = centre_ms - self.length_s * 500
        start_ms += AFTER_KEYFRAME_MS - (start_ms - made[0].start_ms) % 2000
        return start_ms, start_ms + self.length_s * 1000


@frozen
class Case:
    """A clip, and how often each pipeline makes it; 0 or absent is never."""

    clip: Clip
    repeats: Mapping[str, int]


@frozen
class Row:
    """One pipeline's runs of one clip."""

    clip: Clip
    pipeline: str
    runs: tuple[Run, ...]
    clip_bytes: int
    exact: bool | None
    """Whether the clip of every run has exactly the expected frames; None for the floor."""
    wrong: str = ""
    """What is wrong with it, or what ffmpeg says as it decodes it."""

    def median(self, measure: Callable[[Run], float]) -> float:
        """Return the median of a measure over all runs."""
        return statistics.median(map(measure, self.runs))


@frozen
class IndexTime:
    """How long it takes to read a recording's sample index from memory."""

    samples: int
    file_bytes: int
    runs_ms: tuple[float, ...]


@frozen
class Bench:
    """Runs cases in front of a link."""

    ffmpeg: Path
    cache: Path
    link: Link
    tell: Callable[[str], None] = field(default=lambda _: None)

    def media(self, clip: Clip) -> tuple[Recorded, ...]:
        """Return the recordings of a clip, made if need be."""
        return recordings(self.ffmpeg, self.cache, clip.size, clip.file_s, clip.files)

    def rows(self, cases: Iterable[Case]) -> Iterator[Row]:
        """Run all cases; within one, the pipelines take turns."""
        s3_client(self.link.direct).create_bucket(Bucket=CLIPS)
        for number, case in enumerate(cases):
            yield from self._rows(number, case)

    def _rows(self, number: int, case: Case) -> list[Row]:
        expected = self.expected(case.clip)
        runs: dict[str, list[Run]] = {}
        clip_bytes: dict[str, int] = {}
        wrong: dict[str, list[str]] = {}
        judged: dict[str, str] = {}
        for turn in range(max(case.repeats.values())):
            for pipeline in PIPELINES:
                if turn >= case.repeats.get(pipeline, 0):
                    continue
                copied = clip_bytes.get("camclip", max(clip_bytes.values(), default=0))
                with tempfile.TemporaryDirectory() as folder:
                    job = self.job(case.clip, pipeline, f"c{number}-{turn}", folder, copied)
                    run = measure(job, self.link)
                    path = Path(folder) / "stored.mp4"
                    self.take(job, path)
                    clip_bytes[pipeline] = path.stat().st_size
                    if pipeline != "floor":
                        digest = sha256(path.read_bytes()).hexdigest()
                        if digest not in judged:
                            judged[digest] = self.judge(path, expected, case.clip.size)
                        wrong.setdefault(pipeline, []).append(judged[digest])
                runs.setdefault(pipeline, []).append(run)
                self.tell(f"{case.clip.name}: {pipeline} took {run.wall_s:.2f} s")
        return [
            Row(
                case.clip,
                pipeline,
                tuple(own),
                clip_bytes[pipeline],
                not any(wrong[pipeline]) if pipeline in wrong else None,
                next(filter(None, wrong.get(pipeline, [])), ""),
            )
            for pipeline, own in runs.items()
        ]

    def expected(self, clip: Clip) -> list[int]:
        """Return the numbers of the frames that a clip must show."""
        made = self.media(clip)
        return [n for recorded in made for n in recorded.shown(*clip.window_ms(made))]

    def job(self, clip: Clip, pipeline: str, name: str, folder: str, copied: int = 0) -> Job:
        """Return the job to make a clip called `name`; of the floor, how much is `copied`."""
        made = self.media(clip)
        start_ms, end_ms = clip.window_ms(made)
        used = [r for r in made if r.start_ms < end_ms and start_ms < r.end_ms]
        return Job(
            pipeline,
            self.link.endpoint,
            str(self.ffmpeg),
            str(Path(folder) / "scratch"),
            f"{pipeline}-{name}",
            tuple((r.path.name, r.start_ms, r.end_ms) for r in used),
            start_ms,
            end_ms,
            copied,
        )

    def take(self, job: Job, path: Path) -> None:
        """Fetch what the pipeline stored, past the link, and empty the bucket."""
        s3 = s3_client(self.link.direct)
        s3.download_file(CLIPS, job.key, str(path))
        for stored in s3.list_objects_v2(Bucket=CLIPS).get("Contents", []):
            s3.delete_object(Bucket=CLIPS, Key=stored["Key"])

    def judge(self, path: Path, expected: Sequence[int], size: Size) -> str:
        """Return how a clip differs from its `expected` frame numbers, "" if it does not."""
        had, words = read_numbers(self.ffmpeg, path, size)
        if list(expected) == had:
            return f"decodes with a message: {words.splitlines()[0]}" if words else ""
        pairs = enumerate(zip(expected, had, strict=False))
        at = next((i for i, (a, b) in pairs if a != b), min(len(expected), len(had)))
        missing, others = len(set(expected) - set(had)), len(set(had) - set(expected))
        return (
            f"{len(had)} frames, {len(expected)} expected ({missing} missing, {others} others);"
            f" the first difference is at {at}"
        )

    def index_time(self, clip: Clip, repeats: int = 20) -> IndexTime:
        """Read the index of a clip's first recording again and again."""
        data = self.media(clip)[0].path.read_bytes()
        runs_ms = []
        samples = 0
        for _ in range(repeats):
            began_s = perf_counter()
            index = read_index(lambda offset, length: data[offset : offset + length], len(data))
            runs_ms.append((perf_counter() - began_s) * 1000)
            samples = sum(len(track.sizes) for track in (index.video, index.audio) if track)
        return IndexTime(samples, len(data), tuple(runs_ms))
