"""The package: complete, small, reproducible, and sufficient to run."""

import json
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from deploy.contents import bytecode, our_modules
from deploy.package import LIMIT_BYTES, build_function, check_size, main
from deploy.wheels import ARCHITECTURES, PYTHON, THIS_ARCHITECTURE, THIS_PYTHON, CannotPackage
from tests.integration.deploy.packaged import packaged, packaged_function
from tests.support.keys import SIGNING_KEY
from tests.support.service import clip_body, sqs_record

MACHINES = {"arm64": 183, "x86_64": 62}
"""e_machine of an ELF header (ELF specification): EM_AARCH64, EM_X86_64."""

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "made-up-secret",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_MAX_ATTEMPTS": "1",
    "CAM_SERVICES_URL": "http://127.0.0.1:9",
    "RECORDINGS_URL": "http://127.0.0.1:9",
    "CLIP_URL": "http://127.0.0.1:9",
    "S3_BUCKET_ORIGIN": "recordings",
    "S3_BUCKET_DESTINATION": "clips",
    "AWS_SNS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:clips",
    "AWS_SQS_QUEUE_URL": "http://127.0.0.1:9/123456789012/requests",
    "CAMCLIP_FFMPEG": "/bin/true",
}
"""Nothing answers there: port 9 is discard's."""

OTHER_ARCHITECTURE = next(arch for arch in ARCHITECTURES if arch != THIS_ARCHITECTURE)
SENT_MS = 1_784_023_692_345
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
from entrypoints.aws_lambda import handler

class Context:
    function_name, memory_limit_in_mb, aws_request_id = "f", 1769, "r"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:f"

    def get_remaining_time_in_millis(self):
        return 60_000

responses = [handler(event, Context()) for event in json.loads(sys.argv[2])]
files = [getattr(module, "__file__", None) for module in sys.modules.values()]
print(json.dumps([responses, [file for file in files if file], list(sys.modules)]))
"""


@frozen
class Built:
    """The zips for a processor."""

    arch: str
    function: Path
    layer: Path


@pytest.fixture(scope="module")
def unpacked(packages: Path) -> Path:
    """The function's package, unpacked, for this machine."""
    return packaged_function(packages)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def built(request: pytest.FixtureRequest, packages: Path) -> Built:
    """The zips for each processor."""
    arch = str(request.param)
    return Built(arch, *packaged(packages, arch))


