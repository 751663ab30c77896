"""`camclip`: clips out of a plain folder of recordings, on a laptop.

Results go to standard output, progress and remarks to standard error. Exit codes: 0 every clip is
available, 1 something failed, 2 wrong usage, 3 footage is waited for, 4 a request was refused.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import define, field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

from devtools.local_aws.command import local_aws
from domain.clip import ClipName, ClipReport, ClipRequest, ClipStatus
from domain.errors import ClipError
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.doctor import doctor
from entrypoints.cli.redrive import redrive
from entrypoints.cli.sample_event import Flow, Message, asking_for, sqs_event, window_of
from entrypoints.cli.worker import worker
from entrypoints.settings import InvalidSettings, read_clip_settings
from entrypoints.sqs_batch import DeliveryOutcome, NotAnSqsEvent

if TYPE_CHECKING:
    from entrypoints.container import LocalApp

PIPED_WIDTH = 240
"""Columns where no terminal says: so that paths stay whole."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REDELIVERY_S = 10
"""How long a message of the folder's queue rests after it has failed."""

AVAILABLE, FAILED, USAGE, WAITING, REFUSED = range(5)

STYLES = {ClipStatus.AVAILABLE: "bold green", ClipStatus.PENDING: "bold yellow"}


class UsageError(Exception):
    """The command line, or the event, makes no sense."""


class PlainErrors(TyperGroup):
    """Every error ends in one plain sentence and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer does not name the type
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (UsageError, InvalidSettings, NotAnSqsEvent) as error:
            raise typer.Exit(_fail(error, USAGE)) from error
        except ClipError as error:
            raise typer.Exit(_fail(error, FAILED)) from error
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise typer.Exit(_fail(f"{place}{error.strerror or error}", FAILED)) from error


app = typer.Typer(
    cls=PlainErrors,
    help="Exact clips out of recorded camera footage.",
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
main = app
out = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False)

Root = Annotated[
    Path,
    typer.Option(
        "--root", metavar="DIR", help="The folder that holds `recordings/` and gets `clips/`."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the reports as JSON, one a line.")]


@app.command(epilog="Example: `camclip demo --root demo`")
def demo(root: Root = Path("demo")) -> None:
    """Make a sample camera, cut a clip of it, and write a report to look at.

    The folder gets three recordings of a minute each, a clip that spans two of them, its stills,
    the messages that went out, and `report.html`.
    """
    from entrypoints.cli.demo.demo import run_demo  # noqa: PLC0415 - only this command needs it

    raise typer.Exit(run_demo(open_session(root)))


@app.command(
    epilog="Example: `camclip cut --root demo --camera pier"
    " --from 2026-05-01T12:00:10.250Z --to 2026-05-01T12:00:31Z`"
)
def cut(  # noqa: PLR0913 - one parameter per option
    root: Root,
    camera: Annotated[str, typer.Option(metavar="ID", help="The camera's id.")],
    start: Annotated[
        str,
        typer.Option("--from", metavar="T", help="The first instant: ISO 8601 (UTC), or epoch ms."),
    ],
    end: Annotated[str, typer.Option("--to", metavar="T", help="The instant after the last one.")],
    clip_id: Annotated[
        str | None,
        typer.Option("--id", metavar="ID", help="The clip's id; else made of its times."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Cut one clip: exactly the frames seen from T up to, but not at, the other T."""
    start_ms, end_ms = instant_ms(start), instant_ms(end)
    try:
        window = TimeWindow(start_ms, end_ms)
        request = ClipRequest(clip_id or _id_of(window), camera, start_ms, end_ms)
    except ValueError as error:
        if start_ms >= end_ms:
            raise UsageError("--from must be before --to.") from error
        raise UsageError("An id is 1 to 64 letters, digits, hyphens or underscores.") from error
    session = open_session(root)
    session.warn_of_undated(camera)
    session.handle(sqs_event(asking_for(request, _now_ms())))
    raise typer.Exit(session.tell(as_json=as_json))


