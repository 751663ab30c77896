"""The camera API behind a private authority or a proxy, as the environment says."""

import logging
import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from domain.errors import DeadlineExceeded, Unavailable
from entrypoints.container import aws_service
from entrypoints.settings import InvalidSettings, read_settings
from infrastructure.camera_api.client import HttpCameraService
from infrastructure.camera_api.network import CA_VARIABLES, find_proxy
from infrastructure.camera_api.session import open_session
from tests.integration.camera_api.test_camera_api import ALIAS, BUSY, FORMAT, LIST, WINDOW
from tests.support.authority import Authority, make_authority, tls_loopback, tunnel_proxy
from tests.support.loopback import Loopback, loopback, stall
from tests.unit.entrypoints.test_settings import REQUIRED

PASSWORD = "s3cret-of-the-proxy"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def server(authority: Authority) -> Iterator[Loopback]:
    with tls_loopback(authority, ALIAS, LIST) as served:
        yield served


def find(url: str, environ: Mapping[str, object] = {}, left_s: float = 10) -> list[str]:
    """Ask the camera API at `url` as the service in AWS does with these variables."""
    addresses = {"CAM_SERVICES_URL": url, "RECORDINGS_URL": url}
    given = {name: str(value) for name, value in environ.items()}
    cameras = aws_service({**REQUIRED, **addresses, **given}).cameras()
    found = cameras.find_segments("pier", WINDOW, time.monotonic() + left_s)
    return [segment.name for segment in found.segments]


def test_a_server_of_an_unknown_authority_is_not_trusted(server: Loopback) -> None:
    """Nothing is sent to it."""
    with pytest.raises(Unavailable, match="SSLError"):
        find(server.url)
    assert server.requests == []


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_a_private_authority_is_trusted(
    authority: Authority, server: Loopback, variable: str
) -> None:
    """By each of the usual variables."""
    assert find(server.url, {variable: authority.certificate}) == ["a.mp4"]


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_each_named_authority_is_trusted(
    authority: Authority, server: Loopback, variable: str, tmp_path: Path
) -> None:
    """The store's authority need not be the camera API's."""
    others = dict.fromkeys(CA_VARIABLES, make_authority(tmp_path, "other").certificate)
    with tls_loopback(authority, BUSY) as unknown, pytest.raises(Unavailable, match="SSLError"):
        find(unknown.url, others)
    assert find(server.url, {**others, variable: authority.certificate}) == ["a.mp4"]


def test_other_authorities_stay_trusted(
    authority: Authority, server: Loopback, tmp_path: Path
) -> None:
    """A bundle for a private store does not cut off a public camera API."""
    other = make_authority(tmp_path, "other").certificate
    session = open_session((), {"AWS_CA_BUNDLE": str(other)})
    assert session.verify is True  # the public authorities, for which a file stands now
    session.verify = str(authority.certificate)
    cameras = HttpCameraService(server.url, server.url, FORMAT, session=session)
    assert cameras.find_segments("pier", WINDOW, time.monotonic() + 10).segments


def test_a_folder_of_authorities_is_trusted(
    authority: Authority, server: Loopback, tmp_path: Path
) -> None:
    """As OpenSSL hashes it."""
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(authority.certificate)]
    hashed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / f"{hashed}.0").write_bytes(authority.certificate.read_bytes())
    assert find(server.url, {"REQUESTS_CA_BUNDLE": tmp_path}) == ["a.mp4"]


@pytest.mark.parametrize("variable", CA_VARIABLES)
def test_certificates_that_cannot_be_read_are_refused_by_name(
    variable: str, tmp_path: Path
) -> None:
    """At the start, not at the first message."""
    (tmp_path / "text").write_text("no certificate")
    for path in ("absent", "text"):
        with pytest.raises(InvalidSettings, match=f"{variable} must name a readable file"):
            read_settings({**REQUIRED, variable: str(tmp_path / path)})
    assert read_settings({**REQUIRED, variable: "  "})


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["", "http://"])
def test_a_proxy_is_used(
    authority: Authority, server: Loopback, variable: str, scheme: str
) -> None:
    """With its credentials, which the camera API does not see."""
    with tunnel_proxy() as proxy:
        address = f"{scheme}user:{PASSWORD}@{proxy.address}"
        assert find(server.url, {variable: address, "AWS_CA_BUNDLE": authority.certificate}) == [
            "a.mp4"
        ]
    assert len(proxy.heads) == 2
    expected = b64encode(f"user:{PASSWORD}".encode()).decode()
    for head in proxy.heads:
        assert head.startswith(f"CONNECT {server.url.removeprefix('https://')} ")
        assert f"Proxy-Authorization: Basic {expected}" in head
    assert not any("Proxy-Auth" in request for request in server.requests)


