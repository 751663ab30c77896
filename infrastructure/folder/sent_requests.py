"""Requests that were sent to a queue elsewhere, noted in a folder: a restart forgets none."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from threading import Lock

from attrs import define, field, frozen

from domain.clip import IDENTIFIER, ClipName, ClipRequest
from domain.errors import NoClipId
from infrastructure.folder.files import now_ms, translating_os_errors, write_atomically
from infrastructure.formats.messages import message_body, read_message

MAX_ENDED = 1000
"""So many requests that have ended stay noted, the newest."""
NAME = re.compile(rf"({IDENTIFIER})\.({IDENTIFIER})\.(\d{{1,15}})\.json")


@frozen
class SentRequest:
    """A request, and when it was sent, in ms since the epoch."""

    request: ClipRequest
    sent_at_ms: int
    has_ended: bool = False

    @property
    def file_name(self) -> str:
        """The name of its file: no id has a dot."""
        name = self.request.name
        return f"{name.camera_id}.{name.clip_id}.{self.sent_at_ms}.json"


@define
class SentRequests:
    """A file for each request, in `waiting/`, and then in `ended/`: the queue's message."""

    root: Path
    max_ended: int = MAX_ENDED
    now_ms: Callable[[], int] = now_ms
    _noted: dict[ClipName, SentRequest] = field(factory=dict)
    _lock: Lock = field(factory=Lock)

    def __attrs_post_init__(self) -> None:
        """Read the folder; Unavailable if it cannot be used."""
        with translating_os_errors(f"{self.root}", math.inf):
            for has_ended in (True, False):
                self._folder(has_ended=has_ended).mkdir(parents=True, exist_ok=True)
                for path in sorted(self._folder(has_ended=has_ended).iterdir()):
                    if sent := _read(path, has_ended=has_ended):
                        self._noted[sent.request.name] = sent

    def find(self, name: ClipName) -> SentRequest | None:
        """Return the request for a clip, the last one if it was sent again; None if none was."""
        with self._lock:
            return self._noted.get(name)

    def waiting(self) -> list[SentRequest]:
        """Return the requests that have not ended, the newest first."""
        return self._of(has_ended=False)

    def ended(self) -> list[SentRequest]:
        """Return the requests that have ended, the newest first."""
        return self._of(has_ended=True)

    def add(self, request: ClipRequest) -> SentRequest:
        """Note that a request was sent just now, in place of an earlier one for the same clip."""
        sent = SentRequest(request, self.now_ms())
        with self._lock, translating_os_errors("A request that was sent", math.inf):
            write_atomically(self._path(sent), message_body(request))
            earlier = self._noted.get(request.name)
            self._noted[request.name] = sent
            if earlier and self._path(earlier) != self._path(sent):
                self._path(earlier).unlink(missing_ok=True)
        return sent

    def end(self, name: ClipName) -> None:
        """Note that a request has ended."""
        with self._lock, translating_os_errors("A request that has ended", math.inf):
            sent = self._noted.get(name)
            if sent is None or sent.has_ended:
                return
            ended = SentRequest(sent.request, sent.sent_at_ms, has_ended=True)
            self._path(sent).replace(self._path(ended))
            self._noted[name] = ended
        self._forget()

    def _forget(self) -> None:
        for old in self.ended()[self.max_ended :]:
            with self._lock, translating_os_errors("A request that has ended", math.inf):
                self._path(old).unlink(missing_ok=True)
                del self._noted[old.request.name]

    def _of(self, *, has_ended: bool) -> list[SentRequest]:
        with self._lock:
            found = [sent for sent in self._noted.values() if sent.has_ended is has_ended]
        return sorted(found, key=lambda sent: -sent.sent_at_ms)

    def _path(self, sent: SentRequest) -> Path:
        return self._folder(has_ended=sent.has_ended) / sent.file_name

    def _folder(self, *, has_ended: bool) -> Path:
        return self.root / ("ended" if has_ended else "waiting")


def _read(path: Path, *, has_ended: bool) -> SentRequest | None:
    """Return the request of a file, None if it is none of this folder's."""
    match = NAME.fullmatch(path.name)
    if match is None:
        return None
    camera_id, clip_id, sent_at_ms = match.groups()
    try:
        request = read_message(path.read_text(encoding="utf-8"), int(sent_at_ms))
    except (NoClipId, UnicodeDecodeError):
        return None
    if not isinstance(request, ClipRequest) or request.name != ClipName(camera_id, clip_id):
        return None
    return SentRequest(request, int(sent_at_ms), has_ended)
