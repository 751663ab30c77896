"""What can be seen of the service's surroundings: each check asks, and has its answer judged."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from attrs import Factory, define, frozen

from domain.errors import ClipError, Rejected, Unavailable
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.doctor import verdicts
from entrypoints.cli.doctor.finding import Finding, failed, is_hopeless
from entrypoints.cli.doctor.incomplete_uploads import list_uploads, parts_bytes
from entrypoints.cli.doctor.multipart_probe import ProbeFailed, probe_multipart
from entrypoints.cli.units import megabytes
from entrypoints.container import Aws
from infrastructure.aws import NOTHING, call
from infrastructure.s3 import S3Recording, S3RecordingStore
from infrastructure.s3.parts import MIN_PART_BYTES
from infrastructure.sqs import dead_letter_url, queue_attributes

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")
ASK_S = 20
READABLE_S = 300
"""How long an opened recording can be read from: the composition comes last."""
HOUR_MS = 3_600_000
MEASURED_UPLOADS = 50
ABSENT = {code: KeyError(code) for code in ("404", "NoSuchKey")}
UNSET = {
    code: KeyError(code)
    for code in (
        *("NoSuchLifecycleConfiguration", "NoSuchPublicAccessBlockConfiguration"),
        *("ServerSideEncryptionConfigurationNotFoundError", "NotImplemented", "501"),
    )
}


@define
class Surroundings:
    """The service's surroundings, and what earlier checks learned of them."""

    aws: Aws
    camera_id: str | None = None
    regions: dict[str, str] = Factory(dict)
    """By bucket; empty where the store does not say."""
    recordings: list[S3Recording] = Factory(list)
    queue: Mapping[str, str] = Factory(dict)
    days: int | None = None
    """After which incomplete uploads are aborted."""

    @property
    def places(self) -> Any:  # noqa: ANN401 - dependency_injector does not type it
        """Where everything is."""
        return self.aws.settings().places

    @property
    def s3(self) -> "S3Client":
        """The client; Unavailable if it cannot be made."""
        client: S3Client = call("S3", _soon(), self.aws.s3)
        return client


@frozen
class Check:
    """A question, what asking it takes, and which setting names whom it asks."""

    name: str
    permission: str
    place: str
    look: Callable[[Surroundings], Iterator[Finding]]
    is_first: bool = False
    """Whether nothing else can be asked of the place if this fails."""
    ours: bool = False
    """Whether only the doctor needs the permission, and not the service."""

    def __call__(self, around: Surroundings) -> Iterator[Finding]:
        """Look; a call that fails is a fault."""
        try:
            yield from self.look(around)
        except ClipError as error:
            yield failed(self.name, error, self.permission, self.place, ours=self.ours)


def check_aws(around: Surroundings, *, compose: bool) -> Iterator[Finding]:
    """Make every check, and the trial composition if `compose`; end early if nobody answers."""
    unreachable = set()
    for check in (*CHECKS, *([COMPOSITION] if compose else [])):
        for finding in check(around) if check.place not in unreachable else ():
            yield finding
            if check.is_first and finding.name == check.name and not finding.ok:
                unreachable.add(check.place)
            if is_hopeless(finding):
                yield Finding("the rest", None, "not asked for")
                return


def origin(around: Surroundings) -> Iterator[Finding]:
    """Ask for the recordings' bucket, and compare clocks."""
    head = _head(around, around.places.origin_bucket)
    yield Finding("origin", True, f"{around.places.origin_bucket} answers")
    date = head["ResponseMetadata"]["HTTPHeaders"].get("date")
    if date:
        there = parsedate_to_datetime(date).timestamp()
        yield verdicts.judge_clock(time.time() - there)


def destination(around: Surroundings) -> Iterator[Finding]:
    """Ask for the clips' bucket, and compare regions."""
    places, regions = around.places, around.regions
    _head(around, places.destination_bucket)
    yield Finding("destination", True, f"{places.destination_bucket} answers")
    if places.origin_bucket in regions:
        both = regions[places.origin_bucket], regions[places.destination_bucket]
        yield verdicts.judge_regions(*both, compose=around.aws.settings().rules.compose)


def origin_absent(around: Surroundings) -> Iterator[Finding]:
    """Ask for a recording that cannot be."""
    yield _absent(around, "origin listing", around.places.origin_bucket)


def destination_absent(around: Surroundings) -> Iterator[Finding]:
    """Ask for a clip that cannot be."""
    yield _absent(around, "destination listing", around.places.destination_bucket)


