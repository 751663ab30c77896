"""Edit lists (ISO/IEC 14496-12, 8.6.6), applied to both tracks.

Zero on the common clock is the first presented video frame. Stored times count from wherever the
recorder began; an edit list maps them to presentation times.
"""

from collections.abc import Mapping

from attrs import frozen

from infrastructure.mp4.errors import InvalidMp4
from infrastructure.mp4.sample_tables import Edit, StoredTrack


@frozen
class PresentationRange:
    """How a track's stored times map to the common clock, in its ticks, and what is presented."""

    shift: int  # a time on the clock is the stored one plus this
    begin: int  # on the clock
    until: int


def apply_edit_lists(
    first: Mapping[str, StoredTrack], last: Mapping[str, StoredTrack], timescale: int
) -> dict[str, PresentationRange]:
    """Apply the edit lists, then shift every track so that the first shown frame is at 0.

    *first* and *last* hold each track's first and last samples (usually all of them), by kind;
    *timescale* is the movie's.
    """
    leader = first.get("vide") or first["soun"]
    edit = leader.edit or Edit(0, 0, 0)
    first_shown = min(leader.pts)
    if leader.edit is not None and first_shown < edit.media_time:
        shown = [time for time in leader.pts if time >= edit.media_time]
        if not shown:
            raise InvalidMp4("the edit list begins after the last frame")
        first_shown = min(shown)
    into_edit = first_shown - edit.media_time  # ticks of the leader

    def place(track: StoredTrack, ending: StoredTrack) -> PresentationRange:
        own = track.edit or Edit(0, 0, 0)
        moved = rounded(
            track.timescale * ((own.empty - edit.empty) * leader.timescale - into_edit * timescale),
            timescale * leader.timescale,
        )
        shift = moved - own.media_time
        if abs(shift) > 1 << 60:
            raise InvalidMp4("the edit list shifts a track further than any recording's duration")
        until = last_end(ending) + shift
        if own.duration:
            until = min(until, moved + rounded(own.duration * track.timescale, timescale))
        if track is leader and until <= 0:
            raise InvalidMp4("the edit list ends before the first frame")
        begin = 0 if track is leader else moved if track.edit else min(track.pts) + shift
        return PresentationRange(shift, begin, until)

    return {kind: place(track, last[kind]) for kind, track in first.items()}


def last_end(track: StoredTrack) -> int:
    """Return when the sample that is shown last ends, in stored time."""
    last = track.pts.index(max(track.pts))
    return track.pts[last] + max(track.durations[last], 1)


def rounded(number: int, divisor: int) -> int:
    """Divide to the nearest integer, halves upwards."""
    return (2 * number + divisor) // (2 * divisor)
