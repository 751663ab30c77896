"""Recordings where a recorder put them: a folder in any layout. It is only ever read."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from itertools import islice
from pathlib import Path

from attrs import Factory, field, frozen

from application.ports import RecordingStore
from domain.errors import NotRecordedYet
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from infrastructure.camera_api.names import SUFFIX, has_suffix, stem_of
from infrastructure.folder.camera_files import RecordingFiles, StoredFile, unknown_camera
from infrastructure.folder.files import translating_os_errors
from infrastructure.folder.known_indexes import KnownIndexes
from infrastructure.folder.recordings import open_recording
from infrastructure.layouts.by_start import Fields, Place, by_start
from infrastructure.layouts.camera_files import CameraFiles
from infrastructure.layouts.camera_ids import camera_ids
from infrastructure.layouts.clock_changes import dated, near_repeated_times
from infrastructure.layouts.layout import Layout
from infrastructure.layouts.pattern import CAMERA, MAX_CAMERA_FOLDERS, Component, Pattern
from infrastructure.layouts.pruning import StartRange, name_range, order_margin, start_range
from infrastructure.layouts.wall_clock import Stamp, read_stamp
from infrastructure.mp4.recording import Mp4Recording

SAMPLE_FILES = 400
SAMPLE_PER_FOLDER = 40
"""How many recordings, and how many folders of a folder, are looked at to guess the layout."""
MAX_DEPTH = 8

Entries = Sequence[os.DirEntry[str]]
Order = Callable[[Entries], Entries]


def _first_first(entries: Entries) -> Entries:
    return sorted(entries, key=lambda entry: entry.name)


def _last_first(entries: Entries) -> Entries:
    return sorted(entries, key=lambda entry: entry.name, reverse=True)


@frozen
class RecordingTree(RecordingFiles):
    """The recordings below a folder, in a layout. A segment's name is its path in the folder."""

    folder: Path
    layout: Layout
    zone: tzinfo
    """Of the times in the paths, unless they hold their offset."""
    configured: Mapping[str, str] = Factory(dict)
    """Names of cameras in the paths, by the ids that a user gave them."""
    skipped: Path | None = field(default=None)
    """A folder that holds no recordings, although it may be within the folder: that of clips."""
    _names: dict[str, str] = field(init=False, repr=False, eq=False, factory=dict)
    """Names of cameras by their ids, as they were found."""

    def cameras(self) -> Mapping[str, str]:
        """Return the cameras by id. Where no path names a camera, there is one: the folder."""
        names: set[str] = set()
        for pattern in self.layout.patterns:
            if pattern.names_camera:
                names.update(self._camera_names(pattern, 0, "", {}))
            elif next(self._walk(pattern, 0, "", {}, None), None) is not None:
                names.add(self.folder.name)
        found = dict(sorted(camera_ids(names, self.configured).items()))
        self._names.update(found)
        return found

    def files(self, camera_id: str, window: TimeWindow) -> CameraFiles[StoredFile]:
        """Return the camera's files that may overlap `window`, and others around it, unopened.

        Only folders and names that the layout allows for these times are visited.
        """
        return self._of_camera(camera_id, lambda name: self._files(name, window))

    def _of_camera(
        self, camera_id: str, find: Callable[[str], CameraFiles[StoredFile]]
    ) -> CameraFiles[StoredFile]:
        """Return what `find` finds of a camera by its name; Rejected if there is none."""
        name = self.configured.get(camera_id) or self._names.get(camera_id, camera_id)
        found = find(name)
        if found.dated or self._is_folder_of_camera(name):
            return found
        cameras = self.cameras()
        if camera_id not in cameras:
            raise unknown_camera(camera_id, cameras)
        return found if cameras[camera_id] == name else find(cameras[camera_id])

    def outermost(self, camera_id: str, count: int, *, is_last: bool) -> CameraFiles[StoredFile]:
        """Return the camera's first or last files, from the outermost folder on.

        Where clocks are changed, the order of their times is not that of the files: those of some
        hours more are returned.
        """

        def find(name: str) -> CameraFiles[StoredFile]:
            stamps: dict[str, Stamp] = {}
            for pattern in self._patterns_of(name):
                stamps |= self._outermost(pattern, count, is_last=is_last)
            return self._dated(stamps)

        return self._of_camera(camera_id, find)

    def _outermost(self, pattern: Pattern, count: int, *, is_last: bool) -> dict[str, Stamp]:
        def children(place: Place) -> Iterator[Place]:
            component, at = pattern.components[place.at], place.at + 1
            order = _last_first if is_last else _first_first
            if at == len(pattern.components):
                leaves = self._leaves(component, place.path, place.fields, None, order)
                return (Place(at, path, fields) for path, fields in leaves)
            folders = self._folders(component, place.path, place.fields, order)
            return (Place(at, f"{place.path}{name}/", fields) for name, fields in folders)

        margin = order_margin(pattern, self.zone)
        stamps: dict[str, Stamp] = {}
        bound: datetime | None = None
        for place in by_start(pattern.components, children, is_last_first=is_last):
            stamp = read_stamp(place.fields)
            if stamp is None:
                continue
            if bound and (stamp.local < bound if is_last else stamp.local > bound):
                break
            stamps[place.path] = stamp
            count -= has_suffix(place.path)
            if bound is None and count == 0:
                bound = stamp.local - margin if is_last else stamp.local + margin
        return stamps

    def undated(self, camera_id: str) -> Sequence[str]:  # noqa: ARG002 - of no camera
        """Return none: a file whose path does not fit the layout belongs to no camera."""
        return ()

    def _files(self, camera: str, window: TimeWindow) -> CameraFiles[StoredFile]:
        stamps: dict[str, Stamp] = {}
        for pattern in self._patterns_of(camera):
            limit_ms = self.layout.max_recording_ms
            starts = start_range(pattern, window, limit_ms, self.zone)
            for path, fields in self._walk(pattern, 0, "", {}, starts):
                stamp = read_stamp(fields)
                if stamp is not None:
                    stamps.setdefault(path, stamp)
        return self._dated(stamps)

    def _patterns_of(self, camera: str) -> Iterator[Pattern]:
        """Yield the patterns of a camera's files."""
        for pattern in self.layout.patterns:
            if pattern.names_camera or camera in {self.folder.name, *self._own_names()}:
                yield pattern.of_camera(camera)

    def _dated(self, stamps: Mapping[str, Stamp]) -> CameraFiles[StoredFile]:
        written_ms = {
            path: (self.folder / path).stat().st_mtime_ns // 1_000_000
            for path in near_repeated_times(stamps, self.zone)
        }
        stored = (
            StoredFile(file.name, file.start_ms, file.note, folder=self.folder)
            for file in dated(stamps, written_ms, self.zone)
        )
        return CameraFiles(tuple(stored), (), self.layout.max_recording_ms)

    def _own_names(self) -> set[str]:
        """Return what else the only camera may be called, where no path names one."""
        return {*camera_ids([self.folder.name], {}), *self.configured.values()}

    def _is_folder_of_camera(self, name: str) -> bool:
        """Return whether the layout has a folder per camera, and there is one of that name."""
        return any(
            pattern.components[0].is_camera and (self.folder / name).is_dir()
            for pattern in self.layout.patterns
        )

    def _walk(
        self, pattern: Pattern, at: int, folder: str, known: Fields, starts: StartRange | None
    ) -> Iterator[tuple[str, Fields]]:
        """Yield the files that fit, from the component `at` on, with the fields of their paths."""
        component = pattern.components[at]
        if at == len(pattern.components) - 1:
            yield from self._leaves(component, folder, known, starts)
            return
        for name, fields in self._folders(component, folder, known):
            if starts is None or starts.may_hold(fields):
                yield from self._walk(pattern, at + 1, f"{folder}{name}/", fields, starts)

    def _leaves(
        self,
        component: Component,
        folder: str,
        known: Fields,
        starts: StartRange | None,
        order: Order = list,
    ) -> Iterator[tuple[str, Fields]]:
        entries = self._entries(folder)
        if starts:
            names = name_range(component, starts)
            entries = [entry for entry in entries if entry.name in names]
        for entry in order(entries):
            if entry.name.startswith("."):
                continue
            fields = component.match(stem_of(entry.name), known)
            if fields and (not starts or starts.may_hold(fields)) and entry.is_file():
                yield folder + entry.name, fields

    def _folders(
        self, component: Component, folder: str, known: Fields, order: Order = list
    ) -> Iterator[tuple[str, Fields]]:
        if (name := component.literal) is not None:
            if not self._is_skipped(self.folder / folder / name):
                yield name, known
            return
        for entry in order(self._entries(folder)):
            if entry.name.startswith(".") or not entry.is_dir():
                continue
            fields = component.match(entry.name, known)
            if fields is not None:
                yield entry.name, fields

    def _camera_names(self, pattern: Pattern, at: int, folder: str, known: Fields) -> Iterator[str]:
        """Yield the names of the cameras that have files, some of them several times."""
        component = pattern.components[at]
        rest = pattern.components[at + 1 :]
        if component.is_camera:
            yield from self._cameras_in(pattern, at, folder, (), known)
        elif not rest:
            for _, fields in self._leaves(component, folder, known, None):
                yield fields[CAMERA]
        else:
            for name, fields in self._folders(component, folder, known):
                yield from self._camera_names(pattern, at + 1, f"{folder}{name}/", fields)

    def _cameras_in(
        self, pattern: Pattern, at: int, folder: str, above: tuple[str, ...], known: Fields
    ) -> Iterator[str]:
        """Yield the names of cameras that are folders, up to MAX_CAMERA_FOLDERS deep."""
        for name, fields in self._folders(pattern.components[at], folder, known):
            inner = f"{folder}{name}/"
            if next(self._walk(pattern, at + 1, inner, fields, None), None) is not None:
                yield "/".join((*above, name))
            if len(above) + 1 < MAX_CAMERA_FOLDERS:
                yield from self._cameras_in(pattern, at, inner, (*above, name), known)

    def _entries(self, folder: str) -> Sequence[os.DirEntry[str]]:
        path = self.folder / folder
        if self._is_skipped(path):
            return ()
        try:
            with os.scandir(path) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return ()

    def _is_skipped(self, path: Path) -> bool:
        return self.skipped is not None and path == self.skipped


