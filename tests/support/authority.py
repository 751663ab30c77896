"""A certificate authority of a test, and servers that it vouches for."""

import datetime as dt
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread

from attrs import Factory, define, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.support.loopback import Loopback, Script


@frozen
class Authority:
    """A private CA, in a folder: its own certificate, and one for 127.0.0.1 with its key."""

    certificate: Path
    server: Path


def make_authority(folder: Path, name: str = "authority") -> Authority:
    """Make an authority and a server's certificate, both valid for a day."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = _name(name)
    now = dt.datetime.now(dt.UTC)

    def certificate(
        holder: x509.Name, public: ec.EllipticCurvePublicKey, *extensions: x509.ExtensionType
    ) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(holder)
            .issuer_name(ca_name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, isinstance(extension, x509.BasicConstraints))
        return builder.sign(ca_key, SHA256()).public_bytes(Encoding.PEM)

    found = Authority(folder / f"{name}.pem", folder / f"{name}-server.pem")
    found.certificate.write_bytes(
        certificate(
            ca_name,
            ca_key.public_key(),
            x509.BasicConstraints(ca=True, path_length=None),
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()),
        )
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    found.server.write_bytes(
        secret + certificate(_name(f"{name}-server"), key.public_key(), address, issuer)
    )
    return found


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@define(kw_only=True)
class TlsLoopback(Loopback):
    """Answers by scripts after a handshake."""

    context: ssl.SSLContext

    def _answer(self, line: socket.socket, script: Script) -> None:
        try:
            secure = self.context.wrap_socket(line, server_side=True)
        except OSError:  # the client does not trust the certificate
            self.closed_by_client += 1
        else:
            super()._answer(secure, script)


@contextmanager
def tls_loopback(authority: Authority, *scripts: Script) -> Iterator[Loopback]:
    """Serve by scripts over TLS on a free port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        served = TlsLoopback(scripts=list(scripts), url=url, context=context)
        Thread(target=served.serve, args=(server,), daemon=True).start()
        yield served
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


@define
class TunnelProxy:
    """An HTTP proxy that answers CONNECT with a tunnel."""

    address: str = ""
    heads: list[str] = Factory(list)

    def serve(self, server: socket.socket) -> None:
        """Open tunnels until the socket is closed."""
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            Thread(target=self._tunnel, args=(line,), daemon=True).start()

    def _tunnel(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += line.recv(65536) or b"\r\n\r\n"
            self.heads.append(head.decode("latin-1"))
            host, port = head.split()[1].decode().rsplit(":", 1)
            with socket.create_connection((host, int(port))) as there:
                line.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = Thread(target=_copy, args=(there, line), daemon=True)
                back.start()
                _copy(line, there)
                back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def tunnel_proxy() -> Iterator[TunnelProxy]:
    """Serve a proxy on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = TunnelProxy(f"127.0.0.1:{server.getsockname()[1]}")
        Thread(target=proxy.serve, args=(server,), daemon=True).start()
        yield proxy
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
