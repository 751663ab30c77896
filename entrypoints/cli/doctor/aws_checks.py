"""All checks of the deployment, in order."""

from collections.abc import Iterator

from entrypoints.cli.doctor import messaging_checks, s3_checks
from entrypoints.cli.doctor.check import Deployment
from entrypoints.cli.doctor.finding import Finding, ends_all_checks

CHECKS = (
    *(s3_checks.origin, s3_checks.origin_listing, s3_checks.recording),
    *(s3_checks.destination, s3_checks.destination_listing, s3_checks.destination_reading),
    *(s3_checks.lifecycle, s3_checks.uploads, s3_checks.privacy),
    *(messaging_checks.queue, messaging_checks.dead_letters, messaging_checks.topic),
    messaging_checks.cameras,
)


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
