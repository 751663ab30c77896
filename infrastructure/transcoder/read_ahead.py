"""Read what is needed soon while something else is done: requests in waves, not one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from application.ports import Piece, Recording, RecordingPiece
from domain.errors import ClipError
from infrastructure.mp4.errors import InvalidMp4
from infrastructure.splicing.copied_ranges import CopiedRange, loose_samples
from infrastructure.splicing.frames import CutSource, ReadAhead
from infrastructure.splicing.spans import EncodedSpan, Span
from infrastructure.splicing.sync_samples import syncs_before
from infrastructure.splicing.tracks import ClipTrack, SpanSamples, recorded_runs
from infrastructure.transcoder.assemble import runs_of
from infrastructure.transcoder.verify_splices import first_frames

READ_CONCURRENCY = 8
READ_BYTES = 2 << 20
"""Longer ranges are read in pieces of this size."""
ENCODED_GROWTH = 3
"""How many times as large frames usually are once they are encoded (1080p of 3.2 Mbit/s: 4.4)."""
MAX_SPANS = 8
"""So many encoded spans are read at once, and no more, so that memory stays bounded."""


@contextmanager
def reading_ahead() -> Iterator[ReadAhead]:
    """Yield a function that begins to read ranges of a recording, which caches them.

    Errors are left to whoever needs the bytes: that read meets them again. At the end of the block,
    reads that have not begun are cancelled, and the others are not awaited: they end by the
    deadline that the recording was opened with.
    """
    readers = ThreadPoolExecutor(READ_CONCURRENCY)

    def read(recording: Recording, at: int, length: int) -> None:
        with suppress(ClipError, InvalidMp4):
            recording.read(at, length)

    def read_ahead(recording: Recording, ranges: Sequence[range]) -> None:
        for wanted in ranges:
            end = min(wanted.stop, recording.size_bytes)
            for at in range(wanted.start, end, READ_BYTES):
                readers.submit(read, recording, at, min(READ_BYTES, end - at))

    try:
        yield read_ahead
    finally:
        readers.shutdown(wait=False, cancel_futures=True)


def read_spans(read_ahead: ReadAhead, spans: Iterable[EncodedSpan]) -> None:
    """Begin to read the frames that are decoded for the first encoded spans."""
    for span, _ in zip(spans, range(MAX_SPANS), strict=False):
        _read_samples(read_ahead, span.source, span.decode_start, max(span.frames))


def read_frame(read_ahead: ReadAhead, source: CutSource, frame: int) -> None:
    """Begin to read a frame, and what is decoded before it if the tables are right."""
    before = syncs_before(source.video, source.video.sync, (frame,))
    _read_samples(read_ahead, source, before[-1] if before else source.decode_start, frame)


def _read_samples(read_ahead: ReadAhead, source: CutSource, first: int, last: int) -> None:
    _read_pieces(read_ahead, _pieces(source.samples_of(source.video, range(first, last + 1))))


def read_assembled(  # noqa: PLR0913, PLR0917
    read_ahead: ReadAhead,
    spans: Sequence[Span],
    copied: Mapping[int, SpanSamples],
    audio: Sequence[ClipTrack],
    ranges: Sequence[CopiedRange],
    uploaded_bytes: int,
) -> None:
    """Begin to read what is needed once the frames are encoded.

    That is the isolated samples, the copied frames that the check of the splices decodes, and what
    of the first `uploaded_bytes` of the clip is probably copied. `copied` has the samples of copied
    spans by their numbers.
    """
    checked = [
        piece
        for number, span in copied.items()
        for piece in _checked(
            span,
            is_first=number > 0 and number - 1 not in copied,
            is_last=number + 1 < len(spans) and number + 1 not in copied,
        )
    ]
    loose = [
        run[number] for run, number in loose_samples(recorded_runs(copied.values(), audio), ranges)
    ]
    _read_pieces(read_ahead, [*_pieces(loose), *checked])
    encoded_bytes = sum(
        span.source.video.sizes[i]
        for span in spans
        if isinstance(span, EncodedSpan)
        for i in span.frames
    )
    for first in (found.piece for found in ranges[:1]):
        length = min(first.length, uploaded_bytes - ENCODED_GROWTH * encoded_bytes)
        read_ahead(first.recording, [range(first.offset, first.offset + length)])


def _checked(span: SpanSamples, *, is_first: bool, is_last: bool) -> Iterator[RecordingPiece]:
    """Yield a copied span's frames next to encoded ones; the last ones if the tables are right."""
    last = max((i for i, sync in enumerate(span.sync) if sync), default=0)
    first_samples = first_frames(span).samples if is_first else ()
    last_samples = span.samples[last:] if is_last else ()
    yield from _pieces((*first_samples, *last_samples))


def _pieces(samples: Iterable[Piece]) -> list[RecordingPiece]:
    """Return those samples that a recording stores."""
    return [piece for piece in samples if isinstance(piece, RecordingPiece)]


def _read_pieces(read_ahead: ReadAhead, pieces: Sequence[RecordingPiece]) -> None:
    for run in runs_of([(0, piece) for piece in pieces]):
        first, last = run[0][1], run[-1][1]
        read_ahead(first.recording, [range(first.offset, last.offset + last.length)])
