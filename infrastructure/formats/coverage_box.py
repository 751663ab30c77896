"""Proof and coverage at the end of a clip's bytes, where S3's metadata has no room for them.

S3 rejects an object whose metadata exceeds 2 KB (User Guide, "Working with object metadata"). Some
stores count the prefix of the names, too.

Each is a `uuid` box (ISO/IEC 14496-12, 11.1), which every reader of MP4 skips. As the file's last
ones they move no sample. The coverage is the very last: older versions read no other.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from infrastructure.formats.object_keys import COVERAGE, EVIDENCE
from infrastructure.mp4.boxes import box

MAX_METADATA_BYTES = 2048
NAME_PREFIX = "x-amz-meta-"
BOX_BYTES = "coverage-bytes"
"""The metadata's member for the size of the coverage's box."""
PROOF_BOX_BYTES = "proof-bytes"
"""That for the size of the proof's box."""
COVERAGE_UUID = UUID("2f5b7d0c-6c1e-4a0d-9f38-0c0c5a1e77d2")
PROOF_UUID = UUID("b9a0a1c4-5b0e-4f0c-8a7e-4d1f0f6f3c55")
HEADER_BYTES = 24
BOXES = (
    (EVIDENCE, PROOF_UUID, PROOF_BOX_BYTES),
    (COVERAGE, COVERAGE_UUID, BOX_BYTES),
)
"""In their order: the metadata's member, the box's kind, and the member for its size."""


def with_box(metadata: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """Return metadata that S3 accepts, and the boxes with what is not in there.

    Gaps that do not fit are one from the first to the last: versions that read nothing else then
    report less than there is, but never a gap as delivered.
    """
    kept, boxes = dict(metadata), b""
    for member, uuid, size_member in BOXES:
        if member in kept and _size_bytes(kept) > MAX_METADATA_BYTES:
            data = _box(uuid, kept.pop(member).encode("ascii"))
            kept[size_member] = str(len(data))
            boxes += data
    if _size_bytes(kept) > MAX_METADATA_BYTES:
        bounds = kept["gaps"].split(" ")
        kept["gaps"] = f"{bounds[0]} {bounds[-1]}"
    return kept, boxes


def without_box(metadata: Mapping[str, str], read_last: Callable[[int], bytes]) -> dict[str, str]:
    """Return the metadata with what is in boxes at the clip's end, if there are any.

    `read_last` returns as many of the object's last bytes. ValueError if they are no such boxes.
    """
    whole = dict(metadata)
    sizes = {size: int(whole.pop(size)) for _, _, size in BOXES if size in whole}
    if not sizes:
        return whole
    data = read_last(sum(sizes.values()))
    for member, uuid, size_member in BOXES:
        if size_bytes := sizes.get(size_member):
            whole[member] = _text(uuid, data[:size_bytes])
            data = data[size_bytes:]
    return whole


def texts_in_boxes(data: bytes) -> dict[str, str]:
    """Return what a clip's last bytes hold, by the metadata's members; ValueError if anything else.

    All of `data` must be such boxes, each kind at most once.
    """
    found: dict[str, str] = {}
    for member, uuid, _ in BOXES:
        if data[8:HEADER_BYTES] == uuid.bytes:
            size_bytes = int.from_bytes(data[:4])
            found[member] = _text(uuid, data[:size_bytes])
            data = data[size_bytes:]
    if data:
        raise ValueError("these are no boxes of a proof or a coverage")
    return found


def _text(uuid: UUID, data: bytes) -> str:
    text = data[HEADER_BYTES:]
    if data != _box(uuid, text):
        raise ValueError("this is no box of a proof or a coverage")
    return text.decode("ascii")


def _box(uuid: UUID, text: bytes) -> bytes:
    return box(b"uuid", uuid.bytes, text)


def _size_bytes(metadata: Mapping[str, str]) -> int:
    return sum(len(NAME_PREFIX) + len(name) + len(text) for name, text in metadata.items())
