"""Quantities and findings, written for people."""

from domain.coverage import Clock, Verification

VERIFIED = {
    Verification.SPLICES: "the encoded pictures and their copied neighbours were decoded",
    Verification.ALL: "every picture was decoded",
}


def size(size_bytes: float) -> str:
    """Write a size in MB, or in KB below 1 MB."""
    megabytes = size_bytes / 1e6
    return f"{_rounded(megabytes)} MB" if megabytes >= 1 else f"{size_bytes / 1e3:.0f} KB"


def seconds(duration_ms: float) -> str:
    """Write a duration in seconds, to the millisecond."""
    return f"{duration_ms / 1000:.3f} s"


def clock_text(clock: Clock) -> str:
    """Write how far a clip's clock departs from the wall clock."""
    difference = seconds(abs(clock.difference_ms))
    ending = f"{difference} {'longer' if clock.difference_ms > 0 else 'shorter'}"
    longer = f"the clip is {ending} than the time it shows" if clock.difference_ms else ""
    runs = f"{clock.rate:g} s of footage per second" if clock.rate != 1 else ""
    return "; ".join(filter(None, (runs, longer)))


def in_largest_unit(duration_s: float) -> str:
    """Write a duration in days from two days on, else in the largest unit that it fills."""
    for unit, unit_s, least in (("days", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if duration_s >= least * unit_s:
            return f"{_rounded(duration_s / unit_s)} {unit}"
    return f"{duration_s:.0f} s"


def _rounded(count: float) -> str:
    """Write a number, with one decimal below ten unless that is zero."""
    return f"{count:.1f}".removesuffix(".0") if count < 10 else f"{count:,.0f}"  # noqa: PLR2004
