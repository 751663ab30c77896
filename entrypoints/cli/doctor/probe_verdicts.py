"""The verdicts on a test upload, and the settings that its store needs. Pure."""

from collections.abc import Mapping
from typing import Final

from domain.errors import RecordingChanged
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.doctor.multipart_probe import ProbeResult, UploadResult
from entrypoints.cli.units import size
from infrastructure.s3.conditions import Conditions, name_of
from infrastructure.s3.multipart import UploadRejected

COMPOSE, CONDITIONS = "COMPOSE", "S3_CONDITIONS"
CHECKSUMS = "AWS_REQUEST_CHECKSUM_CALCULATION"
SUPPORTED: Final = "when_supported"
REQUIRED: Final = "when_required"
ONE_AT_A_TIME = (
    "Process one message at a time (reserved concurrency 1, or one worker with WORKER_SLOTS=1), or"
    " use another store: two deliveries of one clipId at once may both be reported as available."
)

Settings = Mapping[str, str]


def settings_for(probe: ProbeResult) -> dict[str, str]:
    """Return the settings that the store needs, by name."""
    composing = [mode for mode, upload in probe.uploads.items() if _composes(upload)]
    storing = [mode for mode, upload in probe.uploads.items() if not upload.stored]
    settings = {
        COMPOSE: "auto" if composing else "off",
        CHECKSUMS: [*composing, *storing, SUPPORTED][0],
    }
    if isinstance(probe.conditions, Conditions):
        settings[CONDITIONS] = name_of(probe.conditions)
    return settings


def judge_probe(probe: ProbeResult, configured: Settings) -> list[Finding]:
    """Judge a test upload, for a service with the `configured` values of the same settings."""
    needed = settings_for(probe)
    composes = needed[COMPOSE] == "auto"
    upload = probe.uploads[needed[CHECKSUMS] if composes else list(probe.uploads)[-1]]
    return [
        _judge_copies(probe.copied_bytes, upload, compose=configured[COMPOSE] == "auto"),
        *([_judge_source(probe.source_compared)] if composes else []),
        _judge_conditions(probe.conditions),
        _judge_checksums(probe, needed[CHECKSUMS]),
        _judge_headers(upload.described),
        _judge_owner(compared=probe.owner_compared),
        _judge_undeleted(probe),
        _judge_settings(probe, needed, configured),
    ]


def _composes(upload: UploadResult) -> bool:
    return not upload.composed and not upload.compared


def _judge_copies(copied_bytes: int, upload: UploadResult, *, compose: bool) -> Finding:
    name = "copies"
    match upload.composed or upload.compared:
        case None:
            speed = f"{size(copied_bytes / max(upload.duration_s, 0.01))}/s"
            detail = f"S3 copied {size(copied_bytes)} in {upload.duration_s:.2f} s: {speed}"
            return Finding(name, True, detail, "" if compose else "COMPOSE=auto would use that.")
        case UploadRejected() as rejection:
            reason = "S3 does not copy ranges" if rejection.permanent else "S3 rejects copies"
            detail = f"{reason} ({rejection}): every clip passes through the function"
            if not compose:
                return Finding(name, None, detail, "COMPOSE=off is the right setting for it.")
            fix = "Set COMPOSE=off, so that the service does not try."
            if not rejection.permanent:
                fix = (
                    "Allow s3:GetObject on the recordings (and kms:Decrypt on their key) and use"
                    " one region for both buckets; or set COMPOSE=off."
                )
            return Finding(name, False, detail, fix)
        case error:
            return Finding(name, False, str(error), "Set COMPOSE=off until copies are correct.")


def _judge_source(compared: Exception | None) -> Finding:
    name = "copy condition"
    match compared:
        case RecordingChanged():
            return Finding(name, True, "a recording with another ETag is not copied")
        case None:
            detail = "x-amz-copy-source-if-match is ignored: ETags are compared after the copies"
            return Finding(name, True, detail)
        case error:
            detail = f"a recording with another ETag is not answered with 412: {error}"
            return Finding(name, None, detail, "ETags are compared after the copies, too.")


def _judge_conditions(found: Conditions | Exception) -> Finding:
    name = "If-None-Match"
    if not isinstance(found, Conditions):
        return Finding(name, False, f"it could not be tried: {found}", "Try again.")
    details = {
        "both": "PUT and CompleteMultipartUpload overwrite nothing",
        "put": "only PUT honours it: a claim precedes each clip",
        "complete": "only CompleteMultipartUpload honours it: short clips are uploads of one part",
        "none": "neither PUT nor CompleteMultipartUpload honours it",
    }
    value = name_of(found)
    return Finding(name, value != "none", details[value], ONE_AT_A_TIME if value == "none" else "")


def _judge_checksums(probe: ProbeResult, needed: str) -> Finding:
    name, upload = "checksums", probe.uploads[SUPPORTED]
    failed = upload.stored or upload.composed or upload.compared
    if needed == REQUIRED:
        return Finding(name, True, f"only uploads without them succeed; with them: {failed}")
    verified = "verified" if probe.checksum_compared else "accepted, but not verified"
    return Finding(name, True, f"CRC32 headers are {verified}")


def _judge_headers(described: Exception | None) -> Finding:
    if described is None:
        return Finding("metadata", True, "metadata and Content-Type are kept")
    fix = "Use another store: a redelivery recognises its own clip by its metadata."
    return Finding("metadata", False, str(described), fix)


def _judge_owner(*, compared: bool) -> Finding:
    if compared:
        return Finding("bucket owner", True, "a bucket of another owner is refused")
    remark = "S3_BUCKET_ORIGIN_OWNER and S3_BUCKET_DESTINATION_OWNER have no effect here."
    return Finding("bucket owner", True, "ExpectedBucketOwner is ignored", remark)


def _judge_undeleted(probe: ProbeResult) -> Finding:
    if not probe.undeleted:
        return Finding("cleaning up", True, "all test objects are deleted")
    keys = " ".join(key for key, _ in probe.undeleted)
    detail = f"not deleted: {keys} ({probe.undeleted[0][1]})"
    fix = "Delete it with credentials that may s3:DeleteObject; the service does not need that."
    return Finding("cleaning up", None, detail, fix)


def _judge_settings(probe: ProbeResult, needed: Settings, configured: Settings) -> Finding:
    """Judge what is configured: wrong conditions and rejected PUTs are faults."""
    differing = {
        name
        for name, value in needed.items()
        if configured[name] != value and (name, configured[name]) != (CONDITIONS, "auto")
    }
    wrong = differing & {CONDITIONS}
    if configured[CHECKSUMS] == SUPPORTED and probe.uploads[SUPPORTED].stored:
        wrong.add(CHECKSUMS)
    listed = tuple(f"{name}={value}" for name, value in needed.items())
    if not differing:
        return Finding("store settings", True, "they fit this store:", settings=listed)
    texts = " and ".join(f"{name}={configured[name]}" for name in configured if name in differing)
    detail = (
        f"{texts} {'is wrong for' if wrong else 'is not the best for'} this store, which needs:"
    )
    return Finding("store settings", not wrong, detail, settings=listed)
