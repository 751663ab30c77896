"""Bring the package and the template to AWS: what `make deploy ENV=...` runs.

It needs the AWS CLI alone. SAM's own tool would bring nothing: the package is built already, and
CloudFormation itself understands the template.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.wheels import TOP

ENVIRONMENTS = ("sandbox", "staging", "production")
TEMPLATE = TOP / "deploy" / "template.yaml"
PACKAGE = ("cameras-service-generate-clip.zip", "ffmpeg-layer-arm64.zip")
ARTIFACTS = "ArtifactsBucket"
PLACEHOLDER = "example.com"


def read_environment(path: Path) -> dict[str, str]:
    """Read lines of the form Name=value."""
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def template_parameters() -> set[str]:
    """Return the names of the template's parameters."""
    (section,) = re.findall(
        r"^Parameters:\n(.*?)^\S", TEMPLATE.read_text(), re.DOTALL | re.MULTILINE
    )
    return set(re.findall(r"^  (\w+):", section, re.MULTILINE))


def what_is_missing(environment: str, path: Path) -> Iterator[str]:
    """Say what stands in the way, each with its remedy."""
    values = read_environment(path)
    if placeholders := [name for name, value in values.items() if PLACEHOLDER in value]:
        yield f"{_shown(path)} still has made-up names: put yours in for {', '.join(placeholders)}."
    if unknown := sorted(set(values) - template_parameters() - {ARTIFACTS}):
        yield f"{_shown(path)} names what the template does not know: {', '.join(unknown)}."
    if not values.get(ARTIFACTS):
        yield f"{_shown(path)} must name {ARTIFACTS}, a bucket for the package."
    if not shutil.which("aws"):
        yield "There is no AWS CLI on PATH: https://aws.amazon.com/cli"
        return
    asked = _aws("sts", "get-caller-identity")
    if asked.returncode:
        yield f"AWS does not know you: run `aws configure` or `aws sso login`. {_last(asked)}"
    if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        asked = _aws("configure", "get", "region")
        if asked.returncode:
            yield f"No region is set: `export AWS_REGION=...`, that of {environment}'s recordings."


def deploy(environment: str, values: Mapping[str, str], package: Path) -> int:
    """Upload the package and bring the stack up to date; the AWS CLI's exit code."""
    packaged = package / f"template-{environment}.yaml"
    stack = f"camclip-{environment}"
    parameters = [f"{name}={value}" for name, value in values.items() if name != ARTIFACTS]
    steps: Sequence[Sequence[str]] = (
        (
            *("package", "--template-file", str(TEMPLATE)),
            *("--s3-bucket", values[ARTIFACTS], "--s3-prefix", "camclip"),
            *("--output-template-file", str(packaged)),
        ),
        (
            *("deploy", "--template-file", str(packaged), "--stack-name", stack),
            *("--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset"),
            *("--tags", "service=camclip", f"environment={environment}"),
            *("--parameter-overrides", *parameters),
        ),
        (
            *("describe-stacks", "--stack-name", stack, "--output", "table"),
            *("--query", "Stacks[0].Outputs[].[OutputKey,OutputValue]"),
        ),
    )
    for step in steps:
        done = subprocess.run(["aws", "cloudformation", *step], check=False)  # noqa: S607 - the user's
        if done.returncode:
            return done.returncode
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Deploy, or say what is missing; 1 if anything is."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("environment", metavar="ENV", help=" or ".join(ENVIRONMENTS))
    parser.add_argument("--check", action="store_true", help="only say what is missing")
    parser.add_argument("--parameters", type=Path, help="default: deploy/environments/ENV.env")
    parser.add_argument("--package", type=Path, default=TOP / "dist", help="where the package is")
    asked = parser.parse_args(argv)
    if asked.environment not in ENVIRONMENTS:
        return _refuse([f"Say where to: make deploy ENV={'|'.join(ENVIRONMENTS)}"])
    path = asked.parameters or TOP / "deploy" / "environments" / f"{asked.environment}.env"
    if not path.is_file():
        return _refuse([f"There is no {_shown(path)}."])
    missing = list(what_is_missing(asked.environment, path))
    absent = [name for name in PACKAGE if not (asked.package / name).is_file()]
    if absent and not asked.check:
        missing.append(f"There is no {' and no '.join(absent)}: run `make package`.")
    if missing:
        return _refuse(missing)
    if asked.check:
        return 0
    return 1 if deploy(asked.environment, read_environment(path), asked.package) else 0


def _refuse(faults: Sequence[str]) -> int:
    sys.stderr.write("Nothing was deployed:\n" + "".join(f"  {fault}\n" for fault in faults))
    return 1


def _aws(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["aws", *words], capture_output=True, text=True, check=False)  # noqa: S607


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    return next(iter(reversed(done.stderr.strip().splitlines())), "")


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
