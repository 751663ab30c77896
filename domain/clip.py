"""A request for a clip, and how it ended."""

import hashlib
from collections.abc import Mapping
from enum import Enum

from attrs import Factory, evolve, field, frozen
from attrs.validators import matches_re, optional

from domain.window import TimeWindow

IDENTIFIER = r"[A-Za-z0-9_-]{1,64}"
"""What a clip or camera id matches, whole. Nothing else ever reaches a path, key or address."""


FORMAT_VERSION = 1
"""Counts the changes after which the same request makes a different clip."""


class ClipStatus(Enum):
    """What the camera API and the subscribers are told of a clip."""

    AVAILABLE = "CLIP_AVAILABLE"
    PENDING = "CLIP_PENDING"
    NOT_AVAILABLE = "CLIP_NOT_AVAILABLE"
    OUT_OF_RANGE = "CLIP_OUT_OF_RANGE"
    TOO_LONG = "CLIP_TOO_LONG"
    RETRY_TIMEOUT = "CLIP_RETRY_TIMEOUT"
    FATAL_ERROR = "FATAL_ERROR"


def fingerprint_of(*parts: object) -> str:
    """Hash `parts` to 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


@frozen
class ClipName:
    """What a clip is stored under."""

    camera_id: str = field(validator=matches_re(IDENTIFIER))
    clip_id: str = field(validator=matches_re(IDENTIFIER))


@frozen
class ClipRequest:
    """The clip of one camera from `start_ms` to `end_ms` (since the epoch), as asked for.

    The bounds may be nonsense: the retry policy refuses them with a reason.
    """

    clip_id: str = field(validator=matches_re(IDENTIFIER))
    camera_id: str = field(validator=matches_re(IDENTIFIER))
    start_ms: int
    end_ms: int
    retries_ms: tuple[int, ...] = ()
    """When each earlier message of this request was sent, since the epoch."""
    unknown_keys: Mapping[str, object] = field(default=Factory(dict), eq=False)
    """What else the message held: carried along when the request is queued again."""

    @property
    def name(self) -> ClipName:
        """What the clip is stored under."""
        return ClipName(self.camera_id, self.clip_id)

    @property
    def window(self) -> TimeWindow:
        """The wanted stretch of time; ValueError if it is empty."""
        return TimeWindow(self.start_ms, self.end_ms)

    @property
    def fingerprint(self) -> str:
        """What tells two clips apart that bear the same id."""
        return fingerprint_of(FORMAT_VERSION, self.camera_id, self.start_ms, self.end_ms)

    def retried(self, sent_at_ms: int) -> "ClipRequest":
        """Return the request as it is queued again by the message that was sent at `sent_at_ms`."""
        return evolve(self, retries_ms=(*self.retries_ms, sent_at_ms))


@frozen
class InvalidRequest:
    """A message that names a clip but cannot be understood: what of it could be read."""

    clip_id: str = field(validator=matches_re(IDENTIFIER))
    reason: str
    camera_id: str | None = field(default=None, validator=optional(matches_re(IDENTIFIER)))
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def name(self) -> ClipName | None:
        """What the clip would be stored under, as far as the message says."""
        return ClipName(self.camera_id, self.clip_id) if self.camera_id else None


@frozen
class ClipReport:
    """How a request ended, or stands, as told to the camera API and the subscribers."""

    clip_id: str
    status: ClipStatus
    camera_id: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    retries_ms: tuple[int, ...] = ()
    gaps: tuple[TimeWindow, ...] = ()
    """The stretches of the wanted window that the clip does not hold."""
    reason: str | None = None
    """For people: why there is no clip, or what it lacks."""
    fingerprint: str = ""

    @property
    def event_id(self) -> str:
        """The same for every notification of the same ending: subscribers drop repetitions."""
        return fingerprint_of(self.clip_id, self.status.value, self.fingerprint)

    @property
    def has_clip(self) -> bool:
        """Tell whether there is a clip to watch."""
        return self.status is ClipStatus.AVAILABLE

    @property
    def delivered_ms(self) -> int:
        """How many milliseconds of the wanted window the clip holds."""
        if not self.has_clip or self.start_ms is None or self.end_ms is None:
            return 0
        return self.end_ms - self.start_ms - sum(gap.duration_ms for gap in self.gaps)


def report_of(
    request: ClipRequest,
    status: ClipStatus,
    *,
    gaps: tuple[TimeWindow, ...] = (),
    reason: str | None = None,
) -> ClipReport:
    """Report that `request` has come to `status`."""
    return ClipReport(
        request.clip_id,
        status,
        request.camera_id,
        request.start_ms,
        request.end_ms,
        request.retries_ms,
        gaps,
        reason,
        request.fingerprint,
    )
