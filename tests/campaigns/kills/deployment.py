"""A deployment whose camera API and AWS endpoint are behind gates."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from typing import Any

from attrs import frozen

from tests.support.gate import Gate, Trap, forward, gate
from tests.support.service import World, deployed

FOREIGN = "of-another-program"
"""An entry of every scratch folder that the function must not touch."""


@frozen
class Scene:
    """One camera and clip, with their scratch folder, gates, and environment of a function."""

    world: World
    camera_api: Gate
    aws: Gate
    environ: Mapping[str, str]
    folder: Path
    _receiving: Lock

    @property
    def asked_s(self) -> list[float]:
        """When each request so far was made, on the monotonic clock."""
        return sorted(self.camera_api.asked_s + self.aws.asked_s)

    def release(self) -> None:
        """Remove the traps."""
        for opened in (self.camera_api, self.aws):
            opened.release()

    def published(self) -> list[dict[str, Any]]:
        with self._receiving:
            return self.world.published()

    def scratch(self) -> list[str]:
        """Return the function's own entries of the scratch folder."""
        left = {path.name for path in self.world.scratch.iterdir()}
        assert FOREIGN in left, "The function removed another program's folder."
        return sorted(left - {FOREIGN})


@frozen
class Deployment:
    """What all scenes share."""

    world: World
    folder: Path
    _receiving: Lock

    @contextmanager
    def scene(
        self, camera_trap: Trap | None = None, aws_trap: Trap | None = None, **environ: str
    ) -> Iterator[Scene]:
        """Make a camera and open its gates."""
        scratch = Path(mkdtemp(prefix="scratch-", dir=self.folder))
        (scratch / FOREIGN).mkdir()
        world = self.world.new_camera(scratch)
        with (
            gate(world.cameras, camera_trap) as api,
            gate(forward(world.cloud.endpoint), aws_trap) as aws,
        ):
            settings = {
                **world.environ(api.url),
                "PATH": os.environ["PATH"],
                "AWS_ENDPOINT_URL": aws.url,
                "THUMBNAIL_SIZES": "300 640",
                **environ,
            }
            yield Scene(world, api, aws, settings, self.folder, self._receiving)


@contextmanager
def deployment(folder: Path, films: Path) -> Iterator[Deployment]:
    """Create a deployment; `films` keeps recordings between runs."""
    with deployed("kills", folder, films) as world:
        yield Deployment(world, folder, Lock())
