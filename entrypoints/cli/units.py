"""Quantities, written for people."""


def size(size_bytes: float) -> str:
    """Write a size in MB, or in KB below 1 MB."""
    megabytes = size_bytes / 1e6
    return f"{_rounded(megabytes)} MB" if megabytes >= 1 else f"{size_bytes / 1e3:.0f} KB"


def seconds(duration_ms: float) -> str:
    """Write a duration in seconds, to the millisecond."""
    return f"{duration_ms / 1000:.3f} s"


def in_largest_unit(duration_s: float) -> str:
    """Write a duration in days from two days on, else in the largest unit that it fills."""
    for unit, unit_s, least in (("days", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if duration_s >= least * unit_s:
            return f"{_rounded(duration_s / unit_s)} {unit}"
    return f"{duration_s:.0f} s"


def _rounded(count: float) -> str:
    """Write a number, with one decimal below ten unless that is zero."""
    return f"{count:.1f}".removesuffix(".0") if count < 10 else f"{count:,.0f}"  # noqa: PLR2004
