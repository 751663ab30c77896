"""The clip in S3 that `camclip verify --aws` is to check: it alone needs boto3."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from domain.errors import Rejected
from domain.sidecars import SIDECARS
from entrypoints.cli.service import call_deadline_s, open_aws
from entrypoints.cli.verified_clip import ClipToVerify, clip_name
from infrastructure.clip_file import LocalClipFile
from infrastructure.formats.manifests import read_manifest
from infrastructure.s3.fetching import fetch_clip, fetch_manifest, fetch_sidecars, fetch_thumbnails


def clip_in_bucket(opened: ExitStack, text: str) -> ClipToVerify:
    """Fetch a clip into a folder that is removed when `opened` is closed."""
    name, service = clip_name(text), open_aws()
    client, bucket = service.s3(), service.aws().destination_bucket
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="camclip-verify-")))
    manifest = fetch_manifest(client, bucket, name, call_deadline_s())
    path = fetch_clip(client, bucket, name, folder)
    if path is None:
        raise Rejected(f"There is no clip {text} in {bucket}.")
    if manifest is None:
        raise Rejected(f"The clip {text} has no manifest in {bucket}, and so no proof.")
    spec = service.settings().thumbnails
    thumbnails = fetch_thumbnails(client, bucket, name, spec, folder)
    sidecars = fetch_sidecars(client, bucket, name, _sidecars_in(manifest), folder)
    clip = LocalClipFile(path, thumbnails, sidecars)
    return ClipToVerify(f"{bucket}/{text}", clip, manifest, name, service.recordings())


def _sidecars_in(manifest: str) -> tuple[str, ...]:
    """Return which files next to its clip a manifest names; whoever verifies it reads it again."""
    try:
        names = read_manifest(manifest).report.sidecars
    except ValueError:
        return ()
    return tuple(name for name in SIDECARS if name in names)
