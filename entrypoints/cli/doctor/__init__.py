"""`camclip doctor`: what is wrong with the service's settings and surroundings, and what to do."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from entrypoints.cli.doctor.finding import Finding

COLOURS = {"ok": "green", "fault": "red", "skipped": "yellow"}
NAME_WIDTH = 24


def doctor(
    *,
    aws: Annotated[
        bool, typer.Option("--aws", "--online", help="Ask AWS and the camera API too: only reads.")
    ] = False,
    compose: Annotated[
        bool, typer.Option("--compose", help="And put one object together in S3: this writes.")
    ] = False,
    camera: Annotated[
        str | None, typer.Option(metavar="ID", help="A camera to ask the camera API for.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON, one a line.")
    ] = False,
) -> None:
    """Check the settings and what they lead to, and say how to mend each fault.

    Reads the environment and `.env`, as `make invoke` does. `--compose` copies up to 32 MiB of a
    recording to `.camclip-doctor/` in the destination and deletes it again. AWS is asked with the
    credentials of whoever calls, not with the function's role. Exit code 1: there is a fault.
    """
    from entrypoints.cli.app import FAILED, err  # noqa: PLC0415 - it registers this command

    faults = count = 0
    for finding in findings(
        aws=aws or compose or camera is not None, compose=compose, camera=camera
    ):
        typer.echo(json.dumps(finding.as_json()) if as_json else "\n".join(lines(finding)))
        faults += finding.ok is False
        count += finding.ok is not None
    told = f"{faults} of {count} checks found a fault." if faults else f"{count} checks, no fault."
    err.print(told, style="red" if faults else "green", markup=False)
    raise typer.Exit(FAILED if faults else 0)


def findings(*, aws: bool, compose: bool, camera: str | None) -> Iterator["Finding"]:
    """Look at this machine and, if asked, around it; one after the other."""
    from entrypoints.cli.app import environment  # noqa: PLC0415 - as above; boto3: not for --help
    from entrypoints.cli.doctor.aws_checks import Surroundings, check_aws  # noqa: PLC0415
    from entrypoints.cli.doctor.finding import Finding  # noqa: PLC0415
    from entrypoints.cli.doctor.local_checks import check_locally  # noqa: PLC0415
    from entrypoints.container import Aws  # noqa: PLC0415
    from entrypoints.settings import InvalidSettings, read_settings  # noqa: PLC0415

    os.environ.update(environment())  # boto3 looks there
    yield from check_locally(os.environ)
    if not aws:
        return
    try:
        settings = read_settings(os.environ)
    except InvalidSettings:
        yield Finding("AWS", None, "not asked, until the settings make sense")
        return
    # Whether ffmpeg is there has been judged, and nothing here needs it.
    service = Aws(settings=settings, ffmpeg=Path("ffmpeg"))
    yield from check_aws(Surroundings(service, camera), compose=compose)


def lines(finding: "Finding") -> Iterator[str]:
    """Write a finding for people: one line, and one more if there is something to do."""
    word = typer.style(f"{finding.word:8}", fg=COLOURS[finding.word])
    yield f"{word} {finding.name:{NAME_WIDTH}} {finding.said}"
    if finding.mend:
        yield f"{'':8} {'':{NAME_WIDTH}} -> {finding.mend}"