@app.command(
    epilog="Examples: `camclip run event.json --root demo`;"
    " `camclip run --root demo --until-done` goes on with the queue alone"
)
def run(
    root: Root,
    event: Annotated[
        Path | None, typer.Argument(metavar="[EVENT.json]", help="An SQS event; - reads it here.")
    ] = None,
    *,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Requeue until the queue is empty.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Handle an event as the Lambda function does, then the queue's messages that are due."""
    batch = _read_event(event) if event else None
    session = open_session(root)
    if batch is not None:
        session.handle(batch)
    session.handle_queue(until_done=until_done)
    raise typer.Exit(session.tell(as_json=as_json))


@app.command(epilog="Example: `camclip event -a --root demo > event.json`")
def event(  # noqa: PLR0913 - one parameter per option
    *,
    available: Annotated[bool, typer.Option("-a", help="A clip that can be made.")] = False,
    pending: Annotated[bool, typer.Option("-p", help="One that ends now: pending.")] = False,
    not_available: Annotated[
        bool, typer.Option("-n", help="Too old to wait for: not available.")
    ] = False,
    out_of_range: Annotated[bool, typer.Option("-o", help="Days old: out of range.")] = False,
    too_long: Annotated[bool, typer.Option("-t", help="Longer than a clip may be.")] = False,
    camera: Annotated[str, typer.Option(metavar="ID", help="The camera's id.")] = "pier",
    root: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="With -a: ask for footage that is in this folder."),
    ] = None,
) -> None:
    """Print an SQS event that goes the way you choose; without a letter, -a."""
    letters = {
        Flow.AVAILABLE: available,
        Flow.PENDING: pending,
        Flow.NOT_AVAILABLE: not_available,
        Flow.OUT_OF_RANGE: out_of_range,
        Flow.TOO_LONG: too_long,
    }
    chosen = [flow for flow, is_chosen in letters.items() if is_chosen] or [Flow.AVAILABLE]
    if len(chosen) > 1:
        raise UsageError("Choose one of -a, -p, -n, -o and -t.")
    now_ms = _now_ms()
    recorded = _recorded(root.absolute(), camera) if root else ()
    window = window_of(chosen[0], read_clip_settings(environment()).policy, now_ms, recorded)
    try:
        request = ClipRequest(str(now_ms), camera, window.start_ms, window.end_ms)
    except ValueError as error:
        raise UsageError("An id is 1 to 64 letters, digits, hyphens or underscores.") from error
    typer.echo(json.dumps(sqs_event(asking_for(request, now_ms)), indent=2))


app.command("local-aws", epilog="Example: `camclip local-aws --root demo --once`")(local_aws)


app.command(epilog="Example: `camclip doctor --aws --camera pier`")(doctor)
app.command(epilog="Example: `camclip redrive`, then `camclip redrive --go --limit 1`")(redrive)
app.command(epilog="Example: `WORKER_SLOTS=2 camclip worker`")(worker)


