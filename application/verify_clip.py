"""The use case: hold a clip against its proof, and against the recordings that it was made from."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from attrs import evolve, frozen

from application.ports import Recording, RecordingStore
from domain.errors import (
    NotFinishedYet,
    NotRecordedYet,
    RecordingChanged,
    Rejected,
    UnusableFootage,
)
from domain.findings import Finding, Judgement, Subject
from domain.manifest import Evidence, Manifest, Source
from domain.proof import (
    COPIED,
    ByteRange,
    CopiedPart,
    OwnPart,
    Proof,
    ProvenFrames,
    ShownFrame,
    differing_range,
    disjoint_parts,
    unproven_ranges,
)
from domain.recording import RecordingSegment

READ_BYTES = 2 << 20
ROUNDED_MS = 2
"""Instants are rounded to whole milliseconds, and durations are sums of them."""


class ClipFile(ABC):
    """A clip that is to be verified, with its thumbnails: anything may have been changed."""

    size_bytes: int

    @abstractmethod
    def read(self, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, fewer if the file ends before."""

    @abstractmethod
    def shown_frames(self) -> Sequence[ShownFrame]:
        """Return the frames that the clip's own tables name, as they are shown; none if damaged."""

    @abstractmethod
    def is_said_at_end(self, offset: int, manifest: Manifest) -> bool:
        """Return whether the bytes from `offset` on only repeat the manifest.

        S3's metadata has no room for a long coverage or proof: they then follow the last part.
        """

    @abstractmethod
    def thumbnail(self, width: int) -> bytes | None:
        """Return the bytes of a thumbnail; None if there is none."""

    @abstractmethod
    def sidecar(self, name: str) -> bytes | None:
        """Return the bytes of a file next to the clip, by its name's end; None if it is absent."""


@frozen
class VerifyClip:
    """Verifies clips; without `recordings`, copied bytes are not compared with their sources."""

    recordings: RecordingStore | None = None

    def __call__(self, manifest: Manifest, clip: ClipFile, deadline_s: float) -> list[Finding]:
        """Return what was checked; Rejected if there is no proof to check it by."""
        if not manifest.report.has_clip:
            raise Rejected(
                f"There is no clip: its request ended as {manifest.report.status.value}."
            )
        proof = manifest.proof
        if proof is None:
            raise Rejected(
                "This clip has no proof: a version of camclip from before proofs cut or announced"
                " it. That says nothing against the clip."
            )
        parts = disjoint_parts(proof)  # The others are named as the manifest's own fault.
        own = list(_own_findings(parts, clip))
        # Tables that were changed name frames as they please.
        is_header_intact = not any(f.range and f.range.offset == 0 for f in own)
        shown = clip.shown_frames() if is_header_intact else ()
        found = [
            *_size_findings(manifest, proof, clip),
            *own,
            *self._copied_findings(manifest, parts, clip, deadline_s),
            *_frame_findings(manifest, proof, shown),
            *_coverage_findings(manifest, proof),
            *_picture_findings(proof, clip),
        ]
        frames = ProvenFrames.of(shown, proof)
        return [evolve(f, frames=frames.within(f.range)) if f.range else f for f in found]

    def _copied_findings(
        self, manifest: Manifest, proof: Proof, clip: ClipFile, deadline_s: float
    ) -> Iterator[Finding]:
        sources = {source.name: source for source in manifest.sources}
        for what, named in (("Bytes", proof.copied), ("Frames", proof.frames)):
            for name in sorted({each.source for each in named} - sources.keys()):
                text = f"{what} are of {name}, which is no source of the clip."
                yield _changed(Subject.MANIFEST, text)
        if self.recordings is None:
            if copied := sum(part.length for part in proof.copied):
                text = f"{copied:,} bytes are a recording's: they were not compared with it."
                yield Finding(Subject.COPIED, Judgement.UNKNOWN, text)
            return
        parts: dict[str, list[CopiedPart]] = {}
        for part in proof.copied:
            parts.setdefault(part.source, []).append(part)
        for name, source in sources.items():
            of_it = parts.get(name, [])
            yield from _source_findings(self.recordings, source, of_it, clip, deadline_s)


