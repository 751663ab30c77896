"""Untrusted queries and bodies, read into values or refused with the reason."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect, Request

from domain.clip import IDENTIFIER, ClipName
from domain.window import TimeWindow, duration_text
from entrypoints.serve.problems import INVALID, TOO_LARGE, WRONG_TYPE, Problem
from infrastructure.formats.json_values import reject_constant, shown_key, unique_keys

MAX_BODY_BYTES = 64 << 10
MAX_DIGITS = 15


class IdentifierConvertor(Convertor[str]):
    """An id in a path: what does not match the domain's rule is no address at all."""

    regex = IDENTIFIER

    def convert(self, value: str) -> str:
        """Return the id."""
        return value

    def to_string(self, value: str) -> str:
        """Return the id."""
        return value


class WidthConvertor(Convertor[int]):
    """A width in a path, in pixels; a longer number is no address, and Python reads not any."""

    regex = "[0-9]{1,5}"

    def convert(self, value: str) -> int:
        """Return the width."""
        return int(value)

    def to_string(self, value: int) -> str:
        """Return the width as text."""
        return str(value)


register_url_convertor("identifier", IdentifierConvertor())
register_url_convertor("width", WidthConvertor())


def camera_id_in(request: Request) -> str:
    """Return the camera's id in the path."""
    return str(request.path_params["camera"])


def clip_name_in(request: Request) -> ClipName:
    """Return the clip's name in the path."""
    return ClipName(camera_id_in(request), str(request.path_params["clip"]))


def query(request: Request, allowed: Collection[str]) -> Mapping[str, str]:
    """Return the query's parameters; Problem if one is unknown or repeated."""
    found: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise Problem(INVALID, f"The query has no parameter {shown_key(name)}; it has {known}.")
        if name in found:
            raise Problem(INVALID, f"The query has the parameter {name} twice.")
        found[name] = text
    return found


def whole(given: Mapping[str, str], name: str, low: int, high: int, default: int | None) -> int:
    """Return a whole number of the query; Problem if it is none, or not within the bounds."""
    text = given.get(name)
    if text is None:
        if default is None:
            raise Problem(INVALID, f"The query lacks the parameter {name}.")
        return default
    is_number = re.fullmatch(f"[0-9]{{1,{MAX_DIGITS}}}", text, re.ASCII)
    if not is_number or not low <= int(text) <= high:
        raise Problem(INVALID, f"{name} must be a whole number from {low} to {high}.")
    return int(text)


def truth(given: Mapping[str, str], name: str) -> bool:
    """Return a truth value of the query, which is false if it is absent."""
    text = given.get(name, "false")
    if text not in {"true", "false"}:
        raise Problem(INVALID, f"{name} must be true or false.")
    return text == "true"


def identifier(given: Mapping[str, str], name: str) -> str | None:
    """Return an id of the query, None if it is absent."""
    text = given.get(name)
    if text is not None and not re.fullmatch(IDENTIFIER, text):
        fault = f"{name} must be 1 to 64 letters, digits, hyphens or underscores."
        raise Problem(INVALID, fault)
    return text


def instant_ms(given: Mapping[str, str], name: str) -> int:
    """Return an instant of the query, in ms since the epoch."""
    return whole(given, name, 0, 10**MAX_DIGITS - 1, None)


def window_in(given: Mapping[str, str], max_duration_ms: int) -> TimeWindow:
    """Return the window `from` .. `to` of the query; Problem if it is empty or too long."""
    start_ms, end_ms = instant_ms(given, "from"), instant_ms(given, "to")
    if start_ms >= end_ms:
        raise Problem(INVALID, "from must be before to.")
    if end_ms - start_ms > max_duration_ms:
        raise Problem(
            INVALID, f"from and to may be {duration_text(max_duration_ms)} apart at most."
        )
    return TimeWindow(start_ms, end_ms)


async def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of the body; Problem if it is too large, or anything else."""
    if media_type_of(request) != "application/json":
        raise Problem(WRONG_TYPE)
    data = await bytes_of(request)
    try:
        body = json.loads(
            data.decode(), object_pairs_hook=unique_keys, parse_constant=reject_constant
        )
    except (ValueError, RecursionError) as error:
        raise Problem(INVALID, "The body is not valid JSON in UTF-8.") from error
    if not isinstance(body, dict):
        raise Problem(INVALID, "The body is not a JSON object.")
    return body


def media_type_of(request: Request) -> str:
    """Return the body's type without its parameters, in small letters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def bytes_of(request: Request) -> bytes:
    """Return the body; Problem if it is too large."""
    if int(request.headers.get("content-length", "0")) > MAX_BODY_BYTES:
        raise Problem(TOO_LARGE)  # Nothing of it is awaited.
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > MAX_BODY_BYTES:
                raise Problem(TOO_LARGE)
    except ClientDisconnect as error:
        raise Problem(INVALID, "The body was cut off.") from error
    return bytes(data)
