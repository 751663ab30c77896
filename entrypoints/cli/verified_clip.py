"""The clip that `camclip verify` is to check: a file, or a clip of a folder."""

import re
from pathlib import Path

from attrs import frozen

from application.ports import RecordingStore
from application.verify_clip import ClipFile
from domain.clip import ClipName
from domain.errors import Rejected, Unavailable
from domain.sidecars import SIDECARS
from entrypoints.cli.console import UsageError
from entrypoints.cli.session import Session
from infrastructure.clip_file import LocalClipFile
from infrastructure.folder.clips import FolderClipStore

MAX_MANIFEST_BYTES = 64 << 20


@frozen
class ClipToVerify:
    """A clip's file and its manifest, and where its recordings are, if that is known."""

    title: str
    clip: ClipFile
    manifest: str
    """Its text."""
    name: ClipName | None = None
    """What it is said to be the clip of."""
    recordings: RecordingStore | None = None


def clip_of_file(
    text: str, manifest: Path | None, recordings: RecordingStore | None = None
) -> ClipToVerify:
    """Find the clip at a path, with the manifest and the thumbnails next to it.

    UsageError if there is none; Rejected without a manifest.
    """
    path = Path(text)
    if not path.is_file():
        raise UsageError(
            f"{text} is no file: pass the clip's file, or CAMERA/ID with --root, with --recordings"
            " and --out, or with --aws."
        )
    thumbnails = {
        int(found[1]): picture
        for picture in path.parent.iterdir()
        if (found := re.fullmatch(rf"{re.escape(path.stem)}_(\d+)\.(jpg|png|webp)", picture.name))
    }
    sidecars = {name: path.with_name(f"{path.stem}.{name}") for name in SIDECARS}
    clip = LocalClipFile(path, thumbnails, sidecars)
    return ClipToVerify(
        text, clip, _text(manifest or path.with_suffix(".json")), recordings=recordings
    )


def clip_in_folder(session: Session, text: str, manifest: Path | None) -> ClipToVerify:
    """Find a clip of the session's folder, or a file, and the session's recordings."""
    recordings = session.service.recordings()
    if Path(text).is_file():
        return clip_of_file(text, manifest, recordings)
    if manifest:
        raise UsageError("--manifest goes with a clip's file.")
    name, clips = clip_name(text), session.clips
    path = clips.path(name)
    if not path.is_file():
        raise Rejected(f"There is no clip {path}.")
    sidecars = {sidecar: clips.sidecar_path(name, sidecar) for sidecar in SIDECARS}
    clip = LocalClipFile(path, _thumbnails(clips, name), sidecars)
    return ClipToVerify(str(path), clip, _text(clips.manifest_path(name)), name, recordings)


def clip_name(text: str) -> ClipName:
    """Read CAMERA/ID; UsageError if it is none."""
    camera_id, _, clip_id = text.removesuffix(".mp4").partition("/")
    try:
        return ClipName(camera_id, clip_id)
    except ValueError as error:
        raise UsageError(f"{text} is no clip: pass CAMERA/ID, such as pier/c1.") from error


def _thumbnails(clips: FolderClipStore, name: ClipName) -> dict[int, Path]:
    return {int(path.stem.rpartition("_")[2]): path for path in clips.thumbnails(name)}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:  # a device has no size
            data = file.read(MAX_MANIFEST_BYTES + 1)
        if len(data) > MAX_MANIFEST_BYTES:
            raise Unavailable(f"{path} is too long for a manifest.")
        return data.decode()
    except FileNotFoundError as error:
        raise Rejected(
            f"There is no manifest {path}, and so no proof: pass it with --manifest."
        ) from error
    except UnicodeDecodeError as error:
        raise Unavailable(f"{path} is no text in UTF-8.") from error
