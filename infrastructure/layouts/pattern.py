"""Patterns of the paths of recordings, such as ``{camera}/%Y-%m-%d_%H-%M-%S-%f``.

==============  ===========================================================
``{camera}``    the camera's name; as a whole folder it may be up to three folders deep
``%Y %m %d``    year, month and day, with leading zeros
``%H %M %S``    hour, minute and second, with leading zeros; a pattern may lack seconds
``%f``          a fraction of a second, in 1 to 9 digits: milli- or microseconds
``%z``          the offset from UTC: ``Z``, ``+0200`` or ``-05:30``
``%s``          seconds since the epoch, in 10 digits
``%F``, ``%T``  ``%Y-%m-%d`` and ``%H:%M:%S``
``%path``       what mediamtx calls ``{camera}``
``*``, ``?``    any characters, or one character, of a name
``[...]``       a part that may be missing
``%%``          a percent sign
==============  ===========================================================

Everything else is literal text. The suffix is no part of a pattern.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property

from attrs import field, frozen

from infrastructure.camera_api.names import SUFFIX, stem_of
from infrastructure.layouts.wall_clock import Stamp, read_stamp

CAMERA = "camera"
MAX_CAMERA_FOLDERS = 3
"""How many folders deep a camera's name may be, where it is a whole folder of the pattern."""
FIELDS: Mapping[str, str] = {
    "Y": r"\d{4}",
    **dict.fromkeys("mdHMS", r"\d{2}"),
    "f": r"\d{1,9}",
    "z": r"Z|[+-]\d{2}:?\d{2}",
    "s": r"\d{10}",
}
"""By the letter of a field: what it looks like in a path."""
SYNONYMS = {"%path": "{camera}", "%F": "%Y-%m-%d", "%T": "%H:%M:%S"}
MANDATORY = "YmdHM"
"""The fields of a pattern without `%s`."""
TOKEN = re.compile(r"\{camera\}|%.|[*?\[\]]|[^%*?\[\]{]+|.")


class InvalidPattern(ValueError):
    """The text is no pattern, and why."""


class Kind(Enum):
    """What a token of a pattern stands for."""

    LITERAL = "text"
    FIELD = "field of a time"
    CAMERA = "camera"
    ANY = "any characters"
    OPTION_BEGINS = "["
    OPTION_ENDS = "]"


@frozen
class Token:
    """The smallest part of a pattern."""

    kind: Kind
    text: str
    """The literal text, the letter of a field, or the sign itself."""


@frozen
class Component:
    """The pattern of one folder's or file's name."""

    tokens: tuple[Token, ...]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        """Compiled for the first name: few of the presets' patterns ever see one."""
        return _regex(self.tokens)

    @property
    def is_camera(self) -> bool:
        """Whether it is the camera's name and nothing else."""
        return [token.kind for token in self.tokens] == [Kind.CAMERA]

    @property
    def literal(self) -> str | None:
        """The name, if only one fits."""
        if all(token.kind is Kind.LITERAL for token in self.tokens):
            return "".join(token.text for token in self.tokens)
        return None

    def has_field(self) -> bool:
        """Return whether a part of a time is in it."""
        return any(token.kind is Kind.FIELD for token in self.tokens)

    def first_field_at(self, name: str) -> int | None:
        """Return where in `name` its time begins; None if the name does not fit."""
        found = self._regex.fullmatch(name)
        fields = [token.text for token in self.tokens if token.kind is Kind.FIELD]
        return found.start(fields[0]) if found and fields else None

    def match(self, name: str, known: Mapping[str, str]) -> dict[str, str] | None:
        """Return the fields of `name` and those `known` before it; None if it does not fit."""
        found = self._regex.fullmatch(name)
        if found is None:
            return None
        fields = {key: value for key, value in found.groupdict().items() if value is not None}
        if not known:
            return fields
        if any(known.get(key, value) != value for key, value in fields.items()):
            return None
        return {**known, **fields}


@frozen
class PlacedFile:
    """What a path says about its file."""

    camera: str | None
    """None if the pattern names no camera: all files are of the only one."""
    stamp: Stamp


