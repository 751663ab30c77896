"""The worker's files for Docker, Kubernetes and systemd agree with its code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from attrs import frozen

from entrypoints.settings import VARIABLES, read_clip_settings
from entrypoints.worker.supervisor import RELEASE_S

TOP = Path(__file__).parents[2]
FOLDER = TOP / "deploy" / "worker"
PAGE = (TOP / "docs" / "worker.md").read_text(encoding="utf-8")


@frozen
class Platform:
    """What a file sets."""

    environ: dict[str, str]
    stop_s: int
    """How long the platform waits after SIGTERM before it kills."""


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def pod() -> dict[str, Any]:
    document = yaml.safe_load(text_of("kubernetes.yaml"))
    labels = document["spec"]["template"]["metadata"]["labels"]
    assert document["spec"]["selector"]["matchLabels"] == labels
    return dict(document["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    [only] = pod()["containers"]
    return dict(only)


def kubernetes() -> Platform:
    environ = {entry["name"]: entry["value"] for entry in container()["env"]}
    return Platform(environ, pod()["terminationGracePeriodSeconds"])


def compose() -> Platform:
    service = yaml.safe_load(text_of("compose.yaml"))["services"]["worker"]
    return Platform(service["environment"], int(service["stop_grace_period"].removesuffix("s")))


def systemd() -> Platform:
    unit = text_of("camclip-worker.service")
    environ = dict(re.findall(r"^Environment=(\w+)=(.*)$", unit, re.MULTILINE))
    [stop_s] = re.findall(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    return Platform(environ, int(stop_s))


PLATFORMS = [kubernetes, compose, systemd]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_delivery_is_interrupted(platform: Any) -> None:  # noqa: ANN401 - one of these
    """WORKER_GRACE is as long as a delivery, and the platform waits for longer."""
    grace_s = int(platform().environ["WORKER_GRACE"])
    assert grace_s >= read_clip_settings({}).function_timeout_s
    assert platform().stop_s >= grace_s + RELEASE_S
    assert f"{platform().stop_s} s before" in " ".join(PAGE.split())


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_variable_is_a_setting(platform: Any) -> None:  # noqa: ANN401 - one of these
    """A misspelt one would be ignored."""
    assert set(platform().environ) <= VARIABLES


def test_the_pod_writes_to_its_volumes_alone() -> None:
    """Its root is read-only: scratch folder and health file are on a mounted volume."""
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    mounted = {mount["mountPath"]: mount["name"] for mount in container()["volumeMounts"]}
    assert set(mounted.values()) == {volume["name"] for volume in pod()["volumes"]}
    environ = kubernetes().environ
    assert environ["CLIP_DOWNLOAD_DEST"] in mounted
    assert str(Path(environ["WORKER_HEALTH_FILE"]).parent) in mounted
    [port] = container()["ports"]
    assert str(port["containerPort"]) == environ["WORKER_METRICS_PORT"]


def test_the_pod_and_the_image_check_health_alike() -> None:
    """By the command that the worker's own tests run."""
    dockerfile = text_of("Dockerfile")
    [health] = re.findall(r"CMD (\[.*\])", dockerfile)
    assert yaml.safe_load(health) == container()["livenessProbe"]["exec"]["command"]
    assert '"entrypoints.worker", "--check-health"]' in health
