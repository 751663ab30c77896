"""The folder's clips."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from application.ports import AlreadyExists, ClipStore, FilePiece, Piece, Rendition
from domain.clip import ClipName, ClipRequest
from domain.coverage import Coverage
from domain.errors import NotRecordedYet, Unavailable
from domain.manifest import Manifest, StoredClip
from domain.recording import RecordingSegment
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
from infrastructure.formats.manifests import manifest_json, read_manifest
from infrastructure.formats.object_keys import (
    clip_key,
    manifest_key,
    metadata,
    stored_clip,
    thumbnail_key,
)
from infrastructure.mp4.recording import Mp4Recording

CHUNK_BYTES = 2 << 20


@frozen
class FolderClipStore(ClipStore):
    """Clips, thumbnails and manifests below `clips/`."""

    root: Path
    operations: FileOperations = OPERATIONS

    def path(self, name: ClipName) -> Path:
        """Return the clip's path."""
        return self.root / "clips" / clip_key(name)

    def manifest_path(self, name: ClipName) -> Path:
        """Return the manifest's path."""
        return self.root / "clips" / manifest_key(name)

    def thumbnails(self, name: ClipName) -> list[Path]:
        """Return the clip's thumbnails, the smallest first."""
        thumbnail = re.compile(name.clip_id + r"_(\d+)\.(?:jpg|png|webp)")
        found = self.path(name).parent.glob(f"{name.clip_id}_*")
        widths = {path: int(m[1]) for path in found if (m := thumbnail.fullmatch(path.name))}
        return sorted(widths, key=widths.__getitem__)

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
    ) -> None:
        """Copy the thumbnails to `<clip id>_<width>` with their own suffix."""
        with translating_os_errors("The thumbnails", deadline_s):
            for width, thumbnail in thumbnails.items():
                require_time(deadline_s)
                key = thumbnail_key(name, width, thumbnail.suffix.removeprefix("."))
                target = self.root / "clips" / key
                with temporary_path(target) as part:
                    part.write_bytes(thumbnail.read_bytes())
                    part.replace(target)

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
        description = json.dumps(metadata(request, rendition.media, writer, coverage))
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
                    manifest_json(manifest),
                    replace=replace,
                    deadline_s=deadline_s,
                    operations=self.operations,
                )
            except FileExistsError as error:
                raise AlreadyExists(f"There is a file {path.name} already.") from error


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
            yield piece.recording.read(piece.offset + at, length)


def _metadata_path(clip: Path, inode: int) -> Path:
    return clip.with_name(f".{clip.stem}.{inode}.json")


def _metadata_by_size(clip: Path, size_bytes: int) -> Path:
    """Return the metadata's path on a file system without links, whose inodes may change."""
    return clip.with_name(f".{clip.stem}.{size_bytes}-bytes.json")
