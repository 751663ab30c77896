"""Sample entries: which codec a track has, and with which parameters (ISO/IEC 14496-12, 8.5.2)."""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct

from attrs import frozen

from infrastructure.mp4 import hevc
from infrastructure.mp4.avc import parse_avcc, parse_sps
from infrastructure.mp4.boxes import box, child, children, fourcc, version
from infrastructure.mp4.errors import InvalidMp4

VIDEO_ENTRY_BYTES = 86
"""A video sample entry's own fields, header included; boxes follow (12.1.3)."""


SIZE_AT = 32
"""Where its width and height are."""
ENCRYPTED = {b"encv": "video", b"enca": "audio"}
"""Sample entries of protected tracks (8.12)."""
MAX_ENTRY_SIDE = (1 << 16) - 1
PCM_BITS = {
    **dict.fromkeys(("ulaw", "alaw"), 8),
    **dict.fromkeys(("sowt", "twos", "raw ", "NONE", "lpcm"), 0),
    "in24": 24,
    "in32": 32,
    "fl32": 32,
    "fl64": 64,
}
"""Bits of a sample of QuickTime's PCM, by codec; 0: those of the sample entry."""
IMAGE_CODECS = {"jpeg", "png ", "tiff", "gif "}
IMAGE_OBJECTS = range(0x6C, 0x6F)
"""objectTypeIndication of JPEG, PNG and JPEG 2000 (ISO/IEC 14496-1, 7.2.6.6)."""


@frozen
class SampleEntry:
    """The first entry of stsd (8.5.2), whole and in parts."""

    codec: str
    stored: bytes
    """The whole entry; video has the size that its parameter sets state."""
    config: bytes
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0
    frame_bytes: int = 0
    """Of QuickTime's PCM: how many bytes a sample of all channels takes; else 0."""


def read_sample_entry(stsd: memoryview, kind: str) -> SampleEntry:
    """Read the first sample entry (8.5.2, 12.1.3, 12.2.3).

    InvalidMp4 if there is none, or the track is encrypted.
    """
    first = next(children(stsd[8:]), None)
    if first is None:
        raise InvalidMp4("stsd holds no sample entry")
    code, entry = first
    if code in ENCRYPTED:
        raise InvalidMp4(f"its {ENCRYPTED[code]} is encrypted ({fourcc(code)})")
    stored = struct.pack(">I4s", 8 + len(entry), code) + bytes(entry)
    if kind == "vide":
        return _video_entry(code, entry, stored)
    layout, _, _, channels, bits, _, _, rate = struct.unpack_from(">HHIHHHHI", entry, 8)
    rate >>= 16
    # QuickTime's sound descriptions of version 1 and 2 put 16 and 36 more bytes before the boxes.
    layout = layout if version(stsd) == 0 else 0
    if layout == 2:
        exact_rate, channels, _, bits = struct.unpack_from(">dIII", entry, 32)
        rate = int(exact_rate) if 0 < exact_rate < 1 << 31 else 0
    boxes = entry[28 + {1: 16, 2: 36}.get(layout, 0) :]
    esds = child(boxes, b"esds") or child(boxes, b"wave", b"esds")
    config = b"" if esds is None else _decoder_specific_info(bytes(esds[4:]))
    frame_bytes = 0
    if (codec := fourcc(code)) in PCM_BITS:
        frame_bytes = (PCM_BITS[codec] or bits) // 8 * channels
    return SampleEntry(
        codec, stored, config, sample_rate=rate, channels=channels, frame_bytes=frame_bytes
    )


def _video_entry(code: bytes, entry: memoryview, stored: bytes) -> SampleEntry:
    width, height = struct.unpack_from(">HH", entry, SIZE_AT - 8)
    # All boxes are read now, so that a bad one cannot fail a later read.
    found = list(children(entry[VIDEO_ENTRY_BYTES - 8 :]))
    config = next((bytes(inner) for k, inner in found if k in {b"avcC", b"hvcC"}), b"")
    try:
        size = _picture_size(fourcc(code), config)
    except InvalidMp4:
        # The decoder has the last word.
        size = None
    if size and max(size) <= MAX_ENTRY_SIDE:
        width, height = size
        sides = struct.pack(">HH", *size)
        stored = stored[:SIZE_AT] + sides + stored[SIZE_AT + len(sides) :]
    return SampleEntry(fourcc(code), stored, config, width, height)


def _picture_size(codec: str, config: bytes) -> tuple[int, int] | None:
    """Return the size that the parameter sets state, cropped; None if there are none."""
    if codec in {"hvc1", "hev1"}:
        return hevc.picture_size(config)
    if codec not in {"avc1", "avc3"} or not config:
        return None
    sets = parse_avcc(config).sps
    sps = parse_sps(sets[0]) if sets else None
    return (sps.width, sps.height) if sps else None


def is_image_codec(stsd: memoryview) -> bool:
    """Return whether a video track's codec is one of images: it is a thumbnail, usually."""
    first = next(children(stsd[8:]), None)
    if first is None:
        return False
    code, entry = first
    if code != b"mp4v":
        return fourcc(code) in IMAGE_CODECS
    esds = child(entry[VIDEO_ENTRY_BYTES - 8 :], b"esds")
    return esds is not None and _object_type(bytes(esds[4:])) in IMAGE_OBJECTS


def _decoder_specific_info(data: bytes) -> bytes:
    """Dig the AudioSpecificConfig out of an esds (ISO/IEC 14496-1, 7.2.6: tags 3, 4, 5)."""
    return _descriptor(data, 5)


def _object_type(data: bytes) -> int:
    """Return the objectTypeIndication in an esds; 0 without."""
    return next(iter(_descriptor(data, 4)), 0)


def _descriptor(data: bytes, wanted: int) -> bytes:
    """Return the body of the first descriptor of a tag in an esds, b"" without."""
    while data:
        tag, length, at = data[0], 0, 1
        while at < len(data):
            length = length << 7 | data[at] & 0x7F
            at += 1
            if data[at - 1] < 0x80 or at > 4:
                break
        body = data[at : at + length]
        if tag == wanted:
            return body
        if tag == 3 and len(body) >= 3:
            flags = body[2]
            skip = 3 + (2 if flags & 0x80 else 0)
            if flags & 0x40:
                skip += 1 + (body[skip] if skip < len(body) else 0)
            data = body[skip + (2 if flags & 0x20 else 0) :]
        elif tag == 4:
            data = body[13:]
        else:
            data = data[at + length :]
    return b""


def avc1_entry(template: bytes, avcc: bytes) -> bytes:
    """Build an avc1 sample entry around the payload *avcc* (ISO/IEC 14496-12, 12.1.3).

    The fields and other boxes (colr, pasp, btrt) are those of the sample entry *template*.
    """
    return _video_entry_with(b"avc1", template, box(b"avcC", avcc))


def hvc1_entry(template: bytes, hvcc: bytes) -> bytes:
    """Build an hvc1 sample entry around the payload *hvcc*, as ``avc1_entry`` does.

    Its parameter sets must be complete (ISO/IEC 14496-15, 8.4.1.1).
    """
    return _video_entry_with(b"hvc1", template, box(b"hvcC", hvcc))


def _video_entry_with(code: bytes, template: bytes, config: bytes) -> bytes:
    boxes = children(memoryview(template)[VIDEO_ENTRY_BYTES:])
    kept = [box(kind, bytes(inner)) for kind, inner in boxes if kind not in {b"avcC", b"hvcC"}]
    return box(code, template[8:VIDEO_ENTRY_BYTES], config, *kept)
