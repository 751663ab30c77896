"""The commands of the 2018 service's README, as they are written there (readme_2018.json)."""

import ast
import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.deploy import package_names
from deploy.package import DEPLOYED, function_name
from domain.retry import RetryPolicy
from entrypoints.cli.sample_event import Flow, window_of
from entrypoints.settings import read_settings
from scripts import release, toc
from tests.integration.deploy.packaged import packaged

TOP = Path(__file__).parents[2]
README = json.loads(Path(__file__).with_name("readme_2018.json").read_text())
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_MAX_ATTEMPTS": "1",
    "CAM_SERVICES_URL": "http://127.0.0.1:9",
    "RECORDINGS_URL": "http://127.0.0.1:9",
    "CLIP_DOWNLOAD_DEST": "/tmp",  # noqa: S108 - the service makes a folder of its own there
    "PATH": os.environ["PATH"],
    "PYTHONPATH": str(TOP),
}
"""Requests reach port 9, discard's, where no server listens."""

LOG = """
import domain.errors as errors
from application.make_clip import ClipResult
from domain.clip import ClipReport, ClipStatus
from entrypoints.aws_lambda import log
from entrypoints.log_line import DeliveryOutcome

def all_below(kind):
    return [kind, *(found for child in kind.__subclasses__() for found in all_below(child))]

def example_of(kind):
    return kind("why", "a.mp4", ()) if kind is errors.NoPicture else kind("why")

for error in (RuntimeError("a bug"), *map(example_of, all_below(errors.ClipError))):
    log(DeliveryOutcome("m1", 10, {}, error=error))
fatal = ClipReport("c1", ClipStatus.FATAL_ERROR, reason="The camera is unknown.")
log(DeliveryOutcome("m1", 10, {}, result=ClipResult(fatal)))
"""


