"""Where the recordings are, and where clips go: a root, or a recorder's folder and another one."""

import errno
import os
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path

from attrs import frozen

from domain.clip import IDENTIFIER, ClipName, ClipStatus
from entrypoints.cli.console import UsageError, err
from entrypoints.cli.environment import environment
from entrypoints.cli.interrupts import left_by_interrupt
from entrypoints.cli.session import Session, session_on
from entrypoints.container import replace_folders
from infrastructure.folder.open_tree import open_tree
from infrastructure.layouts.configuration import InvalidConfiguration
from infrastructure.layouts.guessing import UnknownLayout
from infrastructure.zones import zone_named

CLIPS = Path("clips")
"""Where clips go without `--out`."""
STATE = ".camclip"
"""The folder next to the clips for what is not a clip: status, notifications, the queue."""


@frozen(kw_only=True)
class Places:
    """The options that name folders; a text that is not given is empty."""

    root: Path | None = None
    recordings: Path | None = None
    layout: str = ""
    tz: str = ""
    out: Path | None = None
    may_replace: bool = False
    """Whether the clip's own file may exist."""

    @property
    def options(self) -> str:
        """As they are written on a command line."""
        given = {
            "--root": self.root,
            "--recordings": self.recordings,
            "--layout": self.layout,
            "--tz": self.tz,
            "--out": self.out,
        }
        parts = (f"{option} {shlex.quote(str(v))}" for option, v in given.items() if v)
        return " ".join(parts)

    @property
    def clip_file(self) -> Path | None:
        """The file that the only clip is to be, if it is to be one."""
        is_file = self.out and self.out.suffix.lower() == ".mp4" and not self.out.is_dir()
        return self.out if is_file else None


@contextmanager
def opened(places: Places) -> Iterator[Session]:
    """Yield the service on the places; UsageError if they make no sense.

    Ctrl-C is followed by what it leaves.
    """
    with _opened(places) as session:
        try:
            yield session
        except KeyboardInterrupt:
            for sentence in ("Interrupted.", *left_by_interrupt(session)):
                err.print(sentence, style="yellow", markup=False, soft_wrap=True)
            raise


@contextmanager
def _opened(places: Places) -> Iterator[Session]:
    """Yield the service on the places.

    Times are shown in the chosen zone, else in that of CLIP_TZ, else in that of the recordings'
    names. A guess about the recordings is printed. A clip that is to be a file is moved there at
    the end.
    """
    zone = chosen_zone("--tz", places.tz)
    if places.recordings is None:
        session = _open_root(places)
        if zone:
            session.show_times_in(zone)
        yield session
        return
    if places.root is not None:
        raise UsageError("Pass either --root or --recordings.")
    if not places.recordings.is_dir():
        raise UsageError(f"{places.recordings} is no folder: pass that of the recordings.")
    if file := places.clip_file:
        if file.exists() and not places.may_replace:
            raise UsageError(f"{file} exists already: choose another name, or pass --again.")
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f"{STATE}-") as folder:
            session = _open_recordings(places, Path(folder), zone)
            session.clip_file = file
            yield session
            _move_clip(session, file, may_replace=places.may_replace)
        return
    yield _open_recordings(places, places.out or CLIPS, zone)


def camera_id_of(session: Session, camera: str) -> str:
    """Return the id of a camera that may be called as in the paths; the text itself if none."""
    if re.fullmatch(IDENTIFIER, camera):
        return camera
    ids = (camera_id for camera_id, name in session.cameras.cameras().items() if name == camera)
    return next(ids, camera)


def chosen_zone(option: str, name: str | None) -> tzinfo | None:
    """Return the zone that an option names, None without one; UsageError if there is none."""
    try:
        return zone_named(name) if name else None
    except ValueError as error:
        raise UsageError(f"{option} {name} {error}.") from error


def open_session(root: Path, *, is_new: bool = False) -> Session:
    """Return the service on the folder `root`; InvalidSettings if the environment is invalid.

    UsageError if it holds no recordings, unless it `is_new`: a misspelt root is not created.
    """
    if root.exists() and not root.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(root))
    if not is_new and not (root / "recordings").is_dir():
        raise UsageError(
            f"{root} holds no folder recordings/: pass the folder that does as --root."
            if root.exists()
            else f"{root} does not exist: pass the folder that holds recordings/ as --root."
        )
    return session_on(root, f"--root {shlex.quote(str(root))}")


def _open_root(places: Places) -> Session:
    if places.root is None:
        raise UsageError("Pass --recordings with a recorder's folder, or --root.")
    if places.layout or places.out:
        raise UsageError("--layout and --out go with --recordings, not with --root.")
    return open_session(places.root)


def _open_recordings(places: Places, clips: Path, zone: tzinfo | None) -> Session:
    assert places.recordings  # noqa: S101 - as `opened` checks
    try:
        found = open_tree(places.recordings, places.layout, places.tz, os.environ, clips.resolve())
    except (UnknownLayout, InvalidConfiguration) as error:
        raise UsageError(str(error)) from error
    if found.remark:
        err.print(found.remark, markup=False, soft_wrap=True)
    session = session_on(clips / STATE, places.options)
    replace_folders(session.service, found.tree, clips)
    if zone or not environment().get("CLIP_TZ"):
        session.show_times_in(zone or found.tree.zone)
    return session


def _move_clip(session: Session, file: Path, *, may_replace: bool) -> None:
    """Move the clip to `file`, if one was made.

    FileExistsError if there is a file by now that must not be replaced.
    """
    for outcome in session.outcomes.values():
        report = outcome.result.report if outcome.result else None
        if report and report.camera_id and report.status is ClipStatus.AVAILABLE:
            clip = session.clips.path(ClipName(report.camera_id, report.clip_id))
            if may_replace:
                clip.replace(file)
                continue
            try:
                os.link(clip, file)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                clip.rename(file)
