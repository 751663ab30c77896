"""Quantities, as people read them."""

PRECISELY = 10
"""Below so many, the first decimal counts."""


def megabytes(size_bytes: float) -> str:
    """Write a size."""
    return f"{_counted(size_bytes / 1e6)} MB"


def span(seconds: float) -> str:
    """Write a length of time in the largest unit of which there is one, or two days."""
    for unit, length_s, least in (("days", 86_400, 2), ("h", 3600, 1), ("min", 60, 1)):
        if seconds >= least * length_s:
            return f"{_counted(seconds / length_s)} {unit}"
    return f"{seconds:.0f} s"


def _counted(count: float) -> str:
    return f"{count:.1f}".removesuffix(".0") if count < PRECISELY else f"{count:,.0f}"