def test_plain_http_goes_through_its_own_proxy() -> None:
    """The proxy is asked for the whole address."""
    with loopback(ALIAS, LIST) as proxy, loopback(BUSY) as server:
        environ = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": "http://127.0.0.1:9"}
        assert find(server.url, environ) == ["a.mp4"]
    assert proxy.requests[0].startswith(f"GET {server.url}/cameras/pier HTTP/1.1\r\n")
    assert server.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxied_request_is_disconnected_at_the_deadline(
    authority: Authority, scheme: str
) -> None:
    """As a direct one: a status that arrives late could undo a newer one."""
    began_s = time.monotonic()
    trusted = {"AWS_CA_BUNDLE": authority.certificate}
    with (
        tls_loopback(authority, stall()) as server,
        tunnel_proxy() as tunnel,
        loopback(stall()) as plain,
    ):
        proxies = {"HTTP_PROXY": plain.url, "HTTPS_PROXY": tunnel.address}
        targets = {"http": ("http://a.example", plain), "https": (server.url, server)}
        url, stalled = targets[scheme]
        with pytest.raises(DeadlineExceeded):
            find(url, {**trusted, **proxies}, 1)
        while not stalled.closed_by_client and time.monotonic() - began_s < 5:
            time.sleep(0.1)
        time.sleep(0.3)
        # A retry may connect, but it sends nothing.
        assert sum("GET" in request for request in stalled.requests) == 1
        assert stalled.closed_by_client


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "*", "a.example, 127.0.0.1"])
@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_no_proxy_names_what_is_reached_without(variable: str, no_proxy: str) -> None:
    """Hosts, networks, or all."""
    with loopback(BUSY) as proxy, loopback(ALIAS, LIST) as server:
        assert find(server.url, {"HTTP_PROXY": proxy.url, variable: no_proxy}) == ["a.mp4"]
    assert proxy.requests == []


URL = "https://cameras.example.com:8443/v1"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "p"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "p", "https_proxy": "q"}, "https_proxy"),
        ({"HTTPS_PROXY": "p", "https_proxy": ""}, None),
        ({"HTTPS_PROXY": " "}, None),
        ({"HTTP_PROXY": "p"}, None),
        ({"ALL_PROXY": "p"}, "ALL_PROXY"),
        ({"ALL_PROXY": "p", "HTTPS_PROXY": "q"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "example.com"}, None),
        ({"HTTPS_PROXY": "p", "NO_PROXY": ".example.com"}, None),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "cameras.example.com:8443"}, None),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "cameras.example.com:443"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "other.example.com"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "ample.com"}, "HTTPS_PROXY"),
        ({"HTTPS_PROXY": "p", "NO_PROXY": "*", "no_proxy": ""}, "HTTPS_PROXY"),
    ],
    ids=str,
)
def test_the_usual_rules_choose_the_proxy(environ: dict[str, str], variable: str | None) -> None:
    """Those of urllib and requests, whatever the process's own environment says."""
    found = find_proxy(URL, environ)
    assert (found.variable if found else None) == variable


@pytest.mark.parametrize(
    "proxy",
    [
        f"socks5://user:{PASSWORD}@127.0.0.1:1080",
        f'"http://user:{PASSWORD}@127.0.0.1:3128"',
        f"http://user:{PASSWORD}@127.0.0.1:port",
        f"http://user:{PASSWORD}@127.0.0.1:99999",
        f"http://user:{PASSWORD}@",
        f"http://user: {PASSWORD}@127.0.0.1:3128",
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_by_name(proxy: str) -> None:
    """Unless the camera API is reached without it; the message has no password."""
    environ = {**REQUIRED, "HTTPS_PROXY": proxy}
    with pytest.raises(InvalidSettings, match="HTTPS_PROXY must be an http or https") as refused:
        read_settings(environ)
    assert PASSWORD not in str(refused.value)
    assert read_settings({**environ, "NO_PROXY": "cameras.example.com"})


def test_a_proxys_password_is_in_no_log_and_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """Not even at DEBUG, with the proxy refusing, stalling or gone."""
    caplog.set_level(logging.DEBUG)
    with loopback(BUSY) as gone:
        pass
    with loopback(BUSY) as busy, loopback(stall()) as slow:
        for proxy, url in (
            (gone, "http://cameras.example"),
            (gone, "https://cameras.example"),
            (busy, "http://cameras.example"),
            (busy, "https://cameras.example"),
            (slow, "https://cameras.example"),
        ):
            address = proxy.url.replace("//", f"//user:{PASSWORD}@")
            with pytest.raises((Unavailable, DeadlineExceeded)) as caught:
                find(url, {"HTTPS_PROXY": address, "HTTP_PROXY": address}, left_s=2)
            assert PASSWORD not in str(caught.value)
    assert "cameras.example" in caplog.text
    assert PASSWORD not in caplog.text
    assert b64encode(f"user:{PASSWORD}".encode()).decode() not in caplog.text


def test_a_netrc_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The credentials are those of the addresses."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with loopback(ALIAS, LIST) as server:
        assert find(server.url) == ["a.mp4"]
    assert not any("Authorization" in request for request in server.requests)


def test_the_function_reads_its_own_environment(authority: Authority, server: Loopback) -> None:
    """The worker's processes inherit theirs, and are this module, too."""
    call = (
        "import time; from entrypoints.aws_lambda import service;"
        "from domain.window import TimeWindow;"
        f"window = TimeWindow({WINDOW.start_ms}, {WINDOW.end_ms});"
        "found = service.cameras().find_segments('pier', window, time.monotonic() + 10);"
        "print([segment.name for segment in found.segments])"
    )
    with tunnel_proxy() as proxy:
        environ = {
            **os.environ,
            **REQUIRED,
            "AWS_DEFAULT_REGION": "us-east-1",
            "CAM_SERVICES_URL": server.url,
            "RECORDINGS_URL": server.url,
            "SSL_CERT_FILE": str(authority.certificate),
            "HTTPS_PROXY": f"http://{proxy.address}",
            "NO_PROXY": "a.example",
        }
        environ = {name: text for name, text in environ.items() if not name.endswith("_proxy")}
        command = [sys.executable, "-c", call]
        ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.stdout == "['a.mp4']\n", ran.stderr
    assert len(proxy.heads) == 2
