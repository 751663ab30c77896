"""`camclip`: clips out of a plain folder of recordings, and tools for the service in AWS.

Results go to standard output, progress and remarks to standard error. Exit codes: 0 every clip is
available, 1 something failed, 2 wrong usage, 3 footage is awaited, 4 a request was rejected.

A command's module is imported when the command runs, so that `camclip --help` loads neither boto3
nor the service (0.4 s instead of 1.6 s on 2 cores of an AMD EPYC).
"""

from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "demo": ("entrypoints.cli.demo.demo", "Cut a clip of a sample camera and write a report."),
    "cut": ("entrypoints.cli.cut", "Cut one clip, exact to the frame at both ends."),
    "run": ("entrypoints.cli.run", "Handle an SQS event, then the messages of the queue."),
    "event": ("entrypoints.cli.event", "Print a sample SQS event for the outcome you choose."),
    "local-aws": ("devtools.local_aws.command", "Run the service as AWS does, on this machine."),
    "doctor": ("entrypoints.cli.doctor.doctor", "Check the settings and the deployment."),
    "redrive": ("entrypoints.cli.redrive", "Group dead letters by cause, and send them back."),
    "worker": ("entrypoints.cli.worker", "Make the queue's clips, without Lambda."),
}
"""By name: the module, and the summary, which is the first line of the command's docstring."""


class LazyCommand(TyperCommand):
    """A command whose module is imported when the command runs, or prints its own help."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **extra: Any) -> Any:  # noqa: ANN401 - typer does not export the types
        """Parse the arguments by the command itself."""
        if self.hidden:
            typer.echo(
                "camclip: local-aws needs a checkout: run it there, after `make install`.", err=True
            )
            raise typer.Exit(2)
        module, _ = COMMANDS[str(self.name)]
        command = getattr(import_module(module), str(self.name).replace("-", "_"))
        return command.make_context(info_name, args, *more, **extra)


class Commands(TyperGroup):
    """All commands, none of them imported."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - as typer calls it
        commands = [
            LazyCommand(name, short_help=summary, hidden=not is_installed(module))
            for name, (module, summary) in COMMANDS.items()
        ]
        super().__init__(**{**attributes, "commands": commands})


def is_installed(module: str) -> bool:
    """Return whether a module is there: development tools are not in the wheel."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
main = app


def print_version(is_requested: bool) -> None:  # noqa: FBT001 - as typer calls it
    """Print the installed version and end the program."""
    if is_requested:
        typer.echo(f"camclip {metadata.version('camclip')}")
        raise typer.Exit


@app.callback()
def camclip(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=print_version,
            is_eager=True,
            help="Print the version.",
        ),
    ] = False,
) -> None:
    """Cut exact clips out of recorded camera footage."""


if __name__ == "__main__":
    main()
