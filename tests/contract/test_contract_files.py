"""docs/contracts describes what the service reads and writes, and no more.

What the adapters send and receive is held against it in the fixtures of this folder.
"""

import ast
import json
import re
from typing import Any

import attrs
import pytest
from attrs import evolve
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator

from domain.clip import IDENTIFIER, ClipReport, ClipRequest, ClipStatus
from domain.coverage import Coverage, Verification
from domain.manifest import Manifest
from domain.options import ClipOptions
from infrastructure.formats.manifests import manifest_json
from infrastructure.formats.messages import read_message
from infrastructure.formats.options import read_options
from tests.contract.worlds import START_MS
from tests.golden import cases
from tests.golden.test_older_versions import GOLDENS, OF_2018
from tests.support.contracts import (
    CAMERA_API,
    FOLDER,
    KINDS,
    Exchange,
    contract,
    declared_members,
    faults,
    members,
)

VALUES = "values.schema.json"
MESSAGE: dict[str, Any] = {
    "clipId": "c1",
    "cameraId": "pier",
    "startTimestampInMs": START_MS,
    "endTimestampInMs": START_MS + 1000,
}
OF_KIND = {"report": "reports", "manifest": "manifests", "request": "bodies"}
"""What a golden calls the bodies of each kind."""


def bodies(golden: cases.Golden, kind: str) -> dict[str, Any]:
    written = golden[OF_KIND[kind]]
    return {case: json.loads(it) if isinstance(it, str) else it for case, it in written.items()}


@pytest.mark.parametrize("name", [path.name for path in FOLDER.glob("*.schema.json")])
def test_every_schema_is_valid(name: str) -> None:
    """By JSON Schema 2020-12, and so are its own examples by it."""
    Draft202012Validator.check_schema(contract(name))
    examples = contract(name).get("examples", [])
    kind = name.removesuffix(".schema.json")
    assert [fault for body in examples for fault in faults(kind, body)] == []


def test_the_description_of_the_camera_api_is_valid() -> None:
    """By OpenAPI 3.1, the schemas that it refers to included."""
    base_uri = (FOLDER / CAMERA_API).as_uri()
    validator = OpenAPIV31SpecValidator(contract(CAMERA_API), base_uri=base_uri)
    assert [str(error) for error in validator.iter_errors()] == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param(kind, body, id=f"{version} {kind} {case}")
        for version, golden in GOLDENS.items()
        for kind in OF_KIND
        for case, body in bodies(golden, kind).items()
    ],
)
def test_every_golden_is_valid(kind: str, body: object) -> None:
    """Of every version: clips stay for years, and versions run side by side."""
    assert faults(kind, body) == []


@pytest.mark.parametrize("body", OF_2018["bodies"].values())
def test_the_requests_of_2018_are_valid(body: str) -> None:
    """Once they are JSON."""
    assert faults("request", ast.literal_eval(body)) == []


@pytest.mark.parametrize("kind", OF_KIND)
def test_the_members_that_are_written_are_those_that_are_declared(kind: str) -> None:
    """A member that is added, renamed or dropped has to be in the schema, too."""
    written = bodies(cases.present(), kind)
    written.pop("unknown members", None)
    if kind == "manifest":
        for request in (cases.CHOOSING, cases.WITH_CLOCK):
            choosing = Manifest(ClipReport.available(request, Coverage()), cases.WRITER)
            written[request.options.canonical] = json.loads(manifest_json(choosing))
        written |= cases.present()["signed manifests"]
    assert set(members(list(written.values()))) == declared_members(kind)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((kind, ()) for kind in KINDS),
        *(("report", (name,)) for name in ("coverage", "thumbnail", "clip", "options")),
        *(("manifest", (name,)) for name in ("report", "footage")),
        ("manifest", ("report", "coverage")),
        ("manifest", ("report", "options")),
    ],
)
def test_unknown_members_are_valid(kind: str, path: tuple[str, ...]) -> None:
    """Wherever they survive: newer versions write them, and senders add their own to requests."""
    body = {
        "request": MESSAGE,
        "report": bodies(cases.present(), "report")["options"],
        "manifest": bodies(cases.present(), "manifest")["findings"],
        "notification": {
            "Type": "Notification",
            "Message": json.dumps(bodies(cases.present(), "report")["whole"]),
            "MessageAttributes": {
                "status": {"Type": "String", "Value": "CLIP_AVAILABLE"},
                "eventId": {"Type": "String", "Value": "0" * 32},
            },
        },
    }[kind]
    body = json.loads(json.dumps(body))
    inner = body
    for name in path:
        inner = inner.setdefault(name, {})
    inner["newer"] = {"any": ["thing"]}
    assert faults(kind, body) == []


def test_every_word_is_declared() -> None:
    """The statuses, the ways of verification, and what an id may be."""
    values = contract(VALUES)["$defs"]
    known, unknown = values["status"]["anyOf"]
    assert known["enum"] == [status.value for status in ClipStatus]
    assert re.search(unknown["pattern"], "CLIP_ARCHIVED_2")
    verified, _ = values["coverage"]["properties"]["verified"]["anyOf"]
    assert verified["enum"] == [verification.value for verification in Verification]
    assert values["identifier"]["pattern"] == f"^{IDENTIFIER}$"


