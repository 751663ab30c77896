"""JSON <-> domain. Every camelCase key, object key and metadata key of the service is here.

Pure: no I/O. What comes in is not trusted, what goes out can be read back.
"""

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import attrs
import cattrs
from attrs import field, frozen
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from application.ports import Stills
from domain.clip import IDENTIFIER, BrokenRequest, ClipName, ClipReport, ClipRequest
from domain.errors import Nameless, Unavailable
from domain.recording import RecordingSegment
from domain.retry import MAX_RETRIES
from domain.standing import Footage, Manifest, StoredClip
from domain.window import TimeWindow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEAR_2000_MS = 946_684_800_000
LONGEST_LITERAL = 256 << 10
"""Characters: what the 2018 service's queue could hold at most."""
DEEPEST_NESTING = 32
LONGEST_INT = 4000
"""Digits: int() refuses more than 4300."""
DEFAULT_LENGTH_MS = 600_000
"""How long a recording of unknown end is taken to be; its media tells the truth later."""
RECORDING_NAME = r"(?=.{5,200}\Z)[A-Za-z0-9_.-]+\.mp4"
START = "startTimestampInMs"
END = "endTimestampInMs"
OTHER_KEYS = {
    "start_ms": START,
    "end_ms": END,
    "retries_ms": "retryTimestamps",
}


def key_of(field: str) -> str:
    """Name the JSON key of a field: `clip_id` is clipId, `duration_ms` is durationInMs."""
    head, *rest = field.replace("_ms", "_in_ms").split("_")
    return OTHER_KEYS.get(field) or head + "".join(map(str.capitalize, rest))


# The queue's message


def read_message(body: str, sent_ms: int) -> ClipRequest | BrokenRequest:
    """Read a request out of a message that was sent at `sent_ms`; Nameless if it names no clip.

    JSON, or the single-quoted dict that the 2018 service sends. Retries later than `sent_ms` are
    ignored, and of more than 100 the first and the last 99 count.
    """
    message = _parsed(body)
    if not isinstance(message, dict):
        raise Nameless("The message is not a JSON object.")
    clip_id = _identifier(message.pop("clipId", None))
    if clip_id is None:
        raise Nameless("The message has no valid clipId.")
    camera_id = _identifier(message.pop("cameraId", None))
    start_ms = _whole_ms(message.pop(START, None))
    end_ms = _whole_ms(message.pop(END, None))
    retries_ms = _retries(message.pop("retryTimestamps", None))
    reason = _bound_fault("startTimestampInMs", start_ms) or _bound_fault(
        "endTimestampInMs", end_ms
    )
    if camera_id is None:
        reason = "cameraId is not 1 to 64 letters, digits, hyphens or underscores."
    if retries_ms is None:
        reason = reason or "retryTimestamps is not a list of whole milliseconds."
    if reason or camera_id is None or start_ms is None or end_ms is None or retries_ms is None:
        return BrokenRequest(clip_id, str(reason), camera_id, start_ms, end_ms)
    earlier = tuple(retry_ms for retry_ms in retries_ms if retry_ms <= sent_ms)
    if len(earlier) > MAX_RETRIES:
        earlier = (min(earlier), *earlier[1 - MAX_RETRIES :])
    return ClipRequest(clip_id, camera_id, start_ms, end_ms, earlier, message)


def message_body(request: ClipRequest) -> str:
    """Write the request as it is queued again."""
    return _compact(
        {
            **request.unknown_keys,
            "clipId": request.clip_id,
            "cameraId": request.camera_id,
            START: request.start_ms,
            END: request.end_ms,
            "retryTimestamps": request.retries_ms,
        }
    )


def _parsed(body: str) -> object:
    for parse in (_json, _literal):
        try:
            value = parse(body)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            # Their texts and attributes quote the body, which must not reach a log.
            continue
        return value if _is_shallow(value, DEEPEST_NESTING) else None
    return None


