"""The signs of life that a worker gives: a file that stays fresh, and systemd's messages."""

import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

STALE_S = 30.0
"""The age at which the file says that the worker is gone, or something in it is stuck."""


def check_health(environ: Mapping[str, str]) -> int:
    """Say whether the worker that writes WORKER_HEALTH_FILE is well: 0 if so, 1 if not, else 2."""
    name = environ.get("WORKER_HEALTH_FILE", "").strip()
    if not name:
        sys.stderr.write("WORKER_HEALTH_FILE is not set: it must be the file of a worker\n")
        return 2
    try:
        age_s = time.time() - Path(name).stat().st_mtime
    except OSError as error:
        sys.stderr.write(f"{name}: {error.strerror}\n")
        return 1
    if age_s > STALE_S:
        sys.stderr.write(f"{name} is {age_s:.0f} s old: the worker is gone, or a slot is stuck\n")
        return 1
    return 0


def tell_systemd(state: str) -> None:
    """Tell the service manager, if there is one that wants to know (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)  # a manager that does not listen must not stop us
            line.sendto(state.encode(), address.replace("@", "\0", 1))
