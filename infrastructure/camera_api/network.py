"""How the camera API is reached and trusted, by the environment's usual variables."""

import re
import ssl
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from attrs import field, frozen
from requests.utils import should_bypass_proxies
from urllib3.util.ssl_ import create_urllib3_context

CA_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""Each may name a file of certificates, REQUESTS_CA_BUNDLE also a folder as OpenSSL hashes it.

The first two are boto3's, the second is requests', the third OpenSSL's. All of them are trusted, in
addition to the public authorities: the store may have a private CA and the camera API a public one.
"""


@frozen
class Proxy:
    """The proxy for an address."""

    variable: str
    address: str = field(repr=False)
    """With its scheme. It may contain a password."""


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that the environment names for `url`, if any.

    The rules are those of `urllib.request` and requests: the scheme's own variable comes before
    ALL_PROXY, a name in small letters before one in capitals, and NO_PROXY lists hosts, domains and
    networks that are reached without a proxy.
    """
    for name in (f"{urlsplit(url).scheme}_proxy", "all_proxy"):
        variable = _spelled(name, environ)
        address = environ.get(variable, "").strip()
        if address:
            address = address if "://" in address else f"http://{address}"  # as boto3 reads it
            no_proxy = environ.get(_spelled("no_proxy", environ), "")
            return None if should_bypass_proxies(url, no_proxy) else Proxy(variable, address)
    return None


def trust(environ: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return a context that trusts the named authorities; None if there are none.

    OSError (ssl.SSLError is one) if they cannot be read.
    """
    bundles = [path for _, path in _bundles(environ)]
    if not bundles:
        return None
    context = create_urllib3_context()
    for path in bundles:
        _load(context, path)
    return context


def network_faults(addresses: tuple[str, ...], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with the variables that apply to `addresses`; no value is quoted."""
    for name, path in _bundles(environ):
        try:
            _load(create_urllib3_context(), path)
        except OSError:
            yield f"{name} must name a readable file of certificates in PEM format"
    proxies = [find_proxy(address, environ) for address in addresses]
    for variable in dict.fromkeys(p.variable for p in proxies if p and not _is_usable(p.address)):
        yield f"{variable} must be an http or https address, such as http://proxy.example:3128"


def _spelled(name: str, environ: Mapping[str, str]) -> str:
    return name if name in environ else name.upper()


def _bundles(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    found = ((name, environ.get(name, "").strip()) for name in CA_VARIABLES)
    return [(name, path) for name, path in found if path]


def _load(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except IsADirectoryError:
        context.load_verify_locations(capath=path)


def _is_usable(proxy: str) -> bool:
    """Return whether an address names an HTTP proxy."""
    if re.search(r"[\s\"'`<>]", proxy):
        return False
    try:
        parts = urlsplit(proxy)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        return False