def _json(body: str) -> object:
    return json.loads(
        body,
        object_pairs_hook=_unique,
        parse_constant=_refused,
        parse_float=_finite,
        parse_int=lambda digits: int(digits) if len(digits) <= LONGEST_INT else digits,
    )


def _literal(body: str) -> object:
    if len(body) > LONGEST_LITERAL:
        raise ValueError("too long")
    tree = ast.parse(body.strip(), mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            _unique([(ast.literal_eval(key) if key else "**", None) for key in node.keys])
    return json.loads(json.dumps(ast.literal_eval(tree), allow_nan=False))


def _unique(pairs: Sequence[tuple[object, object]]) -> dict[object, object]:
    found = dict(pairs)
    if len(found) < len(pairs) or not all(isinstance(key, str) for key in found):
        raise ValueError("a key occurs twice, or is no text")
    return found


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _is_shallow(value: object, levels: int) -> bool:
    if not isinstance(value, list | dict):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(item, levels - 1) for item in inner)


def _identifier(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(IDENTIFIER, value) else None


def _whole_ms(value: object) -> int | None:
    if isinstance(value, str) and re.fullmatch("[0-9]{1,15}", value):
        return int(value)
    return value if type(value) is int and 0 <= value < 10**15 else None


def _retries(value: object) -> list[int] | None:
    entries = [] if value is None else value
    if not isinstance(entries, list):
        return None
    times = [_whole_ms(entry) for entry in entries]
    return [time for time in times if time is not None] if None not in times else None


def _bound_fault(key: str, bound_ms: int | None) -> str | None:
    if bound_ms is None:
        return f"{key} is not a whole number of milliseconds."
    if bound_ms < YEAR_2000_MS:
        return f"{key} is before the year 2000: it looks like seconds, not milliseconds."
    return None


# The report and the objects' keys


def clip_key(name: ClipName) -> str:
    """Name the clip's object."""
    return f"{name.camera_id}/{name.clip_id}.mp4"


def still_key(name: ClipName, width: int | str, picture_format: str) -> str:
    """Name the object of the still of one width."""
    return f"{name.camera_id}/{name.clip_id}_{width}.{picture_format}"


def manifest_key(name: ClipName) -> str:
    """Name the manifest's object."""
    return f"{name.camera_id}/{name.clip_id}.json"


@frozen
class ReportFormat:
    """How a report reads: it says where the clip and its stills are."""

    bucket: str
    clip_url: str
    """What the keys follow in the clips' addresses."""
    stills: Stills

    def report(self, report: ClipReport) -> dict[str, object]:
        """Write the report, without what is not known; keys in it begin with a slash."""
        message = {
            "clipId": report.clip_id,
            "cameraId": report.camera_id,
            START: report.start_ms,
            END: report.end_ms,
            "status": report.status.value,
            "retryTimestamps": list(report.retries_ms),
            **self._places(report),
            "coverage": {
                "complete": report.has_clip and not report.gaps,
                "deliveredInMs": report.delivered_ms,
                "gaps": [{START: gap.start_ms, END: gap.end_ms} for gap in report.gaps],
            },
            "reason": report.reason,
        }
        return {key: value for key, value in message.items() if value is not None}

    def _places(self, report: ClipReport) -> dict[str, object]:
        if not report.has_clip or report.camera_id is None:
            return {"thumbnail": {"sizes": []}}
        name = ClipName(report.camera_id, report.clip_id)
        still = still_key(name, "{size}", self.stills.format)
        return {
            "bucket": self.bucket,
            "clip": self._place(clip_key(name)),
            "thumbnail": {**self._place(still), "sizes": list(self.stills.widths)},
        }

    def _place(self, key: str) -> dict[str, str]:
        return {"key": f"/{key}", "url": f"{self.clip_url.rstrip('/')}/{key}"}


# The manifest


def _exactly(*kinds: type) -> Any:  # noqa: ANN401 - a cattrs hook
    def structure(value: object, _: object) -> object:
        if type(value) not in kinds:
            raise TypeError(f"{type(value).__name__} in place of {kinds[0].__name__}")
        return value

    return structure


def _tuple(kind: Any) -> Any:  # noqa: ANN401 - a cattrs hook
    def structure(value: object, _: object) -> tuple[object, ...]:
        if type(value) is not list:
            raise TypeError("no list")
        return tuple(CONVERTER.structure(item, kind.__args__[0]) for item in value)

    return structure


def _renamed(kind: Any) -> Any:  # noqa: ANN401 - for a cattrs hook
    return {field.name: override(rename=key_of(field.name)) for field in attrs.fields(kind)}


# cattrs by itself turns 5 into "5" and 2.9 into 2.
CONVERTER = cattrs.Converter(detailed_validation=False)
CONVERTER.register_structure_hook(int, _exactly(int))
CONVERTER.register_structure_hook(str, _exactly(str))
CONVERTER.register_structure_hook(float, _exactly(float, int))
CONVERTER.register_structure_hook_factory(
    lambda kind: getattr(kind, "__origin__", None) is tuple, _tuple
)
CONVERTER.register_structure_hook_factory(
    attrs.has, lambda kind: make_dict_structure_fn(kind, CONVERTER, **_renamed(kind))
)
CONVERTER.register_unstructure_hook_factory(
    attrs.has, lambda kind: make_dict_unstructure_fn(kind, CONVERTER, **_renamed(kind))
)


def manifest_json(manifest: Manifest) -> str:
    """Write the manifest, with the event id that its report was published under."""
    written = CONVERTER.unstructure(manifest)
    return json.dumps({"eventId": manifest.report.event_id, **written}, indent=1, allow_nan=False)


def read_manifest(text: str) -> Manifest:
    """Read back what `manifest_json` wrote; ValueError if it is anything else."""
    try:
        written = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused)
        return CONVERTER.structure(written, Manifest)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"this is no manifest: {type(error).__name__}") from error


