"""Shared options, and commands whose errors end in one sentence and an exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperCommand
from typer.main import get_command

from domain.errors import ClipError, Rejected
from entrypoints.cli.console import FAILED, INTERRUPTED, REJECTED, USAGE, UsageError, fail
from entrypoints.settings import InvalidSettings
from entrypoints.sqs_batch import NotAnSqsEvent

_ROOT = typer.Option(
    "--root", metavar="DIR", help="The folder with `recordings/`; clips go to its `clips/`."
)
Root = Annotated[Path, _ROOT]
OptionalRoot = Annotated[Path | None, _ROOT]
ClipsFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="With --recordings: the folder for clips."),
]
Recordings = Annotated[
    Path | None,
    typer.Option(
        "--recordings",
        metavar="DIR",
        help="A recorder's folder, in its own layout; it is only read.",
    ),
]
LayoutName = Annotated[
    str,
    typer.Option(
        "--layout",
        metavar="NAME",
        help="With --recordings: camclip, mediamtx, frigate, dashcam, ffmpeg, or a pattern such as"
        " `{camera}/%Y-%m-%d/%H%M%S`; guessed if absent.",
    ),
]
Gaps = Annotated[
    Literal["skip", "fail", "hold", "black", "slate"],
    typer.Option(
        "--gaps",
        help="Where there is no footage: skip it; fail; or show the picture next to it (hold),"
        " black, or a slate, so that the clip is as long as its window.",
    ),
]
Tz = Annotated[
    str,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="The zone of times that name none, such as Europe/Madrid: those you type, and those"
        " in paths whose layout has no zone of its own.",
    ),
]
_FROM = typer.Option(
    "--from",
    metavar="T",
    help="The start: 14:05, 'yesterday 23:10', now-10m, ISO 8601, or epoch s or ms.",
)
Start = Annotated[str, _FROM]
OptionalStart = Annotated[str | None, _FROM]
End = Annotated[str | None, typer.Option("--to", metavar="T", help="The end, itself excluded.")]
Duration = Annotated[
    str | None, typer.Option("--for", metavar="D", help="Instead of --to: 30s, 1m30s, 1:30 or 90.")
]
CameraId = Annotated[str, typer.Option("--camera", metavar="ID", help="The camera's id.")]
CameraIds = Annotated[
    list[str],
    typer.Option(
        "--camera", metavar="ID", help="The camera's id; each further one gets a clip of its own."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line.")]
CLIP_EXITS = (
    "0 every clip is available, 1 something failed, 2 wrong usage, 3 footage is awaited,"
    " 4 a request was rejected"
)
FOOTAGE_EXITS = "0 there is footage, 1 failure, 2 wrong usage, 4 no footage, or no such camera"
USUAL_EXITS = "0 success, 1 failure, 2 wrong usage"
INTERRUPTED_EXIT = "130 Ctrl-C"


class PlainErrors(TyperCommand):
    """A command that reports every expected error in one sentence."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer does not export the type
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (UsageError, InvalidSettings, NotAnSqsEvent) as error:
            raise typer.Exit(fail(error, USAGE)) from error
        except Rejected as error:
            raise typer.Exit(fail(error, REJECTED)) from error
        except ClipError as error:
            raise typer.Exit(fail(error, FAILED)) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(INTERRUPTED) from error
        except OSError as error:
            path = f"{error.filename}: " if error.filename else ""
            raise typer.Exit(fail(f"{path}{error.strerror or error}", FAILED)) from error


def command(
    *, example: str, exits: str = USUAL_EXITS
) -> Callable[[Callable[..., None]], TyperCommand]:
    """Return a decorator that makes a command of a function, its parameters and its docstring."""
    epilog = f"Example: {example}\n\nExit codes: {exits}, {INTERRUPTED_EXIT}."

    def make(function: Callable[..., None]) -> TyperCommand:
        app = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        app.command(cls=PlainErrors, epilog=epilog)(function)
        made = get_command(app)
        assert isinstance(made, TyperCommand)  # noqa: S101 - an app of one command is that command
        return made

    return make
