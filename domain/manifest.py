"""What is stored of a clip in addition to its bytes."""

from collections.abc import Mapping

from attrs import evolve, frozen

from domain.clip import ClipReport, ClipRequest
from domain.coverage import Coverage
from domain.pace import Pace, paces_between
from domain.proof import ByteRange, Proof, SidecarHash, ThumbnailHash
from domain.window import TimeWindow


@frozen
class MediaInfo:
    """What a finished clip's own tables say."""

    frames: int
    first_ms: float
    """When the first frame is shown, on the clip's clock."""
    last_ms: float
    """When the last frame is shown, on the clip's clock."""
    duration_ms: float
    codec: str
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    copied_frames: int = 0
    """How many frames are the recording's own bytes; the others were encoded."""
    held_frames: int = 0
    """How many of the frames were on screen when the window began, recorded before it."""


@frozen
class Source:
    """One recording that a clip was made from."""

    name: str
    version: str
    """The store's: an ETag in S3."""
    window: TimeWindow
    ranges: tuple[ByteRange, ...] = ()
    """Its bytes that the clip contains unchanged."""
    key: str = ""
    """The object's key, in S3."""
    version_id: str = ""
    """The object's version, in a bucket with versions."""
    size_bytes: int = 0
    """0 if it is not known: of clips from before there was a proof."""
    checksum: str = ""
    """The store's own of the whole object, if it gave one: the algorithm, a colon, base64."""


@frozen
class Evidence:
    """What is committed with a clip in addition to its coverage: what it was made from, and of."""

    sources: tuple[Source, ...] = ()
    proof: Proof | None = None


@frozen
class Signature:
    """Who wrote a manifest."""

    algorithm: str
    key_id: str
    """The first half of the SHA-256 of the public key, in hexadecimal digits."""
    value: str
    """In base64."""


@frozen
class StoredClip:
    """A clip in the store, as its own metadata describes it."""

    fingerprint: str
    writer: str
    """The id of the delivery that stored it."""
    stored_at_ms: int
    """Since the epoch, by the store's clock."""
    coverage: Coverage = Coverage()  # noqa: RUF009 - it is frozen
    media: MediaInfo | None = None
    evidence: Evidence = Evidence()
    """Empty if an older version of the service made the clip."""


@frozen
class Manifest:
    """The report with its evidence, stored next to the clip."""

    report: ClipReport
    writer: str
    """The id of the delivery that stored the clip, or rejected the request."""
    media: MediaInfo | None = None
    sources: tuple[Source, ...] = ()
    proof: Proof | None = None
    """What the clip's bytes are; None without a clip, or if an older version made it."""
    signature: Signature | None = None
    """As it was read: the store that writes a manifest signs it, if it has a key."""
    paces: tuple[Pace, ...] = ()
    """How the clip's clock runs, if it departs from the wall clock other than at gaps."""

    @classmethod
    def of_stored(cls, request: ClipRequest, clip: StoredClip) -> "Manifest":
        """Return the manifest of a clip that was found, as it was committed."""
        report, evidence = ClipReport.available(request, clip.coverage), clip.evidence
        return cls(report, clip.writer, clip.media, evidence.sources, evidence.proof)

    def with_thumbnails(self, stored: Mapping[int, str]) -> "Manifest":
        """Return it with the SHA-256 of the thumbnails, by width, if it has a proof."""
        if self.proof is None:
            return self
        hashes = tuple(ThumbnailHash(width, sha256) for width, sha256 in sorted(stored.items()))
        return evolve(self, proof=evolve(self.proof, thumbnails=hashes))

    def with_sidecars(self, stored: Mapping[str, str]) -> "Manifest":
        """Return it with the SHA-256 of the sidecars, by name, if it has a proof."""
        if self.proof is None:
            return self
        hashes = tuple(SidecarHash(name, stored[name]) for name in self.report.sidecars)
        return evolve(self, proof=evolve(self.proof, sidecars=hashes))

    @property
    def known_paces(self) -> tuple[Pace, ...]:
        """How the clip's clock runs, as far as it is known: see `is_clock_known`."""
        report = self.report
        if self.paces or not report.has_clip or report.start_ms is None or report.end_ms is None:
            return self.paces
        skipped = () if report.fills_gaps else report.coverage.gaps
        return paces_between(TimeWindow(report.start_ms, report.end_ms), skipped)

    @property
    def is_clock_known(self) -> bool:
        """Whether the wall clock of each of the clip's pictures is known to the millisecond.

        A clip that another delivery announced has no paces; the difference is in its coverage.
        """
        return bool(self.paces) or self.report.coverage.clock is None
