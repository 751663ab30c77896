"""Texts, paths and choices of the command line without typer's conversion.

Typer converts every value, also an absent one, by pydantic. To import it, and to build a validator
for each option of a command, takes longer than all else of typer.
"""

import os
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

from typer.core import TyperArgument, TyperOption


class PlainOption(TyperOption):
    """An option that typer converts only if it must."""

    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - typer does not export the types
        """Return the converted value, as its callback changes it."""
        if not is_plain(self, value):
            return super().process_value(ctx, value)
        return called_back(self, ctx, converted(self, value))


class PlainArgument(TyperArgument):
    """An argument that typer converts only if it must."""

    def process_value(self, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - typer does not export the types
        """Return the converted value, as its callback changes it."""
        if not is_plain(self, value):
            return super().process_value(ctx, value)
        return called_back(self, ctx, converted(self, value))


P = TypeVar("P")
Parameter = TyperOption | TyperArgument
PLAIN: dict[type, type] = {TyperOption: PlainOption, TyperArgument: PlainArgument}


def made_plain(parameters: list[P]) -> list[P]:
    """Return parameters as typer has made them, which convert only what they must from now on."""
    for parameter in parameters:
        # Typer of before pydantic has no descriptors.
        if type(parameter) in PLAIN and hasattr(parameter, "type_descriptor"):
            parameter.__class__ = PLAIN[type(parameter)]
    return parameters


def is_plain(parameter: Parameter, value: Any) -> bool:  # noqa: ANN401 - as the command line has it
    """Return whether a value is valid, as it is certain without pydantic.

    Typer reports an option that is missing, a text that is no choice, and a path that cannot be
    read. It reads numbers, but for those that are defaults.
    """
    if value is None:
        return not parameter.required
    annotation: Any = parameter.type_descriptor.annotation
    if annotation is Path:
        return isinstance(value, str | Path) and _may_be_read(value)
    if annotation == list[str]:
        return bool(value) and not isinstance(value, str)
    if get_origin(annotation) is Literal:
        return value in get_args(annotation)
    return annotation in {str, int, float} and type(value) is annotation


def converted(parameter: Parameter, value: Any) -> Any:  # noqa: ANN401 - as the command line has it
    """Return what a plain value stands for."""
    annotation: Any = parameter.type_descriptor.annotation
    if value is None:
        return () if parameter.multiple or parameter.nargs == -1 else None
    if annotation is Path:
        return Path(value)
    return list(value) if annotation == list[str] else value


def called_back(parameter: Parameter, ctx: Any, value: Any) -> Any:  # noqa: ANN401 - as typer's
    """Return the value as the parameter's callback, if it has one, changes it."""
    return parameter.callback(ctx, parameter, value) if parameter.callback else value


def _may_be_read(path: str | Path) -> bool:
    return not os.path.exists(path) or os.access(path, os.R_OK)  # noqa: PTH110 - also of a text
