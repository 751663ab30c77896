"""The checks of a service without a camera API: how the recordings' keys are read."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from domain.window import HOUR_MS, TimeWindow
from entrypoints.cli.doctor.check import Deployment, check
from entrypoints.cli.doctor.finding import Finding
from entrypoints.cli.service import call_deadline_s
from entrypoints.cli.times import now_ms, utc
from entrypoints.settings import BUCKET
from infrastructure.camera_api.names import SUFFIXES, has_suffix
from infrastructure.layouts.bucket_layout import BUCKET_PRESETS
from infrastructure.layouts.guessing import fit
from infrastructure.layouts.layout import Layout
from infrastructure.layouts.presets import PRESETS
from infrastructure.s3 import BucketFolder

NAME = "recording pattern"
MAX_KEYS = 1000


@check(NAME, "s3:ListBucket on it", "S3_BUCKET_ORIGIN")
def pattern(deployment: Deployment) -> Iterator[Finding]:
    """Try the pattern on the bucket's first thousand keys."""
    aws = deployment.aws
    if aws.cameras != BUCKET or aws.recording_layout is None:
        return
    there = BucketFolder(deployment.s3, aws.origin_bucket, aws.origin_folder)
    keys = there.first_keys("", MAX_KEYS, call_deadline_s())
    yield judge_keys(aws.recording_layout, aws.zone, keys)


def judge_keys(layout: Layout, zone: tzinfo, keys: Sequence[str]) -> Finding:
    """Judge how many of the keys that end like recordings have the layout."""
    recordings = [key for key in keys if has_suffix(key)]
    if not recordings:
        detail = f"none of the first {len(keys)} keys ends with {SUFFIXES}"
        return Finding(NAME, None, detail, "Check S3_BUCKET_ORIGIN_DIR.")
    found = fit(layout, recordings)
    detail = f"{found.fitting} of the first {len(recordings)} recordings fit {layout}"
    if found.fitting:
        detail += f", with times in {zone}"
    if not found.unfit:
        return Finding(NAME, True, detail)
    detail += f"; not {found.unfit[0]!a}"
    if found.fitting:
        better = "Recordings that do not fit are never found: check whether they are a camera's."
        return Finding(NAME, True, detail, better)
    return Finding(NAME, False, detail, _advice(recordings))


def _advice(recordings: Sequence[str]) -> str:
    """Return how to set the pattern: a preset or a pattern of one that fits the most, if any."""
    fits = [fit(preset, recordings) for preset in PRESETS]
    best = max(fits, key=lambda found: found.fitting)
    if not best.fitting:
        return "Write RECORDING_PATTERN as the keys are, such as {camera}/%Y-%m-%d_%H-%M-%S."
    usable = best.layout.name in {preset.name for preset in BUCKET_PRESETS}
    text = best.layout.name if usable else best.layout.patterns[0].text
    return f"RECORDING_PATTERN={text} fits {best.fitting} of them."


@check("camera", "s3:ListBucket on it", "S3_BUCKET_ORIGIN")
def camera(deployment: Deployment) -> Iterator[Finding]:
    """List a camera's recordings of the last hour, if one is given."""
    camera_id = deployment.camera_id
    if deployment.aws.cameras != BUCKET or not camera_id:
        return
    window = TimeWindow(now_ms() - HOUR_MS, now_ms())
    listing = deployment.service.cameras().find_segments(camera_id, window, call_deadline_s())
    if listing.remark:
        yield Finding("camera", False, listing.remark, "Pass --camera an id that is in the keys.")
        return
    last_ms = max((segment.window.start_ms for segment in listing.segments), default=None)
    if last_ms is None:
        better = "Check that the camera records, and RECORDING_TZ."
        yield Finding("camera", True, f"{camera_id}: no recording of the last hour", better)
        return
    yield Finding("camera", True, f"{camera_id}: the last recording starts at {utc(last_ms)} UTC")
