"""The folder's clips."""

import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import attrs
from attrs import Factory, frozen

from application.ports import AlreadyExists, ClipStore, FilePiece, Piece, Rendition
from domain.clip import IDENTIFIER, ClipName, ClipRequest
from domain.coverage import Coverage
from domain.errors import NotRecordedYet, Unavailable
from domain.manifest import Manifest, StoredClip
from domain.recording import RecordingSegment
from domain.sidecars import SIDECARS
from domain.window import TimeWindow
from infrastructure.folder.files import (
    OPERATIONS,
    FileOperations,
    claimed,
    fsync_folder,
    link,
    require_time,
    temporary_path,
    translating_os_errors,
    write_atomically,
)
from infrastructure.folder.recordings import open_recording
from infrastructure.formats.manifests import Sign, manifest_json, read_manifest
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    sidecar_key,
    stored_clip,
    thumbnail_key,
)
from infrastructure.mp4.recording import Mp4Recording

CHUNK_BYTES = 2 << 20


@frozen
class FolderClipStore(ClipStore):
    """Clips, thumbnails and manifests below `clips/`, or another folder."""

    root: Path
    operations: FileOperations = OPERATIONS
    folder: Path = Factory(lambda self: self.root / "clips", takes_self=True)
    sign: Sign | None = None
    """Signs manifests."""

    def path(self, name: ClipName) -> Path:
        """Return the clip's path."""
        return self.folder / clip_key(name)

    def manifest_path(self, name: ClipName) -> Path:
        """Return the manifest's path."""
        return self.folder / manifest_key(name)

    def thumbnails(self, name: ClipName) -> list[Path]:
        """Return the clip's thumbnails, the smallest first."""
        thumbnail = re.compile(name.clip_id + r"_(\d+)\.(?:jpg|png|webp)")
        found = self.path(name).parent.glob(f"{name.clip_id}_*")
        widths = {path: int(m[1]) for path in found if (m := thumbnail.fullmatch(path.name))}
        return sorted(widths, key=widths.__getitem__)

    def sidecars(self, name: ClipName) -> list[Path]:
        """Return the paths of the files next to the clip that are there."""
        paths = (self.sidecar_path(name, sidecar) for sidecar in SIDECARS)
        return [path for path in paths if path.exists()]

    def sidecar_path(self, name: ClipName, sidecar: str) -> Path:
        """Return the path of a file next to the clip, by the end of its name."""
        return self.folder / sidecar_key(name, sidecar)

    def manifests(self) -> list[tuple[int, ClipName]]:
        """Return which clips have manifests, and when each was written, since the epoch in ms.

        The newest is first. Files and folders whose names are no ids are ignored.
        """
        with translating_os_errors("The clips", math.inf):
            found = [
                (path.stat().st_mtime_ns // 1_000_000, ClipName(path.parent.name, path.stem))
                for path in self.folder.glob("*/*.json")
                if re.fullmatch(IDENTIFIER, path.stem)
                and re.fullmatch(IDENTIFIER, path.parent.name)
            ]
        return sorted(found, key=lambda entry: (-entry[0], attrs.astuple(entry[1])))

    def manifest_changed_ms(self, name: ClipName) -> int:
        """Return when the manifest was written, since the epoch; 0 if there is none."""
        path = self.manifest_path(name)
        with translating_os_errors(path.name, math.inf), suppress(FileNotFoundError):
            return path.stat().st_mtime_ns // 1_000_000
        return 0

    def remove(self, name: ClipName, deadline_s: float) -> None:
        """Remove the clip with its metadata and thumbnails, if it is there; not its manifest."""
        with translating_os_errors(self.path(name).name, deadline_s):
            for path in self.belonging(name):
                if path != self.manifest_path(name):
                    path.unlink(missing_ok=True)

    def belonging(self, name: ClipName) -> list[Path]:
        """Return all files of a clip: first the clip, if there is one."""
        path = self.path(name)
        others = (self.manifest_path(name), *self.thumbnails(name), *self.sidecars(name))
        metadata = path.parent.glob(f".{name.clip_id}.*.json")
        return [found for found in (path, *others, *sorted(metadata)) if found.exists()]

    def find(self, name: ClipName, deadline_s: float) -> StoredClip | None:
        """Read the clip's metadata; a file without any has no fingerprint, an empty one is none."""
        path = self.path(name)
        with translating_os_errors(path.name, deadline_s):
            try:
                stat = path.stat()
            except FileNotFoundError:
                return None
            if stat.st_size == 0:
                return None
            description: dict[str, str] = {}
            for described in (
                _metadata_by_size(path, stat.st_size),
                _metadata_path(path, stat.st_ino),
            ):
                with suppress(FileNotFoundError, ValueError):
                    description = description or json.loads(described.read_bytes())
            return stored_clip(description, stat.st_mtime_ns // 1_000_000)

    def open(self, name: ClipName, deadline_s: float) -> Mp4Recording:
        """Open the clip's file."""
        path = self.path(name)
        with translating_os_errors(path.name, deadline_s):
            try:
                start = TimeWindow(0, 1)
                segment = RecordingSegment(start, path.name)
                return open_recording(path, segment, start, deadline_s, tolerance_ms=0)
            except NotRecordedYet as error:
                raise Unavailable(f"There is no clip {path.name}.") from error

    def store_thumbnails(
        self, name: ClipName, thumbnails: Mapping[int, Path], deadline_s: float
    ) -> Mapping[int, str]:
        """Copy the thumbnails to `<clip id>_<width>` with their own suffix."""
        targets = {
            width: self.folder / thumbnail_key(name, width, path.suffix.removeprefix("."))
            for width, path in thumbnails.items()
        }
        with translating_os_errors("The thumbnails", deadline_s):
            return {
                width: _copied(path, targets[width], deadline_s)
                for width, path in thumbnails.items()
            }

    def store_sidecars(
        self, name: ClipName, sidecars: Mapping[str, Path], deadline_s: float
    ) -> Mapping[str, str]:
        """Copy the files to `<clip id>.<name>`."""
        with translating_os_errors("The files next to the clip", deadline_s):
            return {
                sidecar: _copied(path, self.sidecar_path(name, sidecar), deadline_s)
                for sidecar, path in sidecars.items()
            }

    def commit(
        self,
        request: ClipRequest,
        rendition: Rendition,
        writer: str,
        coverage: Coverage,
        deadline_s: float,
    ) -> None:
        """Write the clip, then its metadata, then link it under its name, or claim the name."""
        path = self.path(request.name)
        description = json.dumps(
            metadata(request, rendition.media, writer, coverage, rendition.evidence)
        )
        with translating_os_errors(path.name, deadline_s), temporary_path(path) as part:
            with part.open("wb") as file:
                for piece in rendition.pieces:
                    for chunk in _chunks(piece):
                        require_time(deadline_s)
                        file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            try:
                if not self._link(part, path, description):
                    with claimed(path, deadline_s, self.operations):
                        described = _metadata_by_size(path, part.stat().st_size)
                        write_atomically(described, description, operations=self.operations)
                        part.replace(path)
            except FileExistsError as error:
                raise AlreadyExists(f"There is a file {path.name} already.") from error
            fsync_folder(path.parent, self.operations)

    def _link(self, part: Path, path: Path, description: str) -> bool:
        """Link the clip, its metadata first; return False, and leave none, without links."""
        metadata_path = _metadata_path(path, part.stat().st_ino)
        is_linked = False
        try:
            write_atomically(metadata_path, description, operations=self.operations)
            is_linked = link(part, path, self.operations)
        finally:
            if not is_linked:
                metadata_path.unlink(missing_ok=True)
        return is_linked

    def read_manifest(self, name: ClipName, deadline_s: float) -> Manifest | None:
        """Read `<clip id>.json`."""
        path = self.manifest_path(name)
        with translating_os_errors(path.name, deadline_s):
            try:
                text = path.read_text(encoding="utf-8")
                return read_manifest(text) if text else None
            except FileNotFoundError:
                return None
            except ValueError as error:
                raise Unavailable(f"{path.name}: {error}.") from error

    def write_manifest(
        self, name: ClipName, manifest: Manifest, deadline_s: float, *, replace: bool
    ) -> None:
        """Write `<clip id>.json`."""
        path = self.manifest_path(name)
        with translating_os_errors(path.name, deadline_s):
            try:
                write_atomically(
                    path,
                    manifest_json(manifest, self.sign),
                    replace=replace,
                    deadline_s=deadline_s,
                    operations=self.operations,
                )
            except FileExistsError as error:
                raise AlreadyExists(f"There is a file {path.name} already.") from error


def _copied(path: Path, target: Path, deadline_s: float) -> str:
    """Copy a small file, whole or not at all; return its SHA-256."""
    require_time(deadline_s)
    data = path.read_bytes()
    with temporary_path(target) as part:
        part.write_bytes(data)
        part.replace(target)
    return hashlib.sha256(data).hexdigest()


def _chunks(piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, FilePiece):
        with piece.path.open("rb") as file:
            file.seek(piece.offset)
            for at in range(0, piece.length, CHUNK_BYTES):
                length = min(CHUNK_BYTES, piece.length - at)
                chunk = file.read(length)
                if len(chunk) < length:
                    raise Unavailable("The rendered clip was cut off.")
                yield chunk
    else:
        for at in range(0, piece.length, CHUNK_BYTES):
            length = min(CHUNK_BYTES, piece.length - at)
            yield piece.recording.read_once(piece.offset + at, length)


def _metadata_path(clip: Path, inode: int) -> Path:
    return clip.with_name(f".{clip.stem}.{inode}.json")


def _metadata_by_size(clip: Path, size_bytes: int) -> Path:
    """Return the metadata's path on a file system without links, whose inodes may change."""
    return clip.with_name(f".{clip.stem}.{size_bytes}-bytes.json")