@frozen
class Pattern:
    """A pattern of paths below the folder of the recordings. `parse_pattern` makes it."""

    text: str = field(eq=True)
    components: tuple[Component, ...] = field(repr=False)

    def has(self, *letters: str) -> bool:
        """Return whether any of these fields is in the pattern."""
        tokens = (token for component in self.components for token in component.tokens)
        return any(token.kind is Kind.FIELD and token.text in letters for token in tokens)

    @property
    def names_camera(self) -> bool:
        """Whether the camera is in the paths."""
        return any(t.kind is Kind.CAMERA for part in self.components for t in part.tokens)

    def of_camera(self, camera: str) -> "Pattern":
        """Return the pattern of one camera's files."""
        text = "/".join(
            "".join(
                camera if token.kind is Kind.CAMERA else _written(token)
                for token in component.tokens
            )
            for component in self.components
        )
        components: list[Component] = []
        for component in self.components:
            if component.is_camera:
                components += [Component((Token(Kind.LITERAL, n),)) for n in camera.split("/")]
            else:
                components.append(_with_camera(component, camera))
        return Pattern(text, tuple(components))

    def place(self, path: str) -> PlacedFile | None:
        """Return what a path, relative and with slashes, says; None if it does not fit."""
        names = path.split("/")
        names[-1] = stem_of(names[-1])
        extra = len(names) - len(self.components)
        fields: dict[str, str] = {}
        at = 0
        for component in self.components:
            taken = 1 + (extra if component.is_camera else 0)
            if not 1 <= taken <= MAX_CAMERA_FOLDERS or at + taken > len(names):
                return None
            found = component.match("/".join(names[at : at + taken]), fields)
            if found is None:
                return None
            fields = found
            at += taken
        stamp = read_stamp(fields) if at == len(names) else None
        return PlacedFile(fields.get(CAMERA), stamp) if stamp else None


def parse_pattern(text: str) -> Pattern:
    """Return the pattern that `text` writes; InvalidPattern says what is wrong with it."""
    for synonym, meaning in SYNONYMS.items():
        text = text.replace(synonym, meaning)
    stem = re.sub(rf"{SUFFIX.pattern}\Z", "", text)
    names = stem.removeprefix("./").split("/")
    if not all(names) or {".", ".."} & set(names):
        raise InvalidPattern(f"{text} is no relative path: write it like {{camera}}/%Y%m%dT%H%M%S.")
    pattern = Pattern(stem, tuple(Component(tuple(_tokens(name, text))) for name in names))
    missing = [f"%{letter}" for letter in MANDATORY if not pattern.has(letter)]
    if missing and not pattern.has("s"):
        raise InvalidPattern(
            f"{text} lacks {' '.join(missing)}: a start needs day and time, or %s."
        )
    if sum(component.is_camera for component in pattern.components) > 1:
        raise InvalidPattern(f"{text} has two folders {{camera}}: keep one of them.")
    return pattern


def _tokens(name: str, text: str) -> Iterator[Token]:
    is_optional = False
    for sign in TOKEN.findall(name):
        if sign == "{camera}":
            yield Token(Kind.CAMERA, sign)
        elif sign == "%%":
            yield Token(Kind.LITERAL, "%")
        elif sign.startswith("%"):
            if sign[1:] not in FIELDS:
                known = " ".join(f"%{letter}" for letter in FIELDS)
                raise InvalidPattern(f"{text} has {sign}, which is unknown: use {known}.")
            yield Token(Kind.FIELD, sign[1:])
        elif sign in {"*", "?"}:
            yield Token(Kind.ANY, sign)
        elif sign in {"[", "]"}:
            if is_optional is (sign == "["):
                raise InvalidPattern(f"{text} has a {sign} too many: write [...] in one name.")
            is_optional = not is_optional
            yield Token(Kind.OPTION_BEGINS if is_optional else Kind.OPTION_ENDS, sign)
        else:
            yield Token(Kind.LITERAL, sign)
    if is_optional:
        raise InvalidPattern(f"{text} lacks a ]: write [...] in one name.")


def _regex(tokens: tuple[Token, ...]) -> re.Pattern[str]:
    parts: list[str] = []
    seen: set[str] = set()
    is_camera = [token.kind for token in tokens] == [Kind.CAMERA]
    for token in tokens:
        match token.kind:
            case Kind.LITERAL:
                parts.append(re.escape(token.text))
            case Kind.ANY:
                parts.append("[^/]*" if token.text == "*" else "[^/]")
            case Kind.OPTION_BEGINS:
                parts.append("(?:")
            case Kind.OPTION_ENDS:
                parts.append(")?")
            case Kind.FIELD | Kind.CAMERA:
                key = token.text if token.kind is Kind.FIELD else CAMERA
                form = FIELDS.get(key) or (r"[^.].*" if is_camera else r"[^./][^/]*?")
                parts.append(f"(?P={key})" if key in seen else f"(?P<{key}>{form})")
                seen.add(key)
    return re.compile("".join(parts), re.ASCII | re.DOTALL)


def _with_camera(component: Component, camera: str) -> Component:
    return Component(
        tuple(
            Token(Kind.LITERAL, camera) if token.kind is Kind.CAMERA else token
            for token in component.tokens
        )
    )


def _written(token: Token) -> str:
    return f"%{token.text}" if token.kind is Kind.FIELD else token.text.replace("%", "%%")
