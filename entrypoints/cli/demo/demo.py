"""The whole service on a folder, on footage made for it, with a report to look at."""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from attrs import frozen

from domain.clip import ClipName, ClipReport, ClipRequest
from domain.planning import plan_clip
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.app import EPOCH, Session, environment, err, out, seconds
from entrypoints.cli.demo.report_page import Page, Sent, report_page
from entrypoints.cli.sample_event import asking_for, sqs_event
from infrastructure.ffmpeg.locate import find_ffmpeg
from infrastructure.ffmpeg.runner import Ffmpeg

CAMERA_ID = "pier"
RECORDINGS = 3
ROLLOVER_MS = 133
"""Between two recordings the recorder loses a moment: a seam, over which the last frame is held."""
AGO_MS = 600_000
LEAD_MS, TAIL_MS = 11_679, 12_345
"""How much of the first recording the clip takes, and how much of the second."""
MAKING_S = 600


@frozen
class Film:
    """How the sample footage is."""

    length_s: int = 60
    width: int = 960
    height: int = 540
    rate: int = 30
    """Frames per second."""


FILM = Film()


def run_demo(session: Session, film: Film = FILM) -> int:
    """Make the sample camera unless it is there, a clip, and the report; return the exit code."""
    began_s = time.monotonic()
    root, now_ms = session.root, time.time_ns() // 1_000_000
    if not list((root / "recordings" / CAMERA_ID).glob("[!.]*.mp4")):
        ffmpeg = Ffmpeg(find_ffmpeg(environment()))
        with session.told.doing("Filming"):
            make_sample_camera(root, ffmpeg, now_ms - AGO_MS, film, session.told)
    recorded = sorted(
        session.app.cameras.find_segments(
            CAMERA_ID, TimeWindow(0, 10**15), time.monotonic() + MAKING_S
        )
    )
    window = _across(recorded[0], recorded[1])
    request = ClipRequest(_id_at(now_ms), CAMERA_ID, window.start_ms, window.end_ms)
    session.handle(sqs_event(asking_for(request, now_ms)))
    code = session.tell()
    result = session.outcomes[request.clip_id].result
    if result and result.report.has_clip:
        path = root / "report.html"
        path.write_text(_page(session, request, recorded, result.report), encoding="utf-8")
        out.print(f"All of it to look at: {path}", markup=False, highlight=False, soft_wrap=True)
    err.print(f"The demo took {seconds(1000 * (time.monotonic() - began_s))}.")
    return code


def make_sample_camera(
    root: Path,
    ffmpeg: Ffmpeg,
    start_ms: int,
    film: Film,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Path]:
    """Film the recordings of the camera "pier", the first one from `start_ms` on (epoch).

    H.264 with B-frames, a keyframe every 2 s, and AAC. The time since the recording's start is in
    the picture; the sound beeps at each whole second of the wall clock. `told` is given the frames
    that are done, and all.
    """
    folder = root / "recordings" / CAMERA_ID
    folder.mkdir(parents=True, exist_ok=True)
    done = [0] * RECORDINGS

    def make(number: int) -> Path:
        def on_line(line: str) -> None:
            name, _, value = line.strip().partition("=")
            if name == "frame":
                done[number] = int(value)
                told(sum(done), RECORDINGS * film.length_s * film.rate)

        starts_ms = start_ms + number * (1000 * film.length_s + ROLLOVER_MS)
        start = EPOCH + timedelta(milliseconds=starts_ms)
        path = folder / f"{CAMERA_ID}.stream.{start:%Y%m%dT%H%M%S}{starts_ms % 1000:03d}.mp4"
        part = path.with_name(f".{path.name}.part")
        try:
            ffmpeg.run(
                [*_filming(film, starts_ms), f"file:{part.absolute()}"],
                time.monotonic() + MAKING_S,
                on_line=on_line,
            )
            return part.rename(path)
        finally:
            part.unlink(missing_ok=True)

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(make, range(RECORDINGS)))


def _filming(film: Film, starts_ms: int) -> list[str]:
    size = f"{film.width}x{film.height}"
    picture = f"testsrc2=size={size}:rate={film.rate}:duration={film.length_s}"
    beep = f"0.4*sin(2*PI*880*t)*lt(mod(t+{starts_ms % 1000 / 1000}\\,1)\\,0.08)"
    audio = f"aevalsrc={beep}:s=48000:d={film.length_s}"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-pix_fmt", "yuv420p"]
    coding += ["-bf", "2", "-g", str(2 * film.rate), "-threads", "1", "-c:a", "aac", "-b:a", "96k"]
    coding += ["-movflags", "+faststart", "-progress", "pipe:1", "-y", "-f", "mp4"]
    return ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", audio, *coding]


def _across(first: RecordingSegment, second: RecordingSegment) -> TimeWindow:
    """Choose a window that spans the join of two recordings, with milliseconds at both ends."""
    return TimeWindow(
        first.window.end_ms - min(LEAD_MS, first.window.duration_ms // 2),
        second.window.start_ms + min(TAIL_MS, second.window.duration_ms // 2),
    )


def _id_at(now_ms: int) -> str:
    return f"demo-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%dT%H%M%S}-{now_ms % 1000:03d}"


def _page(
    session: Session, request: ClipRequest, recorded: Sequence[RecordingSegment], report: ClipReport
) -> str:
    app, name = session.app, ClipName(request.camera_id, request.clip_id)
    manifest = app.clips.read_manifest(name, time.monotonic() + MAKING_S)
    assert manifest  # noqa: S101 - it is stored before a clip is reported
    return report_page(
        Page(
            manifest=manifest,
            plan=plan_clip(request.window, recorded, app.make_clip.seam_tolerance_ms),
            recorded=tuple(recorded),
            clip=app.clips.path(name),
            thumbnails=tuple(app.clips.thumbnails(name)),
            messages=_messages(session.root, report),
        )
    )


def _messages(root: Path, report: ClipReport) -> tuple[Sent, ...]:
    """Return what was told of the clip, as it went out."""
    status = json.loads((root / "status" / f"{report.clip_id}.json").read_bytes())
    lines = (root / "notifications.jsonl").read_text(encoding="utf-8").splitlines()
    published = [line for line in map(json.loads, lines) if line["eventId"] == report.event_id]
    return (
        Sent("To the camera API", f"PUT /cameras/clips/{report.clip_id}", status),
        *(Sent("To the subscribers", "SNS notification", line) for line in published),
    )
