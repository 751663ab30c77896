"""`make deploy`: the obstacles that it reports, and its calls of the AWS CLI."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from attrs import define, field

from deploy.deploy import package_names, template_for
from deploy.package import DEPLOYED
from deploy.wheels import ARCHITECTURES, TOP

PACKAGE = package_names(DEPLOYED)
VALUES = {
    "ArtifactsBucket": "packages",
    "CamServicesUrl": "https://cameras.acme.test",
    "RecordingsUrl": "https://cameras.acme.test",
    "ClipUrl": "https://clips.acme.test",
    "OriginBucket": "recordings",
    "DestinationBucket": "clips",
    "ThumbnailSizes": "300 640",
}

FAKE = """#!{python} -IS
import json, sys
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if sys.argv[1:3] == {failing!r}:
    sys.exit("the one line that says why")
"""


@define
class Machine:
    """A user's machine: tools on PATH, a package, settings."""

    folder: Path
    values: dict[str, str] = field(factory=VALUES.copy)
    region: str = "eu-west-1"

    def install(self, *failing: str) -> None:
        """Put an AWS CLI on PATH that logs its calls, and fails at `failing`."""
        tool = self.folder / "bin" / "aws"
        tool.parent.mkdir()
        fake = FAKE.format(
            python=os.path.realpath(sys.executable), log=str(self.log), failing=list(failing)
        )
        tool.write_text(fake)
        tool.chmod(0o755)

    def package(self, arch: str = DEPLOYED) -> None:
        self.build.mkdir(exist_ok=True)
        for name in package_names(arch):
            (self.build / name).touch()

    def deploy(
        self, *words: str, output: Literal["stdout", "stderr"] = "stderr"
    ) -> tuple[int, str]:
        """Run the command; return its exit code and its standard error, or another output."""
        settings = self.folder / "mine.env"
        settings.write_text("# mine\n\n" + "".join(f"{k}={v}\n" for k, v in self.values.items()))
        done = subprocess.run(
            [
                *(sys.executable, "-m", "deploy.deploy", *words),
                *("--package", str(self.build), "--parameters", str(settings)),
            ],
            cwd=TOP,
            env={"PATH": str(self.folder / "bin"), "AWS_REGION": self.region},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, str(getattr(done, output))

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def log(self) -> Path:
        return self.folder / "calls"

    @property
    def build(self) -> Path:
        return self.folder / "build"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with nothing on it but the settings."""
    return Machine(tmp_path)


def test_all_obstacles_are_reported_together(machine: Machine) -> None:
    """The tool, the package, sample names, and names that the template lacks."""
    machine.values |= {"OriginBucket": "recordings.example.com", "ThumbnailSize": "300"}
    code, output = machine.deploy("sandbox")
    assert code == 1
    assert output.startswith("Nothing was deployed:\n")
    assert "no AWS CLI on PATH" in output
    assert f"no {PACKAGE[0]} and no {PACKAGE[1]}: run `make package`" in output
    assert "sample names: replace OriginBucket." in output
    assert "names parameters that the template lacks: ThumbnailSize." in output


@pytest.mark.parametrize(
    ("cameras", "given", "fault"),
    [
        ("api", {"RecordingsUrl": ""}, "must name RecordingsUrl, because Cameras is api."),
        ("bucket", {}, "must name RecordingPattern, because Cameras is bucket."),
        ("bucket", {"RecordingPattern": "mediamtx", "RecordingsUrl": ""}, ""),
    ],
)
def test_what_lists_the_recordings_must_be_complete(
    machine: Machine, cameras: str, given: dict[str, str], fault: str
) -> None:
    """The function would not start."""
    machine.install()
    machine.values |= {"Cameras": cameras, **given}
    code, output = machine.deploy("sandbox", "--check")
    assert (code, fault in output) == (1 if fault else 0, True)


def test_missing_credentials_are_reported_with_the_remedy(machine: Machine) -> None:
    """And with the tool's own last line."""
    machine.install("sts", "get-caller-identity")
    machine.package()
    code, output = machine.deploy("production")
    assert code == 1
    assert "`aws configure` or `aws sso login`" in output
    assert "the one line that says why" in output
    assert [words[0] for words in machine.calls()] == ["sts"]


def test_a_missing_region_is_reported(machine: Machine) -> None:
    """It may be set in the environment or in the tool's settings."""
    machine.region = ""
    machine.install("configure", "get")
    machine.package()
    code, output = machine.deploy("staging")
    assert code == 1
    assert "export AWS_REGION" in output


@pytest.mark.parametrize("environment", ["", "prod", "../sandbox"])
def test_an_environment_must_be_named(machine: Machine, environment: str) -> None:
    """One of the three."""
    code, output = machine.deploy(environment)
    assert code == 1
    assert "make deploy ENV=sandbox|staging|production" in output


def test_the_check_needs_no_package(machine: Machine) -> None:
    """It runs before the build, which takes a while; it deploys nothing."""
    machine.install()
    assert machine.deploy("sandbox", "--check") == (0, "")
    assert [words[0] for words in machine.calls()] == ["sts"]


def test_the_package_is_uploaded_and_the_stack_updated(machine: Machine) -> None:
    """With the parameters of the settings, also those with spaces."""
    machine.install()
    machine.package()
    assert machine.deploy("staging") == (0, "")
    _, package, deploy, describe = machine.calls()
    assert package[:2] == ["cloudformation", "package"]
    assert package[package.index("--s3-bucket") + 1] == "packages"
    assert Path(package[package.index("--template-file") + 1]).parent == machine.build
    packaged = package[package.index("--output-template-file") + 1]
    assert deploy[:2] == ["cloudformation", "deploy"]
    assert deploy[deploy.index("--template-file") + 1] == packaged
    assert deploy[deploy.index("--stack-name") + 1] == "camclip-staging"
    assert deploy[deploy.index("--capabilities") + 1] == "CAPABILITY_IAM"
    overrides = deploy[deploy.index("--parameter-overrides") + 1 :]
    expected = {name: value for name, value in VALUES.items() if name != "ArtifactsBucket"}
    assert overrides == [f"{name}={value}" for name, value in expected.items()]
    assert describe[:2] == ["cloudformation", "describe-stacks"]


def test_another_processor_gets_its_own_package(machine: Machine) -> None:
    """The zips of x86_64 are asked for and uploaded, and the stack gets the parameter."""
    machine.values["Architecture"] = "x86_64"
    machine.install()
    machine.package()
    code, output = machine.deploy("sandbox")
    assert code == 1
    missing = package_names("x86_64")
    assert f"no {missing[0]} and no {missing[1]}: run `make package`" in output
    machine.package("x86_64")
    assert machine.deploy("sandbox") == (0, "")
    *_, package, deploy, _ = machine.calls()
    uploaded = Path(package[package.index("--template-file") + 1])
    assert uploaded.read_text() == template_for("x86_64")
    assert "Architecture=x86_64" in deploy


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_uploaded_template_names_the_zips_in_its_folder(arch: str) -> None:
    """Each once, and none of another processor."""
    named = re.findall(r"(?:CodeUri|ContentUri): (\S+)", template_for(arch))
    assert sorted(named) == sorted(package_names(arch))


def test_the_processor_to_package_for_is_printed(machine: Machine) -> None:
    """For `make deploy`, which packages no more than that."""
    for values, arch in (({}, DEPLOYED), ({"Architecture": "x86_64"}, "x86_64")):
        machine.values = values
        assert machine.deploy("sandbox", "--arch", output="stdout") == (0, f"{arch}\n")


def test_an_unknown_processor_is_reported(machine: Machine) -> None:
    """Before anything is packaged."""
    machine.values["Architecture"] = "arm"
    machine.install()
    code, output = machine.deploy("sandbox", "--check")
    assert code == 1
    assert "must name arm64 or x86_64 as Architecture" in output


@pytest.mark.parametrize("step", ["package", "deploy"])
def test_a_step_that_fails_is_the_last(machine: Machine, step: str) -> None:
    """Its own message is shown."""
    machine.install("cloudformation", step)
    machine.package()
    code, output = machine.deploy("sandbox")
    assert code == 1
    assert "the one line that says why" in output
    assert machine.calls()[-1][1] == step
