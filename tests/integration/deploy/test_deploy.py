"""`make deploy`: what it says where something is missing, and what it asks of the AWS CLI."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import define, field

from deploy.deploy import PACKAGE
from deploy.wheels import TOP

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
class Desk:
    """Somebody's machine: tools on PATH, a package, settings."""

    folder: Path
    values: dict[str, str] = field(factory=VALUES.copy)
    region: str = "eu-west-1"

    def install(self, *failing: str) -> None:
        """Put an AWS CLI on PATH that notes what it is asked, and fails at `failing`."""
        tool = self.folder / "bin" / "aws"
        tool.parent.mkdir()
        fake = FAKE.format(
            python=os.path.realpath(sys.executable), log=str(self.log), failing=list(failing)
        )
        tool.write_text(fake)
        tool.chmod(0o755)

    def package(self) -> None:
        self.build.mkdir()
        for name in PACKAGE:
            (self.build / name).touch()

    def deploy(self, *words: str) -> tuple[int, str]:
        """Run the command; return its exit code and what it says."""
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
        return done.returncode, done.stderr

    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    @property
    def log(self) -> Path:
        return self.folder / "asked"

    @property
    def build(self) -> Path:
        return self.folder / "build"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A machine with nothing on it but the settings."""
    return Desk(tmp_path)


def test_all_that_is_missing_is_said_at_once(desk: Desk) -> None:
    """The tool, the package, one's own names, and names that the template does not know."""
    desk.values |= {"OriginBucket": "recordings.example.com", "ThumbnailSize": "300"}
    code, said = desk.deploy("sandbox")
    assert code == 1
    assert said.startswith("Nothing was deployed:\n")
    assert "no AWS CLI on PATH" in said
    assert f"no {PACKAGE[0]} and no {PACKAGE[1]}: run `make package`" in said
    assert "made-up names: put yours in for OriginBucket." in said
    assert "names what the template does not know: ThumbnailSize." in said


def test_without_credentials_it_says_how_to_get_some(desk: Desk) -> None:
    """And what the tool said."""
    desk.install("sts", "get-caller-identity")
    desk.package()
    code, said = desk.deploy("production")
    assert code == 1
    assert "`aws configure` or `aws sso login`" in said
    assert "the one line that says why" in said
    assert [words[0] for words in desk.asked()] == ["sts"]


def test_without_a_region_it_says_so(desk: Desk) -> None:
    """One of the environment, or of the tool's settings."""
    desk.region = ""
    desk.install("configure", "get")
    desk.package()
    code, said = desk.deploy("staging")
    assert code == 1
    assert "export AWS_REGION" in said


@pytest.mark.parametrize("environment", ["", "prod", "../sandbox"])
def test_an_environment_must_be_named(desk: Desk, environment: str) -> None:
    """One of the three."""
    code, said = desk.deploy(environment)
    assert code == 1
    assert "make deploy ENV=sandbox|staging|production" in said


def test_the_check_wants_no_package_yet(desk: Desk) -> None:
    """It comes before the building, which takes a while; it deploys nothing."""
    desk.install()
    assert desk.deploy("sandbox", "--check") == (0, "")
    assert [words[0] for words in desk.asked()] == ["sts"]


def test_the_package_goes_up_and_the_stack_follows(desk: Desk) -> None:
    """With the parameters of the settings, whole even where they have spaces."""
    desk.install()
    desk.package()
    assert desk.deploy("staging") == (0, "")
    _, package, deploy, describe = desk.asked()
    assert package[:2] == ["cloudformation", "package"]
    assert package[package.index("--s3-bucket") + 1] == "packages"
    assert package[package.index("--template-file") + 1] == str(TOP / "deploy/template.yaml")
    packaged = package[package.index("--output-template-file") + 1]
    assert deploy[:2] == ["cloudformation", "deploy"]
    assert deploy[deploy.index("--template-file") + 1] == packaged
    assert deploy[deploy.index("--stack-name") + 1] == "camclip-staging"
    assert deploy[deploy.index("--capabilities") + 1] == "CAPABILITY_IAM"
    overrides = deploy[deploy.index("--parameter-overrides") + 1 :]
    wanted = {name: value for name, value in VALUES.items() if name != "ArtifactsBucket"}
    assert overrides == [f"{name}={value}" for name, value in wanted.items()]
    assert describe[:2] == ["cloudformation", "describe-stacks"]


@pytest.mark.parametrize("step", ["package", "deploy"])
def test_a_step_that_fails_is_the_last(desk: Desk, step: str) -> None:
    """Its own words are shown."""
    desk.install("cloudformation", step)
    desk.package()
    code, said = desk.deploy("sandbox")
    assert code == 1
    assert "the one line that says why" in said
    assert desk.asked()[-1][1] == step
