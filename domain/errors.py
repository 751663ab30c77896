"""Everything that can go wrong, sorted by what happens next.

ClipError
├── Rejected               reported as FATAL_ERROR and published; acknowledged
├── NotRecordedYet         the file counts as not recorded; the retry policy decides
│   └── NotFinishedYet     it is stored, but cut off or still being written
├── ClipDeleted            the clip was deleted while it was made: acknowledged, not published
├── Retryable              the message returns to the queue and is delivered again
│   ├── Unavailable        a dependency failed, refused, or answered nonsense
│   │   └── AccessDenied   it denied access: an operator must change a permission
│   ├── RecordingChanged   a recording was replaced while it was read
│   ├── DeadlineExceeded   the delivery's deadline would pass before the work is done
│   ├── AlreadyInProgress  another delivery is making this clip, or has just made it
│   ├── UnusableFootage    the footage cannot become the planned frames
│   └── NoPicture          none can be decoded in some windows: planned again without them
├── NoClipId               there is no clip to report on: the message is dead-lettered
└── Conflict               the message is dead-lettered, the clip's status stays as it is

An error's message is for people: it names the dependency and the fault, and never contains a
token, a key or a message's body.
"""

from collections.abc import Sequence

from domain.window import TimeWindow


class ClipError(Exception):
    """The root: an outcome other than a finished clip."""


class Rejected(ClipError):
    """The request can never become a clip; the message gives the reason."""


class NotRecordedYet(ClipError):
    """A listed segment is not stored yet, or cannot be read yet (no moov, zero bytes)."""


class NotFinishedYet(NotRecordedYet):
    """A segment is stored, but it is cut off or still being written."""


class ClipDeleted(ClipError):
    """The camera API no longer knows the clip."""


class Retryable(ClipError):
    """Nothing is decided: the message must be delivered again."""


class Unavailable(Retryable):
    """A dependency failed, refused, stalled, or answered nonsense."""


class AccessDenied(Unavailable):
    """A dependency denies access, and will until an operator changes a permission."""


class RecordingChanged(Retryable):
    """A recording's bytes are no longer those that its index describes."""


class DeadlineExceeded(Retryable):
    """The delivery's deadline leaves no time for the next step."""


class AlreadyInProgress(Retryable):
    """Another delivery of the same request is running, or was a moment ago."""


class UnusableFootage(Retryable):
    """The footage cannot be turned into exactly the planned frames."""


class NoPicture(Retryable):
    """A decoder makes no picture of windows of a recording: it must be planned without them."""

    def __init__(self, message: str, name: str, windows: Sequence[TimeWindow]) -> None:
        super().__init__(message)
        self.name = name
        self.windows = tuple(windows)


class NoClipId(ClipError):
    """The message names no clip, so there is nothing to report on."""


class Conflict(ClipError):
    """A clip of another window, or with other options, has this name and must not be touched."""
