"""`camclip doctor --compose` on the gateway."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.campaigns.ceph.scenes import LARGE, Scene, Url
from tests.campaigns.ceph.stage import Stage

ROOT = Path(__file__).parents[3]
COMMAND = "from entrypoints.cli.app import main; main()"
TIMEOUT_S = 120


def doctor(url: Url, needed: Mapping[str, str]) -> Scene:
    """Return a scene in which the doctor prints these settings, and leaves nothing behind."""

    def scene(stage: Stage) -> Iterator[str]:
        world = stage.new_clip(LARGE)
        ran = subprocess.run(
            [sys.executable, "-c", COMMAND, "doctor", "--compose"],
            env={**stage.environ(world, url(stage)), "PYTHONPATH": str(ROOT)},
            cwd=world.scratch,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        printed = ran.stdout.splitlines()
        expected = {f"{name}={value}" for name, value in needed.items()}
        if missing := expected - set(printed):
            yield f"not printed: {sorted(missing)}; {ran.stdout[-2000:]}{ran.stderr[-1000:]}"
        tried = printed[next((n for n, line in enumerate(printed) if " copies " in line), 0) :]
        yield from (line for line in tried if line.startswith("fault"))
        listed = world.s3.list_objects_v2(Bucket=world.cloud.destination, Prefix=".camclip-doctor/")
        if listed.get("KeyCount"):
            yield f"{listed['KeyCount']} test objects are left"
        yield from stage.uploads()

    return scene
