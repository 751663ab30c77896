"""camclip's own layout: `recordings/<alias>/`, and aliases in `cameras.json`."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import Factory, frozen

from domain.errors import Unavailable
from domain.window import TimeWindow
from infrastructure.camera_api.answers import read_alias
from infrastructure.camera_api.names import SUFFIX, SegmentNaming
from infrastructure.folder.camera_files import RecordingFiles, StoredFile, unknown_camera
from infrastructure.folder.files import translating_os_errors
from infrastructure.folder.recordings import camera_files, camera_folder
from infrastructure.layouts.camera_files import CameraFiles


@frozen
class AliasFolders(RecordingFiles):
    """Cameras of `cameras.json`, else folders below `recordings/` by their names."""

    root: Path
    naming: SegmentNaming = Factory(SegmentNaming)

    def cameras(self) -> Mapping[str, str]:
        """Return the folders' names by the cameras' ids."""
        with translating_os_errors("The cameras", math.inf):
            listed = {camera_id: self._alias(camera_id) for camera_id in self._cameras_json()}
            folders = sorted((self.root / "recordings").glob("[!.]*"))
            others = {path.name for path in folders if path.is_dir()} - set(listed.values())
            return {**listed, **{name: name for name in sorted(others)}}

    def files(self, camera_id: str, window: TimeWindow) -> CameraFiles[StoredFile]:  # noqa: ARG002 - all names are read
        """Return all files of the camera's folder, whatever the window."""
        alias = self._alias(camera_id)
        folder = camera_folder(self.root, alias)
        dated, undated = [], []
        for name in camera_files(self.root, alias):
            start_ms = self.naming.start_ms(name)
            if start_ms is not None:
                dated.append(StoredFile(name, start_ms, folder=folder))
            elif SUFFIX.fullmatch(Path(name).suffix):
                undated.append(name)
        return CameraFiles(tuple(dated), tuple(undated))

    def undated(self, camera_id: str) -> Sequence[str]:
        """Return the recordings of its folder that are not dated by their names."""
        return self.files(camera_id, TimeWindow(0, 1)).undated

    def _alias(self, camera_id: str) -> str:
        cameras = self._cameras_json()
        if camera_id in cameras:
            return _folder_name(camera_id, cameras[camera_id])
        if (self.root / "recordings" / camera_id).is_dir():
            return camera_id
        raise unknown_camera(camera_id, self.cameras())

    def _cameras_json(self) -> Mapping[str, object]:
        try:
            cameras = json.loads((self.root / "cameras.json").read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Unavailable("cameras.json is not JSON.") from error
        if not isinstance(cameras, dict):
            raise Unavailable("cameras.json is not an object with a key for each camera.")
        return cameras


def _folder_name(camera_id: str, camera: object) -> str:
    fault = f"cameras.json has no alias for {camera_id} that can be a folder's name."
    try:
        alias = read_alias(camera)
    except Unavailable as error:
        raise Unavailable(fault) from error
    if "/" in alias:
        raise Unavailable(fault)
    return alias