def test_the_handler_runs_with_nothing_else_on_its_path(unpacked: Path) -> None:
    """It handles an empty batch, an unreadable message, and one for which AWS does not answer.

    The interpreter sees the package and the standard library, and no commands are loaded.
    """
    request = clip_body("c1", "pier", SENT_MS - 92_345, SENT_MS - 91_345)
    events = [
        {"Records": []},
        {"Records": [sqs_record("gibberish", SENT_MS, messageId="m1")]},
        {"Records": [sqs_record(request, SENT_MS, messageId="m1")]},
    ]
    done = subprocess.run(
        [
            *(os.path.realpath(sys.executable), "-I", "-S", "-B", "-W", "error", "-c", RUN),
            *(str(unpacked), json.dumps(events)),
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    responses, files, modules = json.loads(done.stdout.splitlines()[-1])
    back = {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert responses == [{"batchItemFailures": []}, back, back]
    foreign = [f for f in files if not f.startswith((str(unpacked), sys.base_prefix))]
    assert foreign == []
    assert not {"typer", "rich", "imageio_ffmpeg", "entrypoints.cli.app"} & set(modules)
    fault = json.loads(done.stdout.splitlines()[-2])
    assert fault["clipId"] == "c1"
    assert "EndpointConnectionError" in fault["fault"]


def test_a_key_is_loaded_only_if_there_is_one(unpacked: Path) -> None:
    """The package can sign, and a function without a key does not wait for the library."""
    for key, is_loaded in (("", False), (SIGNING_KEY, True)):
        done = subprocess.run(
            [
                *(os.path.realpath(sys.executable), "-I", "-S", "-B", "-W", "error", "-c", RUN),
                *(str(unpacked), "[]"),
            ],
            env={**ENVIRONMENT, "PROOF_KEY": key},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        _, _, modules = json.loads(done.stdout.splitlines()[-1])
        assert ("cryptography" in modules) is is_loaded


@pytest.mark.parametrize("built", [OTHER_ARCHITECTURE], indirect=True)
def test_two_builds_are_the_same_byte_for_byte(tmp_path: Path, built: Built) -> None:
    """The order in which files were written does not matter; this machine's build is next."""
    again = build_function(built.arch, PYTHON, tmp_path)
    assert again.read_bytes() == built.function.read_bytes()
    with zipfile.ZipFile(again) as zipped:
        assert {entry.date_time for entry in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert zipped.namelist() == sorted(zipped.namelist())


def test_two_builds_with_bytecode_are_the_same(tmp_path: Path, unpacked: Path) -> None:
    """Bytecode is for the target's Python, and is marked as not to be checked."""
    again = build_function(THIS_ARCHITECTURE, THIS_PYTHON, tmp_path)
    first = unpacked.parent / again.name
    assert again.read_bytes() == first.read_bytes()
    with zipfile.ZipFile(again) as zipped:
        sources = {n for n in zipped.namelist() if n.endswith(".py")}
        compiled = {n for n in zipped.namelist() if n.endswith(".pyc")}
        assert len(compiled) == len(sources)
        # PEP 552: flags 0b01 are "hash-based, unchecked".
        assert {zipped.read(name)[4:8] for name in compiled} == {b"\1\0\0\0"}


def test_bytecode_names_no_folder_of_the_build() -> None:
    """Tracebacks name the files as Lambda has them."""
    sources = {"some/module.py": b"def f():\n    return {'a', 'b'}\n", "some/data.json": b"{}"}
    one, other = (bytecode(sources, THIS_PYTHON, sys.executable) for _ in range(2))
    (code,) = one.values()
    assert one == other
    assert b"/var/task/some/module.py" in code


def test_bytecode_of_another_python_is_rejected() -> None:
    """Lambda would ignore it."""
    with pytest.raises(CannotPackage, match=r"no Python 3\.9"):
        bytecode({}, "3.9", sys.executable)


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as zipped:
        return zipped.namelist()


def test_the_function_holds_only_files_that_lambda_loads(built: Built) -> None:
    """Every top-level name is known, and none has files that Lambda never loads."""
    held = names(built.function)
    tops = {name.partition("/")[0] for name in held}
    packages = {top.partition(".")[0] for top in tops if not top.endswith(".dist-info")}
    assert packages <= {
        *("domain", "application", "infrastructure", "entrypoints", "LICENSE", "__pycache__"),
        *("attr", "attrs", "aws_lambda_powertools", "boto3", "botocore", "cattr", "cattrs"),
        *("certifi", "_cffi_backend", "charset_normalizer", "cryptography", "dateutil"),
        *("dependency_injector", "idna", "jmespath", "requests", "s3transfer", "six"),
        *("typing_extensions", "tzdata", "urllib3"),
    }
    unused = (".c", ".h", ".pxd", ".pyi", ".pyx", ".js", ".css", "RECORD", "/")
    assert [name for name in held if name.endswith(unused)] == []
    assert [name for name in held if "tests" in name.split("/")] == []
    services = {
        n.split("/")[2] for n in held if n.startswith("botocore/data/") and n.count("/") > 2
    }
    assert services == {"s3", "sns", "sqs", "sts"}
    assert [name for name in held if "examples-" in name] == []


def test_every_licence_is_included(built: Built) -> None:
    """Each library's, by its dist-info."""
    held = names(built.function)
    libraries = {name.partition("/")[0] for name in held if ".dist-info/" in name}
    assert len(libraries) > 10
    for library in libraries:
        own = [name for name in held if name.startswith(f"{library}/")]
        assert any("LICEN" in name.upper() for name in own), library
    assert "LICENSE" in held


def test_commands_are_left_out() -> None:
    """And no other module imports a library that only they need."""
    ours = our_modules()
    assert {"entrypoints/aws_lambda.py", "entrypoints/sqs_batch.py", "domain/clip.py"} <= set(ours)
    assert "infrastructure/s3/owners.py" in ours
    assert not {
        "entrypoints/cli/app.py",
        "entrypoints/cli/demo/demo.py",
        "entrypoints/invoke.py",
    } & set(ours)
    libraries = (b"typer", b"rich", b"jinja2", b"dotenv", b"starlette", b"entrypoints.cli")
    imports = [b"import " + name for name in libraries] + [b"from " + name for name in libraries]
    assert not [name for name, text in ours.items() if any(line in text for line in imports)]


def elf_machines(path: Path) -> Iterator[tuple[str, int]]:
    with zipfile.ZipFile(path) as zipped:
        for name in zipped.namelist():
            with zipped.open(name) as file:
                head = file.read(20)
            if head[:4] == b"\x7fELF":
                yield name, int.from_bytes(head[18:20], "little")


def test_programs_are_for_the_processor(built: Built) -> None:
    """Libraries and ffmpeg, by their ELF headers."""
    libraries = dict(elf_machines(built.function))
    assert set(libraries) == {name for name in names(built.function) if name.endswith(".so")}
    assert len(libraries) > 3
    assert set(libraries.values()) == {MACHINES[built.arch]}
    assert dict(elf_machines(built.layer)) == {"bin/ffmpeg": MACHINES[built.arch]}


def test_the_layer_holds_ffmpeg_and_its_licence(built: Built) -> None:
    """Lambda makes /opt/bin/ffmpeg of it; all may run it."""
    with zipfile.ZipFile(built.layer) as zipped:
        modes = {e.filename: e.external_attr >> 16 for e in zipped.infolist()}
        assert stat.S_IMODE(modes["bin/ffmpeg"]) == 0o755
        assert "GNU General Public License" in zipped.read("licences/ffmpeg/NOTICE").decode()
        assert b"GNU GENERAL PUBLIC LICENSE" in zipped.read("licences/ffmpeg/GPL-3.0")
        assert zipped.read("licences/ffmpeg/ORIGIN").startswith(b"ffmpeg-linux-")
    assert set(modes.values()) == {0o100755, 0o100644}


def test_it_is_small_enough_for_lambda(built: Built) -> None:
    """Function and layer together, unpacked."""
    assert check_size(built.function, built.layer) < 0.85 * LIMIT_BYTES
    assert check_size(built.function) < 40 << 20
    assert built.function.stat().st_size < 13 << 20


def test_a_package_that_is_too_large_is_rejected(tmp_path: Path) -> None:
    """However small its zip is."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("zeros", bytes(100 << 20))
    assert check_size(path, path) == 200 << 20
    with pytest.raises(CannotPackage, match="allows"):
        check_size(path, path, path)


def test_a_failure_to_package_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1."""
    flags = ["--arch", THIS_ARCHITECTURE, "--python", THIS_PYTHON, "--out", str(tmp_path)]
    assert main([*flags, "--compiler", "/bin/false"]) == 1
    assert "/bin/false is no Python" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.zip"))
