"""The options of a message, read and described by their declaration."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs
from attrs import frozen

from domain.options import Between, ClipOptions, Matching, ZoneName
from infrastructure.formats.json_values import shown_key
from infrastructure.zones import zone_named

Options = TypeVar("Options", bound=ClipOptions)

MAX_NAMED = 5
"""A refusal names at most so many options."""


@frozen
class _Kind:
    """The values that an option may have."""

    accepts: Callable[[object], bool]
    expected: str
    """For people."""


def read_options(value: object, kind: type[Options]) -> Options:
    """Return the options of a message; ValueError names each that is unknown or invalid.

    A message without options, with null or with an empty object asks for the usual clip. An option
    may be given with its default. No message quotes a value.
    """
    given = {} if value is None else value
    if not isinstance(given, dict):
        raise ValueError("options is not an object.")  # noqa: TRY004 - read as the others
    declared = {field.metadata["name"]: field for field in attrs.fields(kind)}
    kinds = _kinds(kind)
    faults = [*_unknown(given, declared), *_invalid(given, kinds)]
    if faults:
        more = [f"{len(faults) - MAX_NAMED} more are wrong."] if len(faults) > MAX_NAMED else []
        raise ValueError(" ".join((*faults[:MAX_NAMED], *more)))
    return kind(**{declared[name].name: value for name, value in given.items()})


def option_rows(kind: type[ClipOptions]) -> list[str]:
    """Return a row for each option, for a table in Markdown: name, values, default, meaning."""
    kinds = _kinds(kind)
    return [
        "| "
        + " | ".join(
            (
                f"`{field.metadata['name']}`",
                kinds[field.metadata["name"]].expected,
                f"`{json.dumps(field.default)}`",
                field.metadata["meaning"],
            )
        )
        + " |"
        for field in attrs.fields(kind)
    ]


def _unknown(given: Mapping[str, object], declared: Mapping[str, object]) -> Iterator[str]:
    known = ", ".join(declared) or "none"
    for name in given:
        if name not in declared:
            yield f"options.{shown_key(name)} is unknown; the options are: {known}."


def _invalid(given: Mapping[str, object], kinds: Mapping[str, _Kind]) -> Iterator[str]:
    for name, value in given.items():
        if name in kinds and not kinds[name].accepts(value):
            yield f"options.{name} must be {kinds[name].expected}."


def _kinds(kind: type[ClipOptions]) -> dict[str, _Kind]:
    types = get_type_hints(kind, include_extras=True)
    return {
        field.metadata["name"]: _kind_of(types[field.name], field.name)
        for field in attrs.fields(kind)
    }


def _kind_of(declared: Any, field: str) -> _Kind:  # noqa: ANN401 - any type
    """Return the values of a declared type; TypeError if there is no rule for it."""
    match get_origin(declared), get_args(declared):
        case (o, (inner, n)) if o in {Union, UnionType} and n is NoneType:
            some = _kind_of(inner, field)
            return _Kind(lambda v: v is None or some.accepts(v), f"{some.expected} or null")
        case (o, choices) if o is Literal and all(type(choice) is str for choice in choices):
            # A list is not hashable, and True equals 1: the type is compared first.
            return _Kind(lambda v: type(v) is str and v in choices, _alternatives(choices))
        case (o, (choice, more)) if o is tuple and more is ... and get_origin(choice) is Literal:
            choices = get_args(choice)
            return _Kind(
                lambda v: type(v) is list and all(type(one) is str and one in choices for one in v),
                f"an array of {_alternatives(choices)}",
            )
        case (o, (base, Between(least, most))) if o is Annotated and base is int:
            return _Kind(
                lambda v: type(v) is int and least <= v <= most,
                f"a whole number from {least} to {most}",
            )
        case (o, (base, Matching(pattern, expected))) if o is Annotated and base is str:
            return _Kind(
                lambda v: type(v) is str and re.fullmatch(pattern, v, re.ASCII) is not None,
                expected,
            )
        case (o, (base, ZoneName(pattern))) if o is Annotated and base is str:
            return _Kind(
                lambda v: type(v) is str and _is_zone(v, pattern),
                'a time zone of tzdata like "Europe/Madrid"',
            )
        case _ if declared is bool:
            return _Kind(lambda v: type(v) is bool, "true or false")
        case _:
            raise TypeError(f"{field}: {declared} is no type of an option")


def _is_zone(name: str, pattern: str) -> bool:
    if not re.fullmatch(pattern, name, re.ASCII):
        return False
    try:
        zone_named(name)
    except ValueError:
        return False
    return True


def _alternatives(choices: tuple[str, ...]) -> str:
    *first, last = (f'"{choice}"' for choice in choices)
    return " or ".join(filter(None, (", ".join(first), last)))
