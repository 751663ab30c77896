"""Requests that mean harm: AWS is asked nothing for them, nor is the camera API."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from entrypoints.serve.guard import Access
from tests.integration.serve.test_hostile import (
    CLIP_PAGE,
    HOSTILE,
    TOKEN,
    address,
    methods,
    parameters,
    raw,
)
from tests.integration.serve.test_openapi import DESCRIBED
from tests.integration.serve_aws.conftest import FOOTAGE
from tests.support.served_aws import ServedAws, deployment, served_aws
from tests.support.service import World

# A stream of events has no end, and a verification is answered by 501: it is tested by itself.
VERIFICATION = "/api/v1/clips/{camera}/{clip}/verification"
schema = schemathesis.openapi.from_dict(DESCRIBED).exclude(path=["/api/v1/events", VERIFICATION])


@contextmanager
def watched(served: ServedAws) -> Iterator[list[str]]:
    """Yield the calls of the server's clients, and the requests to the camera API, from now on."""
    calls: list[str] = []
    for client in (served.service.s3(), served.service.sqs(), served.service.sns()):
        events: Any = client.meta.events
        events.register("before-call", lambda model, **_: calls.append(model.name))
    before = len(served.world.cameras.requests)
    yield calls
    calls += served.world.cameras.requests[before:]


def test_hostile_names_reach_nothing(served: ServedAws) -> None:
    """Whatever parameter of whatever route they are in."""
    with watched(served) as calls:
        for route in served.server.serving.routes():
            for parameter, bad in itertools.product(parameters(route), HOSTILE):
                for form in (quote(bad, safe=""), quote(bad, safe="/.")):
                    target = address(route, **{parameter: form})
                    if unquote(target) == CLIP_PAGE:
                        continue
                    for method in methods(route):
                        status = raw(served.server, method, target)
                        assert status in {400, 404, 405}, (method, target, status)
    assert calls == []


def test_hostile_ids_in_a_body_or_a_query_reach_nothing(served: ServedAws) -> None:
    """Of clips and of cameras."""
    with watched(served) as calls:
        for bad in HOSTILE:
            for member in ("clipId", "cameraId"):
                body = served.body(0, 2000, **{member: bad})
                refused = served.server.post("/api/v1/clips", body)
                assert refused.json()["type"] == "/api#invalid-request", bad
            listed = served.server.get("/api/v1/clips", params={"camera": bad})
            assert listed.json()["type"] == "/api#invalid-request", bad
    assert calls == []


def test_without_the_token_no_link_is_given(world: World, tmp_path: Path) -> None:
    """Nor anything else."""
    with served_aws(world, tmp_path / "state", access=Access(token=TOKEN)) as served:
        with watched(served) as calls:
            for route in served.server.serving.routes():
                for method in methods(route):
                    expected = 200 if route.path == "/static/{name}" else 401
                    assert raw(served.server, method, address(route)) == expected, route.path
        assert calls == []
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{served.server.url}/api/v1/cameras"
        assert requests.get(url, headers=bearer, timeout=30).status_code == 200


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, films: Path) -> Iterator[ServedAws]:
    """Serve a deployment with the camera and the clip that examples name."""
    folder = tmp_path_factory.mktemp("served")
    with deployment(folder, films) as world:
        world.camera_id, world.clip_id = "pier", "c1"
        world.record(FOOTAGE)
        with served_aws(world, folder / "state") as running:
            running.server.post("/api/v1/clips", running.body(0, 500))
            running.handle()
            running.server.wait_for(running.name)
            yield running


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: schemathesis.Case[Any], filled: ServedAws) -> None:
    """Whatever is sent; links are answered, and not followed."""
    case.call_and_validate(
        base_url=filled.server.url,
        excluded_checks=[positive_data_acceptance],
        allow_redirects=False,
    )


@pytest.mark.parametrize("file", ["video", "thumbnails/{width}"])
def test_links_are_described(filled: ServedAws, file: str) -> None:
    """Their status, and where they lead."""
    operation = schema[f"/api/v1/clips/{{camera}}/{{clip}}/{file}"]["GET"]
    parameters = {"camera": "pier", "clip": "c1", **({"width": 160} if "width" in file else {})}
    case = operation.Case(path_parameters=parameters)
    url = filled.server.url
    assert case.call_and_validate(base_url=url, allow_redirects=False).status_code == 307
