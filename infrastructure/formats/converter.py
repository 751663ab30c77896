"""JSON objects <-> the domain's values, by the names of their fields."""

from collections.abc import Mapping
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from domain.coverage import Coverage, Unused
from domain.window import TimeWindow
from infrastructure.formats.json_keys import key_of


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


def _members(value: object, _: object) -> dict[str, object]:
    if type(value) is not dict:
        raise TypeError("no object")
    return value


def _object(kind: Any) -> Any:  # noqa: ANN401 - a cattrs hook
    structure = make_dict_structure_fn(kind, CONVERTER, **_renamed(kind))

    def checked(value: object, _: object) -> object:
        if type(value) is not dict:
            raise TypeError("no object")
        return structure(value, kind)

    return checked


def _renamed(kind: Any) -> Any:  # noqa: ANN401 - for a cattrs hook
    """Name each field's key; only options may be left out, as in manifests of before."""
    return {
        field.name: override(rename=key_of(field.name), omit_if_default=field.name == "options")
        for field in attrs.fields(kind)
    }


def _without_none(coverage: Coverage) -> dict[str, Any]:
    members: dict[str, Any] = _coverage_members(coverage)
    return {key: value for key, value in members.items() if value is not None}


def _flat(unused: Unused) -> dict[str, Any]:
    return {"name": unused.name, **CONVERTER.unstructure(unused.window)}


# cattrs by itself turns 5 into "5" and 2.9 into 2.
CONVERTER = cattrs.Converter(detailed_validation=False)
CONVERTER.register_structure_hook(int, _exactly(int))
CONVERTER.register_structure_hook(str, _exactly(str))
CONVERTER.register_structure_hook(float, _exactly(float, int))
CONVERTER.register_structure_hook_func(lambda kind: kind == Mapping[str, object], _members)
CONVERTER.register_structure_hook_factory(
    lambda kind: getattr(kind, "__origin__", None) is tuple, _tuple
)
CONVERTER.register_structure_hook_factory(attrs.has, _object)
CONVERTER.register_unstructure_hook_factory(
    attrs.has, lambda kind: make_dict_unstructure_fn(kind, CONVERTER, **_renamed(kind))
)
CONVERTER.register_structure_hook(
    Unused,
    lambda value, _: Unused(
        CONVERTER.structure(value["name"], str), CONVERTER.structure(value, TimeWindow)
    ),
)
CONVERTER.register_unstructure_hook(Unused, _flat)
_coverage_members = make_dict_unstructure_fn(Coverage, CONVERTER, **_renamed(Coverage))
CONVERTER.register_unstructure_hook(Coverage, _without_none)