def _size_findings(manifest: Manifest, proof: Proof, clip: ClipFile) -> Iterator[Finding]:
    for found in unproven_ranges(proof):
        yield _changed(Subject.MANIFEST, f"{_bytes(found)} are in no part, or in two.", found)
    size_bytes, extra_bytes = proof.size_bytes, clip.size_bytes - proof.size_bytes
    if extra_bytes < 0:
        missing = ByteRange(clip.size_bytes, -extra_bytes)
        yield _changed(Subject.SIZE, f"{_bytes(missing)} are missing.", missing)
    elif extra_bytes and not clip.is_said_at_end(size_bytes, manifest):
        added = ByteRange(size_bytes, extra_bytes)
        yield _changed(Subject.SIZE, f"{_bytes(added)} are not the clip's.", added)
    else:
        yield Finding(Subject.SIZE, Judgement.INTACT, f"{clip.size_bytes:,} bytes, as written.")


def _own_findings(proof: Proof, clip: ClipFile) -> Iterator[Finding]:
    changed = [part for part in proof.own if not _is_unchanged(clip, part)]
    for part in changed:
        what = "The clip's index" if part.offset == 0 else _bytes(part.range)
        verb = "is" if part.offset == 0 else "are"
        text = f"{what} {verb} not what camclip wrote (SHA-256)."
        yield _changed(Subject.OWN, text, part.range)
    intact = sum(part.length for part in proof.own) - sum(part.length for part in changed)
    if intact:
        text = f"{intact:,} bytes that camclip wrote are unchanged (SHA-256)."
        yield Finding(Subject.OWN, Judgement.INTACT, text)


def _is_unchanged(clip: ClipFile, part: OwnPart) -> bool:
    if not 0 <= part.offset <= part.range.end <= clip.size_bytes:
        return False
    digest = hashlib.sha256()
    for at in range(0, part.length, READ_BYTES):
        digest.update(clip.read(part.offset + at, min(READ_BYTES, part.length - at)))
    return digest.hexdigest() == part.sha256


def _source_findings(
    recordings: RecordingStore,
    source: Source,
    parts: Sequence[CopiedPart],
    clip: ClipFile,
    deadline_s: float,
) -> Iterator[Finding]:
    name, segment = source.name, RecordingSegment(source.window, source.name)
    try:
        recording = recordings.open(segment, source.window, deadline_s)
        yield _version_finding(source, recording)
        for part in parts:
            yield _copied_finding(part, recording, clip)
    except (NotFinishedYet, UnusableFootage) as error:
        yield Finding(Subject.SOURCE, Judgement.CHANGED, f"It is damaged now: {error}", source=name)
    except RecordingChanged as error:
        yield Finding(Subject.SOURCE, Judgement.CHANGED, str(error), source=name)
    except NotRecordedYet:
        text = f"{name} is not stored any more: nothing was compared with it."
        yield Finding(Subject.SOURCE, Judgement.UNKNOWN, text, source=name)


def _version_finding(source: Source, recording: Recording) -> Finding:
    name, now, before = source.name, recording.version, source.version
    if now == before:
        text = f"{name} is the version that the clip was cut from ({now})."
        return Finding(Subject.SOURCE, Judgement.INTACT, text, source=name)
    text = f"{name} was replaced: its version is {now}, and was {before}."
    if source.key or source.size_bytes != recording.size_bytes:
        return Finding(Subject.SOURCE, Judgement.CHANGED, text, source=name)
    text = f"{name} was written or moved since, and is as long as it was: only its bytes can tell."
    return Finding(Subject.SOURCE, Judgement.UNKNOWN, text, source=name)


def _copied_finding(part: CopiedPart, recording: Recording, clip: ClipFile) -> Finding:
    """Compare a range of the clip with that of its recording, byte for byte."""
    name, length = part.source, part.length
    is_within = 0 <= part.source_offset <= part.source_offset + length <= recording.size_bytes
    if not is_within or part.offset < 0:
        text = f"{_bytes(part.range)} are from beyond the end of {name}."
        return Finding(Subject.COPIED, Judgement.CHANGED, text, part.range, source=name)
    first = end = 0
    for at in range(0, length, READ_BYTES):
        size = min(READ_BYTES, length - at)
        own = clip.read(part.offset + at, size)
        if not own:
            first, end = first if end else at, length
            break
        if found := differing_range(own, recording.read_once(part.source_offset + at, size)):
            first, end = first if end else at + found.offset, at + found.end
    whole = ByteRange(part.source_offset, length)
    if not end:
        text = f"{length:,} bytes of {name} are in the clip, byte for byte."
        return Finding(Subject.COPIED, Judgement.INTACT, text, None, (), name, whole)
    changed = ByteRange(part.offset + first, end - first)
    theirs = ByteRange(part.source_offset + first, end - first)
    text = f"{_bytes(changed)} are not those of {name}, {_bytes(theirs).lower()}."
    return Finding(Subject.COPIED, Judgement.CHANGED, text, changed, (), name, theirs)


