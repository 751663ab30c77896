"""`camclip verify`."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from application.ports import RecordingStore
from application.verify_clip import VerifyClip
from domain.errors import Unavailable
from domain.findings import Finding, Judgement, Subject, judgement_of
from domain.proof import SeenFrames
from entrypoints.cli.command import (
    AsJson,
    ClipsFolder,
    LayoutName,
    OptionalRoot,
    Recordings,
    Tz,
    command,
)
from entrypoints.cli.console import AVAILABLE, FAILED, UsageError, print_facts
from entrypoints.cli.places import Places, opened
from entrypoints.cli.times import utc
from entrypoints.cli.verified_clip import ClipToVerify, clip_in_folder, clip_of_file
from infrastructure.formats.manifests import read_manifest, signed_bytes
from infrastructure.signing import public_key_of, signature_finding

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERIFY_S = 3600
MAX_KEY_BYTES = 64 << 10
MAX_SHOWN = 10
"""So many runs of frames are printed for each change."""
EXITS = (
    "0 nothing was changed, 1 something was, or a failure, 2 wrong usage,"
    " 4 there is no proof, or no such clip"
)
TITLES = {
    Judgement.INTACT: "is what was cut, as far as it could be checked.",
    Judgement.CHANGED: "is NOT what was cut.",
}


@command(
    example="`camclip verify clips/pier/c1.mp4`, or with the recordings:"
    " `camclip verify pier/c1 --recordings /media/frigate/recordings --out clips`,"
    " `camclip verify pier/c1 --aws --public-key camclip.pub`",
    exits=EXITS,
)
def verify(  # noqa: PLR0913 - one parameter per option
    clip: Annotated[
        str, typer.Argument(metavar="CLIP", help="The clip's file, or CAMERA/ID with a folder.")
    ],
    *,
    manifest: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The manifest of a file; the .json next to it, if absent."
        ),
    ] = None,
    public_key: Annotated[
        Path | None,
        typer.Option(
            "--public-key",
            metavar="FILE",
            help="The Ed25519 public key, in PEM, that must have signed the manifest.",
        ),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not read the recordings.")] = False,
    aws: Annotated[
        bool, typer.Option("--aws", help="The clip is in the bucket that the settings name.")
    ] = False,
    recordings: Recordings = None,
    layout: LayoutName = "",
    tz: Tz = "",
    out: ClipsFolder = None,
    root: OptionalRoot = None,
    as_json: AsJson = False,
) -> None:
    """Check that a clip is what was cut, and name what was changed.

    Its manifest has the SHA-256 of all that camclip wrote, and where all else is in the recordings:
    with the recordings at hand, these bytes are compared one by one.
    """
    key = public_key_in(public_key) if public_key else None
    with ExitStack() as stack:
        if aws:
            from entrypoints.cli.clip_in_bucket import clip_in_bucket  # noqa: PLC0415 - loads boto3

            found = clip_in_bucket(stack, clip)
        elif recordings or root:
            places = Places(root=root, recordings=recordings, layout=layout, tz=tz, out=out)
            found = clip_in_folder(stack.enter_context(opened(places)), clip, manifest)
        else:
            found = clip_of_file(clip, manifest)
        findings = list(findings_of(found, key, None if offline else found.recordings))
    judgement = judgement_of(findings)
    if as_json:
        typer.echo(json.dumps(_members(found, judgement, findings)))
    else:
        print_facts(f"{found.title} {TITLES[judgement]}", _facts(findings))
    raise typer.Exit(AVAILABLE if judgement is Judgement.INTACT else FAILED)


def public_key_in(path: Path) -> "Ed25519PublicKey":
    """Read the key in a file; UsageError if there is none."""
    with path.open("rb") as file:
        data = file.read(MAX_KEY_BYTES)
    try:
        return public_key_of(data.decode("ascii"))
    except ValueError as error:
        raise UsageError(f"{path} is no Ed25519 public key in PEM.") from error


def findings_of(
    found: ClipToVerify, key: "Ed25519PublicKey | None", recordings: RecordingStore | None
) -> Iterator[Finding]:
    """Yield what is found of the manifest, and then of the clip."""
    try:
        manifest, signed = read_manifest(found.manifest), signed_bytes(found.manifest)
    except ValueError as error:
        raise Unavailable(f"The manifest of {found.title} cannot be read: {error}.") from error
    yield signature_finding(manifest.signature, signed, key)
    report = manifest.report
    if found.name and attrs.astuple(found.name) != (report.camera_id, report.clip_id):
        text = f"It is of another clip: {report.camera_id}/{report.clip_id}."
        yield Finding(Subject.MANIFEST, Judgement.CHANGED, text)
    yield from VerifyClip(recordings)(manifest, found.clip, time.monotonic() + VERIFY_S)


def _facts(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    for judgement in (Judgement.CHANGED, Judgement.UNKNOWN, Judgement.INTACT):
        for found in findings:
            if found.judgement is judgement:
                yield judgement.value, f"{found.subject.value}: {found.text}"
                yield from (("frames", _frames_text(each)) for each in found.frames[:MAX_SHOWN])
                if more := len(found.frames[MAX_SHOWN:]):
                    yield "frames", f"{more} more runs: --json has them"


def _frames_text(frames: SeenFrames) -> str:
    first, last = utc(frames.first_ms), utc(frames.last_ms)
    if frames.count == 1:
        return f"of these bytes: the one seen at {first} UTC"
    return f"of these bytes: {frames.count}, seen from {first} to {last} UTC"


def _members(
    found: ClipToVerify, judgement: Judgement, findings: Iterable[Finding]
) -> dict[str, object]:
    """Return the members of the JSON line."""
    return {
        "clip": found.title,
        "judgement": judgement.value,
        "findings": [finding_members(each) for each in findings],
    }


def finding_members(found: Finding) -> dict[str, object]:
    """Return the members of a finding in JSON."""
    at, theirs = found.range, found.source_range
    more = {
        "range": at and attrs.asdict(at),
        "frames": [
            {
                "count": frames.count,
                "firstTimestampInMs": frames.first_ms,
                "lastTimestampInMs": frames.last_ms,
            }
            for frames in found.frames
        ],
        "source": found.source,
        "sourceRange": theirs and attrs.asdict(theirs),
    }
    return {
        "subject": found.subject.value,
        "judgement": found.judgement.value,
        "text": found.text,
        **{key: value for key, value in more.items() if value},
    }