@define
class Session:
    """The service on one folder, and what its messages came to, the newest word on each clip."""

    root: Path
    app: "LocalApp"
    told: "ProgressReporter"
    outcomes: dict[str, DeliveryOutcome] = field(factory=dict)
    """By clip id, or by message id where the message names no clip."""

    def handle(self, batch: Mapping[str, Any]) -> set[str]:
        """Handle a batch as the Lambda function does; return the ids of the messages that failed.

        An event that is no batch of SQS messages is NotAnSqsEvent.
        """
        with self.told.doing("Cutting"):
            answer = self.app.handle(batch)
        for outcome in self.app.outcomes:
            request = outcome.request
            self.outcomes[request.clip_id if request else outcome.message_id] = outcome
        return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}

    def handle_queue(self, *, until_done: bool) -> None:
        """Handle the queue's messages that are due; or wait for all of them, and for theirs."""
        queue = self.app.queue
        while True:
            queued = queue.receive()
            if queued is None:
                due_ms = queue.next_due_ms() if until_done else None
                if due_ms is None:
                    return
                _wait_until(due_ms)
                continue
            message = Message(
                queued.body, queued.sent_at_ms, queued.message_id, queued.receive_count
            )
            failed = True
            try:
                failed = bool(self.handle(sqs_event(message)))
            finally:
                if failed:
                    queue.give_back(queued, REDELIVERY_S)
                else:
                    queue.done(queued)

    def warn_of_undated(self, camera_id: str) -> None:
        """Name the recordings that cannot be used, as their names do not say when they start."""
        try:
            undated = self.app.cameras.undated(camera_id)
        except ClipError:
            return  # The request's own ending says so.
        for name in undated:
            err.print(
                f"Left out: {name}. Its name does not say when it starts, as in"
                " pier.20180815T140019.mp4 (UTC).",
                style="yellow",
                markup=False,
            )

    def tell(self, *, as_json: bool = False) -> int:
        """Print what became of each clip, and return the exit code that sums it up."""
        for outcome in self.outcomes.values():
            if outcome.result and as_json:
                report = self.app.report_format.report(outcome.result.report)
                typer.echo(json.dumps(report))
            elif outcome.result:
                out.print(self.table(outcome))
            if outcome.error:
                about = outcome.request.clip_id if outcome.request else "A message"
                _fail(f"{about} failed: {plain(outcome.error)}", FAILED)
        codes = {exit_code(outcome) for outcome in self.outcomes.values()}
        if WAITING in codes and not as_json:
            err.print(f"Go on with: camclip run --root {self.root} --until-done", markup=False)
        return next((code for code in (FAILED, REFUSED, WAITING) if code in codes), AVAILABLE)

    def table(self, outcome: DeliveryOutcome) -> Table:
        """Tell how a message ended, for people."""
        assert outcome.result  # noqa: S101 - the caller has seen to it
        report = outcome.result.report
        rows = Table(show_header=False, title=f"Clip {report.clip_id}", title_justify="left")
        rows.add_column(style="dim", no_wrap=True)
        rows.add_column(overflow="fold")
        rows.add_row("status", report.status.value, style=STYLES.get(report.status, "bold red"))
        for name, told in self._facts(report, outcome):
            rows.add_row(name, told)
        return rows

    def _facts(self, report: ClipReport, outcome: DeliveryOutcome) -> Iterator[tuple[str, str]]:
        if report.reason:
            yield "reason", report.reason
        yield "camera", report.camera_id or "not said"
        if report.start_ms is not None and report.end_ms is not None:
            asked_ms = report.end_ms - report.start_ms
            yield "from", utc(report.start_ms)
            yield "to", utc(report.end_ms)
            yield "asked", seconds(asked_ms)
        if report.has_clip and report.camera_id:
            yield "delivered", seconds(report.delivered_ms)
            for gap in report.gaps:
                yield "gap", f"{utc(gap.start_ms)}, {seconds(gap.duration_ms)} long"
            yield from self._files(ClipName(report.camera_id, report.clip_id), outcome)
        for note in outcome.result.notes if outcome.result else ():
            yield "note", note

    def _files(self, name: ClipName, outcome: DeliveryOutcome) -> Iterator[tuple[str, str]]:
        clips = self.app.clips
        stored = clips.find(name, time.monotonic() + 60)
        if stored and stored.media:
            media = stored.media
            encoded = media.frames - media.copied_frames
            yield "frames", f"{media.frames}: {media.copied_frames} copied, {encoded} encoded"
            yield "picture", f"{media.codec}, {media.width} x {media.height}"
        yield "clip", str(clips.path(name))
        for thumbnail in clips.thumbnails(name):
            yield "still", str(thumbnail)
        yield "took", seconds(outcome.elapsed_ms)


def open_session(root: Path) -> Session:
    """Put the service together on the folder `root`."""
    from entrypoints.container import local_app  # noqa: PLC0415 - boto3 and all: not for --help

    told = ProgressReporter()
    return Session(root, local_app(root.absolute(), told, environment()), told)


def exit_code(outcome: DeliveryOutcome) -> int:
    """Say what one message's outcome is worth as an exit code."""
    if outcome.error or not outcome.result:
        return FAILED
    match outcome.result.report.status:
        case ClipStatus.AVAILABLE:
            return AVAILABLE
        case ClipStatus.PENDING:
            return WAITING
        case _:
            return REFUSED


