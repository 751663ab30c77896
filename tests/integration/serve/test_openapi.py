"""The API is what its description says: route by route, and example by example."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from entrypoints.serve import pages
from entrypoints.serve.problems import KINDS
from tests.support.recorders import START_MS, write_frigate
from tests.support.served import Served, served

OPENAPI = Path(pages.HERE, "openapi.json")
DESCRIBED = json.loads(OPENAPI.read_bytes())
PAGES = {
    "/",
    "/api",
    "/clips",
    "/clips/{camera:identifier}",
    "/clips/{camera:identifier}/{clip:identifier}",
    "/openapi.json",
    "/static/{name}",
    "/token",
}
schema = schemathesis.openapi.from_dict(DESCRIBED).exclude(path="/api/v1/events")
"""A stream of events has no end."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[Served]:
    """Serve a folder with the clip that examples name."""
    folder = tmp_path_factory.mktemp("served")
    write_frigate(folder / "dvr", films)
    with served(folder / "dvr", folder / "clips") as running:
        bounds = {"startTimestampInMs": START_MS, "endTimestampInMs": START_MS + 500}
        options = {"previews": ["sheet", "sprite"], "wallClock": "UTC"}
        body = {"cameraId": "pier", "clipId": "c1", **bounds, "options": options}
        running.post("/api/v1/clips", body)
        running.wait_for("/api/v1/clips/pier/c1")
        yield running


def test_the_description_is_valid() -> None:
    """By the OpenAPI specification."""
    openapi_spec_validator.validate(DESCRIBED)


def test_the_description_has_the_routes_and_no_others(server: Served) -> None:
    """With their methods."""
    routes = {
        (re.sub(r"{(\w+):\w+}", r"{\1}", route.path), method)
        for route in server.serving.routes()
        for method in (route.methods or set()) - {"HEAD"}
        if route.path not in PAGES
    }
    described = {
        (path, method.upper())
        for path, item in DESCRIBED["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert routes == described


def test_every_kind_of_problem_is_described() -> None:
    """Under a status of an answer, unless it is of no route."""
    text = OPENAPI.read_text()
    of_no_route = {"not-found", "wrong-method"}
    assert [k.slug for k in KINDS if k.slug not in text and k.slug not in of_no_route] == []
    assert len({kind.slug for kind in KINDS}) == len(KINDS)


def test_the_reference_has_every_operation_and_problem(server: Served) -> None:
    """As a place to link to, which the types of problems are."""
    page = server.get("/api").text
    for item in DESCRIBED["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                assert f'id="{operation["operationId"]}"' in page
    for kind in KINDS:
        assert f'id="{kind.slug}"' in page
        assert kind.type == f"/api#{kind.slug}"


@schema.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: schemathesis.Case[Any], filled: Served) -> None:
    """Whatever is sent: status, type and members; and never a fault.

    One check is left out: no schema says that a window starts before it ends.
    """
    case.call_and_validate(base_url=filled.url, excluded_checks=[positive_data_acceptance])