def run(
    *words: str, folder: Path, environ: dict[str, str] = ENVIRONMENT
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def own_settings() -> str:
    """Return sample settings with names that are no sample's."""
    text = (TOP / ".env.sample_sandbox").read_text().replace("example.com", "invalid")
    return text.replace("=cameras-", "=our-").replace("123456789012", "111122223333")


@pytest.mark.parametrize("target", README["make"])
def test_make_has_the_target(target: str) -> None:
    """`make --dry-run` finds a recipe."""
    done = run("make", "--dry-run", target, "PYTHON=python3", folder=TOP)
    assert done.returncode == 0, done.stderr


def test_make_alone_lists_the_targets() -> None:
    """Each with its purpose."""
    listed = run("make", folder=TOP).stdout
    assert {"install", "demo", "unit", "check", "release"} <= set(listed.split())
    assert set(README["make"]) <= set(listed.split())


@pytest.mark.parametrize(("command", "outcome"), README["event"].items())
def test_a_sample_event_is_written(tmp_path: Path, command: str, outcome: str) -> None:
    """event.json holds the 2018 service's message, whose window has the outcome."""
    _, script, *options = shlex.split(command)
    if not options:
        options = ["-a"]  # else the footage of a demo in this checkout would be requested
    done = run(sys.executable, str(TOP / script), *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = json.loads((tmp_path / "event.json").read_text())["Records"]
    body = ast.literal_eval(record["body"])
    assert record["body"].startswith("{'clipId'")
    sent_at_ms = int(record["attributes"]["SentTimestamp"])
    expected = window_of(Flow(outcome), RetryPolicy(), sent_at_ms)
    assert body["startTimestampInMs"] == expected.start_ms
    assert body["endTimestampInMs"] == expected.end_ms


@pytest.mark.parametrize(("command", "environment"), README["settings"].items())
def test_the_sample_settings_are_complete(tmp_path: Path, command: str, environment: str) -> None:
    """They are read without a fault, and boto3 finds its region."""
    _, source, target = shlex.split(command)
    (tmp_path / target).write_text((TOP / source).read_text())
    values = {k: v for k, v in dotenv_values(tmp_path / target).items() if v is not None}
    settings = read_settings(values)
    assert settings.aws.destination_bucket.endswith(environment)
    assert values["AWS_DEFAULT_REGION"]


def test_invoke_ends_in_the_clips_status(tmp_path: Path) -> None:
    """With settings of one's own; the camera API does not answer here."""
    (tmp_path / ".env").write_text(own_settings())
    run(sys.executable, str(TOP / "scripts/create_test_event.py"), "-p", folder=tmp_path)
    environ = {**ENVIRONMENT, "CAMCLIP_FFMPEG": "/bin/true"}
    invoke = (sys.executable, "-m", "entrypoints.invoke", "event.json")
    done = run(*invoke, folder=tmp_path, environ=environ)
    assert done.returncode == 0, done.stderr
    assert ": GIVEN_BACK, " in done.stdout.splitlines()[-1]
    assert done.stderr == "To find the fault: `camclip doctor --aws` checks the deployment.\n"


def test_the_sample_settings_end_in_one_sentence(tmp_path: Path) -> None:
    """`make sbox event invoke` says what to do; nothing is called."""
    for name in ("Makefile", "scripts", "deploy", ".env.sample_sandbox"):
        (tmp_path / name).symlink_to(TOP / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    environ = {name: ENVIRONMENT[name] for name in ("PATH", "PYTHONPATH")}
    # The installation is taken as it is, however old its stamp.
    words = ("make", "PYTHON=python3", "--old-file", ".venv/command-installed")
    done = run(*words, "sbox", "event", "invoke", folder=tmp_path, environ=environ)
    assert done.returncode != 0
    sentence, *failure = done.stderr.splitlines()
    assert sentence == (
        "CLIP_URL, S3_BUCKET_ORIGIN, S3_BUCKET_DESTINATION, AWS_SNS_TOPIC, AWS_SQS_QUEUE_URL,"
        " CAM_SERVICES_URL, RECORDINGS_URL still have a sample's values: replace them in .env, or"
        " run `make local-aws`, which makes a clip without AWS."
    )
    assert [line[:5] for line in failure] == ["make:"]


def test_without_settings_invoke_names_the_samples(tmp_path: Path) -> None:
    """After all that is missing."""
    run(sys.executable, str(TOP / "scripts/create_test_event.py"), "-p", folder=tmp_path)
    environ = {name: ENVIRONMENT[name] for name in ("PATH", "PYTHONPATH")}
    done = run(
        sys.executable, "-m", "entrypoints.invoke", "event.json", folder=tmp_path, environ=environ
    )
    assert done.returncode == 1
    assert "CLIP_URL is not set" in done.stderr
    assert done.stderr.splitlines()[-1] == "`make sbox` writes a .env to start from."


@pytest.mark.parametrize("content", [None, "no JSON", "{}", '{"Records": [1]}'])
def test_invoke_rejects_other_events_in_one_line(tmp_path: Path, content: str | None) -> None:
    """It names the file and the fault."""
    (tmp_path / ".env").write_text(own_settings())
    if content is not None:
        (tmp_path / "event.json").write_text(content)
    environ = {**ENVIRONMENT, "CAMCLIP_FFMPEG": "/bin/true"}
    invoke = (sys.executable, "-m", "entrypoints.invoke", "event.json")
    done = run(*invoke, folder=tmp_path, environ=environ)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("event.json ")


def test_the_package_has_its_name(packages: Path) -> None:
    """`unzip -l` lists the handler and the libraries."""
    path = Path(shlex.split(README["package"])[-1])
    assert path.parent.name == "dist"
    assert path.name == function_name(DEPLOYED) == package_names(DEPLOYED)[0]
    function, _ = packaged(packages, DEPLOYED)
    with zipfile.ZipFile(function) as zipped:
        assert {"entrypoints/aws_lambda.py", "boto3/__init__.py"} <= set(zipped.namelist())


def test_the_log_filter_finds_every_failure(tmp_path: Path) -> None:
    """CloudWatch's filter patterns distinguish case: a line must contain the literal term."""
    term = shlex.split(README["log filter"])[-1]
    (tmp_path / ".env").write_text((TOP / ".env.sample_sandbox").read_text())
    settings = {k: v for k, v in dotenv_values(tmp_path / ".env").items() if v is not None}
    environ = {**settings, **ENVIRONMENT, "CAMCLIP_FFMPEG": "/bin/true"}
    done = run(sys.executable, "-c", LOG, folder=tmp_path, environ=environ)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) > 10
    assert [line for line in lines if term not in _terms(json.loads(line))] == []


def _terms(line: dict[str, object]) -> set[str]:
    """Return the names of the members and the words of the message."""
    return {*line, *str(line["message"]).split()}


def test_the_table_of_contents_lists_the_headings() -> None:
    """`make doctoc`, between its two markers; a second run changes nothing."""
    text = "# T\n\n<!-- toc -->\n<!-- /toc -->\n\n## A `b` c\n\n```\n## no\n```\n### D\n## D\n"
    updated = toc.with_toc(text)
    assert "<!-- toc -->\n- [A `b` c](#a-b-c)\n  - [D](#d)\n- [D](#d-1)\n<!-- /toc -->" in updated
    assert toc.with_toc(updated) == updated
    with pytest.raises(ValueError, match="Add the lines"):
        toc.with_toc("# T\n")


def test_a_release_moves_the_unreleased_changes(tmp_path: Path) -> None:
    """The section gets version and date; an empty one is rejected, and so is a version twice."""
    text = "# Changelog\n\n## [Unreleased]\n\n### Added\n- A.\n\n## [0.0.1] - 2020-01-01\n- Z.\n"
    updated = release.released(text, "0.1.0", "2026-01-02")
    assert "## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n\n### Added\n- A.\n" in updated
    assert "Z." not in release.section_of(updated, "0.1.0")
    for twice in (updated, text.replace("0.0.1", "0.1.0")):
        with pytest.raises(release.CannotRelease):
            release.released(twice, "0.1.0", "2026-01-02")
    (tmp_path / "a.zip").write_bytes(b"abc")
    assert release.checksums(tmp_path).startswith("ba7816bf")  # FIPS 180-4's example


def test_a_dry_run_of_a_release_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the notes."""
    before = (TOP / "CHANGELOG.md").read_text(), (TOP / "pyproject.toml").read_text()
    assert release.main(["99.0.0", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("## [99.0.0] - ")
    assert before == ((TOP / "CHANGELOG.md").read_text(), (TOP / "pyproject.toml").read_text())
    assert release.main(["next", "--dry-run"]) == 1


def test_the_functions_lock_is_part_of_the_project() -> None:
    """runtime.in names dependencies of pyproject.toml; both locks agree on every version."""
    folder = TOP / "deploy" / "requirements"
    lines = (folder / "runtime.in").read_text().splitlines()
    project = (TOP / "pyproject.toml").read_text()
    assert [n for n in lines if not n.startswith("#") and f'"{n}",' not in project] == []
    pinned = [
        {line.split()[0] for line in (folder / name).read_text().splitlines() if "==" in line}
        for name in ("runtime.txt", "local.txt", "dev.txt")
    ]
    assert pinned[0] <= pinned[1] <= pinned[2]
