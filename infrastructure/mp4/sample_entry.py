"""Sample entries: which codec a track has, and with which parameters (ISO/IEC 14496-12, 8.5.2)."""

# ruff: noqa: PLR2004 - the numbers are the standard's own

import struct

from attrs import frozen

from infrastructure.mp4.boxes import box, child, children, fourcc, version
from infrastructure.mp4.errors import InvalidMp4

VIDEO_ENTRY_BYTES = 86
"""A video sample entry's own fields, header included; boxes follow (12.1.3)."""


@frozen
class SampleEntry:
    """The first entry of stsd (8.5.2), whole and in parts."""

    codec: str
    stored: bytes
    config: bytes
    width: int = 0
    height: int = 0
    sample_rate: int = 0
    channels: int = 0


def read_sample_entry(stsd: memoryview, kind: str) -> SampleEntry:
    """Read the first sample entry (8.5.2, 12.1.3, 12.2.3)."""
    first = next(children(stsd[8:]), None)
    if first is None:
        raise InvalidMp4("stsd holds no sample entry")
    code, entry = first
    stored = struct.pack(">I4s", 8 + len(entry), code) + bytes(entry)
    if kind == "vide":
        width, height = struct.unpack_from(">HH", entry, 24)
        # All boxes are read now, so that a bad one cannot fail a later read.
        found = list(children(entry[VIDEO_ENTRY_BYTES - 8 :]))
        config = next((inner for k, inner in found if k in {b"avcC", b"hvcC"}), b"")
        return SampleEntry(fourcc(code), stored, bytes(config), width, height)
    layout, _, _, channels, _, _, _, rate = struct.unpack_from(">HHIHHHHI", entry, 8)
    # QuickTime's sound descriptions of version 1 and 2 put 16 and 36 more bytes before the boxes.
    boxes = entry[28 + ({1: 16, 2: 36}.get(layout, 0) if version(stsd) == 0 else 0) :]
    esds = child(boxes, b"esds") or child(boxes, b"wave", b"esds")
    config = b"" if esds is None else _decoder_specific_info(bytes(esds[4:]))
    return SampleEntry(fourcc(code), stored, config, sample_rate=rate >> 16, channels=channels)


def _decoder_specific_info(data: bytes) -> bytes:
    """Dig the AudioSpecificConfig out of an esds (ISO/IEC 14496-1, 7.2.6: tags 3, 4, 5)."""
    while data:
        tag, length, at = data[0], 0, 1
        while at < len(data):
            length = length << 7 | data[at] & 0x7F
            at += 1
            if data[at - 1] < 0x80 or at > 4:
                break
        body = data[at : at + length]
        if tag == 5:
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
    boxes = children(memoryview(template)[VIDEO_ENTRY_BYTES:])
    kept = [box(kind, bytes(inner)) for kind, inner in boxes if kind not in {b"avcC", b"hvcC"}]
    return box(b"avc1", template[8:VIDEO_ENTRY_BYTES], box(b"avcC", avcc), *kept)
