"""Connections to the camera API, which another thread can end."""

import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import requests
from attrs import define
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import Retry

from domain.errors import DeadlineExceeded
from infrastructure.camera_api.network import find_proxy, trust

MAX_RETRY_AFTER_S = 5
RETRIED = (429, 500, 502, 503, 504)


@define
class Exchange:
    """One exchange, which another thread can abort."""

    sock: socket.socket | None = None
    is_aborted: bool = False

    def abort(self) -> None:
        """End a read that waits, and let no retry follow: a late PUT could undo a newer status."""
        self.is_aborted = True
        if self.sock:
            with suppress(OSError):  # it has just ended by itself
                self.sock.shutdown(socket.SHUT_RDWR)


current_exchange: ContextVar[Exchange] = ContextVar("exchange")


class _Abortable:
    """A connection that shows its socket to the exchange that uses it."""

    sock: socket.socket | None

    def request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - urllib3's
        exchange = current_exchange.get()
        if exchange.is_aborted:
            raise DeadlineExceeded("The exchange was aborted at its deadline.")
        super().request(*args, **kwargs)  # type: ignore[misc]
        exchange.sock = self.sock  # now: once an answer begins, http.client may drop it


class _Connection(_Abortable, HTTPConnection):
    pass


class _SecureConnection(_Abortable, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """Connects by way of `_Abortable`, with or without a proxy, and trusts `context`."""

    def __init__(self, context: ssl.SSLContext | None, retries: Retry) -> None:
        self.context = context
        super().__init__(max_retries=retries)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests'
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = POOLS
        return manager

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - requests'
        host, pool = super().build_connection_pool_key_attributes(*args, **options)
        return host, {**pool, "ssl_context": self.context} if self.context else pool


def open_session(
    addresses: Sequence[str] = (), environ: Mapping[str, str] = MappingProxyType({})
) -> requests.Session:
    """Return a session that retries twice, and reaches `addresses` as the environment says.

    Its proxies and certificates are used, but no .netrc: it would silently change the credentials.
    OSError if the certificates cannot be read.
    """
    session = requests.Session()
    session.trust_env = False
    retries = Retry(
        total=2,  # PUT too: storing a status twice is storing it once
        status_forcelist=RETRIED,
        backoff_factor=0.2,
        raise_on_status=False,
        retry_after_max=MAX_RETRY_AFTER_S,
    )
    adapter = _Adapter(trust(environ), retries)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    for address in addresses:
        proxy = find_proxy(address, environ)
        if proxy:
            parts = urlsplit(address)
            session.proxies[f"{parts.scheme}://{parts.hostname}"] = proxy.address
    # A small compressed answer could expand to a huge one.
    session.headers["Accept-Encoding"] = "identity"
    return session
