"""`camclip watch`."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from domain.clip import ClipStatus
from entrypoints.cli.command import (
    CLIP_EXITS,
    AsJson,
    ClipsFolder,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import UsageError, err, fail
from entrypoints.cli.dropped import Accept, Refuse, Wait, decide_dropped
from entrypoints.cli.places import Places, opened
from entrypoints.cli.results import exit_code, print_outcome, worst
from entrypoints.cli.session import Session
from entrypoints.log_line import DeliveryOutcome

POLL_S = 1.0
REFUSED = "refused"
"""The folder, in the one that is watched, for files that are no requests."""


@command(
    example="`camclip watch requests --recordings /media/frigate/recordings --out clips`; then"
    " `camclip event -a > requests/1.json`",
    exits=CLIP_EXITS,
)
def watch(  # noqa: PLR0913 - one parameter per option
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where requests arrive as files: *.json.")
    ],
    *,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    out: ClipsFolder = None,
    root: OptionalRoot = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when no file is left and no request is due.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the clips of requests that arrive as files.

    It goes on until Ctrl-C or SIGTERM. A file holds a message as the service gets it, or an SQS
    event. It moves to the queue next to the clips, where a request waits until its footage is
    stored; one that names no clip moves to `refused/`.
    """
    places = Places(root=root, recordings=recordings, layout=layout, tz=tz, out=out)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: make it, and put requests there.")
    if places.clip_file:
        raise UsageError(f"--out {out} must be a folder: requests may make several clips.")
    codes: list[int] = []
    with _ending_at_sigterm(), opened(places) as session:
        if err.is_terminal:
            err.print(f"Watching {folder}; Ctrl-C ends it.", markup=False, soft_wrap=True)
        for outcome in outcomes(session, folder, once=once):
            print_outcome(session, outcome, as_json=as_json)
            codes.append(exit_code(outcome))
    raise typer.Exit(worst(codes))


def outcomes(session: Session, folder: Path, *, once: bool) -> Iterator[DeliveryOutcome]:
    """Yield how each request ended; that it waits, only the first time."""
    waiting: set[object] = set()
    while True:
        for path in sorted(folder.glob("[!.]*.json")):
            take_in(session, path)
        while session.handle_next():
            for name, outcome in session.outcomes.items():
                is_pending = _is_pending(outcome)
                if not is_pending or name not in waiting:
                    yield outcome
                (waiting.add if is_pending else waiting.discard)(name)
            session.outcomes.clear()
        if once and not list(folder.glob("[!.]*.json")):
            return
        time.sleep(POLL_S)


def take_in(session: Session, path: Path) -> None:
    """Move a file to the queue, if it holds requests, or away.

    It is removed after it was queued: if the process dies in between, it is queued twice, which
    makes no second clip.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        age_s = time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return  # Another process watches the folder, too.
    match decide_dropped(text, age_s):
        case Wait():
            return
        case Accept(bodies):
            for body in bodies:
                session.queue.add(body)
            path.unlink(missing_ok=True)
        case Refuse(reason):
            refused = path.parent / REFUSED / path.name
            refused.parent.mkdir(exist_ok=True)
            path.replace(refused)
            fail(f"{path.name} is no request and was moved to {refused}: {reason}", 1)


def _is_pending(outcome: DeliveryOutcome) -> bool:
    return bool(outcome.result) and outcome.status == ClipStatus.PENDING.value


@contextmanager
def _ending_at_sigterm() -> Iterator[None]:
    """Make SIGTERM, by which services are stopped, an interrupt like Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