def _frame_findings(
    manifest: Manifest, proof: Proof, shown: Sequence[ShownFrame]
) -> Iterator[Finding]:
    copied = sum(run.frames for run in proof.frames if run.origin == COPIED)
    said = manifest.media and (manifest.media.frames, manifest.media.copied_frames)
    if said != (proof.frame_count, copied):
        yield _changed(Subject.MANIFEST, "It contradicts itself about the clip's frames.")
    elif not shown:
        yield Finding(Subject.FRAMES, Judgement.UNKNOWN, "The clip's index cannot be used.")
    elif len(shown) != proof.frame_count:
        text = f"The clip has {len(shown)} frames, and had {proof.frame_count}."
        yield _changed(Subject.FRAMES, text)
    else:
        filler = sum(map(len, proof.filler))
        text = f"{copied} copied and {len(shown) - copied} encoded frames, as written."
        if filler:
            text = f"{text} {filler} of these show no footage: they fill gaps."
        yield Finding(Subject.FRAMES, Judgement.INTACT, text)


def _coverage_findings(manifest: Manifest, proof: Proof) -> Iterator[Finding]:
    report, media = manifest.report, manifest.media
    if media is None or report.start_ms is None or report.end_ms is None:
        return
    clock = report.coverage.clock
    expected_ms = report.shown_ms + (clock.difference_ms if clock else 0)
    if abs(media.duration_ms - expected_ms) > ROUNDED_MS:
        text = f"The clip lasts {media.duration_ms:g} ms, but the report delivers {expected_ms} ms."
        yield _changed(Subject.COVERAGE, text)
        return
    seen_ms = [ms for run in proof.frames for ms in (run.first_timestamp_ms, run.last_timestamp_ms)]
    until_ms = report.end_ms + ROUNDED_MS
    from_ms = report.start_ms - ROUNDED_MS if not media.held_frames else min(seen_ms, default=0)
    if not all(from_ms <= ms <= until_ms for ms in seen_ms):
        yield _changed(Subject.COVERAGE, "Frames were seen outside of the requested window.")
        return
    text = f"{report.delivered_ms:,} ms are delivered, as reported."
    if report.fills_gaps and report.coverage.gaps:
        text = f"{text} {report.coverage.missing_ms:,} ms of gaps show filler."
    yield Finding(Subject.COVERAGE, Judgement.INTACT, text)


def _picture_findings(proof: Proof, clip: ClipFile) -> Iterator[Finding]:
    for thumbnail in proof.thumbnails:
        what = f"The thumbnail of {thumbnail.width} pixels"
        data = clip.thumbnail(thumbnail.width)
        yield _stored_finding(Subject.THUMBNAIL, what, data, thumbnail.sha256)
    for sidecar in proof.sidecars:
        data = clip.sidecar(sidecar.name)
        yield _stored_finding(Subject.SIDECAR, sidecar.name, data, sidecar.sha256)


def _stored_finding(subject: Subject, what: str, data: bytes | None, sha256: str) -> Finding:
    if data is None:
        return Finding(subject, Judgement.UNKNOWN, f"{what} is not there.")
    if hashlib.sha256(data).hexdigest() != sha256:
        return _changed(subject, f"{what} is not the one that was stored (SHA-256).")
    return Finding(subject, Judgement.INTACT, f"{what} is unchanged (SHA-256).")


def said_evidence(manifest: Manifest) -> Evidence:
    """Return the manifest's evidence as it was committed with the clip.

    The checksums of the sources, and the hashes of the files next to it, were not known then.
    """
    sources = tuple(evolve(source, checksum="") for source in manifest.sources)
    proof = manifest.proof and evolve(manifest.proof, thumbnails=(), sidecars=())
    return Evidence(sources, proof)


def _changed(subject: Subject, text: str, at: ByteRange | None = None) -> Finding:
    return Finding(subject, Judgement.CHANGED, text, at)


def _bytes(found: ByteRange) -> str:
    return f"Bytes {found.offset:,} to {found.end - 1:,}"
