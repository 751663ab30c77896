"""Small recordings of every layout, to be mutated. All but their samples is a few hundred bytes."""

import struct
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import Factory, evolve, frozen

from infrastructure.mp4.boxes import children, full_box
from tests.unit.mp4.long import Layout, Long, long_recording
from tests.unit.mp4.media import ffmpeg

PICTURE = ["-f", "lavfi", "-i", "testsrc2=size=48x32:rate=30:duration=0.4"]
TONE = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=0.4"]
FAST = ["-preset", "ultrafast"]
X264 = ["-c:v", "libx264", *FAST, "-g", "4", "-pix_fmt", "yuv420p", "-threads", "1"]
X265 = ["-c:v", "libx265", *FAST, "-x265-params", "log-level=none:keyint=4:pools=1"]
COPY = ["-bitexact", "-c", "copy", "-movflags"]
FRAGMENTED = "+frag_keyframe+empty_moov+default_base_moof"

SHAPES: dict[str, tuple[Sequence[str] | str, Sequence[str]]] = {
    "moov last": ([*PICTURE, *TONE], [*X264, "-bf", "2", "-c:a", "aac", "-b:a", "16k"]),
    "moov first": ("moov last", [*COPY, "+faststart"]),
    "no sound": ("moov last", ["-an", *COPY, "+faststart"]),
    "no B-frames": (PICTURE, [*X264, "-bf", "0"]),
    "open GOP": (PICTURE, [*X264, "-bf", "2", "-x264-params", "open-gop=1:scenecut=0"]),
    "hevc": (PICTURE, X265),
    "mov": ("moov last", COPY[:-1]),
    "mov, PCM": (
        [*PICTURE, *TONE[:-1], TONE[-1] + ",atrim=duration=0.02"],
        [*X264, "-c:a", "pcm_s16le", "-ar", "8000"],
    ),
    "starts late": ("moov last", [*COPY[:-1], "-output_ts_offset", "2.5"]),
    "cut by an edit list": ("moov last", ["-ss", "0.2", *COPY[:-1]]),
    "fragmented, mfra": ("moov last", [*COPY, FRAGMENTED]),
    "fragmented, sidx": ("moov last", [*COPY, f"{FRAGMENTED}+global_sidx+skip_trailer"]),
    "fragmented, a sidx each": ("moov last", [*COPY, f"{FRAGMENTED}+dash+skip_trailer"]),
    "fragmented, no index": ("moov last", [*COPY, f"{FRAGMENTED}+skip_trailer"]),
    "fragmented, base-data-offset": ("moov last", [*COPY, "+frag_keyframe+skip_trailer"]),
    "fragmented, edit list": (
        "moov last",
        [*COPY, "+frag_keyframe+empty_moov+delay_moov+omit_tfhd_offset+skip_trailer"],
    ),
    "fragmented, negative offsets": (
        "moov last",
        [*COPY, f"{FRAGMENTED}+negative_cts_offsets+separate_moof"],
    ),
}


@frozen(eq=False)
class File:
    """A file to be read: real bytes, and holes (numbers of bytes) that cost nothing to store."""

    pieces: tuple[bytes | int, ...]
    asked: list[tuple[int, int]] = Factory(list)

    @property
    def size_bytes(self) -> int:
        return sum(piece if isinstance(piece, int) else len(piece) for piece in self.pieces)

    def opened(self) -> Callable[[int, int], bytes]:
        """Return what reads a range; one that leaves the file is a defect, as is an empty one."""
        long = Long(list(self.pieces))

        def read(offset: int, length: int) -> bytes:
            self.asked.append((offset, length))
            return long.read(offset, length)

        return read

    def hex(self) -> str:
        """Write the file down: a line per piece."""
        return "".join(
            f"hole {piece}\n" if isinstance(piece, int) else f"{piece.hex()}\n"
            for piece in self.pieces
        )


def file_of(text: str) -> File:
    """Read what `File.hex` wrote."""
    lines = text.splitlines()
    return File(
        tuple(int(line[5:]) if line[:4] == "hole" else bytes.fromhex(line) for line in lines)
    )


