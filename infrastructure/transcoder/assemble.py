"""Write a laid-out clip: a local file with our own bytes, and holes where ranges are copied."""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from itertools import groupby
from mmap import ACCESS_READ, mmap
from operator import itemgetter
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
    files.sort(key=lambda row: (row[1].path, row[0]))
    with path.open("wb") as out:
        target = out.fileno()
        out.truncate(layout.size_bytes)
        _write(target, [(0, layout.header)])
        for source, group in groupby(files, key=lambda row: row[1].path):
            with source.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                _write(target, ((at, data[p.offset : p.offset + p.length]) for at, p in group))

        def copy(run: Sequence[tuple[int, RecordingPiece]]) -> None:
            begin, last = run[0][1].offset, run[-1][1]
            data = last.recording.read(begin, last.offset + last.length - begin)
            rows = ((at, p.offset - begin, p.length) for at, p in sorted(run, key=itemgetter(0)))
            _write(target, ((at, data[first : first + length]) for at, first, length in rows))

        with ThreadPoolExecutor(READ_CONCURRENCY) as readers:
            list(readers.map(copy, runs_of(isolated)))


def _write(target: int, rows: Iterable[tuple[int, bytes]]) -> None:
    """Write bytes to their places, those that follow each other at once.

    Each call waits for the interpreter after it, up to 5 ms while another thread computes: for each
    frame of a head that adds up.
    """
    run, begin, end = list[bytes](), 0, 0
    for at, data in rows:
        if run and (at != end or end - begin >= MAX_READ_BYTES):
            _write_all(target, b"".join(run), begin)
            run = []
        if not run:
            begin = end = at
        run.append(data)
        end += len(data)
    if run:
        _write_all(target, b"".join(run), begin)


def _write_all(target: int, data: bytes, at: int) -> None:
    if os.pwrite(target, data, at) < len(data):
        raise OSError(ENOSPC, os.strerror(ENOSPC))


def fill_holes(layout: Layout, path: Path) -> None:
    """Read the copied ranges into the holes of `path`, so that it can be played."""
    with path.open("r+b") as out:
        for begin, piece in layout.copied:
            for at in range(0, piece.length, MAX_READ_BYTES):
                length = min(MAX_READ_BYTES, piece.length - at)
                data = piece.recording.read_once(piece.offset + at, length)
                _write_all(out.fileno(), data, begin + at)


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
