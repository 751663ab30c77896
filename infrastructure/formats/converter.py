"""JSON objects <-> the domain's values, by the names of their fields."""

import math
from collections.abc import Mapping
from typing import Any

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from domain.clip import ClipReport, ClipStatus, UnknownStatus
from domain.coverage import Coverage, Unused, Verification
from domain.window import TimeWindow
from infrastructure.formats.json_keys import key_of

MAX_WHOLE = 2**53 - 1
"""Beyond it, JSON's numbers are not exact (RFC 8259, 6), nor do they fit in offsets and times."""


def _exactly(*kinds: type) -> Any:  # noqa: ANN401 - a cattrs hook
    def structure(value: object, _: object) -> object:
        if type(value) not in kinds:
            raise TypeError(f"{type(value).__name__} in place of {kinds[0].__name__}")
        if isinstance(value, int) and abs(value) > MAX_WHOLE:
            raise ValueError("a number is too large")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is too large")
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
    """Name each field's key; newer members are left out where they say nothing, as before."""
    return {
        field.name: override(
            rename=key_of(field.name),
            omit=field.name in _BEYOND_THE_FORMAT or (kind, field.name) in _ELSEWHERE,
            omit_if_default=field.name in _LEFT_OUT,
        )
        for field in attrs.fields(kind)
    }


def _read_coverage(value: object, _: object) -> Coverage:
    """Read a coverage; keep its members as they are if a newer version wrote more of them."""
    coverage: Coverage = _structure_coverage(value, Coverage)
    assert isinstance(value, dict)  # noqa: S101 - else it had no members
    return attrs.evolve(coverage, as_written=value) if _says_more(value, coverage) else coverage


def _says_more(members: Mapping[str, Any], coverage: Coverage) -> bool:
    return not _contains(CONVERTER.unstructure(coverage), members)


def _contains(whole: object, part: object) -> bool:
    """Return whether `whole` has each member of `part`, and of the objects within it."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(key in whole and _contains(whole[key], part[key]) for key in part)
    if isinstance(whole, list | tuple) and isinstance(part, list):
        return len(whole) == len(part) and all(map(_contains, whole, part))
    return whole == part


def _coverage_members(coverage: Coverage) -> dict[str, Any]:
    members: dict[str, Any] = _unstructure_coverage(coverage)
    known = {key: value for key, value in members.items() if value is not None}
    return {**known, **coverage.as_written}


def _verification(value: object, _: object) -> Verification | None:
    """Read which pictures were decoded; None if only a newer version has a word for it."""
    text = CONVERTER.structure(value, str) if value is not None else None
    return Verification(text) if text in {known.value for known in Verification} else None


def _status(value: object, _: object) -> ClipStatus | UnknownStatus:
    text = CONVERTER.structure(value, str)
    return (
        ClipStatus(text) if text in {known.value for known in ClipStatus} else UnknownStatus(text)
    )


def _read_report(value: object, _: object) -> ClipReport:
    report: ClipReport = _structure_report(value, ClipReport)
    assert isinstance(value, dict)  # noqa: S101 - else it had no members
    unknown = {key: member for key, member in value.items() if key not in _REPORT_KEYS}
    return attrs.evolve(report, unknown_keys=unknown)


def _report_members(report: ClipReport) -> dict[str, Any]:
    return {**report.unknown_keys, **_unstructure_report(report)}


def _flat(unused: Unused) -> dict[str, Any]:
    return {"name": unused.name, **CONVERTER.unstructure(unused.window)}


_LEFT_OUT = {
    *("options", "paces", "proof", "signature", "sidecars"),
    *("key", "version_id", "size_bytes", "checksum"),
}
_BEYOND_THE_FORMAT = ("as_written", "unknown_keys")
"""Fields for the members that only newer versions know: not themselves members."""
_ELSEWHERE = {(ClipReport, "sidecars")}
"""What a manifest says in its proof: its report has their places only where it is published."""

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
CONVERTER.register_structure_hook(Verification | None, _verification)
CONVERTER.register_structure_hook(ClipStatus | UnknownStatus, _status)
CONVERTER.register_unstructure_hook(UnknownStatus, lambda status: status.value)
_structure_coverage = _object(Coverage)
_unstructure_coverage = make_dict_unstructure_fn(Coverage, CONVERTER, **_renamed(Coverage))
CONVERTER.register_structure_hook(Coverage, _read_coverage)
CONVERTER.register_unstructure_hook(Coverage, _coverage_members)
_REPORT_KEYS = {"gaps", *(key_of(field.name) for field in attrs.fields(ClipReport))}
"""Also the gaps, where they were before coverage had more members."""
_structure_report = _object(ClipReport)
_unstructure_report = make_dict_unstructure_fn(ClipReport, CONVERTER, **_renamed(ClipReport))
CONVERTER.register_structure_hook(ClipReport, _read_report)
CONVERTER.register_unstructure_hook(ClipReport, _report_members)