def test_every_option_is_declared() -> None:
    """With its name, its default and its values."""
    declared = contract(VALUES)["$defs"]["options"]["properties"]
    fields = {field.metadata["name"]: field for field in attrs.fields(ClipOptions)}
    assert declared.keys() == fields.keys()
    for name, option in declared.items():
        assert option["default"] == json.loads(json.dumps(fields[name].default))
        assert option["description"] == fields[name].metadata["meaning"].replace("`", "")
        for value in option.get("enum") or option["examples"]:
            chosen = getattr(read_options({name: value}, ClipOptions), fields[name].name)
            assert json.loads(json.dumps(chosen)) == value


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"startTimestampInMs": str(START_MS)},
        {"startTimestampInMs": START_MS / 7},
        {"startTimestampInMs": True},
        {"startTimestampInMs": -1},
        {"startTimestampInMs": START_MS // 1000},
        {"endTimestampInMs": 10**15},
        {"endTimestampInMs": "soon"},
        {"endTimestampInMs": None},
        {"retryTimestamps": None},
        {"retryTimestamps": [1, "17"]},
        {"retryTimestamps": 5},
        {"retryTimestamps": [-1]},
        {"retryTimestamps": ["1.5"]},
        {"cameraId": "../x"},
        {"cameraId": 7},
        {"cameraId": ""},
        {"cameraId": "a" * 65},
        {"options": None},
        {"options": {}},
        {"options": {"hevc": "splice"}},
        {"options": {"hevc": None}},
        {"options": {"hevc": "vp9"}},
        {"options": {"wallClock": "Europe/Madrid"}},
        {"options": {"wallClock": "../localtime"}},
        {"options": {"previews": []}},
        {"options": {"previews": ["sprite", "sheet", "sprite"]}},
        {"options": {"previews": "sheet"}},
        {"options": {"previews": None}},
        {"options": {"previews": ["Sheet"]}},
        {"options": {"previews": [["sheet"]]}},
        {"options": {"gaps": "slate"}},
        {"options": {"gaps": None}},
        {"options": {"colour": "red"}},
        {"options": []},
        {"note": {"tags": [1, None]}},
    ],
    ids=str,
)
def test_a_request_is_valid_if_the_service_accepts_it(changes: dict[str, Any]) -> None:
    """And only then."""
    body = {**MESSAGE, **changes}
    accepted = isinstance(read_message(json.dumps(body), START_MS + 5000), ClipRequest)
    assert (faults("request", body) == []) is accepted


@pytest.mark.parametrize("missing", MESSAGE)
def test_a_request_has_four_members(missing: str) -> None:
    """One without any of them is not valid."""
    assert faults("request", {k: v for k, v in MESSAGE.items() if k != missing}) != []


AVAILABLE = bodies(cases.present(), "report")["whole"]
REJECTED = bodies(cases.present(), "report")["FATAL_ERROR"]


@pytest.mark.parametrize(
    ("report", "changes"),
    [
        pytest.param(AVAILABLE, {"bucket": None}, id="a clip without a bucket"),
        pytest.param(AVAILABLE, {"clip": {"key": "pier/c1.mp4", "url": "u"}}, id="a bare key"),
        pytest.param(AVAILABLE, {"thumbnail": {"sizes": [300]}}, id="thumbnails nowhere"),
        pytest.param(AVAILABLE, {"startTimestampInMs": "5"}, id="an instant as text"),
        pytest.param(AVAILABLE, {"coverage": {"gaps": []}}, id="an incomplete coverage"),
        pytest.param(REJECTED, {"clip": AVAILABLE["clip"]}, id="a clip after a rejection"),
        pytest.param(REJECTED, {"status": "no such status"}, id="a status in small letters"),
        pytest.param(REJECTED, {"thumbnail": AVAILABLE["thumbnail"]}, id="thumbnails of no clip"),
    ],
)
def test_a_wrong_report_is_not_valid(report: dict[str, Any], changes: dict[str, Any]) -> None:
    """Each would mislead a subscriber."""
    assert faults("report", report) == []
    assert faults("report", {**report, **changes}) != []


LISTING = Exchange(
    "GET",
    "/cameras/recording/pier%2F1?startDate=5&endDate=7&allowPartialMatch=true",
    b"",
    200,
    b'[{"recordingUrl": "a.mp4", "startDate": 5, "endDate": "2026-07-14T10:00:00Z"}]',
)
CLIP = Exchange("PUT", "/cameras/clips/c1", json.dumps(AVAILABLE).encode(), 204, b"")


@pytest.mark.parametrize(
    ("exchange", "fault"),
    [
        (LISTING, ""),
        (CLIP, ""),
        (evolve(CLIP, status=404, answer=b"{}"), ""),
        (evolve(LISTING, target=LISTING.target.replace("5", "soon")), "startDate: "),
        (evolve(LISTING, target=LISTING.target + "&page=2"), "the parameters are "),
        (evolve(LISTING, target="/cameras/recording/pier"), "the parameters are "),
        (evolve(LISTING, target="/recordings/pier"), "GET /recordings/pier is not described"),
        (evolve(LISTING, method="POST"), "POST /cameras/recording/pier%2F1 is not described"),
        (evolve(LISTING, body=b"{}"), "a body is not described"),
        (evolve(LISTING, status=302), "the answer 302 is not described"),
        (evolve(LISTING, answer=b'[{"startDate": 5}]'), "$[0]: 'recordingUrl' is a required"),
        (evolve(LISTING, answer=b'{"alias": "pier"}'), "$: {'alias': 'pier'} is not of type"),
        (evolve(CLIP, body=b"{}"), "$: 'clipId' is a required property"),
        (Exchange("GET", "/cameras/pier", b"", 200, b'{"alias": ".."}'), "$.alias: "),
        (Exchange("GET", "/cameras/a.b", b"", 200, b'{"alias": "pier"}'), "cameraId: "),
    ],
    ids=lambda it: it if isinstance(it, str) else f"{it.method} {it.target}",
)
def test_what_the_camera_api_does_not_describe_is_found(exchange: Exchange, fault: str) -> None:
    """Path, parameters, bodies and status."""
    found = exchange.faults()
    assert bool(found) is bool(fault)
    assert not fault or found[0].startswith(fault)
