"""Replace a clip: the stored one is set aside, and returns if no other takes its place."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from domain.clip import ClipName
from infrastructure.folder.clips import FolderClipStore
from infrastructure.folder.files import fsync_folder


@contextmanager
def replacing(clips: FolderClipStore, name: ClipName) -> Iterator[None]:
    """Set a clip aside, with all that belongs to it, while the block makes it again.

    It returns unless the block has stored another. If the process is killed, it stays in a hidden
    folder next to its place: `.replaced-<clip id>-<random>`.
    """
    found = clips.belonging(name)
    if not found:
        yield
        return
    folder = clips.path(name).parent
    aside = folder / f".replaced-{name.clip_id}-{uuid4().hex[:8]}"
    aside.mkdir()
    _move(found, aside)
    try:
        yield
    finally:
        if not clips.path(name).exists():
            for left in clips.belonging(name):
                left.unlink()
            # The clip is the last to appear: its metadata is there by then.
            _move([aside / path.name for path in reversed(found)], folder)
        shutil.rmtree(aside)
        fsync_folder(folder, clips.operations)


def _move(paths: Iterable[Path], folder: Path) -> None:
    for path in paths:
        path.rename(folder / path.name)