def recording(around: Surroundings) -> Iterator[Finding]:
    """Open a recording as the service does: the newest of the first thousand, over 5 MiB if any."""
    places = around.places
    prefix = f"{places.origin_folder}/" if places.origin_folder else ""
    listed = _ask(
        lambda: around.s3.list_objects_v2(Bucket=places.origin_bucket, Prefix=prefix)
    ).get("Contents", [])
    films = [row for row in listed if row["Key"].endswith(".mp4")]
    if not films:
        said = f"no .mp4 in {places.origin_bucket}/{prefix}"
        yield Finding("recording", None, said, "See that S3_BUCKET_ORIGIN_DIR is right.")
        return
    chosen = max(films, key=lambda row: (row["Size"] > MIN_PART_BYTES, row["LastModified"]))
    name = chosen["Key"].removeprefix(prefix)
    store = S3RecordingStore(around.s3, places.origin_bucket, places.origin_folder)
    opened = store.open(RecordingSegment(TimeWindow(0, 1), name), time.monotonic() + READABLE_S)
    around.recordings.append(opened)
    length_s = opened.segment.window.duration_ms / 1000
    yield Finding("recording", True, f"{name}: {length_s:g} s, {megabytes(opened.size_bytes)}")


def clip(around: Surroundings) -> Iterator[Finding]:
    """Read the first byte of something in the clips' bucket."""
    bucket = around.places.destination_bucket
    listed = _ask(lambda: around.s3.list_objects_v2(Bucket=bucket, MaxKeys=1)).get("Contents", [])
    if not listed:
        yield Finding("destination reading", None, "there is nothing in it yet")
        return
    key = listed[0]["Key"]
    _ask(lambda: around.s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0"), _EMPTY)
    yield Finding("destination reading", True, f"{key} can be read")


def lifecycle(around: Surroundings) -> Iterator[Finding]:
    """Read the clips' bucket's lifecycle rules."""
    bucket = around.places.destination_bucket
    found = _if_set(lambda: around.s3.get_bucket_lifecycle_configuration(Bucket=bucket))
    rules = found.get("Rules", [])
    around.days = verdicts.abort_days(rules)
    yield verdicts.judge_lifecycle(rules)


def uploads(around: Surroundings) -> Iterator[Finding]:
    """List incomplete uploads; add up the parts of the oldest fifty."""
    bucket, now_ms = around.places.destination_bucket, _now_ms()
    found = list_uploads(around.s3, bucket, _soon())
    old = [upload for upload in found if now_ms - upload.begun_ms > verdicts.DAY_MS]
    size = sum(parts_bytes(around.s3, bucket, upload, _soon()) for upload in old[:MEASURED_UPLOADS])
    yield verdicts.judge_uploads(found, size, now_ms, around.days, bucket)


def privacy(around: Surroundings) -> Iterator[Finding]:
    """Read whether the clips' bucket blocks public access, and how it encrypts."""
    bucket = around.places.destination_bucket
    block = _if_set(lambda: around.s3.get_public_access_block(Bucket=bucket))
    encryption = _if_set(lambda: around.s3.get_bucket_encryption(Bucket=bucket))
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    kinds = [r.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm") for r in rules]
    blocked = block.get("PublicAccessBlockConfiguration", {})
    yield verdicts.judge_privacy(blocked, ", ".join(filter(None, kinds)) or "not said")


def queue(around: Surroundings) -> Iterator[Finding]:
    """Read the queue's attributes."""
    around.queue = queue_attributes(_sqs(around), around.places.queue_url, _soon())
    yield from verdicts.judge_queue(around.queue, around.aws.settings().rules)


def dead_letters(around: Surroundings) -> Iterator[Finding]:
    """Read the attributes of the queue's dead-letter queue, if it names one."""
    client = _sqs(around)
    url = dead_letter_url(client, around.queue, _soon())
    if url:
        dead = queue_attributes(client, url, _soon())
        yield from verdicts.judge_dead_letters(around.queue, dead)


def topic(around: Surroundings) -> Iterator[Finding]:
    """Read the topic's attributes."""
    arn = around.places.topic_arn
    found = _ask(lambda: around.aws.sns().get_topic_attributes(TopicArn=arn), what="SNS")
    yield verdicts.judge_topic(arn, found["Attributes"])


def cameras(around: Surroundings) -> Iterator[Finding]:
    """Ask the camera API for the last hour's recordings of a camera, or of one that cannot be."""
    camera_id = around.camera_id or f"camclip-doctor-{uuid4().hex[:8]}"
    now_ms = _now_ms()
    window = TimeWindow(now_ms - HOUR_MS, now_ms)
    try:
        found = around.aws.cameras().find_segments(camera_id, window, _soon())
    except Rejected as refused:
        if around.camera_id:
            mend = "Give --camera an id that the camera API knows."
            yield Finding("camera API", False, str(refused), mend)
        else:
            yield Finding("camera API", True, "answers, and knows no camera that cannot be")
        return
    except ClipError as error:
        mend = "See to CAM_SERVICES_URL, RECORDINGS_URL and the network."
        yield Finding("camera API", False, str(error), mend)
        return
    if not around.camera_id:
        mend = "An unknown camera must be answered with 404, or its clips are waited for."
        yield Finding("camera API", False, f"knows {camera_id}, which cannot be", mend)
        return
    last = max((segment.window.end_ms for segment in found), default=None)
    until = f", the last until {_clock(last)} UTC" if last else ""
    said = f"{camera_id}: {len(found)} recordings in the last hour{until}"
    yield Finding("camera API", True, said, "" if found else "Does the camera record?")


def composition(around: Surroundings) -> Iterator[Finding]:
    """Compose an object of a recording, and break the rules of it."""
    usable = [rec for rec in around.recordings if rec.size_bytes > MIN_PART_BYTES]
    if not usable:
        said = "it takes a recording of more than 5 MiB that can be read"
        yield Finding("composition", None, said)
        return
    bucket = around.places.destination_bucket
    try:
        trial = probe_multipart(around.s3, usable[0], bucket)
    except ProbeFailed as refused:
        if isinstance(refused.__cause__, ClipError):
            raise refused.__cause__ from refused.__cause__.__cause__
        raise Unavailable(str(refused)) from refused
    yield from verdicts.judge_trial(trial, compose=around.aws.settings().rules.compose)


UPLOADS, PARTS = "s3:ListBucketMultipartUploads", "s3:ListMultipartUploadParts"
BLOCK, ENCRYPTION = "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"
ORIGIN, DESTINATION, QUEUE = "S3_BUCKET_ORIGIN", "S3_BUCKET_DESTINATION", "AWS_SQS_QUEUE_URL"
CHECKS = (
    Check("origin", "s3:ListBucket on it", ORIGIN, origin, is_first=True),
    Check("origin listing", "s3:ListBucket on it", ORIGIN, origin_absent),
    Check("recording", "s3:ListBucket and s3:GetObject on the origin", ORIGIN, recording),
    Check("destination", "s3:ListBucket on it", DESTINATION, destination, is_first=True),
    Check("destination listing", "s3:ListBucket on it", DESTINATION, destination_absent),
    Check("destination reading", "s3:GetObject on it", DESTINATION, clip),
    Check("lifecycle", "s3:GetLifecycleConfiguration", DESTINATION, lifecycle, ours=True),
    Check("uploads", f"{UPLOADS} and {PARTS}", DESTINATION, uploads, ours=True),
    Check("privacy", f"{BLOCK} and {ENCRYPTION}", DESTINATION, privacy, ours=True),
    Check("queue", "sqs:GetQueueAttributes", QUEUE, queue, is_first=True),
    Check(
        "dead letters", "sqs:GetQueueUrl and sqs:GetQueueAttributes", QUEUE, dead_letters, ours=True
    ),
    Check("topic", "sns:GetTopicAttributes", "AWS_SNS_TOPIC", topic, ours=True),
    Check("camera API", "", "CAM_SERVICES_URL", cameras),
)
COMPOSITION = Check("composition", "s3:PutObject on the destination", DESTINATION, composition)
_EMPTY = {"InvalidRange": Unavailable("The object is empty.")}


def _head(around: Surroundings, bucket: str) -> Mapping[str, Any]:
    head = _ask(lambda: around.s3.head_bucket(Bucket=bucket))
    around.regions[bucket] = head.get("BucketRegion", "")
    return head


def _absent(around: Surroundings, name: str, bucket: str) -> Finding:
    """HEAD what is not there: without s3:ListBucket S3 says 403 of it, and messages go back."""
    try:
        _ask(
            lambda: around.s3.head_object(Bucket=bucket, Key=f"camclip-doctor/{uuid4().hex}"),
            ABSENT,
        )
    except KeyError:
        return Finding(name, True, "what is absent is answered with 404")
    return Finding(name, False, "what is absent is said to be there", "Use a store that is S3.")


def _ask(ask: Callable[[], T], meant: Mapping[str, Exception] = NOTHING, what: str = "S3") -> T:
    return call(what, _soon(), ask, meant)


def _if_set(ask: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the answer, empty if nothing was configured."""
    try:
        return _ask(ask, UNSET)
    except KeyError:
        return {}


def _sqs(around: Surroundings) -> Any:  # noqa: ANN401 - dependency_injector does not type it
    return call("SQS", _soon(), around.aws.sqs)


def _soon() -> float:
    return time.monotonic() + ASK_S


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _clock(instant_ms: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_ms):%H:%M:%S}"
