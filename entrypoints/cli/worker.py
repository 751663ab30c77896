"""`camclip worker`."""

import os
from typing import Annotated

import typer

from entrypoints.cli.command import command
from entrypoints.cli.environment import load_environment
from entrypoints.worker.health import check_health
from entrypoints.worker.supervisor import run


@command(example="`WORKER_SLOTS=2 camclip worker`")
def worker(
    *,
    health: Annotated[
        bool,
        typer.Option(
            "--check-health", help="Only check the health file of a worker (WORKER_HEALTH_FILE)."
        ),
    ] = False,
) -> None:
    """Make the queue's clips, without Lambda.

    Configured by the environment and `.env`: the service's settings, and WORKER_*. SIGTERM or
    Ctrl-C finishes the messages in progress; the second one releases them.
    """
    load_environment()
    raise typer.Exit(check_health(os.environ) if health else run(os.environ))
