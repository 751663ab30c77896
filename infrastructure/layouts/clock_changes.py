"""Local times -> instants, also in the hour that a change of the clock repeats.

Which of the two hours a file of the repeated one is of follows from its modification time, if that
is within one of them; otherwise from the order of those times, in which the local time steps back
where the second hour begins. If neither decides, it is taken for the first.
"""

from collections.abc import Mapping
from datetime import UTC, timedelta, tzinfo
from itertools import pairwise

from attrs import frozen

from infrastructure.camera_api.names import has_suffix
from infrastructure.layouts.wall_clock import Stamp

NEAR = timedelta(hours=3)
"""The order of files that start within this time of a repeated one counts."""


@frozen
class DatedFile:
    """A file, and the instant at which it starts."""

    name: str
    start_ms: int
    note: str = ""
    """For people: why the instant is doubtful, if it is."""

    @property
    def is_recording(self) -> bool:
        """Whether its suffix is one of recordings."""
        return has_suffix(self.name)


def near_repeated_times(stamps: Mapping[str, Stamp], zone: tzinfo) -> set[str]:
    """Return the names of the files whose modification times `dated` needs."""
    if zone is UTC:
        return set()
    local = sorted(stamp.local for stamp in stamps.values() if _is_repeated(stamp, zone))
    if not local:
        return set()
    first, last = local[0] - NEAR, local[-1] + NEAR
    return {name for name, stamp in stamps.items() if first <= stamp.local <= last}


def dated(
    stamps: Mapping[str, Stamp], written_ms: Mapping[str, int], zone: tzinfo
) -> list[DatedFile]:
    """Return when each file starts, by a clock in `zone` unless its path holds an offset.

    `written_ms` are the modification times, in ms since the epoch, of the files that
    `near_repeated_times` names.
    """
    step_back_ms = _step_back_ms(stamps, written_ms, zone)
    return [
        _dated(name, stamps[name], written_ms.get(name, 0), step_back_ms, zone)
        for name in sorted(stamps)
    ]


def _dated(
    name: str, stamp: Stamp, written_ms: int, step_back_ms: int | None, zone: tzinfo
) -> DatedFile:
    start_ms, *later_ms = stamp.instants_ms(zone)
    if not later_ms and not stamp.is_skipped(zone):
        return DatedFile(name, start_ms)
    start = f"{name} starts at {stamp.local:%Y-%m-%d %H:%M:%S}, which a change of the clock"
    if not later_ms:
        return DatedFile(name, start_ms, f"{start} skips in {zone}: check the zone.")
    first_ms, second_ms = start_ms, later_ms[0]
    if first_ms <= written_ms < second_ms:
        which, evidence = 0, "it was last written before the second"
    elif second_ms <= written_ms < second_ms + (second_ms - first_ms):
        which, evidence = 1, "it was last written after the second"
    elif step_back_ms is not None:
        which = int(written_ms >= step_back_ms)
        evidence = "the files were written in that order"
    else:
        which, evidence = 0, "nothing says which, so it may be wrong by the change"
    time = ("first", "second")[which]
    note = f"{start} repeats in {zone}: taken for the {time} time, because {evidence}."
    return DatedFile(name, (first_ms, second_ms)[which], note)


def _step_back_ms(
    stamps: Mapping[str, Stamp], written_ms: Mapping[str, int], zone: tzinfo
) -> int | None:
    """Return the modification time at which the second of the repeated hours begins.

    None if the files were not written in the order of their starts but for a single step back, to a
    time that is repeated: copies are written in any order.
    """
    ordered = sorted(written_ms, key=lambda name: (written_ms[name], stamps[name].local))
    steps = [
        after
        for before, after in pairwise(ordered)
        if stamps[after].local < stamps[before].local or written_ms[after] == written_ms[before]
    ]
    if len(steps) != 1 or not _is_repeated(stamps[steps[0]], zone):
        return None
    return written_ms[steps[0]]


def _is_repeated(stamp: Stamp, zone: tzinfo) -> bool:
    return len(stamp.instants_ms(zone)) > 1
