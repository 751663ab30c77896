"""The types that settings have, and how the text of a variable becomes a value of each."""

import re
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, get_args, get_origin
from urllib.parse import urlsplit

import cattrs
from attrs import frozen

from infrastructure.layouts.bucket_layout import bucket_layout
from infrastructure.layouts.layout import Layout
from infrastructure.signing import PEM, ManifestSigner, signer_of
from infrastructure.zones import zone_named

QUOTES = (
    "\"'`\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
    "\N{DOUBLE LOW-9 QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
)

Url = NewType("Url", str)
Bucket = NewType("Bucket", str)
KeyPrefix = NewType("KeyPrefix", str)
TopicArn = NewType("TopicArn", str)
AccountId = NewType("AccountId", str)
Namespace = NewType("Namespace", str)
RecordingLayout = NewType("RecordingLayout", Layout)
Zone = NewType("Zone", tzinfo)
TimestampFormat = NewType("TimestampFormat", str)
Widths = NewType("Widths", tuple[int, ...])


@frozen
class Between:
    """The whole numbers that a setting may have."""

    min: int
    max: int


def _plain(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be printable text in UTF-8")
    if text[0] in QUOTES or text[-1] in QUOTES:
        raise ValueError("must not begin or end with a quotation mark")
    return text


def _whole_number(text: str, kind: Any) -> int:  # noqa: ANN401 - a cattrs hook
    (_, between) = get_args(kind)
    if not re.fullmatch(r"[0-9]{1,12}", text) or not between.min <= int(text) <= between.max:
        raise ValueError(f"must be a whole number from {between.min} to {between.max}")
    return int(text)


def _choice(text: str, kind: Any) -> str:  # noqa: ANN401 - a cattrs hook
    choices = {choice.lower(): str(choice) for choice in get_args(kind)}
    if text.lower() not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return choices[text.lower()]


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0", "yes", "no"}:
        raise ValueError("must be one of true, false, 1, 0, yes, no")
    return text.lower() in {"true", "1", "yes"}


def _widths(text: str) -> tuple[int, ...]:
    numbers = re.split(r"[\s,\[\]]+", text.strip(" []"))
    if not all(re.fullmatch("[0-9]{2,4}", n) and 16 <= int(n) <= 8192 for n in numbers):  # noqa: PLR2004 - what libx264 and JPEG can hold
        raise ValueError('must be widths in pixels, such as "300 640 1500 3000"')
    return tuple(dict.fromkeys(map(int, numbers)))


def _timestamp_format(text: str) -> str:
    if "%Y" not in text or "%S" not in text:
        raise ValueError("must be a strftime format with at least %Y and %S")
    return text


def _zone(text: str) -> tzinfo:
    try:
        return zone_named(text)
    except ValueError as error:
        raise ValueError(
            "must be a time zone such as Europe/Madrid; if it is one, install the package tzdata"
        ) from error


def _signer(text: str) -> ManifestSigner:
    """Read the key, or the file of that name that has it."""
    if not PEM.fullmatch(text.replace("\\n", "\n")):
        try:
            text = Path(text).read_text(encoding="ascii")
        except (OSError, ValueError) as error:
            raise ValueError(
                "must be an Ed25519 private key in PEM, or the path of a readable file with one"
            ) from error
    return signer_of(text)


def _url(text: str) -> str:
    if re.search(r"[\s\"'`<>\\]", text):
        raise ValueError("must be an address without spaces, quotation marks and backslashes")
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address that is none
        is_address = False
    if not is_address:
        raise ValueError("must be an http or https address")
    if "?" in text or "#" in text:
        raise ValueError("must be an address without a query and a fragment: paths are added to it")
    return text.rstrip("/")


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"must be {expected}")
        return text

    return parse


def _ignoring_kind(parse: Callable[[str], object]) -> Callable[[str, object], object]:
    return lambda text, _: parse(_plain(text) if text else text)


def _is(form: object) -> Callable[[Any], bool]:
    return lambda kind: get_origin(kind) is form


PARSERS: dict[Any, Callable[[str], object]] = {
    bool: _truth,
    Path: Path,
    Path | None: Path,
    Widths: _widths,
    tzinfo: zone_named,
    TimestampFormat: _timestamp_format,
    RecordingLayout | None: bucket_layout,
    Zone | None: _zone,
    Url: _url,
    KeyPrefix: lambda text: text.strip("/"),
    Bucket: _matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "the name of a bucket"),
    Namespace: _matching(
        r"(?!AWS/)[\w.#/-]{1,255}", "a namespace of CloudWatch, such as camclip-prod"
    ),
    AccountId | None: _matching(r"[0-9]{12}", "the twelve digits of an AWS account"),
    TopicArn: _matching(
        r"arn:[\w-]+:sns:[\w:.-]+",
        "the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:clips",
    ),
}
CONVERTER = cattrs.Converter(detailed_validation=True)
CONVERTER.register_structure_hook_func(_is(Annotated), _whole_number)
CONVERTER.register_structure_hook_func(_is(Literal), _choice)
CONVERTER.register_structure_hook(ManifestSigner | None, lambda text, _: _signer(text))
for kind, parser in PARSERS.items():
    CONVERTER.register_structure_hook(kind, _ignoring_kind(parser))
