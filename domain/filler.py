"""What a filled gap says of itself, for people."""

from datetime import datetime, timedelta, tzinfo

from domain.clip_label import EPOCH, offset_text
from domain.window import TimeWindow

NO_FOOTAGE = "no footage"


def slate_lines(gap: TimeWindow, zone: tzinfo) -> tuple[str, ...]:
    """Return the slate of a gap: no footage, 14:05:10-14:05:22, +02:00.

    The times are whole seconds that contain the gap. If a clock change is in it, each time is
    followed by its own offset.
    """
    start, end = _local(gap.start_ms // 1000, zone), _local(-(-gap.end_ms // 1000), zone)
    first, last = offset_text(start), offset_text(end)
    if first == last:
        return NO_FOOTAGE, f"{start:%H:%M:%S}-{end:%H:%M:%S}", first
    return NO_FOOTAGE, f"{start:%H:%M:%S} {first}-", f"{end:%H:%M:%S} {last}"


def _local(second: int, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(seconds=second)).astimezone(zone)
