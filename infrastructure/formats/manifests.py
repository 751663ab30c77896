"""The manifest stored next to a clip."""

import json
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from domain.manifest import Manifest
from infrastructure.formats.json_keys import key_of
from infrastructure.formats.json_values import reject_constant, unique_keys


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
    """Return the manifest as JSON, with the event id of its report."""
    written = CONVERTER.unstructure(manifest)
    return json.dumps({"eventId": manifest.report.event_id, **written}, indent=1, allow_nan=False)


def read_manifest(text: str) -> Manifest:
    """Read what `manifest_json` wrote; ValueError if it is anything else."""
    try:
        written = json.loads(text, object_pairs_hook=unique_keys, parse_constant=reject_constant)
        return CONVERTER.structure(written, Manifest)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"this is not a manifest: {type(error).__name__}") from error
