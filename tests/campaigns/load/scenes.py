"""What viewers ask for."""

from collections.abc import Sequence

from attrs import frozen

from tests.campaigns.load.tree import CAMERA, HOUR_MS, SHOWN_MS, START_MS

NEW_VIEWERS, VIEWERS = 10, 50
PICTURES = 12
"""How many new ones a viewer asks for, five minutes apart in an hour of the viewer's own."""
DAY_MS = 24 * HOUR_MS
DAYS = 6
TIMES_AGAIN = 4


@frozen
class Scene:
    """A list of paths for each viewer."""

    name: str
    paths: Sequence[Sequence[str]]


def hovered_ms(hour: int) -> range:
    """Return the moments that are looked at in an hour of the tree."""
    start_ms = START_MS + hour * HOUR_MS + SHOWN_MS
    return range(start_ms, start_ms + HOUR_MS, HOUR_MS // PICTURES)


ALONE_MS = hovered_ms(0)
TOGETHER_MS = [hovered_ms(1 + viewer) for viewer in range(NEW_VIEWERS)]
SHARED_MS = hovered_ms(1 + NEW_VIEWERS)
MOMENTS_MS = (*ALONE_MS, *(at_ms for own in TOGETHER_MS for at_ms in own), *SHARED_MS)


def scenes() -> list[Scene]:
    """Return the scenes in order: those of known pictures come last."""
    days = [_day(START_MS + day * DAY_MS) for day in range(DAYS)]
    new = [list(map(_picture, own)) for own in TOGETHER_MS]
    shared = [[_picture(at_ms + viewer) for at_ms in SHARED_MS] for viewer in range(NEW_VIEWERS)]
    known = [new[viewer % NEW_VIEWERS] * TIMES_AGAIN for viewer in range(VIEWERS)]
    return [
        Scene("the timeline of a day", [days]),
        Scene(f"the timeline of a day, {NEW_VIEWERS} viewers", [days] * NEW_VIEWERS),
        Scene("the list of cameras, once", [["/api/v1/cameras"]]),
        Scene("the last picture, once", [[_last(640)]]),
        Scene(
            f"last pictures, {NEW_VIEWERS} viewers",
            [[_last(320 + viewer)] for viewer in range(NEW_VIEWERS)],
        ),
        Scene("a new picture", [list(map(_picture, ALONE_MS))]),
        Scene(f"new pictures, {NEW_VIEWERS} viewers", new),
        Scene(f"a new picture for all, {NEW_VIEWERS} viewers", shared),
        Scene(f"known pictures, {VIEWERS} viewers", known),
    ]


def _picture(at_ms: int) -> str:
    return f"/api/v1/cameras/{CAMERA}/frames?at={at_ms}&width=640"


def _last(width: int) -> str:
    return f"/api/v1/cameras/{CAMERA}/frames/last?width={width}"


def _day(start_ms: int) -> str:
    return f"/api/v1/cameras/{CAMERA}/footage?from={start_ms}&to={start_ms + DAY_MS}&width=1500"
