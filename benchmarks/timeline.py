"""Draw where the time of one clip goes: `python -m benchmarks.timeline [--out docs/timeline.svg]`.

One row for each kind of work, in order of time: the store's requests as the link saw them, from
their arrival to the last byte of the answer; ffmpeg's processes as a script around it logged them;
and the service's own work in Python, where it had at least a quarter of a processor. The median of
three warm runs is drawn.
"""

import argparse
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from attrs import Factory, define, evolve, frozen

from benchmarks.__main__ import HERE, MINUTE, clip
from benchmarks.link import Link, link
from benchmarks.link_server import RECORDINGS, Passed
from benchmarks.measuring import ROOT, s3_client
from benchmarks.pipelines import CLIPS, Job, by_camclip
from benchmarks.plot import STYLE
from benchmarks.report import describe_machine
from benchmarks.running import Bench
from infrastructure.ffmpeg.locate import find_ffmpeg

RUNS = 3
SAMPLE_EVERY_S = 0.005
BUSY_SHARE = 0.25
ROW_PAUSE_S = 0.1
"""Work that pauses for longer goes on in another row."""
KB, MB = 1000, 1_000_000
Kind = Literal["store", "ffmpeg", "Python"]
COLOURS: dict[Kind, str] = {"store": "#7b93ab", "ffmpeg": "#c77d0a", "Python": "#8a63a8"}
WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 860, 12, 12, 40, 17, 26
MIN_BAR = 2.0
CHAR = 7.2
"""The usual width of a letter, to place labels."""
LOGGING = """#!/bin/sh
began=$(/bin/date +%s%N)
{ffmpeg} "$@"
status=$?
printf '%s %s %s\\n' "$began" "$(/bin/date +%s%N)" "$*" >> {log}
exit $status
"""
"""An ffmpeg that logs when each of its processes began and ended, and its arguments."""


@frozen
class Span:
    """A piece of work, in seconds of the monotonic clock."""

    kind: Kind
    label: str
    began_s: float
    ended_s: float
    moved_bytes: int = 0


@define
class Row:
    """Spans of the same work that follow each other."""

    spans: list[Span]

    def is_followed_by(self, span: Span) -> bool:
        """Return whether a later span is more of the same work."""
        ended_s = max(own.ended_s for own in self.spans)
        is_same = (span.kind, span.label) == (self.spans[0].kind, self.spans[0].label)
        return is_same and (span.kind == "Python" or span.began_s < ended_s + ROW_PAUSE_S)

    @property
    def label(self) -> str:
        """What they are, how many, and how many bytes they moved."""
        first, moved_bytes = self.spans[0], sum(span.moved_bytes for span in self.spans)
        is_counted = len(self.spans) > 1 and first.kind != "Python"
        count = f" &#215; {len(self.spans)}" if is_counted else ""
        return first.label + count + (f", {_size(moved_bytes)}" if moved_bytes >= KB else "")


@frozen
class Timeline:
    """What happened between the request for a clip and its report."""

    began_s: float
    ended_s: float
    spans: Sequence[Span] = Factory(list)

    @property
    def duration_s(self) -> float:
        """How long it took."""
        return self.ended_s - self.began_s


def request_label(passed: Passed) -> str:
    """Return what a request to the store does."""
    url = urlsplit(passed.target)
    query = parse_qs(url.query, keep_blank_values=True)
    _, bucket, key = url.path.split("/", 2)
    what = {"json": "manifest", "mp4": "clip"}.get(key.rpartition(".")[2], "thumbnail")
    if bucket == RECORDINGS:
        return f"{passed.method} recording"
    if "uploads" in query:
        return "begin the upload"
    if "uploadId" in query:
        by_method = {"POST": "complete the upload", "DELETE": "abort the upload"}
        sent = "copy part" if passed.copied_bytes else "upload part"
        return by_method.get(passed.method, sent)
    return f"{passed.method} {what}"


def ffmpeg_label(arguments: str) -> str:
    """Return what a process of ffmpeg with these arguments does."""
    kinds = (("image2pipe", "thumbnails"), (" libx26", "encode"), ("framecrc", "check"))
    return next((label for word, label in kinds if word in arguments), "audio")


