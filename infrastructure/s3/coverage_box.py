"""The coverage at the end of a clip's bytes, where S3's metadata has no room for it.

S3 rejects an object whose metadata exceeds 2 KB (User Guide, "Working with object metadata"). Some
stores count the prefix of the names, too.

The box is a `uuid` box (ISO/IEC 14496-12, 11.1), which every reader of MP4 skips. As the file's
last one it moves no sample.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from infrastructure.formats.object_keys import COVERAGE
from infrastructure.mp4.boxes import box

MAX_METADATA_BYTES = 2048
NAME_PREFIX = "x-amz-meta-"
BOX_BYTES = "coverage-bytes"
"""The metadata's member for the size of the box."""
COVERAGE_UUID = UUID("2f5b7d0c-6c1e-4a0d-9f38-0c0c5a1e77d2")
HEADER_BYTES = 24


def with_box(metadata: Mapping[str, str]) -> tuple[dict[str, str], bytes]:
    """Return metadata that S3 accepts, and the box with the coverage if that is not in there.

    Gaps that do not fit are one from the first to the last: versions that read nothing else then
    report less than there is, but never a gap as delivered.
    """
    kept = dict(metadata)
    if _size_bytes(kept) <= MAX_METADATA_BYTES:
        return kept, b""
    data = _box(kept.pop(COVERAGE).encode("ascii"))
    kept[BOX_BYTES] = str(len(data))
    if _size_bytes(kept) > MAX_METADATA_BYTES:
        bounds = kept["gaps"].split(" ")
        kept["gaps"] = f"{bounds[0]} {bounds[-1]}"
    return kept, data


def without_box(metadata: Mapping[str, str], read_last: Callable[[int], bytes]) -> dict[str, str]:
    """Return the metadata with the coverage of the box, if there is one at the clip's end.

    `read_last` returns as many of the object's last bytes. ValueError if they are no such box.
    """
    whole = dict(metadata)
    if BOX_BYTES not in whole:
        return whole
    data = read_last(int(whole.pop(BOX_BYTES)))
    text = data[HEADER_BYTES:]
    if data != _box(text):
        raise ValueError("this is no box of the coverage")
    whole[COVERAGE] = text.decode("ascii")
    return whole


def _box(text: bytes) -> bytes:
    return box(b"uuid", COVERAGE_UUID.bytes, text)


def _size_bytes(metadata: Mapping[str, str]) -> int:
    return sum(len(NAME_PREFIX) + len(name) + len(text) for name, text in metadata.items())
