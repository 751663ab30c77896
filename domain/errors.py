"""Everything that can go wrong, sorted by what happens next.

ClipError
├── Refused            told to the camera API and the subscribers as FATAL_ERROR; acknowledged
├── NotRecordedYet     the file counts as not recorded; the retry policy decides
├── ClipDeleted        the clip was deleted while it was made: acknowledged, nothing published
├── Retryable          the message goes back to the queue and is delivered again
│   ├── Unavailable    a dependency failed, refused or lied
│   │   └── Denied     it does not let us: people must put that right meanwhile
│   ├── RecordingChanged  a recording was replaced while it was read
│   ├── DeadlineExceeded      the attempt's deadline would pass before the work is done
│   ├── AlreadyInProgress      another delivery is making this clip, or has just made it
│   └── UnusableFootage    the footage cannot become the planned frames
├── NoClipId           no clip to tell anything of: the message goes to the dead-letter queue
└── Conflict           the message goes to the dead-letter queue, the clip's status is left alone

The message of an error is for people: it names the dependency and the fault, and never holds a
token, a key or a message's body.
"""


class ClipError(Exception):
    """The root: an ending that is not a finished clip."""


class Rejected(ClipError):
    """The request can never become a clip; the message says why."""


class NotRecordedYet(ClipError):
    """A listed segment is not stored yet, or cannot be read yet (no moov, zero bytes)."""


class ClipDeleted(ClipError):
    """The camera API no longer knows the clip."""


class Retryable(ClipError):
    """Nothing is decided: the message must be delivered again."""


class Unavailable(Retryable):
    """A dependency failed, refused, stalled, or answered nonsense."""


class AccessDenied(Unavailable):
    """A dependency does not let us, and will not until people put it right."""


class RecordingChanged(Retryable):
    """The bytes of a recording are not those of its index any more."""


class DeadlineExceeded(Retryable):
    """The attempt's deadline leaves no time for the next step."""


class AlreadyInProgress(Retryable):
    """Another delivery of the same request is at work, or was a moment ago."""


class UnusableFootage(Retryable):
    """The footage cannot be turned into exactly the planned frames."""


class NoClipId(ClipError):
    """The message names no clip, so there is nobody to tell."""


class Conflict(ClipError):
    """The clip's name is taken by a clip of another window, which must not be touched."""
