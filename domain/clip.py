"""A request for a clip, and how it ended."""

import hashlib
from collections.abc import Mapping
from enum import Enum

from attrs import Factory, evolve, field, frozen
from attrs.validators import matches_re, optional

from domain.coverage import Coverage, total_ms
from domain.options import FILLERS, USUAL, ClipOptions
from domain.sidecars import sidecars_of
from domain.window import TimeWindow

IDENTIFIER = r"[A-Za-z0-9_-]{1,64}"
"""What a clip or camera id matches, whole. No other text reaches a path, key or address."""

FILLER_TITLES: Mapping[object, str] = {
    "hold": "a picture next to it",
    "black": "black",
    "slate": "a slate",
}
"""What a clip shows in a gap, for people."""

FORMAT_VERSION = 1
"""Increased whenever the same request would produce a different clip."""


class ClipStatus(Enum):
    """The status of a clip, as reported to the camera API and published."""

    AVAILABLE = "CLIP_AVAILABLE"
    PENDING = "CLIP_PENDING"
    NOT_AVAILABLE = "CLIP_NOT_AVAILABLE"
    OUT_OF_RANGE = "CLIP_OUT_OF_RANGE"
    TOO_LONG = "CLIP_TOO_LONG"
    RETRY_TIMEOUT = "CLIP_RETRY_TIMEOUT"
    FATAL_ERROR = "FATAL_ERROR"


@frozen
class UnknownStatus:
    """A status in which a newer version of the service has ended a request.

    It means that there is no clip: in every version the status of a stored clip is AVAILABLE.
    """

    value: str = field(validator=matches_re(r"[A-Z][A-Z0-9_]{0,63}"))


DELETED = UnknownStatus("CLIP_DELETED")
"""In the manifest of a clip that was deleted: a late duplicate of its request makes none.

No request ends in it, and it is neither reported nor published.
"""


def fingerprint_of(*parts: object) -> str:
    """Return a hash of `parts`: 32 hexadecimal digits."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


@frozen
class ClipName:
    """The name that a clip is stored under."""

    camera_id: str = field(validator=matches_re(IDENTIFIER))
    clip_id: str = field(validator=matches_re(IDENTIFIER))


@frozen
class ClipRequest:
    """A request for one camera's clip from `start_ms` to `end_ms` (since the epoch).

    The bounds may make no sense: the retry policy rejects them with a reason.
    """

    clip_id: str = field(validator=matches_re(IDENTIFIER))
    camera_id: str = field(validator=matches_re(IDENTIFIER))
    start_ms: int
    end_ms: int
    retries_ms: tuple[int, ...] = ()
    """When each earlier message of this request was sent, since the epoch."""
    unknown_keys: Mapping[str, object] = field(default=Factory(dict), eq=False)
    """The message's other members: kept when the request is requeued."""
    options: ClipOptions = USUAL

    @property
    def name(self) -> ClipName:
        """The name that the clip is stored under."""
        return ClipName(self.camera_id, self.clip_id)

    @property
    def window(self) -> TimeWindow:
        """The requested window; ValueError if it is empty."""
        return TimeWindow(self.start_ms, self.end_ms)

    @property
    def fingerprint(self) -> str:
        """Distinguishes two clips that have the same id.

        Without options it is what it was before there were any. Settings are not part of it.
        """
        options = filter(None, (self.options.canonical,))
        return fingerprint_of(FORMAT_VERSION, self.camera_id, self.start_ms, self.end_ms, *options)

    def retried(self, sent_at_ms: int) -> "ClipRequest":
        """Return the request to requeue, with `sent_at_ms` appended to its retry timestamps."""
        return evolve(self, retries_ms=(*self.retries_ms, sent_at_ms))


@frozen
class InvalidRequest:
    """The readable part of a message that names a clip but is otherwise malformed."""

    clip_id: str = field(validator=matches_re(IDENTIFIER))
    reason: str
    camera_id: str | None = field(default=None, validator=optional(matches_re(IDENTIFIER)))
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def name(self) -> ClipName | None:
        """The name that the clip would be stored under, if the message has a camera id."""
        return ClipName(self.camera_id, self.clip_id) if self.camera_id else None


@frozen
class ClipReport:
    """A request's status and result, as reported to the camera API and published."""

    clip_id: str
    status: ClipStatus | UnknownStatus
    camera_id: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None
    retries_ms: tuple[int, ...] = ()
    coverage: Coverage = Coverage()  # noqa: RUF009 - it is frozen
    """What the clip shows of the requested window."""
    reason: str | None = None
    """For people: why there is no clip, or what it lacks."""
    fingerprint: str = ""
    unknown_keys: Mapping[str, object] = field(default=Factory(dict), eq=False, kw_only=True)
    """What a newer version of the service has also reported: repeated with the report."""
    options: Mapping[str, object] = field(factory=dict, hash=False)
    """The request's options that differ from their defaults, by name."""
    sidecars: tuple[str, ...] = ()
    """The files next to the clip, by the ends of their names: see domain/sidecars.py."""

    @classmethod
    def of(
        cls,
        request: ClipRequest,
        status: ClipStatus,
        *,
        coverage: Coverage | None = None,
        reason: str | None = None,
    ) -> "ClipReport":
        """Return the report that `request` has reached `status`."""
        return cls(
            request.clip_id,
            status,
            request.camera_id,
            request.start_ms,
            request.end_ms,
            request.retries_ms,
            coverage or Coverage(),
            reason,
            request.fingerprint,
            request.options.chosen,
        )

    @classmethod
    def available(cls, request: ClipRequest, coverage: Coverage) -> "ClipReport":
        """Return the report that the clip is available, but for what its coverage lacks."""
        filled = f": it shows {FILLER_TITLES[filler]}" if (filler := request.options.filler) else ""
        faults = [
            f"There is no footage of {_seconds(coverage.gaps)} of the clip{filled}."
            if coverage.gaps
            else "",
            f"The footage of {_seconds(coverage.damaged)} of the clip is damaged."
            if coverage.damaged
            else "",
        ]
        reason = " ".join(filter(None, faults)) or None
        report = cls.of(request, ClipStatus.AVAILABLE, coverage=coverage, reason=reason)
        return evolve(report, sidecars=sidecars_of(request.options.chosen))

    @property
    def event_id(self) -> str:
        """The same in every notification of one result, so that subscribers can drop duplicates."""
        return fingerprint_of(self.clip_id, self.status.value, self.fingerprint)

    @property
    def has_clip(self) -> bool:
        """Whether there is a clip to watch."""
        return self.status is ClipStatus.AVAILABLE

    @property
    def delivered_ms(self) -> int:
        """Of how many milliseconds of the requested window the clip contains footage."""
        if not self.has_clip or self.start_ms is None or self.end_ms is None:
            return 0
        return self.end_ms - self.start_ms - self.coverage.missing_ms

    @property
    def fills_gaps(self) -> bool:
        """Whether the clip shows filler where there is no footage."""
        return self.options.get("gaps") in FILLERS

    @property
    def shown_ms(self) -> int:
        """How many milliseconds of the requested window the clip shows, with footage or filler."""
        filled_ms = self.coverage.missing_ms if self.has_clip and self.fills_gaps else 0
        return self.delivered_ms + filled_ms


def _seconds(windows: tuple[TimeWindow, ...]) -> str:
    text = f"{total_ms(windows) / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{text} s"
