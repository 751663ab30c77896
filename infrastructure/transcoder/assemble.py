"""Write a laid-out clip: a local file with our own bytes, and holes where ranges are copied."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from application.ports import FilePiece, Piece, RecordingPiece
from infrastructure.mp4.excerpt_writer import MAX_HOLE_READ_BYTES
from infrastructure.splicing.layout import Layout

MAX_READ_BYTES = 2 << 20
READ_CONCURRENCY = 4


def write_own_bytes(layout: Layout, path: Path) -> None:
    """Write the header and our own samples to `path`, reading isolated ones from recordings."""
    files = [(at, piece) for at, piece in layout.own if isinstance(piece, FilePiece)]
    isolated = [(at, piece) for at, piece in layout.own if isinstance(piece, RecordingPiece)]
    with path.open("wb") as out:
        target = out.fileno()
        out.truncate(layout.size_bytes)
        os.pwrite(target, layout.header, 0)
        for source, group in groupby(files, key=lambda row: row[1].path):
            with source.open("rb") as file:
                for at, piece in group:
                    data = os.pread(file.fileno(), piece.length, piece.offset)
                    os.pwrite(target, data, at)

        def copy(run: Sequence[tuple[int, RecordingPiece]]) -> None:
            begin, last = run[0][1].offset, run[-1][1]
            data = memoryview(last.recording.read(begin, last.offset + last.length - begin))
            for at, piece in run:
                first = piece.offset - begin
                os.pwrite(target, data[first : first + piece.length], at)

        with ThreadPoolExecutor(READ_CONCURRENCY) as readers:
            list(readers.map(copy, runs_of(isolated)))


def fill_holes(layout: Layout, path: Path) -> None:
    """Read the copied ranges into the holes of `path`, so that it can be played."""
    with path.open("r+b") as out:
        for begin, piece in layout.copied:
            for at in range(0, piece.length, MAX_READ_BYTES):
                length = min(MAX_READ_BYTES, piece.length - at)
                data = piece.recording.read_once(piece.offset + at, length)
                os.pwrite(out.fileno(), data, begin + at)


def pieces_of(layout: Layout, path: Path) -> tuple[Piece, ...]:
    """Return the clip's pieces in order: ranges of `path`, and of recordings."""
    pieces: list[Piece] = []
    at = 0
    for begin, piece in layout.copied:
        if begin > at:
            pieces.append(FilePiece(path, at, begin - at))
        pieces.append(piece)
        at = begin + piece.length
    if layout.size_bytes > at:
        pieces.append(FilePiece(path, at, layout.size_bytes - at))
    return tuple(pieces)


def runs_of(
    isolated: Sequence[tuple[int, RecordingPiece]],
) -> Iterator[list[tuple[int, RecordingPiece]]]:
    """Group samples that are near each other in a recording, so that one read does for them."""
    rows = sorted(isolated, key=lambda row: (id(row[1].recording), row[1].offset))
    run: list[tuple[int, RecordingPiece]] = []
    for row in rows:
        piece = row[1]
        if run:
            last = run[-1][1]
            is_near = piece.offset - last.offset - last.length < MAX_HOLE_READ_BYTES
            length = piece.offset + piece.length - run[0][1].offset
            same = piece.recording is last.recording
            if not (same and is_near and length <= MAX_READ_BYTES):
                yield run
                run = []
        run.append(row)
    if run:
        yield run
