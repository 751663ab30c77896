"""Start a Ceph RADOS Gateway, play every scene on it, and print what was seen.

Needs Debian's packages of Ceph; without them it fails.
"""

import argparse
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.campaigns import print_now
from tests.campaigns.ceph.doctor import doctor
from tests.campaigns.ceph.gateway import NoCephError, gateway
from tests.campaigns.ceph.rivals import composed_rivals, small_rivals
from tests.campaigns.ceph.scenes import Scene, http, https, large_clip, replaced, small_clip
from tests.campaigns.ceph.stage import Stage, stage

NEEDED = {
    "COMPOSE": "auto",
    "S3_CONDITIONS": "put",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
}
"""The settings that Ceph 16.2 needs."""
WITHOUT_CHECKSUMS = {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required"}
SCENES: Mapping[str, Scene] = {
    "one PUT, without TLS": small_clip(http),
    "composed, without TLS": large_clip(http),
    "one PUT, over TLS": small_clip(https),
    "composed, over TLS": large_clip(https),
    "composed, over TLS, without checksums": large_clip(https, **WITHOUT_CHECKSUMS),
    "the doctor, without TLS": doctor(http, NEEDED),
    "the doctor, over TLS": doctor(https, NEEDED),
    "composed, with the doctor's settings": large_clip(https, **NEEDED),
    "a recording replaced before its copy": replaced(after=False),
    "a recording replaced after its copy": replaced(after=True),
    "two windows of one clipId, composed, in step": composed_rivals(),
    "two windows of one clipId, one PUT, in step": small_rivals(),
}


def main() -> None:
    """Run; exit with 1 if a promise did not hold, or if there is no gateway."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.ceph", description=__doc__)
    parser.add_argument("--races", type=int, default=10, help="races with random delays")
    parser.add_argument("--only", default="", help="part of the names of the scenes to play")
    options = parser.parse_args()
    began_s = time.monotonic()
    scenes = dict(SCENES)
    for seed in range(options.races):
        kind, race = ("one PUT", small_rivals) if seed % 2 else ("composed", composed_rivals)
        scenes[f"two windows of one clipId, {kind}, seed {seed}"] = race(seed)
    scenes = {name: scene for name, scene in scenes.items() if options.only in name}
    with TemporaryDirectory() as text:
        folder = Path(text)
        data = folder / "ceph"
        data.mkdir()
        try:
            with gateway(data) as opened, stage(opened, folder) as around:
                started_s = time.monotonic() - began_s
                print_now(f"{opened.version}, started in {started_s:.0f} s")
                failed = sum(_play(name, scene, around) for name, scene in scenes.items())
        except NoCephError as error:
            sys.exit(str(error))
    took_s = time.monotonic() - began_s
    print_now(f"{len(scenes)} scenes, {failed} with broken promises, {took_s:.0f} s")
    sys.exit(failed > 0)


def _play(name: str, scene: Scene, around: Stage) -> bool:
    """Play a scene; return whether a promise was broken."""
    began_s = time.monotonic()
    try:
        faults = list(scene(around))
    except AssertionError as error:
        faults = [str(error)]
    print_now(f"{name:50} {time.monotonic() - began_s:4.0f} s  {'; '.join(faults) or 'holds'}")
    return bool(faults)


if __name__ == "__main__":
    main()
