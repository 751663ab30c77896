"""`camclip worker`."""

import os
from typing import Annotated

import typer


def worker(
    *,
    health: Annotated[
        bool,
        typer.Option(
            "--check-health", help="Only say whether the worker of WORKER_HEALTH_FILE is well."
        ),
    ] = False,
) -> None:
    """Take requests from the queue and make their clips, as the Lambda function does.

    Its settings are the service's, and WORKER_*; also read from `.env`. SIGTERM or Ctrl-C: what is
    in hand is finished; once more: it is given back.
    """
    from entrypoints.cli.app import environment  # noqa: PLC0415 - it imports this module
    from entrypoints.worker.health import check_health  # noqa: PLC0415 - only this command
    from entrypoints.worker.supervisor import run  # noqa: PLC0415 - loads boto3 and all

    os.environ.update(environment())  # boto3 looks there
    raise typer.Exit(check_health(os.environ) if health else run(os.environ))
