"""What the routes need of the place where recordings and clips are: a folder, or AWS.

`application.py` alone chooses.
"""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Protocol

from attrs import frozen
from starlette.responses import Response

from domain.clip import ClipName, ClipRequest
from domain.manifest import Manifest
from domain.recording import RecordingSegment
from domain.window import TimeWindow
from entrypoints.cli.cameras import CameraFacts
from entrypoints.cli.clip_page.templates import Thumbnail
from entrypoints.container import Service
from entrypoints.serve.found_footage import FoundFootage
from entrypoints.serve.known_clip import KnownClip
from infrastructure.mp4.recording import Mp4Recording

MAX_TRIED = 5
"""So many recordings are tried for the last picture: the last ones may be unfinished or damaged."""


class Cameras(Protocol):
    """The cameras, and a service that finds and reads their recordings."""

    @property
    def max_footage_ms(self) -> int:
        """The longest window whose footage is shown."""

    @property
    def service(self) -> Service:
        """The service, for use cases without effects."""

    @property
    def zone(self) -> tzinfo:
        """The zone of times for people."""

    def known(self) -> Sequence[CameraFacts]:
        """Return the cameras, and what is known of them without opening a recording."""

    def require(self, camera_id: str, at_ms: int) -> None:
        """Raise a Problem if there is no such camera; its recordings of `at_ms` may show it."""

    def last_moments(self, camera_id: str) -> Iterator[int]:
        """Yield the last instants of the last recordings that can be opened, the last one first.

        Of MAX_TRIED recordings; Problem if there is no such camera, or nothing is known.
        """

    def find_latest(self, camera_id: str, instant_ms: int) -> RecordingSegment | None:
        """Return the recording that starts last before the end of a millisecond, unopened.

        None if there is none, or if finding it takes as long as finding all around. An unknown
        camera raises Rejected, or there is none.
        """

    def footage(self, camera_id: str, window: TimeWindow) -> FoundFootage:
        """Return what a camera has of a window; Problem if there is no such camera."""


@frozen
class Abilities:
    """What can be done with clips, and known of them."""

    can_delete: bool = True
    can_verify: bool = True
    is_progress_known: bool = True
    """Whether it is known how far a clip is that is not done."""
    are_all_listed: bool = True
    """Whether a list has all clips; else, unless it is of a camera, those requested here."""


class Clips(Protocol):
    """The clips, and the requests for more."""

    @property
    def abilities(self) -> Abilities:
        """What can be done with clips, and known of them."""

    @property
    def camera_ids(self) -> set[str]:
        """The cameras whose clips can be listed."""

    def find(self, name: ClipName) -> KnownClip | None:
        """Return what is known of a clip, None if nothing is."""

    def manifest(self, name: ClipName) -> Manifest | None:
        """Return the manifest of a request that has ended, None if there is none."""

    def newest(self, camera_id: str | None, limit: int) -> list[KnownClip]:
        """Return the clips that are not done, and the newest of those that are."""

    def request(self, request: ClipRequest) -> KnownClip:
        """Queue a request, unless it is known already; Problem if it cannot be made."""

    def delete(self, name: ClipName) -> None:
        """Delete a clip, or cancel its request; Problem if that cannot be."""

    def members(self, known: KnownClip) -> dict[str, object]:
        """Return the members of the JSON object."""


@frozen
class ListedFiles:
    """The files of a clip that a list shows."""

    has_clip: bool = False
    thumbnail: Thumbnail | None = None


class ClipFiles(Protocol):
    """The clips' bytes. `method` is that of the request: GET or HEAD."""

    def has(self, name: ClipName) -> bool:
        """Return whether a clip is there."""

    def thumbnails(self, name: ClipName) -> list[Thumbnail]:
        """Return a clip's thumbnails, the smallest first."""

    def listed(self, name: ClipName) -> ListedFiles:
        """Return the files of a clip that is available by its report.

        It is fast, for a list of many; where looking is slow, the report is believed.
        """

    def open(self, name: ClipName) -> Mp4Recording:
        """Open a clip; Problem if it is gone."""

    def video(self, name: ClipName, disposition: str, method: str) -> Response:
        """Return the answer with a clip, under that `Content-Disposition`; Problem if it is gone.

        The clip is available by its report.
        """

    def thumbnail(self, name: ClipName, width: int, method: str) -> Response:
        """Return the answer with a thumbnail; Problem if there is none of that width."""

    def sidecar(self, name: ClipName, sidecar: str, method: str) -> Response | None:
        """Return the answer with an image next to the clip; None if there is none."""

    def read_sidecar(self, name: ClipName, sidecar: str) -> bytes | None:
        """Return the bytes of a text next to the clip; None if there is none."""


class Work(Protocol):
    """What goes on while requests are answered."""

    def start(self) -> None:
        """Begin."""

    def wake(self) -> None:
        """Begin with what is due now, rather than a little later."""

    def stop(self, within_s: float) -> bool:
        """End; return whether it was done in time."""
