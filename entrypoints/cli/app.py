"""`camclip`: clips out of a plain folder of recordings, and tools for the service in AWS.

Results go to standard output, progress and remarks to standard error. Exit codes: 0 every clip is
available, 1 something failed, 2 wrong usage, 3 footage is awaited, 4 a request was rejected.

A command's module is imported when the command runs, so that `camclip --help` loads neither boto3
nor the service (0.4 s instead of 1.6 s on 2 cores of an AMD EPYC).
"""

import gc
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "demo": ("entrypoints.cli.demo.demo", "Cut a clip of a sample camera and write a report."),
    "cut": ("entrypoints.cli.cut", "Cut one clip, exact to the frame at both ends."),
    "cameras": ("entrypoints.cli.cameras", "List the cameras, and how much each has recorded."),
    "footage": ("entrypoints.cli.footage", "Show when a camera has footage, and when not."),
    "plan": ("entrypoints.cli.plan", "Show what a cut would do, without doing it."),
    "frame": ("entrypoints.cli.frame", "Save the frame that was on screen at an instant."),
    "inspect": (
        "entrypoints.cli.inspect",
        "Show what a recording is, and whether its frames can be copied.",
    ),
    "verify": (
        "entrypoints.cli.verify",
        "Check that a clip is what was cut, and name what was changed.",
    ),
    "run": ("entrypoints.cli.run", "Handle an SQS event, then the messages of the queue."),
    "watch": ("entrypoints.cli.watch", "Make the clips of requests that arrive as files."),
    "serve": (
        "entrypoints.serve.command",
        "Serve an HTTP API, and make the clips it is asked for.",
    ),
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
        command = getattr(import_lasting(module), str(self.name).replace("-", "_"))
        return command.make_context(info_name, args, *more, **extra)


def import_lasting(name: str) -> ModuleType:
    """Import a module whose objects, and those of all it imports, last as long as the process.

    The garbage collector looks for cycles among them neither now nor later, at exit least of all:
    that took a quarter of a command's start (0.75 s instead of 0.56 s on 2 slow cores).
    """
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


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
    pretty_exceptions_enable=False,
)
main = app


def print_version(is_requested: bool) -> None:  # noqa: FBT001 - as typer calls it
    """Print the installed version and end the program."""
    if is_requested:
        metadata = import_module("importlib.metadata")
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
