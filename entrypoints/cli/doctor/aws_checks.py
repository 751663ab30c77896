"""All checks of the deployment, in order."""

from collections.abc import Callable, Iterator

from attrs import frozen

from domain.errors import ClipError
from entrypoints.cli.doctor import messaging_checks, s3_checks
from entrypoints.cli.doctor.deployment import Deployment
from entrypoints.cli.doctor.finding import Finding, ends_all_checks, failure


@frozen
class Check:
    """A check, the permission it needs, and the setting that names what it calls."""

    name: str
    permission: str
    setting: str
    run: Callable[[Deployment], Iterator[Finding]]
    is_first: bool = False
    """Whether no other check of that setting can succeed if this one fails."""
    doctor_only: bool = False
    """Whether only the doctor needs the permission, and not the service."""

    def __call__(self, deployment: Deployment) -> Iterator[Finding]:
        """Run the check; a call that fails is a fault."""
        try:
            yield from self.run(deployment)
        except ClipError as error:
            yield failure(
                self.name, error, self.permission, self.setting, doctor_only=self.doctor_only
            )


UPLOADS = "s3:ListBucketMultipartUploads and s3:ListMultipartUploadParts"
PRIVACY = "s3:GetBucketPublicAccessBlock and s3:GetEncryptionConfiguration"
DEAD_LETTERS = "sqs:GetQueueUrl and sqs:GetQueueAttributes"
LISTING, READING = "s3:ListBucket on it", "s3:GetObject on it"
RECORDING = "s3:ListBucket and s3:GetObject on the origin"
ORIGIN, DESTINATION, QUEUE = "S3_BUCKET_ORIGIN", "S3_BUCKET_DESTINATION", "AWS_SQS_QUEUE_URL"
CHECKS = (
    Check("origin", LISTING, ORIGIN, s3_checks.origin, is_first=True),
    Check("origin listing", LISTING, ORIGIN, s3_checks.origin_listing),
    Check("recording", RECORDING, ORIGIN, s3_checks.recording),
    Check("destination", LISTING, DESTINATION, s3_checks.destination, is_first=True),
    Check("destination listing", LISTING, DESTINATION, s3_checks.destination_listing),
    Check("destination reading", READING, DESTINATION, s3_checks.destination_reading),
    Check(
        *("lifecycle", "s3:GetLifecycleConfiguration", DESTINATION, s3_checks.lifecycle),
        doctor_only=True,
    ),
    Check("uploads", UPLOADS, DESTINATION, s3_checks.uploads, doctor_only=True),
    Check("privacy", PRIVACY, DESTINATION, s3_checks.privacy, doctor_only=True),
    Check("queue", "sqs:GetQueueAttributes", QUEUE, messaging_checks.queue, is_first=True),
    Check("dead letters", DEAD_LETTERS, QUEUE, messaging_checks.dead_letters, doctor_only=True),
    Check(
        *("topic", "sns:GetTopicAttributes", "AWS_SNS_TOPIC", messaging_checks.topic),
        doctor_only=True,
    ),
    Check("camera API", "", "CAM_SERVICES_URL", messaging_checks.cameras),
)
COMPOSITION = Check(
    "composition", "s3:PutObject on the destination", DESTINATION, s3_checks.composition
)


def check_aws(deployment: Deployment, *, compose: bool) -> Iterator[Finding]:
    """Run every check, and the test upload if `compose`; end early if no call can succeed."""
    unreachable = set()
    for check in (*CHECKS, *([COMPOSITION] if compose else [])):
        for finding in check(deployment) if check.setting not in unreachable else ():
            yield finding
            if check.is_first and finding.name == check.name and not finding.ok:
                unreachable.add(check.setting)
            if ends_all_checks(finding):
                yield Finding("AWS", None, "nothing else was checked")
                return
