"""The worker's heartbeats: a file that stays fresh, and systemd's messages."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STALE_S = 30.0
"""The age of the file at which the worker counts as dead or stuck."""


def check_health(environ: Mapping[str, str]) -> int:
    """Check the worker that writes WORKER_HEALTH_FILE: 0 if healthy, 1 if not, 2 if not set."""
    name = environ.get("WORKER_HEALTH_FILE", "").strip()
    if not name:
        sys.stderr.write("WORKER_HEALTH_FILE is not set: set it to the file of a worker\n")
        return 2
    try:
        age_s = time.time() - Path(name).stat().st_mtime
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror}\n")
        return 1
    if age_s > STALE_S:
        sys.stderr.write(f"{name} is {age_s:.0f} s old: the worker has died, or a slot is stuck\n")
        return 1
    return 0


def notify_systemd(state: str) -> None:
    """Send a state to the service manager, if there is one (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.setblocking(False)  # an unresponsive manager must not stop the worker
            datagrams.sendto(state.encode(), address.replace("@", "\0", 1))