def bases(folder: Path) -> dict[str, File]:
    """Make a file of every layout; `folder` is for those that ffmpeg makes."""
    made: dict[str, bytes] = {}
    for number, (name, (source, arguments)) in enumerate(SHAPES.items()):
        path = folder / f"{number}.{'mov' if 'mov,' in f'{name},' else 'mp4'}"
        inputs = list(source)
        if isinstance(source, str):
            inputs = ["-i", str(folder / f"{list(SHAPES).index(source)}.mp4")]
        before = list(arguments[:2]) if arguments[0] == "-ss" else []
        ffmpeg(*before, *inputs, *arguments[len(before) :], "-bitexact", str(path))
        made[name] = path.read_bytes()
    made["co64"] = rebuilt(made["moov first"], b"stco", _wide_offsets)
    made["64-bit sizes"] = _wide_sizes(made["no B-frames"])
    made["two sample entries"] = rebuilt(made["moov first"], b"stsd", _two_entries)
    files = {name: File((data,)) for name, data in made.items()}
    for name, layout in LONG.items():
        long = long_recording(made["fragmented, mfra"], layout)
        files[f"long, {name}"] = File(tuple(long.pieces))
    return files


LONG_ENOUGH = Layout(seconds=30, fragment_s=0.75, kbit=1600)
"""6 MB in 40 fragments: it is searched rather than walked. The samples' bytes are made up."""
LONG = {
    "mfra": evolve(LONG_ENOUGH, index="mfra"),
    "sidx": evolve(LONG_ENOUGH, index="sidx"),
    "no index": LONG_ENOUGH,
    "no sound, a sidx each": evolve(LONG_ENOUGH, index="dash", audio=False),
}


def rebuilt(data: bytes, kind: bytes, change: Callable[[bytes], tuple[bytes, bytes]]) -> bytes:
    """Change every box of one kind below the moov; the sizes around it are put right."""

    def inside(payload: bytes) -> bytes:
        parts = []
        for found, inner in children(memoryview(payload)):
            body, name = bytes(inner), found
            if found == kind:
                name, body = change(body)
            elif found in {b"moov", b"trak", b"mdia", b"minf", b"stbl"}:
                body = inside(body)
            parts.append(struct.pack(">I4s", len(body) + 8, name) + body)
        return b"".join(parts)

    grown = len(inside(data)) - len(data)
    if kind in {b"stco", b"co64"} or not grown:
        return inside(data)
    # What follows the moov has moved: so have the chunks.
    return rebuilt(inside(data), b"stco", lambda body: (b"stco", _moved(body, grown)))


def _moved(stco: bytes, by: int) -> bytes:
    (count,) = struct.unpack_from(">I", stco, 4)
    places = struct.unpack_from(f">{count}I", stco, 8)
    return stco[:8] + struct.pack(f">{count}I", *(at + by for at in places))


def _wide_offsets(stco: bytes) -> tuple[bytes, bytes]:
    (count,) = struct.unpack_from(">I", stco, 4)
    places = struct.unpack_from(f">{count}I", stco, 8)
    # Two tracks' tables grow by four bytes an entry, and each moves all chunks.
    return b"co64", stco[:8] + struct.pack(f">{count}Q", *(at + 4 * 2 * count for at in places))


def _two_entries(stsd: bytes) -> tuple[bytes, bytes]:
    return b"stsd", full_box(b"stsd", 0, 0, struct.pack(">I", 2), stsd[8:], stsd[8:])[8:]


def _wide_sizes(data: bytes) -> bytes:
    parts = [
        struct.pack(">I4sQ", 1, kind, len(inner) + 16) + bytes(inner)
        for kind, inner in children(memoryview(data))
    ]
    # The chunks lie eight bytes later for each box before them and for their own.
    grown = 8 * ([kind for kind, _ in children(memoryview(data))].index(b"mdat") + 1)
    wide = b"".join(parts)
    at = wide.index(b"stco")
    end = at - 4 + int.from_bytes(wide[at - 4 : at])
    return wide[: at + 4] + _moved(wide[at + 4 : end], grown) + wide[end:]
