"""Shared options, and commands whose errors end in one sentence and an exit code."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from domain.errors import ClipError
from entrypoints.cli.console import FAILED, USAGE, UsageError, fail
from entrypoints.settings import InvalidSettings
from entrypoints.sqs_batch import NotAnSqsEvent

Root = Annotated[
    Path,
    typer.Option(
        "--root", metavar="DIR", help="The folder with `recordings/`; clips go to its `clips/`."
    ),
]
CameraId = Annotated[str, typer.Option("--camera", metavar="ID", help="The camera's id.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the reports as JSON, one per line.")]


class PlainErrors(TyperCommand):
    """A command that reports every expected error in one sentence."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer does not export the type
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (UsageError, InvalidSettings, NotAnSqsEvent) as error:
            raise typer.Exit(fail(error, USAGE)) from error
        except ClipError as error:
            raise typer.Exit(fail(error, FAILED)) from error
        except OSError as error:
            path = f"{error.filename}: " if error.filename else ""
            raise typer.Exit(fail(f"{path}{error.strerror or error}", FAILED)) from error


def command(*, example: str) -> Callable[[Callable[..., None]], TyperCommand]:
    """Return a decorator that makes a command of a function, its parameters and its docstring."""

    def make(function: Callable[..., None]) -> TyperCommand:
        app = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        app.command(cls=PlainErrors, epilog=f"Example: {example}")(function)
        made = get_command(app)
        assert isinstance(made, TyperCommand)  # noqa: S101 - an app of one command is that command
        return made

    return make
