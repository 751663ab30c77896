"""`camclip doctor`: faults of the settings and the deployment, with their fixes."""

import json
import os
from collections.abc import Iterator
from typing import Annotated

import typer

from entrypoints.cli.command import command
from entrypoints.cli.console import FAILED, err
from entrypoints.cli.doctor import layout_checks, messaging_checks, s3_checks
from entrypoints.cli.doctor.check import Deployment
from entrypoints.cli.doctor.finding import Finding, ends_all_checks, summary
from entrypoints.cli.doctor.local_checks import check_locally
from entrypoints.cli.environment import load_environment
from entrypoints.cli.sample_values import sample_values
from entrypoints.cli.service import open_aws
from entrypoints.settings import InvalidSettings

COLOURS = {"ok": "green", "fault": "red", "skipped": "yellow"}
NAME_WIDTH = 24
CHECKS = (
    *(s3_checks.origin, s3_checks.origin_listing, s3_checks.recording),
    *(layout_checks.pattern, layout_checks.camera),
    *(s3_checks.destination, s3_checks.destination_listing, s3_checks.destination_reading),
    *(s3_checks.lifecycle, s3_checks.uploads, s3_checks.privacy),
    *(messaging_checks.queue, messaging_checks.dead_letters, messaging_checks.recursive_loop),
    *(messaging_checks.topic, messaging_checks.cameras),
)

UNSEEN = "AWS and the camera API (--aws)"
UNASKED = {
    "--compose": "what the store copies and honours (--compose)",
    "--camera": "a camera's recordings (--camera)",
    "--function": "Lambda's loop detection (--function)",
}
"""What is not checked without these options, besides UNSEEN."""


@command(example="`camclip doctor --aws --camera pier`")
def doctor(
    *,
    aws: Annotated[
        bool,
        typer.Option("--aws", "--online", help="Also check AWS and the camera API; only reads."),
    ] = False,
    compose: Annotated[
        bool, typer.Option("--compose", help="Also upload a test object to S3; this writes.")
    ] = False,
    camera: Annotated[
        str | None, typer.Option(metavar="ID", help="A camera whose recordings to list.")
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The Lambda function, to check its loop detection."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON, one per line.")
    ] = False,
) -> None:
    """Check the settings and the deployment.

    Each fault comes with its fix; the exit code is 1 if there is one. Configured by the environment
    and `.env`. AWS is called with your credentials, not the function's role. `--compose` copies up
    to 32 MiB of a recording to `.camclip-doctor/` in the destination, deletes it, and prints the
    settings that this store needs.
    """
    aws = aws or compose or bool(camera or function)
    found = []
    for finding in findings(aws=aws, compose=compose, camera_id=camera, function=function):
        typer.echo(json.dumps(finding.as_json()) if as_json else "\n".join(lines(finding)))
        found.append(finding)
    asked = {"--compose": compose, "--camera": camera, "--function": function}
    unasked = [what for option, what in UNASKED.items() if not asked[option]] if aws else [UNSEEN]
    has_fault = any(finding.ok is False for finding in found)
    line = summary(found, unasked)
    err.print(line, style="red" if has_fault else "green", markup=False, soft_wrap=True)
    raise typer.Exit(FAILED if has_fault else 0)


def findings(
    *, aws: bool, compose: bool, camera_id: str | None, function: str | None
) -> Iterator[Finding]:
    """Yield what is found on this machine and, if `aws`, in the deployment."""
    load_environment()
    yield from check_locally(os.environ)
    if not aws:
        return
    try:
        deployment = Deployment(open_aws(), camera_id, function)
    except InvalidSettings:
        yield Finding("AWS", None, "not checked: the settings are invalid", "Fix them first.")
        return
    if sample_values(deployment.aws):
        detail = "not checked: some settings are still as in a sample"
        yield Finding("AWS", None, detail, "Replace them first.")
        return
    yield from check_aws(deployment, compose=compose)


def check_aws(deployment: Deployment, *, compose: bool) -> Iterator[Finding]:
    """Run every check, and the test upload if `compose`; end early if no call can succeed."""
    unreachable = set()
    for check in (*CHECKS, *([s3_checks.composition] if compose else [])):
        for finding in check(deployment) if check.setting not in unreachable else ():
            yield finding
            if check.is_first and finding.name == check.name and not finding.ok:
                unreachable.add(check.setting)
            if ends_all_checks(finding):
                yield Finding("AWS", None, "nothing else was checked")
                return


def lines(finding: Finding) -> Iterator[str]:
    """Write a finding for people: one line, one more for its fix, and its settings."""
    word = typer.style(f"{finding.word:8}", fg=COLOURS[finding.word])
    yield f"{word} {finding.name:{NAME_WIDTH}} {finding.detail}"
    if finding.fix:
        yield f"{'':8} {'':{NAME_WIDTH}} -> {finding.fix}"
    yield from finding.settings
