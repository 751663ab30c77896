"""Deploy the package and the template to AWS: `make deploy ENV=...`.

The AWS CLI is enough. The package is built already, and CloudFormation itself understands the
template, so that SAM's own tool is not needed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deploy.package import DEPLOYED, function_name, layer_name
from deploy.wheels import ARCHITECTURES, TOP

ENVIRONMENTS = ("sandbox", "staging", "production")
TEMPLATE = TOP / "deploy" / "template.yaml"
ARTIFACTS = "ArtifactsBucket"
ARCHITECTURE = "Architecture"
PLACEHOLDER = "example.com"
CAMERAS = "Cameras"
NEEDED_FOR_CAMERAS = {"api": ("CamServicesUrl", "RecordingsUrl"), "bucket": ("RecordingPattern",)}
"""By the value of `Cameras`: what the service does not start without."""


def read_environment(path: Path) -> dict[str, str]:
    """Read lines of the form Name=value; a byte order mark and quotes are left out."""
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def architecture(values: Mapping[str, str]) -> str:
    """Return the processor that the parameters name, or the template's default."""
    return values.get(ARCHITECTURE, DEPLOYED)


def package_names(arch: str) -> tuple[str, str]:
    """Return the names of a processor's zips: the function's and the layer's."""
    return function_name(arch), layer_name(arch)


def template_for(arch: str) -> str:
    """Return the template with the names of a processor's zips, relative to their own folder.

    The AWS CLI uploads literal paths only: no parameter can choose them.
    """
    text = TEMPLATE.read_text()
    for named, wanted in zip(package_names(DEPLOYED), package_names(arch), strict=True):
        text = text.replace(f"../dist/{named}", wanted)
    return text


def template_parameters() -> set[str]:
    """Return the names of the template's parameters."""
    (section,) = re.findall(
        r"^Parameters:\n(.*?)^\S", TEMPLATE.read_text(), re.DOTALL | re.MULTILINE
    )
    return set(re.findall(r"^  (\w+):", section, re.MULTILINE))


def find_obstacles(path: Path) -> Iterator[str]:
    """Yield each obstacle to a deployment, with its remedy."""
    values = read_environment(path)
    if placeholders := [name for name, value in values.items() if PLACEHOLDER in value]:
        yield f"{_shown(path)} still has sample names: replace {', '.join(placeholders)}."
    if unknown := sorted(set(values) - template_parameters() - {ARTIFACTS}):
        yield f"{_shown(path)} names parameters that the template lacks: {', '.join(unknown)}."
    source = values.get(CAMERAS, "api")
    if unset := [name for name in NEEDED_FOR_CAMERAS.get(source, ()) if not values.get(name)]:
        yield f"{_shown(path)} must name {' and '.join(unset)}, because {CAMERAS} is {source}."
    if architecture(values) not in ARCHITECTURES:
        yield f"{_shown(path)} must name {' or '.join(ARCHITECTURES)} as {ARCHITECTURE}."
    if not values.get(ARTIFACTS):
        yield f"{_shown(path)} must name {ARTIFACTS}, a bucket for the package."
    if not shutil.which("aws"):
        yield "There is no AWS CLI on PATH: install it, https://aws.amazon.com/cli"
        return
    answer = _aws("sts", "get-caller-identity")
    if answer.returncode:
        yield f"AWS accepts no credentials: run `aws configure` or `aws sso login`. {_last(answer)}"
    if not (os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")):
        answer = _aws("configure", "get", "region")
        if answer.returncode:
            yield "No region is set: `export AWS_REGION=...`, the region of the recordings."


def deploy(environment: str, values: Mapping[str, str], package: Path) -> int:
    """Upload the package and update the stack; return the AWS CLI's exit code."""
    template = package / f"template-{environment}.in.yaml"
    template.write_text(template_for(architecture(values)))
    packaged = package / f"template-{environment}.yaml"
    stack = f"camclip-{environment}"
    parameters = [f"{name}={value}" for name, value in values.items() if name != ARTIFACTS]
    steps: Sequence[Sequence[str]] = (
        (
            *("package", "--template-file", str(template)),
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
    """Deploy, or print the obstacles; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("environment", metavar="ENV", help=" or ".join(ENVIRONMENTS))
    parser.add_argument("--check", action="store_true", help="only print obstacles")
    parser.add_argument("--arch", action="store_true", help="only print the function's processor")
    parser.add_argument("--parameters", type=Path, help="default: deploy/environments/ENV.env")
    parser.add_argument("--package", type=Path, default=TOP / "dist", help="where the package is")
    options = parser.parse_args(argv)
    if options.environment not in ENVIRONMENTS:
        return _fail([f"Name an environment: make deploy ENV={'|'.join(ENVIRONMENTS)}"])
    path = options.parameters or TOP / "deploy" / "environments" / f"{options.environment}.env"
    if not path.is_file():
        return _fail([f"There is no {_shown(path)}."])
    values = read_environment(path)
    if options.arch:
        sys.stdout.write(f"{architecture(values)}\n")
        return 0
    missing = list(find_obstacles(path))
    absent = [
        name
        for name in package_names(architecture(values))
        if not (options.package / name).is_file()
    ]
    if absent and not options.check:
        missing.append(f"There is no {' and no '.join(absent)}: run `make package`.")
    if missing:
        return _fail(missing)
    if options.check:
        return 0
    return 1 if deploy(options.environment, values, options.package) else 0


def _fail(obstacles: Sequence[str]) -> int:
    sys.stderr.write(
        "Nothing was deployed:\n" + "".join(f"  {obstacle}\n" for obstacle in obstacles)
    )
    return 1


def _aws(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["aws", *words], capture_output=True, text=True, check=False)  # noqa: S607


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    return next(iter(reversed(done.stderr.strip().splitlines())), "")


def _shown(path: Path) -> str:
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
