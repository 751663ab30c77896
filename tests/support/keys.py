"""A key to sign manifests with, and another one: made up, and worth nothing."""

import base64

from infrastructure.signing import signer_of

_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""RFC 8410, 7: what precedes the 32 bytes of a private key."""


def private_key(seed: bytes) -> str:
    """Return the key of 32 bytes, in PEM."""
    body = base64.b64encode(_PKCS8 + seed).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"


def public_key(private: str) -> str:
    """Return the public half of a private key, in PEM."""
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415

    key = signer_of(private).key.public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


SIGNING_KEY, OTHER_KEY = private_key(bytes([7] * 32)), private_key(bytes([8] * 32))
