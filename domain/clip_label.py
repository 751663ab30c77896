"""How a clip names itself, for people."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

from attrs import frozen

from domain.clip import ClipName
from domain.window import TimeWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@frozen
class ClipLabel:
    """A clip's name and its requested window, whose times are shown in `zone`."""

    name: ClipName
    window: TimeWindow
    zone: tzinfo = UTC

    @property
    def title(self) -> str:
        """The camera and the window: pier 2026-05-01 14:00:10.250 to 14:00:31.000 (+02:00)."""
        start, end = self._local(self.window.start_ms), self._local(self.window.end_ms)
        first = f"{self.name.camera_id} {start:%Y-%m-%d} {_clock(start)}"
        if start.utcoffset() != end.utcoffset():
            last = f"{end:%Y-%m-%d} {_clock(end)} ({offset_text(end)})"
            return f"{first} ({offset_text(start)}) to {last}"
        day = "" if start.date() == end.date() else f"{end:%Y-%m-%d} "
        return f"{first} to {day}{_clock(end)} ({offset_text(start)})"

    @property
    def file_name(self) -> str:
        """The camera and the start, in ASCII: pier_2026-05-01_14-00-10.250+0200.mp4.

        No character of it has a meaning in a header or on a file system.
        """
        start = self._local(self.window.start_ms)
        offset = offset_text(start).replace(":", "").replace("UTC", "Z")
        return f"{self.name.camera_id}_{start:%Y-%m-%d}_{_clock(start, '-')}{offset}.mp4"

    def _local(self, instant_ms: int) -> datetime:
        return (EPOCH + timedelta(milliseconds=instant_ms)).astimezone(self.zone)


def _clock(local: datetime, separator: str = ":") -> str:
    """Format a time of day to the millisecond."""
    whole = f"{local:%H{separator}%M{separator}%S}"
    return f"{whole}.{local.microsecond // 1000:03d}"


def offset_text(local: datetime) -> str:
    """Format an offset from UTC as +02:00, or as UTC; with seconds, if a zone had some once."""
    return timezone(local.utcoffset() or timedelta()).tzname(None).removeprefix("UTC") or "UTC"