def busy(samples: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return when a process worked, of samples of the clock and of its processor time, in s."""
    found: list[tuple[float, float]] = []
    for (began_s, before_s), (ended_s, after_s) in pairwise(samples):
        if after_s - before_s < BUSY_SHARE * (ended_s - began_s):
            continue
        if found and found[-1][1] == began_s:
            began_s = found.pop()[0]  # noqa: PLW2901 - the two are one
        found.append((began_s, ended_s))
    return found


def rows_of(spans: Sequence[Span]) -> list[Row]:
    """Return the rows, in order of time, with Python's own work in the last one."""
    rows: list[Row] = []
    for span in sorted(spans, key=lambda span: (span.kind == "Python", span.began_s)):
        row = next((row for row in rows if row.is_followed_by(span)), None)
        if row:
            row.spans.append(span)
        else:
            rows.append(Row([span]))
    return rows


def draw(timeline: Timeline, title: str) -> str:
    """Draw it as SVG."""
    rows, began_s, duration_s = rows_of(timeline.spans), timeline.began_s, timeline.duration_s
    height = TOP + ROW * len(rows) + BOTTOM
    foot = TOP + ROW * len(rows) + 4

    def x(at_s: float) -> float:
        return LEFT + (at_s - began_s) / duration_s * (WIDTH - LEFT - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title><style>{STYLE}.grid{{stroke:#9aa5b1;stroke-opacity:.35}}</style>",
        f'<text x="{LEFT}" y="18">{title}</text>',
        *_legend(),
    ]
    step_s = 0.5 if duration_s <= 5 else 1.0 if duration_s <= 12 else 5.0  # noqa: PLR2004 - readable
    for tick in range(int(duration_s / step_s) + 1):
        at = x(began_s + tick * step_s)
        parts.append(f'<path class="grid" d="M{at:.1f} {TOP - 6}V{foot}"/>')
        anchor = "start" if tick == 0 else "end" if at > WIDTH - 30 else "middle"
        parts.append(_text(at, foot + 15, f"{tick * step_s:g} s", anchor, "dim"))
    for number, row in enumerate(rows):
        parts += _bars(row, TOP + ROW * number, x)
    return "\n".join([*parts, "</svg>\n"])


def _bars(row: Row, y: float, x: Callable[[float], float]) -> Iterator[str]:
    colour = COLOURS[row.spans[0].kind]
    places = [(x(span.began_s), x(span.ended_s)) for span in row.spans]
    for left, right in places:
        width = max(MIN_BAR, right - left)
        place = f'x="{left:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 5}"'
        yield f'<rect {place} rx="1.5" fill="{colour}"/>'
    label, end = row.label, max(right for _, right in places)
    if end + 6 + CHAR * len(label) < WIDTH:
        yield _text(end + 6, y + 10, label, "start")
    elif (left := min(left for left, _ in places)) > CHAR * len(label):
        yield _text(left - 6, y + 10, label, "end")


def _legend() -> Iterator[str]:
    at = WIDTH - RIGHT - 250
    for kind, width in zip(COLOURS, (78, 84, 60), strict=True):
        yield f'<rect x="{at}" y="9" width="10" height="10" rx="1.5" fill="{COLOURS[kind]}"/>'
        yield _text(at + 15, 18, kind, "start", "dim")
        at += width


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    css = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{css}>{text}</text>'


def _size(count: int) -> str:
    return f"{count / MB:.1f} MB" if count >= MB / 10 else f"{count / KB:.0f} KB"


def observe(job: Job, s3: Link, ffmpeg: Path, folder: Path) -> Timeline:
    """Make a clip in this process, and return what happened."""
    wrapper, log = folder / "ffmpeg", folder / "log"
    wrapper.write_text(LOGGING.format(ffmpeg=shlex.quote(str(ffmpeg)), log=shlex.quote(str(log))))
    wrapper.chmod(0o755)
    log.write_text("")
    job.path.mkdir()
    s3.passed()
    epoch_ns = time.time_ns() - time.monotonic_ns()

    def clock_s(wall_ns: str) -> float:
        return (int(wall_ns) - epoch_ns) / 1e9

    client = s3_client(s3.endpoint)
    with _sampled() as samples:
        began_s = time.monotonic()
        by_camclip(evolve(job, ffmpeg=str(wrapper)), client)
        ended_s = time.monotonic()
    shutil.rmtree(job.path)
    requests = [
        Span("store", request_label(p), p.began_s, p.ended_s, _moved_bytes(p)) for p in s3.passed()
    ]
    processes = [
        Span("ffmpeg", ffmpeg_label(arguments), clock_s(began_ns), clock_s(ended_ns))
        for began_ns, ended_ns, arguments in (
            line.split(" ", 2) for line in log.read_text().splitlines()
        )
    ]
    own = [Span("Python", "own work", *span) for span in busy(samples)]
    return Timeline(began_s, ended_s, [*requests, *processes, *own])


def _moved_bytes(passed: Passed) -> int:
    return passed.down_bytes + passed.up_bytes + passed.copied_bytes


@contextmanager
def _sampled() -> Iterator[list[tuple[float, float]]]:
    """Sample the clock and this process's processor time, in seconds, until the block ends."""
    samples: list[tuple[float, float]] = []
    stop = Event()

    def sample() -> None:
        while not stop.wait(SAMPLE_EVERY_S):
            samples.append((time.monotonic(), time.process_time()))

    sampler = Thread(target=sample)
    sampler.start()
    try:
        yield samples
    finally:
        stop.set()
        sampler.join()


def main(argv: Sequence[str]) -> None:
    """Make the clip a few times, and draw it."""
    parser = argparse.ArgumentParser("python -m benchmarks.timeline", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "timeline.svg")
    parser.add_argument("--clip", type=clip, default=MINUTE, help="such as 1080p,300,2")
    parser.add_argument("--mbit", type=float, default=200, help="the link's Mbit/s each way")
    parser.add_argument("--latency", type=float, default=30, help="ms before each answer")
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="of the recordings")
    arguments = parser.parse_args(argv)
    ffmpeg, cache = find_ffmpeg({}), arguments.cache
    machine = describe_machine(ffmpeg, arguments.mbit, arguments.latency)
    observed = []
    with (
        link(cache, arguments.mbit, arguments.latency) as s3,
        TemporaryDirectory() as name,
    ):
        s3_client(s3.direct).create_bucket(Bucket=CLIPS)
        bench, folder = Bench(ffmpeg, cache, s3), Path(name)
        for run in range(1 + RUNS):
            job = bench.job(arguments.clip, "camclip", str(run), name)
            observed.append(observe(job, s3, ffmpeg, folder))
    middle = sorted(observed[1:], key=lambda timeline: timeline.duration_s)[RUNS // 2]
    title = f"{arguments.clip.name}, in {middle.duration_s:.2f} s ({machine['CPU']})"
    arguments.out.write_text(draw(middle, title))
    sys.stdout.write(f"{arguments.out}: {title}; {machine['link']}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
