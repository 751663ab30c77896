"""The files of docs/contracts, and what is wrong with a body by them."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import yaml  # type: ignore[import-untyped]
from attrs import frozen
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from referencing import Registry
from referencing.jsonschema import DRAFT202012

FOLDER = Path(__file__).parents[2] / "docs" / "contracts"
KINDS = ("request", "report", "notification", "manifest")
CAMERA_API = "camera-api.openapi.yaml"
JSON_BODY = "content/application~1json/schema"


@cache
def contract(name: str) -> Any:  # noqa: ANN401 - JSON or YAML
    """Return the contents of a file."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return json.loads(text) if name.endswith(".json") else yaml.safe_load(text)


@cache
def _registry() -> Registry[Any]:
    names = (*(path.name for path in FOLDER.glob("*.schema.json")), CAMERA_API)
    return Registry().with_resources(
        (name, DRAFT202012.create_resource(contract(name))) for name in names
    )


def faults(kind: str, body: object) -> list[str]:
    """Return what is wrong with a request, report, notification or manifest; empty if nothing."""
    found = _faults(f"{kind}.schema.json", body)
    if kind == "notification" and not found:
        assert isinstance(body, dict)
        found = faults("report", json.loads(body["Message"]))
    return found


def _faults(ref: str, value: object) -> list[str]:
    validator = Draft202012Validator({"$ref": ref}, registry=_registry())
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def declared_members(kind: str) -> set[str]:
    """Return the path of each member that a schema declares, such as `/coverage/gaps/name`."""
    return set(_declared(contract(f"{kind}.schema.json"), f"{kind}.schema.json", ""))


def _declared(schema: Any, base: str, path: str) -> Iterator[str]:  # noqa: ANN401 - a schema
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        resolved = _registry().resolver(base).lookup(schema["$ref"])
        name = schema["$ref"].partition("#")[0] or base
        yield from _declared(resolved.contents, name, path)
    for branch in (*schema.get("anyOf", ()), schema.get("items")):
        yield from _declared(branch, base, path)
    for key, member in schema.get("properties", {}).items():
        yield f"{path}/{key}"
        yield from _declared(member, base, f"{path}/{key}")


def members(value: object, path: str = "") -> Iterator[str]:
    """Yield the path of each member of a value, as `declared_members` does."""
    if isinstance(value, list):
        for item in value:
            yield from members(item, path)
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{path}/{key}"
            yield from members(member, f"{path}/{key}")


@frozen
class Exchange:
    """A request to the camera API, and its answer."""

    method: str
    target: str
    """Path and query."""
    body: bytes
    status: int
    answer: bytes

    def faults(self) -> list[str]:
        """Return what the API's document does not describe of it; empty if it describes all."""
        url = urlsplit(self.target)
        for template, path in contract(CAMERA_API)["paths"].items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
            found = re.fullmatch(pattern, url.path)
            if found and self.method.lower() in path:
                given = {name: unquote(text) for name, text in found.groupdict().items()}
                given |= dict(parse_qsl(url.query, keep_blank_values=True))
                where = f"/paths/{_pointer(template)}/{self.method.lower()}"
                return [*_parameter_faults(where, given), *self._body_faults(where)]
        return [f"{self.method} {url.path} is not described"]

    def _body_faults(self, where: str) -> Iterator[str]:
        operation = _at(where)
        if "requestBody" in operation:
            ref = f"{CAMERA_API}#{where}/requestBody/{JSON_BODY}"
            yield from _faults(ref, json.loads(self.body))
        elif self.body:
            yield "a body is not described"
        answers = operation["responses"]
        forms = (str(self.status), f"{self.status // 100}XX")
        described = [form for form in forms if form in answers]
        if not described:
            yield f"the answer {self.status} is not described"
            return
        place = f"{where}/responses/{described[0]}"
        place = _at(place).get("$ref", place).removeprefix("#")
        if "content" in _at(place):
            yield from _faults(f"{CAMERA_API}#{place}/{JSON_BODY}", json.loads(self.answer))


def _parameter_faults(where: str, given: Mapping[str, str]) -> Iterator[str]:
    described = {each["name"]: at for at, each in enumerate(_at(where)["parameters"])}
    if set(given) != set(described):
        yield f"the parameters are {sorted(given)}, described are {sorted(described)}"
        return
    for name, text in given.items():
        ref = f"{CAMERA_API}#{where}/parameters/{described[name]}/schema"
        forms = (text, int(text)) if text.isdecimal() else (text,)
        wrong = [_faults(ref, form) for form in forms]
        if all(wrong):
            yield f"{name}: {wrong[0]}"


def _at(pointer: str) -> Any:  # noqa: ANN401 - a part of the document
    return _registry().resolver(CAMERA_API).lookup(f"#{pointer}").contents


def _pointer(key: str) -> str:
    """Return a key as a part of a JSON pointer in an address (RFC 6901, 6)."""
    return quote(key.replace("~", "~0").replace("/", "~1"))
