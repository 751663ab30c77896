"""What a rendition shows of its window, and which recordings it was made of."""

from collections.abc import Iterator, Mapping
from itertools import chain

from attrs import evolve

from application.gather_footage import GatheredFootage, WithoutPicture
from application.ports import Piece, Recording, RecordingPiece, Rendition
from domain.coverage import Coverage, disjoint
from domain.manifest import Source
from domain.planning import ClipPlan, Cut
from domain.proof import ByteRange
from domain.window import TimeWindow


def with_held(
    footage: GatheredFootage, rendition: Rendition, without_picture: WithoutPicture
) -> tuple[GatheredFootage, Rendition]:
    """Name the recordings of which pictures are held in place of those that cannot be decoded."""
    assert footage.plan  # noqa: S101 - a clip is made only of planned footage
    damaged = (*rendition.damaged, *_held_over(footage.plan, without_picture))
    named = (f"Frames of {name} cannot be decoded." for name in without_picture)
    left_out = (*footage.left_out, *named)
    evidence = evolve(rendition.evidence, sources=_sources(footage, rendition.pieces))
    rendition = evolve(rendition, damaged=damaged, evidence=evidence)
    return evolve(footage, left_out=left_out), rendition


def _held_over(
    plan: ClipPlan, without_picture: Mapping[str, tuple[TimeWindow, ...]]
) -> Iterator[TimeWindow]:
    """Yield the windows in which a picture is held in place of those that cannot be decoded."""
    for window in chain.from_iterable(without_picture.values()):
        yield from (part for seam in plan.seams if (part := window.intersection(seam)))


def coverage_of(window: TimeWindow, footage: GatheredFootage, rendition: Rendition) -> Coverage:
    """Return what the rendition shows of the window."""
    planned = footage.coverage
    gaps, damaged, held = disjoint(window, planned.gaps, rendition.damaged, planned.held)
    return evolve(planned, gaps=gaps, damaged=damaged, held=held, verified=rendition.verified)


def _sources(footage: GatheredFootage, pieces: tuple[Piece, ...]) -> tuple[Source, ...]:
    """Return the recordings that the clip was made from, a source for each cut."""
    cuts = footage.plan.cuts if footage.plan else ()
    return tuple(_source(cut, footage.recordings[cut.segment.name], pieces) for cut in cuts)


def _source(cut: Cut, recording: Recording, pieces: tuple[Piece, ...]) -> Source:
    ranges = tuple(
        ByteRange(piece.offset, piece.length)
        for piece in pieces
        if isinstance(piece, RecordingPiece) and piece.recording is recording
    )
    return Source(
        cut.segment.name,
        recording.version,
        cut.window,
        ranges,
        recording.key,
        recording.version_id,
        recording.size_bytes,
    )


def with_checksums(sources: tuple[Source, ...], footage: GatheredFootage) -> tuple[Source, ...]:
    """Return the sources with the checksums that the store has given since.

    They are not committed with the clip: its parts are sent before they are known.
    """
    recordings = footage.recordings
    return tuple(evolve(each, checksum=recordings[each.name].checksum) for each in sources)
