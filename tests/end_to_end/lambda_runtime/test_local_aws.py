"""`camclip local-aws` as a command: started, and ended by itself or a signal."""

import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from devtools.footage import assert_clip, cached_recording, read_clip, wanted
from devtools.local_aws.camera_api import file_name
from devtools.local_aws.cloud import KEY, REGION, SECRET
from devtools.local_aws.process_table import descendants, is_running
from devtools.local_aws.recursive_loop import MAX_INVOCATIONS, invocation_trace
from tests.end_to_end.lambda_runtime.conftest import FOOTAGE, HANGING, MAX_S
from tests.support.service import wait_until

START_MS = 1_777_636_800_000
COMMAND = (sys.executable, "-c", "from entrypoints.cli.app import main; main()", "local-aws")


def store_recording(root: Path, films: Path) -> None:
    """Put the recording into a folder as a camera's."""
    path = root / "recordings" / "pier" / file_name("pier", START_MS)
    path.parent.mkdir(parents=True)
    path.symlink_to(cached_recording(films, FOOTAGE))


@contextmanager
def started(root: Path, *options: str, **places: str) -> Iterator["subprocess.Popen[str]"]:
    """Run the command, and kill it at the end of the block if it is not over."""
    with subprocess.Popen(
        [*COMMAND, "--root", str(root), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "THUMBNAIL_SIZES": "160",
            **places,
        },
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_one_message_in_a_clip_out(tmp_path: Path, films: Path) -> None:
    """It prints all addresses and events, stores the clip, and exits with 0."""
    store_recording(tmp_path, films)
    with started(tmp_path, "--once") as process:
        output, _ = process.communicate(timeout=MAX_S)
    assert process.returncode == 0, output
    for part in ("requests", "dead letters", "subscriber", "clips", "camera API"):
        assert re.search(rf"^{part} +http://127\.0\.0\.1:\d+", output, re.MULTILINE), part
    assert "Action=SendMessage" in output
    for who, what in (
        ("camera", "PUT clip local-[0-9]+: CLIP_AVAILABLE"),
        ("topic", "CLIP_AVAILABLE of local-[0-9]+, event "),
        ("function", "clip: .*status CLIP_AVAILABLE"),
        ("lambda", "1 message, 1 done; process [0-9]+, [0-9]+ ms, cold start [0-9]+ ms"),
    ):
        assert re.search(rf"^[0-9:.]+  {who} +{what}", output, re.MULTILINE), (who, output)
    [clip] = (tmp_path / "local-aws" / "pier").glob("*.mp4")
    assert f"The clip: {clip}" in output
    # The middle half of a recording of 4 s.
    assert_clip(read_clip(clip), wanted([FOOTAGE], 1_000, 3_000))


def test_its_settings_and_its_command_work_in_another_terminal(tmp_path: Path, films: Path) -> None:
    """The doctor finds no fault with them, and the command requests the clip that it names."""
    store_recording(tmp_path, films)
    with started(tmp_path) as process:
        assert process.stdout
        lines = iter(process.stdout)
        printed = list(itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), lines))
        exports = [shlex.split(line)[1] for line in printed if line.startswith("export ")]
        settings = dict(text.split("=", 1) for text in exports)
        [command] = [shlex.split(line) for line in printed if line.startswith("aws ")]
        doctor = subprocess.run(
            [*COMMAND[:-1], "doctor", "--aws", "--camera", "pier"],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "CLIP_DOWNLOAD_DEST": str(tmp_path / "scratch"),
                **settings,
            },
            capture_output=True,
            text=True,
            timeout=MAX_S,
            check=False,
        )
        client = boto3.Session(
            settings["AWS_ACCESS_KEY_ID"],
            settings["AWS_SECRET_ACCESS_KEY"],
            region_name=settings["AWS_DEFAULT_REGION"],
        ).client("sqs", endpoint_url=settings["AWS_ENDPOINT_URL"])
        options = dict(zip(command[3::2], command[4::2], strict=True))
        assert command[:3] == ["aws", "sqs", "send-message"]
        assert options["--endpoint-url"] == settings["AWS_ENDPOINT_URL"]
        assert options["--queue-url"] == settings["AWS_SQS_QUEUE_URL"]
        client.send_message(QueueUrl=options["--queue-url"], MessageBody=options["--message-body"])
        client.close()
        line = next(line for line in lines if "  camera " in line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=MAX_S)
    assert doctor.returncode == 0, doctor.stdout
    assert re.match(r"2[0-9] checks, no fault\.", doctor.stderr)
    clip_id = json.loads(options["--message-body"])["clipId"]
    assert f"PUT clip {clip_id}: CLIP_AVAILABLE" in line


def test_where_loops_are_terminated_the_dropped_message_is_printed(
    tmp_path: Path, films: Path
) -> None:
    """A message that sixteen invocations led to, as AWS's default has it."""
    store_recording(tmp_path, films)
    trace = ""
    for _ in range(MAX_INVOCATIONS):
        trace = invocation_trace([trace])
    with started(tmp_path, "--recursive-loop", "Terminate") as process:
        assert process.stdout
        lines = iter(process.stdout)
        queue_url = next(line.split()[1] for line in lines if line.startswith("requests "))
        sqs = boto3.Session(KEY, SECRET, region_name=REGION).client("sqs", endpoint_url=queue_url)
        sent = sqs.send_message(
            QueueUrl=queue_url,
            MessageBody="any",
            MessageSystemAttributes={
                "AWSTraceHeader": {"DataType": "String", "StringValue": trace}
            },
        )
        sqs.close()
        line = next(line for line in lines if "  lambda " in line)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=MAX_S)
    assert f"message {sent['MessageId']} dropped, now a dead letter" in line


def test_ended_at_work_it_leaves_nothing_behind(tmp_path: Path, films: Path) -> None:
    """SIGTERM while a message is handled: the function's process goes too, and ffmpeg with it."""
    store_recording(tmp_path, films)
    pid_file, ffmpeg = tmp_path / "ffmpeg.pid", tmp_path / "ffmpeg"
    ffmpeg.write_text(HANGING.format(pid_file=pid_file))
    ffmpeg.chmod(0o755)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    places = {"CAMCLIP_FFMPEG": str(ffmpeg), "TMPDIR": str(temporary)}
    with started(tmp_path, "--once", **places) as process:
        wait_until(pid_file.exists)
        # Read first: one that starts later writes its own id to the file.
        ffmpeg_pid = int(pid_file.read_text())
        working = descendants(process.pid)
        assert ffmpeg_pid in working
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=MAX_S)
    assert process.returncode == 1, output
    assert "has not ended" in output
    assert not any(is_running(pid) for pid in working)
    assert list(temporary.iterdir()) == []


def test_missing_requirements_are_named_with_the_command_to_install_them(tmp_path: Path) -> None:
    """The stand-ins are installed with the development requirements only."""
    hidden = "import sys; sys.modules['awslambdaric'] = None; sys.modules['moto'] = None; "
    done = subprocess.run(
        [sys.executable, "-c", hidden + COMMAND[2], "local-aws", "--root", str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        timeout=MAX_S,
    )
    assert done.returncode == 2
    assert 'pip install "moto[server]" awslambdaric' in done.stderr
    assert "Traceback" not in done.stderr