def plain(error: Exception) -> str:
    """Tell an error in one sentence."""
    text = str(error) if isinstance(error, ClipError) else f"unexpected {error!r}"
    return " ".join(text.split())


def instant_ms(text: str) -> int:
    """Read an instant, in ms since the epoch: ISO 8601, UTC if it has no zone, or such a number."""
    if text.isascii() and text.isdecimal() and len(text) <= 15:  # noqa: PLR2004
        return int(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text} is no instant: write 2026-05-01T12:00:10.250Z or 1777636810250."
        ) from error
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(milliseconds=1)


def utc(instant_ms: int) -> str:
    """Write an instant as 2026-05-01 12:00:10.250 UTC, or as a number where no calendar has it."""
    try:
        instant = EPOCH + timedelta(milliseconds=instant_ms)
    except OverflowError:
        return f"{instant_ms} ms"
    return f"{instant:%Y-%m-%d %H:%M:%S}.{instant_ms % 1000:03d} UTC"


def seconds(duration_ms: float) -> str:
    """Write a duration to the millisecond."""
    return f"{duration_ms / 1000:.3f} s"


def environment(folder: Path = Path()) -> dict[str, str]:
    """Return the environment; what it does not say is read from the file `.env`, if there is one.

    A line of it is `NAME=value`, quoted or not; `#` begins a comment line.
    """
    try:
        lines = (folder / ".env").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    pairs = (line.removeprefix("export ").partition("=") for line in map(str.strip, lines))
    told = {name.strip(): value.strip().strip("\"'") for name, equals, value in pairs if equals}
    return {**{name: value for name, value in told.items() if name[0:1] != "#"}, **os.environ}


def _recorded(root: Path, camera_id: str) -> Sequence[RecordingSegment]:
    """Return all recordings of the camera; Misuse if there are none."""
    from entrypoints.container import local_app  # noqa: PLC0415 - as in open_session

    cameras = local_app(root, environ=environment()).cameras
    found = cameras.find_segments(camera_id, TimeWindow(0, 10**15), time.monotonic() + 600)
    if not found:
        raise UsageError(f"{root} holds no recordings of {camera_id}.")
    return found


def _id_of(window: TimeWindow) -> str:
    """Make an id of the window: the same cut twice is the same clip."""
    start = EPOCH + timedelta(milliseconds=window.start_ms)
    return f"{start:%Y%m%dT%H%M%S}{window.start_ms % 1000:03d}-{window.duration_ms}ms"


def _read_event(path: Path) -> Mapping[str, Any]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        event = json.loads(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON.") from error
    if not isinstance(event, dict):
        raise UsageError(f"{path} holds no SQS event.")
    return event


def _wait_until(due_ms: int) -> None:
    """Sleep, with a countdown on a terminal."""
    left_s = (due_ms - _now_ms()) / 1000
    if left_s > 0 and not err.is_terminal:
        err.print(f"Waiting {left_s:.0f} s for footage.")
    with err.status("") if err.is_terminal else nullcontext() as status:
        while (left_s := (due_ms - _now_ms()) / 1000) > 0:
            if status:
                status.update(f"Waiting for footage: next look in {left_s:.0f} s")
            time.sleep(min(left_s, 0.5))


@define
class ProgressReporter:
    """Progress on standard error: a bar on a terminal, else a line at each quarter."""

    what: str = ""
    bar: Progress | None = None
    quarter: int = 0

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Tell of `what` while the block runs."""
        self.what, self.quarter = what, 0
        if not err.is_terminal:
            yield
            return
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("frames"), TimeElapsedColumn())
        with Progress(
            TextColumn("{task.description}"), *columns, console=err, transient=True
        ) as bar:
            bar.add_task(what, total=None)
            self.bar = bar
            try:
                yield
            finally:
                self.bar = None

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` frames are done."""
        quarter = 4 * done // max(total, 1)
        if self.bar:
            self.bar.update(self.bar.task_ids[0], completed=done, total=total)
        elif quarter > self.quarter:
            err.print(f"{self.what}: {done} of {total} frames")
        self.quarter = quarter


def _fail(error: object, code: int) -> int:
    err.print(f"camclip: {error}", style="red", markup=False, soft_wrap=True)
    return code


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
