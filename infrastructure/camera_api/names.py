"""The names of recordings."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from attrs import field, frozen

from infrastructure.formats.json_values import whole_ms

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


SUFFIXES = ".mp4, .m4v or .mov"
"""The suffixes of recordings, in any case, for messages."""
SUFFIX_LETTERS = ("mp4", "m4v", "mov")
SUFFIX = re.compile(rf"\.(?i:{'|'.join(SUFFIX_LETTERS)})")
RECORDING_NAME = re.compile(rf"(?=.{{5,200}}\Z)[A-Za-z0-9_.-]+{SUFFIX.pattern}")
OWN_FORMAT = "%Y%m%dT%H%M%S%f"
OWN_STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{1,6})?", re.ASCII)
"""A start in the recorder's own two forms, which strptime reads ten times slower."""
FILE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\.[A-Za-z0-9]{1,8}")
"""A name that a message may repeat: no query, no token, no path."""


@frozen
class SegmentNaming:
    """How a recording's name holds its start time: in the part before its suffix.

    The recorder's own two forms, `pier.20180815T140019.mp4` and
    `pier.stream.20181031T025200051.mp4`, are always understood.
    """

    timestamp_format: str = field(default=OWN_FORMAT)
    """For strptime; UTC unless it has a zone. ValueError if strptime cannot read it."""
    old_file_format: bool = False
    """The names end with seconds: without %f."""

    @timestamp_format.validator
    def _can_be_read(self, _: object, form: str) -> None:
        if form != OWN_FORMAT:  # strptime loads a module of its own
            datetime.strptime(EPOCH.strftime(form), form)  # noqa: DTZ007 - only tried

    def start_ms(self, name: str) -> int | None:
        """Return the start in a file's name, in ms since the epoch, if it has one."""
        stamp = stem_of(name).rpartition(".")[2]
        if self.timestamp_format == OWN_FORMAT and (own_form := OWN_STAMP.fullmatch(stamp)):
            *fields, fraction = own_form.groups(default="")
            year, month, day, hour, minute, second = map(int, fields)
            microsecond = int(f"{fraction:0<6}")
            with suppress(ValueError):
                return since_epoch_ms(
                    datetime(year, month, day, hour, minute, second, microsecond, UTC)
                )
        own = self.timestamp_format.removesuffix("%f" if self.old_file_format else "")
        for form in (own, "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%S%f"):
            try:
                start = datetime.strptime(stamp, form)  # noqa: DTZ007 - the zone follows
                written = start.strftime(form)
            except ValueError:
                continue
            # With %S%f strptime reads the seconds of "...140019" as 1.9.
            if written.startswith(stamp):
                return since_epoch_ms(start if start.tzinfo else start.replace(tzinfo=UTC))
        return None


def is_recording_name(name: str) -> bool:
    """Return whether a file of this name is a recording, whatever the case of its suffix."""
    return RECORDING_NAME.fullmatch(name) is not None


def has_suffix(path: str) -> bool:
    """Return whether a path ends with a suffix of recordings."""
    return path.rpartition(".")[2].lower() in SUFFIX_LETTERS


def stem_of(name: str) -> str:
    """Return a file's name without its suffix."""
    return name.rpartition(".")[0] or name


def file_name(url: object) -> str | None:
    """Return the file name that a recording's URL ends with, if it is one that is plain text.

    Only the name counts: the URL is never fetched, and nothing in it is decoded.
    """
    try:
        # urlsplit removes line breaks and tabs.
        path = urlsplit(url).path if isinstance(url, str) and url.isprintable() else ""
    except ValueError:
        return None
    name = path.rpartition("/")[2]
    return name if is_recording_name(name) or FILE_NAME.fullmatch(name) else None


def since_epoch_ms(instant: datetime) -> int | None:
    """Return an instant in ms since the epoch; None before it."""
    return whole_ms((instant - EPOCH) // timedelta(milliseconds=1))
