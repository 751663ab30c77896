"""The folder's queue of requests."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from attrs import evolve, frozen

from application.ports import RetryQueue
from domain.clip import ClipRequest
from domain.retry import MAX_DELAY_S
from infrastructure.folder.files import now_ms, translating_os_errors, write_atomically
from infrastructure.formats.messages import message_body

VISIBILITY_MS = 3_600_000
"""The visibility timeout of a received message."""


@frozen
class QueuedMessage:
    """A received message, hidden from other receivers until its visibility timeout."""

    message_id: str
    sent_at_ms: int
    """When it was queued, since the epoch."""
    receive_count: int
    """How often it has been received, this time included."""
    body: str
    path: Path


@frozen
class WaitingMessage:
    """A message in the queue, or a dead letter."""

    due_ms: int
    """When it may be received, since the epoch."""
    sent_at_ms: int
    """When it was queued, since the epoch."""
    receive_count: int
    """How often it has been received so far."""
    body: str


@frozen
class FolderRetryQueue(RetryQueue):
    """Requests in `queue/`, one per file, named `<due ms>-<sent ms>-<random>[.<received>].json`.

    A message is received by renaming its file to a later due time, so that it becomes due again if
    its receiver dies. After `max_receive_count` failed deliveries it is moved to `dead/`.
    """

    root: Path
    max_receive_count: int = 5
    now_ms: Callable[[], int] = now_ms

    def send(self, request: ClipRequest, delay_s: int, deadline_s: float) -> tuple[str, ...]:
        """Write the request's message; a folder has room for any."""
        if not 1 <= delay_s <= MAX_DELAY_S:
            raise ValueError(f"a delay of {delay_s} s is not within 1..{MAX_DELAY_S}")
        with translating_os_errors("The queue", deadline_s):
            sent_at_ms = self.now_ms()
            name = f"{sent_at_ms + 1000 * delay_s}-{sent_at_ms}-{uuid4().hex[:8]}.json"
            write_atomically(self._folder / name, message_body(request))
        return ()

    def add(self, body: str) -> None:
        """Queue a message as it is, for delivery at once."""
        with translating_os_errors("The queue", math.inf):
            at_ms = self.now_ms()
            write_atomically(self._folder / f"{at_ms}-{at_ms}-{uuid4().hex[:8]}.json", body)

    def receive(self, visibility_ms: int = VISIBILITY_MS) -> QueuedMessage | None:
        """Receive and hide the message that has been due the longest; None if none is due."""
        for due_ms, path in self._messages():
            if due_ms > self.now_ms():
                break
            match = _NAME.fullmatch(path.name)
            assert match  # noqa: S101 - _messages matched it
            received = int(match[4] or 0) + 1
            if received > self.max_receive_count:
                self._move(path, self._folder / "dead" / path.name)
                continue
            hidden = self._folder / _named(self.now_ms() + visibility_ms, match[2], received)
            if self._move(path, hidden):
                body = hidden.read_text(encoding="utf-8")
                return QueuedMessage(match[2], int(match[3]), received, body, hidden)
        return None

    def next_due_ms(self) -> int | None:
        """Return when the next message is due, in ms since the epoch; None if there is none."""
        return next((due_ms for due_ms, _ in self._messages()), None)

    def count(self) -> int:
        """Return how many messages there are, hidden ones included, dead letters not."""
        return len(self._messages())

    def waiting(self) -> list[WaitingMessage]:
        """Return all messages, hidden ones included, in the order in which they are due."""
        return list(self._contents(self._folder))

    def dead(self) -> list[WaitingMessage]:
        """Return the dead letters."""
        return list(self._contents(self._folder / "dead"))

    def extend(self, message: QueuedMessage, visibility_ms: int) -> QueuedMessage:
        """Hide a received message for so long from now on, unless another receiver has it."""
        due_ms = self.now_ms() + visibility_ms
        name = _named(due_ms, message.message_id, message.receive_count)
        is_own = self._move(message.path, self._folder / name)
        return evolve(message, path=self._folder / name) if is_own else message

    def delete(self, message: QueuedMessage) -> None:
        """Acknowledge a message."""
        message.path.unlink(missing_ok=True)

    def release(self, message: QueuedMessage, delay_s: int) -> None:
        """Make a message due again in `delay_s`, or dead-letter it after its last delivery."""
        if message.receive_count >= self.max_receive_count:
            self._move(message.path, self._folder / "dead" / message.path.name)
            return
        due_ms = self.now_ms() + 1000 * delay_s
        name = _named(due_ms, message.message_id, message.receive_count)
        self._move(message.path, self._folder / name)

    @property
    def _folder(self) -> Path:
        return self.root / "queue"

    def _contents(self, folder: Path) -> Iterator[WaitingMessage]:
        """Yield the messages of a folder; those that are moved in the meantime may be left out."""
        with translating_os_errors("The queue", math.inf):
            for due_ms, path in self._messages(folder):
                match = _NAME.fullmatch(path.name)
                assert match  # noqa: S101 - _messages matched it
                with suppress(FileNotFoundError):
                    body = path.read_text(encoding="utf-8")
                    yield WaitingMessage(due_ms, int(match[3]), int(match[4] or 0), body)

    def _messages(self, folder: Path | None = None) -> list[tuple[int, Path]]:
        found = (folder or self._folder).glob("*.json")
        return sorted((int(m[1]), p) for p in found if (m := _NAME.fullmatch(p.name)))

    def _move(self, path: Path, target: Path) -> bool:
        """Rename a message; return whether another receiver had not done so first."""
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        return True


_NAME = re.compile(r"(\d+)-((\d+)-[0-9a-f]+)(?:\.(\d+))?\.json")


def _named(due_ms: int, message_id: str, received: int) -> str:
    return f"{due_ms}-{message_id}.{received}.json"