# What a clip's object says of itself: S3 keeps 2 KB of it, keys included

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def metadata(
    request: ClipRequest, footage: Footage, writer: str, gaps: Sequence[TimeWindow]
) -> dict[str, str]:
    """Describe the clip for its object's metadata; 100 gaps of a clip of a day still fit."""
    bounds = (bound - request.start_ms for gap in gaps for bound in (gap.start_ms, gap.end_ms))
    return {
        "fingerprint": request.fingerprint,
        "writer": writer,
        "start": str(request.start_ms),
        "end": str(request.end_ms),
        "gaps": " ".join(map(_base36, bounds)),
        "footage": " ".join(quote(str(value)) for value in attrs.astuple(footage)),
    }


def stored_clip(metadata: Mapping[str, str], stored_at_ms: int) -> StoredClip:
    """Read what `metadata` wrote. Anything else describes a clip that nobody asked us for."""
    try:
        start_ms = int(metadata["start"])
        bounds = [start_ms + int(bound, 36) for bound in metadata.get("gaps", "").split()]
        gaps = tuple(map(TimeWindow, bounds[::2], bounds[1::2]))
        footage = _footage(metadata.get("footage", ""))
        return StoredClip(metadata["fingerprint"], metadata["writer"], stored_at_ms, gaps, footage)
    except (KeyError, ValueError):
        return StoredClip("", "", stored_at_ms)


def _footage(text: str) -> Footage | None:
    """Read the measurements, or None if another version of the service wrote them."""
    kinds = [field.type for field in attrs.fields(attrs.resolve_types(Footage))]
    words = map(unquote, text.split(" "))
    try:
        return Footage(*(kind(word) for kind, word in zip(kinds, words, strict=True) if kind))
    except ValueError:
        return None


def _base36(number: int) -> str:
    rest, digit = divmod(number, 36)
    return (_base36(rest) if rest else "") + DIGITS[digit]


