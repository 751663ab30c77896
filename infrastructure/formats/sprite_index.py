"""The index of a sprite as WebVTT, for the seek bars of players.

Each cue names a part of the image (W3C, "Media Fragments URI 1.0", 4.2.2), as JW Player, Plyr, and
the plugins of Video.js read it: some take the first line of a cue for its times and the second for
the image, so that a cue has no identifier. The instant is in a comment before the cue.
"""

from collections.abc import Iterable
from datetime import timedelta, tzinfo

from attrs import frozen

from domain.clip_label import EPOCH
from infrastructure.formats.webvtt import cue_times

HEAD = "WEBVTT\n\nNOTE Each picture is of the instant in the comment before its cue.\n"


@frozen
class SpritePicture:
    """A picture in a sprite."""

    start_ms: int
    """When the clip shows it."""
    end_ms: int
    """When the next one is shown."""
    seen_ms: int
    """Since the epoch."""
    x: int
    """Pixels."""
    y: int
    width: int
    height: int


def sprite_index(pictures: Iterable[SpritePicture], image: str, zone: tzinfo) -> str:
    """Return a file of the pictures in an image, which is next to it; instants are in `zone`."""
    blocks = (
        f"NOTE {iso(each.seen_ms, zone)}\n\n{cue_times(each.start_ms, each.end_ms)}\n"
        f"{image}#xywh={each.x},{each.y},{each.width},{each.height}\n"
        for each in pictures
    )
    return "\n".join((HEAD, *blocks))


def iso(instant_ms: int, zone: tzinfo) -> str:
    """Return an instant as 2026-05-01T14:05:12.345+02:00 (ISO 8601)."""
    local = (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(zone)
    return local.isoformat(timespec="milliseconds")