@frozen
class TreeRecordingStore(RecordingStore):
    """The files below a folder, by their paths in it."""

    folder: Path
    tolerance_ms: int = 1000
    indexes: KnownIndexes = Factory(KnownIndexes)

    def open(
        self, segment: RecordingSegment, window: TimeWindow, deadline_s: float
    ) -> Mp4Recording:
        """Open the file of that path; its version is its size, time and inode."""
        with translating_os_errors(segment.name, deadline_s):
            path = self.folder / segment.name
            is_within = not Path(segment.name).is_absolute() and ".." not in path.parts
            if not is_within or not path.is_file():
                raise NotRecordedYet(f"{segment.name} does not exist yet.")
            return open_recording(
                path, segment, window, deadline_s, self.tolerance_ms, self.indexes
            )


def sample_recordings(folder: Path, skipped: Path | None = None) -> list[str]:
    """Return the paths of some recordings below a folder, of many of its folders a few each.

    OSError if the folder cannot be read.
    """
    return list(islice(_sample(folder, "", skipped, 0), SAMPLE_FILES))


def _sample(folder: Path, within: str, skipped: Path | None, depth: int) -> Iterator[str]:
    folders: list[str] = []
    files = 0
    with os.scandir(folder / within) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(entry.name)
            elif files < SAMPLE_PER_FOLDER and SUFFIX.fullmatch(Path(entry.name).suffix):
                files += 1
                yield within + entry.name
            else:
                continue
            if len(folders) >= SAMPLE_PER_FOLDER and files >= SAMPLE_PER_FOLDER:
                break
    if depth >= MAX_DEPTH:
        return
    for name in sorted(folders)[:SAMPLE_PER_FOLDER]:
        if skipped is None or folder / within / name != skipped:
            yield from _sample(folder, f"{within}{name}/", skipped, depth + 1)