# The camera API's answers


@frozen
class SegmentNaming:
    """Where a recording's name says when it starts: in the part before `.mp4`.

    The recorder's two own forms, `pier.20180815T140019.mp4` and
    `pier.stream.20181031T025200051.mp4`, are always understood.
    """

    timestamp_format: str = field(default="%Y%m%dT%H%M%S%f")
    """As strptime reads it; without a zone it is UTC. ValueError if strptime cannot."""
    old_file_format: bool = False
    """The names end with the seconds: no %f."""

    @timestamp_format.validator
    def _can_be_read(self, _: object, form: str) -> None:
        datetime.strptime(EPOCH.strftime(form), form)  # noqa: DTZ007 - only tried

    def start_ms(self, name: str) -> int | None:
        """Read the start, since the epoch, out of a file's name."""
        stamp = name.removesuffix(".mp4").rpartition(".")[2]
        own = self.timestamp_format.removesuffix("%f" if self.old_file_format else "")
        for form in (own, "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%S%f"):
            try:
                start = datetime.strptime(stamp, form)  # noqa: DTZ007 - the zone follows
                written = start.strftime(form)
            except ValueError:
                continue
            # strptime takes the seconds of "...140019" for 1.9 where the form ends with %S%f.
            if written.startswith(stamp):
                return _since_epoch(start if start.tzinfo else start.replace(tzinfo=UTC))
        return None


def read_alias(payload: object) -> str:
    """Read a camera's alias; Unavailable if there is none that an address can hold."""
    alias = payload.get("alias") if isinstance(payload, dict) else None
    usable = isinstance(alias, str) and 1 <= len(alias) <= 200 and alias.isprintable()  # noqa: PLR2004
    if not isinstance(alias, str) or not usable or alias in (".", ".."):
        raise Unavailable("The camera API gave the camera no usable alias.")
    return alias


def read_segments(payload: object, naming: SegmentNaming) -> list[RecordingSegment]:
    """Read the camera API's list of recordings; Unavailable if any of it is nonsense."""
    if not isinstance(payload, list):
        raise Unavailable("The camera API's answer is no list of recordings.")
    return [_segment(row, naming) for row in payload]


def _segment(row: object, naming: SegmentNaming) -> RecordingSegment:
    if not isinstance(row, dict):
        raise Unavailable("The camera API listed a recording that is no object.")
    name = recording_name(row.get("recordingUrl"))
    start_ms = _instant_ms(row.get("startDate"))
    if start_ms is None:
        start_ms = naming.start_ms(name)
    if start_ms is None:
        raise Unavailable(f"The camera API does not say when {name} starts.")
    end_ms = _instant_ms(row.get("endDate"))
    try:
        window = TimeWindow(start_ms, start_ms + DEFAULT_LENGTH_MS if end_ms is None else end_ms)
    except ValueError as error:
        raise Unavailable(f"The camera API says that {name} ends before it starts.") from error
    return RecordingSegment(window, name)


def recording_name(url: object) -> str:
    """Return the file name a recording's address ends with; Unavailable if it has none.

    Only the name counts, the address is never fetched and nothing in it is decoded.
    """
    try:
        # urlsplit drops line breaks and tabs.
        path = urlsplit(url).path if isinstance(url, str) and url.isprintable() else ""
    except ValueError:
        path = ""
    name = path.rpartition("/")[2]
    if not re.fullmatch(RECORDING_NAME, name):
        raise Unavailable("The camera API listed a recording without a usable file name.")
    return name


def _instant_ms(value: object) -> int | None:
    """Read ISO 8601 with a zone, or milliseconds since the epoch."""
    if not isinstance(value, str):
        return _whole_ms(value)
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return _since_epoch(instant) if instant.tzinfo else None


def _since_epoch(instant: datetime) -> int | None:
    return _whole_ms((instant - EPOCH) // timedelta(milliseconds=1))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
