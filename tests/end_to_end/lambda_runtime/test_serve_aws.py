"""`camclip serve --aws` next to `camclip local-aws`: two processes, and the function's own."""

import itertools
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.footage import assert_clip, read_clip, wanted
from tests.end_to_end.lambda_runtime.conftest import FOOTAGE, MAX_S
from tests.end_to_end.lambda_runtime.test_local_aws import START_MS, started, store_recording
from tests.support.served import Client

SERVE = (sys.executable, "-m", "entrypoints.cli.app", "serve", "--aws", "--camera", "pier")
BODY = {
    "cameraId": "pier",
    "clipId": "c1",
    "startTimestampInMs": START_MS + 1000,
    "endTimestampInMs": START_MS + 3000,
}
CLIP = "/api/v1/clips/pier/c1"


@contextmanager
def serving(folder: Path, settings: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run the server, and kill it at the end of the block if it is not over."""
    with subprocess.Popen(
        [*SERVE, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            "CLIP_DOWNLOAD_DEST": str(folder),
            **settings,
        },
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_request_by_http_becomes_a_clip_of_the_function(tmp_path: Path, films: Path) -> None:
    """Requested, announced as an event, and fetched by its link: every frame is the one seen.

    A server that is killed after the request loses nothing: the next one reports the end.
    """
    store_recording(tmp_path, films)
    with started(tmp_path) as deployment:
        assert deployment.stdout
        lines = itertools.takewhile(lambda line: not line.startswith("Ctrl-C"), deployment.stdout)
        exports = [shlex.split(line)[1] for line in lines if line.startswith("export ")]
        settings = dict(text.split("=", 1) for text in exports)
        folder = tmp_path / "served"
        folder.mkdir()
        with serving(folder, settings) as process:
            assert process.stdout
            first = Client(process.stdout.readline().split()[-1].rstrip("/"))
            asked = first.post("/api/v1/clips", BODY)
            assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
            process.send_signal(signal.SIGKILL)
        with serving(folder, settings) as process:
            assert process.stdout
            server = Client(process.stdout.readline().split()[-1].rstrip("/"))
            assert server.wait_for(CLIP)["status"] == "CLIP_AVAILABLE"
            with server.events() as events:
                server.post("/api/v1/clips", {**BODY, "clipId": "c2"})
                of_c2 = (name for name, clip in events if clip["clipId"] == "c2")
                assert [next(of_c2), next(of_c2)] == ["waiting", "done"]
            moved = server.get(f"{CLIP}/video?download=true", allow_redirects=False)
            there = f"{settings['AWS_ENDPOINT_URL']}/camclip-clips/pier/c1.mp4?"
            assert moved.headers["location"].startswith(there)
            fetched = server.get(f"{CLIP}/video?download=true")
            assert fetched.headers["content-disposition"].startswith('attachment; filename="pier_')
            process.send_signal(signal.SIGTERM)
            printed, _ = process.communicate(timeout=MAX_S)
        deployment.send_signal(signal.SIGTERM)
        deployment.communicate(timeout=MAX_S)
    assert printed == ""
    path = tmp_path / "fetched.mp4"
    path.write_bytes(fetched.content)
    assert_clip(read_clip(path), wanted([FOOTAGE], 1_000, 3_000))
