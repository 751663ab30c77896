"""A Ceph of one node with a RADOS Gateway, over HTTP and HTTPS."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from uuid import uuid4

from attrs import frozen

from tests.support.service import CREDENTIALS

PACKAGES = "radosgw ceph-mon ceph-osd ceph-mgr openssl"
"""Debian's. Those of Debian 12 are of Ceph 16.2; they take about 100 s to install."""
COMMANDS = (
    *("ceph", "ceph-mon", "ceph-mgr", "ceph-osd", "monmaptool"),
    *("radosgw", "radosgw-admin", "openssl"),
)
CONFIGURATION = Path(__file__).with_name("ceph.conf")
READY_S = 120
STOP_S = 10


class NoCephError(Exception):
    """Ceph is not installed, or does not start."""


@frozen
class Gateway:
    """A running gateway that accepts the credentials of the tests."""

    http_url: str
    https_url: str
    """Its certificate is of a private CA."""
    ca_bundle: Path
    """The certificate of that CA."""
    version: str


@contextmanager
def gateway(folder: Path) -> Iterator[Gateway]:
    """Start one in an empty folder, with all data in memory; the end of the block stops it.

    NoCephError if that is impossible.
    """
    if missing := [command for command in COMMANDS if not shutil.which(command)]:
        raise NoCephError(
            f"{', '.join(missing)} not found. Install Debian's packages: apt-get install {PACKAGES}"
        )
    ports = _free_ports("monitor_port", "monitor_v1_port", "http_port", "https_port")
    values = {"folder": str(folder), "fsid": str(uuid4()), **ports}
    (folder / "ceph.conf").write_text(Template(CONFIGURATION.read_text()).substitute(values))
    _make_certificates(folder)
    with ExitStack() as daemons:
        ceph = _Ceph(folder, daemons)
        _start_cluster(ceph, values)
        ceph.start_gateway(int(ports["http_port"]))
        _run(
            folder,
            *("radosgw-admin", "user", "create", "--uid=camclip", "--display-name=camclip"),
            f"--access-key={CREDENTIALS['AWS_ACCESS_KEY_ID']}",
            f"--secret-key={CREDENTIALS['AWS_SECRET_ACCESS_KEY']}",
        )
        version = " ".join(_run(folder, "radosgw", "--version").split()[:3])
        http_url, https_url = (
            f"{scheme}://127.0.0.1:{ports[f'{scheme}_port']}" for scheme in ("http", "https")
        )
        yield Gateway(http_url, https_url, folder / "ca.pem", version)


@frozen
class _Ceph:
    folder: Path
    daemons: ExitStack

    def run(self, *command: str) -> str:
        return _run(self.folder, *command)

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a daemon that lives as long as the stack."""
        with (self.folder / f"{command[0]}.out").open("wb") as output:
            process = subprocess.Popen(
                [*command, "-f"], env=_environ(self.folder), stdout=output, stderr=output
            )
        self.daemons.callback(_stop, process)
        return process

    def start_gateway(self, port: int) -> None:
        """Start the gateway and wait until it listens."""
        process = self.start("radosgw", "-n", "client.rgw")
        until_s = time.monotonic() + READY_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionError as error:
                if process.poll() is not None or time.monotonic() > until_s:
                    outputs = (path.read_text()[-1000:] for path in self.folder.glob("*.out"))
                    raise NoCephError(
                        "\n".join(["The gateway did not start.", *outputs])
                    ) from error
                time.sleep(0.2)
            else:
                return


def _start_cluster(ceph: _Ceph, values: Mapping[str, str]) -> None:
    for name in ("mon", "mgr", "osd"):
        (ceph.folder / name).mkdir()
    map_path = str(ceph.folder / "monmap")
    monitor = f"[v2:127.0.0.1:{values['monitor_port']},v1:127.0.0.1:{values['monitor_v1_port']}]"
    ceph.run("monmaptool", "--create", "--fsid", values["fsid"], "--addv", "a", monitor, map_path)
    ceph.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_path)
    ceph.start("ceph-mon", "-i", "a")
    ceph.start("ceph-mgr", "-i", "a")
    number = ceph.run("ceph", "osd", "create").strip()
    ceph.run("ceph-osd", "--mkfs", "-i", number, "--osd-uuid", str(uuid4()))
    ceph.run("ceph", "osd", "crush", "add", f"osd.{number}", "1.0", "root=default", "host=node")
    ceph.start("ceph-osd", "-i", number)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _run(folder: Path, *command: str) -> str:
    """Run a command; return what it prints."""
    try:
        ran = subprocess.run(
            command,
            env=_environ(folder),
            capture_output=True,
            timeout=READY_S,
            check=True,
            text=True,
        )
    except subprocess.CalledProcessError as error:
        raise NoCephError(f"{' '.join(command)} failed: {error.stderr[-2000:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NoCephError(f"{' '.join(command)} did not end.") from error
    return ran.stdout


def _environ(folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "CEPH_CONF": str(folder / "ceph.conf")}


def _make_certificates(folder: Path) -> None:
    """Make a CA, and a certificate of it for this machine with its key in server.pem."""
    ca, ca_key, server, key = (folder / name for name in ("ca.pem", "ca.key", "server.pem", "key"))
    new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    _run(folder, *new, "-subj", "/CN=a private CA", "-keyout", str(ca_key), "-out", str(ca))
    _run(
        folder,
        *(*new, "-subj", "/CN=gateway", "-CA", str(ca), "-CAkey", str(ca_key)),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"),
        *("-keyout", str(key), "-out", str(server)),
    )
    with server.open("a") as file:
        file.write(key.read_text())


def _free_ports(*names: str) -> dict[str, str]:
    with ExitStack() as opened:
        servers = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        return {n: str(s.getsockname()[1]) for n, s in zip(names, servers, strict=True)}
