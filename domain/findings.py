"""What the verification of a clip has found: what is as it was, what was changed, what is open."""

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from domain.proof import ByteRange, SeenFrames


class Subject(Enum):
    """What a finding is about."""

    SIGNATURE = "signature"
    MANIFEST = "manifest"
    SIZE = "size"
    OWN = "own bytes"
    COPIED = "copied bytes"
    SOURCE = "source"
    FRAMES = "frames"
    COVERAGE = "coverage"
    THUMBNAIL = "thumbnail"
    SIDECAR = "file next to the clip"


class Judgement(Enum):
    """How something is."""

    INTACT = "intact"
    CHANGED = "changed"
    UNKNOWN = "unknown"
    """It could not be checked."""


@frozen
class Finding:
    """One thing that was checked, or could not be."""

    subject: Subject
    judgement: Judgement
    text: str
    """For people, in one sentence."""
    range: ByteRange | None = None
    """The bytes of the clip that it is about."""
    frames: tuple[SeenFrames, ...] = ()
    """The frames that have some of these bytes."""
    source: str = ""
    """The recording's name."""
    source_range: ByteRange | None = None
    """The recording's bytes that it is about."""


def judgement_of(findings: Iterable[Finding]) -> Judgement:
    """Return whether anything was changed; INTACT even if something could not be checked."""
    is_changed = any(found.judgement is Judgement.CHANGED for found in findings)
    return Judgement.CHANGED if is_changed else Judgement.INTACT
